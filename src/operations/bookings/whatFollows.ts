// What follows from a settled change: notifications, mails, reminders and the audit row, from the change itself, so that no
// caller can forget one or send another.
import { auditRow } from '../../adapters/storage/audit.ts'
import { newId } from '../../adapters/storage/ids.ts'
import { mailRows } from '../../adapters/storage/mails.ts'
import { type NewNotification, notificationRows } from '../../adapters/storage/outbox.ts'
import { reminderRows } from '../../adapters/storage/reminders.ts'
import type { Sql } from '../../adapters/storage/sql.ts'
import type { Booking, Change } from '../../core/booking/booking.ts'
import { mailsOf, triggerOf } from '../../core/booking/notification.ts'
import { remindersOf } from '../../core/booking/reminders.ts'
import type { CalendarEvent } from '../../core/calendar/event.ts'
import { type Configuration, calendarName } from '../../core/configuration/configuration.ts'
import type { Instant } from '../../core/time/instant.ts'
import { bookingNotification } from '../../wire/bookingNotifications.ts'
import { eventNotification, type RemovedEvent, removedEventNotification } from '../../wire/events.ts'

/** What calendars of our own took and gave up: nobody else will tell of it. */
export type EventsHere = { readonly placed: readonly CalendarEvent[]; readonly removed: readonly RemovedEvent[] }

type SettledChange = {
  readonly change: Change
  /** As it stood before the change was carried out. */
  readonly before: Booking
  readonly settled: Booking
  readonly configuration: Configuration
  readonly actor: string
  readonly events: EventsHere
  /** Whether mails are to be sent, or only kept. */
  readonly isSending: boolean
  readonly now: Instant
}

/** For `together`, in the transaction that settles: its locks keep others from numbering these notifications. */
export function rowsThatFollow(settledChange: SettledChange): Sql[] {
  const { change, before, settled, configuration, actor, isSending, now } = settledChange
  const { appId, id } = settled
  const eventId = newId()
  // A calendar that invited someone tells them of a move and of the end too.
  const told = new Set([...before.invitedByCalendar, ...settled.invitedByCalendar])
  const invites = (email: string) => !told.has(email.toLowerCase())
  return [
    ...notificationRows(appId, [
      {
        id: eventId,
        trigger: triggerOf(change),
        objectId: id,
        body: bookingNotification(settled, change, before.when, configuration),
        grantId: configuration.grantId,
      },
      ...eventNotifications(settledChange),
    ]),
    ...mailRows(appId, {
      eventId,
      bookingId: id,
      mails: mailsOf({ change, before, settled, configuration, invites, now }),
      isSending,
    }),
    auditRow(appId, {
      actor,
      action: `booking.${change.kind}`,
      target: id,
      detail: { version: settled.version, state: settled.state },
    }),
    ...reminderRows(appId, id, remindersOf(settled, configuration, now)),
  ]
}

function eventNotifications({ change, before, events: { placed, removed } }: SettledChange): NewNotification[] {
  const stood = new Set(change.kind === 'create' ? [] : before.service.placements.map(({ key }) => calendarName(key)))
  return [
    ...removed.map((event) => ({
      trigger: 'event.deleted',
      objectId: event.id,
      grantId: event.grantId,
      body: removedEventNotification(event),
    })),
    ...placed.map((event) => {
      const trigger = stood.has(calendarName(event)) ? 'event.updated' : 'event.created'
      return { trigger, objectId: event.id, grantId: event.grantId, body: eventNotification(trigger, event) }
    }),
  ]
}
