// What became of an attempt at a mail, and what makes another: its failure, somebody's wish, or the death of whoever had it.
import type { Transaction } from '../database/database.ts'
import { newId } from '../database/ids.ts'
import { sql } from '../database/sql.ts'
import { addJob, isMail, type MailAttempt, mailJobs, removeJob } from './rows.ts'

export type MailResult = Omit<MailAttempt, 'at' | 'outcome'> & {
  readonly outcome: Exclude<MailAttempt['outcome'], 'interrupted'>
  /** Milliseconds until the next attempt, give or take a tenth; undefined: there is none. */
  readonly retryAfterMs: number | undefined
}

/** Writes what became of an attempt, and the next one where there is to be one. */
export async function finishAttempt(transaction: Transaction, id: string, result: MailResult): Promise<void> {
  const { appId } = transaction
  const { outcome, durationMs, retryAfterMs } = result
  const answer = result.answer.slice(0, 2_000)
  const isOver = outcome !== 'kept' && retryAfterMs === undefined
  await transaction.query(sql`
    insert into openslot.mail_attempts (app_id, id, delivery_id, duration_ms, outcome, answer)
    values (${appId}, ${newId()}, ${id}, ${Math.round(durationMs)}, ${outcome}, ${answer})`)
  await transaction.query(sql`
    with changed as (
      update openslot.deliveries set
        state = case when ${outcome}::text = 'sent' then 'done' when ${isOver} then 'dead' else 'ready' end,
        finished_at = case when ${isOver} then now() end, mail_begun_at = null,
        mail_due_at = now() + make_interval(secs => ${retryAfterMs === undefined ? null : retryAfterMs / 1_000}::float8 * (0.9 + 0.2 * random())),
        last_error = case when ${outcome}::text in ('sent', 'kept') then null else ${answer} end
      where app_id = ${appId} and id = ${id} and state = 'ready' returning id, mail_due_at)
    select ${addJob(appId, sql`id`, sql`mail_due_at`)} from changed where mail_due_at is not null`)
  if (retryAfterMs === undefined) await removeJob(transaction, id)
}

/** Due again now, whatever became of it before; false where there is no such mail. */
export async function reviveMail(transaction: Transaction, id: string): Promise<boolean> {
  const rows = await transaction.query(sql`
    update openslot.deliveries set state = 'ready', attempts = 0, mail_due_at = now(), mail_begun_at = null, finished_at = null
    where app_id = ${transaction.appId} and id = ${id} and kind = 'mail' and ${isMail} returning id`)
  if (rows.length === 0) return false
  await transaction.query(mailJobs(transaction.appId, [id]))
  return true
}

/** Gives a job to mails that should have been tried over a minute ago: whoever had them has died. Answers how many. */
export async function requeueOverdueMails(transaction: Transaction): Promise<number> {
  const rows = await transaction.query<{ id: string }>(sql`
    select id from openslot.deliveries
    where app_id = ${transaction.appId} and kind = 'mail' and state = 'ready' and mail_due_at < now() - interval '1 minute'
    order by mail_due_at limit 1000`)
  if (rows.length > 0)
    await transaction.query(
      mailJobs(
        transaction.appId,
        rows.map(({ id }) => id),
      ),
    )
  return rows.length
}
