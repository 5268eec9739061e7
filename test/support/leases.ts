/** Leases that a test does not wait for. */
import type { App } from '../../src/app.ts'

/** For a run of the worker: as if whoever works on the booking had died, and its lease had run out. */
export const leaseIsOver = { leasedUntil: 'infinity' } as const

/** As if all that had begun had died, and its leases had run out: of bookings, and of requests with an `Idempotency-Key`. */
export async function endLeases({ database: { pool } }: Pick<App, 'database'>): Promise<void> {
  await pool.query(
    `update openslot.idempotency_keys set lease_until = now() - interval '1 second' where response is null`,
  )
  await pool.query(
    `update graphile_worker._private_jobs set payload = (payload::jsonb - 'leasedUntil')::json where key like 'settle:%'`,
  )
}
