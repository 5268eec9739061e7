/** A real CalDAV server behind the provider's interface, and the hand of the owner, who writes to the server directly. */
import { randomUUID } from 'node:crypto'

import { type AccountDesk, accountCalendars } from '../../../src/adapters/calendars/accountCalendars.ts'
import type { Account } from '../../../src/adapters/calendars/accountProvider.ts'
import { caldavAccounts } from '../../../src/adapters/calendars/caldav/provider.ts'
import { createSafeFetch, type SafeFetchOptions } from '../../../src/adapters/net/safeFetch.ts'
import type { CalendarKey } from '../../../src/core/account/grant.ts'
import type { PlacedEvent } from '../../../src/core/booking/placedEvent.ts'
import type { AppId, CalendarId, GrantId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import type { HandEvent, Stand } from '../../providers/suite.ts'
import { ask, type CaldavServer, type CaldavUser, eventText } from './caldavServer.ts'

export type CaldavStand = Stand & {
  readonly server: CaldavServer
  readonly user: CaldavUser
  readonly account: Account
  /** The owner drags the event of a booking onto another calendar. */
  carryBooked(event: PlacedEvent, way: { readonly from: CalendarKey; readonly to: CalendarKey }): Promise<void>
}

export async function caldavStand(
  server: CaldavServer,
  {
    network = {},
    signIn = server.users[0],
  }: { readonly network?: Partial<SafeFetchOptions>; readonly signIn?: CaldavUser | undefined } = {},
): Promise<CaldavStand> {
  const [user] = server.users
  if (user === undefined) throw new Error('a stand needs a user')
  const safeFetch = createSafeFetch({ allowPrivateNetwork: ['127.0.0.0/8'], ...network })
  const tower = caldavAccounts({ safeFetch, now: () => instant(Date.now()) })
  const signer = signIn ?? user
  const given = { server_url: server.url, username: signer.username, password: signer.password, email: signer.email }
  const connected = await tower.connect(given, AbortSignal.timeout(20_000))
  if (!connected.ok)
    throw new Error(`${connected.problem.kind} ${connected.problem.field}: ${connected.problem.message}`)
  const { email, settings, secret } = connected.value
  const zone = { get: () => 'Europe/Paris' } as unknown as ReadonlyMap<CalendarId, string>
  const grantId = randomUUID() as GrantId
  const appId = randomUUID() as AppId
  let account: Account = { appId, grantId, email, settings, secret, timezones: zone }
  const desk: AccountDesk = {
    open: async () => ({ ok: true, value: account }),
    expired: async () => {},
    relocated: async (_, settings) => {
      account = { ...account, settings }
    },
    placed: async () => {},
  }
  // The owner's hand reaches the server itself, whatever stands before it.
  const home = user.calendar
  const urlOf = (calendarId: string, name = '') => new URL(`${calendarId}${name}`, home).href
  const own = (method: string, target: string, more: Parameters<typeof ask>[3] = {}) => ask(user, method, target, more)
  const read = async (target: string) => {
    const { status, text, headers } = await own('GET', target)
    if (status !== 200) throw new Error(`GET answered ${status}`)
    return { text, etag: headers.get('etag') }
  }
  return {
    server,
    user,
    get account() {
      return account
    },
    provider: accountCalendars(tower, desk),
    scope: { appId, local: undefined as never },
    async emptyCalendar() {
      const calendarId = new URL(`${new URL(user.calendar).pathname.replace(/[^/]+\/$/, '')}c${randomUUID()}/`, home)
        .pathname
      const made = await own('MKCALENDAR', urlOf(calendarId), {
        body: `<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop><D:displayname>Empty</D:displayname></D:prop></D:set></C:mkcalendar>`,
      })
      if (made.status !== 201) throw new Error(`MKCALENDAR answered ${made.status}: ${made.text}`)
      return { grantId, calendarId: calendarId as CalendarId }
    },
    async put({ calendarId }, id, event) {
      const put = await own('PUT', urlOf(calendarId, `${id}.ics`), { body: textOf(id, event) })
      if (put.status >= 300) throw new Error(`PUT answered ${put.status}: ${put.text}`)
    },
    async delete({ calendarId }, id) {
      const gone = await own('DELETE', urlOf(calendarId, `${id}.ics`))
      if (gone.status >= 300) throw new Error(`DELETE answered ${gone.status}`)
    },
    async moveBooked({ calendarId }, event, when) {
      const target = urlOf(calendarId, `${event.id}.ics`)
      const { text, etag } = await read(target)
      const moved = text
        .replace(/DTSTART[^\r\n]*/, `DTSTART:${compact(when.start)}`)
        .replace(/DTEND[^\r\n]*/, `DTEND:${compact(when.end)}`)
        .replace(/END:VEVENT/, 'X-OF-THE-OWNER:kept\r\nEND:VEVENT')
      const put = await own('PUT', target, { body: moved, headers: etag === null ? {} : { 'if-match': etag } })
      if (put.status >= 300) throw new Error(`PUT answered ${put.status}: ${put.text}`)
    },
    async carryBooked(event, { from, to }) {
      const { status, text } = await own('MOVE', urlOf(from.calendarId, `${event.id}.ics`), {
        headers: { destination: urlOf(to.calendarId, `${event.id}.ics`), overwrite: 'F' },
      })
      if (status >= 300) throw new Error(`MOVE answered ${status}: ${text}`)
    },
    async deleteBooked({ calendarId }, event) {
      await own('DELETE', urlOf(calendarId, `${event.id}.ics`))
    },
    async count({ calendarId }) {
      const listed = await own('PROPFIND', urlOf(calendarId), {
        headers: { depth: '1' },
        body: '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>',
      })
      return [...listed.text.matchAll(/href>[^<]*\.ics</g)].length
    },
    stop: async () => {
      await safeFetch.close()
      await server.stop()
    },
  }
}

function compact(at: number | string): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
}

