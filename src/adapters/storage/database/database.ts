// The door to PostgreSQL: statements, transactions that belong to one application, and what their failures mean.
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'

import type { AppId } from '../../../core/ids.ts'
import { type Connection, toClientConfig } from './connection.ts'
import { preparedName, type Sql } from './sql.ts'

/** What can be asked inside and outside a transaction alike. Statements sent together run in the order sent. */
export type Queryable = {
  query<Row extends object = Record<string, never>>(statement: Sql): Promise<Row[]>
}

/** A transaction of one application: row security shows it no other application's grants and bookings. */
export type Transaction = Queryable & { readonly appId: AppId }

/** A transaction in the hands of whoever opened it. */
export type OwnTransaction = Transaction & {
  /**
   * The last statement, sent together with the commit: for a write that nothing after it can undo. Whatever `work` answers
   * then, the transaction stands; where the statement fails, nothing does.
   */
  commitWith(statement: Sql): Promise<void>
}

/** The database is away, or a transaction lost every retry: nothing was written. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
}

/** The connection broke during commit: what was written may or may not stand. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown'
}

/** A statement hit the named constraint. */
export class ConstraintViolation extends Error {
  override readonly name = 'ConstraintViolation'
  readonly constraint: string
  constructor(constraint: string, cause: unknown) {
    super(`constraint ${constraint}`, { cause })
    this.constraint = constraint
  }
}

export type DatabaseOptions = {
  readonly connection: Connection
  readonly poolSize: number
  /** Non-owning role taken on for each transaction; absent where the login role is that role already. */
  readonly role?: string
  /** Sees every statement; for the test that checks that each names its application. */
  readonly onStatement?: (text: string) => void
}

const retryableStates = new Set(['40P01', '40001', '55P03'])
const awayStates = new Set(['57P01', '57P02', '57P03', '25P03', '25006', '53300', '08006', '08001', '08003', '08000'])
const transactionAttempts = 4

// bigint and numeric columns hold counters that stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number)
// Instants come as milliseconds, not as `Date`.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => new Date(text).getTime())

export class Database implements Queryable {
  readonly pool: pg.Pool
  readonly #begin: string
  readonly #onStatement: ((text: string) => void) | undefined

  constructor(options: DatabaseOptions) {
    this.pool = new pg.Pool({
      ...toClientConfig(options.connection),
      max: options.poolSize,
      application_name: 'openslot',
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 60_000,
      statement_timeout: 5_000,
      lock_timeout: 3_000,
      idle_in_transaction_session_timeout: 10_000,
      pipeline: true,
    } as pg.PoolConfig)
    // A broken idle connection is replaced at the next use; without a listener it would end the process.
    this.pool.on('error', () => {})
    // The same for one that breaks in use: its statement fails, and that failure is what counts.
    this.pool.on('connect', (client) => client.on('error', () => {}))
    // Our statements find rows by their keys whatever the values, so planning them again for each booking gains nothing.
    const plans = 'begin; set local plan_cache_mode = force_generic_plan'
    this.#begin = options.role === undefined ? plans : `${plans}; set local role ${options.role}`
    this.#onStatement = options.onStatement
  }

  /** One statement in a transaction of its own. Throws `DatabaseUnavailable`, `ConstraintViolation`. */
  async query<Row extends object = Record<string, never>>(statement: Sql): Promise<Row[]> {
    this.#onStatement?.(statement.text)
    try {
      return (await this.pool.query(prepared(statement))).rows as Row[]
    } catch (error) {
      throw translate(error)
    }
  }

  /**
   * Runs `work` in one transaction of `appId`, READ COMMITTED. Deadlocks and lock time-outs are tried again from the
   * start, up to three times, and once more when the connection broke before commit: `work` must not act outside.
   * A `Result` that holds a problem rolls back.
   * Throws `DatabaseUnavailable`, `CommitUnknown`, and what `work` throws.
   */
  transaction<T>(appId: AppId, work: (transaction: OwnTransaction) => Promise<T>): Promise<T> {
    return this.#tryAgain(() => this.#attempt(appId, work, 'untilDone'))
  }

  /**
   * As `transaction`, for what is only read: what `work` asks before it first waits goes out together with the commit, in one
   * turn to the database instead of two. Asking later throws.
   */
  read<T>(appId: AppId, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#tryAgain(() => this.#attempt(appId, work, 'atOnce'))
  }

