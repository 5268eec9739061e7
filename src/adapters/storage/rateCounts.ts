// Counts that several processes keep together: of no application, and over within the hour.
import type { Queryable } from './database/database.ts'
import { hashToken } from './database/ids.ts'
import { partSize } from './database/maintenance.ts'
import { sql } from './database/sql.ts'

/** `msBeforeNext`: until the span ends that the points were counted in. */
export type Counted = { readonly points: number; readonly msBeforeNext: number }

/** Adds `points`, in a new span where none has begun or the last one is over; answers what the span has now. */
export async function addPoints(
  database: Queryable,
  name: string,
  key: string,
  { points, seconds }: { readonly points: number; readonly seconds: number },
): Promise<Counted> {
  const [row] = await database.query<Counted>(sql`
    insert into openslot.rate_counts as kept (counter, key_hash, points, ends_at)
    values (${name}, ${hashToken(key)}, ${points}, now() + make_interval(secs => ${seconds}))
    on conflict (counter, key_hash) do update
      set points = case when kept.ends_at <= now() then excluded.points else kept.points + excluded.points end,
        ends_at = case when kept.ends_at <= now() then excluded.ends_at else kept.ends_at end
    returning points, extract(epoch from ends_at - now()) * 1000 as "msBeforeNext"`)
  if (row === undefined) throw new Error('an insert returned no row')
  return row
}

/** What the span that is on has; no points where there is none. */
export async function readPoints(database: Queryable, name: string, key: string): Promise<Counted> {
  const [row] = await database.query<Counted>(sql`
    select points, extract(epoch from ends_at - now()) * 1000 as "msBeforeNext" from openslot.rate_counts
    where counter = ${name} and key_hash = ${hashToken(key)} and ends_at > now()`)
  return row ?? { points: 0, msBeforeNext: 0 }
}

/** At most 1,000; answers how many. */
export async function deleteEndedCounts(database: Queryable): Promise<number> {
  const rows = await database.query(sql`
    delete from openslot.rate_counts where (counter, key_hash) in (
      select counter, key_hash from openslot.rate_counts where ends_at < now() limit ${partSize})
    returning counter`)
  return rows.length
}
