// Half-open intervals of instants, and what can be done with sorted lists of them.
import type { Instant } from './instant.ts'
import { instant } from './instant.ts'

/** `start` is in, `end` is not; `start <= end`. */
export type Interval = { readonly start: Instant; readonly end: Instant }

/** Touching is not overlapping. */
export function overlaps(a: Interval, b: Interval): boolean {
  return a.start < b.end && b.start < a.end
}

export function isSameInterval(a: Interval, b: Interval): boolean {
  return a.start === b.start && a.end === b.end
}

/**
 * The union of `intervals`, sorted, as few pieces as possible: touching ones are joined, empty ones dropped.
 * Any order is accepted; a list that is sorted by start already costs O(n), another one O(n log n).
 */
export function merge(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = []
  for (const next of sortedByStart(intervals)) join(merged, next)
  return merged
}

/** The union of two lists that are merged already, merged too. O(a + b). */
export function unite(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const united: Interval[] = []
  let index = 0
  for (const next of a) {
    for (let other = b[index]; other !== undefined && other.start < next.start; other = b[index]) {
      join(united, other)
      index += 1
    }
    join(united, next)
  }
  for (const rest of b.slice(index)) join(united, rest)
  return united
}

/** Puts `next` behind `merged`, none of which starts after it. */
function join(merged: Interval[], next: Interval): void {
  if (next.start >= next.end) return
  const last = merged[merged.length - 1]
  if (last === undefined || next.start > last.end) merged.push(next)
  else if (next.end > last.end) merged[merged.length - 1] = { start: last.start, end: next.end }
}

/** What two lists that are merged have in common, merged too. O(a + b). */
export function intersect(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const common: Interval[] = []
  let index = 0
  for (const { start, end } of a) {
    for (let other = b[index]; other !== undefined && other.start < end; other = b[index]) {
      const from = other.start > start ? other.start : start
      const to = other.end < end ? other.end : end
      if (from < to) common.push({ start: from, end: to })
      // What reaches past this one may reach into the next, so it stays in hand.
      if (other.end > end) break
      index += 1
    }
  }
  return common
}

/**
 * Free time: `open` less `busy`.
 *
 * Both lists are merged (sorted, not overlapping themselves); so is the answer.
 * Touching is not overlapping: busy until 10:00 leaves free time from 10:00. O(open + busy).
 */
export function subtract(open: readonly Interval[], busy: readonly Interval[]): Interval[] {
  const free: Interval[] = []
  let index = 0
  for (const { start, end } of open) {
    let from = start
    let taken = busy[index]
    while (taken !== undefined && taken.start < end) {
      if (taken.start > from) free.push({ start: from, end: taken.start })
      if (taken.end > from) from = taken.end
      // Busy time that reaches past this opening may reach into the next one, so it stays in hand.
      if (taken.end > end) break
      index += 1
      taken = busy[index]
    }
    if (from < end) free.push({ start: from, end })
  }
  return free
}

/** The parts of `intervals` that lie in `window`, in the same order; what is left empty is dropped. */
export function clip(intervals: readonly Interval[], window: Interval): Interval[] {
  const clipped: Interval[] = []
  for (const interval of intervals) {
    if (!overlaps(interval, window)) continue
    const start = instant(Math.max(interval.start, window.start))
    const end = instant(Math.min(interval.end, window.end))
    if (start < end) clipped.push({ start, end })
  }
  return clipped
}

function sortedByStart(intervals: readonly Interval[]): readonly Interval[] {
  for (let index = 1; index < intervals.length; index += 1) {
    const before = intervals[index - 1]
    const after = intervals[index]
    if (before !== undefined && after !== undefined && before.start > after.start) {
      return intervals.toSorted((a, b) => a.start - b.start)
    }
  }
  return intervals
}
