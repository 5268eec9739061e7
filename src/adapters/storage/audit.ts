// The audit log: who did what. The server's role may add to it and read it, never change it.
import type { Instant } from '../../core/time/instant.ts'
import type { Transaction } from './database.ts'
import { newId } from './ids.ts'
import { sql } from './sql.ts'

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
export async function recordAudit(
  transaction: Transaction,
  { actor, action, target, detail = {} }: AuditEntry,
): Promise<void> {
  await transaction.query(sql`
    insert into openslot.audit_log (app_id, id, actor, action, target, detail)
    values (${transaction.appId}, ${newId()}, ${actor}, ${action}, ${target}, ${detail})`)
}

/** How often `action` was recorded since then. */
export async function countAudited(transaction: Transaction, action: string, since: Instant): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(sql`
    select count(*) as count from openslot.audit_log
    where app_id = ${transaction.appId} and at > ${new Date(since)} and action = ${action}`)
  return row?.count ?? 0
}
