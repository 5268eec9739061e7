// Mails as rows: written with the change, claimed by whoever sends, with every attempt.
import type { Mail } from '../../core/booking/mail.ts'
import { withUnheard } from '../../core/booking/unheard.ts'
import type { AppId, BookingId, EventId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Notice } from '../../core/webhook/notice.ts'
import type { Transaction } from './database/database.ts'
import { newId } from './database/ids.ts'
import { join, records, type Sql, sql, together } from './database/sql.ts'
import { findEarlier, isOvertaken } from './mailOrder.ts'

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

/** One job for each, due now. */
function mailJobs(appId: AppId, ids: readonly string[]): Sql {
  return sql`
    select graphile_worker.add_job('sendMail', json_build_object('appId', ${appId}::text, 'mailId', id),
      job_key => 'mail:' || id, max_attempts => 25)
    from unnest(${ids}::text[]) as id`
}

function eventIdOfBooking(mail: Sql): Sql {
  return sql`(select booking.event_id from openslot.bookings as booking
    where booking.app_id = ${mail}.app_id and booking.id = ${mail}.booking_id)`
}

const confirmationsLimit = 3
/** Of all that is sent to an address because of what a guest did. */
const guestMailsLimit = 10
const postponedSeconds = 600
const turnSeconds = 2
const leaseSeconds = 30

const isToGuest = sql`body ->> 'role' in ('guest', 'additionalGuest') and body ->> 'kind' <> 'reminder'
  and body ->> 'asker' is distinct from 'host'`
const isConfirmation = sql`body ->> 'kind' in ('confirmed', 'requestReceived')`
const endOfLease = sql`now() + ${leaseSeconds} * interval '1 second'`

/** Where `mail` is written: the job of a process that dies over it would be given to nobody for hours. */
function jobAtEndOfLease(appId: AppId): Sql {
  return sql`(select job.id from graphile_worker.add_job('sendMail', json_build_object('appId', ${appId}::text, 'mailId', mail.id),
    job_key => 'mail:' || mail.id, run_at => ${endOfLease}, max_attempts => 25) as job)`
}

/**
 * Takes a mail that is due, for half a minute, so that no two processes send it; undefined where there is nothing to do. Whoever
 * needs longer says so with `renewMail`; of one that does not, because its process died, another tries again then.
 *
 * Whoever types in another's address cannot have us flood it: a confirmation is held back where the address has had three
 * within the hour; and where it has had ten mails of any kind, what moves or cancels a booking waits until there is room, and so
 * does a confirmation that says what one before it was to say and never did, so that the last word on each booking is always sent. What the
 * organizer or the application caused is neither limited nor counted. One that comes after another about its booking waits until
 * that has been tried, and says what its reader has not heard yet. What has waited for whatever reason is held back where it is
 * no longer true: a newer mail to the same person about the same booking has overtaken it, or nobody was told that the booking
 * was called off or, of a reminder, moved.
 */
