/** The PostgreSQL of an installation that named none: a child process, started, adopted, watched and stopped from here. */

import { setTimeout as delay } from 'node:timers/promises'

import { Client } from 'pg'

import { explainDamage, isDamage } from '../damage.ts'
import { type PostgresPlace, preparePlace } from './place.ts'
import {
  checkVersion,
  explainEnd,
  gaveWay,
  initialise,
  isPostmaster,
  type PostgresChild,
  readPostmasterPid,
  readSocketDirectory,
  removeForeignLock,
  spawnPostgres,
} from './process.ts'

/** A running PostgreSQL. `adopted`: it was running already, after a crash of the server that started it or for another process. */
export type EmbeddedPostgres = {
  readonly connection: PostgresConnection
  readonly adopted: boolean
  /** Stops PostgreSQL (fast shutdown) if no other OpenSlot process uses it; the last one out closes the door, whoever opened it. */
  stop(): Promise<void>
}

/** What `pg` needs; `host` is the folder of the Unix socket. There is no password: the folder is closed to others. */
export type PostgresConnection = {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
}

/** `onDown` and `onUp` frame the time in which PostgreSQL is away; `settings` are PostgreSQL's own, for tests. */
export type EmbeddedPostgresOptions = {
  readonly dataDirectory: string
  readonly log: (message: string, details?: object) => void
  readonly onDown?: () => void
  readonly onUp?: () => void
  readonly settings?: Readonly<Record<string, string>>
  /** Where root places what the child cannot reach; /var/lib/openslot. */
  readonly rootDirectories?: readonly string[]
}

/**
 * The keeper: one idle connection for each OpenSlot process. Its end tells at once that PostgreSQL is away, and its shared advisory
 * lock says that this process still needs PostgreSQL. A crash gives the lock back, so there is no register that could go stale.
 */
type Running = { readonly keeper: Client; readonly host: string; readonly adopted: boolean }

const port = 5432
const user = 'postgres'
const database = 'openslot'
/** Any number that nothing else in the database `postgres` locks. */
const usersLock = 7_310_579_021
const patienceMs = 10_000

/**
 * Starts PostgreSQL 18 on `<dataDirectory>/postgres`, or adopts the one that runs there, and makes the database at the first start.
 * Reachable through a Unix socket only. Commits are flushed to disk. Throws one plain sentence when it cannot.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, settings = {} } = options
  let place = preparePlace(options)
  let running = await bringUp(place, settings, log)
  await createDatabase(running.host)
  // The pool knows this address; whatever starts PostgreSQL again must use it too.
  place = { ...place, socketDirectory: running.host }
  const adopted = running.adopted
  let stopping = false
  let recovery: Promise<void> | undefined

  const watch = (): void => {
    running.keeper.once('end', () => {
      if (!stopping) recovery = recover()
    })
  }
  const recover = async (): Promise<void> => {
    log('PostgreSQL is away; starting it again.')
    options.onDown?.()
    for (let waitMs = 100; !stopping; waitMs = Math.min(waitMs * 2, 5_000)) {
      try {
        running = await bringUp(place, settings, log)
        watch()
        log('PostgreSQL is back.')
        options.onUp?.()
        return
      } catch (error) {
        log('PostgreSQL could not be started; trying again.', { error: String(error), waitMs })
        await delay(waitMs)
      }
    }
  }
  watch()
  return {
    connection: { host: running.host, port, user, database },
    adopted,
    async stop() {
      if (stopping) return
      stopping = true
      await recovery
      await leave(running.keeper, place.databaseDirectory, log)
    },
  }
}

async function bringUp(
  place: PostgresPlace,
  settings: Readonly<Record<string, string>>,
  log: EmbeddedPostgresOptions['log'],
): Promise<Running> {
  checkVersion(place)
  const begun = performance.now()
  let child: PostgresChild | undefined
  let saidAt = begun
  for (;;) {
    const answer = await knock(place)
    if (answer instanceof Error) {
      // It runs, and serves nobody: ours would outlive us.
      child?.process.kill('SIGINT')
      throw new Error(explainDamage(answer.message, place.databaseDirectory), { cause: answer })
    }
    // Our own child may be about to give way to the one that answered.
    if (typeof answer === 'object')
      return { ...answer, adopted: readPostmasterPid(place.databaseDirectory) !== child?.process.pid }
    const waitedMs = performance.now() - begun
    if (child?.exit !== undefined) {
      const words = child.lastWords()
      if (!gaveWay(words) || waitedMs > patienceMs) throw new Error(explainEnd(place, child))
      if (answer === 'absent' && removeForeignLock(place))
        log('Removed a lock file that a PostgreSQL of an earlier start had left behind.')
      child = undefined
      await delay(100)
    } else if (child === undefined && answer === 'absent') {
      await initialise(place)
      child = spawnPostgres(place, settings)
    } else if (child === undefined && waitedMs > 6 * patienceMs) {
      throw new Error('PostgreSQL is running but does not accept connections; see postgres.log in the data directory.')
    }
    if (performance.now() - saidAt > patienceMs) {
      saidAt = performance.now()
      log('Still waiting for PostgreSQL; after a crash it first replays its log.')
    }
    await delay(child === undefined ? 50 : 10)
  }
}

/**
 * A keeper on whatever answers; `absent` when nothing listens, `busy` when PostgreSQL is there but starts, stops or is full. An
 * error: it lets nobody in, and never will, as its files are damaged.
 */
