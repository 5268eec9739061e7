// The look before an event is placed, and the look back after: is the time of a booking free on every calendar that counts?
import type { CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { settle } from '../../core/booking/lifecycle.ts'
import { closed } from '../../core/calendar/health.ts'
import { calendarName, type ParticipantCalendar } from '../../core/configuration/configuration.ts'
import { accountGone, asUnavailable } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { overlaps } from '../../core/time/interval.ts'
import type { Tools } from '../tools.ts'

/**
 * Does anyone else's event overlap the new time on a calendar that carries it, or is read for it? Our own does not count.
 * All calendars are asked at once, those of an account in one question; one that may be unreadable is asked alone, so
 * that it takes no other down with it. Where a booking that is moved stood before, on an account that was taken away since,
 * nobody's event counts. Problems: `calendarUnavailable`.
 */
export async function isStillFree(
  tools: Pick<Tools, 'providers'>,
  scope: CalendarScope,
  booking: Booking,
): Promise<Result<boolean>> {
  const { service, when } = settle(booking)
  const carrying = new Set(service.placements)
  const mayBeUnread = (calendar: ParticipantCalendar) =>
    !carrying.has(calendar) && (calendar.whenUnreadable ?? closed).kind !== 'closed'
  const calendars = [...carrying, ...(service.alsoRead ?? [])]
  const questions = [
    ...Map.groupBy(
      calendars.filter((calendar) => !mayBeUnread(calendar)),
      ({ provider, key }) => `${provider} ${key.grantId}`,
    ).values(),
    ...calendars.filter(mayBeUnread).map((calendar) => [calendar]),
  ]
  const answers = await Promise.all(questions.map((together) => ask(tools, scope, together, booking)))
  const { change, service: present } = booking
  const stood = new Set(
    change?.kind === 'create'
      ? []
      : [...present.placements, ...(present.alsoRead ?? [])].map(({ key }) => calendarName(key)),
  )
  let isFree = true
  for (const [index, busy] of answers.entries()) {
    // One that may be unreadable was counted as its participant wants when the slot was decided.
    if (!busy.ok && questions[index]?.every(mayBeUnread)) continue
    const stoodThere = questions[index]?.every(({ key }) => stood.has(calendarName(key)))
    if (!busy.ok && busy.problem === accountGone && stoodThere) continue
    if (!busy.ok) return failure(asUnavailable(busy.problem))
    isFree &&= !busy.value.flat().some((interval) => overlaps(interval, when))
  }
  return success(isFree)
}

async function ask(
  { providers }: Pick<Tools, 'providers'>,
  scope: CalendarScope,
  calendars: readonly ParticipantCalendar[],
  booking: Booking,
) {
  const [first] = calendars
  if (first === undefined) return success([])
  const provider = providers(first.provider)
  if (provider === undefined)
    return failure({
      kind: 'calendarUnavailable',
      message: `calendars of ${first.provider} cannot be read by this server yet`,
    })
  const keys = calendars.map(({ key }) => key)
  return provider.freeBusy(scope, keys, settle(booking).when, [booking.eventId])
}
