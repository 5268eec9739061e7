// Calendars, their locks and the versions that tell whether what is busy has changed.
import type { CalendarKey } from '../../core/account/grant.ts'
import type { Calendar, CalendarDetails } from '../../core/calendar/calendar.ts'
import type { AppId, CalendarId, GrantId } from '../../core/ids.ts'
import type { Queryable, Transaction } from './database/database.ts'
import { type Sql, sql } from './database/sql.ts'

/** One whose zone nobody knows shows UTC. */
const columns = sql`grant_id as "grantId", id, name, coalesce(timezone, 'UTC') as timezone, is_primary as "isPrimary", read_only as "readOnly", body as details,
  created_at as "createdAt", updated_at as "updatedAt"`

export type LockedCalendar = {
  readonly grantId: GrantId
  readonly calendarId: CalendarId
  readonly timezone: string
  readonly isPrimary: boolean
  readonly readOnly: boolean
}

/**
 * Locks the calendars named, all at once and always in the same order, so that two bookings never wait for each other,
 * and counts their versions up. Those that do not exist are missing from the answer; its order is not that of `keys`.
 */
export function lockCalendars(transaction: Transaction, keys: readonly CalendarKey[]): Promise<LockedCalendar[]> {
  return transaction.query<LockedCalendar>(sql`
    with locked as materialized (
      select grant_id, id from openslot.calendars
      where app_id = ${transaction.appId} and (grant_id, id) in (select * from ${keyRows(keys)})
      order by grant_id, id for no key update)
    update openslot.calendars as calendar set version = version + 1 from locked
    where calendar.app_id = ${transaction.appId} and calendar.grant_id = locked.grant_id and calendar.id = locked.id
    returning calendar.grant_id as "grantId", calendar.id as "calendarId", coalesce(calendar.timezone, 'UTC') as timezone,
      calendar.is_primary as "isPrimary", calendar.read_only as "readOnly"`)
}

/** All calendars of a grant; until the transaction ends nobody adds one, or takes time on one. */
export async function lockCalendarsOf(transaction: Transaction, grantId: GrantId): Promise<readonly CalendarKey[]> {
  await transaction.query(sql`
    select id from openslot.grants where app_id = ${transaction.appId} and id = ${grantId} for update`)
  const rows = await transaction.query<{ id: CalendarId }>(sql`
    select id from openslot.calendars where app_id = ${transaction.appId} and grant_id = ${grantId} order by id for update`)
  return rows.map(({ id }) => ({ grantId, calendarId: id }))
}

/**
 * The calendars as callers name them: by id, or by the word `primary`. In the order asked; undefined for one that
 * does not exist.
 */
export async function resolveCalendars(
  queryable: Queryable,
  appId: AppId,
  named: readonly CalendarKey[],
): Promise<(Calendar | undefined)[]> {
  const rows = await queryable.query<Calendar & { ordinal: number }>(sql`
    select named.ordinal, found.* from
      unnest(${named.map(({ grantId }) => grantId)}::uuid[], ${named.map(({ calendarId }) => calendarId)}::text[])
        with ordinality as named (grant_id, name, ordinal)
      join lateral (
        select ${columns} from openslot.calendars
        where app_id = ${appId} and grant_id = named.grant_id and (id = named.name or (named.name = 'primary' and is_primary))
        -- A calendar whose id really is "primary" goes first.
        order by id = named.name desc limit 1) as found on true`)
  const found = new Map(rows.map(({ ordinal, ...calendar }) => [ordinal, calendar]))
  return named.map((_, index) => found.get(index + 1))
}

/** One calendar by its id, or by the word `primary`. */
export async function findCalendar(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
): Promise<Calendar | undefined> {
  return (await resolveCalendars(queryable, appId, [key]))[0]
}

/** By id, those after `after`; `metadataPair` keeps those with that pair. */
export function listCalendars(
  queryable: Queryable,
  appId: AppId,
  grantId: GrantId,
  page: {
    readonly limit: number
    readonly after?: string | undefined
    readonly metadataPair?: Readonly<Record<string, string>> | undefined
  },
): Promise<Calendar[]> {
  return queryable.query<Calendar>(sql`
    select ${columns} from openslot.calendars
    where app_id = ${appId} and grant_id = ${grantId} and id > ${page.after ?? ''}
      ${page.metadataPair === undefined ? sql`` : sql`and body -> 'metadata' @> ${JSON.stringify(page.metadataPair)}::jsonb`}
    order by id limit ${page.limit}`)
}

/** Counts under a lock on the grant, so that two creations cannot both be the first, or the last allowed. */
export async function countCalendarsForInsert(transaction: Transaction, grantId: GrantId): Promise<number | undefined> {
  const [grant] = await transaction.query(sql`
    select id from openslot.grants where app_id = ${transaction.appId} and id = ${grantId} for no key update`)
  if (grant === undefined) return undefined
  const [row] = await transaction.query<{ count: number }>(sql`
    select count(*) as count from openslot.calendars where app_id = ${transaction.appId} and grant_id = ${grantId}`)
  return row?.count ?? 0
}

export type NewCalendar = {
  readonly grantId: GrantId
  readonly id: CalendarId
  readonly name: string
  /** UTC where undefined. */
  readonly timezone: string | undefined
  readonly isPrimary: boolean
  readonly details: CalendarDetails
}

export async function insertCalendar(transaction: Transaction, calendar: NewCalendar): Promise<Calendar> {
  const [row] = await transaction.query<Calendar>(sql`
    insert into openslot.calendars (app_id, grant_id, id, name, timezone, is_primary, body)
    values (${transaction.appId}, ${calendar.grantId}, ${calendar.id}, ${calendar.name}, ${calendar.timezone ?? 'UTC'}, ${calendar.isPrimary},
      ${JSON.stringify(calendar.details)})
    returning ${columns}`)
  if (row === undefined) throw new Error('an insert returned no row')
  return row
}

/** A `timezone` that is undefined stays, known or not. */
export async function updateCalendar(
  transaction: Transaction,
  key: CalendarKey,
  change: { readonly name: string; readonly timezone: string | undefined; readonly details: CalendarDetails },
): Promise<Calendar | undefined> {
  const [row] = await transaction.query<Calendar>(sql`
    update openslot.calendars set name = ${change.name}, timezone = coalesce(${change.timezone ?? null}, timezone), body = ${JSON.stringify(change.details)},
      updated_at = now()
    where ${isCalendar(transaction.appId, key)} returning ${columns}`)
  return row
}

/** Its events and claims go with it. */
export async function deleteCalendar(transaction: Transaction, key: CalendarKey): Promise<void> {
  await transaction.query(sql`delete from openslot.calendars where ${isCalendar(transaction.appId, key)}`)
}

function isCalendar(appId: AppId, { grantId, calendarId }: CalendarKey): Sql {
  return sql`app_id = ${appId} and grant_id = ${grantId} and id = ${calendarId}`
}

/** The keys as rows (grant_id, calendar_id) of a `from` clause. */
export function keyRows(keys: readonly CalendarKey[]): Sql {
  return sql`unnest(${keys.map(({ grantId }) => grantId)}::uuid[], ${keys.map(({ calendarId }) => calendarId)}::text[])`
}
