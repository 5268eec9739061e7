// From what an owner typed to their calendars (RFC 6764, RFC 4791 §6.2.1, RFC 5397): no layout of paths is assumed.
import type { CalendarId } from '../../../core/ids.ts'
import type { Problem } from '../../../core/problem.ts'
import { invalidRequest } from '../../../core/problem.ts'
import { failure, type Result, success } from '../../../core/result.ts'
import { type Component, MalformedCalendar, readComponents } from '../../ical/contentLines.ts'
import { timezoneNamed, timezoneOfDescription } from '../../ical/zones.ts'
import type { FindService } from '../../net/serviceRecords.ts'
import type { FoundCalendar, FoundCalendars } from '../calendarProvider.ts'
import { askForMultistatus, type DavClient, unavailable } from './client.ts'
import { apple, caldav, childOf, type DavResponse, dav, hrefOf, hrefsOf, namespaces, within } from './davXml.ts'
import { calendarIdOf } from './places.ts'

/** What is kept of an account. */
export type Discovered = {
  /** Collections that hold the calendars; the first names the host that ids are relative to. */
  readonly homes: readonly string[]
  /** Mail addresses by which the server knows the owner, in small letters. */
  readonly addresses: readonly string[]
  /** Whether the server says that it invites the people on an event (RFC 6638). */
  readonly schedules: boolean
  /** Where invitations arrive: it names the calendar that they are put into. */
  readonly inbox: string | undefined
}

/** Problems: `invalidRequest` that names the setting, `calendarUnavailable`. */
export async function discover(
  client: DavClient,
  typed: string,
  findService: FindService,
): Promise<Result<Discovered>> {
  const start = await findStart(client, typed, findService)
  if (!start.ok) return start
  const { principal, homes, url } = start.value
  const found = await askForMultistatus(client, {
    method: 'PROPFIND',
    url: principal ?? url,
    depth: 0,
    body: propfind(
      '<C:calendar-home-set/><C:calendar-user-address-set/><C:schedule-inbox-URL/><C:schedule-outbox-URL/>',
    ),
  })
  if ('problem' in found) return failure(settingOf(found.problem))
  const properties = found.responses[0]?.properties
  const resolve = (href: string) => URL.parse(href, found.url)?.href
  const told = hrefsOf(properties?.get(caldav('calendar-home-set'))).flatMap((href) => resolve(href) ?? [])
  // A principal without a home: its own place, or the one that was typed, may hold the calendars all the same.
  const candidates = [...told, ...homes, ...(told.length + homes.length > 0 ? [] : [found.url, url])]
  const trusted = [...new Set(candidates)].filter((home) => client.mayTrust(home))
  if (trusted.length === 0)
    return failure(invalidRequest('keeps its calendars at another address', 'settings.server_url'))
  const outbox = hrefOf(properties?.get(caldav('schedule-outbox-URL')))
  const inbox = hrefOf(properties?.get(caldav('schedule-inbox-URL')))
  const addresses = hrefsOf(properties?.get(caldav('calendar-user-address-set'))).flatMap((href) => {
    const address = /^mailto:([^@\r\n]+@.+)$/i.exec(href)?.[1]
    return address === undefined ? [] : [decodeAddress(address).toLowerCase()]
  })
  const schedules =
    outbox !== undefined && addresses.length > 0 && (await announcesScheduling(client, trusted[0] ?? url))
  return success({
    homes: trusted.map((home) => home.replace(/\/?$/, '/')),
    addresses: [...new Set(addresses)],
    schedules,
    inbox: inbox === undefined ? undefined : resolve(inbox),
  })
}

type Start = { readonly url: string; readonly principal: string | undefined; readonly homes: readonly string[] }

