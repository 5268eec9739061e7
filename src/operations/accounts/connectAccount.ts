// Connects an account elsewhere: signs in first, and keeps nothing of one that does not open.
import type { ConnectSettings } from '../../adapters/calendars/accountProvider.ts'
import type { FoundCalendar } from '../../adapters/calendars/calendarProvider.ts'
import * as storage from '../../adapters/storage/accountSecrets.ts'
import { hurryRecoveries } from '../../adapters/storage/bookings.ts'
import { ensureMirrors } from '../../adapters/storage/mirrors.ts'
import type { Grant, GrantProvider } from '../../core/account/grant.ts'
import type { Caller } from '../../core/account/principal.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { secondMs } from '../../core/time/instant.ts'
import { isTimezone } from '../../core/time/zone.ts'
import type { Tools } from '../tools.ts'
import { recordGrant } from './grants.ts'

/** A request is given 25 seconds. */
const signInLimitMs = 20 * secondMs

export type ConnectAccountCommand = {
  readonly provider: GrantProvider
  readonly settings: ConnectSettings
  readonly name: string | undefined
  readonly state: string | undefined
}

/**
 * One grant for one account: the second time it is the same grant, with the new credentials.
 * Problems: `invalidRequest` that names the setting which is wrong, `calendarUnavailable`.
 */
export async function connectAccount(
  { database, vault, accountProviders }: Pick<Tools, 'database' | 'vault' | 'accountProviders'>,
  { appId, actor }: Caller,
  { provider, settings, name, state }: ConnectAccountCommand,
): Promise<Result<Grant>> {
  const { timezone, ...credentials } = settings
  const tower = accountProviders(provider)
  if (tower === undefined)
    return failure(invalidRequest(`${provider} accounts cannot be connected yet by this server`, 'provider'))
  const connected = await tower.connect(credentials, AbortSignal.timeout(signInLimitMs))
  if (!connected.ok) return connected
  const account = connected.value
  const { found, unread } = account.calendars
  if (found.length === 0)
    return failure(invalidRequest('signed in, and the account has no calendar for events', 'settings.username'))
  return database.transaction(appId, async (transaction) => {
    const kept = { ...account.settings, ...(timezone === undefined ? {} : { timezone }) }
    const saved = await storage.connectAccount(transaction, vault, {
      ...account,
      settings: kept,
      provider,
      name,
      state,
    })
    if (saved === undefined)
      return failure(invalidRequest('belongs to a grant of another provider', 'settings.username'))
    const { grant, isNew } = saved
    const calendars = found.map((calendar) => toWrite(calendar, timezone))
    await storage.writeFoundCalendars(transaction, grant.id, { calendars, unread })
    await ensureMirrors(transaction, grant.id)
    // What waited for credentials that are not refused has them now.
    if (!isNew) for (const { id } of found) await hurryRecoveries(transaction, { grantId: grant.id, calendarId: id })
    await recordGrant(transaction, actor, isNew ? 'grant.created' : 'grant.updated', grant, 'authenticated')
    return success(grant)
  })
}

/** A zone that nobody knows is none; `fallback` is what the account's owner said at connecting. */
export function toWrite(
  { timezone = '', description, hexColor, ...calendar }: FoundCalendar,
  fallback: unknown,
): storage.CalendarWrite {
  return {
    ...calendar,
    timezone: isTimezone(timezone) ? timezone : typeof fallback === 'string' ? fallback : undefined,
    details: {
      ...(description === undefined ? {} : { description }),
      ...(hexColor === undefined ? {} : { hexColor }),
    },
  }
}
