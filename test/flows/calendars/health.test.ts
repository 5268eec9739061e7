/** Calendars that fail: who is told, what is still offered, and how they come back. */
import { beforeEach, describe, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import {
  bookAt,
  configure,
  connect,
  milliseconds,
  type RemoteHost,
  slotsFrom,
  sync,
  until,
} from '../../support/calendars/remoteHosts.ts'
import { book, makeConfiguration, nearFuture, participant } from '../../support/hosts.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
// Its worker polls what is due, which some tests wait for; the others read their calendars themselves.
const server = await startTestServer(
  { towers: { caldav: fake.tower } },
  { CALENDAR_SYNC_SECONDS: '3600', BUSY_MAX_AGE_SECONDS: '60' },
)
const nine = nearFuture()
const half = nine + 1800

let count = 0
let user: string
let host: RemoteHost
beforeEach(async () => {
  fake.heal()
  user = `ana${++count}@host.example`
  fake.add(user, 'x', ['work', 'private'])
  host = await connect(server, 'caldav', { username: user, password: 'x' })
  await Promise.all([poll(), poll('private')])
  expect(await standing()).toMatchObject({ status: 'ok', read_at: expect.any(Number) })
})

/** As the worker would, however it ends. */
const poll = (calendar = 'work') => sync(server, host, calendar).catch(() => {})
/** What is known is an hour old, or older. */
const grow = (minutes = 60) =>
  server.app.database.query(sql`
    update openslot.mirrors set true_at = now() - ${minutes} * interval '1 minute'
    where app_id = ${server.clientId} and grant_id = ${host.grantId}`)
const due = () =>
  server.app.database.query(
    sql`update openslot.mirrors set due_at = now() where app_id = ${server.clientId} and grant_id = ${host.grantId}`,
  )

const standing = async () => (await server.request('GET', `/v3/grants/${host.grantId}/calendars/work`)).body.data.sync
const triggers = async () => {
  const rows = await server.app.database.query<{ trigger: string }>(sql`
    select trigger from openslot.webhook_events where app_id = ${server.clientId} and object_id = ${host.grantId} order by number`)
  return rows.map(({ trigger }) => trigger)
}

describe('a calendar server that is away', () => {
  it('makes its owner unbookable once what is known is too old, says why, and heals by itself', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    fake.breakDown()
    await poll()
    expect(await standing()).toMatchObject({ status: 'failing', reason: 'The calendar server cannot be reached.' })
    expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
    await grow()
    expect(await slotsFrom(server, id, nine, 2)).toBe('The calendar server cannot be reached.')
    expect((await book(server, id, nine)).status).toBe(504)
    fake.heal()
    await due()
    await until(standing, (sync) => expect(sync).toMatchObject({ status: 'ok' }))
    expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
  })

  it('is not asked by each of a hundred guests who look at once', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    // Spans that were not asked for before: no answer is kept for them.
    const look = (hours: number) =>
      Promise.all(Array.from({ length: 100 }, (_, index) => slotsFrom(server, id, nine + index * 3_600, hours)))
    await grow()
    fake.takeCalls(user)
    expect(await look(1)).toHaveLength(100)
    expect(fake.takeCalls(user).filter((call) => call === 'readChanges').length).toBeLessThanOrEqual(2)
    await grow()
    fake.breakDown()
    expect(new Set(await look(2))).toEqual(new Set(['The calendar server cannot be reached.']))
    expect(fake.takeCalls(user).length).toBeLessThanOrEqual(3)
  })

  it('and does not even answer keeps no other account from being read', async () => {
    const hung = Array.from({ length: 12 }, (_, index) => `hung${index}@host.example`)
    const release: (() => void)[] = []
    for (const username of hung) {
      fake.add(username, 'x', ['work'])
      const { grantId } = await connect(server, 'caldav', { username, password: 'x' })
      release.push(fake.hang(username))
      // As after it has failed for a while.
      await server.app.database.query(sql`
        update openslot.mirrors set health = 'failing', reason = 'away', due_at = now() - interval '1 minute'
        where app_id = ${server.clientId} and grant_id = ${grantId}`)
    }
    await until(
      async () => hung.filter((username) => fake.takeCalls(username).includes('readChanges')).length,
      (asked) => expect(asked).toBeGreaterThan(0),
    )
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    fake.takeCalls(user)
    await due()
    // Nobody looks at slots meanwhile, who would have it read.
    await until(
      async () => fake.takeCalls(user).length,
      (calls) => expect(calls).toBeGreaterThan(0),
    )
    expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
    for (const go of release) go()
    await until(
      async () => hung.filter((username) => fake.takeCalls(username).length > 0).length,
      (asked) => expect(asked).toBeGreaterThan(0),
    )
  })

  it('counts as it was last known, or not at all, where the participant said so', async () => {
    fake.put(user, 'private', 'gym', milliseconds(nine))
    const policies = {
      last_known: { unreadable_calendars: 'last_known', last_known_hours: 2 },
      ignore: { unreadable_calendars: 'ignore' },
    }
    const lastKnown = await configure(server, host, {
      read: ['private'],
      write: 'work',
      availability: policies.last_known,
    })
    const ignored = await configure(server, host, { read: ['private'], write: 'work', availability: policies.ignore })
    await poll('private')
    fake.breakCalendar(user, 'private')
    await grow()
    expect(await slotsFrom(server, ignored, nine)).toEqual([nine, half])
    expect(await slotsFrom(server, lastKnown, nine)).toEqual([half])
    expect((await book(server, lastKnown, nine)).status).toBe(400)
    await bookAt(server, lastKnown, half)
    await bookAt(server, ignored, nine)
  })

  it('takes its owner out of a round robin, and nobody else', async () => {
    const other = `kim${count}@host.example`
    fake.add(other, 'x', ['work'])
    const kim = await connect(server, 'caldav', { username: other, password: 'x' })
    const turn = (email: string, isOrganizer: boolean) =>
      participant(email, { isOrganizer, availability: { calendar_ids: ['work'] }, booking: { calendar_id: 'work' } })
    const id = await makeConfiguration(server, [{ ...host, calendarId: 'work' }], {
      participants: [turn(user, true), turn(other, false)],
      rules: { availability_method: 'max-availability' },
    })
    fake.breakCalendar(user, 'work')
    const hosts = async () => {
      const { body } = await server.request(
        'GET',
        `/v3/scheduling/availability?configuration_id=${id}&start_time=${nine}&end_time=${half}`,
        { token: null },
      )
      return body.data?.time_slots.map((slot: { emails: string[] }) => slot.emails)
    }
    await grow()
    expect(await hosts()).toEqual([[other]])
    await bookAt(server, id, nine)
    expect(fake.events(other, 'work')).toHaveLength(1)
    expect(kim.calendars).toEqual(['work'])
  })

  it('is not taken at its word for longer than was said', async () => {
    const id = await configure(server, host, {
      read: ['private'],
      write: 'work',
      availability: { unreadable_calendars: 'last_known', last_known_hours: 1 },
    })
    expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
    fake.breakCalendar(user, 'private')
    await grow(61)
    expect(await slotsFrom(server, id, nine, 2)).toEqual(expect.any(String))
    expect((await book(server, id, nine)).status).toBe(504)
  })

  it('that asks for peace is left in peace', async () => {
    fake.breakDown({ kind: 'calendarUnavailable', message: 'Too many requests.', retryAfterSeconds: 3600 })
    await poll()
    expect(await standing()).toMatchObject({
      status: 'failing',
      reason: expect.stringMatching(/Too many requests|left in peace/),
    })
    const [row] = await server.app.database.query<{ wait: number }>(sql`
      select extract(epoch from due_at - now())::float8 as wait from openslot.mirrors
      where app_id = ${server.clientId} and grant_id = ${host.grantId} and calendar_id = 'work'`)
    expect(row?.wait).toBeGreaterThan(3_500)
    fake.heal()
    fake.takeCalls(user)
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    expect((await book(server, id, nine)).status).toBe(504)
    expect(fake.takeCalls(user)).toEqual([])
  })
})