/** Instants stay instants; readings get their zone by name, as every server knows the names of the world. */
function timeLines({ when }: Pick<HandEvent, 'when'>): string[] {
  if ('days' in when) {
    const [first, last] = when.days
    const day = (text: string, more = 0) => compact(Date.parse(`${text}T00:00Z`) + more).slice(0, 8)
    return [`DTSTART;VALUE=DATE:${day(first)}`, `DTEND;VALUE=DATE:${day(last, 86_400_000)}`]
  }
  const one = (name: string, text: string) =>
    text.endsWith('Z')
      ? `${name}:${compact(text)}`
      : `${name};TZID=${when.timezone ?? 'Europe/Paris'}:${text.replace(/[-:]/g, '').padEnd(15, '0')}`
  return [one('DTSTART', when.start), one('DTEND', when.end)]
}

function textOf(uid: string, event: HandEvent): string {
  const lines = [
    ...timeLines(event),
    ...(event.isFree ? ['TRANSP:TRANSPARENT'] : []),
    ...(event.isCancelled ? ['STATUS:CANCELLED'] : []),
    ...(event.rule === undefined ? [] : [`RRULE:${event.rule}`]),
    ...(event.excluded ?? []).map((at) => `EXDATE:${compact(at)}`),
  ]
  const [head = '', tail = ''] = eventText(uid, lines).split('END:VCALENDAR')
  const changed = (event.changed ?? []).map(({ at, when }) =>
    [
      'BEGIN:VEVENT',
      `UID:${uid}`,
      'DTSTAMP:20260101T000000Z',
      `RECURRENCE-ID:${compact(at)}`,
      ...(when === undefined ? [`DTSTART:${compact(at)}`, 'DURATION:PT1H', 'STATUS:CANCELLED'] : timeLines({ when })),
      'END:VEVENT',
      '',
    ].join('\r\n'),
  )
  return `${head}${changed.join('')}${zoneText(event)}END:VCALENDAR${tail}`
}

/** Strict servers want every zone described in the object. */
function zoneText({ when }: HandEvent): string {
  if ('days' in when || when.start.endsWith('Z')) return ''
  const [name, standard, daylight, spring, autumn] =
    when.timezone === 'America/New_York'
      ? ['America/New_York', '-0500', '-0400', '2SU;BYMONTH=3', '1SU;BYMONTH=11']
      : ['Europe/Paris', '+0100', '+0200', '-1SU;BYMONTH=3', '-1SU;BYMONTH=10']
  const part = (kind: string, from: string, to: string, day: string) =>
    [
      `BEGIN:${kind}`,
      'DTSTART:19700101T020000',
      `TZOFFSETFROM:${from}`,
      `TZOFFSETTO:${to}`,
      `RRULE:FREQ=YEARLY;BYDAY=${day}`,
      `END:${kind}`,
    ].join('\r\n')
  return [
    'BEGIN:VTIMEZONE',
    `TZID:${name}`,
    part('STANDARD', daylight ?? '', standard ?? '', autumn ?? ''),
    part('DAYLIGHT', standard ?? '', daylight ?? '', spring ?? ''),
    'END:VTIMEZONE',
    '',
  ].join('\r\n')
}
