/** Accounts at a provider of the tests' own, kept in memory: what a tower sees of them, and the hand of their owner. */
import type { AccountCall, AccountProvider, ConnectSettings } from '../../../src/adapters/calendars/accountProvider.ts'
import type { CalendarChanges, CalendarItem } from '../../../src/adapters/calendars/calendarProvider.ts'
import type { PlacedEvent } from '../../../src/core/booking/placedEvent.ts'
import type { CalendarId, EventId } from '../../../src/core/ids.ts'
import { invalidRequest, type Problem } from '../../../src/core/problem.ts'
import { failure, type Result, success } from '../../../src/core/result.ts'
import { type Interval, overlaps } from '../../../src/core/time/interval.ts'

type KeptEvent = { readonly id: string; when: Interval; version: number; placed: PlacedEvent | undefined }
type KeptCalendar = { readonly events: Map<string, KeptEvent>; readonly log: { id: string; at: number }[] }

export type CallName =
  | 'connect'
  | 'listCalendars'
  | 'freeBusy'
  | 'readChanges'
  | 'place'
  | 'find'
  | 'remove'
  | 'bringBack'

/** `die`, which a function may answer: the call is done and never ends, as seen by a process that dies there. */
type Fault = 'fail' | 'loseAnswer' | Problem | (() => Promise<void> | 'die' | void)

export type FakeAccounts = {
  readonly tower: AccountProvider
  /** `username` → what opens it, and its calendars. */
  add(username: string, password: string, calendars: readonly string[]): void
  /** Another account shows that very calendar too, under the name `as`; `readOnly`: and says so, and lets nothing be written. */
  share(username: string, calendar: string, to: string, as: string, readOnly?: 'readOnly'): void
  /** The account may read the calendar only, and does not say so. */
  lock(username: string, calendar: string): void
  /** The provider knows the calendar by another name from now on. */
  rename(username: string, calendar: string, as: string): void
  /** The account can be signed in to by another address of its owner too; the provider names both. */
  alias(username: string, as: string): void
  changePassword(username: string, password: string): void
  put(username: string, calendar: string, id: string, when: Interval): void
  delete(username: string, calendar: string, id: string): void
  /** An event comes back as it was, its marker included. */
  restore(username: string, calendar: string, event: Pick<KeptEvent, 'id' | 'when' | 'placed'> | undefined): void
  events(username: string, calendar: string): { id: string; when: Interval; placed: PlacedEvent | undefined }[]
  /** Calls to an account since the last time it was asked. */
  takeCalls(username: string): CallName[]
  /** The next call of that name after `skipped` others meets `fault`. A function runs before the call. */
  once(name: CallName, fault: Fault, skipped?: number): void
  /** What was planned with `once` and has not come is forgotten. */
  forgetFaults(): void
  /** Every call fails until `heal`. */
  breakDown(problem?: Problem): void
  /** Calls to the account are not answered until what this answers is called. */
  hang(username: string): () => void
  /** One calendar can be neither read nor written until `heal`. */
  breakCalendar(username: string, calendar: string): void
  /** The provider cannot tell of one calendar how it is, until `heal`. */
  hide(username: string, calendar: string): void
  heal(): void
  /** Tokens given so far are worth nothing any more. */
  forgetTokens(): void
  /** Addresses that the provider invites by itself, for this account. */
  invites: (email: string, username: string) => boolean
}

const away: Problem = { kind: 'calendarUnavailable', message: 'The calendar server cannot be reached.' }

