import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'

import { type EmbeddedPostgres, type PostgresConnection, startEmbeddedPostgres } from './embedded.ts'
import { explainFailure } from './process.ts'

const program = new URL('../../../../test/support/startPostgres.ts', import.meta.url).pathname

let made: string
let directory: string
let servers: EmbeddedPostgres[]
let said: string[]

beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), 'openslot-embedded-'))
  await (await startEmbeddedPostgres({ dataDirectory: made, log: () => {} })).stop()
})

afterAll(() => rmSync(made, { recursive: true, force: true }))

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'openslot-embedded-'))
  servers = []
  said = []
})

afterEach(async () => {
  for (const server of servers) await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Most tests begin where a first start has been: a copy of its data, owner and all. */
function haveStartedBefore(): void {
  execFileSync('cp', ['-a', `${made}/.`, directory])
}

async function start(options: { onDown?: () => void; onUp?: () => void } = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    dataDirectory: directory,
    log: (message) => said.push(message),
    ...options,
  })
  servers.push(server)
  return server
}

async function startElsewhere(): Promise<{ process: ChildProcess; answer: { adopted: boolean; host: string } }> {
  const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { process: child, answer: JSON.parse(line.toString()) as { adopted: boolean; host: string } }
}

async function ask<Row extends object>(connection: PostgresConnection, statement: string): Promise<Row[]> {
  const client = new pg.Client(connection)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(statement)).rows
  } finally {
    await client.end()
  }
}

function postmasterPid(): number {
  return Number(readFileSync(join(directory, 'postgres', 'postmaster.pid'), 'utf8').split('\n', 1)[0])
}

test('rows outlive a stop and a start, and nothing runs in between', async () => {
  const first = await start()
  await ask(first.connection, 'create table kept as select 42 as answer')
  await first.stop()
  expect(existsSync(join(directory, 'postgres', 'postmaster.pid'))).toBe(false)
  const second = await start()
  expect(second.adopted).toBe(false)
  expect(await ask(second.connection, 'select answer from kept')).toEqual([{ answer: 42 }])
})

test('commits are flushed, pages have checksums, text is UTF-8 and sorts by code point, and nothing listens on a port', async () => {
  haveStartedBefore()
  const { connection } = await start()
  const names = [
    'fsync',
    'full_page_writes',
    'synchronous_commit',
    'data_checksums',
    'listen_addresses',
    'shared_buffers',
    'max_connections',
  ]
  const [row] = await ask(
    connection,
    `select ${names.map((name) => `current_setting('${name}') as ${name}`).join(', ')}`,
  )
  expect(row).toEqual({
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    data_checksums: 'on',
    listen_addresses: '',
    shared_buffers: '64MB',
    max_connections: '40',
  })
  const encoding = `select pg_encoding_to_char(encoding) as encoding, 'z' < 'ä' as "byCodePoint", lower('ÄÖ') as small from pg_database where datname = current_database()`
  expect(await ask(connection, encoding)).toEqual([{ encoding: 'UTF8', byCodePoint: true, small: 'äö' }])
})

test('the socket and the data are closed to other users', async () => {
  haveStartedBefore()
  const { connection } = await start()
  expect(statSync(connection.host).mode & 0o777).toBe(0o700)
  expect(statSync(join(directory, 'postgres')).mode & 0o777).toBe(0o700)
  expect(statSync(join(directory, 'postgres.log')).mode & 0o777).toBe(0o600)
})

test.runIf(process.platform === 'linux')('the child sees none of our environment', async () => {
  haveStartedBefore()
  vi.stubEnv('MASTER_KEY', 'canary-of-the-master-key')
  try {
    await start()
    const environment = readFileSync(`/proc/${postmasterPid()}/environ`, 'utf8')
    expect(environment).toContain('LC_ALL=C')
    expect(environment).not.toContain('MASTER_KEY')
  } finally {
    vi.unstubAllEnvs()
  }
})

test.runIf(process.platform === 'linux')('the child listens on its socket alone, and on no port', async () => {
  haveStartedBefore()
  await start()
  const sockets = readdirSync(`/proc/${postmasterPid()}/fd`).map((name) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${postmasterPid()}/fd/${name}`))?.[1]
    } catch {
      // Closed since the folder was read.
      return undefined
    }
  })
  const inodes = sockets.filter((inode) => inode !== undefined)
  expect(inodes.length).toBeGreaterThan(0)
  const ports = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((kind) =>
    readFileSync(`/proc/${postmasterPid()}/net/${kind}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[9]),
  )
  expect(inodes.filter((inode) => ports.includes(inode))).toEqual([])
})

test('after kill -9 of the server the next start adopts what still runs, rows and all', async () => {
  haveStartedBefore()
  const elsewhere = await startElsewhere()
  expect(elsewhere.answer.adopted).toBe(false)
  const pid = postmasterPid()
  elsewhere.process.kill('SIGKILL')
  await once(elsewhere.process, 'exit')
  const server = await start()
  expect(server.adopted).toBe(true)
  expect(postmasterPid()).toBe(pid)
  await server.stop()
  expect(existsSync(join(directory, 'postgres', 'postmaster.pid'))).toBe(false)
})

