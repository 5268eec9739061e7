// When one VEVENT says that it takes place, and what else it says of its series: RECURRENCE-ID, EXDATE and RDATE.
import { type Length, onWall } from '../../core/calendar/series.ts'
import { dayMs, type Instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { type Wall, wallAtOffset } from '../../core/time/wall.ts'
import {
  type Component,
  type ContentLine,
  lineOf,
  linesOf,
  MalformedCalendar,
  parameterOf,
  valueOfLine,
} from './contentLines.ts'
import { type Reading, readDuration, readReading } from './times.ts'
import type { WallWithMargin, Zones } from './zones.ts'

/** The first occurrence as its wall shows it. The margins say how much earlier and later it may truly be. */
export type EventTime = WallWithMargin & {
  readonly first: number
  readonly isOfWholeDays: boolean
  readonly length: Length
}

/** The beginning of an occurrence: of a day where only that is told, else an instant. */
export type Moment = { readonly kind: 'day'; readonly day: number } | { readonly kind: 'instant'; readonly at: Instant }

const utc: WallWithMargin = { wall: wallAtOffset(0), beforeMs: 0, afterMs: 0 }

/** Undefined for an event without a beginning, which has no time. Throws MalformedCalendar. */
export function readTime(event: Component, zones: Zones): EventTime | undefined {
  const line = lineOf(event, 'DTSTART')
  if (line === undefined) return undefined
  const start = readReading(valueOfLine(line))
  const own = wallOfReading(start, line, zones)
  const isOfWholeDays = start.kind === 'day'
  const time = { ...own, first: start.reading, isOfWholeDays }
  const endLine = lineOf(event, 'DTEND')
  if (endLine !== undefined) return { ...time, ...untilEnd(start, own, endLine, zones) }
  const durationLine = lineOf(event, 'DURATION')
  const length = durationLine === undefined ? undefined : readDuration(valueOfLine(durationLine))
  if (length === undefined || (length.days === 0 && length.ms === 0))
    return { ...time, length: { days: isOfWholeDays ? 1 : 0, ms: 0 } }
  return length.days < 0 || length.ms < 0 ? { ...time, ...backwards(time, length) } : { ...time, length }
}

/** The time of an event that takes place once. */
export function intervalOfTime({ wall, first, isOfWholeDays, length }: EventTime): Interval {
  return onWall(wall, first, isOfWholeDays, length)
}

/** Which occurrence of the series `event` stands for; undefined where it is the series itself. */
export function readRecurrenceId(event: Component, master: EventTime, zones: Zones): Moment | undefined {
  const line = lineOf(event, 'RECURRENCE-ID')
  return line === undefined ? undefined : momentOf(readReading(valueOfLine(line)), line, master, zones)
}

/** Throws MalformedCalendar where there are more than anyone would have. */
export function readExclusions(event: Component, master: EventTime, zones: Zones): Moment[] {
  return valuesOf(event, 'EXDATE').map(({ line, text }) => momentOf(readReading(text), line, master, zones))
}

/** Occurrences beside the rule. */
export function readAdditions(event: Component, master: EventTime, zones: Zones): (Interval & { reading: number })[] {
  return valuesOf(event, 'RDATE').map(({ line, text }) => {
    const [startText = '', endText] = text.split('/')
    const start = readReading(startText)
    const { wall } =
      start.kind === 'local' && parameterOf(line, 'TZID') === undefined ? master : wallOfReading(start, line, zones)
    const during = onWall(wall, start.reading, start.kind === 'day', master.length)
    const reading = master.wall.readingAt(during.start)
    if (endText === undefined) return { ...during, reading }
    if (/^[+-]?P/i.test(endText))
      return { ...onWall(wall, start.reading, start.kind === 'day', readDuration(endText)), reading }
    const end = readReading(endText)
    return { start: during.start, end: (end.kind === 'utc' ? utc.wall : wall).instantOf(end.reading), reading }
  })
}

const listLimit = 3_000

function valuesOf(event: Component, name: string): { line: ContentLine; text: string }[] {
  const values = linesOf(event, name).flatMap((line) =>
    valueOfLine(line)
      .split(',')
      .filter((text) => text.trim() !== '')
      .map((text) => ({ line, text: text.trim() })),
  )
  if (values.length > listLimit) throw new MalformedCalendar(`has more than ${listLimit} dates in ${name}`)
  return values
}

function momentOf(point: Reading, line: ContentLine, master: EventTime, zones: Zones): Moment {
  const day = Math.floor(point.reading / dayMs)
  if (point.kind === 'day')
    return master.isOfWholeDays ? { kind: 'instant', at: master.wall.startOfDay(day) } : { kind: 'day', day }
  const isOfMaster = point.kind === 'local' && parameterOf(line, 'TZID') === undefined
  const { wall } = isOfMaster ? master : wallOfReading(point, line, zones)
  const at = wall.instantOf(point.reading)
  if (!master.isOfWholeDays) return { kind: 'instant', at }
  // A time where the series has days: the day that it falls on. Midnight in UTC is how many write the day itself.
  const isDate = point.kind === 'local' || point.reading === day * dayMs
  const fallsOn = isDate ? day : Math.floor(master.wall.readingAt(at) / dayMs)
  return { kind: 'instant', at: master.wall.startOfDay(fallsOn) }
}

function wallOfReading({ kind }: Reading, line: ContentLine, zones: Zones): WallWithMargin {
  if (kind === 'utc') return utc
  return zones(kind === 'day' ? undefined : parameterOf(line, 'TZID'))
}

/** An event of whole days without an end of its own takes one; an end before the start is taken for the start. */
function untilEnd(
  start: Reading,
  own: WallWithMargin,
  endLine: ContentLine,
  zones: Zones,
): Pick<EventTime, 'length' | 'beforeMs' | 'afterMs'> & { first?: number } {
  const end = readReading(valueOfLine(endLine))
  const other = wallOfReading(end, endLine, zones)
  const margins = {
    beforeMs: Math.max(own.beforeMs, other.beforeMs),
    afterMs: Math.max(own.afterMs, other.afterMs),
  }
  if (start.kind === 'day' && end.kind === 'day') {
    const days = (end.reading - start.reading) / dayMs
    if (days < 0) return { ...margins, first: end.reading, length: { days: -days, ms: 0 } }
    return { ...margins, length: { days: Math.max(1, days), ms: 0 } }
  }
  const startsAt = beginning(own.wall, start)
  const endsAt = beginning(other.wall, end)
  if (endsAt < startsAt)
    return { ...margins, first: own.wall.readingAt(endsAt), length: { days: 0, ms: startsAt - endsAt } }
  return { ...margins, length: { days: 0, ms: endsAt - startsAt } }
}

function backwards(time: Omit<EventTime, 'length'>, length: Length): Pick<EventTime, 'first' | 'length'> {
  const { start, end } = onWall(time.wall, time.first, time.isOfWholeDays, length)
  return { first: time.wall.readingAt(end), length: { days: 0, ms: start - end } }
}

function beginning(wall: Wall, { kind, reading }: Reading): Instant {
  return kind === 'day' ? wall.startOfDay(reading / dayMs) : wall.instantOf(reading)
}