export async function claimMail(
  transaction: Transaction,
  id: string,
): Promise<Pick<MailRow, 'mail' | 'eventId' | 'attempts'> | undefined> {
  const { appId } = transaction
  const [row] = await transaction.query<Claimed>(sql`
    update openslot.deliveries as mail
    set attempts = attempts + 1, mail_due_at = ${endOfLease}, mail_begun_at = now()
    from (select id, mail_begun_at as lost_at from openslot.deliveries where app_id = ${appId} and id = ${id} for update) as before
    where mail.app_id = ${appId} and mail.id = before.id and kind = 'mail' and state = 'ready' and mail_due_at <= now()
    returning body as mail, ${eventIdOfBooking(sql`mail`)} as "eventId", attempts, lower(recipient) as recipient, last_error as "lastError", lost_at as "lostAt",
      ${isToGuest} as "isLimited", ${isConfirmation} as "isConfirmation", ${jobAtEndOfLease(appId)} as job`)
  if (row === undefined) return undefined
  const { mail, eventId, attempts } = row
  if (row.lostAt !== null) await recordInterruption(transaction, id, row.lostAt)
  const isRetry = attempts > 1 || row.lastError === waitsForRoom
  if (isRetry && (await isOvertaken(transaction, id))) {
    await holdBack(transaction, id, 'a newer mail about this booking says more')
    return undefined
  }
  const outdated = isRetry || isReminder(mail) ? await findOutdated(transaction, id) : undefined
  if (outdated !== undefined) {
    await holdBack(transaction, id, outdated)
    return undefined
  }
  const turn =
    isAboutBooking(mail) && !isReminder(mail) ? await inTurn(transaction, id, mail) : { said: mail, tookOver: false }
  if (turn === undefined) return undefined
  const { said, tookOver } = turn
  if (!row.isLimited) return { mail: said, eventId, attempts }
  const had = await countRecent(transaction, id, row.recipient)
  // Nobody misses a confirmation who has had enough of them, unless it is the first that tells them of the booking.
  if (row.isConfirmation && !tookOver) {
    if (had.confirmations < confirmationsLimit && had.mails < guestMailsLimit) return { mail: said, eventId, attempts }
    const enough =
      had.confirmations < confirmationsLimit ? `${guestMailsLimit} mails` : `${confirmationsLimit} confirmations`
    await holdBack(transaction, id, `this address has had ${enough} within an hour`)
    return undefined
  }
  if (had.mails < guestMailsLimit) return { mail: said, eventId, attempts }
  await postpone(transaction, id, { seconds: postponedSeconds, reason: waitsForRoom })
  return undefined
}

/**
 * What the mail says in its turn, which is written down; undefined while one before it is on its way: two that went out together
 * might be read the wrong way round.
 */
async function inTurn(
  transaction: Transaction,
  id: string,
  mail: Mail,
): Promise<{ readonly said: Mail; readonly tookOver: boolean } | undefined> {
  const { isOnItsWay, unheard } = await findEarlier(transaction, id)
  if (isOnItsWay) {
    await postpone(transaction, id, { seconds: turnSeconds, reason: null })
    return undefined
  }
  const said = withUnheard(mail, unheard)
  const tookOver = unheard.some(({ kind }) => kind === said.kind)
  if (said.kind === mail.kind && said.before?.start === mail.before?.start && said.before?.end === mail.before?.end)
    return { said: mail, tookOver }
  await transaction.query(sql`
    update openslot.deliveries set body = ${said} where app_id = ${transaction.appId} and id = ${id}`)
  return { said, tookOver }
}

/** Says that whoever made this attempt is alive and still at it. */
export async function renewMail(transaction: Transaction, id: string, attempts: number): Promise<void> {
  const { appId } = transaction
  await transaction.query(sql`
    update openslot.deliveries as mail set mail_due_at = ${endOfLease}
    where app_id = ${appId} and id = ${id} and state = 'ready' and mail_begun_at is not null and attempts = ${attempts}
    returning ${jobAtEndOfLease(appId)} as job`)
}

type Claimed = Pick<MailRow, 'mail' | 'eventId' | 'attempts'> & {
  readonly recipient: string
  readonly lastError: string | null
  /** When an attempt began that nobody has ended. */
  readonly lostAt: Instant | null
  readonly isLimited: boolean
  readonly isConfirmation: boolean
}

async function recordInterruption(transaction: Transaction, id: string, at: Instant): Promise<void> {
  await transaction.query(sql`
    insert into openslot.mail_attempts (app_id, id, delivery_id, at, duration_ms, outcome, answer)
    values (${transaction.appId}, ${newId()}, ${id}, ${new Date(at)}, 0, 'interrupted',
      'the process that was sending it ended before it could write down what became of it; it may have gone out')`)
}

const waitsForRoom = `waits: this address has had ${guestMailsLimit} mails within an hour`

