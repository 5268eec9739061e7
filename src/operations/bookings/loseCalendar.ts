// A booking whose calendar of our own was deleted. Run by the worker, one booking at a time; safe to repeat.
import { findBooking, updateBooking } from '../../adapters/storage/bookings.ts'
import { findCalendar } from '../../adapters/storage/calendars.ts'
import { calendarOwner } from '../../core/account/principal.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { stands } from '../../core/booking/lifecycle.ts'
import type { ParticipantCalendar } from '../../core/configuration/configuration.ts'
import type { AppId, BookingId } from '../../core/ids.ts'
import { changedMeanwhile } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { ChangeTools } from './carryThrough.ts'
import { cancelWithEvent } from './followCalendar.ts'
import { isHere } from './placeEvents.ts'

export type LoseCalendarCommand = { readonly appId: AppId; readonly bookingId: BookingId }

/**
 * Where the organizer's calendar is gone, what has not begun is called off by the calendar, and everyone is told; where only
 * another host's is, the booking stands on those that are left. Problems: `conflict` (being changed: to be tried again).
 */
export async function loseCalendar(
  tools: ChangeTools,
  { appId, bookingId }: LoseCalendarCommand,
): Promise<Result<void>> {
  const booking = await tools.database.read(appId, (transaction) => findBooking(transaction, bookingId))
  if (booking === undefined) return success(undefined)
  if (!stands(booking.state) || booking.when.start <= tools.now()) return success(undefined)
  if (booking.change !== undefined) return failure(changedMeanwhile)
  const { placements } = booking.service
  const left = await findLeft(tools, booking)
  if (left.length === placements.length) return success(undefined)
  if (placements[0] !== undefined && left.includes(placements[0])) return standOn(tools, booking, left)
  const cancelled = await cancelWithEvent(tools, { appId, bookingId, version: booking.version, actor: calendarOwner })
  return cancelled.ok ? success(undefined) : cancelled
}

/** Calendars elsewhere count as there: what becomes of them is their provider's to say. */
async function findLeft(tools: ChangeTools, { appId, service }: Booking): Promise<ParticipantCalendar[]> {
  const left: ParticipantCalendar[] = []
  for (const calendar of service.placements) {
    const isGone = isHere(tools, calendar) && (await findCalendar(tools.database, appId, calendar.key)) === undefined
    if (!isGone) left.push(calendar)
  }
  return left
}

/** Nothing of it is news to anyone: it takes place as it would have. */
async function standOn(
  { database }: ChangeTools,
  booking: Booking,
  placements: readonly ParticipantCalendar[],
): Promise<Result<void>> {
  const { appId, service, version } = booking
  const standing: Booking = { ...booking, service: { ...service, placements }, version: version + 1 }
  const isWritten = await database.transaction(appId, (transaction) => updateBooking(transaction, standing, version))
  return isWritten ? success(undefined) : failure(changedMeanwhile)
}
