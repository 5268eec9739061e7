// When the events of a calendar take place, reckoned again in another time zone.
import { listClaimingEvents } from '../../adapters/storage/claims.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import { deleteInstances, listInstances, listZoneBound, saveEvent } from '../../adapters/storage/events.ts'
import type { Grant } from '../../core/account/grant.ts'
import type { Calendar } from '../../core/calendar/calendar.ts'
import { type CalendarEvent, intervalOf, zoneOf } from '../../core/calendar/event.ts'
import { instanceId } from '../../core/calendar/instance.ts'
import { occurrenceFinder, whenOfOccurrence } from '../../core/calendar/series.ts'
import { plus } from '../../core/time/instant.ts'
import { instantOfWallClock, wallClockAt } from '../../core/time/zone.ts'
import { seriesOf, toWrite } from './eventWrites.ts'

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
  const key = { grantId: grant.id, calendarId: calendar.id }
  const save = async (event: CalendarEvent) => {
    const write = toWrite(event, grant, calendar.timezone)
    if (write.ok) await saveEvent(transaction, grant.appId, key, write.value)
  }
  const [found, claiming] = await Promise.all([
    listZoneBound(transaction, grant.appId, key),
    listClaimingEvents(transaction, key),
  ])
  const ofBookings = new Set(claiming)
  const bound = found.map((event) => (ofBookings.has(event.id) ? keepingItsTime(event, timezone) : event))
  const isMoved = ({ details }: CalendarEvent) =>
    details.recurrence.length > 0 && zoneOf(details.when, timezone) !== zoneOf(details.when, calendar.timezone)
  const series = bound.filter(isMoved)
  for (const event of bound) {
    if (!series.some(({ id }) => id === event.masterEventId)) await save(event)
  }
  for (const master of series) {
    const instances = await listInstances(transaction, grant.appId, key, master.id)
    await deleteInstances(
      transaction,
      grant.appId,
      key,
      instances.map(({ id }) => id),
    )
    const there = seriesOf(master, calendar.timezone)
    if (!there.ok) continue
    const find = occurrenceFinder(there.value)
    for (const instance of instances) {
      const moved = follow(master, instance, { from: timezone, to: calendar.timezone, find })
      if (moved !== undefined) await save(moved)
    }
  }
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
