// Lists of the events of virtual calendars: what is asked of them, and which rows that is.
import type { CalendarKey } from '../../core/account/grant.ts'
import type { CalendarEvent, EventDetails } from '../../core/calendar/event.ts'
import type { AppId, EventId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import type { Queryable } from './database/database.ts'
import { join, lowercased, type Sql, sql } from './database/sql.ts'
import {
  columns,
  type EventRow,
  isOnCalendar,
  type Pattern,
  pattern,
  timestamp,
  toEvent,
  usesWindow,
} from './events.ts'

/** Which events a list holds. A time span selects by overlap; a series by any time from its first start to its last end. */
export type EventFilter = {
  readonly span?: Interval | undefined
  readonly showCancelled?: boolean | undefined
  /**
   * For who unfolds series on their own: instances that were cancelled are part of what their series says, and so are `standIns`,
   * which take the place of occurrences of the span, wherever they were moved.
   */
  readonly series?: 'expanded' | 'whole' | undefined
  readonly standIns?: readonly EventId[] | undefined
  readonly busy?: boolean | undefined
  /** Each word must occur, whatever the case. */
  readonly words?:
    | {
        readonly title: readonly string[]
        readonly description: readonly string[]
        readonly location: readonly string[]
      }
    | undefined
  readonly icalUid?: string | undefined
  readonly masterEventId?: string | undefined
  readonly metadataPair?: Readonly<Record<string, string>> | undefined
  readonly updatedAfter?: Instant | undefined
  readonly updatedBefore?: Instant | undefined
  /** In small letters. */
  readonly attendees?: readonly string[] | undefined
}

/** Where a page of a list begins: after this start and id. */
export type EventPlace = { readonly start: Instant; readonly id: string }

/** Events that take place once, changed instances among them, by start, then id. */
export async function listSingleEvents(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  filter: EventFilter,
  page: { readonly limit: number; readonly after?: EventPlace | undefined },
): Promise<CalendarEvent[]> {
  const { after } = page
  const rows = await queryable.query<EventRow>(sql`
    select ${columns} from openslot.events as event
    where ${conditionsOf(appId, key, filter)} and not event.recurring
      ${after === undefined ? sql`` : sql`and (lower(event.during), event.id) > (${timestamp(after.start)}::timestamptz, ${after.id})`}
      ${filter.masterEventId === undefined ? sql`` : sql`and event.master_event_id = ${filter.masterEventId}`}
    order by lower(event.during), event.id limit ${page.limit}`)
  return rows.map(toEvent)
}

export type Series = { readonly id: EventId; readonly details: Pattern }

/** Series that may take place in the span, by id. */
export function listSeries(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  filter: EventFilter,
): Promise<Series[]> {
  return queryable.query<Series>(sql`
    select event.id, ${pattern} as details from openslot.events as event
    where ${conditionsOf(appId, key, filter)} and event.recurring
      ${filter.masterEventId === undefined ? sql`` : sql`and event.id = ${filter.masterEventId}`}
    order by event.id`)
}

/** All kinds of rows as they stand, by id. */
export async function listEventRows(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  filter: EventFilter,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<CalendarEvent[]> {
  const rows = await queryable.query<EventRow>(sql`
    select ${columns} from openslot.events as event
    where ${conditionsOf(appId, key, filter)} ${page.after === undefined ? sql`` : sql`and event.id > ${page.after}`}
    order by event.id limit ${page.limit}`)
  return rows.map(toEvent)
}

/** An instance that stands in for an occurrence of its series, and when that begins first. */
export type Replaced = {
  readonly masterEventId: EventId
  readonly originalStart: Instant
  readonly when: EventDetails['when']
}

/** The instances that stand in for occurrences which may overlap `span`. */
export function listReplaced(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  span: Interval,
): Promise<Replaced[]> {
  return queryable.query<Replaced>(sql`
    select event.master_event_id as "masterEventId", event.original_start as "originalStart", master.body -> 'when' as when
    from openslot.events as event join openslot.events as master
      on master.app_id = event.app_id and master.grant_id = event.grant_id and master.calendar_id = event.calendar_id
      and master.id = event.master_event_id
    where ${isOnCalendar(appId, key)}
      and event.original_start < ${timestamp(span.end)} and event.original_start >= ${timestamp(span.start)}::timestamptz - interval '367 days'`)
}

function conditionsOf(appId: AppId, key: CalendarKey, filter: EventFilter): Sql {
  const conditions: Sql[] = [isOnCalendar(appId, key)]
  const isWhole = filter.series === 'whole'
  if (filter.span !== undefined) {
    const span = sql`tstzrange(${timestamp(filter.span.start)}, ${timestamp(filter.span.end)})`
    const near = usesWindow(sql`${key.grantId}::uuid`, sql`${key.calendarId}::text`)
    conditions.push(
      isWhole
        ? sql`(event.during && ${span} and ${near} or event.id = any(${filter.standIns ?? []}::text[]))`
        : sql`event.during && ${span} and ${near}`,
    )
  }
  if (filter.showCancelled !== true)
    conditions.push(
      isWhole
        ? sql`(event.status <> 'cancelled' or event.master_event_id is not null)`
        : sql`event.status <> 'cancelled'`,
    )
  if (filter.busy !== undefined) conditions.push(sql`(event.body ->> 'busy')::boolean = ${filter.busy}`)
  for (const word of filter.words?.title ?? [])
    conditions.push(sql`strpos(lower(event.body ->> 'title'), lower(${word})) > 0`)
  for (const word of filter.words?.description ?? [])
    conditions.push(sql`strpos(lower(event.body ->> 'description'), lower(${word})) > 0`)
  for (const word of filter.words?.location ?? [])
    conditions.push(sql`strpos(lower(event.body ->> 'location'), lower(${word})) > 0`)
  if (filter.icalUid !== undefined) conditions.push(sql`event.ical_uid = ${filter.icalUid}`)
  if (filter.metadataPair !== undefined)
    conditions.push(sql`event.metadata @> ${JSON.stringify(filter.metadataPair)}::jsonb`)
  if (filter.updatedAfter !== undefined) conditions.push(sql`event.updated_at > ${timestamp(filter.updatedAfter)}`)
  if (filter.updatedBefore !== undefined) conditions.push(sql`event.updated_at < ${timestamp(filter.updatedBefore)}`)
  if (filter.attendees !== undefined)
    conditions.push(sql`exists (select from jsonb_array_elements(event.body -> 'participants') as participant
      where lower(participant ->> 'email') = any(${lowercased(filter.attendees)}))`)
  return join(conditions, 'and')
}
