// The feed of everything that happened: for clients that were away.
import { type AppId, isUuid } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Notification } from '../../core/webhook/delivery.ts'
import type { Queryable } from './database/database.ts'
import { sql } from './database/sql.ts'

export type FeedPage = {
  readonly limit: number
  /** The id of the last notification that was read. */
  readonly after: string | undefined
  readonly triggers: readonly string[] | undefined
  readonly grantId: string | undefined
}

/**
 * Oldest first. A notification appears only when no transaction is left that could still write an earlier one, so a client
 * that remembers the last id misses nothing. Undefined where `after` names none. Not inside a transaction: the activity of
 * others is seen by the login that they share.
 */
export async function readFeed(
  queryable: Queryable,
  appId: AppId,
  page: FeedPage,
): Promise<Notification[] | undefined> {
  // Asked first: whatever began before this answer has ended when the second statement looks.
  const [horizon] = await queryable.query<{ at: string }>(sql`
    select least(clock_timestamp(), min(xact_start))::text as at from pg_stat_activity
    where datname = current_database() and backend_xid is not null and pid <> pg_backend_pid()`)
  if (page.after !== undefined) {
    const known = isUuid(page.after)
      ? await queryable.query(
          sql`select id from openslot.webhook_events where app_id = ${appId} and id = ${page.after}`,
        )
      : []
    if (known.length === 0) return undefined
  }
  const rows = await queryable.query<
    Omit<Notification, 'grantId'> & { grantId: string | null; happenedAt: Instant }
  >(sql`
    select id, trigger, object_id as "objectId", number, grant_id as "grantId", body as object, created_at as "happenedAt"
    from openslot.webhook_events
    where app_id = ${appId} and created_at < ${horizon?.at ?? null}::timestamptz
      ${page.after === undefined ? sql`` : sql`and (created_at, id) > (select created_at, id from openslot.webhook_events where app_id = ${appId} and id = ${page.after})`}
      ${page.triggers === undefined ? sql`` : sql`and trigger = any(${page.triggers}::text[])`}
      ${page.grantId === undefined ? sql`` : sql`and grant_id = ${page.grantId}`}
    order by created_at, id limit ${page.limit}`)
  return rows.map(({ grantId, ...row }) => ({ ...row, grantId: grantId ?? undefined }))
}