test('of two processes on one data directory the first to leave lets PostgreSQL run, and the last stops it', async () => {
  haveStartedBefore()
  const elsewhere = await startElsewhere()
  const server = await start()
  expect(server.adopted).toBe(true)
  elsewhere.process.kill('SIGTERM')
  await once(elsewhere.process, 'exit')
  expect(await ask(server.connection, 'select 1 as one')).toEqual([{ one: 1 }])
  await server.stop()
  expect(existsSync(join(directory, 'postgres', 'postmaster.pid'))).toBe(false)
})

test('two that leave at the same moment leave nothing running', async () => {
  const both = await Promise.all([start(), start()])
  expect(both.map((server) => server.adopted).sort()).toEqual([false, true])
  await Promise.all(both.map((server) => server.stop()))
  expect(existsSync(join(directory, 'postgres', 'postmaster.pid'))).toBe(false)
})

test('PostgreSQL that was killed is started again, and what was committed is there', async () => {
  haveStartedBefore()
  const up = Promise.withResolvers<void>()
  const onDown = vi.fn()
  const server = await start({ onDown, onUp: up.resolve })
  await ask(server.connection, 'create table kept as select 42 as answer')
  const pid = postmasterPid()
  process.kill(pid, 'SIGKILL')
  await up.promise
  expect(onDown).toHaveBeenCalledTimes(1)
  expect(postmasterPid()).not.toBe(pid)
  expect(await ask(server.connection, 'select answer from kept')).toEqual([{ answer: 42 }])
})

test('data of another major version are refused with the way out', async () => {
  haveStartedBefore()
  writeFileSync(join(directory, 'postgres', 'PG_VERSION'), '17\n')
  await expect(start()).rejects.toThrow(/written by PostgreSQL 17 .* "openslot backup FILE" .* "openslot restore FILE"/)
})

test('a cause in the log is named in the error', async () => {
  haveStartedBefore()
  writeFileSync(join(directory, 'postgres', 'postgresql.auto.conf'), 'no_such_setting = 1\n')
  await expect(start()).rejects.toThrow(/PostgreSQL did not start .*(no_such_setting|configuration file)/)
})

test('a database that lost its files is told from one that is only slow, with what to do, and nothing is left running', async () => {
  haveStartedBefore()
  const data = join(directory, 'postgres')
  const whatToDo = `is damaged \\(.*\\)\\. Move that folder away and keep it, .* "openslot restore FILE"`
  renameSync(join(data, 'base'), join(data, 'base.lost'))
  await expect(start()).rejects.toThrow(
    new RegExp(`^The database in ${data} ${whatToDo.replace('.*', 'database "postgres" does not exist')}`),
  )
  await vi.waitFor(() => expect(existsSync(join(data, 'postmaster.pid'))).toBe(false), { timeout: 10_000 })
  renameSync(join(data, 'base.lost'), join(data, 'base'))
  rmSync(join(data, 'global', 'pg_control'))
  await expect(start()).rejects.toThrow(new RegExp(whatToDo.replace('.*', '.*pg_control": No such file or directory')))
})

test('data that others can look into are refused with the way out', async () => {
  haveStartedBefore()
  chmodSync(join(directory, 'postgres'), 0o755)
  await expect(start()).rejects.toThrow(`chmod 700 it and start again`)
})

test.runIf(process.platform === 'linux')(
  'a lock file whose process is not PostgreSQL does not keep it from starting',
  async () => {
    haveStartedBefore()
    const server = await start()
    await server.stop()
    const foreign = spawn('sleep', ['60'], {
      ...(process.getuid?.() === 0 ? ownerOfData() : {}),
      cwd: '/',
      stdio: 'ignore',
    })
    try {
      writeFileSync(
        join(directory, 'postgres', 'postmaster.pid'),
        `${foreign.pid}\n${directory}/postgres\n0\n5432\n\n\n`,
      )
      expect((await start()).adopted).toBe(false)
      expect(said.join()).toContain('lock file')
    } finally {
      foreign.kill()
    }
  },
)

test('a data directory that is too deep for a socket gets its socket elsewhere', async () => {
  const outer = directory
  chmodSync(outer, 0o711)
  directory = join(outer, 'deep'.repeat(25))
  try {
    const { connection } = await start()
    expect(connection.host.startsWith(directory)).toBe(false)
    expect(existsSync(join(directory, 'postgres', 'PG_VERSION'))).toBe(true)
    expect(statSync(connection.host).mode & 0o777).toBe(0o700)
    expect(await ask(connection, 'select 1 as one')).toEqual([{ one: 1 }])
    await servers.pop()?.stop()
    rmSync(connection.host, { recursive: true })
  } finally {
    rmSync(directory, { recursive: true, force: true })
    directory = outer
  }
})

test('a disk without room is named, whatever PostgreSQL makes of it', () => {
  const words =
    'could not write to file "pg_wal/xlogtemp.9": No space left on device\nPANIC:  cannot abort transaction 1, it was already committed\n'
  expect(explainFailure(words)).toBe('There is no space left on the disk; make room and start again.')
  expect(explainFailure('LOG:  x\nFATAL:  y\n')).toBe('FATAL:  y')
  const start = '2026-11-26 21:24:37.341 UTC [17832] '
  expect(explainFailure(`${start}FATAL:  y\n${start}FATAL:  the database system is starting up\n`)).toBe('FATAL:  y')
})

function ownerOfData(): { uid: number; gid: number } {
  const { uid, gid } = statSync(join(directory, 'postgres'))
  return { uid, gid }
}
