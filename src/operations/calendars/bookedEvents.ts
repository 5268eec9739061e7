// The booking behind an event of a virtual calendar: what is done to the event by the events API is done to the booking.
import { findBookingOfEvent } from '../../adapters/storage/bookings.ts'
import { calendarOwner } from '../../core/account/principal.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { stands } from '../../core/booking/lifecycle.ts'
import { type CalendarEvent, intervalOf, type When } from '../../core/calendar/event.ts'
import { calendarName } from '../../core/configuration/configuration.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { type Interval, isSameInterval } from '../../core/time/interval.ts'
import type { ChangeTools } from '../bookings/carryThrough.ts'
import { cancelWithEvent, type Followed, moveWithEvent } from '../bookings/followCalendar.ts'

const actor = calendarOwner

/**
 * The booking that stands behind `event`; undefined where none does. Its id and its calendars say so, and no metadata,
 * which every caller of the events API may write. Of a series that the owner made of its event, it stands behind the series
 * and behind the one occurrence that is the meeting.
 */
export async function findBehind(
  { database }: Pick<ChangeTools, 'database'>,
  event: CalendarEvent,
  { appId }: Pick<Booking, 'appId'>,
): Promise<Booking | undefined> {
  const eventId = event.masterEventId ?? event.id
  const booking = await database.read(appId, (transaction) => findBookingOfEvent(transaction, eventId))
  const isLive = booking !== undefined && stands(booking.state)
  const isHere = booking?.service.placements.some(({ key }) => calendarName(key) === calendarName(event))
  const isMeeting = event.masterEventId === undefined || event.originalStart === booking?.when.start
  return isLive && isHere && isMeeting ? booking : undefined
}

type Before = Followed['before']

/** The booking is called off, and its event is gone with it. Problems: `conflict`. */
export function cancelBehind(
  tools: ChangeTools,
  { appId, id, version }: Booking,
  before: Before,
): Promise<Result<Booking>> {
  return cancelWithEvent(tools, { appId, bookingId: id, version, actor, before })
}

/** When the booking would take place with its event at `when`. Problems: `invalidRequest` for a moment. */
export function targetOf(when: When, timezone: string): Result<Interval> {
  const target = intervalOf(when, timezone)
  return target.start < target.end
    ? success(target)
    : failure(invalidRequest('must have an end later than its start: the event belongs to a booking', 'when'))
}

/** Moves the booking where `target` is another time than its own. Problems: `conflict`, `slotTaken`. */
export function moveBehind(
  tools: ChangeTools,
  booking: Booking,
  target: Interval,
  before: Before,
): Promise<Result<Booking>> | Result<Booking> {
  const { appId, id, version } = booking
  if (isSameInterval(booking.when, target)) return success(booking)
  return moveWithEvent(tools, { appId, bookingId: id, version, actor, before }, target)
}
