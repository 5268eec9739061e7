// Mails as operators and key holders look at them.
import type { AppId, BookingId } from '../../../core/ids.ts'
import type { Transaction } from '../database/database.ts'
import { join, type Sql, sql } from '../database/sql.ts'
import { eventIdOfBooking, isMail, type MailAttempt, type MailRow, type MailState } from './rows.ts'

export type MailFilter = {
  readonly state?: MailState | undefined
  readonly recipient?: string | undefined
  readonly bookingId?: BookingId | undefined
  readonly limit: number
  /** The id of the last one seen. */
  readonly after?: string | undefined
}

const columns = sql`id, booking_id as "bookingId", ${eventIdOfBooking(sql`deliveries`)} as "eventId", body as mail,
  case when state = 'ready' and mail_due_at is null then 'kept' when state = 'ready' then 'waiting' when state = 'done' then 'sent'
    when state = 'dead' then 'failed' else 'heldBack' end as state,
  attempts, created_at as "createdAt", finished_at as "finishedAt", mail_due_at as "dueAt", last_error as "lastError"`

/** Newest first. */
export async function listMails(transaction: Transaction, filter: MailFilter): Promise<MailRow[]> {
  const conditions: Sql[] = [sql`app_id = ${transaction.appId}`, sql`kind = 'mail'`, isMail]
  if (filter.recipient !== undefined) conditions.push(sql`lower(recipient) = lower(${filter.recipient})`)
  if (filter.bookingId !== undefined) conditions.push(isAbout(transaction.appId, filter.bookingId))
  if (filter.after !== undefined) conditions.push(sql`id < ${filter.after}`)
  if (filter.state !== undefined) conditions.push(stateCondition(filter.state))
  return transaction.query<MailRow>(sql`
    select ${columns} from openslot.deliveries where ${join(conditions, 'and')} order by id desc limit ${filter.limit}`)
}

/** By its notifications, and among those without one, reminders: no index holds all mails by their bookings. */
function isAbout(appId: AppId, bookingId: BookingId): Sql {
  return sql`id = any(array(
    select mail.id from openslot.webhook_events as event
    join openslot.deliveries as mail on mail.app_id = event.app_id and mail.event_id = event.id
    where event.app_id = ${appId} and event.object_id = ${bookingId} and mail.kind = 'mail' and mail.booking_id = ${bookingId}
    union all
    select id from openslot.deliveries
    where app_id = ${appId} and booking_id = ${bookingId} and kind = 'mail' and event_id is null))`
}

function stateCondition(state: MailState): Sql {
  switch (state) {
    case 'kept':
      return sql`state = 'ready' and mail_due_at is null`
    case 'waiting':
      return sql`state = 'ready' and mail_due_at is not null`
    case 'sent':
      return sql`state = 'done'`
    case 'failed':
      return sql`state = 'dead'`
    case 'heldBack':
      return sql`state = 'cancelled'`
  }
}

/** With its attempts, oldest first. */
export async function findMail(
  transaction: Transaction,
  id: string,
): Promise<(MailRow & { readonly tries: readonly MailAttempt[] }) | undefined> {
  const { appId } = transaction
  const [[row], tries] = await Promise.all([
    transaction.query<MailRow>(sql`
      select ${columns} from openslot.deliveries where app_id = ${appId} and kind = 'mail' and ${isMail} and id = ${id}`),
    transaction.query<MailAttempt>(sql`
      select at, duration_ms as "durationMs", outcome, answer from openslot.mail_attempts
      where app_id = ${appId} and delivery_id = ${id} order by id`),
  ])
  return row === undefined ? undefined : { ...row, tries }
}
