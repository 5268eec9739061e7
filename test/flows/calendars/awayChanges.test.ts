/** Changes whose calendar does not take them, for an hour or for good: what people are told, and what can still be done. */
import { beforeEach, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import { bookAt, configure, connect, type RemoteHost, readBooking } from '../../support/calendars/remoteHosts.ts'
import { book, nearFuture } from '../../support/hosts.ts'
import { leaseIsOver } from '../../support/leases.ts'
import { mailsOf } from '../../support/mails.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
let clockMs = 0
// No worker of its own: the tests run the recovery when they want it.
const server = await startTestServer(
  { towers: { caldav: fake.tower }, now: () => instant(Date.now() + clockMs) },
  { ROLE: 'web' },
)
const nine = nearFuture()
const noon = nine + 3 * 3_600
const day = 86_400_000

let count = 0
let user = ''
let host: RemoteHost
beforeEach(async () => {
  fake.heal()
  clockMs = 0
  user = `away${++count}@host.example`
  fake.add(user, 'secret', ['work'])
  host = await connect(server, 'caldav', { username: user, password: 'secret' })
})

const reminders = [{ type: 'webhook', minutes_before_event: 60 }]
const events = () => fake.events(user, 'work').map(({ when, placed }) => [when.start / 1_000, placed?.title])
const recover = async (bookingId: string) => {
  const which = { appId: server.clientId as AppId, bookingId: bookingId as BookingId }
  const recovered = await server.app.operations.recoverBooking({ ...which, ...leaseIsOver })
  return recovered.ok ? recovered.value : recovered.problem.message
}
const cancel = (bookingId: string, configuration: string) =>
  server.request('DELETE', `/v3/scheduling/bookings/${bookingId}?configuration_id=${configuration}`, {
    token: null,
    body: { cancellation_reason: 'ill' },
  })
const answer = async (bookingId: string, status: 'confirmed' | 'cancelled', configuration: string) => {
  const [row] = await server.app.database.query<{ salt: Buffer }>(sql`
    select organizer_salt as salt from openslot.bookings where app_id = ${server.clientId} and id = ${bookingId}`)
  return server.request('PUT', `/v3/scheduling/bookings/${bookingId}?configuration_id=${configuration}`, {
    token: null,
    body: { salt: row?.salt.toString('base64url'), status },
  })
}
const ask = async () => {
  const configuration = await configure(server, host, { event: { booking_type: 'organizer-confirmation', reminders } })
  const made = await book(server, configuration, nine)
  expect(made.body.data.status).toBe('pending')
  return { configuration, id: made.body.data.booking_id as string }
}
/** Of the booking, as they were written: webhooks, mails, what the audit log says, and reminders that wait. */
async function told(bookingId: string) {
  const appId = server.clientId
  const read = async (query: ReturnType<typeof sql>) =>
    (await server.app.database.query<{ word: string }>(query)).map(({ word }) => word)
  return {
    webhooks: await read(
      sql`select trigger as word from openslot.webhook_events where app_id = ${appId} and object_id = ${bookingId} order by created_at, id`,
    ),
    mails: (await mailsOf(server, bookingId)).map(({ kind, to }) => `${kind} ${to.email === user ? 'host' : 'guest'}`),
    audit: await read(
      sql`select action as word from openslot.audit_log where app_id = ${appId} and target = ${bookingId} order by id`,
    ),
    reminders: await read(
      sql`select state as word from openslot.reminders where app_id = ${appId} and booking_id = ${bookingId}`,
    ),
  }
}

it.each([
  ['is away', () => fake.breakDown(), () => fake.heal()],
  [
    'refuses the password',
    () => fake.changePassword(user, 'another'),
    async () => {
      fake.changePassword(user, 'secret')
      await connect(server, 'caldav', { username: user, password: 'secret' })
    },
  ],
] as const)(
  'a booking that is called off while its calendar %s: everyone hears of it at once, and once',
  async (_, leave, comeBack) => {
    const configuration = await configure(server, host, { event: { reminders } })
    const id = await bookAt(server, configuration, nine)
    leave()
    expect((await cancel(id, configuration)).status).toBe(200)
    const all = {
      webhooks: ['booking.created', 'booking.cancelled'],
      mails: ['confirmed guest', 'confirmed host', 'cancelled guest', 'cancelled host'],
      audit: ['booking.create', 'booking.cancel'],
      reminders: ['cancelled'],
    }
    expect(await told(id)).toEqual(all)
    expect((await readBooking(server, id)).status).toBe('cancelled')
    clockMs = day
    expect(await recover(id)).toBe('try again')
    expect((await cancel(id, configuration)).status).toBe(400)
    await comeBack()
    expect(await recover(id)).toBe('settled')
    expect(await told(id)).toEqual(all)
    expect(events()).toEqual([])
  },
)

it('a request that is confirmed while its calendar is away stays one: nobody is told, and its guest can withdraw it', async () => {
  const { configuration, id } = await ask()
  const before = await told(id)
  fake.breakDown()
  const confirmed = await answer(id, 'confirmed', configuration)
  expect([confirmed.status, confirmed.body.error.type]).toEqual([504, 'provider_error'])
  expect((await readBooking(server, id)).status).toBe('pending')
  // Not yet taken back, as the calendar does not answer: it says so, and not that somebody else is at it.
  expect((await answer(id, 'confirmed', configuration)).status).toBe(504)
  clockMs = day / 2
  expect(await recover(id)).toBe('try again')
  expect(await told(id)).toEqual(before)

  expect((await cancel(id, configuration)).status).toBe(200)
  const all = {
    webhooks: ['booking.pending', 'booking.cancelled'],
    mails: [...before.mails, 'cancelled guest', 'cancelled host'],
    audit: ['booking.create', 'booking.cancel'],
    reminders: [],
  }
  expect(await told(id)).toEqual(all)
  fake.heal()
  expect(await recover(id)).toBe('settled')
  expect(await told(id)).toEqual(all)
  expect(events()).toEqual([])
})

it('a request that could not be confirmed can be, once its calendar is back, or be declined before', async () => {
  const { configuration, id } = await ask()
  fake.breakDown()
  expect((await answer(id, 'confirmed', configuration)).status).toBe(504)
  fake.heal()
  expect(await recover(id)).toBe('given up')
  expect(events()).toEqual([[nine, '[PENDING] Intro call']])
  expect((await answer(id, 'confirmed', configuration)).body.data.status).toBe('booked')
  expect(await told(id)).toMatchObject({
    webhooks: ['booking.pending', 'booking.created'],
    audit: ['booking.create', 'booking.confirm'],
    reminders: ['waiting'],
  })

  await cancel(id, configuration)
  const other = await ask()
  fake.breakDown()
  expect((await answer(other.id, 'confirmed', other.configuration)).status).toBe(504)
  expect((await answer(other.id, 'cancelled', other.configuration)).status).toBe(200)
  expect((await told(other.id)).webhooks).toEqual(['booking.pending', 'booking.cancelled'])
  expect((await told(other.id)).mails.slice(-2)).toEqual(['declined guest', 'declined host'])
})

it('a booking whose move was lost on its way can be called off: the event goes wherever it stands, and both times are free', async () => {
  const configuration = await configure(server, host)
  const id = await bookAt(server, configuration, nine)
  fake.once('place', 'loseAnswer')
  fake.once('place', () => fake.breakDown())
  const moved = await server.request('PATCH', `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`, {
    token: null,
    body: { start_time: noon, end_time: noon + 1800 },
  })
  expect(moved.status).toBe(504)
  fake.breakDown()
  expect((await cancel(id, configuration)).status).toBe(200)
  expect((await told(id)).webhooks).toEqual(['booking.created', 'booking.cancelled'])
  expect(await recover(id)).toBe('try again')
  fake.heal()
  expect(await recover(id)).toBe('settled')
  expect(events()).toEqual([])
  for (const from of [nine, noon]) await bookAt(server, configuration, from)
})
