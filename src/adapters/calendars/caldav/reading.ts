// Reads a CalDAV calendar: what is busy in a span, and what changed since a token. Series are unfolded here, never by the server.
import { eventIdOfIcalUid } from '../../../core/booking/booking.ts'
import type { Problem } from '../../../core/problem.ts'
import { failure, type Result, success } from '../../../core/result.ts'
import { dayMs, plus } from '../../../core/time/instant.ts'
import type { Interval } from '../../../core/time/interval.ts'
import { type BusyEvent, type BusyQuestion, readBusyEvents } from '../../ical/busy.ts'
import { utcText } from '../../ical/times.ts'
import type { Work } from '../../work/work.ts'
import type { CalendarChanges, CalendarItem, ChangesQuestion } from '../calendarProvider.ts'
import { askForMultistatus, type DavClient, type DavRequest, unavailable } from './client.ts'
import { caldav, calendarServer, childOf, type DavResponse, dav, escapeXml, namespaces } from './davXml.ts'
import { propfind } from './discovery.ts'
import { placeOf } from './places.ts'

export type Reading = {
  readonly client: DavClient
  readonly calendarUrl: string
  readonly home: string
  readonly signal: AbortSignal
  readonly timezone: string | undefined
  readonly ownAddresses: ReadonlySet<string>
  /** All that is done for this reading. */
  readonly work: Work
}

type ReadObject = { readonly id: string; readonly version: string | undefined; readonly events: readonly BusyEvent[] }

/** The events that may overlap `span`. Problems: `calendarUnavailable`, `grantExpired`. */
export async function readSpan(reading: Reading, span: Interval): Promise<Result<readonly BusyEvent[]>> {
  const read = await askForObjects(reading, span, queryFor(reading, span, '<D:getetag/><C:calendar-data/>'))
  if (!read.ok) return read
  const { objects } = read.value
  if (objects.length === 0) {
    const gone = await findMissing(reading)
    if (gone !== undefined) return failure(gone)
  }
  return success(objects.flatMap(({ events }) => events))
}

/**
 * By the server's sync tokens (RFC 6578) where it has them: one request where nothing changed. Else by its tag of the whole
 * calendar and the ETags of all objects; where it gives none, everything is read each time. Problems: `calendarUnavailable`, `grantExpired`.
 */
export async function readChanges(reading: Reading, question: ChangesQuestion): Promise<Result<CalendarChanges>> {
  const [kind, token] = splitToken(question.token)
  if (kind === 'sync') {
    const changes = await readSyncChanges(reading, question, token)
    if (changes !== 'unknownToken') return changes
  }
  const state = await readState(reading)
  if (!state.ok) return state
  const { syncToken, tag } = state.value
  if (syncToken !== undefined) {
    // The token first: what changes while the rest is read is told once more next time, and never lost.
    const read = await queryObjects(reading, question.window)
    if (!read.ok) return read
    return success({ kind: 'everything', token: `sync:${syncToken}`, items: read.value.map(toItem) })
  }
  if (kind === 'tag' && tag !== undefined && tag === token)
    return success({ kind: 'changes', token: `tag:${tag}`, changed: [], removed: [] })
  return readByVersions(reading, question, kind === 'tag', `tag:${tag ?? ''}`)
}

/** Pages are followed: a server may tell the rest under the token that it gives (RFC 6578 §3.6). */
const mostPages = 50

async function readSyncChanges(
  reading: Reading,
  question: ChangesQuestion,
  since: string,
): Promise<Result<CalendarChanges> | 'unknownToken'> {
  const changed = new Map<string, string>()
  const removed = new Set<string>()
  let token = since
  for (let page = 0; ; page += 1) {
    const told = await askForMultistatus(reading.client, {
      method: 'REPORT',
      url: reading.calendarUrl,
      depth: 0,
      body: `<?xml version="1.0" encoding="utf-8"?><D:sync-collection ${namespaces}><D:sync-token>${escapeXml(token)}</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>`,
    })
    if ('problem' in told) {
      // Whatever a server says to a token that it does not know (403, 409, 410, 500), the calendar can still be read anew.
      const isPassing = told.status === undefined || [401, 429, 503].includes(told.status)
      return isPassing ? failure(told.problem) : 'unknownToken'
    }
    let hasMore = false
    for (const { href, status, properties } of told.responses) {
      const id = placeOf(href, told.url, reading.home)
      if (reading.work.isLong()) await reading.work.breathe()
      if (id === undefined) continue
      if (isCalendar(reading, id) && status === 507) hasMore = true
      // Something was left out, and the token that comes with it would hide what.
      else if (isCutShort(reading, id, status)) return 'unknownToken'
      else if (isCalendar(reading, id)) continue
      else if (isGone(status)) {
        removed.add(id)
        changed.delete(id)
      } else if (!id.endsWith('/')) {
        removed.delete(id)
        changed.set(id, versionOf(properties) ?? '')
      }
    }
    if (told.syncToken === undefined) return 'unknownToken'
    token = told.syncToken
    if (!hasMore) break
    if (page >= mostPages) return 'unknownToken'
  }
  const read = await fetchObjects(reading, [...changed.keys()], question.window)
  if (!read.ok) return read
  const { objects, gone } = read.value
  return success({
    kind: 'changes',
    token: `sync:${token}`,
    changed: objects.map(toItem),
    removed: [...removed, ...gone],
  })
}

