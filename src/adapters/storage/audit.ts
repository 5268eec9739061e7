// The audit log: who did what. The server's role may add to it and read it, never change it.
import type { AppId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Transaction } from './database.ts'
import { newId } from './ids.ts'
import { records, type Sql, sql } from './sql.ts'

export type AuditEntry = {
  /** As `actorOf` says, or `cli`, `worker`. */
  readonly actor: string
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
  const rows = entries.map(({ actor, action, target, detail = {} }) => ({ id: newId(), actor, action, target, detail }))
  return sql`
    insert into openslot.audit_log (app_id, id, actor, action, target, detail)
    select ${appId}, entry.* from ${records(rows)} as entry (id uuid, actor text, action text, target text, detail jsonb)
    returning id`
}

/** How often `action` was recorded since then. */
export async function countAudited(transaction: Transaction, action: string, since: Instant): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(sql`
    select count(*) as count from openslot.audit_log
    where app_id = ${transaction.appId} and at > ${new Date(since)} and action = ${action}`)
  return row?.count ?? 0
}
