// Finds the grants and calendars behind the names that a configuration uses.
import type { GrantProvider } from '../../core/account/grant.ts'
import type { CalendarId, GrantId } from '../../core/ids.ts'
import type { Transaction } from './database/database.ts'
import { lowercased, sql } from './database/sql.ts'

export type HostGrant = {
  readonly id: GrantId
  readonly provider: GrantProvider
  readonly email: string
  readonly isValid: boolean
  readonly calendars: readonly { readonly id: CalendarId; readonly isPrimary: boolean }[]
}

/** Grants with one of these emails (whatever the case) or ids, each with its calendars. One statement. */
export function findHostGrants(
  transaction: Transaction,
  emails: readonly string[],
  ids: readonly string[],
): Promise<HostGrant[]> {
  return transaction.query<HostGrant>(sql`
    select g.id, g.provider, g.email, g.status = 'valid' as "isValid", coalesce((
      select jsonb_agg(jsonb_build_object('id', c.id, 'isPrimary', c.is_primary) order by c.id)
      from openslot.calendars c where c.app_id = ${transaction.appId} and c.grant_id = g.id), '[]') as calendars
    from openslot.grants g
    where g.app_id = ${transaction.appId}
      and (g.email_lower = any(${lowercased(emails)}) or g.id = any(${ids}::uuid[]))`)
}
