// What follows from a settled change: notifications, mails, reminders and the audit row, from the change itself, so that no
// caller can forget one or send another.
import { auditRows } from '../../adapters/storage/audit.ts'
import { newId } from '../../adapters/storage/database/ids.ts'
import type { Sql } from '../../adapters/storage/database/sql.ts'
import { mailRows, type NewMail } from '../../adapters/storage/mails/rows.ts'
import { type NewNotification, notificationRows } from '../../adapters/storage/outbox.ts'
import { reminderRows } from '../../adapters/storage/reminders.ts'
import type { Actor } from '../../core/account/principal.ts'
import { type Booking, type Change, isAskedByGuest } from '../../core/booking/booking.ts'
import { stampOf } from '../../core/booking/lifecycle.ts'
import { mailsOf, triggerOf } from '../../core/booking/notification.ts'
import { remindersOf } from '../../core/booking/reminders.ts'
import type { CalendarEvent } from '../../core/calendar/event.ts'
import { type Configuration, calendarName } from '../../core/configuration/configuration.ts'
import type { AppId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import { bookingNotification } from '../../wire/bookingNotifications.ts'
import { eventNotification, type RemovedEvent, removedEventNotification } from '../../wire/eventAnswers.ts'

/** What calendars of our own took and gave up: nobody else will tell of it. */
export type EventsHere = { readonly placed: readonly CalendarEvent[]; readonly removed: readonly RemovedEvent[] }

export type SettledChange = {
  readonly change: Change
  /** As it stood before the change was carried out. */
  readonly before: Booking
  readonly settled: Booking
  readonly configuration: Configuration
  readonly actor: Actor
  readonly events: EventsHere
}

/**
 * For `together`, in the transaction that settles: its locks keep others from numbering these notifications. `isSending`:
 * whether mails are to be sent, or only kept.
 */
export function rowsThatFollow(
  appId: AppId,
  changes: readonly SettledChange[],
  { isSending, now }: { readonly isSending: boolean; readonly now: Instant },
): Sql[] {
  const told = changes.map((settledChange) => tell(settledChange, now))
  return [
    ...notificationRows(
      appId,
      told.flatMap(({ notifications }) => notifications),
    ),
    ...mailRows(
      appId,
      told.flatMap(({ mails }) => mails),
      isSending,
    ),
    auditRows(
      appId,
      changes.map(({ actor, change, settled: { id, version, state } }) => ({
        actor,
        action: `booking.${change.kind}`,
        target: id,
        detail: { version, state },
      })),
    ),
    ...reminderRows(
      appId,
      changes.flatMap(({ settled, configuration }) =>
        remindersOf(settled, configuration, now).map((reminder) => ({ ...reminder, bookingId: settled.id })),
      ),
    ),
  ]
}

/** Notifications and mails of one change, which bear one id. */
function tell(settledChange: SettledChange, now: Instant): { notifications: NewNotification[]; mails: NewMail[] } {
  const { change, before, settled, configuration } = settledChange
  const { id: bookingId } = settled
  const eventId = newId()
  // A calendar that invited someone tells them of a move and of the end too.
  const invited = new Set([...before.invitedByCalendar, ...settled.invitedByCalendar])
  const invites = (email: string) => !invited.has(email.toLowerCase())
  const asker = isAskedByGuest(change) ? undefined : 'host'
  const notification: NewNotification = {
    id: eventId,
    trigger: triggerOf(change),
    objectId: bookingId,
    body: bookingNotification(settled, change, before.when, configuration),
    grantId: configuration.grantId,
  }
  return {
    notifications: [notification, ...eventNotifications(settledChange)],
    mails: mailsOf({ change, before, settled, configuration, invites, now }).map((mail) => ({
      eventId,
      bookingId,
      mail: asker === undefined ? mail : { ...mail, asker },
    })),
  }
}

function eventNotifications({
  change,
  before,
  events: { placed, removed },
}: Pick<SettledChange, 'change' | 'before' | 'events'>): NewNotification[] {
  const stood = new Set(change.kind === 'create' ? [] : before.service.placements.map(({ key }) => calendarName(key)))
  return [
    ...removed.map((event) => ({
      trigger: 'event.deleted',
      objectId: event.id,
      grantId: event.grantId,
      body: removedEventNotification(event, stampOf(before, before.updatedAt)),
    })),
    ...placed.map((event) => {
      const trigger = stood.has(calendarName(event)) ? 'event.updated' : 'event.created'
      return { trigger, objectId: event.id, grantId: event.grantId, body: eventNotification(trigger, event) }
    }),
  ]
}
