// A series on the time line: its rule on the wall of its zone, less what is excluded, as instants.
import type { Instant } from '../time/instant.ts'
import { dayMs, plus } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import type { LocalDay } from '../time/localDate.ts'
import { formatLocalDay, localDay } from '../time/localDate.ts'
import { type Wall, wallOf } from '../time/wall.ts'
import { instantOfWallClock, localDayAt, startOfLocalDay, wallClockAt } from '../time/zone.ts'
import { intervalOf, type When, zoneOf } from './event.ts'
import { horizonOf, lastOfCount, type RecurrenceRule, type Spend, wallClocks } from './recurrence.ts'

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
  const found: Interval[] = []
  for (const occurrence of eachOccurrence(series, span)) {
    if (found.push(occurrence) >= occurrenceLimit) break
  }
  return found
}

/** As `occurrences`, one after the other, for callers who need only the first few of a long span. */
export function* eachOccurrence(series: Series, span: Interval): Generator<Interval> {
  const wall = wallOf(zoneOf(series.when, series.timezone))
  const base = intervalOf(series.when, series.timezone)
  const days = lengthInDays(series.when)
  const length: Length = days === undefined ? { days: 0, ms: base.end - base.start } : { days, ms: 0 }
  const { recurrence } = series
  const pattern = { wall, first: wall.readingAt(base.start), isOfWholeDays: days !== undefined, length, recurrence }
  for (const { start, end } of eachOnWall(pattern, span)) yield { start, end }
}

/** How long every occurrence takes: days of the wall, whose hours may change with the clocks, and exact time after them. */
export type Length = { readonly days: number; readonly ms: number }

/** A series as its wall shows it. `first` is the reading of the first occurrence. */
export type Pattern = {
  readonly wall: Wall
  readonly first: number
  readonly isOfWholeDays: boolean
  readonly length: Length
  readonly recurrence: Recurrence
}

/** As `eachOccurrence`; `reading` is what the wall shows when the occurrence begins. `spend` may end it by throwing. */
export function* eachOnWall(
  { wall, first, isOfWholeDays, length, recurrence }: Pattern,
  span: Interval,
  spend?: Spend,
): Generator<Interval & { readonly reading: number }> {
  const { rule } = recurrence
  const from = wall.readingAt(span.start) - length.days * dayMs - length.ms - dayMs
  const to = wall.readingAt(span.end) + dayMs
  const last = rule?.count === undefined ? undefined : lastOfCount(rule, { first, count: rule.count, to, spend })
  let before: Instant | undefined
  for (const reading of rule === undefined ? [first] : wallClocks(rule, first, from, to, spend)) {
    if (last !== undefined && reading > last) return
    const { start, end } = onWall(wall, reading, isOfWholeDays, length)
    if (isAfter(start, reading, recurrence.until)) return
    if (!(start < span.end && (end > span.start || start >= span.start))) continue
    if (recurrence.excluded.some((point) => isAt(start, reading, point))) continue
    // A reading that the clocks skip falls upon the one an hour later, and any hour of a whole day upon its start.
    if (start === before) continue
    before = start
    yield { start, end, reading }
  }
}

/** When an occurrence that begins at `reading` takes place. */
export function onWall(wall: Wall, reading: number, isOfWholeDays: boolean, { days, ms }: Length): Interval {
  if (isOfWholeDays) {
    const day = Math.floor(reading / dayMs)
    return { start: wall.startOfDay(day), end: plus(wall.startOfDay(day + days), ms) }
  }
  const start = wall.instantOf(reading)
  return { start, end: plus(days === 0 ? start : wall.instantOf(reading + days * dayMs), ms) }
}

/** The same kind of time as `when`, moved to `occurrence`. */
export function whenOfOccurrence(when: When, occurrence: Interval, timezone: string): When {
  switch (when.kind) {
    case 'time':
      return { ...when, time: occurrence.start }
    case 'timespan':
      return { ...when, startTime: occurrence.start, endTime: occurrence.end }
    case 'date':
      return { kind: 'date', date: formatLocalDay(localDayAt(timezone, occurrence.start)) }
    case 'datespan': {
      const first = localDayAt(timezone, occurrence.start)
      return {
        kind: 'datespan',
        startDate: formatLocalDay(first),
        endDate: formatLocalDay(first + (lengthInDays(when) ?? 1) - 1),
      }
    }
  }
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
    const first = wallClockAt(zone, base.start)
    const last = lastOfCount(rule, { first, count: rule.count, to: horizonOf(rule, first) })
    return last === Number.POSITIVE_INFINITY ? 'neverEnds' : plus(instantOfWallClock(zone, last), marginMs)
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

/** Undefined for what is not made of whole days. */
function lengthInDays(when: When): number | undefined {
  if (when.kind === 'date') return 1
  return when.kind === 'datespan' ? localDay(when.endDate) - localDay(when.startDate) + 1 : undefined
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
