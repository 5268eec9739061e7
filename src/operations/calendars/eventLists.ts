// Lists of events: what takes place in a span of time, and what is kept, row by row.
import { findCalendar } from '../../adapters/storage/calendars.ts'
import * as lists from '../../adapters/storage/eventLists.ts'
import * as storage from '../../adapters/storage/events.ts'
import { stepsOfOccurrence, TooMuchWork, Work } from '../../adapters/work/work.ts'
import type { CalendarKey, Grant } from '../../core/account/grant.ts'
import type { Calendar } from '../../core/calendar/calendar.ts'
import { type CalendarEvent, intervalOf } from '../../core/calendar/event.ts'
import { instanceId } from '../../core/calendar/instance.ts'
import { eachOccurrence, occurrenceFrom, whenOfOccurrence } from '../../core/calendar/series.ts'
import type { AppId, CalendarId, EventId } from '../../core/ids.ts'
import { invalidRequest, notFound, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { dayMs, type Instant, plus } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import type { Tools } from '../tools.ts'
import { findUnservedProvider } from './calendars.ts'
import { seriesOf } from './eventWrites.ts'

type Needs = Pick<Tools, 'database'>

export type EventListCommand = {
  readonly grant: Grant
  readonly calendarId: string
  readonly limit: number
  readonly filter: lists.EventFilter
}

export type EventWindow = {
  readonly span: { readonly start: Instant | undefined; readonly end: Instant | undefined }
  readonly series: 'expanded' | 'whole'
  readonly after: lists.EventPlace | undefined
}

/** What the series of one page are worth: some two seconds of one core, with turns for others. */
const mostSteps = 4_000_000

const tooFar: Problem = invalidRequest(
  'reaches further than the series of this calendar can be followed; ask for less time',
  'end',
)

/** What a list reaches over where nothing is said, from now on. */
const monthMs = 31 * dayMs

/**
 * What takes place in the span, by start, then id; `next` where there is more.
 * Expanded series come as one event for each occurrence, whole ones once, at their first start, with every instance that
 * stands in for an occurrence of the span, cancelled ones among them.
 * Problems: `notFound`; `invalidRequest` (`end`) where it would take too long to follow the series through the span.
 */
export async function listEventsBetween(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  { grant, calendarId, limit, filter }: EventListCommand,
  { span: asked, series: how, after }: EventWindow,
): Promise<Result<{ events: CalendarEvent[]; next: lists.EventPlace | undefined }>> {
  const unserved = findUnservedProvider(grant)
  if (unserved !== undefined) return failure(unserved)
  const calendar = await findCalendar(database, grant.appId, {
    grantId: grant.id,
    calendarId: calendarId as CalendarId,
  })
  if (calendar === undefined) return failure(notFound)
  const key = keyOf(calendar)
  const span = fill(asked, now())
  const within = { ...filter, span, series: how }
  const where = { database, appId: grant.appId, calendar }
  const [masters, { stoodIn, standIns }] = await Promise.all([
    lists.listSeries(database, grant.appId, key, within),
    readStandIns(where, span),
  ])
  const page = { span, after, limit }
  const [singles, ofSeries] = await Promise.all([
    lists.listSingleEvents(database, grant.appId, key, { ...within, standIns }, { limit: limit + 1, after }),
    seriesEntries({ masters, calendar, stoodIn, how }, page),
  ])
  if (!ofSeries.ok) return ofSeries
  const entries = singles.map((event): Entry => ({ id: event.id, start: startOf(event, calendar), event }))
  const sorted = [...entries, ...ofSeries.value].filter((entry) => isAfter(entry, after)).toSorted(compare)
  const shown = sorted.slice(0, limit)
  const last = shown.at(-1)
  return success({
    events: await completed(where, shown),
    next: sorted.length > limit && last !== undefined ? { start: last.start, id: last.id } : undefined,
  })
}

type Where = Needs & { readonly appId: AppId; readonly calendar: Calendar }

type StandIns = {
  /** Ids of instances that are listed by themselves, or cancelled. */
  readonly stoodIn: ReadonlySet<string>
  /** Of them, those that stand in for an occurrence of the span. */
  readonly standIns: readonly EventId[]
}

/** Whatever a filter says of their series: it is the instances that are asked for. */
async function readStandIns({ database, appId, calendar }: Where, span: Interval): Promise<StandIns> {
  const replaced = await lists.listReplaced(database, appId, keyOf(calendar), span)
  const standsIn = ({ when, originalStart }: lists.Replaced) => {
    const { start, end } = occurrenceFrom({ when, timezone: calendar.timezone }, originalStart)
    return start < span.end && (end > span.start || start >= span.start)
  }
  const idOf = ({ masterEventId, originalStart }: lists.Replaced) => instanceId(masterEventId, originalStart)
  return { stoodIn: new Set(replaced.map(idOf)), standIns: replaced.filter(standsIn).map(idOf) }
}

/** With the texts of their series, which are read of those alone that are shown. */
async function completed({ database, appId, calendar }: Where, shown: readonly Entry[]): Promise<CalendarEvent[]> {
  const ids = new Set(shown.flatMap((entry) => ('masterId' in entry ? [entry.masterId] : [])))
  const masters = await storage.findEvents(database, appId, keyOf(calendar), [...ids])
  const byId = new Map(masters.map((master) => [master.id, master]))
  return shown.flatMap((entry) => {
    if (!('masterId' in entry)) return [entry.event]
    const master = byId.get(entry.masterId)
    if (master === undefined || entry.occurrence === undefined) return master ?? []
    const when = whenOfOccurrence(master.details.when, entry.occurrence, calendar.timezone)
    return [
      {
        ...master,
        id: entry.id,
        masterEventId: master.id,
        originalStart: entry.start,
        details: { ...master.details, when, recurrence: [] },
      },
    ]
  })
}

function fill({ start, end }: EventWindow['span'], now: Instant): Interval {
  if (start === undefined && end !== undefined && end <= now) return { start: plus(end, -monthMs), end }
  const from = start ?? now
  return { start: from, end: end ?? plus(from, monthMs) }
}

/** Series, changed and cancelled instances, and single events as they are kept, by id. */
export async function listEventRows(
  { database }: Needs,
  { grant, calendarId, limit, filter }: EventListCommand,
  after: string | undefined,
): Promise<Result<{ events: CalendarEvent[]; next: string | undefined }>> {
  const unserved = findUnservedProvider(grant)
  if (unserved !== undefined) return failure(unserved)
  const calendar = await findCalendar(database, grant.appId, {
    grantId: grant.id,
    calendarId: calendarId as CalendarId,
  })
  if (calendar === undefined) return failure(notFound)
  const where = { database, appId: grant.appId, calendar }
  const { standIns } = filter.span === undefined ? { standIns: [] } : await readStandIns(where, filter.span)
  const whole = { ...filter, series: 'whole' as const, standIns }
  const found = await lists.listEventRows(database, grant.appId, keyOf(calendar), whole, { limit: limit + 1, after })
  const events = found.slice(0, limit)
  return success({ events, next: found.length > limit ? events.at(-1)?.id : undefined })
}

/** Of a series only what tells it from others, until it is known to be shown; `occurrence` undefined: the series itself. */
type Entry = { readonly id: EventId; readonly start: Instant } & (
  | { readonly event: CalendarEvent }
  | { readonly masterId: EventId; readonly occurrence: Interval | undefined }
)
type Page = { readonly span: Interval; readonly after: lists.EventPlace | undefined; readonly limit: number }

type SeriesList = Pick<StandIns, 'stoodIn'> & {
  readonly masters: readonly lists.Series[]
  readonly calendar: Calendar
  readonly how: EventWindow['series']
}

/** All that the page can hold of them, and one more; unsorted. */
async function seriesEntries(list: SeriesList, page: Page): Promise<Result<Entry[]>> {
  const work = new Work(mostSteps)
  try {
    return success(list.how === 'expanded' ? await expanded(list, page, work) : await whole(list, page, work))
  } catch (error) {
    if (error instanceof TooMuchWork) return failure(tooFar)
    throw error
  }
}

async function whole({ masters, calendar }: SeriesList, { span }: Page, work: Work): Promise<Entry[]> {
  const entries: Entry[] = []
  for (const master of masters) {
    work.beginSeries(master.details.recurrence)
    const series = seriesOf(master, calendar.timezone)
    if (series.ok && eachOccurrence(series.value, span, work.spend).next().done === false)
      entries.push({ id: master.id, start: startOf(master, calendar), masterId: master.id, occurrence: undefined })
    if (work.isLong()) await work.breathe()
  }
  return entries
}

async function expanded({ masters, calendar, stoodIn }: SeriesList, page: Page, work: Work): Promise<Entry[]> {
  const { after, limit } = page
  let entries: Entry[] = []
  let { span } = page
  for (const master of masters) {
    work.beginSeries(master.details.recurrence)
    let found = 0
    for (const entry of expand(master, calendar, { ...page, span }, work)) {
      if (!stoodIn.has(entry.id) && isAfter(entry, after)) {
        entries.push(entry)
        found += 1
      }
      if (found > limit) break
      if (work.isLong()) await work.breathe()
    }
    if (work.isLong()) await work.breathe()
    if (entries.length <= 10 * limit) continue
    // What comes later than a full page is not looked at any more.
    entries = entries.toSorted(compare).slice(0, limit + 1)
    const end = entries.at(-1)?.start
    if (end !== undefined && end < span.end) span = { start: span.start, end: plus(end, 1) }
  }
  return entries
}

function* expand(master: lists.Series, calendar: Calendar, { span, after }: Page, work: Work): Generator<Entry> {
  const series = seriesOf(master, calendar.timezone)
  if (!series.ok) return
  const from = after !== undefined && after.start > span.start ? { start: after.start, end: span.end } : span
  for (const occurrence of eachOccurrence(series.value, from, work.spend)) {
    work.spend(stepsOfOccurrence)
    work.beginPiece()
    const { start } = occurrence
    yield { id: instanceId(master.id, start), start, masterId: master.id, occurrence }
  }
}

function startOf({ details }: { readonly details: storage.Pattern }, calendar: Calendar): Instant {
  return intervalOf(details.when, calendar.timezone).start
}

function isAfter({ start, id }: Entry, place: lists.EventPlace | undefined): boolean {
  return place === undefined || start > place.start || (start === place.start && id > place.id)
}

function compare(a: Entry, b: Entry): number {
  return a.start - b.start || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

function keyOf(calendar: Calendar): CalendarKey {
  return { grantId: calendar.grantId, calendarId: calendar.id }
}
