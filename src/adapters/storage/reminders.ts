// Reminders as rows with a job each: moved and removed in the transaction that moves or cancels the booking.
import type { DueReminder } from '../../core/booking/reminders.ts'
import type { Reminder } from '../../core/configuration/configuration.ts'
import type { AppId, BookingId, ConfigurationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Transaction } from './database/database.ts'
import { records, type Sql, sql, toTimestamp } from './database/sql.ts'

export type ReminderState = 'waiting' | 'done' | 'skipped' | 'late' | 'cancelled'

/** With the booking that it belongs to. */
export type ReminderOf<R> = R & { readonly bookingId: BookingId }

/**
 * For `together`: the reminders of bookings, each with its job; earlier ones are moved. A reminder that was sent for this
 * very time is not sent again.
 */
export function reminderRows(appId: AppId, reminders: readonly ReminderOf<DueReminder>[]): Sql[] {
  if (reminders.length === 0) return []
  const rows = reminders.map((reminder) => ({
    booking_id: reminder.bookingId,
    number: reminder.number,
    body: bodyOf(reminder),
    due_at: toTimestamp(reminder.dueAt),
    past: reminder.isPast,
  }))
  return [
    sql`
      insert into openslot.reminders (app_id, booking_id, number, body, due_at, state, finished_at)
      select ${appId}, booking_id, number, body, due_at, case when past then 'skipped' else 'waiting' end, case when past then now() end
      from ${records(rows)} as reminder (booking_id uuid, number int, body jsonb, due_at timestamptz, past bool)
      on conflict (app_id, booking_id, number) do update
        set body = excluded.body, due_at = excluded.due_at, state = excluded.state, finished_at = excluded.finished_at
        where reminders.due_at <> excluded.due_at or reminders.state in ('waiting', 'cancelled')
      returning number`,
    reminderJobs(
      appId,
      reminders.filter(({ isPast }) => !isPast),
    ),
  ]
}

/** Ends those that wait and are not among `staying`, and their jobs: the booking has moved, or is called off. */
export async function endReminders(
  transaction: Transaction,
  bookingId: BookingId,
  staying: readonly DueReminder[],
): Promise<void> {
  const numbers = staying.filter(({ isPast }) => !isPast).map(({ number }) => number)
  await transaction.query(sql`
    with ended as (
      update openslot.reminders set state = 'cancelled', finished_at = now()
      where app_id = ${transaction.appId} and booking_id = ${bookingId} and state = 'waiting' and number <> all(${numbers}::int[])
      returning number)
    select graphile_worker.remove_job('reminder:' || ${bookingId}::text || ':' || number) from ended`)
}

function reminderJobs(appId: AppId, reminders: readonly ReminderOf<Pick<DueReminder, 'number' | 'dueAt'>>[]): Sql {
  const rows = reminders.map(({ bookingId, number, dueAt }) => ({
    booking_id: bookingId,
    number,
    due_at: toTimestamp(dueAt),
  }))
  return sql`
    select graphile_worker.add_job('sendReminder',
      json_build_object('appId', ${appId}::text, 'bookingId', booking_id, 'number', number),
      job_key => 'reminder:' || booking_id || ':' || number, run_at => due_at, max_attempts => 25)
    from ${records(rows)} as reminder (booking_id text, number int, due_at timestamptz)`
}

/** The reminders of a configuration have changed: a job for its bookings, those after `after` in the order of their ids. */
export async function scheduleArrangement(
  transaction: Transaction,
  configurationId: ConfigurationId,
  after?: BookingId,
): Promise<void> {
  const { appId } = transaction
  await transaction.query(sql`
    select graphile_worker.add_job('arrangeReminders', ${{ appId, configurationId, after }}::json, max_attempts => 25)`)
}

/** The reminder while it waits; nobody else takes it until the transaction ends. */
export async function lockReminder(
  transaction: Transaction,
  bookingId: BookingId,
  number: number,
): Promise<(Reminder & { readonly dueAt: Instant }) | undefined> {
  const [row] = await transaction.query<{ body: Reminder; dueAt: Instant }>(sql`
    select body, due_at as "dueAt" from openslot.reminders
    where app_id = ${transaction.appId} and booking_id = ${bookingId} and number = ${number} and state = 'waiting' for update`)
  return row === undefined ? undefined : { ...row.body, dueAt: row.dueAt }
}

export async function endReminder(
  transaction: Transaction,
  bookingId: BookingId,
  number: number,
  state: Exclude<ReminderState, 'waiting'>,
): Promise<void> {
  await transaction.query(sql`
    update openslot.reminders set state = ${state}, finished_at = now()
    where app_id = ${transaction.appId} and booking_id = ${bookingId} and number = ${number}`)
}

/** Gives a job to reminders that have been due for a minute: whoever had them has died. Answers how many. */
export async function requeueOverdueReminders(transaction: Transaction): Promise<number> {
  const rows = await transaction.query<{ bookingId: BookingId; number: number; dueAt: Instant }>(sql`
    select booking_id as "bookingId", number, due_at as "dueAt" from openslot.reminders
    where app_id = ${transaction.appId} and state = 'waiting' and due_at < now() - interval '1 minute' order by due_at limit 1000`)
  if (rows.length > 0) await transaction.query(reminderJobs(transaction.appId, rows))
  return rows.length
}

function bodyOf({ type, minutesBefore, recipient, subject }: Reminder): Reminder {
  return { type, minutesBefore, recipient, subject }
}
