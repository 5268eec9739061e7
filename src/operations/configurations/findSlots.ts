// Which slots of a span can be booked. Kept answers are given again only while the database says that they are true.
import { setImmediate } from 'node:timers/promises'

import { findBooking, lastAssigned } from '../../adapters/storage/bookings.ts'
import { readVersions } from '../../adapters/storage/configurations.ts'
import type { Database } from '../../adapters/storage/database/database.ts'
import type { Principal } from '../../core/account/principal.ts'
import { queue } from '../../core/availability/assignment.ts'
import { findSlots as askEngine } from '../../core/availability/availability.ts'
import { staysTrueUntil } from '../../core/availability/staysTrueUntil.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { type Configuration, isRoundRobin } from '../../core/configuration/configuration.ts'
import { horizon, slotQuestion, widened } from '../../core/configuration/slotQuestion.ts'
import { type BookingId, isUuid } from '../../core/ids.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { dayMs, fromUnixSeconds, type Instant, minuteMs, plus, secondMs } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { nextLocalMidnight } from '../../core/time/zone.ts'
import { availabilityToJson, findLengthProblem } from '../../wire/availability.ts'
import { mirrored, readBusyByCalendar } from '../calendars/readBusy.ts'
import type { Tools } from '../tools.ts'
import { keptAnswers } from './keptAnswers.ts'
import {
  type ConfigurationQuery,
  type LoadedConfiguration,
  nameConfiguration,
  peekConfiguration,
  resolveWithHosts,
} from './loadConfiguration.ts'
import { calendarGone, StaleConfiguration, withFreshConfiguration } from './withFreshConfiguration.ts'

export type SlotsQuestion = ConfigurationQuery & {
  readonly start_time: number
  readonly end_time: number
  /** A booking that is to be moved: its own time counts as free. */
  readonly booking_id?: string | undefined
}

const longestSpanDays = 92

/**
 * The answer's data as JSON text, slots by start. An empty span has no slots.
 * Problems: `invalidRequest` (end before start, a span over 92 days or with too many slots), `notFound`, `invalidSession`, `calendarUnavailable`.
 */
export async function findSlots(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'syncing' | 'now'>,
  principal: Principal,
  question: SlotsQuestion,
): Promise<Result<string>> {
  const window: Interval = { start: fromUnixSeconds(question.start_time), end: fromUnixSeconds(question.end_time) }
  if (window.end < window.start) return failure(invalidRequest('must not be earlier than start_time', 'end_time'))
  if (window.end - window.start > longestSpanDays * dayMs)
    return failure(invalidRequest(`must be at most ${longestSpanDays} days after start_time`, 'end_time'))
  const named = await nameConfiguration(tools, principal, question)
  if (!named.ok) return named

  const isForBooking = Boolean(question.booking_id)
  const key = `${named.value.id} ${window.start} ${window.end}`
  const known = peekConfiguration(tools.database, named.value.id)
  // A key may name another application's configuration, which is kept here for its own callers.
  if (known?.configuration.appId === named.value.appId && !isForBooking) {
    const answer = await giveAgain(tools, principal, known, key)
    if (answer !== undefined) return answer
  }
  return withFreshConfiguration(
    tools.database,
    () => resolveWithHosts(tools, principal, question, isForBooking ? 'evenDeleted' : 'live'),
    async (loaded) => {
      const booking = isForBooking ? await bookingToMove(tools, loaded, question.booking_id ?? '') : success(undefined)
      return booking.ok ? compute(tools, loaded, window, booking.value, key) : booking
    },
  )
}

/** The kept answer if one query finds it still true; undefined where it must be computed. */
async function giveAgain(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  principal: Principal,
  { configuration, calendars }: LoadedConfiguration,
  key: string,
): Promise<Result<string> | undefined> {
  const answer = keptAnswers(database).get(key)
  if (answer === undefined || (configuration.requiresSessionAuth && principal.kind !== 'session')) return undefined
  const versions = await readVersionsTogether(database, configuration, calendars)
  if (versions === undefined) return failure(notFound)
  return versions.join() === answer.versions && now() < answer.until ? success(answer.json) : undefined
}

const asked = new WeakMap<Configuration, Promise<readonly (number | null)[] | undefined>>()

/**
 * Requests that have arrived before the query is sent share it: what it finds is as true for the last of them as for the
 * first. None shares a query that was under way when it arrived.
 */
