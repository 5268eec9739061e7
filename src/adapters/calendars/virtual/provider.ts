// Calendars kept in our own database: every call takes part in the caller's transaction.
import { calendarLimit } from '../../../core/calendar/calendar.ts'
import { occurrences, type Recurrence } from '../../../core/calendar/series.ts'
import type { EventId } from '../../../core/ids.ts'
import type { Problem } from '../../../core/problem.ts'
import { failure, type Result, success } from '../../../core/result.ts'
import type { Interval } from '../../../core/time/interval.ts'
import { readRecurrence } from '../../ical/recurrence.ts'
import { listCalendars } from '../../storage/calendars.ts'
import {
  type BusyRow,
  deleteEvent,
  deleteInstances,
  findEvent,
  findInterval,
  listBookedEventIds,
  listInstances,
  newEventRows,
  readBusyRows,
  saveEvent,
} from '../../storage/events.ts'
import type { CalendarProvider } from '../calendarProvider.ts'
import { hasOccurrence, laidOver, toWrite } from './mapping.ts'

export const virtualCalendars: CalendarProvider = {
  isLocal: true,

  async listCalendars({ appId, local }, grantId) {
    const calendars = await listCalendars(local, appId, grantId, { limit: calendarLimit })
    return success(
      calendars.map(({ id, name, timezone, isPrimary, readOnly }) => ({ id, name, timezone, isPrimary, readOnly })),
    )
  },

  async freeBusy({ appId, local }, calendars, span, ignoring = []) {
    if (calendars.length === 0) return success([])
    const unfolded = unfold(await readBusyRows(local, appId, calendars, span), span, new Set(ignoring))
    if (!unfolded.ok) return unfolded
    const busy: Interval[][] = calendars.map(() => [])
    for (const row of unfolded.value) busy[row.place]?.push(...row.busy)
    return success(busy)
  },

  /** Reading all there is costs no more here than to ask what changed. */
  async readChanges({ appId, local }, calendar, { window }) {
    const unfolded = unfold(await readBusyRows(local, appId, [calendar], window), window, new Set())
    if (!unfolded.ok) return unfolded
    const booked = new Set(await listBookedEventIds(local, appId, calendar))
    const items = unfolded.value.map(({ id, busy }) => ({
      id,
      version: undefined,
      busy,
      own: booked.has(id) ? { eventId: id, when: busy[0] } : undefined,
    }))
    return success({ kind: 'everything', token: undefined, items })
  },

  async place({ appId, local }, calendar, event) {
    const { id, before } = event
    const standing = before && (await findEvent(local, appId, calendar, id))
    const write = before && standing ? laidOver(standing, event, before) : toWrite(event)
    const placed = await saveEvent(local, appId, calendar, write)
    if (standing !== undefined && standing.details.recurrence.length > 0) {
      const instances = await listInstances(local, appId, calendar, id)
      const strays = instances.filter(({ originalStart }) => !hasOccurrence(write, originalStart))
      await deleteInstances(
        local,
        appId,
        calendar,
        strays.map((instance) => instance.id),
      )
    }
    return placed === undefined ? failure(noCalendar) : success({ event: placed, invited: [] })
  },

  placeNew(appId, placements, at) {
    const writes = placements.map(({ key, event }) => ({ key, event: toWrite(event), at }))
    return {
      statement: newEventRows(appId, writes),
      events: writes.map(({ key, event: { id, icalUid, status, details, metadata } }) => ({
        ...key,
        id,
        icalUid,
        status,
        details,
        metadata,
        masterEventId: undefined,
        originalStart: undefined,
        createdAt: at,
        updatedAt: at,
      })),
    }
  },

  async find({ appId, local }, calendar, id) {
    return success(await findInterval(local, appId, calendar, id))
  },

  async remove({ appId, local }, calendar, id) {
    return success(await deleteEvent(local, appId, calendar, id))
  },
}

const noCalendar: Problem = { kind: 'calendarUnavailable', message: 'The calendar does not exist any more.' }

/** The busy time of each row, under the place of its calendar; what is replaced or does not block has none. */
function unfold(
  rows: readonly BusyRow[],
  span: Interval,
  ignoring: ReadonlySet<EventId>,
): Result<{ readonly place: number; readonly id: EventId; readonly busy: Interval[] }[]> {
  const unfolded: { place: number; id: EventId; busy: Interval[] }[] = []
  const replaced = new Set<string>()
  for (const row of rows) {
    if (row.timezone === null) return failure(noCalendar)
    if (row.masterEventId !== null) replaced.add(occurrenceKey(row.ordinal, row.masterEventId, row.originalStart))
  }
  for (const row of rows) {
    if (row.id === null || !row.blocks || ignoring.has(row.id)) continue
    const { id } = row
    const place = row.ordinal - 1
    if (row.details === null) {
      unfolded.push({ place, id, busy: [{ start: row.start, end: row.end }] })
      continue
    }
    const recurrence: Result<Recurrence> = readRecurrence(row.details.recurrence)
    // It was read when it was stored; one that no longer can be is not free.
    if (!recurrence.ok)
      return failure({ kind: 'calendarUnavailable', message: 'The calendar has a series that cannot be read.' })
    const series = { when: row.details.when, timezone: row.timezone ?? 'UTC', recurrence: recurrence.value }
    const busy = occurrences(series, span).filter(({ start }) => !replaced.has(occurrenceKey(row.ordinal, id, start)))
    unfolded.push({ place, id, busy })
  }
  return success(unfolded)
}

function occurrenceKey(ordinal: number, masterId: EventId, start: number | null): string {
  return `${ordinal} ${start} ${masterId}`
}
