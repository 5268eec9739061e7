/**
 * Whatever is asked of a booking, in whatever order, while calendars fail, lose answers and processes die at any step: in the
 * end booking, claims, events and what was told agree, and no answer has turned out untrue. `STORMS` runs it longer, from `SEED`;
 * those that always run have been seen to find an event that comes after its booking was called off.
 */
import { expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { type CallName, fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import { connect } from '../../support/calendars/remoteHosts.ts'
import { makeConfiguration, makeHost, nearFuture, participant } from '../../support/hosts.ts'
import { leaseIsOver } from '../../support/leases.ts'
import { readLedger } from '../../support/ledger.ts'
import { startTestServer } from '../../support/server.ts'

const storms = Number(process.env.STORMS ?? '10')
const firstSeed = Number(process.env.SEED ?? '119')
const stepsOfEach = 6

const fake = fakeAccounts()
let clockMs = 0
// No worker of its own: a storm runs the recovery when it wants it.
const server = await startTestServer(
  { towers: { caldav: fake.tower }, now: () => instant(Date.now() + clockMs) },
  { ROLE: 'web' },
)
const appId = server.clientId as AppId
const { createBooking, rescheduleBooking, cancelBooking, confirmBooking, recoverBooking } = server.app.operations
const start = nearFuture()

/** Numbers from 0 to below `count`, the same for the same seed. */
function chance(seed: number): (count: number) => number {
  let state = seed * 2_654_435_761
  return (count) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0
    return Math.floor((state / 2 ** 32) * count)
  }
}

type Choice = 'move' | 'people' | 'answer' | 'cancel' | 'recover'
type Ask = {
  readonly what: string
  readonly wanted?: string
  readonly run: () => Promise<{ readonly ok: boolean; readonly problem?: unknown }>
}
const neverDies = new Promise<'died'>(() => {})
type Answer = 'done' | 'died' | string
type Asked = { readonly what: string; readonly answer: Answer; readonly wanted?: string }

const seeds = Array.from({ length: storms }, (_, index) => firstSeed + index)

it.each(seeds)('storm %i', { timeout: 60_000 }, async (seed) => {
  clockMs = 0
  const draw = chance(seed)
  const pick = <T>(...choices: readonly T[]): T => choices[draw(choices.length)] as T
  const here = await makeHost(server, `here${seed}@host.example`)
  const [ana, ben] = await Promise.all(
    ['ana', 'ben'].map((name) => {
      const username = `${name}${seed}@host.example`
      fake.add(username, 'x', ['work'])
      return connect(server, 'caldav', { username, password: 'x' })
    }),
  )
  const far = (email = '') =>
    participant(email, { availability: { calendar_ids: ['work'] }, booking: { calendar_id: 'work' } })
  const near = participant(here.email)
  const method = pick('collective', 'max-availability')
  const people = pick(
    [far(ana?.email)],
    [far(ana?.email), near],
    [near, far(ana?.email)],
    [far(ana?.email), far(ben?.email)],
    [far(ana?.email), far(ben?.email), near],
  )
  const type = pick('booking', 'organizer-confirmation')
  const configuration = await makeConfiguration(server, [here], {
    participants: people.map((one, index) => ({ ...one, is_organizer: index === 0 })),
    rules: people.length > 1 ? { availability_method: method } : {},
    event: { booking_type: type, notify_participants: true },
  })
  const invites = pick(true, false)
  fake.invites = (email) => invites && email.endsWith('@guest.example')

  let id: BookingId | undefined
  const rowOf = async () => {
    const rows = (await readLedger(server.app)).bookings
    const [own] = await server.app.database.query<{ id: BookingId }>(
      sql`select id from openslot.bookings where app_id = ${appId} and configuration_id = ${configuration}::uuid order by id`,
    )
    return own === undefined ? undefined : rows.find((one) => one.id === own.id)
  }
  const story: Asked[] = []
  const principal = { kind: 'anyone' } as const
  const query = { configuration_id: configuration }
  const times = (slot: number) => ({ start_time: start + slot * 1_800, end_time: start + (slot + 1) * 1_800 })
  const change = { principal, query, idempotencyKey: undefined }
  let strangers = 0
  const ask = async (...choices: readonly Choice[]): Promise<Ask> => {
    const bookingId = id as string
    switch (pick(...choices)) {
      case 'move': {
        const host = pick(...people) as { email: string }
        const participants = method === 'collective' || draw(2) === 0 ? [] : [{ email: host.email }]
        const body = { ...times(draw(4)), participants }
        return {
          what: 'move',
          wanted: `${body.start_time}`,
          run: () => rescheduleBooking({ ...change, bookingId, body }),
        }
      }
      case 'people': {
        const row = await rowOf()
        const email = `friend${seed}-${++strangers}@guest.example`
        const body = { start_time: row?.start ?? 0, end_time: row?.end ?? 0, additional_guests: [{ name: 'F', email }] }
        return { what: 'people', wanted: email, run: () => rescheduleBooking({ ...change, bookingId, body }) }
      }
      case 'answer': {
        const [row] = await server.app.database.query<{ salt: Buffer }>(
          sql`select organizer_salt as salt from openslot.bookings where app_id = ${appId} and id = ${bookingId}::uuid`,
        )
        const status = pick('confirmed', 'confirmed', 'cancelled')
        const salt = row?.salt.toString('base64url') ?? ''
        return { what: status, run: () => confirmBooking({ ...change, bookingId, salt, status, reason: '' }) }
      }
      case 'cancel':
        return { what: 'cancel', run: () => cancelBooking({ ...change, bookingId, reason: '' }) }
      case 'recover':
        clockMs += pick(0, 0, 180_000)
        return {
          what: 'recover',
          run: () => recoverBooking({ appId, bookingId: bookingId as BookingId, ...leaseIsOver }),
        }
    }
  }
  /** Asks, and goes on as soon as it is answered, or its process died. */
  const carry = async (asked: Ask): Promise<void> => {
    const died = Promise.withResolvers<'died'>()
    const name = pick<CallName>('place', 'place', 'place', 'remove', 'remove', 'freeBusy', 'find')
    const skipped = pick(0, 0, 1)
    const die = () => {
      died.resolve('died')
      return 'die' as const
    }
    const dieBefore = async () => {
      died.resolve('died')
      return new Promise<void>(() => {})
    }
    const another = async () => {
      if (id !== undefined) await note(await ask('cancel', 'cancel', 'answer', 'move', 'recover'), neverDies)
    }
    const fault = pick<'away' | Parameters<typeof fake.once>[1]>(
      'fail',
      'loseAnswer',
      die,
      die,
      dieBefore,
      dieBefore,
      another,
      another,
      another,
      'away',
    )
    if (fault === 'away') fake.breakDown()
    else fake.once(name, fault, skipped)
    await note(asked, died.promise)
    fake.forgetFaults()
    fake.heal()
  }
  const note = async ({ what, wanted, run }: Ask, died: Promise<'died'>): Promise<void> => {
    const place = story.push({ what, answer: 'died', ...(wanted && { wanted }) }) - 1
    const answer = await Promise.race([
      run().then((result) => (result.ok ? 'done' : ((result as { problem: { kind: string } }).problem.kind as string))),
      died,
    ])
    story[place] = { what, answer, ...(wanted && { wanted }) }
  }

  const body = { ...times(0), guest: { name: 'Gil Guest', email: `gil${seed}@guest.example` } }
  const create: Ask = { what: 'create', run: () => createBooking({ ...change, body }) }
  await (draw(4) === 0 ? carry(create) : note(create, neverDies))
  id = (await rowOf())?.id as BookingId | undefined
  for (let step = 0; step < stepsOfEach && id !== undefined; step++) {
    const row = await rowOf()
    if (row?.state === 'released' || (row?.state === 'cancelled' && row.change === null)) break
    const isCutOff = row?.change != null
    await carry(
      await (isCutOff ? ask('cancel', 'recover', 'move', 'answer') : ask('move', 'move', 'move', 'people', 'answer')),
    )
  }

  clockMs += 180_000
  if (id !== undefined) for (let run = 0; run < 4; run++) await recoverBooking({ appId, bookingId: id, ...leaseIsOver })
  const said = JSON.stringify({ seed, type, method, people: people.length, story })
  if (id === undefined) return void expect(story[0]?.answer, said).not.toBe('done')

  const ledger = await readLedger(server.app)
  const booking = ledger.bookings.find((one) => one.id === id)
  if (booking === undefined) throw new Error(said)
  expect([booking.change, booking.direction === 'abort' && booking.state !== 'released'], said).toEqual([null, false])
  const stands = booking.state === 'booked' || booking.state === 'pending'
  const wanted = stands ? booking.calendars.map((calendar) => `${calendar} ${booking.start}`).toSorted() : []
  const claims = ledger.claims.filter(({ bookingId }) => bookingId === id)
  expect(claims.map((claim) => `${claim.calendar} ${claim.start}`).toSorted(), said).toEqual(wanted)
  const elsewhere = [ana, ben].flatMap((one) =>
    fake
      .events(one?.email ?? '', 'work')
      .map(({ when, placed }) => ({ place: `${one?.grantId}/work ${when.start / 1_000}`, placed })),
  )
  const placedHere = ledger.events.filter((event) => event.id === booking.eventId)
  const events = [
    ...elsewhere.map(({ place }) => place),
    ...placedHere.map((event) => `${event.calendar} ${event.start}`),
  ]
  expect(events.toSorted(), said).toEqual(wanted)
  const [details] = await server.app.database.query<{
    friends: string[]
    told: number
    audited: number
    twice: number
  }>(sql`
    select array(select guest ->> 'email' from jsonb_array_elements(body #> '{details,additionalGuests}') as guest) as friends,
      (select count(*) from openslot.webhook_events where app_id = ${appId} and object_id = ${id}::text) as told,
      (select count(*) from openslot.audit_log where app_id = ${appId} and target = ${id}::text and action like 'booking.%') as audited,
      (select count(*) from (select from openslot.deliveries where app_id = ${appId} and booking_id = ${id}::uuid and kind = 'mail'
        group by event_id, recipient having count(*) > 1) as twice) as twice
    from openslot.bookings where app_id = ${appId} and id = ${id}::uuid`)
  expect([details?.told, details?.twice], said).toEqual([details?.audited, 0])
  // The events say who takes part.
  if (stands)
    for (const { placed } of elsewhere) {
      const invited = placed?.participants.map(({ email }) => email).filter((email) => email.startsWith('friend'))
      expect(invited?.toSorted(), said).toEqual(booking.state === 'pending' ? [] : details?.friends.toSorted())
      expect(placed?.isPending, said).toBe(booking.state === 'pending')
    }

  const triggers = ledger.notifications.filter(({ bookingId }) => bookingId === id).map(({ trigger }) => trigger)
  const count = (trigger: string) => triggers.filter((one) => one === `booking.${trigger}`).length
  const answered = (what: readonly string[], answers: readonly string[]) =>
    story.filter((one) => what.includes(one.what) && answers.includes(one.answer)).length
  const is = (is: string) => Number(booking.state === is)
  const first = type === 'booking' ? 'created' : 'pending'
  expect([count(first), count('cancelled')], `${said} ${triggers}`).toEqual([1 - is('released'), is('cancelled')])
  if (answered(['cancel', 'cancelled'], ['done']) > 0) expect(booking.state, said).toBe('cancelled')
  if (story[0]?.answer === 'done') expect(booking.state, said).not.toBe('released')
  else if (story[0]?.answer !== 'died') expect(booking.state, said).toBe('released')
  if (type === 'organizer-confirmation') {
    const most = answered(['confirmed'], ['done', 'died'])
    expect(count('created'), said).toBeLessThanOrEqual(most)
    if (answered(['confirmed'], ['done']) > 0) expect(count('created'), said).toBe(1)
  }
  // What was refused, or answered as not done, never comes to be.
  expect(count('rescheduled'), said).toBeLessThanOrEqual(answered(['move', 'people'], ['done', 'died']))
  for (const friend of details?.friends ?? [])
    expect(['done', 'died'], said).toContain(story.find((one) => one.wanted === friend)?.answer)
})
