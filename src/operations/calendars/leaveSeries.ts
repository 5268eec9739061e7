// A meeting leaves the series that its owner made of a booking's event.
import type { Transaction } from '../../adapters/storage/database/database.ts'
import { newId } from '../../adapters/storage/database/ids.ts'
import * as storage from '../../adapters/storage/events.ts'
import { recordNotification } from '../../adapters/storage/outbox.ts'
import { TooMuchWork, Work } from '../../adapters/work/work.ts'
import type { CalendarKey, Grant } from '../../core/account/grant.ts'
import { withoutOwnKeys } from '../../core/booking/placedEvent.ts'
import type { Calendar } from '../../core/calendar/calendar.ts'
import { type CalendarEvent, intervalOf } from '../../core/calendar/event.ts'
import { instanceId, utcStamp } from '../../core/calendar/instance.ts'
import { eachOccurrence } from '../../core/calendar/series.ts'
import type { EventId } from '../../core/ids.ts'
import { type Result, success } from '../../core/result.ts'
import { eventNotification } from '../../wire/eventAnswers.ts'
import { seriesOf, toWrite } from './eventWrites.ts'

type Place = { readonly grant: Grant; readonly calendar: Calendar }

/**
 * The event `id` of a booking takes place once from now on, as its first occurrence did; all others go on as a series of
 * their own, which belongs to the owner alone, with what was changed and deleted of them. The calendar is locked by the caller.
 * Problems: `invalidRequest` where the rest is no series that can be computed.
 */
export async function leaveSeries(transaction: Transaction, place: Place, id: EventId): Promise<Result<void>> {
  const { grant, calendar } = place
  const key: CalendarKey = { grantId: grant.id, calendarId: calendar.id }
  const series = await storage.findEvent(transaction, grant.appId, key, id)
  if (series === undefined || series.details.recurrence.length === 0) return success(undefined)
  const instances = await storage.listInstances(transaction, grant.appId, key, id)
  const { start } = intervalOf(series.details.when, calendar.timezone)
  const own = instances.find(({ originalStart }) => originalStart === start)
  const rest = restOf(series, `EXDATE:${utcStamp(start)}`)
  const isKept = hasOccurrence(rest, calendar.timezone)
  if (isKept) {
    const kept = await save(transaction, place, 'event.created', rest)
    if (!kept.ok) return kept
  }
  for (const instance of instances) {
    if (isKept && instance !== own) {
      const moved = await save(transaction, place, 'event.created', under(rest, instance))
      if (!moved.ok) return moved
    }
    await tell(transaction, place, 'event.deleted', instance)
  }
  await storage.deleteInstances(
    transaction,
    grant.appId,
    key,
    instances.map((instance) => instance.id),
  )
  const details = { ...(own ?? series).details, when: series.details.when, recurrence: [] }
  const alone = toWrite({ ...series, details }, grant, calendar.timezone)
  if (!alone.ok) return alone
  // What becomes of the booking writes the event once more and tells of it.
  await storage.saveEvent(transaction, grant.appId, key, alone.value)
  return success(undefined)
}

function restOf(series: CalendarEvent, exclusion: string): CalendarEvent {
  const id = newId().replaceAll('-', '') as EventId
  return {
    ...series,
    id,
    icalUid: `${id}@openslot`,
    details: { ...series.details, recurrence: [...series.details.recurrence, exclusion] },
    metadata: withoutOwnKeys(series.metadata),
  }
}

/** A series without end goes on, whenever that may be; so does one that takes too long to follow. */
function hasOccurrence(series: CalendarEvent, timezone: string): boolean {
  const computed = seriesOf(series, timezone)
  const write = toWrite(series, { email: '' }, timezone)
  if (!computed.ok || !write.ok || write.value.during.end === undefined) return true
  const { start, end } = write.value.during
  try {
    return eachOccurrence(computed.value, { start, end }, new Work().spend).next().done === false
  } catch (error) {
    if (error instanceof TooMuchWork) return true
    throw error
  }
}

function under(series: CalendarEvent, instance: CalendarEvent): CalendarEvent {
  const { originalStart } = instance
  return {
    ...instance,
    id: originalStart === undefined ? instance.id : instanceId(series.id, originalStart),
    icalUid: series.icalUid,
    masterEventId: series.id,
    metadata: withoutOwnKeys(instance.metadata),
  }
}

async function save(
  transaction: Transaction,
  place: Place,
  trigger: 'event.created',
  event: CalendarEvent,
): Promise<Result<void>> {
  const { grant, calendar } = place
  const write = toWrite(event, grant, calendar.timezone)
  if (!write.ok) return write
  const key: CalendarKey = { grantId: grant.id, calendarId: calendar.id }
  const saved = await storage.saveEvent(transaction, grant.appId, key, write.value)
  if (saved !== undefined) await tell(transaction, place, trigger, saved)
  return success(undefined)
}

/** Nobody has to hear again of what was cancelled before. */
async function tell(
  transaction: Transaction,
  { grant }: Place,
  trigger: 'event.created' | 'event.deleted',
  event: CalendarEvent,
): Promise<void> {
  if (event.status === 'cancelled') return
  await recordNotification(transaction, {
    trigger,
    objectId: event.id,
    grantId: grant.id,
    body: eventNotification(trigger, event),
  })
}