/** The first place that answers as CalDAV does: what was typed, its well-known address, its root, and where its domain points. */
async function findStart(client: DavClient, typed: string, findService: FindService): Promise<Result<Start>> {
  let why: Problem = invalidRequest('no CalDAV server answers there', 'settings.server_url')
  for (const place of new Set([typed, new URL('/.well-known/caldav', typed).href, new URL('/', typed).href])) {
    const start = await tryStart(client, place)
    if (start.ok || isFinal(start.problem)) return start
    if (start.isServerThere) continue
    why = start.problem
    break
  }
  const { hostname, protocol } = new URL(typed)
  const service = protocol === 'https:' ? await findService(`_caldavs._tcp.${hostname}`) : undefined
  if (service === undefined) return failure(why)
  const pointed = `https://${service.host}:${service.port}${service.path ?? '/.well-known/caldav'}`
  if (!URL.canParse(pointed) || !client.mayTrust(pointed)) return failure(why)
  const start = await tryStart(client, pointed)
  return start.ok || isFinal(start.problem) ? start : failure(why)
}

/** Asking again with a wrong password gets accounts locked, and a server that asks to wait is not asked three times. */
function isFinal({ field, kind }: Problem): boolean {
  return field === 'settings.password' || kind === 'calendarUnavailable'
}

async function tryStart(
  client: DavClient,
  place: string,
): Promise<{ ok: true; value: Start } | { ok: false; problem: Problem; isServerThere: boolean }> {
  const found = await askForMultistatus(client, {
    method: 'PROPFIND',
    url: place,
    depth: 0,
    body: propfind('<D:current-user-principal/><D:resourcetype/><C:calendar-home-set/>'),
  })
  if ('problem' in found)
    return { ok: false, problem: settingOf(found.problem), isServerThere: found.status !== undefined }
  const properties = found.responses[0]?.properties
  const current = properties?.get(dav('current-user-principal'))
  if (childOf(current, dav('unauthenticated')) !== undefined)
    return { ok: false, problem: refused, isServerThere: true }
  const resolve = (href: string | undefined) => (href === undefined ? undefined : URL.parse(href, found.url)?.href)
  const principal = resolve(hrefOf(current))
  const homes = hrefsOf(properties?.get(caldav('calendar-home-set'))).flatMap((href) => resolve(href) ?? [])
  const isCalendar = childOf(properties?.get(dav('resourcetype')), caldav('calendar')) !== undefined
  const isTrusted = principal === undefined || client.mayTrust(principal)
  if (!isTrusted || (principal === undefined && homes.length === 0 && !isCalendar))
    return {
      ok: false,
      problem: invalidRequest('no CalDAV server answers there', 'settings.server_url'),
      isServerThere: true,
    }
  return { ok: true, value: { url: found.url, principal, homes: isCalendar ? [...homes, found.url] : homes } }
}

const refused: Problem = invalidRequest('the server refused the username or the password', 'settings.password')

/** A failure before anything is connected is the setting's, unless it is a passing one of the server. */
function settingOf(problem: Problem): Problem {
  if (problem.kind === 'grantExpired') return refused
  if (problem.retryAfterSeconds !== undefined || /\(5\d\d\)/.test(problem.message)) return problem
  return invalidRequest(`no CalDAV server can be used there: ${problem.message}`, 'settings.server_url')
}

async function announcesScheduling(client: DavClient, home: string): Promise<boolean> {
  const answer = await client.send({ method: 'OPTIONS', url: home })
  if (typeof answer === 'string' || answer.status >= 300) return false
  return (answer.headers.dav ?? '').split(',').some((word) => word.trim() === 'calendar-auto-schedule')
}

/** All calendars of an account that hold events. Problems: `calendarUnavailable`, `grantExpired`. */
export async function findCalendars(client: DavClient, { homes, inbox }: Discovered): Promise<Result<FoundCalendars>> {
  const [firstHome = ''] = homes
  const standard = await defaultCalendar(client, inbox, firstHome)
  const found = new Map<string, Omit<FoundCalendar, 'isPrimary'>>()
  const unread = new Set<CalendarId>()
  for (const home of homes) {
    const listed = await askForMultistatus(client, {
      method: 'PROPFIND',
      url: home,
      depth: 1,
      // Named one by one: some servers fail when asked for all.
      body: propfind(`<D:displayname/><D:resourcetype/><D:current-user-privilege-set/><C:supported-calendar-component-set/>
        <C:calendar-description/><C:calendar-timezone/><C:calendar-timezone-id/><A:calendar-color/>`),
    })
    if ('problem' in listed) return failure(listed.problem)
    for (const response of listed.responses) {
      const id = calendarIdOf(response.href, listed.url, firstHome)
      if (id === undefined) continue
      // Of the home itself: the list was too much for the server.
      if (response.status >= 500 && id === calendarIdOf(home, home, firstHome))
        return failure(unavailable('answered only in part'))
      if (isUnread(response)) unread.add(id)
      if (!holdsEvents(response)) continue
      found.set(id, { id, ...readCalendar(response, id) })
    }
  }
  const calendars = [...found.values()]
  const primary =
    calendars.find(({ id }) => id === standard) ?? calendars.find(({ readOnly }) => !readOnly) ?? calendars[0]
  return success({
    found: calendars.map((calendar) => ({ ...calendar, isPrimary: calendar === primary })),
    unread: [...unread].filter((id) => !found.has(id)),
  })
}

