// Weekly rules and dated exceptions, turned into the intervals in which a participant can be booked.
import type { Interval } from '../time/interval.ts'
import { clip, merge, subtract } from '../time/interval.ts'
import type { LocalDay } from '../time/localDate.ts'
import { localDay, weekdayOf } from '../time/localDate.ts'
import { instantOfLocalTime, localDayAt, startOfLocalDay } from '../time/zone.ts'

/**
 * One block that recurs weekly. `days`: 0 = Sunday … 6 = Saturday, as the wall of `timezone` has them.
 * `startMinute`, `endMinute`: minutes of the local day, 0…1440, the end not included; a block whose end is not after its start is empty.
 * `exdates`: local dates (`YYYY-MM-DD`) on which this block does not apply.
 */
export type OpenHours = {
  readonly days: readonly number[]
  readonly startMinute: number
  readonly endMinute: number
  readonly timezone: string
  readonly exdates: readonly string[]
}

/** Hours of one local date (`YYYY-MM-DD`), instead of the weekly ones. 00:00–00:00 closes the date. */
export type SpecificTime = {
  readonly date: string
  readonly startMinute: number
  readonly endMinute: number
  readonly timezone: string
}

/**
 * When a participant can be booked. Specific times override the weekly blocks on their date.
 * Without weekly blocks every other date is open all day, unless `onlySpecific`; with `onlySpecific` and no entries it is never open.
 */
export type Hours = {
  readonly weekly: readonly OpenHours[]
  readonly specific: readonly SpecificTime[]
  readonly onlySpecific: boolean
}

/** The open time within `window`, merged and sorted: adjacent blocks join. O(days × blocks). */
export function openIntervals(hours: Hours, window: Interval): Interval[] {
  const { weekly, specific, onlySpecific } = hours
  if (weekly.length === 0 && specific.length === 0) return onlySpecific ? [] : [window]

  const open = specific.map((entry) => onDate(entry, localDay(entry.date)))
  if (onlySpecific) return clip(merge(open), window)

  if (weekly.length === 0) {
    const replaced = merge(specific.map(wholeDate))
    return clip(merge([...subtract([window], replaced), ...open]), window)
  }

  const replaced = specific.map((entry) => localDay(entry.date))
  for (const block of weekly) addWeeks(open, block, new Set([...block.exdates.map(localDay), ...replaced]), window)
  return clip(merge(open), window)
}

function addWeeks(open: Interval[], block: OpenHours, closed: ReadonlySet<LocalDay>, window: Interval): void {
  const lastDay = localDayAt(block.timezone, window.end)
  // From the day before: a clock change around midnight can push the end of a day into the next date.
  for (let day = localDayAt(block.timezone, window.start) - 1; day <= lastDay; day += 1) {
    if (block.days.includes(weekdayOf(day)) && !closed.has(day)) open.push(onDate(block, day))
  }
}

/**
 * A block on one date. Empty where the block is empty or the zone has no such date, and the wrong way round where the clock
 * change skipped its start and moved it behind its end: `merge` drops both.
 */
function onDate({ timezone, startMinute, endMinute }: OpenHours | SpecificTime, day: LocalDay): Interval {
  const start = instantOfLocalTime(timezone, day, startMinute)
  // Samoa had no 30 December 2011: "compatible" would move that day's hours to the 31st.
  if (endMinute <= startMinute || localDayAt(timezone, start) !== day) return { start, end: start }
  return { start, end: instantOfLocalTime(timezone, day, endMinute) }
}

function wholeDate({ date, timezone }: SpecificTime): Interval {
  const day = localDay(date)
  return { start: startOfLocalDay(timezone, day), end: startOfLocalDay(timezone, day + 1) }
}
