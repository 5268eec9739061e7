// The audit log: who did what. The server's role may add to it and read it, never change it.
import type { Actor } from '../../core/account/principal.ts'
import { type AppId, isUuid } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Transaction } from './database/database.ts'
import { newId } from './database/ids.ts'
import { partSize } from './database/maintenance.ts'
import { join, records, type Sql, sql } from './database/sql.ts'

export type AuditEntry = {
  readonly actor: Actor
  /** Noun and verb: `configuration.create`. */
  readonly action: string
  readonly target: string
  /** Never a secret, never a guest's text. */
  readonly detail?: object
}

/** In the transaction of what it tells, so that neither stands without the other. */
export async function recordAudit(transaction: Transaction, entry: AuditEntry): Promise<void> {
  await transaction.query(auditRows(transaction.appId, [entry]))
}

/** For `together`. */
export function auditRows(appId: AppId, entries: readonly AuditEntry[]): Sql {
  const rows = entries.map(({ actor: { name, address }, action, target, detail = {} }) => ({
    id: newId(),
    actor: name,
    address,
    action,
    target,
    detail,
  }))
  return sql`
    insert into openslot.audit_log (app_id, id, actor, address, action, target, detail)
    select ${appId}, entry.* from ${records(rows)} as entry (id uuid, actor text, address text, action text, target text, detail jsonb)
    returning id`
}

/** How often `action` was recorded since then. */
export async function countAudited(transaction: Transaction, action: string, since: Instant): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(sql`
    select count(*) as count from openslot.audit_log
    where app_id = ${transaction.appId} and at > ${new Date(since)} and action = ${action}`)
  return row?.count ?? 0
}

export type AuditRow = {
  readonly id: string
  readonly at: Instant
  /** A name, as `Actor` has it. */
  readonly actor: string
  /** Null for what no request did, and once it is older than guests' data is kept. */
  readonly address: string | null
  readonly action: string
  readonly target: string | null
  readonly detail: object
}

export type AuditFilter = {
  readonly action?: string | undefined
  readonly actor?: string | undefined
  readonly target?: string | undefined
  readonly limit: number
  /** The id of the last one seen. */
  readonly after?: string | undefined
}

/** Newest first. */
export function listAudit(transaction: Transaction, filter: AuditFilter): Promise<AuditRow[]> {
  const conditions: Sql[] = [sql`app_id = ${transaction.appId}`]
  if (filter.action !== undefined) conditions.push(sql`action = ${filter.action}`)
  if (filter.action?.startsWith('booking.') === false) conditions.push(isSeldom)
  if (filter.actor !== undefined) conditions.push(sql`actor = ${filter.actor}`)
  if (filter.target !== undefined) conditions.push(isAbout(transaction.appId, filter.target))
  if (filter.after !== undefined) conditions.push(sql`id < ${filter.after}`)
  return transaction.query<AuditRow>(sql`
    select id, at, actor, address, action, target, detail from openslot.audit_log
    where ${join(conditions, 'and')} order by id desc limit ${filter.limit}`)
}

/** Has an index, as the planner knows by the very words. */
const isSeldom = sql`action not like 'booking.%'`

/** What is done to bookings is most of the log: of one it lies between its making and its last change, by whichever clock. */
function isAbout(appId: AppId, target: string): Sql {
  const ofTarget = sql`select id from openslot.audit_log where app_id = ${appId} and target = ${target}`
  const seldom = sql`${ofTarget} and ${isSeldom}`
  if (!isUuid(target)) return sql`id = any(array(${seldom}))`
  const booking = sql`from openslot.bookings where app_id = ${appId} and id = ${target}`
  return sql`id = any(array(
    ${seldom} union all
    ${ofTarget} and action like 'booking.%'
      and at >= (select created_at - interval '1 hour' ${booking}) and at <= (select updated_at + interval '1 hour' ${booking})))`
}

/**
 * Takes the addresses out of at most 1,000 rows of before then; answers how many. How far the log is blank is kept with the
 * application, to the day, so that what is blank already is not looked through again.
 */
export async function blankAddresses(transaction: Transaction, before: Instant): Promise<number> {
  const { appId } = transaction
  const until = new Date(before)
  const [row] = await transaction.query<{ count: number }>(sql`
    select openslot.blank_audit_addresses(${appId}, coalesce(audit_blanked_until, '-infinity'), ${until}, ${partSize}) as count
    from openslot.applications where app_id = ${appId}`)
  const count = row?.count ?? 0
  if (count < partSize)
    await transaction.query(sql`
      update openslot.applications set audit_blanked_until = ${until}
      where app_id = ${appId} and coalesce(audit_blanked_until, '-infinity') < ${until}::timestamptz - interval '1 day'`)
  return count
}
