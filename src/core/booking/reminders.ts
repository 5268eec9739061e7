// Reminders: when each of a booking is due, and what it says.
import type { Configuration, Reminder } from '../configuration/configuration.ts'
import { type Instant, minuteMs, plus } from '../time/instant.ts'
import type { Booking } from './booking.ts'
import { type Mail, mailTo, recipientsOf } from './mail.ts'

/** Later than this a reminder is dropped and counted, not sent at a wrong time. */
export const reminderGraceMs = 15 * minuteMs

export type DueReminder = Reminder & {
  /** Its place in the configuration, from 0. */
  readonly number: number
  readonly dueAt: Instant
  /** Due before it could be known of: skipped. */
  readonly isPast: boolean
}

/**
 * Those of a booking that stands; none for any other. Counted back from the instant of the start, so a clock change
 * between shifts nothing.
 */
export function remindersOf(
  booking: Pick<Booking, 'state' | 'when'>,
  configuration: Pick<Configuration, 'reminders'>,
  now: Instant,
): DueReminder[] {
  if (booking.state !== 'booked') return []
  return configuration.reminders.map((reminder, number) => {
    const dueAt = plus(booking.when.start, -reminder.minutesBefore * minuteMs)
    return { ...reminder, number, dueAt, isPast: dueAt <= now }
  })
}

/** The reminder of the configuration that was meant when this one was noted down; undefined where it has been removed. */
export function findStillWanted(
  { type, minutesBefore, recipient }: Pick<Reminder, 'type' | 'minutesBefore' | 'recipient'>,
  { reminders }: Pick<Configuration, 'reminders'>,
): Reminder | undefined {
  return reminders.find(
    (one) =>
      one.type === type && one.minutesBefore === minutesBefore && (type === 'webhook' || one.recipient === recipient),
  )
}

/** Sent although `disable_emails` is set: a reminder is asked for by itself, and taken away by removing it. */
export function reminderMails(
  booking: Booking,
  configuration: Configuration,
  { recipient, subject }: Pick<Reminder, 'recipient' | 'subject'>,
): Mail[] {
  return recipientsOf(booking)
    .filter(({ role }) => {
      const isHost = role === 'host' || role === 'organizer'
      return recipient === 'all' || isHost === (recipient === 'host')
    })
    .map((one) => mailTo(one, 'reminder', { booking, configuration, subject }))
}
