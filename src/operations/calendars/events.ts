// Events of virtual calendars, their series and instances.
import { findCalendar, lockCalendars } from '../../adapters/storage/calendars.ts'
import type { Queryable, Transaction } from '../../adapters/storage/database/database.ts'
import { newId } from '../../adapters/storage/database/ids.ts'
import * as storage from '../../adapters/storage/events.ts'
import { recordNotification } from '../../adapters/storage/outbox.ts'
import type { CalendarKey, Grant } from '../../core/account/grant.ts'
import { withOwnKeys } from '../../core/booking/placedEvent.ts'
import type { Calendar } from '../../core/calendar/calendar.ts'
import type { CalendarEvent, ParticipantStatus } from '../../core/calendar/event.ts'
import { readInstanceId } from '../../core/calendar/instance.ts'
import { occurrenceFinder, occursAt, whenOfOccurrence } from '../../core/calendar/series.ts'
import type { CalendarId, EventId } from '../../core/ids.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { isSameInterval } from '../../core/time/interval.ts'
import { eventNotification } from '../../wire/eventAnswers.ts'
import type { EventContent } from '../../wire/events.ts'
import type { ChangeTools } from '../bookings/carryThrough.ts'
import type { Tools } from '../tools.ts'
import { cancelBehind, findBehind, moveBehind, targetOf } from './bookedEvents.ts'
import { findUnservedProvider, readOnly } from './calendars.ts'
import { checkMeaning, findMisfit, seriesOf, toWrite } from './eventWrites.ts'
import { leaveSeries } from './leaveSeries.ts'

type Needs = Pick<Tools, 'database'>

/** The calendar by its id or the word `primary`, and the event's id. */
export type EventName = { readonly grant: Grant; readonly calendarId: string; readonly eventId: string }

export async function showEvent({ database }: Needs, name: EventName): Promise<Result<CalendarEvent>> {
  const unserved = findUnservedProvider(name.grant)
  if (unserved !== undefined) return failure(unserved)
  const calendar = await findNamed(database, name)
  const event = calendar === undefined ? undefined : await findEvent(database, name.grant, calendar, name.eventId)
  return event === undefined ? failure(notFound) : success(event)
}

/** Problems: `notFound` (the calendar), `forbidden`, `invalidRequest`. */
export function createEvent(
  { database }: Needs,
  { grant, calendarId }: Omit<EventName, 'eventId'>,
  content: EventContent,
): Promise<Result<CalendarEvent>> {
  const misfit = findMisfit(content.details)
  if (misfit !== undefined) return Promise.resolve(failure(misfit))
  return database.transaction(grant.appId, async (transaction) => {
    const calendar = await lockNamed(transaction, { grant, calendarId })
    if (!calendar.ok) return calendar
    const id = newId().replaceAll('-', '') as EventId
    const owner = { email: grant.email, name: grant.name ?? '' }
    return save(transaction, grant, calendar.value, 'event.created', {
      id,
      icalUid: `${id}@openslot`,
      masterEventId: undefined,
      originalStart: undefined,
      status: 'confirmed',
      details: { ...content.details, organizer: owner, creator: owner },
      metadata: content.metadata,
    })
  })
}

type EventChange = (before: EventContent) => Result<EventContent>

/**
 * `change` makes the new content of the old one. A changed instance stands apart from its series from then on;
 * instances that the changed series no longer has are forgotten. The booking behind an event moves with it, once all that
 * was asked for is known to be possible; the occurrence that is its meeting leaves its series when it moves.
 */
export async function changeEvent(
  tools: ChangeTools,
  name: EventName,
  asked: EventChange,
): Promise<Result<CalendarEvent>> {
  const { grant } = name
  const [standing, calendar] = await Promise.all([showEvent(tools, name), findNamed(tools.database, name)])
  if (!standing.ok || calendar === undefined) return standing.ok ? failure(notFound) : standing
  if (calendar.readOnly) return failure(readOnly)
  const booking = await findBehind(tools, standing.value, grant)
  const change = booking === undefined ? asked : keepingOwnKeys(asked)
  const planned = changed(standing.value, change)
  if (!planned.ok) return planned
  const write = toKeep(planned.value, grant, calendar.timezone, standing.value)
  if (!write.ok) return write
  if (booking === undefined)
    return tools.database.transaction(grant.appId, (transaction) => saveChange(transaction, name, change))
  const target = targetOf(planned.value.details.when, calendar.timezone)
  if (!target.ok) return target
  const { masterEventId } = standing.value
  const leaving = masterEventId !== undefined && !isSameInterval(booking.when, target.value) ? masterEventId : undefined
  const before = leaving && ((locked: Transaction) => leaveSeries(locked, { grant, calendar }, leaving))
  const moved = await moveBehind(tools, booking, target.value, before)
  if (!moved.ok) return moved
  const kept = leaving === undefined ? name : { ...name, eventId: leaving }
  return tools.database.transaction(grant.appId, (transaction) => saveChange(transaction, kept, change))
}

