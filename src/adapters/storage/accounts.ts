// Applications, their API keys, sessions and access tokens.

import type { Principal } from '../../core/account/principal.ts'
import type { AppId, ConfigurationId, GrantId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Database, Queryable } from './database/database.ts'
import { hashToken, newAppId, newApplicationCode, newId, newToken, readToken } from './database/ids.ts'
import { sql } from './database/sql.ts'

export type Application = {
  readonly id: AppId
  readonly code: string
  readonly name: string
  readonly region: string
  readonly createdAt: Instant
}

export type ApiKey = {
  readonly id: string
  readonly name: string
  readonly lastFour: string
  readonly createdAt: Instant
  readonly expiresAt: Instant | null
  readonly revokedAt: Instant | null
  readonly lastUsedAt: Instant | null
}

const applicationColumns = sql`app_id as id, code, name, region, created_at as "createdAt"`
const keyColumns = sql`id, name, last_four as "lastFour", created_at as "createdAt", expires_at as "expiresAt",
  revoked_at as "revokedAt", last_used_at as "lastUsedAt"`

/** Codes never change hands, so what was found once is kept. */
const knownCodes = new WeakMap<Database, Map<string, AppId>>()
const knownCodesLimit = 10_000

/** The application behind the first 32 bits of an id, or of a token. */
export async function findAppByCode(database: Database, code: string): Promise<AppId | undefined> {
  let known = knownCodes.get(database)
  if (known === undefined) {
    known = new Map()
    knownCodes.set(database, known)
  }
  const kept = known.get(code)
  if (kept !== undefined) return kept
  const [row] = await database.query<{ id: AppId }>(
    sql`select app_id as id from openslot.applications where code = ${code}`,
  )
  if (row !== undefined && known.size < knownCodesLimit) known.set(code, row.id)
  return row?.id
}

export async function findApplication(database: Queryable, appId: AppId): Promise<Application | undefined> {
  const [row] = await database.query<Application>(
    sql`select ${applicationColumns} from openslot.applications where app_id = ${appId}`,
  )
  return row
}

/** What the application says of itself: branding and the sign-in page. */
export async function findApplicationSettings(
  database: Queryable,
  appId: AppId,
): Promise<Readonly<Record<string, unknown>>> {
  const [row] = await database.query<{ settings: Record<string, unknown> }>(sql`
    select settings from openslot.applications where app_id = ${appId} for no key update`)
  return row?.settings ?? {}
}

export async function updateApplicationSettings(database: Queryable, appId: AppId, settings: object): Promise<void> {
  await database.query(
    sql`update openslot.applications set settings = ${JSON.stringify(settings)} where app_id = ${appId}`,
  )
}

export function listApplications(database: Queryable): Promise<Application[]> {
  return database.query<Application>(
    sql`select ${applicationColumns} from openslot.applications order by created_at, app_id`,
  )
}

export async function insertApplication(database: Queryable, name: string, id = newAppId()): Promise<Application> {
  const [row] = await database.query<Application>(sql`
    insert into openslot.applications (app_id, code, name) values (${id}, ${newApplicationCode()}, ${name})
    returning ${applicationColumns}`)
  if (row === undefined) throw new Error('an insert returned no row')
  return row
}

/** Keeps the hash of `secret`, or of a new token; the token itself is answered once and never again. */
export async function insertKey(
  database: Queryable,
  application: Application,
  key: { readonly name: string; readonly secret?: string | undefined; readonly expiresAt?: Instant | undefined },
): Promise<{ id: string; token: string }> {
  const token = key.secret ?? newToken('key', application.code)
  const id = newId()
  await database.query(sql`
    insert into openslot.api_keys (app_id, id, name, last_four, secret_hash, expires_at)
    values (${application.id}, ${id}, ${key.name}, ${token.slice(-4)}, ${hashToken(token)},
      ${key.expiresAt === undefined ? null : new Date(key.expiresAt)})`)
  return { id, token }
}

export function listKeys(database: Queryable, appId: AppId): Promise<ApiKey[]> {
  return database.query<ApiKey>(
    sql`select ${keyColumns} from openslot.api_keys where app_id = ${appId} order by created_at, id`,
  )
}

/** Of whatever application; the hash alone tells, for keys that were set by hand. */
export async function findKeyBySecret(
  database: Queryable,
  secret: string,
): Promise<{ appId: AppId; id: string; isActive: boolean } | undefined> {
  const [row] = await database.query<{ appId: AppId; id: string; isActive: boolean }>(sql`
    select app_id as "appId", id, (revoked_at is null and (expires_at is null or expires_at > now())) as "isActive"
    from openslot.api_keys where secret_hash = ${hashToken(secret)} limit 1`)
  return row
}

/** Effective at once, for what it made too: keys are looked up on each request. False where there is no such key. */
export async function revokeKey(database: Queryable, appId: AppId, id: string): Promise<boolean> {
  const rows = await database.query(sql`
    update openslot.api_keys set revoked_at = coalesce(revoked_at, now()) where app_id = ${appId} and id = ${id} returning id`)
  return rows.length > 0
}

/** Of a session or access token: whatever a key made ends with the key. Rows of before keys were kept with them have none. */
const keyStands = sql`(key_id is null or exists (
  select from openslot.api_keys as key where key.app_id = made.app_id and key.id = made.key_id and key.revoked_at is null
    and (key.expires_at is null or key.expires_at > now())))`

