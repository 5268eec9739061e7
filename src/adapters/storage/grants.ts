// Grants. Row security hides them outside a transaction of their application, so every call takes one.
import type { Grant, GrantProvider } from '../../core/account/grant.ts'
import type { CalendarId, GrantId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Transaction } from './database/database.ts'
import { newId } from './database/ids.ts'
import { join, lowercased, type Sql, sql } from './database/sql.ts'

const columns = sql`app_id as "appId", id, provider, email, name, status, scope, settings, state, created_at as "createdAt",
  updated_at as "updatedAt"`

type GrantRow = Omit<Grant, 'name' | 'state'> & { name: string | null; state: string | null }

function toGrant(row: GrantRow): Grant {
  return { ...row, name: row.name ?? undefined, state: row.state ?? undefined }
}

/** How a path or a body names a grant. */
export type GrantName = { readonly by: 'id' | 'email' | 'externalId'; readonly value: string }

/** An id must be a UUID. Emails are the same whatever their case. */
export async function findGrant(transaction: Transaction, name: GrantName): Promise<Grant | undefined> {
  const [row] = await transaction.query<GrantRow>(sql`
    select ${columns} from openslot.grants where app_id = ${transaction.appId} and ${condition(name)}`)
  return row === undefined ? undefined : toGrant(row)
}

function condition({ by, value }: GrantName): Sql {
  if (by === 'id') return sql`id = ${value}::uuid`
  return by === 'email' ? sql`email_lower = lower(${value})` : sql`external_id = ${value}`
}

export type GrantWithPrimary = Grant & { readonly primaryCalendarId: CalendarId | undefined }

/** Grants by email, each with its primary calendar; in no order, without those that are missing. */
export async function findGrantsByEmail(
  transaction: Transaction,
  emails: readonly string[],
): Promise<GrantWithPrimary[]> {
  const rows = await transaction.query<GrantRow & { primaryCalendarId: CalendarId | null }>(sql`
    select ${columns}, (
      select calendar.id from openslot.calendars calendar
      where calendar.app_id = ${transaction.appId} and calendar.grant_id = grants.id and calendar.is_primary) as "primaryCalendarId"
    from openslot.grants where app_id = ${transaction.appId} and email_lower = any(${lowercased(emails)})`)
  return rows.map(({ primaryCalendarId, ...row }) => ({
    ...toGrant(row),
    primaryCalendarId: primaryCalendarId ?? undefined,
  }))
}

export type GrantFilter = {
  readonly limit: number
  readonly offset: number
  readonly sortBy: 'created_at' | 'updated_at'
  readonly orderBy: 'asc' | 'desc'
  readonly since?: Instant | undefined
  readonly before?: Instant | undefined
  readonly email?: string | undefined
  readonly status?: string | undefined
  readonly provider?: string | undefined
}

export async function listGrants(transaction: Transaction, filter: GrantFilter): Promise<Grant[]> {
  const conditions = [sql`app_id = ${transaction.appId}`]
  if (filter.since !== undefined) conditions.push(sql`created_at >= ${new Date(filter.since)}`)
  if (filter.before !== undefined) conditions.push(sql`created_at <= ${new Date(filter.before)}`)
  if (filter.email !== undefined) conditions.push(sql`email_lower = lower(${filter.email})`)
  if (filter.status !== undefined) conditions.push(sql`status = ${filter.status}`)
  if (filter.provider !== undefined) conditions.push(sql`provider = ${filter.provider}`)
  const column = filter.sortBy === 'created_at' ? sql`created_at` : sql`updated_at`
  const order = filter.orderBy === 'asc' ? sql`order by ${column}, id` : sql`order by ${column} desc, id desc`
  const rows = await transaction.query<GrantRow>(sql`
    select ${columns} from openslot.grants where ${join(conditions, 'and')} ${order} limit ${filter.limit} offset ${filter.offset}`)
  return rows.map(toGrant)
}

/** A grant for `email`, or the one that is there, valid again. Undefined where that one belongs to another provider. */
export async function connectGrant(
  transaction: Transaction,
  grant: {
    readonly provider: GrantProvider
    readonly email: string
    readonly name: string | undefined
    readonly state: string | undefined
    readonly settings: object
  },
): Promise<{ grant: Grant; isNew: boolean } | undefined> {
  const id = newId()
  const [row] = await transaction.query<GrantRow>(sql`
    insert into openslot.grants as grants (app_id, id, provider, email, name, settings, state)
    values (${transaction.appId}, ${id}, ${grant.provider}, ${grant.email}, ${grant.name ?? null}, ${JSON.stringify(grant.settings)}, ${grant.state ?? null})
    on conflict (app_id, email_lower) do update
    set status = 'valid', name = coalesce(excluded.name, grants.name), state = coalesce(excluded.state, grants.state), updated_at = now()
      where grants.provider = excluded.provider
    returning ${columns}`)
  return row === undefined ? undefined : { grant: toGrant(row), isNew: row.id === id }
}

export async function updateGrant(
  transaction: Transaction,
  id: GrantId,
  change: { readonly settings: object; readonly scope: readonly string[]; readonly name: string | undefined },
): Promise<Grant | undefined> {
  const [row] = await transaction.query<GrantRow>(sql`
    update openslot.grants set settings = ${JSON.stringify(change.settings)}, scope = ${change.scope}::text[], name = ${change.name ?? null}, updated_at = now()
    where app_id = ${transaction.appId} and id = ${id} returning ${columns}`)
  return row === undefined ? undefined : toGrant(row)
}

/** With its calendars, events and tokens; its configurations are marked deleted, for the bookings made with them. */
export async function deleteGrant(transaction: Transaction, id: GrantId): Promise<boolean> {
  const rows = await transaction.query(
    sql`delete from openslot.grants where app_id = ${transaction.appId} and id = ${id} returning id`,
  )
  if (rows.length === 0) return false
  await transaction.query(sql`
    update openslot.configurations set deleted_at = now(), version = version + 1
    where app_id = ${transaction.appId} and grant_id = ${id} and deleted_at is null`)
  return true
}

/** Grants of a provider that can no longer be reached. Virtual calendars never become invalid. */
export async function invalidateGrants(transaction: Transaction, provider: GrantProvider): Promise<void> {
  if (provider === 'virtual-calendar') return
  await transaction.query(sql`
    update openslot.grants set status = 'invalid' where app_id = ${transaction.appId} and provider = ${provider}`)
}
