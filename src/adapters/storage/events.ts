// Events of virtual calendars. Every write counts the version of its calendar up in the same statement.
import type { CalendarKey } from '../../core/account/grant.ts'
import type { CalendarEvent, EventDetails } from '../../core/calendar/event.ts'
import type { AppId, CalendarId, EventId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { keyRows } from './calendars.ts'
import type { Queryable } from './database/database.ts'
import { records, type Sql, sql, toRange, toTimestamp } from './database/sql.ts'

export const columns = sql`event.grant_id as "grantId", event.calendar_id as "calendarId", event.id, event.ical_uid as "icalUid",
  event.master_event_id as "masterEventId", event.original_start as "originalStart", event.status, event.body as details,
  event.metadata, event.created_at as "createdAt", event.updated_at as "updatedAt"`

export type EventRow = {
  grantId: CalendarKey['grantId']
  calendarId: CalendarId
  id: EventId
  icalUid: string
  masterEventId: EventId | null
  originalStart: Instant | null
  status: CalendarEvent['status']
  details: EventDetails
  metadata: Record<string, string>
  createdAt: Instant
  updatedAt: Instant
}

export function toEvent({ masterEventId, originalStart, ...row }: EventRow): CalendarEvent {
  return { ...row, masterEventId: masterEventId ?? undefined, originalStart: originalStart ?? undefined }
}

export async function findEvent(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  id: EventId,
): Promise<CalendarEvent | undefined> {
  const [row] = await queryable.query<EventRow>(
    sql`select ${columns} from openslot.events as event where ${isEvent(appId, key, id)}`,
  )
  return row === undefined ? undefined : toEvent(row)
}

/** Changed and cancelled instances of a series, by their original start. */
export async function listInstances(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  masterId: EventId,
): Promise<CalendarEvent[]> {
  const rows = await queryable.query<EventRow>(sql`
    select ${columns} from openslot.events as event
    where ${isOnCalendar(appId, key)} and event.master_event_id = ${masterId} order by event.original_start`)
  return rows.map(toEvent)
}

export type EventWrite = {
  readonly id: EventId
  readonly icalUid: string
  readonly masterEventId?: EventId | undefined
  readonly originalStart?: Instant | undefined
  readonly status: CalendarEvent['status']
  readonly details: EventDetails
  readonly metadata: Readonly<Record<string, string>>
  /** See `blocksTime`. */
  readonly blocks: boolean
  /** When it takes place; of a series from the first start to the last end, or without end. */
  readonly during: { readonly start: Instant; readonly end: Instant | undefined }
}

/**
 * Makes the event be as described, whether it was there or not. Undefined where there is no such calendar.
 */
export async function saveEvent(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  event: EventWrite,
): Promise<CalendarEvent | undefined> {
  const { start, end } = event.during
  const [row] = await queryable.query<EventRow>(sql`
    with calendar as (${countVersion(appId, key)})
    insert into openslot.events as event (app_id, grant_id, calendar_id, id, ical_uid, master_event_id, original_start, status, busy, during,
      recurring, metadata, body)
    select ${appId}, grant_id, id, ${event.id}, ${event.icalUid}, ${event.masterEventId ?? null}, ${timestamp(event.originalStart)},
      ${event.status}, ${event.blocks}, tstzrange(${timestamp(start)}, ${timestamp(end)}, ${start === end ? '[]' : '[)'}),
      ${event.details.recurrence.length > 0}, ${JSON.stringify(event.metadata)}, ${JSON.stringify(event.details)}
    from calendar
    on conflict (app_id, grant_id, calendar_id, id) do update set status = excluded.status, busy = excluded.busy, during = excluded.during,
      recurring = excluded.recurring, metadata = excluded.metadata, body = excluded.body, updated_at = now()
    returning ${columns}`)
  return row === undefined ? undefined : toEvent(row)
}

/** A single event that stands on no calendar yet; `at` is when it was made. */
export type NewEvent = {
  readonly key: CalendarKey
  readonly event: EventWrite
  readonly at: Instant
}

/** For `together`: events on calendars whose versions the transaction has counted up when it locked them. */
export function newEventRows(appId: AppId, events: readonly NewEvent[]): Sql {
  const rows = events.map(({ key, event, at }) => ({
    grant_id: key.grantId,
    calendar_id: key.calendarId,
    id: event.id,
    ical_uid: event.icalUid,
    status: event.status,
    busy: event.blocks,
    during: toRange(event.during),
    metadata: event.metadata,
    body: event.details,
    created_at: toTimestamp(at),
  }))
  return sql`
    insert into openslot.events (app_id, grant_id, calendar_id, id, ical_uid, status, busy, during, metadata, body, created_at, updated_at)
    select ${appId}, event.*, event.created_at from ${records(rows)} as event (grant_id uuid, calendar_id text, id text, ical_uid text,
      status text, busy bool, during tstzrange, metadata jsonb, body jsonb, created_at timestamptz)
    returning id`
}

/** With all instances of a series. False where it was not there. */
export async function deleteEvent(queryable: Queryable, appId: AppId, key: CalendarKey, id: EventId): Promise<boolean> {
  const rows = await queryable.query(sql`
    with calendar as (${countVersion(appId, key)})
    delete from openslot.events as event
    where ${isOnCalendar(appId, key)} and (event.id = ${id} or event.master_event_id = ${id}) and exists (select from calendar)
    returning event.id`)
  return rows.length > 0
}

/** Instances that no longer belong to their series. */
export async function deleteInstances(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  ids: readonly EventId[],
): Promise<void> {
  if (ids.length === 0) return
  await queryable.query(
    sql`delete from openslot.events as event where ${isOnCalendar(appId, key)} and event.id = any(${ids}::text[])`,
  )
}

/** When a single event takes place; undefined where it is not on the calendar, or cancelled. */
export async function findInterval(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  id: EventId,
): Promise<Interval | undefined> {
  const [row] = await queryable.query<Interval>(sql`
    select lower(event.during) as start, upper(event.during) as end from openslot.events as event
    where ${isEvent(appId, key, id)} and event.status <> 'cancelled'`)
  return row
}

/** Events that bookings placed: their marker says so. */
export async function listBookedEventIds(queryable: Queryable, appId: AppId, key: CalendarKey): Promise<EventId[]> {
  const rows = await queryable.query<{ id: EventId }>(sql`
    select event.id from openslot.events as event
    where ${isOnCalendar(appId, key)} and event.metadata ? 'key5' and event.metadata ->> 'source' = 'scheduler'`)
  return rows.map(({ id }) => id)
}

/** What tells when a series takes place: all that is read of many, whose texts may be long. */
export type Pattern = Pick<EventDetails, 'when' | 'recurrence'>

export const pattern = sql`jsonb_build_object('when', event.body -> 'when', 'recurrence', event.body -> 'recurrence')`

/** One row of what may be busy. `details` is there for a series only. */
export type BusyRow = {
  /** The place of its calendar among those asked, from 1. */
  readonly ordinal: number
  /** Null where there is no such calendar. */
  readonly timezone: string | null
  /** Null for a calendar without anything in the span. */
  readonly id: EventId | null
  readonly masterEventId: EventId | null
  readonly originalStart: Instant | null
  /** False for what only takes the place of an occurrence. */
  readonly blocks: boolean
  readonly start: Instant
  readonly end: Instant
  readonly details: Pattern | null
}

/**
 * What may be busy on any of `keys` in `span`, in one statement: events and series that overlap it, and the instances
 * that stand in for an occurrence near it (an occurrence is at most a year long).
 */
export function readBusyRows(
  queryable: Queryable,
  appId: AppId,
  keys: readonly CalendarKey[],
  span: Interval,
): Promise<BusyRow[]> {
  const [start, end] = [timestamp(span.start), timestamp(span.end)]
  const fields = sql`event.id, event.master_event_id as "masterEventId", event.original_start as "originalStart",
    lower(event.during) as start, upper(event.during) as end, case when event.recurring then ${pattern} end as details`
  const ofCalendar = sql`event.app_id = ${appId} and event.grant_id = calendar.grant_id and event.calendar_id = calendar.id`
  return queryable.query<BusyRow>(sql`
    select key.ordinal, calendar.timezone, found.* from ${keyRows(keys)} with ordinality as key (grant_id, calendar_id, ordinal)
      left join openslot.calendars as calendar
        on calendar.app_id = ${appId} and calendar.grant_id = key.grant_id and calendar.id = key.calendar_id
      left join lateral (
        select true as blocks, ${fields} from openslot.events as event
        where ${ofCalendar} and ${usesWindow(sql`calendar.grant_id`, sql`calendar.id`)} and event.during && tstzrange(${start}, ${end}) and event.busy and event.status <> 'cancelled'
        union all
        select false as blocks, ${fields} from openslot.events as event
        where ${ofCalendar} and event.master_event_id is not null
          and event.original_start < ${end} and event.original_start >= ${start}::timestamptz - interval '367 days'
          and not (event.during && tstzrange(${start}, ${end}) and event.busy and event.status <> 'cancelled')) as found on true`)
}

/** Those that are there, in no order. */
export async function findEvents(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  ids: readonly EventId[],
): Promise<CalendarEvent[]> {
  if (ids.length === 0) return []
  const rows = await queryable.query<EventRow>(sql`
    select ${columns} from openslot.events as event where ${isOnCalendar(appId, key)} and event.id = any(${ids}::text[])`)
  return rows.map(toEvent)
}

/** Events whose time depends on the calendar's zone, by id: whole days, and what names no zone of its own but recurs. */
export async function listZoneBound(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  page: { readonly limit: number; readonly after: EventId | undefined },
): Promise<CalendarEvent[]> {
  const rows = await queryable.query<EventRow>(sql`
    select ${columns} from openslot.events as event
    where ${isOnCalendar(appId, key)} and (event.body -> 'when' ->> 'kind' in ('date', 'datespan') or event.recurring)
      ${page.after === undefined ? sql`` : sql`and event.id > ${page.after}`}
    order by event.id limit ${page.limit}`)
  return rows.map(toEvent)
}

/** When the latest event with `key5` = `group` was made on each of `keys`, in their order; undefined where there is none. */
export async function latestOfGroup(
  queryable: Queryable,
  appId: AppId,
  keys: readonly CalendarKey[],
  group: string,
): Promise<(Instant | undefined)[]> {
  const rows = await queryable.query<{ ordinal: number; latest: Instant }>(sql`
    select key.ordinal, max(event.created_at) as latest from ${keyRows(keys)} with ordinality as key (grant_id, calendar_id, ordinal)
      join openslot.events as event
        on event.app_id = ${appId} and event.grant_id = key.grant_id and event.calendar_id = key.calendar_id
    where event.metadata ? 'key5' and event.metadata ->> 'key5' = ${group} and event.status <> 'cancelled'
    group by key.ordinal`)
  const found = new Map(rows.map(({ ordinal, latest }) => [ordinal, latest]))
  return keys.map((_, index) => found.get(index + 1))
}

/** For the index of what takes place when, which holds this hash in place of the calendar's key; beside it the key itself is asked for. */
export function usesWindow(grantId: Sql, calendarId: Sql): Sql {
  return sql`uuid_hash_extended(event.grant_id, hashtextextended(event.calendar_id, 0))
    = uuid_hash_extended(${grantId}, hashtextextended(${calendarId}, 0))`
}

export function isOnCalendar(appId: AppId, key: CalendarKey): Sql {
  return sql`event.app_id = ${appId} and event.grant_id = ${key.grantId} and event.calendar_id = ${key.calendarId}`
}

function isEvent(appId: AppId, key: CalendarKey, id: EventId): Sql {
  return sql`${isOnCalendar(appId, key)} and event.id = ${id}`
}

function countVersion(appId: AppId, key: CalendarKey): Sql {
  return sql`update openslot.calendars set version = version + 1
    where app_id = ${appId} and grant_id = ${key.grantId} and id = ${key.calendarId} returning grant_id, id`
}

export function timestamp(at: Instant | undefined): Date | null {
  return at === undefined ? null : new Date(at)
}
