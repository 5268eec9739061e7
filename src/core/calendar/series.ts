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

/**
 * The occurrences that overlap `span` (a moment counts where it lies in it), by start. `spend` hears of what is looked at;
 * who takes them in pays for each beside that.
 */
export function eachOccurrence(series: Series, span: Interval, spend: Spend): Generator<Interval> {
  return eachOnWall(patternOf(series), span, spend)
}

function patternOf({ when, timezone, recurrence }: Series): Pattern {
  const wall = wallOf(zoneOf(when, timezone))
  const base = intervalOf(when, timezone)
  const days = lengthInDays(when)
  const length: Length = days === undefined ? { days: 0, ms: base.end - base.start } : { days, ms: 0 }
  return { wall, first: wall.readingAt(base.start), isOfWholeDays: days !== undefined, length, recurrence }
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
  spend: Spend,
): Generator<Interval & { readonly reading: number }> {
  const { rule, until, excluded } = isOfWholeDays ? byTheDay(recurrence) : recurrence
  const from = wall.readingAt(span.start) - length.days * dayMs - length.ms - dayMs
  const to = Math.min(
    wall.readingAt(span.end) + dayMs,
    until === undefined ? Number.POSITIVE_INFINITY : past(until, wall),
  )
  const last = rule?.count === undefined ? undefined : lastOfCount(rule, { first, count: rule.count, to, spend })
  let before: Instant | undefined
  for (const reading of rule === undefined ? [first] : wallClocks(rule, first, from, to, spend)) {
    if (last !== undefined && reading > last) return
    const { start, end } = onWall(wall, reading, isOfWholeDays, length)
    if (isAfter(start, reading, until)) return
    if (!(start < span.end && (end > span.start || start >= span.start))) continue
    spend(excluded.length / comparisonsAStep)
    if (excluded.some((point) => isAt(start, reading, point))) continue
    // A reading that the clocks skip falls upon the one an hour later, and any hour of a whole day upon its start.
    if (start === before) continue
    before = start
    yield { start, end, reading }
  }
}

function byTheDay({ rule, until, excluded }: Recurrence): Recurrence {
  return { rule, until: until && dayOf(until), excluded: excluded.map(dayOf) }
}

const comparisonsAStep = 16

/** A reading past every one that may lie at `point` or before it. */
function past(point: SeriesPoint, wall: Wall): number {
  if (point.kind === 'day') return (point.day + 1) * dayMs
  return (point.kind === 'local' ? point.reading : wall.readingAt(point.at)) + dayMs
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

/** When the occurrence takes place that begins at `start`. */
export function occurrenceFrom({ when, timezone }: Pick<Series, 'when' | 'timezone'>, start: Instant): Interval {
  const days = lengthInDays(when)
  if (days !== undefined) return { start, end: startOfLocalDay(timezone, localDayAt(timezone, start) + days) }
  const first = intervalOf(when, timezone)
  return { start, end: plus(start, first.end - first.start) }
}

/** Does an occurrence of the series begin at `start`? */
export function occursAt(series: Series, start: Instant): Interval | undefined {
  return occurrenceFinder(series)(start)
}

/**
 * Answers which occurrence begins at one instant after the other; the way to the end of a count is gone once for all of them.
 * Looks at days for some milliseconds at most: no further than `horizonOf` the first time, at three days each time.
 */
export function occurrenceFinder(series: Series): (start: Instant) => Interval | undefined {
  const { wall, first, isOfWholeDays, length, recurrence } = patternOf(series)
  const starts: Pattern = { wall, first, isOfWholeDays, length: none, recurrence: withoutCount(recurrence, first) }
  return (start) => {
    for (const found of eachOnWall(starts, { start, end: plus(start, 1) }, freely))
      if (found.start === start) return onWall(wall, found.reading, isOfWholeDays, length)
    return undefined
  }
}

const none: Length = { days: 0, ms: 0 }
/** For what has a bound of its own. */
const freely: Spend = () => {}

function withoutCount(recurrence: Recurrence, first: number): Recurrence {
  const { rule } = recurrence
  if (rule?.count === undefined) return recurrence
  const { count, ...endless } = rule
  const last = lastOfCount(rule, { first, count, to: horizonOf(rule, first), spend: freely })
  return {
    ...recurrence,
    rule: endless,
    until: last === Number.POSITIVE_INFINITY ? undefined : { kind: 'local', reading: last },
  }
}

/**
 * Whether the rule takes place again after the first time or ends, as far as it is worth looking: a century of days, more
 * where months are ruled out.
 */
export function recursOrEnds(series: Series): boolean {
  const { wall, first, recurrence } = patternOf(series)
  const { rule, until } = recurrence
  if (rule === undefined || rule.count === 1) return true
  const to = until === undefined ? Number.POSITIVE_INFINITY : past(until, wall)
  let left = looksForASecond
  const look: Spend = (steps) => {
    left -= steps
    if (left < 0) throw new TooRare()
  }
  try {
    for (const reading of wallClocks(rule, first, first, to, look)) if (reading > first) return true
    return true
  } catch (error) {
    if (error instanceof TooRare) return false
    throw error
  }
}

const looksForASecond = 40_000

class TooRare extends Error {
  override readonly name = 'TooRare'
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
    const last = lastOfCount(rule, { first, count: rule.count, to: horizonOf(rule, first), spend: freely })
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

/** A day that many write as midnight in UTC, though whole days have no time. */
function dayOf(point: SeriesPoint): SeriesPoint {
  return point.kind === 'instant' && point.at % dayMs === 0 ? { kind: 'day', day: point.at / dayMs } : point
}

function isAt(at: Instant, reading: number, point: SeriesPoint): boolean {
  if (point.kind === 'instant') return at === point.at
  return point.kind === 'local' ? reading === point.reading : Math.floor(reading / dayMs) === point.day
}
