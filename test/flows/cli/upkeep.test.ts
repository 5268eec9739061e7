/** Backup, restore, rotation of keys and doctor. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'

import pg from 'pg'
import { beforeAll, expect, test } from 'vitest'

import { backedUpTables } from '../../../src/adapters/storage/backup.ts'
import { launch, makeDatabase, makeDirectory, openslot, openslotJson, startServer } from './openslot.ts'

const directory = makeDirectory()
const file = join(directory, 'all.gz')
let source: Awaited<ReturnType<typeof makeDatabase>>
let apiKey: string

beforeAll(async () => {
  source = await makeDatabase()
  const server = await startServer(source.environment)
  apiKey = /osk_\S+/.exec(server.greeting)?.[0] ?? ''
  const curl = /'(http[^']+)'.*--data '([^']+)'/.exec(server.greeting) ?? []
  const url = new URL((curl[1] ?? '').replace('localhost', '127.0.0.1'))
  const send = async (method: string, path: string, body: string) => {
    const response = await fetch(new URL(`${url.pathname}${path}${url.search}`, url), {
      method,
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect(response.status).toBe(200)
    return (await response.json()) as { data: { booking_id: string } }
  }
  const { data: booking } = await send('POST', '', curl[2] ?? '')
  // What some readers take for the end of a line stands raw in JSON.
  const reason = JSON.stringify({ cancellation_reason: 'ill\u2028and\u2029tired\u0085' })
  await send('DELETE', `/${booking.booking_id}`, reason)
  await send('POST', '', curl[2] ?? '')
  const connector = await fetch(`${server.url}/v3/connectors`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'google', settings: { client_id: 'id', client_secret: 'canary-secret' } }),
  })
  expect(connector.status).toBe(201)
  await server.stop()
  await openslotJson(source.environment, 'applications', 'create', '--name', 'Second')
  await ask(
    source.connection,
    `select graphile_worker.add_job('settleBooking', json_build_object('appId', app_id, 'bookingId', id), job_key => 'waits', run_at => now() + interval '1 day') from openslot.bookings`,
  )
  await openslotJson(source.environment, 'backup', file)
}, 90_000)

test('the list of tables in a backup is complete', async () => {
  const rows = await ask(
    source.connection,
    `select table_name from information_schema.tables where table_schema = 'openslot' and table_name not in ('migrations', 'rate_counts')`,
  )
  expect(rows.map(({ table_name }) => table_name).sort()).toEqual([...backedUpTables].sort())
})

test('a backup is for its owner alone, and no secret stands in it', () => {
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const text = gunzipSync(readFileSync(file)).toString()
  expect(text).not.toContain('canary-secret')
  expect(text).not.toContain(apiKey)
  expect(text).toContain('ill\u2028and\u2029tired')
  expect(text).not.toContain(Buffer.alloc(32, 7).toString('base64'))
})

test('a backup restores into another database and into the embedded one, row by row the same, and its key opens the secrets', async () => {
  const named = await makeDatabase()
  const embedded = { DATA_DIR: makeDirectory(), MASTER_KEY: source.environment.MASTER_KEY }
  for (const environment of [named.environment, embedded]) {
    await openslotJson(environment, 'restore', file)
    const { ok, findings } = await openslotJson(environment, 'doctor')
    expect(ok).toBe(true)
    // Of a database elsewhere the disk is somebody else's.
    const disk = findings.filter(({ name }: { name: string }) => name === 'disk')
    expect(disk).toEqual(
      environment === named.environment
        ? []
        : [expect.objectContaining({ message: expect.stringMatching(/^\d+ MB are free for .*postgres$/) })],
    )
    const again = join(makeDirectory(), 'again')
    await openslotJson(environment, 'backup', again)
    expect(linesOf(readFileSync(again))).toEqual(linesOf(gunzipSync(readFileSync(file))))
    expect((await openslot(environment, 'restore', file)).stderr).toBe(
      'openslot: The database is not empty: restore works only into an empty one.\n',
    )
  }
  const server = await startServer(named.environment)
  const headers = { authorization: `Bearer ${apiKey}` }
  expect((await fetch(`${server.url}/v3/connectors/google`, { headers })).status).toBe(200)
  await server.stop()
}, 90_000)

test('a backup goes through pipes, packed or not, out of one container and into another', async () => {
  const { stdout, stderr, code } = await openslot(source.environment, 'backup', '-')
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^\d+ rows are written\. Keep the master key/),
  })
  expect(linesOf(Buffer.from(stdout))).toEqual(linesOf(gunzipSync(readFileSync(file))))
  const target = await makeDatabase()
  for (const [content, complaint] of [
    [Buffer.from(stdout.slice(0, stdout.trimEnd().lastIndexOf('\n'))), 'openslot: This backup is cut short'],
    [gzipSync(stdout).subarray(0, -40), 'openslot: What came is damaged or cut short.'],
    [gzipSync(stdout), ''],
  ] as const) {
    const { child, ended } = launch(target.environment, ['restore', '-'])
    child.stdin?.end(content)
    const restored = await ended
    expect(restored.stderr).toMatch(complaint === '' ? /^$/ : new RegExp(`^${complaint}`))
    expect(restored.code).toBe(complaint === '' ? 0 : 1)
  }
  expect((await openslot(source.environment, 'backup', '-', '--json')).code).toBe(2)
}, 90_000)

test('what is damaged, newer, or sealed under a key that is not here is refused, and nothing is written', async () => {
  const target = await makeDatabase()
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
  const header = JSON.parse(lines[0] ?? '')
  const say = async (content: string | Buffer, settings = {}) => {
    const path = join(directory, 'changed')
    writeFileSync(path, content)
    return (await openslot({ ...target.environment, ...settings }, 'restore', path)).stderr
  }
  const withHeader = (change: object) => [JSON.stringify({ ...header, ...change }), ...lines.slice(1)].join('\n')
  expect(await say('hello')).toBe('openslot: This file is not a backup of OpenSlot.\n')
  expect(await say(lines.slice(0, -1).join('\n'))).toContain('This backup is cut short')
  expect(await say(readFileSync(file).subarray(0, -40))).toContain('damaged or cut short')
  expect(await say(withHeader({ format: 2 }))).toContain('written by a newer OpenSlot')
  expect(await say(withHeader({ columns: { ...header.columns, bookings: ['mood'] } }))).toContain(
    '(it has bookings.mood)',
  )
  expect(await say(lines.join('\n'), { MASTER_KEY: `other:${Buffer.alloc(32, 8).toString('base64')}` })).toContain(
    'sealed under master key "test"',
  )
  expect(await ask(target.connection, 'select from openslot.applications')).toEqual([])
  expect(await say(lines.join('\n'))).toBe('')
}, 90_000)

test('keys rotate while a server runs, with a new key of the environment or of the key file', async () => {
  const environment = { DATA_DIR: makeDirectory() }
  const server = await startServer(environment)
  const key = /osk_\S+/.exec(server.greeting)?.[0]
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const connect = (provider: string) =>
    fetch(`${server.url}/v3/connectors`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ provider, settings: { client_id: 'id', client_secret: 's' } }),
    })
  expect((await connect('google')).status).toBe(201)
  const rotated = await openslotJson(environment, 'rotate-keys', '--new')
  expect(rotated).toMatchObject({ new_kid: expect.any(String), applications: 1, sealed_again: 1 })
  expect(readFileSync(join(environment.DATA_DIR, 'master.key'), 'utf8')).toMatch(new RegExp(`^${rotated.new_kid}:.*,k`))
  expect(await openslotJson(environment, 'rotate-keys')).toMatchObject({ new_kid: null, sealed_again: 0 })
  expect((await connect('microsoft')).status).toBe(201)
  await server.stop()
  expect((await openslot(source.environment, 'rotate-keys', '--new')).stderr).toContain('The keys are in MASTER_KEY')
}, 90_000)

test('doctor finds what is wrong and ends with 1', async () => {
  const target = await makeDatabase()
  const good = await openslot(target.environment, 'doctor')
  expect(good).toMatchObject({ code: 0, stderr: '' })
  expect(good.stdout).not.toContain('✗')
  await ask(target.connection, 'alter table openslot.grants no force row level security')
  const bad = await openslot({ ...target.environment, BASE_URL: 'http://book.example' }, 'doctor')
  expect(bad.code).toBe(1)
  expect(bad.stdout).toContain('✗ row security: it is switched off for grants')
  expect(bad.stdout).toContain('✗ BASE_URL: http://book.example is not encrypted')
  const away = await openslot({ ...target.environment, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x' }, 'doctor')
  expect(away.code).toBe(1)
  expect(away.stdout).toContain('✗ database: Nothing answers')
}, 60_000)

/** Without what the making and restoring of a backup adds to the audit log. */
function linesOf(content: Buffer): unknown[] {
  const lines = content
    .toString()
    .trimEnd()
    .split('\n')
    .slice(1, -1)
    .map((line) => JSON.parse(line))
  return lines
    .filter(({ row }) => !row?.action?.startsWith('backup.'))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

async function ask(connection: object, statement: string) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

test('a guest is handed out and erased by address; what still stands is named, and makes the command fail', async () => {
  const [{ guest_email: address }] = await ask(source.connection, 'select guest_email from openslot.bookings limit 1')
  const { bookings, mails } = await openslotJson(source.environment, 'guests', 'export', address)
  expect(bookings.map(({ status }: { status: string }) => status)).toEqual(['cancelled', 'booked'])
  expect(mails.length).toBeGreaterThan(0)
  const { booking_id: standing } = bookings[1]
  const erased = await openslot(source.environment, 'guests', 'erase', address)
  expect(erased.code).toBe(1)
  expect(erased.stdout).toMatch(
    `Blanked bookings: 1; others' that they were taken out of: 0; notifications and mails deleted: `,
  )
  expect(erased.stdout).toContain(`Left as they are, because they still stand: ${standing}.`)
  const left = await openslotJson(source.environment, 'guests', 'export', address)
  expect(left.bookings.map(({ booking_id }: { booking_id: string }) => booking_id)).toEqual([standing])
  expect(await openslot(source.environment, 'guests', 'erase', 'nobody')).toMatchObject({
    code: 1,
    stderr: 'openslot: ADDRESS is not an e-mail address.\n',
  })
})
