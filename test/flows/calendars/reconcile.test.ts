/** What the owner of a calendar does there by hand to the events of bookings, and how the two come together again. */
import { beforeEach, expect, it } from 'vitest'
import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { countReconciliations } from '../../../src/adapters/storage/reconciliations.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { examine } from '../../../src/operations/upkeep/examine.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import {
  bookAt,
  configure,
  connect,
  milliseconds,
  type RemoteHost,
  readBooking,
  slotsFrom,
  sync,
  until,
} from '../../support/calendars/remoteHosts.ts'
import { nearFuture } from '../../support/hosts.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
// No worker polls: each test says when.
const server = await startTestServer({ towers: { caldav: fake.tower } }, { ROLE: 'web' })
const nine = nearFuture()
const half = nine + 1800
const appId = server.clientId as AppId

let count = 0
let user: string
let host: RemoteHost
let id: string
let bookingId: string
beforeEach(async () => {
  fake.heal()
  user = `ana${++count}@host.example`
  fake.add(user, 'x', ['work', 'yard'])
  host = await connect(server, 'caldav', { username: user, password: 'x' })
  id = await configure(server, host)
  bookingId = await bookAt(server, id, nine)
  // The provider itself has shown the event.
  await poll()
})

const poll = (calendar = 'work') => sync(server, host, calendar)
const own = () => fake.events(user, 'work').filter(({ placed }) => placed !== undefined)
const eventId = () => own()[0]?.id ?? ''
const outcomes = async () =>
  (await countReconciliations(server.app.database, appId)).map(({ found, outcome }) => `${found} ${outcome}`)
const standing = async () => {
  const [row] = await server.app.database.query<{ start: number; version: number }>(sql`
    select extract(epoch from lower(during))::float8 as start, version from openslot.bookings where app_id = ${appId} and id = ${bookingId}::uuid`)
  return row
}
const mails = async (kind: string) => {
  const rows = await server.app.database.query<{ to: string }>(sql`
    select recipient as to from openslot.deliveries where app_id = ${appId} and body ->> 'kind' = ${kind} and recipient in (${user}, 'gil@guest.example')
      and body ->> 'title' is not null and created_at > now() - interval '1 minute' and body::text like ${`%${user}%`}`)
  return rows.map(({ to }) => to)
}

it('an event that is deleted there calls the booking off, and the guest is told', async () => {
  const deleted = eventId()
  fake.delete(user, 'work', deleted)
  await poll()
  await until(
    () => readBooking(server, bookingId),
    (booking) => expect(booking?.status).toBe('cancelled'),
  )
  const [row] = await server.app.database.transaction(appId, (transaction) =>
    transaction.query<{ by: string }>(
      sql`select cancelled_by as by from openslot.bookings where app_id = ${appId} and event_id = ${deleted}`,
    ),
  )
  expect(row?.by).toBe('calendar')
  expect(await mails('cancelled')).toContain('gil@guest.example')
  expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
  expect(await outcomes()).toContain('deleted cancelled')
})

it('an event that is moved there moves the booking', async () => {
  fake.put(user, 'work', eventId(), milliseconds(nine + 900, 45))
  await poll()
  await until(
    () => slotsFrom(server, id, nine, 2),
    (slots) => expect(slots).toEqual([nine + 3600, nine + 5400]),
  )
  await until(outcomes, (all) => expect(all).toContain('moved rescheduled'))
  expect(await mails('rescheduled')).toContain('gil@guest.example')
  expect(own()).toMatchObject([{ when: milliseconds(nine + 900, 45) }])
})

it('an event that is moved there and back, while that is looked into, is no news', async () => {
  const before = await standing()
  fake.put(user, 'work', eventId(), milliseconds(half))
  fake.once('find', () => fake.put(user, 'work', eventId(), milliseconds(nine)))
  for (let round = 0; round < 2; round++) await poll()
  expect(await mails('rescheduled')).toEqual([])
  expect(await standing()).toEqual(before)
})

it('an event that is moved there beyond what is read of the calendar moves the booking too', async () => {
  const far = nine + 450 * 86_400
  fake.put(user, 'work', eventId(), milliseconds(far))
  fake.forgetTokens()
  await poll()
  expect(await standing()).toMatchObject({ start: far })
  expect(await mails('rescheduled')).toContain('gil@guest.example')
})

it('an event whose length is taken away gets its own time back, and that is the end of it', async () => {
  fake.put(user, 'work', eventId(), milliseconds(nine, 0))
  await poll()
  await until(
    async () => own(),
    (events) => expect(events).toMatchObject([{ when: milliseconds(nine) }]),
  )
  expect((await readBooking(server, bookingId)).status).toBe('booked')
  await poll()
  const [mirror] = await server.app.database.query<{ isCompared: boolean }>(sql`
    select generation = reconciled as "isCompared" from openslot.mirrors
    where app_id = ${appId} and grant_id = ${host.grantId} and calendar_id = 'work'`)
  expect(mirror).toEqual({ isCompared: true })
  expect(await slotsFrom(server, id, nine)).toEqual([half])
})

