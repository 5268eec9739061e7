/** Master keys as an operator meets them: lost, mixed up, added twice at once, and added by a command that was killed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'

import { startTestServer, type TestServer } from '../../support/server.ts'
import { launch, makeDatabase, makeDirectory, openslot } from './openslot.ts'

const keyOf = (kid: string, byte: number) => `${kid}:${Buffer.alloc(32, byte).toString('base64')}`

/** A database, and a data directory for keys. `start`: a server in this process; `environment`: the settings of one elsewhere. */
async function setUp() {
  const { environment, connection } = await makeDatabase()
  const directory = makeDirectory()
  const client = new pg.Client(connection)
  await client.connect()
  onTestFinished(() => client.end())
  return {
    environment: { ...environment, MASTER_KEY: undefined, DATA_DIR: directory },
    start: (masterKey = '', dataDirectory = directory) =>
      startTestServer({ connection }, { ROLE: 'web', MASTER_KEY: masterKey, DATA_DIR: dataDirectory }),
    file: join(directory, 'master.key'),
    client,
  }
}

/** Seals something for the application; answers the status. */
async function seal(server: TestServer, application: { apiKey: string }, secret = 's'): Promise<number> {
  const provider = '/v3/connectors/google'
  const settings = { client_id: 'id', client_secret: secret }
  const token = application.apiKey
  const changed = await server.request('PATCH', provider, { token, body: { settings } })
  if (changed.status !== 404) return changed.status
  return (await server.request('POST', '/v3/connectors', { token, body: { provider: 'google', settings } })).status
}

/** The kid under which each application's secrets are sealed. */
async function kidsIn(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ id: string; kid: string }>('select app_id as id, kid from openslot.data_keys')
  return Object.fromEntries(rows.map(({ id, kid }) => [id, kid]))
}

function kidsOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split(',')
    .map((key) => key.split(':')[0] ?? '')
}

test('another key under the same name is refused at the start, and both open once they have names of their own', async () => {
  const { environment, start, client } = await setUp()
  const server = await start(keyOf('k1', 1))
  const eve = await server.otherApplication()
  expect(await seal(server, server)).toBe(201)
  await server.close()
  const refusal =
    'Secrets in the database do not open with master key "k1": they are sealed under another key of that name. ' +
    'Bring that one back; the one that is here may stand behind it under another name.'
  const other = { ...environment, MASTER_KEY: keyOf('k1', 2) }
  expect(await openslot(other, 'start')).toEqual({ code: 1, stdout: '', stderr: `openslot: ${refusal}\n` })
  expect((await openslot(other, 'doctor')).stdout).toContain(`✗ master key: ${refusal}`)

  // As an earlier version would have left it, which went on under the other key of that name.
  const both = await start(`${keyOf('k2', 2)},${keyOf('k1', 1)}`)
  expect(await seal(both, eve)).toBe(201)
  await client.query(`update openslot.data_keys set kid = 'k1'`)
  await expect(start(keyOf('k1', 1))).rejects.toThrow('another key of that name')
  await expect(start(keyOf('k1', 2))).rejects.toThrow('another key of that name')
  const mended = await start(`${keyOf('k2', 2)},${keyOf('k1', 1)}`)
  for (const application of [server, eve]) expect(await seal(mended, application, 'anew')).toBe(200)
  expect(await mended.app.operations.rotateKeys({ isNewKeyWanted: false })).toMatchObject({ value: { sealedAgain: 2 } })
  const one = await start(keyOf('k2', 2))
  for (const application of [server, eve]) expect(await seal(one, application, 'again')).toBe(200)
}, 120_000)

