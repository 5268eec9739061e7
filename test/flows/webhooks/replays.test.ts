/** More to send again than one transaction should hold: a part at once, the rest by jobs, each notification once. */
import { Logger, runOnce } from 'graphile-worker'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { tasks } from '../../../src/worker/tasks.ts'
import { makeEndpoint, type TestEndpoint, work } from '../../support/endpoints.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let database: TestDatabase
let server: TestServer
let receiver: Receiver
const many = 2_345

beforeAll(async () => {
  database = await createTestDatabase()
  // No worker of its own: the tests do its work when they want it.
  server = await startTestServer({ connection: database.connection }, { ROLE: 'web' })
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver.close()
  await server.close()
  await database.drop()
})

/** As though it had happened before anybody asked for it: many at the same moment, so that only the id tells them apart. */
async function happenEarlier(): Promise<void> {
  await server.app.database.pool.query(
    `insert into openslot.webhook_events (app_id, id, trigger, object_id, number, body, fanned_out_at, created_at)
     select $1, gen_random_uuid(), case when place % 5 = 0 then 'booking.cancelled' else 'booking.created' end, 'booking ' || place, 1,
       jsonb_build_object('place', place), now(), date_trunc('minute', now()) - interval '1 hour' + (place / 400) * interval '1 second'
     from generate_series(1, $2::int) as place`,
    [server.clientId, many],
  )
}
async function workOff(): Promise<void> {
  const unused = { wake: () => {}, fanOut: async () => {} }
  const taskList = tasks(server.app.operations, unused as never)
  await runOnce({ pgPool: server.app.database.pool, taskList, logger: new Logger(() => () => {}) })
}
const states = async (endpoint: TestEndpoint) =>
  (
    await server.app.database.pool.query<{ state: string; count: number }>(
      `select state, count(*) as count from openslot.deliveries where endpoint_id = $1 group by state order by state`,
      [endpoint.id],
    )
  ).rows
const replay = (endpoint: TestEndpoint) =>
  server.request('POST', `/v3/webhooks/${endpoint.id}/replay`, { body: { start_time: 1 } })

it('sends all of a long span, in parts, and tells how many at once', async () => {
  await happenEarlier()
  const endpoint = await makeEndpoint(server, receiver.url, ['booking.created'])
  const asked = await replay(endpoint)
  const wanted = many - Math.floor(many / 5)
  expect(asked.body.data.replayed).toBe(wanted)
  const [begun] = await states(endpoint)
  expect(begun?.count).toBeLessThan(wanted)
  await workOff()
  expect(await states(endpoint)).toEqual([{ state: 'ready', count: wanted }])
  await work(server)
  const received = receiver.received.map(({ json }) => json.data.object.place)
  expect(new Set(received).size).toBe(wanted)
  expect(received.length).toBe(wanted)

  // Again: those that it has had, and none that it never asked for.
  expect((await replay(endpoint)).body.data.replayed).toBe(wanted)
  await workOff()
  expect(await states(endpoint)).toEqual([{ state: 'ready', count: wanted }])
  await server.request('DELETE', `/v3/webhooks/${endpoint.id}`)
})

it('goes on from where a part ended, and ends with the endpoint', async () => {
  const endpoint = await makeEndpoint(server, receiver.url, ['booking.created'])
  await replay(endpoint)
  await server.request('DELETE', `/v3/webhooks/${endpoint.id}`)
  await workOff()
  const left = () =>
    server.app.database.pool.query(
      `select task_identifier from graphile_worker.jobs where task_identifier = 'replayWebhooks'`,
    )
  // The queue marks its last job as done after it says that it is.
  await expect.poll(async () => (await left()).rows).toEqual([])
})

it('an endpoint that is switched on again gets all that it has missed, however much', async () => {
  const endpoint = await makeEndpoint(server, receiver.url, ['booking.created'])
  await replay(endpoint)
  await workOff()
  await server.app.database.pool.query(
    `update openslot.deliveries set state = case when object_id like '%7' then 'done' else 'dead' end where endpoint_id = $1`,
    [endpoint.id],
  )
  await server.app.database.pool.query(`update openslot.webhook_endpoints set status = 'failed' where id = $1`, [
    endpoint.id,
  ])
  const [dead] = await states(endpoint)
  const on = await server.request('PUT', `/v3/webhooks/${endpoint.id}`, { body: { status: 'active' } })
  expect(on.status).toBe(200)
  await workOff()
  const now = await states(endpoint)
  expect(now.map(({ state }) => state)).toEqual(['done', 'ready'])
  expect(now[1]?.count).toBe(dead?.count)
})

it('an endpoint that goes with more waiting than one statement should touch is gone at once, the rest with the next sweeps', async () => {
  const endpoint = await makeEndpoint(server, receiver.url, ['booking.created'])
  await replay(endpoint)
  await workOff()
  expect((await server.request('DELETE', `/v3/webhooks/${endpoint.id}`)).status).toBe(200)
  expect((await states(endpoint)).map(({ state }) => state)).toEqual(['cancelled', 'ready'])
  for (let sweeps = 0; sweeps < 3; sweeps++) await server.app.operations.sweep()
  expect((await states(endpoint)).map(({ state }) => state)).toEqual(['cancelled'])
})
