// Grants: connecting virtual accounts, listing, changing and removing.
import { recordAudit } from '../../adapters/storage/audit.ts'
import { scheduleLosses } from '../../adapters/storage/bookings.ts'
import { lockCalendarsOf } from '../../adapters/storage/calendars.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import * as storage from '../../adapters/storage/grants.ts'
import { recordNotification } from '../../adapters/storage/outbox.ts'
import type { Grant } from '../../core/account/grant.ts'
import type { Actor, Caller } from '../../core/account/principal.ts'
import type { AppId } from '../../core/ids.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { grantNotification } from '../../wire/grants.ts'
import type { Tools } from '../tools.ts'

type Needs = Pick<Tools, 'database'>

export async function listGrants(
  { database }: Needs,
  appId: AppId,
  filter: storage.GrantFilter & { readonly isEmpty: boolean },
): Promise<Result<Grant[]>> {
  if (filter.isEmpty) return success([])
  return success(await database.read(appId, (transaction) => storage.listGrants(transaction, filter)))
}

export type ConnectGrantCommand = {
  readonly provider: 'virtual-calendar'
  readonly email: string | undefined
  readonly name: string | undefined
  readonly state: string | undefined
}

/**
 * A virtual account. One grant for one email: the second time it is the same grant, authenticated again.
 * Problems: `invalidRequest`.
 */
export async function connectGrant(
  { database }: Needs,
  { appId, actor }: Caller,
  command: ConnectGrantCommand,
): Promise<Result<Grant>> {
  const { email } = command
  if (email === undefined || email.trim() === '') return failure(invalidRequest('is required', 'settings.email'))
  return database.transaction(appId, async (transaction) => {
    const connected = await storage.connectGrant(transaction, { ...command, email, settings: {} })
    if (connected === undefined)
      return failure(invalidRequest('belongs to a grant of another provider', 'settings.email'))
    const trigger = connected.isNew ? 'grant.created' : 'grant.updated'
    await recordGrant(transaction, actor, trigger, connected.grant, 'authenticated')
    return success(connected.grant)
  })
}

export type GrantChange = {
  readonly settings?: object | null | undefined
  readonly scope?: readonly string[] | null | undefined
  readonly name?: string | null | undefined
}

export function changeGrant(
  { database }: Needs,
  { appId, actor }: Caller,
  grant: Grant,
  change: GrantChange,
): Promise<Result<Grant>> {
  if (grant.provider !== 'virtual-calendar' && change.settings)
    return Promise.resolve(failure(invalidRequest('is changed by connecting the account anew', 'settings')))
  const { settings } = change
  const email = (settings as { readonly email?: unknown } | null | undefined)?.email ?? grant.email
  if (email !== grant.email)
    return Promise.resolve(
      failure(invalidRequest('is what a virtual account is known by and cannot change', 'settings.email')),
    )
  return database.transaction(appId, async (transaction) => {
    const changed = await storage.updateGrant(transaction, grant.id, {
      // The email is what a virtual account is; everything else about it can change.
      settings: settings ? { ...settings, email } : grant.settings,
      scope: change.scope ?? grant.scope,
      name: change.name === undefined ? grant.name : (change.name ?? undefined),
    })
    if (changed === undefined) return failure(notFound)
    await recordGrant(transaction, actor, 'grant.updated', changed, 'changed')
    return success(changed)
  })
}

/**
 * For good: its calendars, events and tokens go, its configurations answer no more. Bookings to come on calendars of our own
 * lose them (`loseCalendar`); elsewhere their events stand at the provider as before.
 */
export function removeGrant(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  { appId, actor }: Caller,
  grant: Grant,
): Promise<Result<void>> {
  return database.transaction(appId, async (transaction) => {
    if (grant.provider === 'virtual-calendar')
      await scheduleLosses(transaction, await lockCalendarsOf(transaction, grant.id), now())
    if (!(await storage.deleteGrant(transaction, grant.id))) return failure(notFound)
    await recordGrant(transaction, actor, 'grant.deleted', grant, 'changed')
    return success(undefined)
  })
}

/** Notification and audit row, in the transaction of the change. */
export async function recordGrant(
  transaction: Transaction,
  actor: Actor,
  trigger: 'grant.created' | 'grant.updated' | 'grant.deleted',
  grant: Grant,
  how: 'changed' | 'authenticated',
): Promise<void> {
  await recordNotification(transaction, {
    trigger,
    objectId: grant.id,
    body: grantNotification(trigger, grant, how),
    grantId: grant.id,
  })
  await recordAudit(transaction, { actor, action: trigger, target: grant.id, detail: { provider: grant.provider } })
}
