// Mails as rows, written with the change that they tell of, and the jobs that send them.
import type { Mail } from '../../../core/booking/mail.ts'
import type { AppId, BookingId, EventId } from '../../../core/ids.ts'
import type { Instant } from '../../../core/time/instant.ts'
import type { Notice } from '../../../core/webhook/notice.ts'
import type { Transaction } from '../database/database.ts'
import { newId } from '../database/ids.ts'
import { records, type Sql, sql, together } from '../database/sql.ts'

/** `kept`: nothing will be tried, there is no server to send through. */
export type MailState = 'waiting' | 'sent' | 'failed' | 'heldBack' | 'kept'

export type MailRow = {
  readonly id: string
  /** Null for a notice. */
  readonly bookingId: BookingId | null
  /** Of its booking. */
  readonly eventId: EventId | null
  readonly mail: Mail | Notice
  readonly state: MailState
  readonly attempts: number
  readonly createdAt: Instant
  readonly finishedAt: Instant | null
  readonly dueAt: Instant | null
  readonly lastError: string | null
}

export type MailAttempt = {
  readonly at: Instant
  readonly durationMs: number
  /** `interrupted`: its process died, and nobody knows whether the mail went out. */
  readonly outcome: 'sent' | 'refused' | 'deferred' | 'kept' | 'interrupted'
  readonly answer: string
}

export type NewMail = {
  /** The notification of the same change; undefined for a reminder by mail. */
  readonly eventId?: string | undefined
  /** Undefined for a notice. */
  readonly bookingId?: BookingId | undefined
  readonly mail: Mail | Notice
}

/**
 * For `together`: rows and a job for each, so that neither is without the other. Where nothing is sent (`isSending` false)
 * they are kept, and nothing is done about them.
 */
export function mailRows(appId: AppId, mails: readonly NewMail[], isSending: boolean): Sql[] {
  if (mails.length === 0) return []
  // Ids of one millisecond are in no order by themselves.
  const ids = mails.map(() => newId()).toSorted()
  const rows = mails.map(({ eventId, bookingId, mail }, place) => ({
    id: ids[place],
    event_id: eventId,
    booking_id: bookingId,
    recipient: mail.to.email,
    body: mail,
  }))
  const inserted = sql`
    insert into openslot.deliveries (app_id, id, event_id, booking_id, recipient, body, kind, mail_due_at)
    select ${appId}, mail.*, 'mail', case when ${isSending}::bool then now() end
    from ${records(rows)} as mail (id uuid, event_id uuid, booking_id uuid, recipient text, body jsonb)
    returning id`
  return isSending ? [inserted, mailJobs(appId, ids)] : [inserted]
}

/** `mailRows` by themselves. */
export async function insertMails(
  transaction: Transaction,
  mails: readonly NewMail[],
  isSending: boolean,
): Promise<void> {
  const rows = mailRows(transaction.appId, mails, isSending)
  if (rows.length > 0) await transaction.query(together(rows))
}

/** A call that gives the mail of `id` its job, or another time to the one that it has; `runAt`: now, where absent. */
export function addJob(appId: AppId, id: Sql, runAt: Sql = sql`now()`): Sql {
  return sql`graphile_worker.add_job('sendMail', json_build_object('appId', ${appId}::text, 'mailId', ${id}),
    job_key => 'mail:' || ${id}, run_at => ${runAt}, max_attempts => 25)`
}

/** One job for each, due now. */
export function mailJobs(appId: AppId, ids: readonly string[]): Sql {
  return sql`select ${addJob(appId, sql`id`)} from unnest(${ids}::text[]) as id`
}

export async function removeJob(transaction: Transaction, id: string): Promise<void> {
  await transaction.query(sql`select graphile_worker.remove_job(${`mail:${id}`})`)
}

/** Rows of the first schema hold too little to be one. */
export const isMail = sql`(booking_id is not null or body ->> 'role' = 'operator')`

export function eventIdOfBooking(mail: Sql): Sql {
  return sql`(select booking.event_id from openslot.bookings as booking
    where booking.app_id = ${mail}.app_id and booking.id = ${mail}.booking_id)`
}
