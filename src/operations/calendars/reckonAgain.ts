// When the events of a calendar take place, reckoned again in another time zone.
import { listClaimingEvents } from '../../adapters/storage/claims.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import { listSeries } from '../../adapters/storage/eventLists.ts'
import { deleteInstances, listInstances, listZoneBound, saveEvent } from '../../adapters/storage/events.ts'
import type { Grant } from '../../core/account/grant.ts'
import type { Calendar } from '../../core/calendar/calendar.ts'
import { type CalendarEvent, intervalOf, zoneOf } from '../../core/calendar/event.ts'
import { instanceId } from '../../core/calendar/instance.ts'
import { occurrenceFinder, whenOfOccurrence } from '../../core/calendar/series.ts'
import type { EventId } from '../../core/ids.ts'
import { plus } from '../../core/time/instant.ts'
import { instantOfWallClock, wallClockAt } from '../../core/time/zone.ts'
import { seriesOf, toWrite } from './eventWrites.ts'

/** Events may be long: so many are held at once. */
const mostAtOnce = 50

/**
 * Whole days and series without a zone of their own follow the calendar from `timezone` to `calendar`'s, and with a series what
 * was changed and deleted of it; instances whose occurrence is none any more go. The event of a booking stays at the hour
 * that its guest was told, and is no whole day any more.
 */
export async function reckonAgain(
  transaction: Transaction,
  grant: Grant,
  calendar: Calendar,
  timezone: string,
): Promise<void> {
  const { appId } = grant
  const key = { grantId: grant.id, calendarId: calendar.id }
  const [all, claiming] = await Promise.all([
    listSeries(transaction, appId, key, {}),
    listClaimingEvents(transaction, key),
  ])
  const ofBookings = new Set(claiming)
  const moved = new Set<EventId | undefined>()
  for (const { id, details } of all)
    if (!ofBookings.has(id) && zoneOf(details.when, timezone) !== zoneOf(details.when, calendar.timezone)) moved.add(id)
  let after: EventId | undefined
  do {
    const found = await listZoneBound(transaction, appId, key, { limit: mostAtOnce, after })
    after = found.length < mostAtOnce ? undefined : found.at(-1)?.id
    for (const event of found) {
      if (moved.has(event.masterEventId)) continue
      const kept = ofBookings.has(event.id) ? keepingItsTime(event, timezone) : event
      if (moved.has(event.id)) await moveSeries(transaction, grant, calendar, { master: kept, from: timezone })
      else await save(transaction, grant, calendar, kept)
    }
  } while (after !== undefined)
}

async function moveSeries(
  transaction: Transaction,
  grant: Grant,
  calendar: Calendar,
  { master, from }: { readonly master: CalendarEvent; readonly from: string },
): Promise<void> {
  const { appId } = grant
  const key = { grantId: grant.id, calendarId: calendar.id }
  await save(transaction, grant, calendar, master)
  const instances = await listInstances(transaction, appId, key, master.id)
  const ids = instances.map(({ id }) => id)
  await deleteInstances(transaction, appId, key, ids)
  const there = seriesOf(master, calendar.timezone)
  if (!there.ok) return
  const find = occurrenceFinder(there.value)
  for (const instance of instances) {
    const event = follow(master, instance, { from, to: calendar.timezone, find })
    if (event !== undefined) await save(transaction, grant, calendar, event)
  }
}

async function save(transaction: Transaction, grant: Grant, calendar: Calendar, event: CalendarEvent): Promise<void> {
  const write = toWrite(event, grant, calendar.timezone)
  const key = { grantId: grant.id, calendarId: calendar.id }
  if (write.ok) await saveEvent(transaction, grant.appId, key, write.value)
}

function keepingItsTime(event: CalendarEvent, timezone: string): CalendarEvent {
  const { start, end } = intervalOf(event.details.when, timezone)
  const when = {
    kind: 'timespan',
    startTime: start,
    endTime: end,
    startTimezone: timezone,
    endTimezone: timezone,
  } as const
  return { ...event, details: { ...event.details, when } }
}

/** `instance` stays with its occurrence: as far from the first, on the wall, as before. */
function follow(
  master: CalendarEvent,
  instance: CalendarEvent,
  {
    from,
    to,
    find,
  }: { readonly from: string; readonly to: string; readonly find: ReturnType<typeof occurrenceFinder> },
): CalendarEvent | undefined {
  const { originalStart, details } = instance
  if (originalStart === undefined) return undefined
  const first = { before: intervalOf(master.details.when, from).start, now: intervalOf(master.details.when, to).start }
  const distance = wallClockAt(from, originalStart) - wallClockAt(from, first.before)
  const start = instantOfWallClock(to, wallClockAt(to, first.now) + distance)
  const occurrence = find(start)
  if (occurrence === undefined) return undefined
  // What was given another time keeps that; what was not begins and ends with its occurrence.
  const { when } = details
  const isInPlace = when.kind === 'timespan' && when.startTime === originalStart
  const stays = { start, end: plus(start, isInPlace ? when.endTime - when.startTime : 0) }
  return {
    ...instance,
    id: instanceId(master.id, start),
    originalStart: start,
    details: isInPlace ? { ...details, when: whenOfOccurrence(when, stays, to) } : details,
  }
}
