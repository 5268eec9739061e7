/** A receiver that follows the documented rule ends in the right state, in whatever order and however often webhooks come (pitfall 30). */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { eventIdOf } from '../../../src/adapters/storage/database/ids.ts'
import { decodeReference, encodeSalt } from '../../../src/core/booking/reference.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { bookingTriggers, makeEndpoint, work } from '../../support/endpoints.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

const start = nearFuture()
const hour = 3_600
let server: TestServer
let receiver: Receiver
let host: TestHost
let configurations: { readonly booking: string; readonly request: string }
let clock: number | undefined

beforeAll(async () => {
  receiver = await startReceiver()
  // No worker of its own: the tests do its work when they want it.
  server = await startTestServer({ now: () => instant(clock ?? Date.now()) }, { ROLE: 'web' })
  host = await makeHost(server, 'ada@host.example', 'Europe/Berlin')
  const make = (booking_type: string) =>
    makeConfiguration(server, [host], {
      event: { booking_type, reminders: [{ type: 'webhook', minutes_before_event: 60 }] },
      scheduler: {
        rescheduling_url: 'https://app.example/r/:booking_ref',
        cancellation_url: 'https://app.example/c/:booking_ref',
      },
    })
  configurations = { booking: await make('booking'), request: await make('organizer-confirmation') }
  await makeEndpoint(server, receiver.url, bookingTriggers)
})
afterAll(() => receiver.close())

type Kind = keyof typeof configurations
// biome-ignore lint/suspicious/noExplicitAny: tests look into what they expect.
type Notification = any

/** The life of one booking, and where it has got to. */
class Story {
  readonly kind: Kind
  readonly id: string
  at: number
  constructor(kind: Kind, id: string, at: number) {
    this.kind = kind
    this.id = id
    this.at = at
  }

  static async begin(kind: Kind, at: number): Promise<Story> {
    const made = await book(server, configurations[kind], at)
    expect(made.status, JSON.stringify(made.body)).toBe(200)
    return new Story(kind, made.body.data.booking_id, at)
  }

  async move(): Promise<void> {
    this.at += hour
    await this.#ask('PATCH', { start_time: this.at, end_time: this.at + 1_800 })
  }

  async answer(status: 'confirmed' | 'cancelled'): Promise<void> {
    const path = `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${configurations[this.kind]}`
    const { data } = (await server.request('GET', path)).body
    const own = data.find(({ booking_id }: { booking_id: string }) => booking_id === this.id)
    const salt = encodeSalt(decodeReference(own.organizer_booking_ref)?.salt ?? new Uint8Array())
    await this.#ask('PUT', { salt, status })
  }

  cancel(): Promise<void> {
    return this.#ask('DELETE', {})
  }

  async remind(): Promise<void> {
    clock = (this.at - hour) * 1_000
    const command = { appId: server.clientId as AppId, bookingId: this.id as BookingId, number: 0 }
    expect(await server.app.operations.sendReminder(command)).toEqual({ ok: true, value: 'done' })
    clock = undefined
  }

  async #ask(method: string, body: object): Promise<void> {
    const path = `/v3/scheduling/bookings/${this.id}?configuration_id=${configurations[this.kind]}`
    const reply = await server.request(method, path, { token: null, body })
    expect(reply.status, JSON.stringify(reply.body)).toBe(200)
  }
}

type Known = { status: string; statusFrom: number; startTime: number; timeFrom: number; reminded: number }

/** As `docs/webhooks.md` tells its readers to do it. */
function openConsumer() {
  const seen = new Set<string>()
  const bookings = new Map<string, Known>()
  const statusOf: Readonly<Record<string, string>> = {
    'booking.created': 'booked',
    'booking.pending': 'pending',
    'booking.cancelled': 'cancelled',
  }
  return {
    take({ id, type, sequence, data }: Notification): void {
      if (seen.has(id)) return
      seen.add(id)
      const { booking_id, booking_info } = data.object
      const known = bookings.get(booking_id) ?? { status: '', statusFrom: 0, startTime: 0, timeFrom: 0, reminded: 0 }
      bookings.set(booking_id, known)
      const status = statusOf[type]
      if (status !== undefined && sequence > known.statusFrom) Object.assign(known, { status, statusFrom: sequence })
      if (sequence > known.timeFrom) Object.assign(known, { startTime: booking_info.start_time, timeFrom: sequence })
      if (type === 'booking.reminder') known.reminded++
    },
    look: (id: string) => {
      const { status, startTime, reminded } = bookings.get(id) ?? ({} as Partial<Known>)
      return { status, startTime, reminded }
    },
  }
}

