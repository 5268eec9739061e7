// What whoever runs the server asks of the database: locks, and how it stands.
import type { AppId, BookingId } from '../../../core/ids.ts'
import type { Instant } from '../../../core/time/instant.ts'
import type { Queryable, Transaction } from './database.ts'
import { firstIdAt } from './ids.ts'
import { sql } from './sql.ts'

/** Any number that nothing else in this database locks. */
const bootstrapLock = 7_203_482

/** Waits for another bootstrap; held until the transaction ends. */
export async function lockBootstrap(transaction: Transaction): Promise<void> {
  await transaction.query(sql`select pg_advisory_xact_lock(${bootstrapLock})`)
}

export type DatabaseFacts = {
  /** As PostgreSQL counts: 180004 is 18.4. */
  readonly version: number
  readonly now: Instant
  readonly hasSchema: boolean
  readonly login: string
  readonly loginIgnoresRowSecurity: boolean
  readonly hasServerRole: boolean
  readonly serverRoleIgnoresRowSecurity: boolean
}

export async function readFacts(database: Queryable, serverRole: string): Promise<DatabaseFacts> {
  const [row] = await database.query<DatabaseFacts>(sql`
    select current_setting('server_version_num')::int as version, clock_timestamp() as now,
      to_regclass('openslot.migrations') is not null as "hasSchema", current_user::text as login,
      (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) as "loginIgnoresRowSecurity",
      exists (select from pg_roles where rolname = ${serverRole}::text) as "hasServerRole",
      coalesce((select rolsuper or rolbypassrls from pg_roles where rolname = ${serverRole}::text), false) as "serverRoleIgnoresRowSecurity"`)
  if (row === undefined) throw new Error('a query without a table returned no row')
  return row
}

/** Tables of one application each whose row security is not in force; none should be here. */
export async function findUnguardedTables(database: Queryable): Promise<string[]> {
  const rows = await database.query<{ name: string }>(sql`
    select relname as name from pg_class
    where relnamespace = 'openslot'::regnamespace and relname in ('grants', 'connectors', 'data_keys', 'bookings', 'webhook_endpoints')
      and not (relrowsecurity and relforcerowsecurity)`)
  return rows.map(({ name }) => name)
}

/** Whether the server's role could change what the audit log says. */
export async function canRewriteAudit(database: Queryable, serverRole: string): Promise<boolean> {
  const [row] = await database.query<{ can: boolean }>(sql`
    select has_table_privilege(${serverRole}::text, 'openslot.audit_log', 'update, delete, truncate') as can`)
  return row?.can ?? true
}

/** Seconds since a worker last did something that recurs; undefined where none has ever run. */
export async function readWorkerSilence(database: Queryable): Promise<number | undefined> {
  const [row] = await database.query<{ seconds: number | null }>(sql`
    select extract(epoch from clock_timestamp() - max(greatest(known_since, last_execution)))::float8 as seconds
    from graphile_worker._private_known_crontabs`)
  return row?.seconds ?? undefined
}

/** Bookings whose claim has stood for over a minute without an answer; the worker takes them up. */
export async function countOldHeld(transaction: Transaction): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(sql`
    select count(*) as count from openslot.bookings
    where app_id = ${transaction.appId} and change is not null and state = 'held' and updated_at < now() - interval '60 seconds'`)
  return row?.count ?? 0
}

export async function listAppIds(database: Queryable): Promise<AppId[]> {
  const rows = await database.query<{ appId: AppId }>(
    sql`select app_id as "appId" from openslot.applications order by created_at, app_id`,
  )
  return rows.map(({ appId }) => appId)
}

/** Of each kind, in one statement: more would hold others up. Who has had fewer has had all. */
export const partSize = 1_000

/** Deletes what has run out, at most 1,000 rows of each kind; answers how many. */
export async function deleteExpired(transaction: Transaction): Promise<number> {
  const { appId } = transaction
  const deleted = await Promise.all([
    transaction.query(sql`
      delete from openslot.idempotency_keys where app_id = ${appId} and (scope, key_hash) in (
        select scope, key_hash from openslot.idempotency_keys where app_id = ${appId} and expires_at < now() limit ${partSize})
      returning app_id`),
    transaction.query(sql`
      delete from openslot.sessions where app_id = ${appId} and token_hash in (
        select token_hash from openslot.sessions where app_id = ${appId} and expires_at < now() limit ${partSize})
      returning app_id`),
    transaction.query(sql`
      delete from openslot.access_tokens where app_id = ${appId} and token_hash in (
        select token_hash from openslot.access_tokens where app_id = ${appId} and expires_at < now() limit ${partSize})
      returning app_id`),
  ])
  return deleted.flat().length
}

/** Notifications of before then, with their deliveries and attempts; at most 1,000. Answers how many. */
export async function deleteOldNotifications(transaction: Transaction, before: Instant): Promise<number> {
  const { appId } = transaction
  const deleted = await transaction.query(sql`
    delete from openslot.webhook_events where app_id = ${appId} and id in (
      select id from openslot.webhook_events where app_id = ${appId} and created_at < ${new Date(before)} order by created_at limit ${partSize})
    returning id`)
  return deleted.length
}

/** Mails of before then that belong to no notification, with their attempts; at most 1,000. Answers how many. */
export async function deleteOldMails(transaction: Transaction, before: Instant): Promise<number> {
  const { appId } = transaction
  const deleted = await transaction.query(sql`
    delete from openslot.deliveries where app_id = ${appId} and id in (
      select id from openslot.deliveries
      where app_id = ${appId} and kind = 'mail' and event_id is null and id < ${firstIdAt(before)} order by id limit ${partSize})
    returning id`)
  return deleted.length
}

/** Applications for which something waits to be sent, or to be shared out among endpoints. */
export async function listAppsWithWebhooks(database: Queryable, now: Instant): Promise<AppId[]> {
  const rows = await database.query<{ appId: AppId }>(sql`
    select app_id as "appId" from openslot.webhook_events where fanned_out_at is null
    union select app_id from openslot.deliveries where kind = 'webhook' and state = 'ready' and due_at > '-infinity' and due_at <= ${new Date(now)}
    order by 1`)
  return rows.map(({ appId }) => appId)
}

/** Bookings whose change has not been settled for a minute and that no job waits for: whoever had it has died. */
export async function findUnsettled(transaction: Transaction): Promise<BookingId[]> {
  const rows = await transaction.query<{ id: BookingId }>(sql`
    select id from openslot.bookings
    where app_id = ${transaction.appId} and change is not null and updated_at < now() - interval '60 seconds'
      and not exists (select from graphile_worker.jobs where key = 'settle:' || bookings.id and locked_at is null and attempts < max_attempts)
    order by updated_at limit 1000`)
  return rows.map(({ id }) => id)
}
