// Grants: connecting virtual accounts, listing, changing and removing.

import { recordAudit } from '../../adapters/storage/audit.ts'
import type { Transaction } from '../../adapters/storage/database.ts'
import * as storage from '../../adapters/storage/grants.ts'
import { recordNotification } from '../../adapters/storage/outbox.ts'
import type { Grant, GrantProvider } from '../../core/account/grant.ts'
import type { Caller } from '../../core/account/principal.ts'
import type { AppId } from '../../core/ids.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { grantNotification } from '../../wire/grants.ts'
import type { Tools } from '../tools.ts'

type Needs = Pick<Tools, 'database'>

export async function listGrants(
  { database }: Needs,
  appId: AppId,
  filter: storage.GrantFilter,
): Promise<Result<Grant[]>> {
  return success(await database.transaction(appId, (transaction) => storage.listGrants(transaction, filter)))
}

export type ConnectGrantCommand = {
  readonly provider: GrantProvider
  readonly email: string | undefined
  readonly name: string | undefined
  readonly state: string | undefined
}

/**
 * A virtual account. One grant for one email: the second time it is the same grant, authenticated again.
 * Problems: `invalidRequest`, also for providers that this server cannot connect yet.
 */
export async function connectGrant(
  { database }: Needs,
  { appId, actor }: Caller,
  command: ConnectGrantCommand,
): Promise<Result<Grant>> {
  const { provider, email } = command
  if (provider !== 'virtual-calendar')
    return failure(
      invalidRequest(
        `${provider} accounts cannot be connected yet; this server keeps virtual-calendar accounts`,
        'provider',
      ),
    )
  if (email === undefined || email.trim() === '') return failure(invalidRequest('is required', 'settings.email'))
  return database.transaction(appId, async (transaction) => {
    const connected = await storage.connectGrant(transaction, { ...command, email, settings: {} })
    if (connected === undefined)
      return failure(invalidRequest('belongs to a grant of another provider', 'settings.email'))
    const trigger = connected.isNew ? 'grant.created' : 'grant.updated'
    await record(transaction, actor, trigger, connected.grant, 'authenticated')
    return success(connected.grant)
  })
}

export type GrantChange = {
  readonly settings?: object | undefined
  readonly scope?: readonly string[] | undefined
  readonly name?: string | null | undefined
}

export function changeGrant(
  { database }: Needs,
  { appId, actor }: Caller,
  grant: Grant,
  change: GrantChange,
): Promise<Result<Grant>> {
  return database.transaction(appId, async (transaction) => {
    const changed = await storage.updateGrant(transaction, grant.id, {
      // The email is what a virtual account is; everything else about it can change.
      settings: change.settings === undefined ? grant.settings : { ...change.settings, email: grant.email },
      scope: change.scope ?? grant.scope,
      name: change.name === undefined ? grant.name : (change.name ?? undefined),
    })
    if (changed === undefined) return failure(notFound)
    await record(transaction, actor, 'grant.updated', changed, 'changed')
    return success(changed)
  })
}

/** For good: its calendars, events and tokens go, its configurations answer no more. */
export function removeGrant({ database }: Needs, { appId, actor }: Caller, grant: Grant): Promise<Result<void>> {
  return database.transaction(appId, async (transaction) => {
    if (!(await storage.deleteGrant(transaction, grant.id))) return failure(notFound)
    await record(transaction, actor, 'grant.deleted', grant, 'changed')
    return success(undefined)
  })
}

async function record(
  transaction: Transaction,
  actor: string,
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
