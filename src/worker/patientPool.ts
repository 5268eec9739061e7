// The connections of the job queue, which takes a database that is away for one that comes back.
import { setTimeout as wait } from 'node:timers/promises'
import type { Pool, PoolClient, QueryConfig } from 'pg'

/** What says of a job that it is done, or failed, by the names of the statements. */
const marks = /^(complete|fail)_job/
/** What the queue itself asks again for hours, three seconds to three minutes later: PostgreSQL starts up or shuts down. */
const asksAgain = '57P03'

export type PatientPool = {
  readonly pool: Pool
  /** Before the queue is stopped: its clock no longer waits for a database that is away. Jobs that end are still marked. */
  stop(): void
  /** Then: what is not marked by now is taken up again by another process. */
  leave(): void
}

/**
 * `pool` as the queue is to see it; `isAway` says of which failures another try, later, may do. The queue marks jobs without
 * waiting for the answer, so that a failure would end the process: they are marked when the database is back. Everything else
 * fails at once, in words for which the queue does not sleep: it asks for jobs each second, and can be stopped meanwhile.
 */
export function patientPool(
  pool: Pool,
  { isAway, pauseMs = 1_000 }: { readonly isAway: (error: unknown) => boolean; readonly pauseMs?: number },
): PatientPool {
  let isStopping = false
  let hasLeft = false

  const mark = async (asked: QueryConfig) => {
    for (;;) {
      try {
        return await pool.query(asked)
      } catch (error) {
        if (hasLeft) return never
        if (!isAway(error)) throw error
      }
      // Nobody waits for a mark, nor does the end of the process.
      await wait(pauseMs, undefined, { ref: false })
    }
  }

  /** Of the clock, which sleeps longer after each failure, and cannot be stopped then: it hears of one when the database is back. */
  const askForClock = async (asked: string, values?: unknown[]) => {
    try {
      return await pool.query(asked, values)
    } catch (error) {
      for (let failure = error; isAway(failure) && !isStopping; ) {
        await wait(pauseMs)
        failure = await pool.query('select').then(
          () => undefined,
          (still: unknown) => still,
        )
      }
      throw error
    }
  }

  /** Connects at the first statement that needs it, so that who is to wait for the database is known. */
  const connect = async () => {
    let client: PoolClient | undefined
    return {
      query: async (asked: string | QueryConfig, values?: unknown[]) => {
        if (typeof asked !== 'string' && marks.test(asked.name ?? '')) return mark(asked)
        try {
          client ??= await pool.connect()
          return await client.query(asked, values)
        } catch (error) {
          if (!isAway(error)) throw error
          // Without a name goes which tasks there are: asked once, at the start, and a failure would be kept for ever.
          const isNamed = typeof asked !== 'string' && asked.name !== undefined
          throw Object.assign(new Error(String(error), { cause: error }), isNamed ? {} : { code: asksAgain })
        }
      },
      release: (error?: Error) => client?.release(error),
    }
  }

  return {
    pool: Object.create(pool, {
      query: { value: askForClock },
      // The listener for new jobs connects with a callback, and heeds its own failures.
      connect: {
        value: (heed?: (error: Error | undefined, client?: PoolClient, release?: () => void) => void) =>
          heed === undefined ? connect() : pool.connect(heed as Parameters<Pool['connect']>[0]),
      },
    }) as Pool,
    stop: () => {
      isStopping = true
    },
    leave: () => {
      hasLeft = true
    },
  }
}

const never = new Promise<never>(() => {})
