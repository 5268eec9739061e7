// When a series takes place: the recurrence rules of RFC 5545 on wall clock readings, a period at a time.
//
// Our own, because a rule comes from a stranger: each period is looked at once and in constant time, what a month or a day
// rules out is passed in one look, and the caller hears of every look and may end the walk.
import { dayMs, hourMs, minuteMs } from '../time/instant.ts'
import { civil, dayNumber, type LocalDay, weekdayOf } from '../time/localDate.ts'

export type Frequency = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'

/** Empty lists do not restrict. `weekday`, `weekStart`: 0 = Sunday. `nth` of the month or year, negative from its end; 0: each. */
export type RecurrenceRule = {
  readonly frequency: Frequency
  readonly interval: number
  /** How many occurrences there are, the first included. */
  readonly count?: number
  readonly months: readonly number[]
  readonly weekNumbers: readonly number[]
  readonly yearDays: readonly number[]
  readonly monthDays: readonly number[]
  readonly weekdays: readonly { readonly nth: number; readonly weekday: number }[]
  readonly hours: readonly number[]
  readonly minutes: readonly number[]
  readonly positions: readonly number[]
  readonly weekStart: number
}

/** Hears how many days and readings were looked at, a period at a time; ends the walk by throwing. */
export type Spend = (steps: number) => void

/**
 * The wall clock readings of the series that begins at `first` (its first occurrence whatever the rule says, as calendars
 * show it), those at `from` or later, ascending; `count` is not applied. Ends at `to` (not included), so that a rule
 * that matches nothing ends too. https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
 */
export function* wallClocks(
  rule: RecurrenceRule,
  first: number,
  from: number,
  to: number,
  spend: Spend,
): Generator<number> {
  if (first >= from && first < to) yield first
  const origin = periodOf(rule, first)
  const skipped = Math.floor((periodOf(rule, Math.max(from, first)) - origin) / rule.interval)
  const passing = passerOf(rule)
  for (let period = origin + Math.max(0, skipped) * rule.interval; periodStart(rule, period) < to; ) {
    const next = passing(period)
    if (next !== undefined) {
      spend(1)
      period = next
      continue
    }
    const readings = readingsOf(rule, first, period)
    spend(looksAPeriod(rule) + readings.length)
    for (const reading of readings) {
      if (reading > first && reading >= from && reading < to) yield reading
    }
    period += rule.interval
  }
}

/** The last of `count` occurrences; infinity where it does not lie before `to`. */
export function lastOfCount(
  rule: RecurrenceRule,
  {
    first,
    count,
    to,
    spend,
  }: { readonly first: number; readonly count: number; readonly to: number; readonly spend: Spend },
): number {
  let found = 0
  for (const reading of wallClocks(rule, first, first, to, spend)) {
    found += 1
    if (found === count) return reading
  }
  return Number.POSITIVE_INFINITY
}

/** How often the rule may recur on one day. */
export function timesADay({ frequency, interval, hours, minutes }: RecurrenceRule): number {
  const named = Math.max(1, hours.length)
  const hoursADay = frequency === 'hourly' ? Math.min(24 / interval, hours.length === 0 ? 24 : named) : named
  return hoursADay * Math.max(1, minutes.length)
}

/** How many days are looked at in one period that is not passed, an hour counted as a day. */
function looksAPeriod({ frequency, months, weekNumbers }: RecurrenceRule): number {
  return frequency === 'yearly' && months.length > 0 && weekNumbers.length === 0
    ? months.length * 31
    : daysAPeriod[frequency]
}

const daysAPeriod: Readonly<Record<Frequency, number>> = { hourly: 1, daily: 1, weekly: 7, monthly: 31, yearly: 366 }

/** Tells of a period that cannot fit which one is to be looked at next; undefined for one that may. */
function passerOf(rule: RecurrenceRule): (period: number) => number | undefined {
  const { frequency, interval, months } = rule
  if (frequency === 'weekly' || frequency === 'yearly') return () => undefined
  const isWithin = (month: number) => months.length === 0 || months.includes(month)
  if (frequency === 'monthly') return (period) => (isWithin((period % 12) + 1) ? undefined : period + interval)
  const periodsADay = frequency === 'hourly' ? 24 : 1
  let fitting: LocalDay | undefined
  return (period) => {
    const day = firstDay(rule, period)
    if (day === fitting) return undefined
    if (fits(rule, day) && fitsWeekday(rule, day)) {
      fitting = day
      return undefined
    }
    const { year, month } = civil(day)
    const nextDay = isWithin(month) ? day + 1 : dayNumber(month === 12 ? year + 1 : year, (month % 12) + 1, 1)
    return period + Math.ceil((nextDay * periodsADay - period) / interval) * interval
  }
}

