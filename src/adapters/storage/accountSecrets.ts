// Grants of accounts elsewhere: their sealed credentials, their calendars, and when they stop being valid.
import type { Grant, GrantProvider } from '../../core/account/grant.ts'
import type { AppId, CalendarId, GrantId } from '../../core/ids.ts'
import type { Database, Transaction } from './database/database.ts'
import { sql } from './database/sql.ts'
import { connectGrant, findGrant } from './grants.ts'
import { forgetToken } from './mirrors.ts'
import type { Place } from './secrets/sealing.ts'
import type { Vault } from './secrets/vault.ts'

function place(appId: AppId, grantId: GrantId): Place {
  return { appId, table: 'grants', row: grantId, column: 'secret_sealed' }
}

export type AccountWrite = {
  readonly provider: GrantProvider
  readonly email: string
  readonly name: string | undefined
  readonly state: string | undefined
  readonly settings: object
  readonly secret: string
}

/** As `connectGrant`, with settings and sealed secret in place of those from before. */
export async function connectAccount(
  transaction: Transaction,
  vault: Vault,
  account: AccountWrite,
): Promise<{ grant: Grant; isNew: boolean } | undefined> {
  const connected = await connectGrant(transaction, account)
  if (connected === undefined) return undefined
  const { id } = connected.grant
  const sealed = await vault.seal(transaction, place(transaction.appId, id), account.secret)
  await transaction.query(sql`
    update openslot.grants set settings = ${JSON.stringify(account.settings)}, secret_sealed = ${sealed}
    where app_id = ${transaction.appId} and id = ${id}`)
  return connected
}

/** What is known of the account besides its secret; nothing is written unless `before` stands there. */
export async function writeSettings(
  transaction: Transaction,
  grantId: GrantId,
  { before, after }: { readonly before: object; readonly after: object },
): Promise<void> {
  await transaction.query(sql`
    update openslot.grants set settings = ${JSON.stringify(after)}
    where app_id = ${transaction.appId} and id = ${grantId} and settings = ${JSON.stringify(before)}::jsonb`)
}

export type OpenedAccount = {
  readonly grant: Grant
  readonly secret: string
  /** Those that are known. */
  readonly timezones: ReadonlyMap<CalendarId, string>
}

/** Undefined where the grant is gone, or holds no credentials. */
export async function openAccount(
  database: Database,
  vault: Vault,
  appId: AppId,
  grantId: GrantId,
): Promise<OpenedAccount | undefined> {
  const [found, calendars] = await database.read(appId, (transaction) =>
    Promise.all([
      findSealed(transaction, grantId),
      transaction.query<{ id: CalendarId; timezone: string }>(sql`
        select id, timezone from openslot.calendars where app_id = ${appId} and grant_id = ${grantId} and timezone is not null`),
    ]),
  )
  if (found === undefined) return undefined
  return {
    grant: found.grant,
    secret: await vault.open(database, place(appId, grantId), found.sealed),
    timezones: new Map(calendars.map(({ id, timezone }) => [id, timezone])),
  }
}

async function findSealed(
  transaction: Transaction,
  grantId: GrantId,
): Promise<{ readonly grant: Grant; readonly sealed: Buffer } | undefined> {
  const [grant, rows] = await Promise.all([
    findGrant(transaction, { by: 'id', value: grantId }),
    transaction.query<{ sealed: Buffer | null }>(sql`
      select secret_sealed as sealed from openslot.grants where app_id = ${transaction.appId} and id = ${grantId}`),
  ])
  const sealed = rows[0]?.sealed ?? undefined
  return grant === undefined || sealed === undefined ? undefined : { grant, sealed }
}

/**
 * The grant is invalid from now on. Undefined, and nothing is written, where it is already, or where other credentials than
 * `secret` stand there: then it was connected anew since they were refused.
 */
export async function expireAccount(
  transaction: Transaction,
  vault: Vault,
  grantId: GrantId,
  secret: string,
): Promise<Grant | undefined> {
  await transaction.query(sql`
    select id from openslot.grants where app_id = ${transaction.appId} and id = ${grantId} for no key update`)
  const found = await findSealed(transaction, grantId)
  if (found === undefined || found.grant.status !== 'valid') return undefined
  if ((await vault.open(transaction, place(transaction.appId, grantId), found.sealed)) !== secret) return undefined
  await transaction.query(sql`
    update openslot.grants set status = 'invalid', updated_at = now() where app_id = ${transaction.appId} and id = ${grantId}`)
  return findGrant(transaction, { by: 'id', value: grantId })
}

export type CalendarWrite = {
  readonly id: CalendarId
  readonly name: string
  /** Undefined: as it was, or not known. */
  readonly timezone: string | undefined
  readonly isPrimary: boolean
  readonly readOnly: boolean
  readonly details: object
}

/**
 * The calendars of an account are these, and those in `unread` as they were. One that is gone stays as long as a booking claims time on it. What this server
 * alone knows of a calendar, its metadata, stays too. One that has another zone now is read anew.
 */
export async function writeFoundCalendars(
  transaction: Transaction,
  grantId: GrantId,
  { calendars, unread }: { readonly calendars: readonly CalendarWrite[]; readonly unread: readonly CalendarId[] },
): Promise<void> {
  const { appId } = transaction
  const ids = [...calendars.map(({ id }) => id), ...unread]
  await transaction.query(sql`
    delete from openslot.calendars as calendar where app_id = ${appId} and grant_id = ${grantId} and not (id = any(${ids}::text[]))
      and not exists (select from openslot.slot_claims as claim
        where claim.app_id = ${appId} and claim.grant_id = calendar.grant_id and claim.calendar_id = calendar.id)`)
  await transaction.query(sql`
    update openslot.calendars set is_primary = false
    where app_id = ${appId} and grant_id = ${grantId} and is_primary and not (id = any(${unread}::text[]))`)
  const rezoned = await transaction.query<{ id: CalendarId }>(sql`
    with before as (select id, timezone from openslot.calendars where app_id = ${appId} and grant_id = ${grantId}),
    written as (insert into openslot.calendars as calendar (app_id, grant_id, id, name, timezone, is_primary, read_only, body)
    select ${appId}, ${grantId}, found.id, found.name, found.timezone,
      found.is_primary and not exists (select from openslot.calendars where app_id = ${appId} and grant_id = ${grantId} and is_primary and id = any(${unread}::text[])),
      found.read_only, found.body
    from jsonb_to_recordset(${JSON.stringify(
      calendars.map((one) => ({
        id: one.id,
        name: one.name,
        timezone: one.timezone ?? null,
        is_primary: one.isPrimary,
        read_only: one.readOnly,
        body: { metadata: {}, ...one.details },
      })),
    )}::jsonb) as found (id text, name text, timezone text, is_primary boolean, read_only boolean, body jsonb)
    on conflict (app_id, grant_id, id) do update set name = excluded.name, is_primary = excluded.is_primary, read_only = excluded.read_only,
      timezone = coalesce(excluded.timezone, calendar.timezone),
      body = excluded.body || jsonb_build_object('metadata', calendar.body -> 'metadata')
    returning id, timezone)
    select id from written join before using (id) where written.timezone is distinct from before.timezone`)
  for (const { id } of rezoned) await forgetToken(transaction, appId, { grantId, calendarId: id })
}
