// Where slots may start: the grid of candidate starts, and which of them fit into free time.
import type { Instant } from '../time/instant.ts'
import { dayMs, instant, minuteMs } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import { offsetSegments } from '../time/zone.ts'

/**
 * A mark every `intervalMinutes`, each rounded up to a multiple of `roundToMinutes`. Two ways to count:
 * - `instant`: marks run on from `at` (none before it) and round on the Unix time line;
 * - `wallClock`: marks and multiples are counted from each local midnight, so they do not depend on what window is asked.
 *   An hour that comes twice has its marks twice, an hour that is skipped has none. A mark that would round past midnight is midnight.
 */
export type Grid = {
  readonly intervalMinutes: number
  readonly roundToMinutes: number
  readonly anchor:
    | { readonly kind: 'instant'; readonly at: Instant }
    | { readonly kind: 'wallClock'; readonly timezone: string }
}

/** Every start of the grid in `ranges`, which are sorted and apart: sorted, each once. O(days + starts). */
export function candidateStarts(grid: Grid, ranges: readonly Interval[]): Instant[] {
  const { intervalMinutes, roundToMinutes, anchor } = grid
  if (!(intervalMinutes > 0 && roundToMinutes > 0)) throw new RangeError('a grid needs a positive step and rounding')
  const steps = { intervalMs: intervalMinutes * minuteMs, roundToMs: roundToMinutes * minuteMs }
  const starts: Instant[] = []
  if (anchor.kind === 'instant') {
    for (const range of ranges) addFromInstant(starts, anchor.at, steps, range)
  } else {
    const readings = readingsOfDay(steps)
    for (const range of ranges) addOnWallClock(starts, anchor.timezone, readings, range)
  }
  return starts
}

type Steps = { readonly intervalMs: number; readonly roundToMs: number }

function addFromInstant(starts: Instant[], at: Instant, { intervalMs, roundToMs }: Steps, range: Interval): void {
  // A start comes from the last mark that is not after it, if from any: so no mark before this one is missed.
  const firstMark = Math.max(0, Math.floor((range.start - at) / intervalMs))
  let last = Number.NEGATIVE_INFINITY
  for (let mark = at + firstMark * intervalMs; mark < range.end; mark += intervalMs) {
    const start = Math.ceil(mark / roundToMs) * roundToMs
    if (start >= range.end) break
    if (start >= range.start && start !== last) starts.push(instant(start))
    last = start
  }
}

function addOnWallClock(starts: Instant[], timezone: string, readings: readonly number[], range: Interval): void {
  for (const { start, end, offsetMs } of offsetSegments(timezone, range)) {
    const firstWall = start + offsetMs
    const endWall = end + offsetMs
    for (let midnight = Math.floor(firstWall / dayMs) * dayMs; midnight < endWall; midnight += dayMs) {
      for (const reading of readings) {
        const wall = midnight + reading
        if (wall >= endWall) break
        if (wall >= firstWall) starts.push(instant(wall - offsetMs))
      }
    }
  }
}

/** The clock readings (milliseconds of the day) at which a slot may start, on every day the same. */
function readingsOfDay({ intervalMs, roundToMs }: Steps): number[] {
  const readings: number[] = []
  for (let mark = 0; mark < dayMs; mark += intervalMs) {
    const reading = Math.ceil(mark / roundToMs) * roundToMs
    // Midnight itself is the first mark of the next day.
    if (reading >= dayMs) break
    if (reading !== readings.at(-1)) readings.push(reading)
  }
  return readings
}

/** Neighbouring entries of a list: index `from` is in, `to` is not. */
export type Run = { readonly from: number; readonly to: number }

/**
 * Which of `starts` leave room for `durationMs` inside one interval of `free`, as runs of their indexes.
 * Both lists are sorted, `free` is merged; so the runs are in order and apart. O(starts + free).
 */
export function runsThatFit(starts: readonly Instant[], free: readonly Interval[], durationMs: number): Run[] {
  const runs: Run[] = []
  let index = 0
  for (const { start, end } of free) {
    const lastStart = end - durationMs
    while (index < starts.length && isBefore(starts[index], start)) index += 1
    const from = index
    while (index < starts.length && !isBefore(lastStart, starts[index])) index += 1
    if (index > from) runs.push({ from, to: index })
  }
  return runs
}

function isBefore(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a < b
}