/** Counted under a lock on the address, and with those that are on their way, so that many at once are not too many. */
async function countRecent(
  transaction: Transaction,
  id: string,
  recipient: string,
): Promise<{ readonly mails: number; readonly confirmations: number }> {
  const { appId } = transaction
  await transaction.query(sql`select pg_advisory_xact_lock(hashtextextended(${`mail ${appId} ${recipient}`}, 0))`)
  const [row] = await transaction.query<{ mails: number; confirmations: number }>(sql`
    select count(*) as mails, count(*) filter (where ${isConfirmation}) as confirmations from openslot.deliveries
    where app_id = ${appId} and kind = 'mail' and lower(recipient) = ${recipient} and id <> ${id}
      and created_at > now() - interval '4 days' and ${isToGuest}
      and ((state = 'done' and finished_at > now() - interval '1 hour') or (state = 'ready' and attempts > 0))`)
  return row ?? { mails: 0, confirmations: 0 }
}

function isAboutBooking(mail: Mail | Notice): mail is Mail {
  return mail.role !== 'operator'
}

function isReminder(mail: Mail | Notice): boolean {
  return mail.kind === 'reminder'
}

/** Why what the mail says of its booking is no longer so; undefined where it is, or says just that. */
async function findOutdated(transaction: Transaction, id: string): Promise<string | undefined> {
  const { appId } = transaction
  const [row] = await transaction.query<{
    isOff: boolean
    isReminder: boolean
    hasMoved: boolean
    hasBegun: boolean
  }>(sql`
    select booking.state not in ('pending', 'booked') as "isOff", mail.body ->> 'kind' = 'reminder' as "isReminder",
      lower(booking.during) <> to_timestamp((mail.body #>> '{when,start}')::float8 / 1000) as "hasMoved",
      lower(booking.during) <= now() as "hasBegun"
    from openslot.deliveries as mail join openslot.bookings as booking
      on booking.app_id = mail.app_id and booking.id = mail.booking_id
    where mail.app_id = ${appId} and mail.id = ${id} and mail.body ->> 'kind' not in ('cancelled', 'declined')`)
  if (row?.isOff) return 'the booking has been called off'
  if (!row?.isReminder) return undefined
  if (row.hasMoved) return 'the booking has been moved'
  return row.hasBegun ? 'the meeting has begun' : undefined
}

async function holdBack(transaction: Transaction, id: string, reason: string): Promise<void> {
  await transaction.query(sql`
    update openslot.deliveries set state = 'cancelled', finished_at = now(), mail_due_at = null, mail_begun_at = null,
      last_error = ${`held back: ${reason}`}
    where app_id = ${transaction.appId} and id = ${id}`)
  await removeJob(transaction, id)
}

async function removeJob(transaction: Transaction, id: string): Promise<void> {
  await transaction.query(sql`select graphile_worker.remove_job(${`mail:${id}`})`)
}

/** Not an attempt: nothing was tried. `reason`: null leaves what the last one said. */
async function postpone(
  transaction: Transaction,
  id: string,
  { seconds, reason }: { readonly seconds: number; readonly reason: string | null },
): Promise<void> {
  const { appId } = transaction
  await transaction.query(sql`
    with changed as (
      update openslot.deliveries set attempts = attempts - 1, mail_begun_at = null,
        last_error = coalesce(${reason}, last_error), mail_due_at = now() + make_interval(secs => ${seconds})
      where app_id = ${appId} and id = ${id} returning id, mail_due_at)
    select graphile_worker.add_job('sendMail', json_build_object('appId', ${appId}::text, 'mailId', id),
      job_key => 'mail:' || id, run_at => mail_due_at, max_attempts => 25)
    from changed`)
}

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
    select graphile_worker.add_job('sendMail', json_build_object('appId', ${appId}::text, 'mailId', id),
      job_key => 'mail:' || id, run_at => mail_due_at, max_attempts => 25)
    from changed where mail_due_at is not null`)
  if (retryAfterMs === undefined) await removeJob(transaction, id)
}

/** Rows of the first schema hold too little to be one. */
const isMail = sql`(booking_id is not null or body ->> 'role' = 'operator')`

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