test('no key is made where secrets are sealed under one that is not here, by a start or by a restore', async () => {
  const { environment, start, file } = await setUp()
  const server = await start()
  expect(await seal(server, server)).toBe(201)
  const backup = join(environment.DATA_DIR, 'backup')
  await server.app.operations.backUp({ file: backup, onRows: () => {} })
  await server.close()
  const [kid] = kidsOf(file)
  const nowhere = join(environment.DATA_DIR, 'nowhere')
  const missing = `Secrets in the database are sealed under master key "${kid}", which MASTER_KEY and the data directory lack.`
  await expect(start('', nowhere)).rejects.toThrow(missing)
  const looked = await openslot({ ...environment, DATA_DIR: nowhere }, 'doctor', '--only', 'master key')
  expect(looked).toMatchObject({ code: 1, stdout: `✗ master key: ${missing}\n` })
  const { DATABASE_URL } = (await makeDatabase()).environment
  const lost = await openslot({ ...environment, DATABASE_URL, DATA_DIR: nowhere }, 'restore', backup)
  expect(lost).toMatchObject({ code: 1, stdout: '' })
  expect(lost.stderr).toBe(
    `openslot: ${missing} Put the key that this backup was made with into MASTER_KEY or DATA_DIR/master.key and restore again.\n`,
  )
  expect(existsSync(nowhere)).toBe(false)
  expect(await openslot({ ...environment, DATABASE_URL }, 'restore', backup)).toMatchObject({ code: 0 })
}, 120_000)

test('of new keys that are made at the same time none is lost', async () => {
  const { environment, start, file, client } = await setUp()
  await (await start()).close()
  const old = kidsOf(file)
  await client.query('begin')
  await client.query('select pg_advisory_xact_lock(7203483)')
  const commands = [1, 2].map(() => launch(environment, ['rotate-keys', '--new', '--json']).ended)
  const waiting = `select from pg_locks where locktype = 'advisory' and not granted and objid = 7203483
    and database = (select oid from pg_database where datname = current_database())`
  await expect.poll(async () => (await client.query(waiting)).rowCount, { timeout: 60_000 }).toBe(2)
  expect(kidsOf(file)).toEqual(old)
  await client.query('rollback')
  const made = (await Promise.all(commands)).map(({ stdout }) => JSON.parse(stdout).new_kid as string)
  expect(kidsOf(file).sort()).toEqual([...made, ...old].sort())
}, 120_000)

test('a rotation that was killed on its way leaves every secret open, is finished by the next, and may be repeated', async () => {
  const { environment, start, file, client } = await setUp()
  const server = await start()
  const applications = [server, await server.otherApplication(), await server.otherApplication()]
  for (const application of applications) expect(await seal(server, application)).toBe(201)
  const [old = ''] = kidsOf(file)

  // The second is held, so that the command dies between the first and it.
  const held = applications[1]?.clientId ?? ''
  await client.query('begin')
  await client.query('select from openslot.data_keys where app_id = $1 for update', [held])
  const command = launch(environment, ['rotate-keys', '--new'])
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  await expect.poll(async () => (await server.app.database.pool.query(waiting)).rowCount, { timeout: 60_000 }).toBe(1)
  command.child.kill('SIGKILL')
  await command.ended
  await client.query('rollback')
  const [fresh = '', ...others] = kidsOf(file)
  expect(others).toEqual([old])
  const kids = async () => {
    const byApplication = await kidsIn(client)
    return applications.map(({ clientId }) => byApplication[clientId])
  }
  expect(await kids()).toEqual([fresh, old, old])

  // What was cut off does no harm, neither to the server that runs nor to one that starts.
  for (const running of [server, await start()])
    for (const application of applications) expect(await seal(running, application, 'anew')).toBe(200)

  // Too early: what is still sealed under the old key says so.
  const both = readFileSync(file, 'utf8')
  writeFileSync(file, both.split(',')[0] ?? '')
  await expect(start()).rejects.toThrow(`sealed under master key "${old}", which`)
  writeFileSync(file, both)

  const rotate = async () => (await start()).app.operations.rotateKeys({ isNewKeyWanted: false })
  expect(await rotate()).toMatchObject({ value: { newKid: undefined, sealedAgain: 2 } })
  expect(await rotate()).toMatchObject({ value: { newKid: undefined, sealedAgain: 0 } })
  expect(await kids()).toEqual([fresh, fresh, fresh])
  writeFileSync(file, both.split(',')[0] ?? '')
  const last = await start()
  for (const application of applications) expect(await seal(last, application, 'again')).toBe(200)
}, 120_000)
