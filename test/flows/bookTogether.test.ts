/** Guests who come at the same time share a transaction, and nobody's fate. */
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { toClientConfig } from '../../src/adapters/storage/database/connection.ts'
import { instant } from '../../src/core/time/instant.ts'
import { book, configurationBody, makeConfiguration, makeHost, nearFuture, type TestHost } from '../support/hosts.ts'
import { findFaults, readLedger } from '../support/ledger.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { type Reply, startTestServer, type TestServer } from '../support/server.ts'

let database: TestDatabase
let server: TestServer
let outsider: pg.Client
let writes = 0
let clockMs = 0
const start = nearFuture()

beforeAll(async () => {
  database = await createTestDatabase()
  server = await startTestServer({
    connection: database.connection,
    now: () => instant(Date.now() + clockMs),
    onStatement: (text) => {
      if (text.includes('insert into openslot.bookings')) writes++
    },
  })
  outsider = new pg.Client(toClientConfig(database.connection))
  await outsider.connect()
})
afterAll(async () => {
  await outsider.end()
  await server.close()
  await database.drop()
})

type Stand = { readonly host: TestHost; readonly id: string }

async function makeStands(name: string, count: number): Promise<Stand[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const host = await makeHost(server, `${name}${index}@host.example`)
      const id = await makeConfiguration(server, [host])
      // What is kept of a configuration is kept from its first use.
      expect((await book(server, id, start - 3_600)).status).toBe(200)
      return { host, id }
    }),
  )
}

/** `ask` is asked while every turn is held up by somebody who has locked two calendars. */
async function whileHeldUp(ask: () => Promise<Reply>[]): Promise<Reply[]> {
  const blockers = await makeStands(`blocker${writes}-`, 2)
  await outsider.query('begin')
  await outsider.query('select from openslot.calendars where grant_id = any($1) for update', [
    blockers.map(({ host }) => host.grantId),
  ])
  const first: Promise<Reply>[] = []
  for (const { id } of blockers) {
    // One after the other, so that they do not share a turn themselves.
    first.push(book(server, id, start))
    await waitForLocks(first.length)
  }
  const asked = ask()
  // These connections are younger, so the bookings have been read by the time they are answered.
  for (let turn = 0; turn < 3; turn++) await server.request('GET', '/healthz')
  await outsider.query('rollback')
  for (const reply of await Promise.all(first)) expect(reply.status).toBe(200)
  return Promise.all(asked)
}

/** Until `count` statements wait for a lock. */
async function waitForLocks(count: number): Promise<void> {
  for (;;) {
    const { rows } = await outsider.query<{ waiting: number }>(
      'select count(*)::int as waiting from pg_locks where not granted',
    )
    if ((rows[0]?.waiting ?? 0) >= count) return
  }
}

it('those who come while others are written for are written together, each with all that follows', async () => {
  const stands = await makeStands('guest', 10)
  const before = writes
  const replies = await whileHeldUp(() => stands.map(({ id }, index) => book(server, id, start + index * 1_800)))
  expect(replies.map(({ status }) => status)).toEqual(stands.map(() => 200))
  // Four by those that hold up the rest, and fewer than one for each of ten.
  expect(writes - before).toBeLessThan(4 + 10)
  const ledger = await readLedger(server.app)
  expect(findFaults(ledger)).toEqual([])
  for (const { host } of stands) {
    const own = ledger.bookings.filter(({ organizer, state }) => organizer === host.email && state === 'booked')
    expect(own.length).toBe(2)
    for (const { id } of own)
      expect(ledger.notifications.filter(({ bookingId }) => bookingId === id).map(({ trigger }) => trigger)).toEqual([
        'booking.created',
      ])
  }
})

it('one who loses the time at the last moment takes nobody along', async () => {
  const stands = await makeStands('racer', 5)
  const loser = stands[2]
  // A claim that moves onto the slot past every lock: only the constraint can see it.
  const mover = new pg.Client(toClientConfig(database.connection))
  await mover.connect()
  await mover.query('begin')
  await mover.query(
    `update openslot.slot_claims set during = tstzrange(to_timestamp($2), to_timestamp($2 + 1800)) where grant_id = $1`,
    [loser?.host.grantId, start],
  )
  const asked = whileHeldUp(() => stands.map(({ id }) => book(server, id, start)))
  // Until nobody but the booking that meets the moved claim is waited for.
  for (;;) {
    const { rows } = await outsider.query<{ held: boolean }>(
      `select bool_or(wait_event = 'transactionid' and query like '%insert into openslot.bookings%') as held
       from pg_stat_activity where datname = current_database()`,
    )
    if (rows[0]?.held === true) break
    await new Promise((resolve) => setImmediate(resolve))
  }
  await mover.query('commit')
  await mover.end()
  const replies = await asked
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 400, 200, 200])
  expect(replies[2]?.body.error.type).toBe('timeslot_not_available')
})