  async #tryAgain<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run()
      } catch (error) {
        if (!(error instanceof RetryTransaction)) throw error
        if (attempt >= (error.isAway ? 2 : transactionAttempts))
          throw new DatabaseUnavailable('the transaction lost every retry', { cause: error.cause })
        await wait(5 * attempt * Math.random() + (error.isAway ? 100 : 0))
      }
    }
  }

  async #attempt<T>(
    appId: AppId,
    work: (transaction: OwnTransaction) => Promise<T>,
    asking: 'untilDone' | 'atOnce',
  ): Promise<T> {
    const client = await this.#connect()
    let broken: Error | undefined
    let failure: unknown
    const note = (error: Error) => {
      broken = error
    }
    client.on('error', note)
    let isCommitted = false
    let isOver = false
    const ask = async <Row extends object>(statement: Sql): Promise<Row[]> => {
      if (isOver) throw new Error('a reading asks everything at once')
      this.#onStatement?.(statement.text)
      sendTogether(client)
      try {
        return (await client.query(prepared(statement))).rows as Row[]
      } catch (error) {
        // Statements sent together fail together; the first failure is the reason.
        failure ??= error
        throw translate(failure)
      }
    }
    const transaction: OwnTransaction = {
      appId,
      query: ask,
      commitWith: async (statement) => {
        const [asked, committed] = await Promise.allSettled([ask(statement), commit(client)])
        // A server that refused the statement has rolled back, and says so; a connection that broke says nothing.
        if (asked.status === 'rejected') {
          if (!(failure instanceof pg.DatabaseError) && isAway(failure)) throw unknownCommit(failure)
          throw asked.reason
        }
        if (committed.status === 'rejected') throw committed.reason
        isCommitted = true
      },
    }
    try {
      sendTogether(client)
      // The application id is a UUID by type, so it can stand in the text; a parameter would cost a round trip.
      const opened = client.query(`${this.#begin}; set local app.id = '${appId}'`)
      opened.catch(note)
      const working = work(transaction)
      if (asking === 'atOnce') {
        isOver = true
        // Nothing was written, so nobody needs to know whether the commit came through.
        const [value] = await Promise.all([working, client.query('commit'), opened])
        return value
      }
      const value = await working
      await opened
      if (isCommitted) return value
      if (isProblem(value)) await client.query('rollback')
      else await commit(client)
      return value
    } catch (error) {
      const cause = failure ?? error
      if (!(error instanceof CommitUnknown)) await client.query('rollback').catch(note)
      if (error instanceof CommitUnknown) throw error
      if (retryableStates.has(sqlState(cause))) throw new RetryTransaction(cause, false)
      if (isAway(cause)) throw new RetryTransaction(cause, true)
      throw error instanceof pg.DatabaseError ? translate(error) : error
    } finally {
      client.off('error', note)
      client.release(broken)
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect()
    } catch (error) {
      throw new RetryTransaction(error, true)
    }
  }

  async close(): Promise<void> {
    await this.pool.end()
  }
}

async function commit(client: pg.PoolClient): Promise<void> {
  try {
    const { command } = await client.query('commit')
    if (command === 'ROLLBACK') throw new Error('a statement of the transaction failed unnoticed')
  } catch (error) {
    if (isAway(error)) throw unknownCommit(error)
    throw error
  }
}

function unknownCommit(cause: unknown): CommitUnknown {
  return new CommitUnknown('the connection broke during commit', { cause })
}

const held = new WeakSet<pg.PoolClient>()

/** What is asked in one turn of the event loop leaves in one write: a booking's statements in a few. */
function sendTogether(client: pg.PoolClient): void {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
  if (held.has(client)) return
  held.add(client)
  stream.cork()
  process.nextTick(() => {
    held.delete(client)
    stream.uncork()
  })
}

class RetryTransaction extends Error {
  readonly isAway: boolean
  constructor(cause: unknown, isAway: boolean) {
    super('retry', { cause })
    this.isAway = isAway
  }
}

function isProblem(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as { ok?: unknown }).ok === false
}

function prepared(statement: Sql): pg.QueryConfig {
  const name = preparedName(statement.text)
  const values = statement.values as unknown[]
  return name === undefined ? { text: statement.text, values } : { name, text: statement.text, values }
}

function translate(error: unknown): unknown {
  if (isAway(error)) return new DatabaseUnavailable('the database cannot be reached', { cause: error })
  const state = sqlState(error)
  // Its time was up, or that for a lock which others hold: another try would take as long.
  if (state === '57014' || state === '55P03')
    return new DatabaseUnavailable('the database took too long', { cause: error })
  // Class 53: no room on its disk or in its memory. What is there can be read, and whoever makes room is asked to.
  if (state.startsWith('53')) return new DatabaseUnavailable('the database has no room', { cause: error })
  if (state === '23P01' || state === '23505' || state === '23503')
    return new ConstraintViolation((error as { constraint?: string }).constraint ?? state, error)
  return error
}

function sqlState(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** Whether another try, later, may do: nobody was reached, or nobody who could serve. */
export function isAway(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true
  const code = sqlState(error)
  if (awayStates.has(code) || /^E(CONN|PIPE|NOENT|HOSTUNREACH|NETUNREACH|TIMEDOUT|AI_AGAIN|NOTFOUND)/.test(code))
    return true
  return (
    error instanceof Error &&
    /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(
      error.message,
    )
  )
}
