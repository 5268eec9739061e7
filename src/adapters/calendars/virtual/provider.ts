// Calendars kept in our own database: every call takes part in the caller's transaction.
import type { CalendarKey } from '../../../core/account/grant.ts'
import { occurrences, type Recurrence } from '../../../core/calendar/series.ts'
import type { EventId } from '../../../core/ids.ts'
import type { Problem } from '../../../core/problem.ts'
import { failure, type Result, success } from '../../../core/result.ts'
import type { Interval } from '../../../core/time/interval.ts'
import { readRecurrence } from '../../ical/recurrence.ts'
import { type BusyRow, deleteEvent, findInterval, readBusyRows, saveEvent } from '../../storage/events.ts'
import type { CalendarProvider } from '../calendarProvider.ts'
import { toDetails } from './mapping.ts'

export const virtualCalendars: CalendarProvider = {
  isLocal: true,
  sendsInvitations: false,

  async freeBusy({ appId, local }, calendars, span, ignoring = []) {
    if (calendars.length === 0) return success([])
    return busyOf(await readBusyRows(local, appId, calendars, span), calendars, span, new Set(ignoring))
  },

  async place({ appId, local }, calendar, event) {
    const placed = await saveEvent(local, appId, calendar, {
      id: event.id,
      icalUid: event.icalUid,
      status: 'confirmed',
      details: toDetails(event),
      metadata: event.metadata,
      blocks: true,
      during: event.when,
    })
    return placed === undefined ? failure(noCalendar) : success(placed)
  },

  async find({ appId, local }, calendar, id) {
    return success(await findInterval(local, appId, calendar, id))
  },

  async remove({ appId, local }, calendar, id) {
    return success(await deleteEvent(local, appId, calendar, id))
  },
}

const noCalendar: Problem = { kind: 'calendarUnavailable', message: 'The calendar does not exist any more.' }

function busyOf(
  rows: readonly BusyRow[],
  calendars: readonly CalendarKey[],
  span: Interval,
  ignoring: ReadonlySet<EventId>,
): Result<Interval[][]> {
  const busy: Interval[][] = calendars.map(() => [])
  const replaced = new Set<string>()
  for (const row of rows) {
    if (row.timezone === null) return failure(noCalendar)
    if (row.masterEventId !== null) replaced.add(occurrenceKey(row.ordinal, row.masterEventId, row.originalStart))
  }
  for (const row of rows) {
    if (row.id === null || !row.blocks || ignoring.has(row.id)) continue
    const intervals = busy[row.ordinal - 1]
    if (row.details === null) {
      intervals?.push({ start: row.start, end: row.end })
      continue
    }
    const recurrence: Result<Recurrence> = readRecurrence(row.details.recurrence)
    // It was read when it was stored; one that no longer can be is not free.
    if (!recurrence.ok)
      return failure({ kind: 'calendarUnavailable', message: 'The calendar has a series that cannot be read.' })
    const series = { when: row.details.when, timezone: row.timezone ?? 'UTC', recurrence: recurrence.value }
    for (const occurrence of occurrences(series, span)) {
      if (!replaced.has(occurrenceKey(row.ordinal, row.id, occurrence.start))) intervals?.push(occurrence)
    }
  }
  return success(busy)
}

function occurrenceKey(ordinal: number, masterId: EventId, start: number | null): string {
  return `${ordinal} ${start} ${masterId}`
}
