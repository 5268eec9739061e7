// What CalDAV accounts are asked. What a server does is read from its answers, never from its name.
import { eventIdOfIcalUid, icalUidOf } from '../../../core/booking/booking.ts'
import type { CalendarId, EventId } from '../../../core/ids.ts'
import { invalidRequest } from '../../../core/problem.ts'
import { failure, type Result, success } from '../../../core/result.ts'
import { type Instant, instant } from '../../../core/time/instant.ts'
import type { Interval } from '../../../core/time/interval.ts'
import { readBusyEvents } from '../../ical/busy.ts'
import type { SafeFetch } from '../../net/safeFetch.ts'
import { findService as askDns, type FindService } from '../../net/serviceRecords.ts'
import { Work } from '../../work/work.ts'
import type { AccountCall, AccountProvider, ConnectSettings } from '../accountProvider.ts'
import { type DavClient, openClient } from './client.ts'
import { type Discovered, discover, findCalendars } from './discovery.ts'
import { isOfOthers } from './mapping.ts'
import { type DavObject, deleteObject, type Failed, findByUid, moveObject, readObject } from './objects.ts'
import { urlOf } from './places.ts'
import { placeEvent } from './placing.ts'
import { findMissing, type Reading, readChanges, readSpan } from './reading.ts'

export type CaldavOptions = {
  readonly safeFetch: SafeFetch
  readonly now: () => Instant
  /** Where all accounts of the provider are; absent: each names its own server. */
  readonly serverUrl?: string
  /** Tests answer what they like. */
  readonly findService?: FindService
}

export type CaldavQuestions = Omit<AccountProvider, 'capabilities'>

/** Kept with the grant, beside what discovery found. */
type Kept = Discovered & { readonly serverUrl: string; readonly username: string }

export function openAccounts({ safeFetch, now, serverUrl, findService = askDns }: CaldavOptions): CaldavQuestions {
  const open = ({ account, signal }: AccountCall) => {
    const kept = readKept(account.settings)
    const client = openClient(safeFetch, { username: kept.username, password: account.secret }, kept.serverUrl, signal)
    const [home = kept.serverUrl] = kept.homes
    const addresses = [...new Set([...kept.addresses, account.email.toLowerCase()])]
    const urlOfCalendar = (calendar: CalendarId) => urlOf(calendar, home)
    const reading = (calendar: CalendarId): Reading => ({
      client,
      calendarUrl: urlOfCalendar(calendar),
      home,
      signal,
      timezone: account.timezones.get(calendar),
      ownAddresses: new Set(addresses),
      work: new Work(),
    })
    return { client, kept, home, addresses, urlOfCalendar, reading }
  }

  return {
    async connect(settings, signal) {
      const read = readSettings(settings, serverUrl)
      if (!read.ok) return read
      const { username, password, url } = read.value
      if (!safeFetch.isAllowed(url))
        return failure(invalidRequest('must be an https address that this server may call', 'settings.server_url'))
      const client = openClient(safeFetch, { username, password }, url, signal)
      const discovered = await discover(client, url, findService)
      if (!discovered.ok) return discovered
      const calendars = await findCalendars(client, discovered.value)
      if (!calendars.ok) return calendars
      if (calendars.value.found.length === 0)
        return failure(invalidRequest('signed in, and the account has no calendar for events', 'settings.username'))
      const kept: Kept = { ...discovered.value, serverUrl: url, username }
      const email = settings.email ?? emailOf(kept)
      if (email === undefined)
        return failure(invalidRequest('is needed, for the server names no address of this account', 'settings.email'))
      return success({ email, settings: kept, secret: password, calendars: calendars.value })
    },

    async relocate(call) {
      const { client, kept } = open(call)
      const { origin } = new URL(kept.serverUrl)
      // Of a server that keeps its calendars itself there is nothing else to be found, and its 401 is the last word.
      if (kept.homes.every((home) => new URL(home).origin === origin)) return success(undefined)
      const discovered = await discover(client, kept.serverUrl, findService)
      if (!discovered.ok) return discovered
      const isThere = discovered.value.homes.join() === kept.homes.join()
      return success(isThere ? undefined : { ...call.account.settings, ...discovered.value })
    },

    listCalendars(call) {
      const { client, kept } = open(call)
      return findCalendars(client, kept)
    },

    async freeBusy(call, calendars, span, ignoring) {
      const { reading } = open(call)
      const ignored = new Set(ignoring)
      return call.askEach(calendars, async (calendar): Promise<Result<Interval[]>> => {
        const read = await readSpan(reading(calendar), span)
        if (!read.ok) return read
        const others = read.value.filter(({ uid }) => {
          const id = eventIdOfIcalUid(uid)
          return id === undefined || !ignored.has(id)
        })
        return success(others.flatMap((event) => event.busy))
      })
    },

    readChanges(call, calendar, question) {
      return readChanges(open(call).reading(calendar), question)
    },

    place(call, calendar, event) {
      const { client, kept, home, addresses, urlOfCalendar } = open(call)
      const place = { calendarUrl: urlOfCalendar(calendar), home, signal: call.signal }
      return placeEvent(client, place, event, { now: now(), addresses, schedules: kept.schedules })
    },

    async find(call, calendar, id) {
      const { client, urlOfCalendar, addresses } = open(call)
      const there = await findObject(client, urlOfCalendar(calendar), id)
      if (there === 'absent') return success(undefined)
      if ('problem' in there) return failure(there.problem)
      const read = await readBusyEvents(there.text, {
        span: { start: instant(0), end: instant(0) },
        timezone: call.account.timezones.get(calendar),
        ownAddresses: new Set(addresses),
      })
      if (!read.ok) return read
      return success(read.value.find(({ uid }) => eventIdOfIcalUid(uid) === id)?.when)
    },

    async remove(call, calendar, id) {
      const { client, urlOfCalendar, addresses } = open(call)
      const there = await findObject(client, urlOfCalendar(calendar), id)
      if (there === 'absent') return success(undefined)
      if ('problem' in there) return failure(there.problem)
      // An invitation that the server put here goes when its organizer's event does.
      if (isOfOthers(there.calendar, icalUidOf(id), addresses) && !there.url.endsWith(`/${id}.ics`))
        return success(undefined)
      const deleted = await deleteObject(client, there.url)
      return typeof deleted === 'object' ? failure(deleted.problem) : success(undefined)
    },

    async bringBack(call, id, { from, to }) {
      const { client, urlOfCalendar } = open(call)
      const there = await findObject(client, urlOfCalendar(from), id)
      if (there === 'absent') return success(undefined)
      if ('problem' in there) return failure(there.problem)
      const calendarUrl = urlOfCalendar(to)
      const moved = await moveObject(client, there.url, `${calendarUrl}${id}.ics`)
      if (typeof moved === 'object') return failure(moved.problem)
      if (moved !== 'refused') return success(undefined)
      // It goes only for the sake of one that can stand there.
      const missing = await findMissing({ client, calendarUrl })
      if (missing !== undefined) return failure(missing)
      const deleted = await deleteObject(client, there.url)
      return typeof deleted === 'object' ? failure(deleted.problem) : success(undefined)
    },
  }
}