/** Who a bearer token stands for; undefined for one that is unknown, expired or revoked. */
export async function findPrincipal(database: Database, token: string): Promise<Principal | undefined> {
  const parts = readToken(token)
  // A key set by hand carries no code; it is found by its hash alone.
  if (parts === undefined) return findHandMadeKey(database, token)
  const appId = await findAppByCode(database, parts.code)
  if (appId === undefined) return undefined
  if (parts.kind === 'key') return findKey(database, appId, token)
  if (parts.kind === 'session') {
    const [row] = await database.query<{ configurationId: ConfigurationId }>(sql`
      select configuration_id as "configurationId" from openslot.sessions as made
      where app_id = ${appId} and token_hash = ${hashToken(token)} and expires_at > now() and ${keyStands}`)
    return row === undefined ? undefined : { kind: 'session', appId, configurationId: row.configurationId }
  }
  const [row] = await database.query<{ grantId: GrantId }>(sql`
    select grant_id as "grantId" from openslot.access_tokens as made
    where app_id = ${appId} and token_hash = ${hashToken(token)} and expires_at > now() and ${keyStands}`)
  return row === undefined ? undefined : { kind: 'token', appId, grantId: row.grantId }
}

async function findKey(database: Database, appId: AppId, token: string): Promise<Principal | undefined> {
  const [row] = await database.query<{ id: string; isStale: boolean }>(sql`
    select id, (last_used_at is null or last_used_at < now() - interval '1 minute') as "isStale" from openslot.api_keys
    where app_id = ${appId} and secret_hash = ${hashToken(token)} and revoked_at is null and (expires_at is null or expires_at > now())`)
  if (row === undefined) return undefined
  if (row.isStale)
    await database.query(
      sql`update openslot.api_keys set last_used_at = now() where app_id = ${appId} and id = ${row.id}`,
    )
  return { kind: 'key', appId, keyId: row.id }
}

async function findHandMadeKey(database: Database, token: string): Promise<Principal | undefined> {
  if (token.length < 16 || token.length > 255) return undefined
  const [row] = await database.query<{ appId: AppId }>(sql`
    select app_id as "appId" from openslot.api_keys where secret_hash = ${hashToken(token)} limit 1`)
  return row === undefined ? undefined : findKey(database, row.appId, token)
}

/** The session's token; undefined where the configuration is not there, or not any more. */
export async function insertSession(
  database: Queryable,
  application: Application,
  made: { readonly configurationId: ConfigurationId; readonly keyId: string; readonly lifeMinutes: number },
): Promise<string | undefined> {
  const token = newToken('session', application.code)
  // Whoever deletes the configuration meanwhile waits for this session and sees it, or is waited for here.
  const rows = await database.query(sql`
    with live as (
      select id from openslot.configurations
      where app_id = ${application.id} and id = ${made.configurationId} and deleted_at is null for share)
    insert into openslot.sessions (app_id, token_hash, configuration_id, key_id, expires_at)
    select ${application.id}, ${hashToken(token)}, id, ${made.keyId}, now() + make_interval(mins => ${made.lifeMinutes})
    from live returning app_id`)
  return rows.length > 0 ? token : undefined
}

/** False where there is no such session. */
export async function deleteSession(database: Queryable, appId: AppId, token: string): Promise<boolean> {
  const rows = await database.query(sql`
    delete from openslot.sessions where app_id = ${appId} and token_hash = ${hashToken(token)} returning app_id`)
  return rows.length > 0
}

export async function countSessions(
  database: Queryable,
  appId: AppId,
  configurationId: ConfigurationId,
): Promise<number> {
  const [row] = await database.query<{ count: number }>(sql`
    select count(*) as count from openslot.sessions
    where app_id = ${appId} and configuration_id = ${configurationId} and expires_at > now()`)
  return row?.count ?? 0
}

/** An access token of one grant for one hour; the token is answered once. */
export async function insertAccessToken(
  database: Queryable,
  application: Application,
  { grantId, keyId }: { readonly grantId: GrantId; readonly keyId: string },
): Promise<string> {
  const token = newToken('token', application.code)
  await database.query(sql`
    insert into openslot.access_tokens (app_id, token_hash, grant_id, key_id, expires_at)
    values (${application.id}, ${hashToken(token)}, ${grantId}, ${keyId}, now() + interval '1 hour')`)
  return token
}

export async function findAccessToken(
  database: Queryable,
  appId: AppId,
  token: string,
): Promise<{ grantId: GrantId; createdAt: Instant; expiresAt: Instant } | undefined> {
  const [row] = await database.query<{ grantId: GrantId; createdAt: Instant; expiresAt: Instant }>(sql`
    select grant_id as "grantId", created_at as "createdAt", expires_at as "expiresAt" from openslot.access_tokens as made
    where app_id = ${appId} and token_hash = ${hashToken(token)} and expires_at > now() and ${keyStands}`)
  return row
}

export async function deleteAccessToken(database: Queryable, appId: AppId, token: string): Promise<boolean> {
  const rows = await database.query(sql`
    delete from openslot.access_tokens where app_id = ${appId} and token_hash = ${hashToken(token)} returning app_id`)
  return rows.length > 0
}