function readVersionsTogether(
  database: Database,
  configuration: Configuration,
  calendars: LoadedConfiguration['calendars'],
): Promise<readonly (number | null)[] | undefined> {
  let reading = asked.get(configuration)
  if (reading === undefined) {
    reading = setImmediate().then(() => {
      asked.delete(configuration)
      return readVersions(
        database,
        configuration.appId,
        configuration.id,
        calendars.map(({ key }) => key),
      )
    })
    asked.set(configuration, reading)
  }
  return reading
}

async function compute(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'syncing' | 'now'>,
  loaded: LoadedConfiguration,
  window: Interval,
  booking: Booking | undefined,
  key: string,
): Promise<Result<string>> {
  const { database } = tools
  const { configuration, hosts, calendars } = loaded
  const { appId, id } = configuration
  const now = tools.now()
  // Read before what they vouch for: a change in between makes the kept answer look old, never a stale one look true.
  const versions = await readVersions(
    database,
    appId,
    id,
    calendars.map(({ key: calendar }) => calendar),
    // A booking outlives its configuration, and can still be moved.
    booking === undefined ? 'live' : 'evenDeleted',
  )
  if (versions === undefined) return failure(notFound)
  if (versions.includes(null)) throw new StaleConfiguration(calendarGone)
  const bookable = clip(window, configuration, now)
  const ignoring = booking === undefined ? undefined : { bookingId: booking.id, eventId: booking.eventId }
  const span = widened(bookable, configuration)
  let agesAt = plus(now, dayMs)
  const noteAge = (ageMs: number) => {
    const at = plus(now, tools.syncing.maxAgeSeconds * secondMs - ageMs)
    if (at < agesAt) agesAt = at
  }
  const busy = await readBusyByCalendar(tools, { appId, calendars, span, ignoring }, mirrored(tools, noteAge))
  if (!busy.ok) return busy
  const order = isRoundRobin(configuration) ? await readQueue(tools, loaded, booking?.id) : undefined
  const answer = askEngine(slotQuestion(configuration, hosts, { busy: busy.value, order, now }, window))
  const tooLong = findLengthProblem(answer)
  if (tooLong !== undefined) return failure(tooLong)
  const json = JSON.stringify(availabilityToJson(answer))
  if (booking === undefined && versions[0] === configuration.version)
    keptAnswers(database).keep(key, {
      versions: versions.join(),
      until: earlier(agesAt, changesAt(answer, configuration, window, now)),
      json,
    })
  return success(json)
}

function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b
}

/** What of `window` can have slots at all: calendars are not asked about the rest. */
function clip(window: Interval, configuration: Configuration, now: Instant): Interval {
  const earliest = plus(now, configuration.minBookingNoticeMinutes * minuteMs)
  const latest = plus(horizon(configuration, now), configuration.durationMinutes * minuteMs)
  const start = window.start > earliest ? window.start : earliest
  const end = window.end < latest ? window.end : latest
  return end > start ? { start, end } : { start, end: start }
}

/** When the clock alone makes another answer: the first slot comes too near, or a new day comes into reach. */
function changesAt(
  answer: Parameters<typeof staysTrueUntil>[0],
  configuration: Configuration,
  window: Interval,
  now: Instant,
): Instant {
  const nextDay = nextLocalMidnight(configuration.timezone, now)
  const first = staysTrueUntil(answer, configuration.minBookingNoticeMinutes * minuteMs)
  const reaches = horizon(configuration, now) < window.end ? nextDay : plus(now, dayMs)
  return first === undefined || reaches < first ? reaches : first
}

/** Hosts, next in turn first. */
async function readQueue(
  { database }: Pick<Tools, 'database'>,
  { configuration, hosts }: LoadedConfiguration,
  ignoring: BookingId | undefined,
): Promise<string[]> {
  const emails = hosts.map(({ participant }) => participant.email)
  const turns = await database.read(configuration.appId, (transaction) =>
    lastAssigned(transaction, configuration.id, emails, ignoring),
  )
  return queue(
    emails.map((email) => {
      const lastBookedAt = turns.get(email)
      return lastBookedAt === undefined ? { email } : { email, lastBookedAt }
    }),
  )
}

async function bookingToMove(
  { database }: Pick<Tools, 'database'>,
  { configuration }: LoadedConfiguration,
  bookingId: string,
): Promise<Result<Booking>> {
  if (!isUuid(bookingId)) return failure(notFound)
  const booking = await database.read(configuration.appId, (transaction) =>
    findBooking(transaction, bookingId.toLowerCase() as BookingId),
  )
  return booking === undefined || booking.configurationId !== configuration.id ? failure(notFound) : success(booking)
}