async function readByVersions(
  reading: Reading,
  question: ChangesQuestion,
  isKnown: boolean,
  token: string,
): Promise<Result<CalendarChanges>> {
  const listed = await askForMultistatus(reading.client, {
    method: 'PROPFIND',
    url: reading.calendarUrl,
    depth: 1,
    body: propfind('<D:getetag/><D:resourcetype/>'),
  })
  if ('problem' in listed) return failure(listed.problem)
  const versions = new Map<string, string>()
  for (const { href, status, properties } of listed.responses) {
    if (reading.work.isLong()) await reading.work.breathe()
    const id = placeOf(href, listed.url, reading.home)
    if (id !== undefined && isCutShort(reading, id, status)) return failure(partial)
    if (id !== undefined && !isGone(status) && !id.endsWith('/')) versions.set(id, versionOf(properties) ?? '')
  }
  // What has no version cannot be missed either.
  const isComparable = ![...versions.values()].includes('')
  if (!isKnown || !isComparable) {
    const read = await queryObjects(reading, question.window)
    if (!read.ok) return read
    const inWindow = new Map(read.value.map((object) => [object.id, object]))
    const rest = [...versions].filter(([id, version]) => version !== '' && !inWindow.has(id))
    const items = [...inWindow.values()].map(toItem)
    for (const [id, version] of rest) items.push({ id, version, busy: [], own: undefined })
    return success({ kind: 'everything', token, items })
  }
  const known = await question.known()
  const changed = [...versions].filter(([id, version]) => known.get(id) !== version)
  const read = await fetchObjects(
    reading,
    changed.map(([id]) => id),
    question.window,
  )
  if (!read.ok) return read
  const removed = [...known.keys()].filter((id) => !versions.has(id))
  return success({
    kind: 'changes',
    token,
    changed: read.value.objects.map(toItem),
    removed: [...removed, ...read.value.gone],
  })
}

async function readState(
  reading: Reading,
): Promise<Result<{ syncToken: string | undefined; tag: string | undefined }>> {
  const told = await askForMultistatus(reading.client, {
    method: 'PROPFIND',
    url: reading.calendarUrl,
    depth: 0,
    body: propfind('<D:sync-token/><S:getctag/>'),
  })
  if ('problem' in told) return failure(told.problem)
  const text = (name: string) => told.responses[0]?.properties.get(name)?.text.trim() || undefined
  return success({ syncToken: text(dav('sync-token')), tag: text(calendarServer('getctag')) })
}

/** Objects that may overlap `span`: named first and then read a batch at a time, however big the calendar is. */
async function queryObjects(reading: Reading, span: Interval): Promise<Result<ReadObject[]>> {
  const told = await askForMultistatus(reading.client, queryFor(reading, span, '<D:getetag/>'))
  if ('problem' in told) return failure(told.problem)
  const ids: string[] = []
  for (const { href, status } of told.responses) {
    if (reading.work.isLong()) await reading.work.breathe()
    const id = placeOf(href, told.url, reading.home)
    if (id !== undefined && isCutShort(reading, id, status)) return failure(partial)
    if (id !== undefined && !id.endsWith('/') && !isGone(status)) ids.push(id)
  }
  if (ids.length === 0) {
    const gone = await findMissing(reading)
    return gone === undefined ? success([]) : failure(gone)
  }
  const read = await fetchObjects(reading, ids, span)
  return read.ok ? success(read.value.objects) : read
}

