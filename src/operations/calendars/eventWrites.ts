// What is stored of an event beside what was said: whether it blocks, and from when to when.
import { readRecurrence } from '../../adapters/ical/recurrence.ts'
import type { EventWrite, Pattern } from '../../adapters/storage/events.ts'
import type { Grant } from '../../core/account/grant.ts'
import { blocksTime, type CalendarEvent, intervalOf } from '../../core/calendar/event.ts'
import { timesADay } from '../../core/calendar/recurrence.ts'
import { endOfSeries, recursOrEnds, type Series } from '../../core/calendar/series.ts'
import { invalidRequest, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { dayMs } from '../../core/time/instant.ts'

type Content = Pick<
  CalendarEvent,
  'id' | 'icalUid' | 'masterEventId' | 'originalStart' | 'status' | 'details' | 'metadata'
>

/** How long an occurrence may be: who looks for the busy time of a day looks for the series of the year before it. */
const longestOccurrenceMs = 366 * dayMs

/** `timezone` is the calendar's. Problems: `invalidRequest` for a recurrence that cannot be computed. */
export function toWrite(event: Content, owner: Pick<Grant, 'email'>, timezone: string): Result<EventWrite> {
  const { details } = event
  const interval = intervalOf(details.when, timezone)
  const write = { ...event, blocks: blocksTime(details, owner.email), during: interval }
  if (details.recurrence.length === 0) return success(write)
  if (interval.end - interval.start > longestOccurrenceMs)
    return failure(invalidRequest('must not last longer than a year in a series', 'when'))
  const series = seriesOf(event, timezone)
  if (!series.ok) return series
  const end = endOfSeries(series.value)
  if (end === 'neverEnds') return failure(invalidRequest('has a COUNT that is never reached', 'recurrence'))
  return success({ ...write, during: { start: interval.start, end } })
}

/** What people have is less by far; more of it would make its calendar unreadable soon. */
const mostTimesADay = 48

/** Problems: `invalidRequest` for a recurrence that nobody can mean: it recurs all day long, or never. */
export function checkMeaning(event: Pick<CalendarEvent, 'details'>, timezone: string): Result<void> {
  const series = seriesOf(event, timezone)
  if (!series.ok) return series
  const { rule } = series.value.recurrence
  if (rule !== undefined && timesADay(rule) > mostTimesADay)
    return failure(invalidRequest(`recurs more than ${mostTimesADay} times a day`, 'recurrence'))
  if (!recursOrEnds(series.value)) return failure(invalidRequest('has an RRULE that never takes place', 'recurrence'))
  return success(undefined)
}

export function seriesOf({ details }: { readonly details: Pattern }, timezone: string): Result<Series> {
  const recurrence = readRecurrence(details.recurrence)
  return recurrence.ok ? success({ when: details.when, timezone, recurrence: recurrence.value }) : recurrence
}

/** What is taken from nobody any more, though it may stand from before. Problems: `invalidRequest`. */
export function findMisfit({ when, recurrence }: CalendarEvent['details']): Problem | undefined {
  if (when.kind !== 'date' && when.kind !== 'datespan') return undefined
  const series = readRecurrence(recurrence)
  const rule = series.ok ? series.value.rule : undefined
  if (rule === undefined || (rule.frequency !== 'hourly' && rule.hours.length === 0 && rule.minutes.length === 0))
    return undefined
  return invalidRequest('must not be by the hour or minute where the event takes whole days', 'recurrence')
}
