// Turns a configuration and what is known of its calendars into the question that the engine answers.
import type { AvailabilityQuestion } from '../availability/availability.ts'
import { type Instant, minuteMs, plus } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import { localDayAt, startOfLocalDay } from '../time/zone.ts'
import { type Configuration, calendarName, type Host, isRoundRobin, type ParticipantCalendar } from './configuration.ts'

/** Busy time and claims of a calendar, by `calendarName`. */
export type BusyByCalendar = ReadonlyMap<
  string,
  { readonly busy: readonly Interval[]; readonly claims: readonly Interval[] }
>

/**
 * Which slots of `window` can be booked at `now`. A host is busy when a calendar that is read for it is, and when a
 * booking claims the calendar that would carry the event.
 */
export function slotQuestion(
  configuration: Configuration,
  hosts: readonly Host[],
  known: { readonly busy: BusyByCalendar; readonly order: readonly string[] | undefined; readonly now: Instant },
  window: Interval,
): AvailabilityQuestion {
  const { now } = known
  return {
    window,
    durationMinutes: configuration.durationMinutes,
    grid: {
      intervalMinutes: configuration.intervalMinutes,
      roundToMinutes: configuration.roundToMinutes,
      anchor: { kind: 'wallClock', timezone: configuration.timezone },
    },
    method: configuration.method,
    bufferBeforeMinutes: configuration.bufferBeforeMinutes,
    bufferAfterMinutes: configuration.bufferAfterMinutes,
    participants: hosts.map((host) => ({
      email: host.participant.email,
      hours: host.participant.hours,
      busy: busyOf(host, known.busy),
    })),
    ...(isRoundRobin(configuration) && known.order !== undefined ? { order: known.order } : {}),
    earliestStart: plus(now, configuration.minBookingNoticeMinutes * minuteMs),
    latestStart: horizon(configuration, now),
  }
}

/** Slots start before this: the end of the last bookable local date, so that "14 days" does not end at noon. */
export function horizon(
  { timezone, availableDaysInFuture }: Pick<Configuration, 'timezone' | 'availableDaysInFuture'>,
  now: Instant,
): Instant {
  return startOfLocalDay(timezone, localDayAt(timezone, now) + availableDaysInFuture + 1)
}

/** `window` with what lies outside and can still reach in: buffers around events that end before it or start after it. */
export function widened(
  window: Interval,
  { bufferBeforeMinutes, bufferAfterMinutes }: Pick<Configuration, 'bufferBeforeMinutes' | 'bufferAfterMinutes'>,
): Interval {
  return {
    start: plus(window.start, -bufferAfterMinutes * minuteMs),
    end: plus(window.end, bufferBeforeMinutes * minuteMs),
  }
}

function busyOf(host: Host, known: BusyByCalendar): Interval[] {
  const of = (calendar: ParticipantCalendar) => known.get(calendarName(calendar.key))
  const read = host.availabilityCalendars.flatMap((calendar) => [
    ...(of(calendar)?.busy ?? []),
    ...(of(calendar)?.claims ?? []),
  ])
  const isBookingCalendarRead = host.availabilityCalendars.some(
    ({ key }) => host.bookingCalendar !== undefined && calendarName(key) === calendarName(host.bookingCalendar.key),
  )
  return host.bookingCalendar === undefined || isBookingCalendarRead
    ? read
    : [...read, ...(of(host.bookingCalendar)?.claims ?? [])]
}
