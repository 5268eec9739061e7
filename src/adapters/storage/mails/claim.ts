// Whose turn it is among the mails to one person, and what it says by then: claimed by whoever sends, for half a minute.
import type { Mail } from '../../../core/booking/mail.ts'
import { withUnheard } from '../../../core/booking/unheard.ts'
import type { AppId } from '../../../core/ids.ts'
import type { Instant } from '../../../core/time/instant.ts'
import type { Notice } from '../../../core/webhook/notice.ts'
import type { Transaction } from '../database/database.ts'
import { newId } from '../database/ids.ts'
import { type Sql, sql } from '../database/sql.ts'
import { findEarlier, isOvertaken } from './order.ts'
import { addJob, eventIdOfBooking, type MailRow, removeJob } from './rows.ts'

const confirmationsLimit = 3
/** Of all that is sent to an address because of what a guest did. */
const guestMailsLimit = 10
const postponedSeconds = 600
const turnSeconds = 2
const leaseSeconds = 30

export type ClaimedMail = Pick<MailRow, 'mail' | 'eventId' | 'attempts'> & {
  /** As the database wrote it, to the microsecond: no other attempt at this mail began then. */
  readonly begunAt: string
}

const isToGuest = sql`body ->> 'role' in ('guest', 'additionalGuest') and body ->> 'kind' <> 'reminder'
  and body ->> 'asker' is distinct from 'host'`
const isConfirmation = sql`body ->> 'kind' in ('confirmed', 'requestReceived')`
const endOfLease = sql`now() + ${leaseSeconds} * interval '1 second'`

/** Where `mail` is written: the job of a process that dies over it would be given to nobody for hours. */
function jobAtEndOfLease(appId: AppId): Sql {
  return sql`(select job.id from ${addJob(appId, sql`mail.id`, endOfLease)} as job)`
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
export async function claimMail(transaction: Transaction, id: string): Promise<ClaimedMail | undefined> {
  const { appId } = transaction
  const [row] = await transaction.query<Claimed>(sql`
    update openslot.deliveries as mail
    set attempts = attempts + 1, mail_due_at = ${endOfLease}, mail_begun_at = now()
    from (select id, mail_begun_at as lost_at from openslot.deliveries where app_id = ${appId} and id = ${id} for update) as before
    where mail.app_id = ${appId} and mail.id = before.id and kind = 'mail' and state = 'ready' and mail_due_at <= now()
    returning body as mail, ${eventIdOfBooking(sql`mail`)} as "eventId", attempts, mail_begun_at::text as "begunAt", lower(recipient) as recipient, last_error as "lastError", lost_at as "lostAt",
      ${isToGuest} as "isLimited", ${isConfirmation} as "isConfirmation", ${jobAtEndOfLease(appId)} as job`)
  if (row === undefined) return undefined
  const { mail, eventId, attempts, begunAt } = row
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
  if (!row.isLimited) return { mail: said, eventId, attempts, begunAt }
  const had = await countRecent(transaction, id, row.recipient)
  // Nobody misses a confirmation who has had enough of them, unless it is the first that tells them of the booking.
  if (row.isConfirmation && !tookOver) {
    if (had.confirmations < confirmationsLimit && had.mails < guestMailsLimit)
      return { mail: said, eventId, attempts, begunAt }
    const enough =
      had.confirmations < confirmationsLimit ? `${guestMailsLimit} mails` : `${confirmationsLimit} confirmations`
    await holdBack(transaction, id, `this address has had ${enough} within an hour`)
    return undefined
  }
  if (had.mails < guestMailsLimit) return { mail: said, eventId, attempts, begunAt }
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

/** Says that whoever claimed the mail then is alive and still at it; where another has it since, it is theirs. */
export async function renewMail(transaction: Transaction, id: string, begunAt: ClaimedMail['begunAt']): Promise<void> {
  const { appId } = transaction
  await transaction.query(sql`
    update openslot.deliveries as mail set mail_due_at = ${endOfLease}
    where app_id = ${appId} and id = ${id} and state = 'ready' and mail_begun_at = ${begunAt}::timestamptz
    returning ${jobAtEndOfLease(appId)} as job`)
}

type Claimed = ClaimedMail & {
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
    select ${addJob(appId, sql`id`, sql`mail_due_at`)} from changed`)
}
