// Lines of RRULE and EXDATE (RFC 5545 §3.3.10, §3.8.5.1) ↔ our series.

import type { Frequency, RecurrenceRule } from '../../core/calendar/recurrence.ts'
import type { Recurrence, SeriesPoint } from '../../core/calendar/series.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { dayMs, hourMs, instant, minuteMs, secondMs } from '../../core/time/instant.ts'
import { isLocalDate, localDay } from '../../core/time/localDate.ts'
import { instantOfWallClock, isTimezone } from '../../core/time/zone.ts'

const frequencies: Readonly<Record<string, Frequency>> = {
  HOURLY: 'hourly',
  DAILY: 'daily',
  WEEKLY: 'weekly',
  MONTHLY: 'monthly',
  YEARLY: 'yearly',
}
const weekdayNames = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']
const exclusionLimit = 500
const timesPerDayLimit = 96

class Malformed extends Error {
  override readonly name = 'Malformed'
}

/**
 * Reads the lines of one series. Blanks and small letters are forgiven. One RRULE and any number of EXDATE;
 * RDATE, EXRULE, DTSTART and rules by the minute or second are refused.
 *
 * Problems: `invalidRequest` with the field `recurrence`.
 */
export function readRecurrence(lines: readonly string[]): Result<Recurrence> {
  try {
    return success(read(lines))
  } catch (error) {
    if (error instanceof Malformed) return failure(invalidRequest(error.message, 'recurrence'))
    throw error
  }
}

function read(lines: readonly string[]): Recurrence {
  let rule: RecurrenceRule | undefined
  let until: SeriesPoint | undefined
  const excluded: SeriesPoint[] = []
  for (const line of lines) {
    const match = /^\s*([A-Za-z]+)\s*((?:;[^:]*)?):(.*)$/s.exec(line)
    const name = match?.[1]?.toUpperCase()
    const value = (match?.[3] ?? '').replace(/\s+/g, '')
    if (name === 'RRULE') {
      if (rule !== undefined) throw new Malformed('has more than one RRULE, which is not understood here')
      const parts = partsOf(value)
      rule = readRule(parts)
      const limit = parts.get('UNTIL')
      until = limit === undefined ? undefined : readPoint(limit, undefined)
    } else if (name === 'EXDATE') {
      const zone = /;TZID="?([^";:]+)"?/i.exec(match?.[2] ?? '')?.[1]
      for (const text of value.split(',')) excluded.push(readPoint(text.toUpperCase(), zone))
      if (excluded.length > exclusionLimit) throw new Malformed(`excludes more than ${exclusionLimit} dates`)
    } else {
      throw new Malformed('must consist of RRULE: and EXDATE: lines')
    }
  }
  if (rule === undefined && lines.length > 0) throw new Malformed('must have an RRULE: line')
  return { rule, until, excluded }
}

function partsOf(text: string): Map<string, string> {
  const parts = new Map<string, string>()
  for (const part of text.toUpperCase().split(';')) {
    if (part === '') continue
    const [name = '', value = '', ...rest] = part.split('=')
    if (value === '' || rest.length > 0 || parts.has(name))
      throw new Malformed(`RRULE has a part that is not understood: ${part.slice(0, 40)}`)
    parts.set(name, value)
  }
  return parts
}

const knownParts = new Set(
  'FREQ INTERVAL COUNT UNTIL WKST BYMONTH BYWEEKNO BYYEARDAY BYMONTHDAY BYDAY BYHOUR BYMINUTE BYSETPOS BYSECOND'.split(
    ' ',
  ),
)