it('one whose configuration was changed by another process is asked the new question, and the others are booked', async () => {
  const stands = await makeStands('changed', 3)
  const changed = stands[1]
  const other = await startTestServer({ connection: database.connection })
  const put = await other.request(
    'PUT',
    `/v3/grants/${changed?.host.grantId}/scheduling/configurations/${changed?.id}`,
    {
      token: server.apiKey,
      body: configurationBody(changed === undefined ? [] : [changed.host], { availability: { duration_minutes: 60 } }),
    },
  )
  expect(put.status).toBe(200)
  const replies = await whileHeldUp(() =>
    stands.map(({ id }) => book(server, id, start, id === changed?.id ? { minutes: 60 } : {})),
  )
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
  await other.close()
})

it('a configuration that another process has changed, closed or deleted is not booked from memory', async () => {
  const [stand] = await makeStands('stale', 1)
  if (stand === undefined) throw new Error('no host')
  const other = await startTestServer({ connection: database.connection })
  const path = `/v3/grants/${stand.host.grantId}/scheduling/configurations/${stand.id}`
  const change = (method: string, body?: object) => other.request(method, path, { token: server.apiKey, body })

  await change('PUT', configurationBody([stand.host], { availability: { duration_minutes: 60 } }))
  expect((await book(server, stand.id, start)).status).toBe(400)
  expect((await book(server, stand.id, start, { minutes: 60 })).status).toBe(200)

  await change('PUT', { requires_session_auth: true, availability: { duration_minutes: 30 } })
  expect((await book(server, stand.id, start + 7_200)).status).toBe(401)

  const session = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: stand.id } })
  const headers = { authorization: `Bearer ${session.body.data.session_id}` }
  expect((await book(server, stand.id, start + 7_200, { headers })).status).toBe(200)
  await change('PUT', { requires_session_auth: false })
  expect((await book(server, stand.id, start + 10_800)).status).toBe(200)
  await server.request('DELETE', `/v3/scheduling/sessions/${session.body.data.session_id}`)
  expect((await change('DELETE')).status).toBe(200)
  expect((await book(server, stand.id, start + 14_400)).status).toBe(404)
  await other.close()
})

it('one who comes alone while somebody is held up is not held up with them', async () => {
  const [blocker, free] = (await makeStands('alone', 2)) as [Stand, Stand]
  await outsider.query('begin')
  await outsider.query('select from openslot.calendars where grant_id = $1 for update', [blocker.host.grantId])
  const stuck = book(server, blocker.id, start)
  await waitForLocks(1)
  expect((await book(server, free.id, start)).status).toBe(200)
  expect(await Promise.race([stuck, 'waits'])).toBe('waits')
  await outsider.query('rollback')
  expect((await stuck).status).toBe(200)
})

it('one whose turn comes after the request was answered is not booked, nor is one who is moved then', async () => {
  const [stand, other] = (await makeStands('late', 2)) as [Stand, Stand]
  const standing = (await readLedger(server.app)).bookings.find(({ organizer }) => organizer === other.host.email)
  const path = `/v3/scheduling/bookings/${standing?.id}?configuration_id=${other.id}`
  const move = () =>
    server.request('PATCH', path, { token: null, body: { start_time: start, end_time: start + 1_800 } })
  const before = (await readLedger(server.app)).bookings.length
  await outsider.query('begin')
  await outsider.query('select from openslot.calendars where grant_id = any($1) for update', [
    [stand.host.grantId, other.host.grantId],
  ])
  const first = book(server, stand.id, start)
  await waitForLocks(1)
  // Waits for the first.
  const second = book(server, stand.id, start + 1_800)
  const moved = move()
  await waitForLocks(2)
  clockMs = 22_500
  await outsider.query('rollback')
  const tooLong = { type: 'service_unavailable', message: 'The request took too long; please try again.' }
  for (const reply of await Promise.all([first, second, moved]))
    expect([reply.status, reply.body.error]).toEqual([503, tooLong])
  clockMs = 0
  expect((await readLedger(server.app)).bookings.length).toBe(before)
  expect((await move()).status).toBe(200)
  expect((await book(server, stand.id, start + 1_800)).status).toBe(200)
})
