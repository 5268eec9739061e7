// How calendars elsewhere stand, and why: what their owners are told, and what stops a mirror until its account is connected anew.
import type { CalendarKey } from '../../core/account/grant.ts'
import type { CalendarStanding, MirrorHealth } from '../../core/calendar/health.ts'
import type { AppId, CalendarId, GrantId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Queryable, Transaction } from './database/database.ts'
import { sql } from './database/sql.ts'
import { isMirror } from './mirrors.ts'

/** `reason` is for anybody who asks, `about` for the owner of the calendar alone. */
export async function writeFailure(
  queryable: Queryable,
  appId: AppId,
  key: CalendarKey,
  failure: { readonly reason: string; readonly about: string | undefined; readonly nextInSeconds: number },
): Promise<void> {
  await queryable.query(sql`
    update openslot.mirrors set reason = ${failure.reason}, about = ${failure.about ?? null},
      since = case when health = 'failing' then since else now() end, health = 'failing',
      due_at = now() + ${failure.nextInSeconds}::float8 * interval '1 second'
    where ${isMirror(appId, key)}`)
}

/**
 * Not before the account is connected anew. `late`, and nothing is written, where it was meanwhile: what was refused then
 * are not the credentials that it has now.
 */
export async function writeRefusal(
  transaction: Transaction,
  key: CalendarKey,
  reason: string,
): Promise<'late' | 'written'> {
  const { appId } = transaction
  const [valid] = await transaction.query(sql`
    select id from openslot.grants where app_id = ${appId} and id = ${key.grantId} and status = 'valid' for share`)
  if (valid !== undefined) return 'late'
  await transaction.query(sql`
    update openslot.mirrors set reason = ${reason}, about = null,
      since = case when health = 'reconnect' then since else now() end, health = 'reconnect', due_at = 'infinity'
    where ${isMirror(appId, key)}`)
  return 'written'
}

/** All calendars of a grant whose credentials are refused. */
export async function closeMirrors(transaction: Transaction, grantId: GrantId, reason: string): Promise<void> {
  await transaction.query(sql`
    update openslot.mirrors set health = 'reconnect', reason = ${reason}, about = null, since = now(), due_at = 'infinity'
    where app_id = ${transaction.appId} and grant_id = ${grantId} and health <> 'reconnect'`)
}

/** How the calendars of a grant stand, where offers may rest on what is so old; virtual ones are not among them. */
export async function listStandings(
  queryable: Queryable,
  appId: AppId,
  grantId: GrantId,
  maxAgeSeconds: number,
): Promise<ReadonlyMap<CalendarId, CalendarStanding>> {
  const rows = await queryable.query<{
    calendarId: CalendarId
    health: MirrorHealth
    reason: string | null
    since: Instant
    readAt: Instant | null
    staleSince: Instant | null
    isStale: boolean
  }>(sql`
    select calendar_id as "calendarId", health, nullif(concat_ws(' ', reason, about), '') as reason, since, true_at as "readAt",
      true_at + ${maxAgeSeconds} * interval '1 second' as "staleSince",
      coalesce(true_at + ${maxAgeSeconds} * interval '1 second' < clock_timestamp(), true) as "isStale"
    from openslot.mirrors where app_id = ${appId} and grant_id = ${grantId}`)
  return new Map(
    rows.map(({ calendarId, health, reason, since, readAt, staleSince, isStale }) => {
      const isJustStale = health === 'ok' && isStale
      const standing: CalendarStanding = {
        status: isJustStale ? 'stale' : health,
        reason: isJustStale ? 'It has not been read for a while.' : (reason ?? undefined),
        since: isJustStale ? (staleSince ?? since) : since,
        readAt: readAt ?? undefined,
      }
      return [calendarId, standing]
    }),
  )
}

export function countStandings(
  queryable: Queryable,
  appId: AppId,
): Promise<{ readonly health: MirrorHealth; readonly count: number }[]> {
  return queryable.query(sql`
    select health, count(*) as count from openslot.mirrors where app_id = ${appId} group by health order by health`)
}