function readRule(parts: Map<string, string>): RecurrenceRule {
  for (const name of parts.keys())
    if (!knownParts.has(name)) throw new Malformed(`RRULE has an unknown part ${name.slice(0, 40)}`)
  const frequency = frequencies[parts.get('FREQ') ?? '']
  if (frequency === undefined) throw new Malformed('FREQ must be HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY')
  if (parts.has('COUNT') && parts.has('UNTIL')) throw new Malformed('RRULE must not have both COUNT and UNTIL')
  if (parts.has('BYSECOND') && parts.get('BYSECOND') !== '0') throw new Malformed('BYSECOND is not understood here')
  const count = parts.get('COUNT')
  const rule: RecurrenceRule = {
    frequency,
    interval: wholeNumber('INTERVAL', parts.get('INTERVAL') ?? '1', 1, 10_000),
    ...(count === undefined ? {} : { count: wholeNumber('COUNT', count, 1, 10_000) }),
    months: numbers(parts, 'BYMONTH', 1, 12, false),
    weekNumbers: numbers(parts, 'BYWEEKNO', 1, 53, true),
    yearDays: numbers(parts, 'BYYEARDAY', 1, 366, true),
    monthDays: numbers(parts, 'BYMONTHDAY', 1, 31, true),
    weekdays: [...new Set(parts.get('BYDAY')?.split(','))].map(readWeekday),
    hours: numbers(parts, 'BYHOUR', 0, 23, false),
    minutes: numbers(parts, 'BYMINUTE', 0, 59, false),
    positions: numbers(parts, 'BYSETPOS', 1, 366, true),
    weekStart: Math.max(0, weekdayNames.indexOf(parts.get('WKST') ?? 'MO')),
  }
  const hoursADay = frequency === 'hourly' ? 24 : Math.max(1, rule.hours.length)
  if (hoursADay * Math.max(1, rule.minutes.length) > timesPerDayLimit)
    throw new Malformed(`recurs more than ${timesPerDayLimit} times a day`)
  if (rule.weekNumbers.length > 0 && frequency !== 'yearly') throw new Malformed('BYWEEKNO goes with FREQ=YEARLY only')
  if (rule.yearDays.length > 0 && (frequency === 'daily' || frequency === 'weekly' || frequency === 'monthly'))
    throw new Malformed('BYYEARDAY goes with FREQ=YEARLY or HOURLY only')
  if (rule.monthDays.length > 0 && frequency === 'weekly')
    throw new Malformed('BYMONTHDAY does not go with FREQ=WEEKLY')
  const isOrdinal = rule.weekdays.some(({ nth }) => nth !== 0)
  if (isOrdinal && ((frequency !== 'monthly' && frequency !== 'yearly') || rule.weekNumbers.length > 0))
    throw new Malformed('BYDAY with a number goes with FREQ=MONTHLY or YEARLY only')
  return rule
}

function readWeekday(text: string): { nth: number; weekday: number } {
  const match = /^([+-]?\d{1,2})?(SU|MO|TU|WE|TH|FR|SA)$/.exec(text)
  const nth = Number(match?.[1] ?? '0')
  if (match === null || Math.abs(nth) > 53 || (match[1] !== undefined && nth === 0))
    throw new Malformed(`BYDAY has a day that is not understood: ${text.slice(0, 20)}`)
  return { nth, weekday: weekdayNames.indexOf(match[2] ?? '') }
}

/** Sorted and without repeats, so that positions count as the RFC says. */
function numbers(parts: Map<string, string>, name: string, least: number, most: number, isSigned: boolean): number[] {
  const text = parts.get(name)
  if (text === undefined) return []
  const all = text.split(',').map((item) => {
    const isNegative = isSigned && item.startsWith('-')
    const size = wholeNumber(name, item.replace(isSigned ? /^[+-]/ : /^\+/, ''), least, most)
    return isNegative ? -size : size
  })
  return [...new Set(all)].toSorted((a, b) => a - b)
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= least && number <= most))
    throw new Malformed(`${name} must be a whole number from ${least} to ${most}`)
  return number
}

/** `20260329`, `20260329T090000` or `20260329T070000Z`; a local reading with its own `zone` becomes an instant. */
function readPoint(text: string, zone: string | undefined): SeriesPoint {
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?$/.exec(text)
  const date = `${match?.[1]}-${match?.[2]}-${match?.[3]}`
  if (match === null || !isLocalDate(date))
    throw new Malformed(`has a date that is not understood: ${text.slice(0, 30)}`)
  if (match[4] === undefined) return { kind: 'day', day: localDay(date) }
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6])]
  if (hour > 23 || minute > 59 || second > 59)
    throw new Malformed(`has a time that is not understood: ${text.slice(0, 30)}`)
  const reading = localDay(date) * dayMs + hour * hourMs + minute * minuteMs + second * secondMs
  if (match[7] === 'Z') return { kind: 'instant', at: instant(reading) }
  if (zone === undefined) return { kind: 'local', reading }
  if (!isTimezone(zone)) throw new Malformed(`has an unknown time zone: ${zone.slice(0, 60)}`)
  return { kind: 'instant', at: instantOfWallClock(zone, reading) }
}
