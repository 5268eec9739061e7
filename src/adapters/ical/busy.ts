// What the events of an iCalendar text take of somebody's time: series unfolded, changed and cancelled occurrences applied.
import { eachOnWall, onWall, type Recurrence } from '../../core/calendar/series.ts'
import type { Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { dayMs, type Instant, plus } from '../../core/time/instant.ts'
import { type Interval, overlaps } from '../../core/time/interval.ts'
import { dayNumber } from '../../core/time/localDate.ts'
import { stepsOfOccurrence, TooMuchWork, Work } from '../work/work.ts'
import {
  type Component,
  lineOf,
  linesOf,
  MalformedCalendar,
  parameterOf,
  readComponents,
  textOf,
  unescapeText,
  valueOfLine,
  withoutControls,
} from './contentLines.ts'
import {
  type EventTime,
  intervalOfTime,
  type Moment,
  readAdditions,
  readExclusions,
  readRecurrenceId,
  readTime,
} from './eventTimes.ts'
import { readRecurrence } from './recurrence.ts'
import { timezoneNamed, type Zones, zonesOf } from './zones.ts'

export type BusyQuestion = {
  readonly span: Interval
  /** The calendar's own zone, for days and times without one; undefined where nobody knows: then they take what they might. */
  readonly timezone: string | undefined
  /** Addresses of the calendar's owner in small letters: what they declined does not keep them busy. */
  readonly ownAddresses: ReadonlySet<string>
}

/** All that bears one UID. */
export type BusyEvent = {
  readonly uid: string
  /** What overlaps the span; unsorted, not merged, not cut. */
  readonly busy: readonly Interval[]
  /** When it first takes place, in the span or not; undefined where it is cancelled or has no time. */
  readonly when: Interval | undefined
}

/** More than a span of a request or a mirror holds of any series that people have. */
const occurrenceLimit = 20_000
const exceptionLimit = 3_000

/**
 * Problems: `calendarUnavailable` where the text cannot be read, or a series recurs in a way that is not understood, past
 * all bounds, or beyond what is left of `work`: what cannot be told is never free. A rule that cannot matter for the span is
 * not looked at.
 */
export async function readBusyEvents(
  text: string,
  question: BusyQuestion,
  work: Work = new Work(),
): Promise<Result<BusyEvent[]>> {
  try {
    const events: BusyEvent[] = []
    for (const calendar of readComponents(text)) events.push(...(await eventsOf(calendar, question, work)))
    return success(events)
  } catch (error) {
    if (error instanceof MalformedCalendar) return failure(unreadable(error))
    throw error
  }
}

function unreadable({ message, about }: MalformedCalendar): Problem {
  return {
    kind: 'calendarUnavailable',
    message: `The calendar has an event that cannot be read: it ${message}.`,
    ...(about === undefined ? {} : { about }),
  }
}

async function eventsOf(calendar: Component, question: BusyQuestion, work: Work): Promise<BusyEvent[]> {
  if (calendar.name !== 'VCALENDAR') throw new MalformedCalendar('stands in no calendar')
  const said = textOf(calendar, 'X-WR-TIMEZONE')
  const zones = zonesOf(calendar, question.timezone ?? (said && timezoneNamed(said)), work.spend)
  const events = calendar.components.filter(({ name }) => name === 'VEVENT')
  const found: BusyEvent[] = []
  for (const [uid, ofUid] of Map.groupBy(events, (event) => textOf(event, 'UID')?.trim() ?? '')) {
    try {
      found.push(await eventOf(uid, ofUid, zones, question, work))
    } catch (error) {
      if (error instanceof MalformedCalendar || error instanceof TooMuchWork)
        throw new MalformedCalendar(error.message, namedForOwner(ofUid[0]))
      throw error
    }
  }
  return found
}

/** How the owner finds the event: by its title, or else its UID, and the date of its beginning as it stands there. */
function namedForOwner(event: Component | undefined): string | undefined {
  if (event === undefined) return undefined
  const said = (name: string) => withoutControls(unescapeText(textOf(event, name) ?? '')).slice(0, 100)
  const title = said('SUMMARY')
  const uid = said('UID')
  const date = /^\s*(\d{4})-?(\d{2})-?(\d{2})/.exec(textOf(event, 'DTSTART') ?? '')
  const name = title === '' ? `has the UID ${uid}` : `is named "${title}"`
  return `It ${name}${date === null ? '' : ` and begins on ${date.slice(1).join('-')}`}.`
}

async function eventOf(
  uid: string,
  ofUid: readonly Component[],
  zones: Zones,
  question: BusyQuestion,
  work: Work,
): Promise<BusyEvent> {
  const isException = (event: Component) => lineOf(event, 'RECURRENCE-ID') !== undefined
  const exceptions = ofUid.filter(isException)
  const masters = ofUid.filter((event) => !isException(event))
  // Each stands beside all exceptions.
  if (Math.max(1, masters.length) * exceptions.length > exceptionLimit)
    throw new MalformedCalendar('has more exceptions than anyone would make')
  const busy: Interval[] = []
  const keep = (during: Interval, { beforeMs, afterMs }: EventTime) => {
    const widened = { start: plus(during.start, -beforeMs), end: plus(during.end, afterMs) }
    if (widened.start >= widened.end || !overlaps(widened, question.span)) return
    if (busy.push(widened) > occurrenceLimit) throw new MalformedCalendar('recurs too often')
  }
  for (const master of masters) {
    work.beginPiece()
    await unfold(master, exceptions, { zones, question, keep, work })
    if (work.isLong()) await work.breathe()
  }
  work.beginPiece()
  for (const exception of exceptions) {
    work.spend(stepsOfOccurrence)
    const time = readTime(exception, zones)
    if (time !== undefined && blocks(exception, question)) keep(intervalOfTime(time), time)
  }
  const [first] = masters.length > 0 ? masters : exceptions
  const time = first === undefined || isCancelled(first) ? undefined : readTime(first, zones)
  return { uid, busy, when: time && intervalOfTime(time) }
}

/** An exception that also stands for all that comes after it: by how much it moves them on the wall. */
type Shift = { readonly from: Instant; readonly byMs: number; readonly time: EventTime; readonly blocks: boolean }

type Unfolding = {
  readonly zones: Zones
  readonly question: BusyQuestion
  readonly keep: (during: Interval, time: EventTime) => void
  readonly work: Work
}

async function unfold(
  master: Component,
  exceptions: readonly Component[],
  { zones, question, keep, work }: Unfolding,
): Promise<void> {
  work.spend(stepsOfOccurrence * (1 + exceptions.length))
  const time = readTime(master, zones)
  if (time === undefined) return
  const isBlocking = blocks(master, question)
  const shifts = shiftsOf(exceptions, time, zones, question)
  if (!isBlocking && shifts.length === 0) return
  const first = intervalOfTime(time)
  const span = widened(question.span, time, shifts)
  const hasBegun = first.start < span.end
  if (!hasBegun && lineOf(master, 'RDATE') === undefined) return
  const replaced = exceptions
    .filter(takesPlaceOf)
    .flatMap((exception) => readRecurrenceId(exception, time, zones) ?? [])
  const isGone = among([...readExclusions(master, time, zones), ...replaced])
  const seen = new Set<number>()
  const take = (occurrence: Interval & { reading: number }) => {
    if (seen.has(occurrence.start) || isGone(occurrence)) return
    seen.add(occurrence.start)
    if (seen.size > occurrenceLimit) throw new MalformedCalendar('recurs too often')
    const shift = shifts.findLast(({ from }) => from < occurrence.start)
    if (shift === undefined) {
      if (isBlocking) keep(occurrence, time)
    } else if (shift.blocks) {
      const { wall, isOfWholeDays, length } = shift.time
      keep(onWall(wall, wall.readingAt(occurrence.start) + shift.byMs, isOfWholeDays, length), shift.time)
    }
  }
  for (const recurrence of hasBegun ? recurrencesOf(master, span) : []) {
    for (const occurrence of eachOnWall({ ...time, recurrence }, span, work.spend)) {
      work.spend(stepsOfOccurrence)
      take(occurrence)
      work.beginPiece()
      if (work.isLong()) await work.breathe()
    }
  }
  for (const addition of readAdditions(master, time, zones)) take(addition)
}

/** One that names no time of its own leaves its occurrence where it is, whatever else it says of it. */
function takesPlaceOf(exception: Component): boolean {
  return isCancelled(exception) || lineOf(exception, 'DTSTART') !== undefined
}

const once: Recurrence = { rule: undefined, until: undefined, excluded: [] }

/** Each rule of the event; a series with several has the occurrences of all. What EXRULE would take away stays busy. */
function recurrencesOf(master: Component, span: Interval): Recurrence[] {
  const lines = linesOf(master, 'RRULE')
  if (lines.length === 0) return [once]
  return lines.map(({ text }) => {
    // Written by some for what everybody means anyway (RFC 7529).
    const read = readRecurrence([
      text
        .replace(/;?RSCALE=GREGORIAN/i, '')
        .replace(/;?SKIP=OMIT/i, '')
        .replace(/:;/, ':'),
    ])
    if (!read.ok) {
      if (hasEnded(text, span)) return once
      throw new MalformedCalendar(`recurs by a rule that is not understood (${read.problem.message})`)
    }
    return read.value
  })
}

/** Does the rule say that it ended days before the span, however it recurs? */
function hasEnded(rule: string, span: Interval): boolean {
  const until = /UNTIL=(\d{4})(\d{2})(\d{2})/i.exec(rule)
  if (until === null) return false
  const [year, month, day] = until.slice(1).map(Number)
  return dayNumber(year ?? 0, month ?? 1, day ?? 1) * dayMs + 400 * dayMs < span.start
}

function shiftsOf(exceptions: readonly Component[], master: EventTime, zones: Zones, question: BusyQuestion): Shift[] {
  const shifts: Shift[] = []
  for (const exception of exceptions) {
    const line = lineOf(exception, 'RECURRENCE-ID')
    if (line === undefined || parameterOf(line, 'RANGE')?.toUpperCase() !== 'THISANDFUTURE') continue
    const time = readTime(exception, zones)
    const id = readRecurrenceId(exception, master, zones)
    if (time === undefined || id === undefined) continue
    const from = id.kind === 'instant' ? id.at : master.wall.startOfDay(id.day)
    shifts.push({ from, byMs: time.first - time.wall.readingAt(from), time, blocks: blocks(exception, question) })
  }
  return shifts.toSorted((a, b) => a.from - b.from)
}

/** Wide enough that every occurrence which a shift or a margin brings into the span is met. */
function widened(span: Interval, time: EventTime, shifts: readonly Shift[]): Interval {
  let before = time.afterMs
  let after = time.beforeMs
  for (const shift of shifts) {
    const { days, ms } = shift.time.length
    before = Math.max(before, Math.max(0, shift.byMs) + days * dayMs + ms + dayMs + shift.time.afterMs)
    after = Math.max(after, Math.max(0, -shift.byMs) + dayMs + shift.time.beforeMs)
  }
  return { start: plus(span.start, -before), end: plus(span.end, after) }
}

function among(moments: readonly Moment[]): (occurrence: Interval & { reading: number }) => boolean {
  const instants = new Set<number>()
  const days = new Set<number>()
  for (const moment of moments) {
    if (moment.kind === 'instant') instants.add(moment.at)
    else days.add(moment.day)
  }
  return ({ start, reading }) => instants.has(start) || days.has(Math.floor(reading / dayMs))
}

/** Neither cancelled, nor marked as free, nor declined by the owner. */
function blocks(event: Component, { ownAddresses }: BusyQuestion): boolean {
  if (isCancelled(event)) return false
  const transparency = textOf(event, 'TRANSP')?.trim().toUpperCase()
  if (transparency === 'TRANSPARENT') return false
  // Outlook's own word, where the common one is missing.
  if (transparency === undefined && textOf(event, 'X-MICROSOFT-CDO-BUSYSTATUS')?.trim().toUpperCase() === 'FREE')
    return false
  return !linesOf(event, 'ATTENDEE').some(
    (line) =>
      parameterOf(line, 'PARTSTAT')?.toUpperCase() === 'DECLINED' &&
      ownAddresses.has(addressOf(valueOfLine(line), parameterOf(line, 'EMAIL'))),
  )
}

function isCancelled(event: Component): boolean {
  return textOf(event, 'STATUS')?.trim().toUpperCase() === 'CANCELLED'
}

/** `mailto:` is forgiven in any case; where the value is no address (`urn:`, a path), its EMAIL parameter is (RFC 7986). */
export function addressOf(value: string, email?: string): string {
  const address = /^mailto:(.*)$/i.exec(value.trim())?.[1] ?? email ?? value
  return address.trim().toLowerCase()
}