async function saveChange(
  transaction: Transaction,
  name: EventName,
  change: EventChange,
): Promise<Result<CalendarEvent>> {
  const { grant } = name
  const calendar = await lockNamed(transaction, name)
  if (!calendar.ok) return calendar
  const before = await findEvent(transaction, grant, calendar.value, name.eventId)
  if (before === undefined) return failure(notFound)
  const content = changed(before, change)
  if (!content.ok) return content
  const saved = await save(transaction, grant, calendar.value, 'event.updated', content.value, before)
  if (saved.ok && before.details.recurrence.length > 0)
    await forgetStrays(transaction, calendar.value, saved.value, grant)
  return saved
}

function changed(before: CalendarEvent, change: EventChange): Result<CalendarEvent> {
  // An instance that was deleted is only known so that its series leaves it out.
  if (before.masterEventId !== undefined && before.status === 'cancelled') return failure(notFound)
  const content = change(before)
  if (!content.ok) return content
  if (before.masterEventId !== undefined && content.value.details.recurrence.length > 0)
    return failure(invalidRequest('belongs to the series, not to one of its instances', 'recurrence'))
  const misfit = findMisfit(content.value.details)
  if (misfit !== undefined) return failure(misfit)
  return success({ ...before, ...content.value })
}

function keepingOwnKeys(change: EventChange): EventChange {
  return (before) => {
    const content = change(before)
    if (!content.ok) return content
    return success({ ...content.value, metadata: withOwnKeys(content.value.metadata, before.metadata) })
  }
}

/**
 * A series goes with its instances; an instance is cancelled and stays known, so that its series leaves it out. The booking
 * behind an event is called off with it; the rest of a series of which it was one occurrence stays.
 */
export async function deleteEvent(tools: ChangeTools, name: EventName): Promise<Result<void>> {
  const { database } = tools
  const standing = await showEvent(tools, name)
  if (!standing.ok) return standing
  const booking = await findBehind(tools, standing.value, name.grant)
  if (booking !== undefined) {
    const { masterEventId } = standing.value
    const calendar = await findNamed(database, name)
    const before =
      masterEventId !== undefined && calendar !== undefined
        ? (locked: Transaction) => leaveSeries(locked, { grant: name.grant, calendar }, masterEventId)
        : undefined
    const cancelled = await cancelBehind(tools, booking, before)
    return cancelled.ok ? success(undefined) : cancelled
  }
  return database.transaction(name.grant.appId, async (transaction) => {
    const { grant } = name
    const calendar = await lockNamed(transaction, name)
    if (!calendar.ok) return calendar
    const before = await findEvent(transaction, grant, calendar.value, name.eventId)
    if (before === undefined || before.status === 'cancelled') return failure(notFound)
    if (before.masterEventId === undefined) {
      await storage.deleteEvent(transaction, grant.appId, keyOf(before), before.id)
      await recordNotification(transaction, {
        trigger: 'event.deleted',
        objectId: before.id,
        grantId: grant.id,
        body: eventNotification('event.deleted', before),
      })
      return success(undefined)
    }
    const cancelled = await save(transaction, grant, calendar.value, 'event.deleted', {
      ...before,
      status: 'cancelled',
    })
    return cancelled.ok ? success(undefined) : cancelled
  })
}

/** The owner's answer to an invitation. What they declined no longer keeps them from being booked. */
export function answerInvitation(
  { database }: Needs,
  name: EventName,
  status: ParticipantStatus,
): Promise<Result<CalendarEvent>> {
  return database.transaction(name.grant.appId, async (transaction) => {
    const { grant } = name
    const calendar = await lockNamed(transaction, name)
    if (!calendar.ok) return calendar
    const before = await findEvent(transaction, grant, calendar.value, name.eventId)
    if (before === undefined || before.status === 'cancelled') return failure(notFound)
    const others = before.details.participants.filter(({ email }) => email.toLowerCase() !== grant.email.toLowerCase())
    const own = before.details.participants.find(({ email }) => email.toLowerCase() === grant.email.toLowerCase())
    const participants = [...others, { ...(own ?? { email: grant.email }), status }]
    return save(transaction, grant, calendar.value, 'event.updated', {
      ...before,
      details: { ...before.details, participants },
    })
  })
}