/** Days that are looked at before a count is given up: five centuries, or two decades of hours. */
const dayLimit = 200_000

/** As far as it is worth looking for the last of a count: 200,000 days that are looked at, and not past the year 9999. */
export function horizonOf({ frequency, interval }: RecurrenceRule, first: number): number {
  return Math.min(latestReading, first + dayLimit * interval * (frequency === 'hourly' ? hourMs : dayMs))
}

/** The end of the year 9999, past which dates have no form. */
const latestReading = 253_402_300_800_000

/** Periods are numbered by what they consist of: hours, days, weeks, months or years since 1970. */
function periodOf(rule: RecurrenceRule, reading: number): number {
  const day = Math.floor(reading / dayMs)
  switch (rule.frequency) {
    case 'hourly':
      return Math.floor(reading / hourMs)
    case 'daily':
      return day
    case 'weekly':
      return Math.floor((day - firstWeekday(rule)) / 7)
    case 'monthly':
      return civil(day).year * 12 + civil(day).month - 1
    case 'yearly':
      return civil(day).year
  }
}

function periodStart(rule: RecurrenceRule, period: number): number {
  if (rule.frequency === 'hourly') return period * hourMs
  // A week by number may begin up to six days before its year does.
  const early = rule.weekNumbers.length > 0 ? 6 : 0
  return (firstDay(rule, period) - early) * dayMs
}

/** Any day of the past that begins a week. 1970-01-01 was a Thursday. */
function firstWeekday(rule: RecurrenceRule): LocalDay {
  return (rule.weekStart - 4 + 7) % 7
}

function firstDay(rule: RecurrenceRule, period: number): LocalDay {
  switch (rule.frequency) {
    case 'hourly':
      return Math.floor(period / 24)
    case 'daily':
      return period
    case 'weekly':
      return period * 7 + firstWeekday(rule)
    case 'monthly':
      return dayNumber(Math.floor(period / 12), (period % 12) + 1, 1)
    case 'yearly':
      return dayNumber(period, 1, 1)
  }
}

function readingsOf(rule: RecurrenceRule, first: number, period: number): number[] {
  const readings: number[] = []
  const times = timesOfDay(rule, first, period)
  if (times.length === 0) return readings
  for (const day of daysOf(rule, Math.floor(first / dayMs), period)) {
    for (const time of times) readings.push(day * dayMs + time)
  }
  if (rule.positions.length === 0) return readings
  const chosen = new Set(rule.positions.map((position) => (position > 0 ? position - 1 : readings.length + position)))
  return readings.filter((_, index) => chosen.has(index))
}

function timesOfDay(rule: RecurrenceRule, first: number, period: number): number[] {
  const within = first - Math.floor(first / dayMs) * dayMs
  const ownHour = rule.frequency === 'hourly' ? ((period % 24) + 24) % 24 : Math.floor(within / hourMs)
  if (rule.frequency === 'hourly' && rule.hours.length > 0 && !rule.hours.includes(ownHour)) return []
  const hours = rule.frequency === 'hourly' || rule.hours.length === 0 ? [ownHour] : rule.hours
  const minutes = rule.minutes.length === 0 ? [Math.floor((within % hourMs) / minuteMs)] : rule.minutes
  return hours.flatMap((hour) => minutes.map((minute) => hour * hourMs + minute * minuteMs + (within % minuteMs)))
}

/** Of a rule by the hour or the day: a day that fits, as what does not was passed. */
function daysOf(rule: RecurrenceRule, ownDay: LocalDay, period: number): LocalDay[] {
  const start = firstDay(rule, period)
  const days: LocalDay[] = []
  const look = (from: LocalDay, length: number) => {
    for (let day = from; day < from + length; day += 1) {
      if (fits(rule, day) && fitsWeekday(rule, day) && fitsOwnDay(rule, day, ownDay)) days.push(day)
    }
  }
  switch (rule.frequency) {
    case 'hourly':
    case 'daily':
      return [start]
    case 'weekly':
      look(start, 7)
      return days
    case 'monthly':
      look(start, monthLength(start))
      return days
    case 'yearly':
      if (rule.weekNumbers.length > 0) return daysByWeekNumber(rule, ownDay, period)
      if (rule.months.length === 0) look(start, firstDay(rule, period + 1) - start)
      for (const month of rule.months.toSorted((a, b) => a - b)) {
        const from = dayNumber(period, month, 1)
        look(from, monthLength(from))
      }
      return days
  }
}

