// Single objects of a CalDAV calendar: read, put, deleted, and found by their UID.
import type { Problem } from '../../../core/problem.ts'
import { type Component, MalformedCalendar, readComponents } from '../../ical/contentLines.ts'
import { askForMultistatus, type DavClient, problemOf, unavailable } from './client.ts'
import { caldav, dav, escapeXml, type Multistatus, namespaces } from './davXml.ts'
import { ownEvent } from './mapping.ts'

export type DavObject = {
  readonly url: string
  readonly calendar: Component
  readonly text: string
  /** Undefined where the server gives none. */
  readonly etag: string | undefined
}

export type Failed = { readonly problem: Problem }

export async function readObject(client: DavClient, url: string): Promise<DavObject | 'absent' | Failed> {
  const answer = await client.send({ method: 'GET', url })
  if (typeof answer === 'string') return { problem: problemOf(answer) }
  if (answer.status === 404 || answer.status === 410) return 'absent'
  if (answer.status !== 200) return { problem: problemOf(answer) }
  const calendar = parse(answer.text)
  if (calendar === undefined) return { problem: unavailable('keeps the event in a form that cannot be read') }
  return { url, calendar, text: answer.text, etag: answer.headers.etag }
}

/**
 * The ETag by which the server itself knows what stands there, however what is on the way alters the header of an answer;
 * undefined where it gives none, or nothing stands there.
 */
export async function readEtag(client: DavClient, url: string): Promise<string | undefined | Failed> {
  const body = `<?xml version="1.0" encoding="utf-8"?><D:propfind ${namespaces}><D:prop><D:getetag/></D:prop></D:propfind>`
  const found = await askForMultistatus(client, { method: 'PROPFIND', url, depth: 0, body })
  if ('problem' in found) return found.status === 404 || found.status === 410 ? undefined : { problem: found.problem }
  return etagOf(found.responses[0]?.properties)
}

/** `conflict`: another version stands there, or another place has the same UID. */
export async function putObject(
  client: DavClient,
  url: string,
  text: string,
  condition: { readonly ifMatch: string | undefined } | 'ifAbsent',
): Promise<'written' | 'conflict' | Failed> {
  const answer = await client.send({
    method: 'PUT',
    url,
    body: text,
    headers: {
      'content-type': 'text/calendar; charset=utf-8',
      ...(condition === 'ifAbsent'
        ? { 'if-none-match': '*' }
        : condition.ifMatch === undefined
          ? {}
          : { 'if-match': condition.ifMatch }),
    },
  })
  if (typeof answer === 'string') return { problem: problemOf(answer) }
  if (answer.status >= 200 && answer.status < 300) return 'written'
  // 403 and 409 name a UID that stands elsewhere; what else they mean shows when that place is looked for.
  if ([403, 404, 409, 412].includes(answer.status)) return 'conflict'
  return { problem: problemOf(answer) }
}

export async function deleteObject(client: DavClient, url: string): Promise<'deleted' | 'absent' | Failed> {
  // An event that somebody else organizes goes without an answer to them.
  const answer = await client.send({ method: 'DELETE', url, headers: { 'schedule-reply': 'F' } })
  if (typeof answer === 'string') return { problem: problemOf(answer) }
  if (answer.status === 404 || answer.status === 410) return 'absent'
  return answer.status >= 200 && answer.status < 300 ? 'deleted' : { problem: problemOf(answer) }
}

/** `refused`: it is gone, one stands there already, or this server carries nothing from one calendar to another, or not to that one. */
export async function moveObject(
  client: DavClient,
  url: string,
  target: string,
): Promise<'moved' | 'refused' | Failed> {
  const answer = await client.send({ method: 'MOVE', url, headers: { destination: target, overwrite: 'F' } })
  if (typeof answer === 'string') return { problem: problemOf(answer) }
  if (answer.status >= 200 && answer.status < 300) return 'moved'
  return [403, 404, 405, 409, 410, 412, 501, 502].includes(answer.status) ? 'refused' : { problem: problemOf(answer) }
}

/**
 * Looks for an object that does not stand where we put it: servers may give it another name. Some cannot look by UID, or
 * find what was not asked for: what they answer is checked, and where they cannot, there is none. One that fails may have it.
 */
export async function findByUid(
  client: DavClient,
  calendarUrl: string,
  uid: string,
): Promise<DavObject | 'absent' | Failed> {
  const found = await askForMultistatus(client, {
    method: 'REPORT',
    url: calendarUrl,
    depth: 1,
    body: `<?xml version="1.0" encoding="utf-8"?><C:calendar-query ${namespaces}><D:prop><D:getetag/><C:calendar-data/></D:prop>
      <C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match collation="i;octet">${escapeXml(uid)}</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
  })
  if ('problem' in found) {
    const { status = 0 } = found
    const isRefused = status === 501 || (status >= 200 && status < 500 && ![207, 401, 429].includes(status))
    return isRefused ? 'absent' : { problem: found.problem }
  }
  for (const { href, properties } of found.responses) {
    const text = properties.get(caldav('calendar-data'))?.text
    const url = URL.parse(href, found.url)?.href
    const calendar = text === undefined ? undefined : parse(text)
    if (text === undefined || url === undefined || calendar === undefined || !client.mayTrust(url)) continue
    if (ownEvent(calendar, uid) !== undefined) return { url, calendar, text, etag: etagOf(properties) }
  }
  return 'absent'
}

function etagOf(properties: Multistatus['responses'][number]['properties'] | undefined): string | undefined {
  return properties?.get(dav('getetag'))?.text.trim() || undefined
}

function parse(text: string): Component | undefined {
  try {
    return readComponents(text).find(({ name }) => name === 'VCALENDAR')
  } catch (error) {
    if (error instanceof MalformedCalendar) return undefined
    throw error
  }
}
