// Configurations as kept: a document, its version, and what finds it.

import type { CalendarKey } from '../../core/account/grant.ts'
import type { AppId, ConfigurationId, GrantId } from '../../core/ids.ts'
import type { Queryable, Transaction } from './database/database.ts'
import { records, sql } from './database/sql.ts'

/** `document` is what `wire/configurations.ts` reads and writes; here it is only kept. */
export type ConfigurationRow = {
  readonly id: ConfigurationId
  readonly grantId: GrantId
  readonly document: object
  readonly version: number
}

const columns = sql`id, grant_id as "grantId", document, version`

/** Throws `ConstraintViolation` `configurations_slug` where the slug is taken. */
export async function insertConfiguration(
  transaction: Transaction,
  row: Omit<ConfigurationRow, 'version'> & { readonly slug: string | null; readonly requiresSessionAuth: boolean },
): Promise<void> {
  await transaction.query(sql`
    insert into openslot.configurations (app_id, id, grant_id, slug, requires_session_auth, document)
    values (${transaction.appId}, ${row.id}, ${row.grantId}, ${row.slug}, ${row.requiresSessionAuth}, ${row.document})`)
}

/** False where somebody changed it since `version` was read. Throws as `insertConfiguration`. */
export async function updateConfiguration(
  transaction: Transaction,
  row: Omit<ConfigurationRow, 'grantId'> & { readonly slug: string | null; readonly requiresSessionAuth: boolean },
): Promise<boolean> {
  const rows = await transaction.query(sql`
    update openslot.configurations
    set slug = ${row.slug}, requires_session_auth = ${row.requiresSessionAuth}, document = ${row.document},
      version = version + 1, updated_at = now()
    where app_id = ${transaction.appId} and id = ${row.id} and version = ${row.version} and deleted_at is null
    returning id`)
  return rows.length === 1
}

/** Until the transaction ends nobody changes it, or makes a session for it. False where it is not there, or not any more. */
export async function lockConfiguration(transaction: Transaction, id: ConfigurationId): Promise<boolean> {
  const rows = await transaction.query(sql`
    select id from openslot.configurations
    where app_id = ${transaction.appId} and id = ${id} and deleted_at is null for update`)
  return rows.length > 0
}

/** The row stays for the bookings that were made with it. */
export async function markConfigurationDeleted(transaction: Transaction, id: ConfigurationId): Promise<void> {
  await transaction.query(sql`
    update openslot.configurations set deleted_at = now(), version = version + 1
    where app_id = ${transaction.appId} and id = ${id} and deleted_at is null`)
}

export async function findConfiguration(
  queryable: Queryable,
  appId: AppId,
  id: string,
): Promise<ConfigurationRow | undefined> {
  const [row] = await queryable.query<ConfigurationRow>(sql`
    select ${columns} from openslot.configurations where app_id = ${appId} and id = ${id} and deleted_at is null`)
  return row
}

/** Also one that was deleted: bookings outlive it. */
export async function findConfigurationEvenDeleted(
  queryable: Queryable,
  appId: AppId,
  id: string,
): Promise<ConfigurationRow | undefined> {
  const [row] = await queryable.query<ConfigurationRow>(sql`
    select ${columns} from openslot.configurations where app_id = ${appId} and id = ${id}`)
  return row
}

export async function findConfigurationIdBySlug(
  queryable: Queryable,
  appId: AppId,
  slug: string,
): Promise<ConfigurationId | undefined> {
  const [row] = await queryable.query<{ id: ConfigurationId }>(sql`
    select id from openslot.configurations where app_id = ${appId} and slug = ${slug} and deleted_at is null`)
  return row?.id
}

/** Oldest first, from after the configuration `after`. */
export function listConfigurations(
  queryable: Queryable,
  appId: AppId,
  grantId: GrantId,
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
): Promise<ConfigurationRow[]> {
  const start =
    after === undefined
      ? sql`true`
      : sql`(created_at, id) > (select created_at, id from openslot.configurations where app_id = ${appId} and id = ${after})`
  return queryable.query<ConfigurationRow>(sql`
    select ${columns} from openslot.configurations
    where app_id = ${appId} and grant_id = ${grantId} and deleted_at is null and ${start}
    order by created_at, id limit ${limit}`)
}

/** One booking of a round robin at a time: whose turn it is must not change between the choice and the claim. */
export async function lockConfigurations(transaction: Transaction, ids: readonly ConfigurationId[]): Promise<void> {
  await transaction.query(sql`
    select id from openslot.configurations where app_id = ${transaction.appId} and id = any(${ids}::uuid[])
    order by id for no key update`)
}

/** Which of these configurations have this version still: `live` or `deleted`. Inside a claim: after the locks. */
export async function listUnchanged(
  transaction: Transaction,
  configurations: readonly Pick<ConfigurationRow, 'id' | 'version'>[],
): Promise<Map<ConfigurationId, 'live' | 'deleted'>> {
  const rows = await transaction.query<{ id: ConfigurationId; state: 'live' | 'deleted' }>(sql`
    select id, case when deleted_at is null then 'live' else 'deleted' end as state
    from openslot.configurations join ${records(configurations.map(({ id, version }) => ({ id, version })))}
      as known (id uuid, version bigint) using (id, version)
    where app_id = ${transaction.appId}`)
  return new Map(rows.map(({ id, state }) => [id, state]))
}

/**
 * The versions that tell whether something kept in memory is still true: of the configuration, then of each calendar
 * in the order asked (null for one that is gone). Undefined where the configuration is gone.
 */
export async function readVersions(
  queryable: Queryable,
  appId: AppId,
  id: ConfigurationId,
  calendars: readonly CalendarKey[],
  which: 'live' | 'evenDeleted' = 'live',
): Promise<readonly (number | null)[] | undefined> {
  const [row] = await queryable.query<{ version: number; calendars: (number | null)[] | null }>(sql`
    select configuration.version, (
      select array_agg(calendar.version::float8 order by asked.place)
      from unnest(${calendars.map(({ grantId }) => grantId)}::uuid[], ${calendars.map(({ calendarId }) => calendarId)}::text[])
        with ordinality as asked (grant_id, calendar_id, place)
      left join openslot.calendars calendar
        on calendar.app_id = ${appId} and calendar.grant_id = asked.grant_id and calendar.id = asked.calendar_id) as calendars
    from openslot.configurations configuration
    where configuration.app_id = ${appId} and configuration.id = ${id}
      and (configuration.deleted_at is null or ${which === 'evenDeleted'}::boolean)`)
  return row === undefined ? undefined : [row.version, ...(row.calendars ?? [])]
}