const stories: Readonly<
  Record<string, readonly [Kind, (story: Story) => Promise<void>, status: string, reminded: number]>
> = {
  'made, moved twice and reminded of': [
    'booking',
    async (story) => {
      await story.move()
      await story.move()
      await story.remind()
    },
    'booked',
    1,
  ],
  'made, moved, reminded of, moved and cancelled': [
    'booking',
    async (story) => {
      await story.move()
      await story.remind()
      await story.move()
      await story.cancel()
    },
    'cancelled',
    1,
  ],
  'asked for, moved, confirmed, moved and reminded of': [
    'request',
    async (story) => {
      await story.move()
      await story.answer('confirmed')
      await story.move()
      await story.remind()
    },
    'booked',
    1,
  ],
  'asked for and moved': ['request', (story) => story.move(), 'pending', 0],
  'asked for, moved and declined': [
    'request',
    async (story) => {
      await story.move()
      await story.answer('cancelled')
    },
    'cancelled',
    0,
  ],
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]))
}

/** What came of all stories, for the last test. */
const all: {
  readonly story: Story
  readonly status: string
  readonly reminded: number
  readonly told: Notification[]
}[] = []

it.each(Object.entries(stories))('%s: every order of its webhooks leads to how it stands', async (_, plot) => {
  const [kind, live, status, reminded] = plot
  receiver.received.length = 0
  const story = await Story.begin(kind, start + all.length * 8 * hour)
  await live(story)
  await work(server)
  const told = receiver.received.map(({ json }) => json)
  expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_one, index) => index + 1))
  for (const order of permutations(told)) {
    const consumer = openConsumer()
    for (const notification of order) consumer.take(notification)
    expect(consumer.look(story.id), order.map(({ type }) => type).join()).toEqual({
      status,
      startTime: story.at,
      reminded,
    })
  }
  all.push({ story, status, reminded, told })
})

it('so does any order of those of many bookings, with repeats among them', () => {
  const notifications = all.flatMap(({ told }) => told)
  expect(notifications.length).toBeGreaterThan(15)
  const stream = fc
    .tuple(fc.subarray(notifications), fc.constant(notifications))
    .chain(([repeats, once]) => fc.shuffledSubarray([...repeats, ...once], { minLength: repeats.length + once.length }))
  fc.assert(
    fc.property(stream, (order) => {
      const consumer = openConsumer()
      for (const notification of order) consumer.take(notification)
      for (const { story, status, reminded } of all)
        expect(consumer.look(story.id)).toEqual({ status, startTime: story.at, reminded })
    }),
  )
})

it('a reminder has exactly the documented members', () => {
  const story = all[0]?.story
  const reminder = all[0]?.told.at(-1)
  const id = story?.id ?? ''
  expect(reminder).toEqual({
    specversion: '1.0',
    type: 'booking.reminder',
    source: '/nylas/passthru',
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    time: expect.any(Number),
    sequence: 4,
    webhook_delivery_attempt: 1,
    data: {
      application_id: server.clientId,
      grant_id: host.grantId,
      object: {
        booking_id: id,
        configuration_id: configurations.booking,
        booking_info: {
          event_id: eventIdOf(id as BookingId),
          start_time: story?.at,
          end_time: (story?.at ?? 0) + 1_800,
          participants: [
            { email: 'ada@host.example', name: 'ada' },
            { email: 'gil@guest.example', name: 'Gil Guest' },
          ],
          additional_fields: null,
          hide_cancellation_options: false,
          hide_rescheduling_options: false,
          participant_rescheduling_url: expect.stringMatching(/^https:\/\/app\.example\/r\/[\w%-]{40,}$/),
          participant_cancellation_url: expect.stringMatching(/^https:\/\/app\.example\/c\/[\w%-]{40,}$/),
          host_language: 'en',
          guest_language: 'en',
          title: 'Intro call',
          duration: 30,
          location: '',
          organizer_timezone: 'UTC',
          guest_timezone: 'UTC',
          is_group_event: false,
          organizer_calendar_id: host.calendarId,
          event_description: '',
          event_html_link: '',
          ical_uid: expect.stringContaining('@openslot'),
          time_until_event: hour,
          organizer_email: 'ada@host.example',
          provider: 'virtual-calendar',
        },
      },
    },
  })
})
