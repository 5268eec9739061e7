// In which order the mails about one booking reach one person.
import type { Mail } from '../../../core/booking/mail.ts'
import type { Transaction } from '../database/database.ts'
import { sql } from '../database/sql.ts'

/** Mails about the booking of the mail `id` to the same person, but reminders: by their notifications, for some people get thousands. */
function story({ appId }: Transaction, id: string) {
  return sql`openslot.deliveries as this
    join openslot.webhook_events as event on event.app_id = this.app_id and event.object_id = this.booking_id::text
    join openslot.deliveries as other on other.app_id = event.app_id and other.event_id = event.id and other.kind = 'mail'
      and lower(other.recipient) = lower(this.recipient)
    where this.app_id = ${appId} and this.id = ${id}`
}

/** Whether there is a newer one, sent or not. */
export async function isOvertaken(transaction: Transaction, id: string): Promise<boolean> {
  const rows = await transaction.query(
    sql`select other.id from ${story(transaction, id)} and other.id > this.id limit 1`,
  )
  return rows.length > 0
}

export type Earlier = {
  /** Being sent at this moment, or about to be for the first time. */
  readonly isOnItsWay: boolean
  /** Those that never reached the reader since the last one that did, oldest first; not what limits hold back. */
  readonly unheard: readonly Mail[]
}

/** What became of those before the mail `id`. */
export async function findEarlier(transaction: Transaction, id: string): Promise<Earlier> {
  const rows = await transaction.query<{ mail: Mail; isSent: boolean; isOnItsWay: boolean; isLimited: boolean }>(sql`
    select other.body as mail, other.state = 'done' as "isSent",
      other.last_error is not null and other.last_error like 'held back: this address%' as "isLimited",
      other.state = 'ready' and other.mail_due_at is not null
        and (other.mail_begun_at is not null and other.mail_due_at > now() or other.attempts = 0 and other.last_error is null) as "isOnItsWay"
    from ${story(transaction, id)} and other.id < this.id order by other.id`)
  const sinceHeard = rows.slice(rows.findLastIndex(({ isSent }) => isSent) + 1)
  return {
    isOnItsWay: rows.some(({ isOnItsWay }) => isOnItsWay),
    unheard: sinceHeard.filter(({ isLimited }) => !isLimited).map(({ mail }) => mail),
  }
}