it('an event that is moved onto another booking goes back to its own time', async () => {
  await bookAt(server, id, half)
  const first = own().find(({ when }) => when.start === nine * 1000)?.id ?? ''
  fake.put(user, 'work', first, milliseconds(half))
  await poll()
  await until(
    async () =>
      own()
        .map(({ when }) => when.start)
        .toSorted(),
    (starts) => expect(starts).toEqual([nine * 1000, half * 1000]),
  )
  await until(outcomes, (all) => expect(all).toContain('moved putBack'))
})

it.each([
  ['is read', ['work', 'yard']],
  ['is read after the other', ['yard', 'work']],
])(
  'an event that is carried to another calendar comes back, and nobody hears of it, when its own %s',
  async (_, order) => {
    await poll('yard')
    const [event] = own()
    fake.delete(user, 'work', eventId())
    fake.restore(user, 'yard', event)
    for (const calendar of order) await poll(calendar)
    await until(
      async () => own(),
      (events) => expect(events).toMatchObject([{ when: milliseconds(nine) }]),
    )
    expect(fake.events(user, 'yard')).toEqual([])
    expect((await readBooking(server, bookingId)).status).toBe('booked')
    expect(await mails('cancelled')).toEqual([])
    expect(await outcomes()).toContain(order[0] === 'work' ? 'deleted putBack' : 'stray putBack')
    for (const calendar of order) await poll(calendar)
    expect(own()).toHaveLength(1)
  },
)

it('an event on another calendar whose own cannot be asked is left until it can be', async () => {
  await poll('yard')
  const [event] = own()
  fake.delete(user, 'work', eventId())
  fake.restore(user, 'yard', event)
  fake.breakCalendar(user, 'work')
  await poll('yard')
  expect(fake.events(user, 'yard')).toHaveLength(1)
  fake.heal()
  await poll('yard')
  expect([own().length, fake.events(user, 'yard').length]).toEqual([1, 0])
})

it('what waits for a calendar that was away goes on as soon as it answers', async () => {
  fake.breakDown()
  expect((await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })).status).toBe(200)
  expect(own()).toHaveLength(1)
  const recovery = async () => {
    const { rows } = await server.app.database.pool.query<{ isDue: boolean; payload: { bookingId: BookingId } }>(
      `select run_at <= now() as "isDue", payload from graphile_worker._private_jobs where payload ->> 'appId' = $1 and key like 'settle:%'`,
      [appId],
    )
    return rows
  }
  // As after hours of trying, when nobody works on it any more.
  await server.app.database.pool.query(
    `update graphile_worker._private_jobs set run_at = now() + interval '1 hour', payload = (payload::jsonb - 'leasedUntil')::json
     where key like 'settle:%' and payload ->> 'appId' = $1`,
    [appId],
  )
  await expect(poll()).rejects.toThrow('cannot be reached')
  expect(await recovery()).toMatchObject([{ isDue: false }])
  fake.heal()
  await poll()
  const [job] = await recovery()
  expect(job?.isDue).toBe(true)
  await server.app.operations.recoverBooking({ appId, bookingId: job?.payload.bookingId as BookingId })
  expect(own()).toEqual([])
  expect(await recovery()).toEqual([])
})

it('an event that came back after its booking was called off is removed', async () => {
  const [event] = own()
  await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })
  expect(own()).toEqual([])
  fake.restore(user, 'work', event)
  await poll()
  await until(
    async () => own(),
    (events) => expect(events).toEqual([]),
  )
  await until(outcomes, (all) => expect(all).toContain('stray removed'))
})

it('a marker of a booking that is not here is left alone: it is another server’s', async () => {
  const [event] = own()
  if (event?.placed === undefined) throw new Error('no event')
  const foreign = { ...event.placed, id: 'ffffffff'.repeat(4) as typeof event.placed.id }
  fake.restore(user, 'work', { id: foreign.id, when: milliseconds(half), placed: foreign })
  await poll()
  await until(
    () => slotsFrom(server, id, nine),
    (slots) => expect(slots).toEqual([]),
  )
  await poll()
  expect(own()).toHaveLength(2)
})

it('a booking whose event was never seen gets it once more, and then is reported', async () => {
  const lose = async () => {
    await server.app.database.query(sql`
      delete from openslot.mirror_items where app_id = ${appId} and grant_id = ${host.grantId}`)
    await server.app.database.query(sql`
      update openslot.mirrors set token = null, reconciled = -1 where app_id = ${appId} and grant_id = ${host.grantId}`)
    fake.delete(user, 'work', eventId())
  }
  await lose()
  await poll()
  await until(
    async () => own(),
    (events) => expect(events).toMatchObject([{ when: milliseconds(nine) }]),
  )
  await poll()
  await lose()
  await poll()
  await until(outcomes, (all) =>
    expect(all).toEqual(expect.arrayContaining(['missing placedAgain', 'missing reported'])),
  )
  expect(own()).toEqual([])
  expect((await readBooking(server, bookingId)).status).toBe('booked')
  const { database } = server.app
  const tools = { database, openVault: () => expect.unreachable(), now: () => instant(Date.now()) }
  expect(await examine(tools, (name) => name === 'calendars')).toMatchObject([
    {
      isGood: false,
      message: expect.stringMatching(/ok.*moved rescheduled.*missing reported|missing reported.*moved rescheduled/),
    },
  ])
})