async function defaultCalendar(
  client: DavClient,
  inbox: string | undefined,
  home: string,
): Promise<string | undefined> {
  if (inbox === undefined || !client.mayTrust(inbox)) return undefined
  const asked = await askForMultistatus(client, {
    method: 'PROPFIND',
    url: inbox,
    depth: 0,
    body: propfind('<C:schedule-default-calendar-URL/>'),
  })
  // Only a convenience: without it the first calendar is the primary one.
  if ('problem' in asked) return undefined
  const href = hrefOf(asked.responses[0]?.properties.get(caldav('schedule-default-calendar-URL')))
  return href === undefined ? undefined : calendarIdOf(href, asked.url, home)
}

/** One that is passed over otherwise is taken for gone: a server that fails for it, or does not say what it is, says neither. */
function isUnread({ properties, status }: DavResponse): boolean {
  return status >= 500 || (status === 200 && !properties.has(dav('resourcetype')))
}

function holdsEvents({ properties, status }: DavResponse): boolean {
  if (status !== 200) return false
  if (childOf(properties.get(dav('resourcetype')), caldav('calendar')) === undefined) return false
  const components = within(properties.get(caldav('supported-calendar-component-set')), caldav('comp'))
  return components.length === 0 || components.some(({ attributes }) => attributes.name?.toUpperCase() === 'VEVENT')
}

function readCalendar(
  { properties }: DavResponse,
  id: string,
): Pick<FoundCalendar, 'name' | 'timezone' | 'readOnly' | 'description' | 'hexColor'> {
  const text = (name: string) => properties.get(name)?.text.trim() || undefined
  const color = /^#[0-9a-f]{6}/i.exec(text(apple('calendar-color')) ?? '')?.[0]
  const privileges = properties.get(dav('current-user-privilege-set'))
  const may = (privilege: string) => within(privileges, dav(privilege)).length > 0
  const description = text(caldav('calendar-description'))
  return {
    name: text(dav('displayname')) ?? decodeURIComponent(id.split('/').at(-2) ?? ''),
    timezone: readTimezone(text(caldav('calendar-timezone-id')), text(caldav('calendar-timezone'))),
    readOnly: privileges !== undefined && !['all', 'write', 'write-content', 'bind'].some(may),
    ...(description === undefined ? {} : { description }),
    ...(color === undefined ? {} : { hexColor: color }),
  }
}

function readTimezone(name: string | undefined, description: string | undefined): string | undefined {
  const named = name === undefined ? undefined : timezoneNamed(name)
  if (named !== undefined || description === undefined) return named
  let calendars: Component[]
  try {
    calendars = readComponents(description)
  } catch (error) {
    // Some put a bare name there.
    if (error instanceof MalformedCalendar) return timezoneNamed(description)
    throw error
  }
  const zone = calendars.flatMap(({ components }) => components).find((component) => component.name === 'VTIMEZONE')
  return zone === undefined ? undefined : timezoneOfDescription(zone)
}

export function propfind(properties: string): string {
  return `<?xml version="1.0" encoding="utf-8"?><D:propfind ${namespaces}><D:prop>${properties}</D:prop></D:propfind>`
}

function decodeAddress(address: string): string {
  return URL.parse(`mailto:${address}`) === null
    ? address
    : decodeURIComponent(address.replace(/%(?![0-9a-f]{2})/gi, '%25'))
}
