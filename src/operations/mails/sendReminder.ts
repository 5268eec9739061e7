// Reminds of a booking, at the time that was asked for or not at all. Run by the worker; safe to repeat.
import { findBooking, lockBooking } from '../../adapters/storage/bookings.ts'
import { findGrant } from '../../adapters/storage/grants.ts'
import { insertMails } from '../../adapters/storage/mails/rows.ts'
import { recordNotification } from '../../adapters/storage/outbox.ts'
import { endReminder, lockReminder } from '../../adapters/storage/reminders.ts'
import { findStillWanted, reminderGraceMs, reminderMails } from '../../core/booking/reminders.ts'
import type { AppId, BookingId } from '../../core/ids.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { reminderNotification } from '../../wire/bookingNotifications.ts'
import { findKnownConfiguration } from '../configurations/loadConfiguration.ts'
import type { Tools } from '../tools.ts'

export type SendReminderCommand = { readonly appId: AppId; readonly bookingId: BookingId; readonly number: number }

/**
 * Reads booking and reminder again under their locks: whatever moved or cancelled the booking since has moved or cancelled
 * the reminder with it; one that its configuration no longer has is cancelled. What is told is written with the reminder's
 * end in one transaction, so it is told once.
 * `late`: more than 15 minutes, so it is dropped; the row stays and counts. Problems: `notFound`.
 */
export async function sendReminder(
  tools: Pick<Tools, 'database' | 'mailer' | 'now'>,
  { appId, bookingId, number }: SendReminderCommand,
): Promise<Result<'done' | 'late' | 'cancelled' | 'nothing to do'>> {
  const found = await tools.database.read(appId, (transaction) => findBooking(transaction, bookingId))
  if (found === undefined) return success('nothing to do')
  // Read before the transaction, so that it waits for no second connection.
  const known = await findKnownConfiguration(tools, appId, found.configurationId, 'evenDeleted')
  return tools.database.transaction(appId, async (transaction) => {
    const booking = await lockBooking(transaction, bookingId)
    const reminder = await lockReminder(transaction, bookingId, number)
    const now = tools.now()
    if (booking === undefined || reminder === undefined || reminder.dueAt > now) return success('nothing to do')
    const end = async <T extends 'done' | 'late' | 'cancelled'>(state: T) => {
      await endReminder(transaction, bookingId, number, state)
      return success(state)
    }
    if (booking.state !== 'booked') return end('cancelled')
    if (now - reminder.dueAt > reminderGraceMs) return end('late')
    if (!known.ok) return failure(known.problem)
    const { configuration } = known.value
    const wanted = findStillWanted(reminder, configuration)
    if (wanted === undefined) return end('cancelled')
    if (wanted.type === 'email') {
      const mails = reminderMails(booking, configuration, wanted).map((mail) => ({ bookingId, mail }))
      await insertMails(transaction, mails, tools.mailer.isSending)
      return end('done')
    }
    const grantId = booking.service.placements[0]?.key.grantId ?? configuration.grantId
    const grant = await findGrant(transaction, { by: 'id', value: grantId })
    // Of one that was taken away, what it was.
    const provider = grant?.provider ?? booking.service.placements[0]?.provider ?? ''
    const body = reminderNotification(booking, configuration, { now, provider })
    await recordNotification(transaction, {
      trigger: 'booking.reminder',
      objectId: bookingId,
      body,
      grantId: configuration.grantId,
    })
    return end('done')
  })
}