/** A day more on either side, for what stands there without a zone. */
function queryFor(reading: Reading, span: Interval, properties: string): DavRequest {
  const range = `start="${utcText(plus(span.start, -dayMs))}" end="${utcText(plus(span.end, dayMs))}"`
  return {
    method: 'REPORT',
    url: reading.calendarUrl,
    depth: 1,
    body: `<?xml version="1.0" encoding="utf-8"?><C:calendar-query ${namespaces}><D:prop>${properties}</D:prop>
      <C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range ${range}/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
  }
}

/** Some servers find nothing in a calendar that is not there, and do not say that it is not. Undefined where it is there. */
export async function findMissing({
  client,
  calendarUrl,
}: Pick<Reading, 'client' | 'calendarUrl'>): Promise<Problem | undefined> {
  const told = await askForMultistatus(client, {
    method: 'PROPFIND',
    url: calendarUrl,
    depth: 0,
    body: propfind('<D:resourcetype/>'),
  })
  if ('problem' in told) return told.problem
  const [itself] = told.responses
  const isCalendar = childOf(itself?.properties.get(dav('resourcetype')), caldav('calendar')) !== undefined
  return isCalendar ? undefined : unavailable('has no such calendar any more')
}

const batchSize = 100

type Fetched = { readonly objects: ReadObject[]; readonly gone: string[] }

/** `gone`: were there when they were named, and are no more. One that is not answered for is asked for once more. */
async function fetchObjects(reading: Reading, ids: readonly string[], span: Interval): Promise<Result<Fetched>> {
  const objects: ReadObject[] = []
  const gone: string[] = []
  for (let at = 0; at < ids.length; at += batchSize) {
    let asked = ids.slice(at, at + batchSize)
    for (const isLastTry of [false, true]) {
      const read = await askForObjects(reading, span, multiget(reading, asked))
      if (!read.ok) return read
      objects.push(...read.value.objects)
      gone.push(...read.value.gone)
      const answered = new Set([...read.value.objects.map(({ id }) => id), ...read.value.gone])
      asked = asked.filter((id) => !answered.has(id))
      if (asked.length === 0) break
      if (isLastTry) return failure(keptBack)
    }
  }
  return success({ objects, gone })
}

/** Named, and not shown: what it takes is not known. */
const keptBack = unavailable('kept back one of the events')

function multiget(reading: Reading, ids: readonly string[]): DavRequest {
  const hrefs = ids.map((id) => `<D:href>${escapeXml(hrefOfPlace(id))}</D:href>`)
  return {
    method: 'REPORT',
    url: reading.calendarUrl,
    depth: 1,
    body: `<?xml version="1.0" encoding="utf-8"?><C:calendar-multiget ${namespaces}><D:prop><D:getetag/><C:calendar-data/></D:prop>${hrefs.join('')}</C:calendar-multiget>`,
  }
}

/** Servers look for paths, wherever they stand. */
function hrefOfPlace(id: string): string {
  return URL.parse(id)?.pathname ?? id
}

/** Servers say so of the calendar itself where they leave out what is too much for them (RFC 4791 §7.8, RFC 6578 §3.6). */
function isCutShort(reading: Reading, id: string, status: number): boolean {
  return status >= 400 && isCalendar(reading, id)
}

/** What was left out is not known. */
const partial = unavailable('answered only in part')

function isCalendar({ calendarUrl, home }: Reading, id: string): boolean {
  return id.replace(/\/$/, '') === placeOf(calendarUrl, calendarUrl, home)?.replace(/\/$/, '')
}

function isGone(status: number): boolean {
  return status === 404 || status === 410
}

async function askForObjects(reading: Reading, span: Interval, request: DavRequest): Promise<Result<Fetched>> {
  const told = await askForMultistatus(reading.client, request)
  if ('problem' in told) return failure(told.problem)
  const objects: ReadObject[] = []
  const gone: string[] = []
  const question: BusyQuestion = { span, timezone: reading.timezone, ownAddresses: reading.ownAddresses }
  for (const response of told.responses) {
    // Series are work: others get their turn, and whoever gave up is not worked for.
    if (reading.work.isLong()) await reading.work.breathe()
    if (reading.signal.aborted) return failure(unavailable('did not answer in time'))
    const id = placeOf(response.href, told.url, reading.home)
    if (id !== undefined && isCutShort(reading, id, response.status)) return failure(partial)
    if (id === undefined || id.endsWith('/')) continue
    if (isGone(response.status)) {
      gone.push(id)
      continue
    }
    const text = response.properties.get(caldav('calendar-data'))?.text
    if (text === undefined) return failure(keptBack)
    const read = await readBusyEvents(text, question, reading.work)
    if (!read.ok) return read
    objects.push({ id, version: versionOf(response.properties), events: read.value })
  }
  return success({ objects, gone })
}

function toItem({ id, version, events }: ReadObject): CalendarItem {
  const ours = events.find(({ uid }) => eventIdOfIcalUid(uid) !== undefined)
  const eventId = ours && eventIdOfIcalUid(ours.uid)
  return {
    id,
    version,
    busy: events.flatMap(({ busy }) => busy),
    own: eventId === undefined ? undefined : { eventId, when: ours?.when },
  }
}

function versionOf(properties: DavResponse['properties']): string | undefined {
  return properties.get(dav('getetag'))?.text.trim() || undefined
}

function splitToken(token: string | undefined): [kind: string, rest: string] {
  const colon = token?.indexOf(':') ?? -1
  return token === undefined || colon < 0 ? ['', ''] : [token.slice(0, colon), token.slice(colon + 1)]
}
