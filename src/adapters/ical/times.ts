// Dates, times and durations of iCalendar (RFC 5545 §3.3.4–3.3.6, §3.3.14) → readings of a wall.
import { dayMs, hourMs, type Instant, minuteMs, secondMs } from '../../core/time/instant.ts'
import { formatLocalDay, isLocalDate, localDay } from '../../core/time/localDate.ts'
import { MalformedCalendar } from './contentLines.ts'

/** What stands in a value: a whole day, or a reading of the wall, in UTC where a Z says so. */
export type Reading = { readonly kind: 'day' | 'local' | 'utc'; readonly reading: number }

/** `20260329`, `20260329T090000` or `20260329T070000Z`. A leap second is the second after. Throws MalformedCalendar. */
export function readReading(text: string): Reading {
  const match = /^(\d{4})-?(\d{2})-?(\d{2})(?:T(\d{2}):?(\d{2}):?(\d{2})?(Z?))?$/i.exec(text.trim())
  const date = `${match?.[1]}-${match?.[2]}-${match?.[3]}`
  if (match === null || !isLocalDate(date)) throw new MalformedCalendar(`has a date that is none: ${text.slice(0, 30)}`)
  const midnight = localDay(date) * dayMs
  if (match[4] === undefined) return { kind: 'day', reading: midnight }
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6] ?? '0')]
  if (hour > 24 || minute > 59 || second > 60)
    throw new MalformedCalendar(`has a time that is none: ${text.slice(0, 30)}`)
  const reading = midnight + hour * hourMs + minute * minuteMs + second * secondMs
  return { kind: match[7] === '' || match[7] === undefined ? 'local' : 'utc', reading }
}

/** `P1D`, `PT1H30M`, `-P2W`. Weeks and days are days of the wall, the rest is exact time. Throws MalformedCalendar. */
export function readDuration(text: string): { days: number; ms: number } {
  const match = /^([+-]?)P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$/i.exec(
    text.trim(),
  )
  if (match === null) throw new MalformedCalendar(`has a duration that is none: ${text.slice(0, 30)}`)
  const [weeks, days, hours, minutes, seconds] = match.slice(2).map((digits) => Number(digits ?? '0'))
  const sign = match[1] === '-' ? -1 : 1
  return {
    days: sign * ((weeks ?? 0) * 7 + (days ?? 0)),
    ms: sign * ((hours ?? 0) * hourMs + (minutes ?? 0) * minuteMs + (seconds ?? 0) * secondMs),
  }
}

/** `+0100`, `-0330`, `+053000` as milliseconds. Throws MalformedCalendar. */
export function readOffset(text: string): number {
  const match = /^([+-])(\d{2}):?(\d{2}):?(\d{2})?$/.exec(text.trim())
  if (match === null) throw new MalformedCalendar(`has an offset that is none: ${text.slice(0, 30)}`)
  const ms = Number(match[2]) * hourMs + Number(match[3]) * minuteMs + Number(match[4] ?? '0') * secondMs
  return match[1] === '-' ? -ms : ms
}

/** `20260329T010000Z` */
export function utcText(at: Instant): string {
  const day = Math.floor(at / dayMs)
  const seconds = Math.floor((at - day * dayMs) / secondMs)
  const two = (number: number) => String(number).padStart(2, '0')
  const clock = `${two(Math.floor(seconds / 3_600))}${two(Math.floor(seconds / 60) % 60)}${two(seconds % 60)}`
  return `${formatLocalDay(day).replaceAll('-', '')}T${clock}Z`
}
