/** Bookings on several calendars, or on one, whose account is taken away or refuses its password: nobody waits for it. */
import { beforeEach, describe, expect, it } from 'vitest'

import { eventIdOf } from '../../../src/adapters/storage/database/ids.ts'
import { sql } from '../../../src/adapters/storage/database/sql.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import {
  bookAt,
  configure,
  connect,
  milliseconds,
  type RemoteHost,
  readBooking,
  sync,
} from '../../support/calendars/remoteHosts.ts'
import { book, makeConfiguration, makeHost, nearFuture, participant, type TestHost } from '../../support/hosts.ts'
import { leaseIsOver } from '../../support/leases.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
let clockMs = 0
// No worker of its own: the tests run the recovery when they want it.
const server = await startTestServer(
  { towers: { caldav: fake.tower }, now: () => instant(Date.now() + clockMs) },
  { ROLE: 'web' },
)
const nine = nearFuture()
const noon = nine + 3 * 3600
const appId = server.clientId as AppId

let count = 0
let here: TestHost
let ana: RemoteHost
let ben: RemoteHost
const sign = (username: string) => connect(server, 'caldav', { username, password: 'x' })
beforeEach(async () => {
  fake.heal()
  fake.invites = () => false
  clockMs = 0
  count++
  here = await makeHost(server, `here${count}@host.example`)
  for (const name of ['ana', 'ben']) fake.add(`${name}${count}@host.example`, 'x', ['work'])
  ana = await sign(`ana${count}@host.example`)
  ben = await sign(`ben${count}@host.example`)
})

const part = ({ email }: RemoteHost, more: object = {}) =>
  participant(email, { availability: { calendar_ids: ['work'] }, booking: { calendar_id: 'work' }, ...more })
/** Of an account that no test takes away. */
const configureFor = (participants: readonly object[], more: Parameters<typeof makeConfiguration>[2] = {}) =>
  makeConfiguration(server, [here], { participants, ...more })
const times = ({ email }: RemoteHost) => fake.events(email, 'work').map(({ when }) => when)
const remove = async ({ grantId }: RemoteHost) =>
  expect((await server.request('DELETE', `/v3/grants/${grantId}`)).status).toBe(200)
