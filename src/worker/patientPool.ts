// The connections of the job queue, which takes a database that is away for one that comes back.
import type { Pool, PoolClient, QueryConfig } from 'pg'

/** What the queue asks again for hours, first after three seconds: PostgreSQL starts up or shuts down. */
const asksAgain = '57P03'

/**
 * `pool` as the queue is to see it. It marks jobs as done without waiting for the answer, and asks again only where it knows the
 * code: whatever else is thrown then ends the process. `isAway` says of which failures another try, later, may do; the job is
 * marked when the database is back. After `leave` nothing answers any more: what is not marked is taken up again by another process.
 */
export function patientPool(pool: Pool, isAway: (error: unknown) => boolean): { pool: Pool; leave(): void } {
  let hasLeft = false
  const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await (hasLeft ? never : ask())
    } catch (error) {
      if (hasLeft) return never
      throw isAway(error) ? Object.assign(new Error(String(error), { cause: error }), { code: asksAgain }) : error
    }
  }
  const connect = async () => {
    const client = await patiently(() => pool.connect())
    return {
      query: (asked: string | QueryConfig, values?: unknown[]) => patiently(() => client.query(asked, values)),
      release: (error?: Error) => client.release(error),
    }
  }
  return {
    // The listener for new jobs connects with a callback, and heeds its own failures.
    pool: Object.create(pool, {
      connect: {
        value: (heed?: (error: Error | undefined, client?: PoolClient, release?: () => void) => void) =>
          heed === undefined ? connect() : pool.connect(heed as Parameters<Pool['connect']>[0]),
      },
    }) as Pool,
    leave: () => {
      hasLeft = true
    },
  }
}

const never = new Promise<never>(() => {})