describe('credentials that are refused', () => {
  it('make the grant invalid once, say so once, and ask the server no more', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    fake.changePassword(user, 'changed')
    await poll()
    expect(await standing()).toMatchObject({ status: 'reconnect' })
    const grant = (await server.request('GET', `/v3/grants/${host.grantId}`)).body.data
    expect(grant.grant_status).toBe('invalid')
    await grow()
    expect(await slotsFrom(server, id, nine)).toEqual(expect.any(String))
    expect((await book(server, id, nine)).status).toBe(504)
    fake.takeCalls(user)
    await slotsFrom(server, id, nine)
    await book(server, id, half)
    expect(fake.takeCalls(user)).toEqual([])
    expect((await triggers()).filter((trigger) => trigger === 'grant.expired')).toHaveLength(1)
    const mails = (await server.request('GET', `/v3/mails?recipient=${user}`)).body.data
    expect(mails).toMatchObject([
      { kind: 'account_expired', grant_id: host.grantId, booking_id: null, role: 'operator' },
    ])
    const mail = (await server.request('GET', `/v3/mails/${mails[0].id}`)).body.data
    expect(mail.text).toContain('The server refused the password.')
    expect(mail.subject).toBe(`Please connect your calendar again: ${user}`)

    await connect(server, 'caldav', { username: user, password: 'changed' })
    expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
    await bookAt(server, id, nine)
    expect(await standing()).toMatchObject({ status: 'ok' })
    expect((await server.request('GET', `/v3/grants/${host.grantId}`)).body.data.grant_status).toBe('valid')
  })

  it('and heard of after the account was connected anew close nothing', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    fake.once('readChanges', async () => {
      asked.resolve()
      await answer.promise
    })
    await due()
    await asked.promise
    fake.changePassword(user, 'changed')
    await connect(server, 'caldav', { username: user, password: 'changed' })
    fake.takeCalls(user)
    answer.resolve()
    await until(
      async () => fake.takeCalls(user),
      (calls) => expect(calls).toContain('readChanges'),
    )
    await until(standing, (sync) => expect(sync).toMatchObject({ status: 'ok', read_at: expect.any(Number) }))
    expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
    await bookAt(server, id, nine)
    expect((await server.request('GET', `/v3/grants/${host.grantId}`)).body.data.grant_status).toBe('valid')
  })

  it('found while a guest books undo the booking and show in the standing of the calendar', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    fake.once('place', { kind: 'grantExpired', message: 'The server refused the password.' })
    expect((await book(server, id, nine)).status).toBe(504)
    expect(await standing()).toMatchObject({ status: 'reconnect', reason: 'The server refused the password.' })
  })
})

it('a grant that is removed is asked for nothing any more, and its bookings can still be called off', async () => {
  const id = await configure(server, host, { read: ['work'], write: 'work' })
  const bookingId = await bookAt(server, id, nine)
  await server.request('DELETE', `/v3/grants/${host.grantId}`)
  const rows = await server.app.database.query(
    sql`select id from openslot.mirror_items where app_id = ${server.clientId} and grant_id = ${host.grantId}`,
  )
  expect(rows).toEqual([])
  const synced = await server.app.operations.syncCalendar({
    appId: server.clientId as never,
    key: { grantId: host.grantId as never, calendarId: 'work' as never },
    urgency: 'inBackground',
  })
  expect(synced).toEqual({ ok: true, value: 'gone' })
  fake.takeCalls(user)
  await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })
  const [row] = await server.app.database.transaction(server.clientId as never, (transaction) =>
    transaction.query<{ change: object | null; state: string }>(
      sql`select change, state from openslot.bookings where app_id = ${server.clientId} order by created_at desc limit 1`,
    ),
  )
  expect(row).toEqual({ change: null, state: 'cancelled' })
  expect(fake.takeCalls(user)).toEqual([])
})
