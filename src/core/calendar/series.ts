// A series on the time line: its rule on the wall of its zone, less what is excluded, as instants.
import type { Instant } from '../time/instant.ts'
import { dayMs, plus } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import type { LocalDay } from '../time/localDate.ts'
import { localDay } from '../time/localDate.ts'
import { instantOfWallClock, startOfLocalDay, wallClockAt } from '../time/zone.ts'
import { intervalOf, type When, zoneOf } from './event.ts'
import { lastOfCount, type RecurrenceRule, wallClocks } from './recurrence.ts'

/** A point that a rule or an exclusion names: an instant, a reading of the series' own wall, or a whole day of it. */
export type SeriesPoint =
  | { readonly kind: 'instant'; readonly at: Instant }
  | { readonly kind: 'local'; readonly reading: number }
  | { readonly kind: 'day'; readonly day: LocalDay }

/** `until` is included. Without a rule there is only the first occurrence. */
export type Recurrence = {
  readonly rule: RecurrenceRule | undefined
  readonly until: SeriesPoint | undefined
  readonly excluded: readonly SeriesPoint[]
}

/** `when` is the first occurrence; `timezone` the calendar's. */
export type Series = { readonly when: When; readonly timezone: string; readonly recurrence: Recurrence }

/** More than any window of a request holds: a day has at most 96 occurrences. */
const occurrenceLimit = 20_000

/** The occurrences that overlap `span` (a moment counts where it lies in it), by start; at most 20,000. */
export function occurrences(series: Series, span: Interval): Interval[] {
  const { rule } = series.recurrence
  const zone = zoneOf(series.when, series.timezone)
  const base = intervalOf(series.when, series.timezone)
  const first = wallClockAt(zone, base.start)
  // Whole days are counted on the wall, so their length in hours may change with the clocks.
  const lengthMs = isAllDay(series.when) ? allDayLength(series.when) * dayMs : base.end - base.start
  const from = wallClockAt(zone, span.start) - lengthMs - dayMs
  const to = wallClockAt(zone, span.end) + dayMs
  const last = rule?.count === undefined ? undefined : lastOfCount(rule, first, rule.count)
  const found: Interval[] = []
  for (const reading of rule === undefined ? [first] : wallClocks(rule, first, from, to)) {
    if (last !== undefined && reading > last) break
    const at = isAllDay(series.when)
      ? startOfLocalDay(zone, Math.floor(reading / dayMs))
      : instantOfWallClock(zone, reading)
    if (isAfter(at, reading, series.recurrence.until)) break
    const end = isAllDay(series.when)
      ? startOfLocalDay(zone, Math.floor(reading / dayMs) + allDayLength(series.when))
      : plus(at, lengthMs)
    if (!(at < span.end && (end > span.start || at >= span.start))) continue
    if (!series.recurrence.excluded.some((point) => isAt(at, reading, point))) found.push({ start: at, end })
    if (found.length >= occurrenceLimit) break
  }
  return found
}

/** Does an occurrence of the series begin at `start`? */
export function occursAt(series: Series, start: Instant): Interval | undefined {
  return occurrences(series, { start, end: plus(start, 1) }).find((occurrence) => occurrence.start === start)
}

/**
 * The end of the last occurrence; undefined for a series without end. `neverEnds` where it has a count that the rule
 * does not reach in any time worth computing.
 */
export function endOfSeries(series: Series): Instant | undefined | 'neverEnds' {
  const { rule, until } = series.recurrence
  const base = intervalOf(series.when, series.timezone)
  if (rule === undefined) return base.end
  const zone = zoneOf(series.when, series.timezone)
  const marginMs = base.end - base.start + dayMs
  if (rule.count !== undefined) {
    const last = lastOfCount(rule, wallClockAt(zone, base.start), rule.count)
    return last === undefined ? 'neverEnds' : plus(instantOfWallClock(zone, last), marginMs)
  }
  if (until === undefined) return undefined
  const at =
    until.kind === 'instant'
      ? until.at
      : until.kind === 'local'
        ? instantOfWallClock(zone, until.reading)
        : startOfLocalDay(zone, until.day + 1)
  return plus(at > base.start ? at : base.start, marginMs)
}

function isAllDay(when: When): boolean {
  return when.kind === 'date' || when.kind === 'datespan'
}

function allDayLength(when: When): number {
  return when.kind === 'datespan' ? localDay(when.endDate) - localDay(when.startDate) + 1 : 1
}

function isAfter(at: Instant, reading: number, point: SeriesPoint | undefined): boolean {
  if (point === undefined) return false
  if (point.kind === 'instant') return at > point.at
  return point.kind === 'local' ? reading > point.reading : Math.floor(reading / dayMs) > point.day
}

function isAt(at: Instant, reading: number, point: SeriesPoint): boolean {
  if (point.kind === 'instant') return at === point.at
  return point.kind === 'local' ? reading === point.reading : Math.floor(reading / dayMs) === point.day
}