type Trigger = 'event.created' | 'event.updated' | 'event.deleted'
type Content = Omit<CalendarEvent, 'grantId' | 'calendarId' | 'createdAt' | 'updatedAt'>

async function save(
  transaction: Transaction,
  grant: Grant,
  calendar: Calendar,
  trigger: Trigger,
  content: Content,
  before?: CalendarEvent,
): Promise<Result<CalendarEvent>> {
  const write = toKeep(content, grant, calendar.timezone, before)
  if (!write.ok) return write
  const saved = await storage.saveEvent(
    transaction,
    grant.appId,
    { grantId: grant.id, calendarId: calendar.id },
    write.value,
  )
  if (saved === undefined) return failure(notFound)
  // Metadata alone is nobody's news.
  if (before === undefined || !isSame(before.details, saved.details))
    await recordNotification(transaction, {
      trigger,
      objectId: saved.id,
      body: eventNotification(trigger, saved),
      grantId: grant.id,
    })
  return success(saved)
}

/** A recurrence that stands already is left alone, whatever would be said to it today. */
function toKeep(content: Content, grant: Grant, timezone: string, before?: CalendarEvent) {
  const isNew = !isSame(before?.details.recurrence ?? [], content.details.recurrence)
  const checked = isNew ? checkMeaning(content, timezone) : success(undefined)
  return checked.ok ? toWrite(content, grant, timezone) : checked
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => isSame(a[name as keyof typeof a], b[name as keyof typeof b]))
}

async function forgetStrays(
  transaction: Transaction,
  calendar: Calendar,
  master: CalendarEvent,
  grant: Grant,
): Promise<void> {
  const instances = await storage.listInstances(transaction, grant.appId, keyOf(master), master.id)
  const series = seriesOf(master, calendar.timezone)
  const find = series.ok ? occurrenceFinder(series.value) : () => undefined
  const isStray = ({ originalStart }: CalendarEvent) => originalStart === undefined || find(originalStart) === undefined
  await storage.deleteInstances(
    transaction,
    grant.appId,
    keyOf(master),
    instances.filter(isStray).map(({ id }) => id),
  )
}

/** The event that is kept under this id, or the instance of a series that the id names. */
async function findEvent(
  queryable: Queryable,
  grant: Grant,
  calendar: Calendar,
  id: string,
): Promise<CalendarEvent | undefined> {
  const key = { grantId: grant.id, calendarId: calendar.id }
  const kept = await storage.findEvent(queryable, grant.appId, key, id as EventId)
  if (kept !== undefined) return kept
  const named = readInstanceId(id)
  const master = named === undefined ? undefined : await storage.findEvent(queryable, grant.appId, key, named.masterId)
  if (named === undefined || master === undefined || master.details.recurrence.length === 0) return undefined
  const series = seriesOf(master, calendar.timezone)
  const occurrence = series.ok ? occursAt(series.value, named.originalStart) : undefined
  if (occurrence === undefined) return undefined
  const when = whenOfOccurrence(master.details.when, occurrence, calendar.timezone)
  return {
    ...master,
    id: id as EventId,
    masterEventId: master.id,
    originalStart: named.originalStart,
    details: { ...master.details, when, recurrence: [] },
  }
}

async function findNamed(
  queryable: Queryable,
  { grant, calendarId }: Omit<EventName, 'eventId'>,
): Promise<Calendar | undefined> {
  return findCalendar(queryable, grant.appId, { grantId: grant.id, calendarId: calendarId as CalendarId })
}

async function lockNamed(transaction: Transaction, name: Omit<EventName, 'eventId'>): Promise<Result<Calendar>> {
  const unserved = findUnservedProvider(name.grant)
  if (unserved !== undefined) return failure(unserved)
  const calendar = await findNamed(transaction, name)
  if (calendar === undefined) return failure(notFound)
  if (calendar.readOnly) return failure(readOnly)
  const locked = await lockCalendars(transaction, [{ grantId: name.grant.id, calendarId: calendar.id }])
  return locked.length === 0 ? failure(notFound) : success(calendar)
}

function keyOf(event: CalendarEvent): CalendarKey {
  return { grantId: event.grantId, calendarId: event.calendarId }
}
