// The booking behind an event of a virtual calendar: what is done to the event by the events API is done to the booking.
import { findBooking } from '../../adapters/storage/bookings.ts'
import { type Booking, bookingIdOf } from '../../core/booking/booking.ts'
import { type CalendarEvent, intervalOf, type When } from '../../core/calendar/event.ts'
import { calendarName } from '../../core/configuration/configuration.ts'
import type { AppId } from '../../core/ids.ts'
import { type Result, success } from '../../core/result.ts'
import type { ChangeTools } from '../bookings/carryThrough.ts'
import { cancelWithEvent, moveWithEvent } from '../bookings/followCalendar.ts'

const actor = 'calendar'

/** True where a booking stood behind the event: it is called off, and the event is gone with it. Problems: `conflict`. */
export async function cancelBehind(tools: ChangeTools, appId: AppId, event: CalendarEvent): Promise<Result<boolean>> {
  const booking = await findLive(tools, appId, event)
  if (booking === undefined) return success(false)
  const cancelled = await cancelWithEvent(tools, { appId, bookingId: booking.id, version: booking.version, actor })
  return cancelled.ok ? success(true) : cancelled
}

/** Moves the booking behind the event where `when` is another time than its own. Problems: `conflict`, `slotTaken`. */
export async function moveBehind(
  tools: ChangeTools,
  appId: AppId,
  event: CalendarEvent,
  { when, timezone }: { readonly when: When; readonly timezone: string },
): Promise<Result<void>> {
  const booking = await findLive(tools, appId, event)
  const target = intervalOf(when, timezone)
  if (booking === undefined || target.start >= target.end) return success(undefined)
  if (booking.when.start === target.start && booking.when.end === target.end) return success(undefined)
  const moved = await moveWithEvent(tools, { appId, bookingId: booking.id, version: booking.version, actor }, target)
  return moved.ok ? success(undefined) : moved
}

async function findLive(
  { database }: Pick<ChangeTools, 'database'>,
  appId: AppId,
  event: CalendarEvent,
): Promise<Booking | undefined> {
  const id = event.metadata.source === 'scheduler' ? bookingIdOf(event.id) : undefined
  if (id === undefined) return undefined
  const booking = await database.read(appId, (transaction) => findBooking(transaction, id))
  const isLive = booking?.state === 'booked' || booking?.state === 'pending'
  const isHere = booking?.service.placements.some(({ key }) => calendarName(key) === calendarName(event))
  return isLive && isHere ? booking : undefined
}
