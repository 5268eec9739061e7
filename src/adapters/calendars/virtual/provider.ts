// Calendars kept in our own database: every call takes part in the caller's transaction.
import { calendarLimit } from '../../../core/calendar/calendar.ts'
import { failure, success } from '../../../core/result.ts'
import type { Interval } from '../../../core/time/interval.ts'
import { listCalendars } from '../../storage/calendars.ts'
import {
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
import { laidOver, occurrenceOf, toWrite } from './mapping.ts'
import { noCalendar, unfold } from './unfolding.ts'

export const virtualCalendars: CalendarProvider = {
  isLocal: true,

  async listCalendars({ appId, local }, grantId) {
    const calendars = await listCalendars(local, appId, grantId, { limit: calendarLimit })
    const found = calendars.map(({ id, name, timezone, isPrimary, readOnly }) => ({
      id,
      name,
      timezone,
      isPrimary,
      readOnly,
    }))
    return success({ found, unread: [] })
  },

  async freeBusy({ appId, local }, calendars, span, ignoring = []) {
    if (calendars.length === 0) return success([])
    const unfolded = await unfold(await readBusyRows(local, appId, calendars, span), {
      span,
      ignoring: new Set(ignoring),
      calendars: calendars.length,
    })
    if (!unfolded.ok) return unfolded
    const busy: Interval[][] = calendars.map(() => [])
    for (const row of unfolded.value) for (const interval of row.busy) busy[row.place]?.push(interval)
    return success(busy)
  },

  /** Reading all there is costs no more here than to ask what changed. */
  async readChanges({ appId, local }, calendar, { window }) {
    const unfolded = await unfold(await readBusyRows(local, appId, [calendar], window), {
      span: window,
      ignoring: new Set(),
      calendars: 1,
    })
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
      const isOccurrence = occurrenceOf(write)
      const strays = instances.filter(({ originalStart }) => !isOccurrence(originalStart))
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