const refuse = ({ email }: RemoteHost) => fake.changePassword(email, 'y')
const accept = ({ email }: RemoteHost) => fake.changePassword(email, 'x')
/** As a guest does. */
const cancel = async (id: string, bookingId: string) =>
  (
    await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}?configuration_id=${id}`, {
      token: null,
      body: {},
    })
  ).status
const move = (id: string, bookingId: string, start: number, body: object = {}) =>
  server.request('PATCH', `/v3/scheduling/bookings/${bookingId}?configuration_id=${id}`, {
    token: null,
    body: { start_time: start, end_time: start + 1800, ...body },
  })
const ask = async (id: string) => {
  const { booking_id: bookingId } = (await book(server, id, nine)).body.data
  const [row] = await server.app.database.query<{ salt: Buffer }>(sql`
    select organizer_salt as salt from openslot.bookings where app_id = ${appId} and id = ${bookingId}::uuid`)
  const confirm = () =>
    server.request('PUT', `/v3/scheduling/bookings/${bookingId}?configuration_id=${id}`, {
      token: null,
      body: { salt: row?.salt.toString('base64url'), status: 'confirmed' },
    })
  return { bookingId: bookingId as string, confirm }
}
const moveHere = (bookingId: string) =>
  server.request('PUT', `/v3/grants/${here.grantId}/events/${eventIdOf(bookingId as BookingId)}?calendar_id=primary`, {
    body: { when: { start_time: noon, end_time: noon + 1800 } },
  })
const stateOf = async (bookingId: string) => {
  const [row] = await server.app.database.query<{ state: string; change: string | null; start: number }>(sql`
    select state, change ->> 'kind' as change, lower(during) as start from openslot.bookings
    where app_id = ${appId} and id = ${bookingId}::uuid`)
  return row === undefined ? undefined : { ...row, start: row.start / 1000 }
}
const told = async (bookingId: string) => {
  const rows = await server.app.database.query<{ trigger: string }>(sql`
    select trigger from openslot.webhook_events where app_id = ${appId} and object_id = ${bookingId} order by number`)
  return rows.map(({ trigger }) => trigger)
}
const invitations = async (bookingId: string) => {
  const rows = await server.app.database.query<{ to: string; kind: string; method: string | null }>(sql`
    select recipient as to, body ->> 'kind' as kind, body #>> '{invitation,method}' as method from openslot.deliveries
    where app_id = ${appId} and kind = 'mail' and booking_id = ${bookingId}::uuid order by id`)
  return rows.map(({ to, kind, method }) => `${kind} ${to} ${method}`)
}
const recover = async (bookingId: string) => {
  const recovered = await server.app.operations.recoverBooking({
    appId,
    bookingId: bookingId as BookingId,
    ...leaseIsOver,
  })
  return recovered.ok ? recovered.value : recovered.problem.message
}

describe('an account that was taken away', () => {
  it('does not keep its organizer from confirming: the guest is told and invited by mail', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })], {
      event: { booking_type: 'organizer-confirmation' },
    })
    const { bookingId, confirm } = await ask(id)
    await remove(ana)
    expect((await confirm()).status).toBe(200)
    expect(await stateOf(bookingId)).toEqual({ state: 'booked', change: null, start: nine })
    expect(await told(bookingId)).toEqual(['booking.pending', 'booking.created'])
    expect(await invitations(bookingId)).toContain('confirmed gil@guest.example REQUEST')
    expect(await cancel(id, bookingId)).toBe(200)
    expect(await told(bookingId)).toEqual(['booking.pending', 'booking.created', 'booking.cancelled'])
  })

  it('does not keep who serves with its owner from moving the meeting by hand', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true }), part(ben)])
    const bookingId = await bookAt(server, id, nine)
    await sync(server, ana, 'work')
    await remove(ben)
    fake.put(ana.email, 'work', eventIdOf(bookingId as BookingId), milliseconds(noon))
    await sync(server, ana, 'work')
    expect(await stateOf(bookingId)).toEqual({ state: 'booked', change: null, start: noon })
    expect(await told(bookingId)).toEqual(['booking.created', 'booking.rescheduled'])
    expect(await cancel(id, bookingId)).toBe(200)
    expect(times(ana)).toEqual([])
  })

  it('does not keep it from being moved on a calendar of ours', async () => {
    const id = await configureFor([participant(here.email, { isOrganizer: true }), part(ben)])
    const bookingId = await bookAt(server, id, nine)
    await remove(ben)
    expect((await moveHere(bookingId)).status).toBe(200)
    expect(await stateOf(bookingId)).toEqual({ state: 'booked', change: null, start: noon })
    expect(await cancel(id, bookingId)).toBe(200)
  })

  it('does not take a booking that is just being made', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })])
    fake.once('freeBusy', () => fake.once('freeBusy', () => remove(ana)))
    expect((await book(server, id, nine)).status).not.toBe(200)
    const rows = await server.app.database.query<{ state: string }>(sql`
      select state from openslot.bookings where app_id = ${appId} and configuration_id = ${id}::uuid`)
    expect(rows).toEqual([{ state: 'released' }])
  })

  it('does not keep a booking of a round robin from moving to who is left', async () => {
    const id = await configureFor([part(ana), part(ben)], { rules: { availability_method: 'max-availability' } })
    const bookingId = await bookAt(server, id, nine, { body: { participants: [{ email: ana.email }] } })
    await remove(ana)
    expect((await move(id, bookingId, noon)).body).toMatchObject({ data: { organizer: { email: ben.email } } })
    expect(times(ben)).toEqual([milliseconds(noon)])
  })

  it('does not hide that a booking has ended', async () => {
    const id = await configureFor([part(ana), part(ben)], { rules: { availability_method: 'max-availability' } })
    const bookingId = await bookAt(server, id, nine, { body: { participants: [{ email: ana.email }] } })
    expect(await cancel(id, bookingId)).toBe(200)
    for (const host of [ana, ben]) {
      await remove(host)
      const refused = await move(id, bookingId, noon)
      expect([refused.status, refused.body.error.message]).toEqual([400, 'The booking is already cancelled'])
    }
  })

  it('tells nobody that the meeting is off: our mail does, also whom it had invited itself', async () => {
    fake.invites = (email) => email === 'gil@guest.example'
    const id = await configureFor([part(ana, { isOrganizer: true })], { event: { notify_participants: true } })
    const [standing, bookingId] = [await bookAt(server, id, noon), await bookAt(server, id, nine)]
    expect(await invitations(bookingId)).toContain('confirmed gil@guest.example null')
    expect(await cancel(id, standing)).toBe(200)
    expect(await invitations(standing)).toContain('cancelled gil@guest.example null')
    await remove(ana)
    expect(await cancel(id, bookingId)).toBe(200)
    expect(await invitations(bookingId)).toContain('cancelled gil@guest.example CANCEL')
  })

  it('stays what it was to who is reminded', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })], {
      event: { reminders: [{ type: 'webhook', minutes_before_event: 60 }] },
    })
    const bookingId = await bookAt(server, id, nine)
    await remove(ana)
    clockMs = (nine - 3600) * 1000 - Date.now()
    const reminded = await server.app.operations.sendReminder({ appId, bookingId: bookingId as BookingId, number: 0 })
    expect(reminded).toEqual({ ok: true, value: 'done' })
    const [reminder] = await server.app.database.query<{ provider: string }>(sql`
      select body #>> '{booking_info,provider}' as provider from openslot.webhook_events
      where app_id = ${appId} and object_id = ${bookingId} and trigger = 'booking.reminder'`)
    expect(reminder?.provider).toBe('caldav')
  })
})

describe('an account that was taken away before a process died in a move', () => {
  it('does not take the move back: it settles on what is left', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true }), part(ben)])
    const bookingId = await bookAt(server, id, nine)
    await remove(ben)
    const [when, eventId] = [milliseconds(noon), eventIdOf(bookingId as BookingId)]
    fake.put(ana.email, 'work', eventId, when)
    await server.app.database.pool.query(
      `update openslot.bookings set change = jsonb_build_object('kind', 'reschedule', 'asker', 'host', 'when', $2::jsonb,
         'service', body -> 'service', 'details', body -> 'details') where id = $1`,
      [bookingId, when],
    )
    clockMs = 3 * 60_000
    expect(await recover(bookingId)).toBe('settled')
    expect(await stateOf(bookingId)).toMatchObject({ state: 'booked', change: null, start: noon })
  })
})

describe('an account that refuses the password', () => {
  it('leaves a booking as it is that is moved on the other calendar, and open to its guest', async () => {
    const id = await configureFor([participant(here.email, { isOrganizer: true }), part(ben)])
    const bookingId = await bookAt(server, id, nine)
    refuse(ben)
    expect((await moveHere(bookingId)).status).toBe(504)
    expect(await stateOf(bookingId)).toEqual({ state: 'booked', change: null, start: nine })
    expect(await cancel(id, bookingId)).toBe(200)
    accept(ben)
  })

  it('keeps its event until it is connected again, when the booking has moved to another host', async () => {
    const id = await configureFor([part(ana), part(ben)], { rules: { availability_method: 'max-availability' } })
    const bookingId = await bookAt(server, id, nine, { body: { participants: [{ email: ana.email }] } })
    await sync(server, ana, 'work')
    refuse(ana)
    expect((await move(id, bookingId, noon)).body).toMatchObject({ data: { organizer: { email: ben.email } } })
    expect([times(ana), times(ben)]).toEqual([[milliseconds(nine)], [milliseconds(noon)]])
    accept(ana)
    await sign(ana.email)
    await sync(server, ana, 'work')
    expect([times(ana), times(ben)]).toEqual([[], [milliseconds(noon)]])
  })

  it('that comes in the middle of a move leaves the booking where it was', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })])
    const bookingId = await bookAt(server, id, nine)
    fake.once('place', () => refuse(ana))
    // The server says so in the answer to the look back.
    expect((await move(id, bookingId, noon)).status).toBe(504)
    expect(await stateOf(bookingId)).toEqual({ state: 'booked', change: null, start: nine })
    expect(await cancel(id, bookingId)).toBe(200)
  })

  it('does not lock a booking away whose confirmation it does not take', async () => {
    const id = await configure(server, ana, { event: { booking_type: 'organizer-confirmation' } })
    const { bookingId, confirm } = await ask(id)
    refuse(ana)
    expect((await confirm()).status).toBe(504)
    expect(await cancel(id, bookingId)).toBe(200)
    expect((await readBooking(server, bookingId)).status).toBe('cancelled')
    accept(ana)
    await sign(ana.email)
    expect(await recover(bookingId)).toBe('settled')
    expect([times(ana), (await told(bookingId)).at(-1)]).toEqual([[], 'booking.cancelled'])
  })

  it('keeps a confirmation of several from being told to guests by the calendars of the others, also where its process died', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true }), part(ben)], {
      event: { booking_type: 'organizer-confirmation' },
    })
    const { bookingId, confirm } = await ask(id)
    refuse(ben)
    const [placeholder] = fake.events(ana.email, 'work')
    fake.takeCalls(ana.email)
    expect((await confirm()).status).toBe(504)
    // The placeholder is put back; the confirmed event never was there.
    expect(fake.takeCalls(ana.email).filter((name) => name === 'place')).toHaveLength(1)
    // As a process leaves it that dies at the confirmed event of the first.
    await server.app.database.pool.query(`update openslot.bookings set change = '{"kind": "confirm"}' where id = $1`, [
      bookingId,
    ])
    expect(await recover(bookingId)).toBe('given up')
    expect(fake.events(ana.email, 'work')).toMatchObject([{ placed: { title: placeholder?.placed?.title } }])
    expect(await stateOf(bookingId)).toMatchObject({ state: 'pending', change: null })
    expect(await told(bookingId)).toEqual(['booking.pending'])
  })

  it('is waited for no longer than it takes to connect it again', async () => {
    const id = await configure(server, ana)
    const bookingId = await bookAt(server, id, nine)
    refuse(ana)
    expect(await cancel(id, bookingId)).toBe(200)
    // As the tenth run in vain leaves it, when nobody works on it any more.
    const wait = `update graphile_worker._private_jobs set run_at = now() + interval '1 hour', payload = (payload::jsonb - 'leasedUntil')::json
      where key = $1`
    await server.app.database.pool.query(wait, [`settle:${bookingId}`])
    accept(ana)
    await sign(ana.email)
    const { rows } = await server.app.database.pool.query(
      `select run_at <= now() as "isDue" from graphile_worker._private_jobs where key = $1`,
      [`settle:${bookingId}`],
    )
    expect(rows).toEqual([{ isDue: true }])
  })
})

it('a move that a calendar which is away does not give back can be called off, and leaves nothing', async () => {
  const id = await configureFor([part(ana, { isOrganizer: true })])
  const bookingId = await bookAt(server, id, nine)
  fake.once('place', () => fake.breakDown())
  expect((await move(id, bookingId, noon)).status).toBe(504)
  expect((await stateOf(bookingId))?.change).toBe('reschedule')
  expect(await cancel(id, bookingId)).toBe(200)
  fake.heal()
  await recover(bookingId)
  expect([times(ana), await stateOf(bookingId)]).toEqual([[], { state: 'cancelled', change: null, start: nine }])
  expect(await told(bookingId)).toEqual(['booking.created', 'booking.cancelled'])
})