export function fakeAccounts(): FakeAccounts {
  const passwords = new Map<string, string>()
  const addresses = new Map<string, readonly string[]>()
  const calendars = new Map<string, Map<string, KeptCalendar>>()
  let calls: { readonly name: CallName; readonly username: string }[] = []
  let faults: { readonly name: CallName; readonly fault: Fault; skipped: number }[] = []
  let broken: Problem | undefined
  const brokenCalendars = new Set<string>()
  const readOnlyCalendars = new Set<string>()
  const unlistedCalendars = new Set<string>()
  const lockedCalendars = new Set<string>()
  const hanging = new Map<string, Promise<void>>()
  let epoch = 1
  let clock = 0

  async function meet<T>(name: CallName, username: string, call: () => Result<T>): Promise<Result<T>> {
    calls.push({ name, username })
    await hanging.get(username)
    if (broken !== undefined) return failure(broken)
    const next = faults.find((one) => one.name === name)
    const planned = next !== undefined && next.skipped-- > 0 ? undefined : next
    faults = faults.filter((one) => one !== planned)
    const fault = planned?.fault
    if (fault === 'fail') return failure(away)
    const ends = typeof fault === 'function' ? await fault() : undefined
    if (typeof fault === 'object') return failure(fault)
    const answer = call()
    if (ends === 'die') return new Promise(() => {})
    return fault === 'loseAnswer' ? failure(away) : answer
  }
  const at = <T>(
    name: CallName,
    { account }: AccountCall,
    calendar: CalendarId | undefined,
    call: (kept: KeptCalendar) => Result<T>,
  ) =>
    meet(name, account.email, () => {
      if (passwords.get(account.email) !== account.secret)
        return failure({ kind: 'grantExpired', message: 'The server refused the password.' })
      if (calendar === undefined) return call({ events: new Map(), log: [] })
      if (brokenCalendars.has(`${account.email} ${calendar}`)) return failure(away)
      const kept = calendars.get(account.email)?.get(calendar)
      return kept === undefined ? failure({ ...away, message: 'The calendar is gone.' }) : call(kept)
    })
  const writeAt = <T>(
    name: CallName,
    call: AccountCall,
    calendar: CalendarId,
    write: (kept: KeptCalendar) => Result<T>,
  ) =>
    at(name, call, calendar, (found) => {
      const one = `${call.account.email} ${calendar}`
      return readOnlyCalendars.has(one) || lockedCalendars.has(one)
        ? failure({ ...away, message: 'The calendar server refused access.' })
        : write(found)
    })
  const found = (username: string) =>
    [...(calendars.get(username)?.keys() ?? [])].map((id) => ({
      id: id as CalendarId,
      name: id,
      timezone: 'Europe/Paris',
      isPrimary: false,
      readOnly: readOnlyCalendars.has(`${username} ${id}`),
    }))
  const listing = (username: string) => {
    const isUnread = ({ id }: { readonly id: string }) => unlistedCalendars.has(`${username} ${id}`)
    const all = found(username)
    return { found: all.filter((one) => !isUnread(one)), unread: all.filter(isUnread).map(({ id }) => id) }
  }
  const kept = (username: string, calendar: string): KeptCalendar => {
    const one = calendars.get(username)?.get(calendar)
    if (one === undefined) throw new Error(`no calendar ${calendar} of ${username}`)
    return one
  }
  const write = (
    calendar: KeptCalendar,
    id: string,
    change: { when: Interval; placed?: PlacedEvent | undefined } | undefined,
  ) => {
    clock++
    calendar.log.push({ id, at: clock })
    const before = calendar.events.get(id)
    if (change === undefined) calendar.events.delete(id)
    else calendar.events.set(id, { placed: before?.placed, ...change, id, version: clock })
  }
  const itemOf = ({ id, when, version, placed }: KeptEvent): CalendarItem => ({
    id,
    version: String(version),
    busy: [when],
    own: placed === undefined ? undefined : { eventId: placed.id, when },
  })

  const tower: AccountProvider = {
    capabilities: { invites: true, conferencing: false, push: false },
    connect: (typed: ConnectSettings) =>
      meet('connect', typed.username ?? '', () => {
        const { username = '', password = '' } = typed
        if (passwords.get(username) !== password)
          return failure(invalidRequest('the server refused the user name or password', 'settings.password'))
        const settings = { home: '/', addresses: addresses.get(username) }
        return success({ email: username, settings, secret: password, calendars: listing(username) })
      }),
    relocate: async () => success(undefined),
    listCalendars: (call) => at('listCalendars', call, undefined, () => success(listing(call.account.email))),
    freeBusy: (call, ids, span, ignoring) =>
      at('freeBusy', call, ids[0], () =>
        success(
          ids.map((id) =>
            [...kept(call.account.email, id).events.values()]
              .filter((event) => overlaps(event.when, span) && !ignoring.includes(event.id as EventId))
              .map(({ when }) => when),
          ),
        ),
      ),
    readChanges: (call, id, { window, token }) =>
      at('readChanges', call, id, (calendar): Result<CalendarChanges> => {
        const now = `${epoch}:${clock}`
        const [known, since] = (token ?? '').split(':')
        if (Number(known) !== epoch) {
          const items = [...calendar.events.values()].filter(({ when }) => overlaps(when, window)).map(itemOf)
          return success({ kind: 'everything', token: now, items })
        }
        const touched = [...new Set(calendar.log.filter((entry) => entry.at > Number(since)).map((entry) => entry.id))]
        const changed = touched.flatMap((one) => calendar.events.get(one) ?? []).map(itemOf)
        const removed = touched.filter((one) => !calendar.events.has(one))
        return success({ kind: 'changes', token: now, changed, removed })
      }),
    place: (call, id, event) =>
      writeAt('place', call, id, (calendar) => {
        write(calendar, event.id, { when: event.when, placed: event })
        const guests = event.participants.map(({ email }) => email.toLowerCase())
        const invited = guests.filter((one) => fake.invites(one, call.account.email))
        const later = event.isHeld === true && invited.length > 0 ? { invited: [], invitesLater: true } : { invited }
        return success({ ...later, item: { id: event.id, version: String(clock) } })
      }),
    find: (call, id, eventId) => at('find', call, id, ({ events }) => success(events.get(eventId)?.when)),
    remove: (call, id, eventId) =>
      writeAt('remove', call, id, (calendar) => {
        if (calendar.events.has(eventId)) write(calendar, eventId, undefined)
        return success(undefined)
      }),
    bringBack: (call, eventId, { from, to }) =>
      writeAt('bringBack', call, from, (calendar) => {
        const event = calendar.events.get(eventId)
        if (event === undefined) return success(undefined)
        if (calendars.get(call.account.email)?.has(to) !== true)
          return failure({ ...away, message: 'The calendar is gone.' })
        write(kept(call.account.email, to), eventId, { when: event.when, placed: event.placed })
        write(calendar, eventId, undefined)
        return success(undefined)
      }),
  }

  const fake: FakeAccounts = {
    tower,
    add: (username, password, names) => {
      passwords.set(username, password)
      calendars.set(username, new Map(names.map((name) => [name, { events: new Map(), log: [] }])))
    },
    share: (username, calendar, to, as, readOnly) => {
      calendars.get(to)?.set(as, kept(username, calendar))
      if (readOnly !== undefined) readOnlyCalendars.add(`${to} ${as}`)
    },
    rename: (username, calendar, as) => {
      calendars.get(username)?.set(as, kept(username, calendar))
      calendars.get(username)?.delete(calendar)
    },
    lock: (username, calendar) => void lockedCalendars.add(`${username} ${calendar}`),
    alias: (username, as) => {
      for (const one of [username, as]) addresses.set(one, [username, as])
      passwords.set(as, passwords.get(username) ?? '')
      calendars.set(as, calendars.get(username) ?? new Map())
    },
    changePassword: (username, password) => void passwords.set(username, password),
    put: (username, calendar, id, when) => write(kept(username, calendar), id, { when }),
    delete: (username, calendar, id) => write(kept(username, calendar), id, undefined),
    restore: (username, calendar, event) => {
      if (event === undefined) throw new Error('no event')
      write(kept(username, calendar), event.id, { when: event.when, placed: event.placed })
    },
    events: (username, calendar) => [...kept(username, calendar).events.values()],
    takeCalls: (username) => {
      const taken = calls.filter((call) => call.username === username).map(({ name }) => name)
      calls = calls.filter((call) => call.username !== username)
      return taken
    },
    once: (name, fault, skipped = 0) => void faults.push({ name, fault, skipped }),
    forgetFaults: () => {
      faults = []
    },
    breakDown: (problem = away) => {
      broken = problem
    },
    hang: (username) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      hanging.set(username, promise)
      return () => {
        hanging.delete(username)
        resolve()
      }
    },
    breakCalendar: (username, calendar) => void brokenCalendars.add(`${username} ${calendar}`),
    hide: (username, calendar) => void unlistedCalendars.add(`${username} ${calendar}`),
    heal: () => {
      unlistedCalendars.clear()
      brokenCalendars.clear()
      broken = undefined
    },
    forgetTokens: () => {
      epoch++
    },
    invites: () => false,
  }
  return fake
}
