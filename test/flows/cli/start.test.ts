/** The first hour of an installation with the embedded PostgreSQL: start, book, stop, start again. */
import { execFile } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { promisify } from 'node:util'

import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'

import { freePort } from '../../support/daemon.ts'
import { launch, makeDatabase, makeDirectory, openslot, openslotJson, startServer } from './openslot.ts'

test('the first start prints a curl that books, bootstrap finds the same with and without the server, and a second start is short', async () => {
  const environment = { DATA_DIR: makeDirectory() }
  const first = await startServer(environment)
  const curl = first.greeting.split('\n').find((line) => line.startsWith('curl ')) ?? ''
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    `${curl} --silent`.replaceAll('//localhost:', '//127.0.0.1:'),
  ])
  expect(JSON.parse(stdout).data).toMatchObject({ status: 'booked', title: 'Demo meeting' })
  const key = /osk_\S+/.exec(first.greeting)?.[0]
  expect((await fetch(`${first.url}/v3/grants`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(200)

  const whileRunning = await openslotJson({ ...environment, BASE_URL: 'https://book.example' }, 'bootstrap')
  expect(whileRunning).toMatchObject({ base_url: 'https://book.example', api_key: null })
  expect(curl).toContain(whileRunning.configuration_id)
  expect(whileRunning.booking_url).toBe(`https://book.example/${whileRunning.client_id}/demo`)

  const again = await openslot({ ...environment, PORT: String(first.port) }, 'start')
  expect(again.code).toBe(1)
  expect(again.stderr).toContain(
    `openslot: Port ${first.port} on 127.0.0.1 is already in use; stop what uses it, or set PORT.\n`,
  )

  expect(await first.stop()).toMatchObject({ code: 0 })
  const withoutServer = await openslotJson(
    { ...environment, BASE_URL: 'https://book.example' },
    'bootstrap',
    '--api-key',
    'a-key-of-my-own-choice',
  )
  expect(withoutServer).toEqual({ ...whileRunning, api_key: 'a-key-of-my-own-choice' })

  const second = await startServer(environment)
  expect(second.greeting).toBe(
    `OpenSlot is ready at ${second.url}\nMails are kept and not sent, because SMTP_URL is not set; "openslot mail list" shows them.\n`,
  )
  console.info(`second start ready in ${Math.round(second.readyMs)} ms`)
  expect(
    (await fetch(`${second.url}/v3/grants`, { headers: { authorization: 'Bearer a-key-of-my-own-choice' } })).status,
  ).toBe(200)
  expect(await second.stop()).toMatchObject({ code: 0 })
}, 90_000)

test('a stop lets the request in flight end', async () => {
  const { environment, connection } = await makeDatabase()
  const server = await startServer(environment)
  const [, url = '', body = ''] = /'(http[^']+)'.*--data '([^']+)'/.exec(server.greeting) ?? []
  const blocker = new pg.Client(connection)
  await blocker.connect()
  onTestFinished(() => blocker.end())
  await blocker.query('begin; select from openslot.calendars for update')
  const inFlight = fetch(url.replace('//localhost:', '//127.0.0.1:'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  await expect
    .poll(
      async () =>
        (
          await blocker.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
        ).rowCount,
      { timeout: 20_000 },
    )
    .toBe(1)
  const stopped = server.stop()
  // The door is closed before the request is let go.
  await expect
    .poll(
      () =>
        fetch(`${server.url}/healthz`).then(
          () => 'open',
          () => 'closed',
        ),
      { timeout: 20_000 },
    )
    .toBe('closed')
  await blocker.query('commit')
  expect((await inFlight).status).toBe(200)
  expect((await stopped).code).toBe(0)
}, 60_000)

test('a start waits for a database that is not up yet, and says so', async () => {
  const { environment, connection } = await makeDatabase()
  const port = await freePort()
  const late = {
    ...environment,
    DATABASE_URL: `postgres://${connection.user}@127.0.0.1:${port}/${connection.database}`,
  }
  const { child, ended } = launch({ ...late, PORT: String(await freePort()) }, ['start'])
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece) => {
      said += piece
    })
  await expect
    .poll(() => said, { timeout: 20_000 })
    .toContain(
      'openslot: waiting for the database. Nothing answers at the address of DATABASE_URL; is PostgreSQL running there?\n',
    )
  const door = createServer((guest) => {
    const inner = connect(`${connection.host}/.s.PGSQL.${connection.port}`)
    inner.on('error', () => guest.destroy())
    guest.on('error', () => inner.destroy())
    guest.pipe(inner).pipe(guest)
  })
  onTestFinished(() => void door.close())
  door.listen(port, '127.0.0.1')
  await expect.poll(() => said, { timeout: 30_000 }).toContain('OpenSlot is ready at')
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0 })
}, 90_000)

test('a start that waits for its database ends when it is told to', async () => {
  const { child, ended } = launch({ DATABASE_URL: 'postgres://me@127.0.0.1:1/x', DATA_DIR: makeDirectory() }, ['start'])
  await new Promise((heard) => child.stderr?.once('data', heard))
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0, stdout: '' })
}, 60_000)

test('a start does not wait for what time does not mend', async () => {
  const { environment } = await makeDatabase()
  const unknown = environment.DATABASE_URL.replace(/\/[^/?]+\?/, '/never_made?')
  expect(await openslot({ ...environment, DATABASE_URL: unknown }, 'start')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'openslot: The database that DATABASE_URL names does not exist; create it first.\n',
  })
  const nobody = environment.DATABASE_URL.replace(/\/\/[^@]+@/, '//nobody_we_know@')
  expect(await openslot({ ...environment, DATABASE_URL: nobody }, 'start')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'openslot: PostgreSQL does not accept the user of DATABASE_URL.\n',
  })
}, 60_000)

test('a user without an entry in /etc/passwd and without a home may run it', async () => {
  const { environment } = await makeDatabase()
  // As the system answers such a user, whom only root could become.
  const homeless = `
    import module from 'node:module'
    import os from 'node:os'
    os.homedir = () => {
      if (process.env.HOME === undefined) throw new Error('uv_os_homedir returned ENOENT (no such file or directory)')
      return process.env.HOME
    }
    module.syncBuiltinESMExports()`
  const settings = {
    ...environment,
    HOME: undefined,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(homeless)}`,
  }
  expect(await openslot(settings, 'applications', 'create', '--name', 'Of nobody')).toMatchObject({
    code: 0,
    stderr: '',
  })
}, 60_000)