async function knock(place: PostgresPlace): Promise<{ keeper: Client; host: string } | 'absent' | 'busy' | Error> {
  let answer: 'absent' | 'busy' = 'absent'
  for (const host of new Set([
    place.socketDirectory,
    readSocketDirectory(place.databaseDirectory) ?? place.socketDirectory,
  ])) {
    const keeper = makeClient(host, 'postgres')
    // A lost connection is told by 'end'; without a listener 'error' would end the process.
    keeper.on('error', () => {})
    try {
      await keeper.connect()
      // Whoever stops PostgreSQL holds this lock alone; then the wait ends with the connection.
      await keeper.query(`set lock_timeout = '5s'`)
      await keeper.query('select pg_advisory_lock_shared($1)', [usersLock])
      return { keeper, host }
    } catch (error) {
      await keeper.end().catch(() => {})
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (code === 'EACCES')
        throw new Error(
          `The running PostgreSQL in ${host} belongs to another user; run as that user, or set DATA_DIR.`,
          { cause: error },
        )
      // The database that every cluster has.
      if (error instanceof Error && (isDamage(error) || code === '3D000')) return error
      if (!['ENOENT', 'ECONNREFUSED'].includes(code)) answer = 'busy'
    }
  }
  return answer
}

async function createDatabase(host: string): Promise<void> {
  const client = makeClient(host, 'postgres')
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database])
    if (rowCount === 0) await client.query(`create database ${database}`)
  } catch (error) {
    // 42P04 and 23505: another process that started at the same moment was first.
    if (!(error instanceof Error && 'code' in error && ['42P04', '23505'].includes(String(error.code)))) throw error
  } finally {
    await client.end()
  }
}

/** Lets go of PostgreSQL, and stops it when nobody else holds on: of two that leave at once, exactly one gets the lock. */
async function leave(keeper: Client, databaseDirectory: string, log: EmbeddedPostgresOptions['log']): Promise<void> {
  try {
    await keeper.query('select pg_advisory_unlock_shared($1)', [usersLock])
    const { rows } = await keeper.query<{ last: boolean }>('select pg_try_advisory_lock($1) as last', [usersLock])
    const pid = readPostmasterPid(databaseDirectory)
    // A PostgreSQL in another container is out of reach of our signals, and its own container stops it.
    if (rows[0]?.last && pid !== undefined && isPostmaster(pid, databaseDirectory))
      await shutDown(pid, databaseDirectory, log)
  } catch (error) {
    // The other one that was leaving has just stopped it, or it is away already: there is nothing left to stop.
    log('PostgreSQL was gone before it could be stopped.', { error: String(error) })
  }
  await keeper.end().catch(() => {})
}

async function shutDown(pid: number, databaseDirectory: string, log: EmbeddedPostgresOptions['log']): Promise<void> {
  const begun = performance.now()
  process.kill(pid, 'SIGINT')
  let urged = false
  while (readPostmasterPid(databaseDirectory) === pid && isPostmaster(pid, databaseDirectory)) {
    if (!urged && performance.now() - begun > 3 * patienceMs) {
      urged = true
      log('PostgreSQL takes long to stop; stopping it at once. Nothing is lost: it replays its log at the next start.')
      process.kill(pid, 'SIGQUIT')
    }
    await delay(10)
  }
}

function makeClient(host: string, name: string): Client {
  return new Client({
    host,
    port,
    user,
    database: name,
    ssl: false,
    connectionTimeoutMillis: 5_000,
    application_name: 'openslot keeper',
  })
}
