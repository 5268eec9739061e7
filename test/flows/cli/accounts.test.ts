/** Applications and keys from the terminal, on a PostgreSQL that was named, and what is said to words that are not understood. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import pg from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'

import { makeDatabase, makeDirectory, openslot, openslotJson } from './openslot.ts'

let database: Awaited<ReturnType<typeof makeDatabase>>
let environment: Record<string, string>
beforeAll(async () => {
  database = await makeDatabase()
  environment = database.environment
})

test('two bootstraps at once make one of everything, and one key', async () => {
  const [one, two] = await Promise.all([openslotJson(environment, 'bootstrap'), openslotJson(environment, 'bootstrap')])
  expect([one.api_key, two.api_key].filter((key) => key !== null)).toHaveLength(1)
  expect({ ...one, api_key: null }).toEqual({ ...two, api_key: null })
  const client = new pg.Client(database.connection)
  await client.connect()
  const { rows } = await client.query(`
    select (select count(*)::int from openslot.applications) as applications, (select count(*)::int from openslot.grants) as grants,
      (select count(*)::int from openslot.calendars) as calendars, (select count(*)::int from openslot.configurations) as configurations,
      (select count(*)::int from openslot.api_keys) as keys, (select array_agg(distinct actor) from openslot.audit_log) as actors`)
  expect(rows).toEqual([{ applications: 1, grants: 1, calendars: 1, configurations: 1, keys: 1, actors: ['cli'] }])
  await client.end()
}, 60_000)

test('applications and keys are made, listed without their secret, and revoked', async () => {
  const made = await openslotJson(environment, 'applications', 'create', '--name', 'Second')
  expect(made).toMatchObject({ application_id: made.client_id, api_key: expect.stringMatching(/^osk_[0-9a-f]{8}_/) })
  const key = await openslotJson(
    environment,
    'keys',
    'create',
    '--name',
    'extra',
    '--app',
    made.application_id,
    '--expires-days',
    '30',
  )
  const listed = await openslot(environment, 'keys', 'list', '--json')
  expect(listed.stdout).not.toContain(key.api_key)
  const own = () =>
    openslotJson(environment, 'keys', 'list').then((keys) =>
      keys.filter((each: { key_id: string }) => each.key_id === key.key_id),
    )
  expect(await own()).toMatchObject([
    { application_id: made.application_id, name: 'extra', last_four: key.api_key.slice(-4), state: 'active' },
  ])
  expect(await openslotJson(environment, 'keys', 'revoke', key.key_id)).toMatchObject({ revoked: true })
  expect(await own()).toMatchObject([{ state: 'revoked' }])
  const audit = (...words: string[]) => openslotJson(environment, 'audit', '--app', made.application_id, ...words)
  const told = [
    { action: 'key.revoked', target: key.key_id, actor: 'cli', address: null },
    { action: 'key.created', target: key.key_id },
    { action: 'key.created', target: made.key_id },
    { action: 'application.created', target: made.application_id },
  ]
  expect(await audit()).toMatchObject(told)
  expect(await audit('--target', key.key_id, '--limit', '1')).toMatchObject(told.slice(0, 1))
  const text = await openslot(environment, 'audit', '--app', made.application_id, '--action', 'key.revoked')
  expect(text.stdout).toMatch(new RegExp(`^[-0-9]{10}T[0-9:.]+Z  key\\.revoked +cli  -  ${key.key_id}\\n$`))
}, 60_000)

describe('refusals', () => {
  test.each([
    [['bootstrap', '--api-key', 'short'], 1, '--api-key must be 16 to 255 printable characters without spaces.'],
    [['keys', 'revoke', 'nobody'], 1, 'There is no key nobody; "openslot keys list" shows them.'],
    [['keys', 'create', '--name', 'x', '--app', 'nothing'], 1, 'requested object not found.'],
    [['restore', '/nowhere/at/all'], 1, 'There is no file /nowhere/at/all.'],
    [['fly'], 2, 'there is no command "fly".'],
    [['keys'], 2, 'there is no command "keys".'],
    [['start', '--fast'], 2, "Unknown option '--fast'."],
    [['backup'], 2, 'backup needs FILE.'],
    [['audit', '--limit', '0'], 2, '--limit must be a whole number from 1 to 10000.'],
    [['keys', 'create'], 2, 'keys create needs --name.'],
    [['doctor', 'now'], 2, '"now" is not expected here.'],
  ])('%j ends with %i', async (words, code, sentence) => {
    const ended = await openslot(environment, ...words)
    expect(ended.stderr).toContain(`openslot: ${sentence}\n`)
    expect(ended.stderr.includes('usage: openslot')).toBe(code === 2)
    expect(ended).toMatchObject({ code, stdout: '' })
  })

  test.each([
    [{ PORT: 'http' }, 'PORT must be a whole number from 0 to 65535.'],
    [
      { DATABASE_URL: 'postgres://nobody:hunter2@127.0.0.1:1/x' },
      'Nothing answers at the address of DATABASE_URL; is PostgreSQL running there?',
    ],
    [
      { MASTER_KEY: 'test:short' },
      'MASTER_KEY must be kid:base64, with a kid of 1–8 letters or digits and 32 bytes of key',
    ],
  ])('settings %j are explained in one sentence, without the password', async (settings, sentence) => {
    const ended = await openslot({ ...environment, ...settings }, 'migrate')
    expect(ended).toEqual({ code: 1, stdout: '', stderr: `openslot: ${sentence}\n` })
  })
})

test('help and version answer on stdout', async () => {
  expect(await openslot({}, '--help')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('rotate-keys'),
  })
  expect(await openslot({}, 'bootstrap', '--help')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('--api-key KEY'),
  })
  expect((await openslot({}, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('the first word of two leads to the commands that begin with it', async () => {
  const { code, stdout } = await openslot(environment, 'keys', '--help')
  expect(code).toBe(0)
  expect(stdout).toContain('keys create')
  expect(stdout).not.toContain('doctor')
})

test('what is about data makes none in a folder that has none', async () => {
  const folder = join(makeDirectory(), 'data')
  for (const words of [
    ['keys', 'list'],
    ['mail', 'list'],
    ['backup', 'file'],
    ['guests', 'export', 'ada@guest.example'],
  ]) {
    const { code, stderr } = await openslot({ DATA_DIR: folder }, ...words)
    expect([code, stderr]).toEqual([1, expect.stringContaining(`There is no database in ${folder}.`)])
  }
  expect(existsSync(folder)).toBe(false)
  const file = import.meta.filename
  expect((await openslot({ DATA_DIR: file }, 'migrate')).stderr).toBe(
    `openslot: ${file} is, or lies below, something that is no folder.\n`,
  )
})