/** Where we put it, or wherever else in the calendar its UID stands. */
async function findObject(client: DavClient, calendarUrl: string, id: EventId): Promise<DavObject | 'absent' | Failed> {
  const there = await readObject(client, `${calendarUrl}${id}.ics`)
  return there === 'absent' ? findByUid(client, calendarUrl, icalUidOf(id)) : there
}

function readSettings(
  settings: ConnectSettings,
  fixedUrl: string | undefined,
): Result<{ username: string; password: string; url: string }> {
  const username = settings.username?.trim() ?? ''
  const password = settings.password ?? ''
  if (username === '' || /[\p{Cc}:]/u.test(username))
    return failure(invalidRequest('must be the name that the account signs in with', 'settings.username'))
  if (password === '') return failure(invalidRequest('must be the password of the account', 'settings.password'))
  const typed = fixedUrl ?? settings.server_url?.trim() ?? ''
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `https://${typed}`)
  if (typed === '' || url === null || !/^https?:$/.test(url.protocol))
    return failure(invalidRequest('must be the address of a CalDAV server', 'settings.server_url'))
  return success({ username, password, url: url.href })
}

/** As the server knows the owner; else the name they sign in with, if it is an address. Mails go there: none is made up. */
function emailOf({ addresses, username }: Kept): string | undefined {
  const name = username.toLowerCase()
  const own = addresses.find((address) => address === name || address.startsWith(`${name}@`)) ?? addresses[0]
  if (own !== undefined) return own
  return name.includes('@') ? name : undefined
}

/** Written by `connect`, and by nobody else. */
function readKept(settings: AccountCall['account']['settings']): Kept {
  const texts = (value: unknown) => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [])
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return {
    homes: texts(settings.homes),
    addresses: texts(settings.addresses),
    schedules: settings.schedules === true,
    inbox: typeof settings.inbox === 'string' ? settings.inbox : undefined,
    serverUrl: text(settings.serverUrl),
    username: text(settings.username),
  }
}
