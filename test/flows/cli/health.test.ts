/** What compose asks about its worker: only what makes a worker unable to work, and that it does. */
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { readCompose } from '../../support/compose.ts'
import { startTestServer } from '../../support/server.ts'
import { makeDatabase, openslot } from './openslot.ts'

const { worker } = readCompose().services
const [, program, ...check] = worker?.healthcheck?.test ?? []
/** As the image sets it, with whatever compose gives the worker where .env is empty. */
const container = { ...worker?.environment, HOST: '0.0.0.0', PORT: '3000' }
let environment: Awaited<ReturnType<typeof makeDatabase>>['environment']
let client: pg.Client
const appId = '01900000-0000-7000-8000-000000000001'

beforeAll(async () => {
  expect(program).toBe('openslot')
  const database = await makeDatabase()
  environment = { ...container, ...database.environment }
  client = new pg.Client(database.connection)
  await client.connect()
  await client.query(`insert into openslot.applications (app_id, code, name) values ('${appId}', '00000001', 'test')`)
}, 120_000)
afterAll(() => client.end())

const isHealthy = async (settings = {}) => {
  const { code, stdout } = await openslot({ ...environment, ...settings }, ...check)
  return { code, wrong: stdout.split('\n').filter((line) => line.startsWith('✗')) }
}

/** The rounds that a worker did last, so long ago. */
async function letWorkerBeSilent(seconds: number): Promise<void> {
  await client.query(
    `insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
     values ('findUnsent', now() - interval '1 day', now() - make_interval(secs => $1))
     on conflict (identifier) do update set last_execution = excluded.last_execution`,
    [seconds],
  )
}

test("a worker is healthy whatever else there is to say of an installation, such as of one customer's calendar", async () => {
  expect(await isHealthy()).toEqual({ code: 0, wrong: [] })
  await letWorkerBeSilent(60)
  await letCalendarBeRefused()
  const all = await openslot(environment, 'doctor')
  expect(all.code).toBe(1)
  expect(all.stdout).toContain('✗ BASE_URL: HOST is 0.0.0.0')
  expect(all.stdout).toContain('✗ calendars: 1 ')
  expect(await isHealthy()).toEqual({ code: 0, wrong: [] })
}, 120_000)

test('a worker that does not do its rounds is not, nor one without its database or its key', async () => {
  await letWorkerBeSilent(600)
  onTestFinished(() => letWorkerBeSilent(0))
  expect((await isHealthy()).wrong).toEqual([
    '✗ worker: none has done its rounds for 10 minutes; is one running (ROLE=all or worker)?',
  ])
  await letWorkerBeSilent(0)
  await client.query(`insert into openslot.data_keys (app_id, sealed, kid) values ('${appId}', '', 'lost')`)
  expect(await isHealthy()).toEqual({ code: 1, wrong: [expect.stringContaining('under master key "lost", which')] })
  await client.query('delete from openslot.data_keys')
  expect(await isHealthy({ MASTER_KEY: 'k1' })).toEqual({
    code: 1,
    wrong: [expect.stringContaining('✗ master key: MASTER_KEY must be kid:base64')],
  })
  const away = await isHealthy({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x' })
  expect(away).toEqual({ code: 1, wrong: [expect.stringContaining('✗ database: Nothing answers')] })
}, 120_000)

/** As the worker writes it where the provider no longer takes the password. */
async function letCalendarBeRefused(): Promise<void> {
  const grantId = '01900000-0000-7000-8000-000000000002'
  await client.query(`
    insert into openslot.grants (app_id, id, provider, email) values ('${appId}', '${grantId}', 'caldav', 'ada@host.example');
    insert into openslot.calendars (app_id, grant_id, id, name) values ('${appId}', '${grantId}', 'work', 'Work');
    insert into openslot.mirrors (app_id, grant_id, calendar_id, health) values ('${appId}', '${grantId}', 'work', 'reconnect')`)
}

test('a worker that has started is known to have', async () => {
  const { connection, environment } = await makeDatabase()
  const of = async () => (await openslot({ ...container, ...environment }, 'doctor', '--only', 'worker')).stdout
  expect(await of()).toBe('✓ worker: none has run yet\n')
  const server = await startTestServer({ connection }, { ROLE: 'worker' })
  expect(await of()).toBe('✓ worker: it does its rounds\n')
  await server.close()
}, 60_000)

test('names that are none are refused', async () => {
  const { code, stderr } = await openslot(environment, 'doctor', '--only', 'database,keys')
  expect(code).toBe(2)
  expect(stderr).toContain('--only takes runtime, BASE_URL, ')
  expect(stderr).toContain('; "keys" is none of them.')
}, 60_000)