/** What the rule leaves open is taken from the first occurrence. */
function fitsOwnDay(rule: RecurrenceRule, day: LocalDay, ownDay: LocalDay): boolean {
  if (rule.weekdays.length > 0 || rule.monthDays.length > 0 || rule.yearDays.length > 0) return true
  if (rule.frequency === 'weekly') return weekdayOf(day) === weekdayOf(ownDay)
  const { month, dayOfMonth } = civil(day)
  const own = civil(ownDay)
  if (dayOfMonth !== own.dayOfMonth) return false
  return rule.frequency === 'monthly' || rule.months.length > 0 || month === own.month
}

function fits(rule: RecurrenceRule, day: LocalDay): boolean {
  if (rule.months.length === 0 && rule.monthDays.length === 0 && rule.yearDays.length === 0) return true
  const { year, month, dayOfMonth } = civil(day)
  if (rule.months.length > 0 && !rule.months.includes(month)) return false
  if (rule.monthDays.length > 0) {
    const fromEnd = dayOfMonth - monthLength(day) - 1
    if (!rule.monthDays.includes(dayOfMonth) && !rule.monthDays.includes(fromEnd)) return false
  }
  if (rule.yearDays.length === 0) return true
  const dayOfYear = day - dayNumber(year, 1, 1) + 1
  return rule.yearDays.includes(dayOfYear) || rule.yearDays.includes(day - dayNumber(year + 1, 1, 1))
}

function fitsWeekday(rule: RecurrenceRule, day: LocalDay): boolean {
  if (rule.weekdays.length === 0) return true
  const weekday = weekdayOf(day)
  return rule.weekdays.some(
    (wanted) => wanted.weekday === weekday && (wanted.nth === 0 || isNth(rule, day, wanted.nth)),
  )
}

/** Is `day` the nth of its weekday in its month, or in its year where the rule is yearly and names no months? */
function isNth(rule: RecurrenceRule, day: LocalDay, nth: number): boolean {
  const { year, month, dayOfMonth } = civil(day)
  if (rule.frequency === 'monthly' || rule.months.length > 0) {
    return nth > 0 ? Math.ceil(dayOfMonth / 7) === nth : Math.ceil((monthLength(day) - dayOfMonth + 1) / 7) === -nth
  }
  if (rule.frequency !== 'yearly' || month < 1) return true
  return nth > 0
    ? Math.ceil((day - dayNumber(year, 1, 1) + 1) / 7) === nth
    : Math.ceil((dayNumber(year + 1, 1, 1) - day) / 7) === -nth
}

/** Week 1 is the first with four days in the year (ISO 8601, with the rule's own first weekday). */
function daysByWeekNumber(rule: RecurrenceRule, ownDay: LocalDay, year: number): LocalDay[] {
  const weekOne = firstWeek(rule, year)
  const weekCount = Math.round((firstWeek(rule, year + 1) - weekOne) / 7)
  const days: LocalDay[] = []
  for (let week = 1; week <= weekCount; week += 1) {
    if (!rule.weekNumbers.includes(week) && !rule.weekNumbers.includes(week - weekCount - 1)) continue
    for (let day = weekOne + (week - 1) * 7; day < weekOne + week * 7; day += 1) {
      const isWanted =
        rule.weekdays.length > 0
          ? rule.weekdays.some(({ weekday }) => weekday === weekdayOf(day))
          : weekdayOf(day) === weekdayOf(ownDay)
      if (isWanted && fits(rule, day)) days.push(day)
    }
  }
  return days
}

function firstWeek(rule: RecurrenceRule, year: number): LocalDay {
  const fourth = dayNumber(year, 1, 4)
  return fourth - ((weekdayOf(fourth) - rule.weekStart + 7) % 7)
}

function monthLength(day: LocalDay): number {
  const { year, month } = civil(day)
  return dayNumber(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - dayNumber(year, month, 1)
}
