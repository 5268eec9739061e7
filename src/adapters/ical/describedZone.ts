// The wall that a VTIMEZONE describes (RFC 5545 §3.6.5), for zones whose name nobody knows.
import { lastOfCount, type Spend, wallClocks } from '../../core/calendar/recurrence.ts'
import type { Recurrence } from '../../core/calendar/series.ts'
import { dayMs, type Instant, instant } from '../../core/time/instant.ts'
import type { Wall } from '../../core/time/wall.ts'
import { type Component, linesOf, MalformedCalendar, textOf, valueOfLine } from './contentLines.ts'
import { readRecurrence } from './recurrence.ts'
import { readOffset, readReading } from './times.ts'

/** From `at` on the wall shows instant + `offsetMs`; before it, `beforeMs`. */
type Change = { readonly at: Instant; readonly offsetMs: number; readonly beforeMs: number }

/** STANDARD or DAYLIGHT: when it begins, as readings of the wall before it. */
type Observance = {
  readonly first: number
  readonly beforeMs: number
  readonly offsetMs: number
  readonly recurrence: Recurrence | undefined
  readonly more: readonly number[]
}

/** What a change costs to keep and to sort, in days looked at. */
const stepsOfChange = 5

/** A rule changes the clocks every year, so the change before any instant is never further away. */
const reachMs = 800 * dayMs
const blockMs = 2 ** 36

/** Throws MalformedCalendar where it describes none. The wall throws what `spend` throws. */
export function describedWall(zone: Component, spend: Spend): Wall {
  const observances = zone.components
    .filter(({ name }) => name === 'STANDARD' || name === 'DAYLIGHT')
    .map((component) => readObservance(component))
    .toSorted((a, b) => a.first - b.first)
  const [earliest] = observances
  if (earliest === undefined) throw new MalformedCalendar('has a time zone without rules')
  const blocks = new Map<number, readonly Change[]>()
  const changesNear = (reading: number): readonly Change[] => {
    const number = Math.floor(reading / blockMs)
    const known = blocks.get(number)
    if (known !== undefined) return known
    const from = number * blockMs - reachMs
    const to = (number + 1) * blockMs + reachMs
    const changes = observances
      .flatMap((observance) => changesOf(observance, from, to, spend))
      .toSorted((a, b) => a.at - b.at || a.beforeMs - b.beforeMs)
    blocks.set(number, changes)
    return changes
  }
  const offsetAt = (at: number) => {
    const changes = changesNear(at)
    return changes.findLast((change) => change.at <= at)?.offsetMs ?? changes[0]?.beforeMs ?? earliest.beforeMs
  }
  const resolve = (reading: number): { at: Instant; skippedUntil?: Instant } => {
    const changes = changesNear(reading)
    let offsetMs = changes[0]?.beforeMs ?? earliest.beforeMs
    for (const change of changes) {
      const at = instant(reading - offsetMs)
      if (at < change.at) return { at }
      offsetMs = change.offsetMs
      // Between the old end and the new beginning the wall shows nothing: the old offset tells how far it moves.
      if (reading - offsetMs < change.at) return { at, skippedUntil: change.at }
    }
    return { at: instant(reading - offsetMs) }
  }
  return {
    instantOf: (reading) => resolve(reading).at,
    readingAt: (at) => at + offsetAt(at),
    startOfDay: (day) => {
      const { at, skippedUntil } = resolve(day * dayMs)
      return skippedUntil ?? at
    },
  }
}

function readObservance(component: Component): Observance {
  const starts = readReading(textOf(component, 'DTSTART') ?? '')
  const rules = linesOf(component, 'RRULE').map(({ text }) => text)
  const recurrence = rules.length === 0 ? undefined : readRecurrence(rules)
  if (recurrence?.ok === false) throw new MalformedCalendar(`has a time zone that ${recurrence.problem.message}`)
  const frequency = recurrence?.value.rule?.frequency ?? 'yearly'
  if (frequency !== 'yearly' && frequency !== 'monthly')
    throw new MalformedCalendar('has a time zone that changes more often than by the month')
  return {
    first: starts.reading,
    beforeMs: readOffset(textOf(component, 'TZOFFSETFROM') ?? ''),
    offsetMs: readOffset(textOf(component, 'TZOFFSETTO') ?? ''),
    recurrence: recurrence?.value,
    more: linesOf(component, 'RDATE').flatMap((line) =>
      valueOfLine(line)
        .split(',')
        .map((text) => readReading(text).reading),
    ),
  }
}

function changesOf(
  { first, beforeMs, offsetMs, recurrence, more }: Observance,
  from: number,
  to: number,
  spend: Spend,
): Change[] {
  const readings = [first, ...more]
  const rule = recurrence?.rule
  if (recurrence !== undefined && rule !== undefined) {
    const last = endOf(recurrence, { first, beforeMs, to, spend })
    // A rule that has ended still tells how it left the clocks.
    const since = Math.min(from, last - reachMs)
    for (const reading of wallClocks(rule, first, since, Math.min(to, last + 1), spend)) readings.push(reading)
  }
  spend(stepsOfChange * readings.length)
  return readings
    .filter((reading) => reading < to)
    .map((reading) => ({ at: instant(reading - beforeMs), offsetMs, beforeMs }))
}

/** The last reading at which it begins; infinity where that does not lie before `to`. */
function endOf(
  { rule, until }: Recurrence,
  { first, beforeMs, to, spend }: { first: number; beforeMs: number; to: number; spend: Spend },
): number {
  if (rule?.count !== undefined) return lastOfCount(rule, { first, count: rule.count, to, spend })
  if (until === undefined) return Number.POSITIVE_INFINITY
  if (until.kind === 'instant') return until.at + beforeMs
  return until.kind === 'local' ? until.reading : (until.day + 1) * dayMs - 1
}
