// An application's own registrations at the providers.

import { recordAudit } from '../../adapters/storage/audit.ts'
import * as storage from '../../adapters/storage/connectors.ts'
import { invalidateGrants } from '../../adapters/storage/grants.ts'
import type { Connector } from '../../core/account/connector.ts'
import type { Caller } from '../../core/account/principal.ts'
import type { AppId } from '../../core/ids.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

type Needs = Pick<Tools, 'database' | 'vault'>
type Command = storage.ConnectorWrite & { readonly secret: string | undefined }

export async function listConnectors(
  { database }: Needs,
  appId: AppId,
  page: { limit: number; offset: number },
): Promise<Result<Connector[]>> {
  return success(await database.read(appId, (transaction) => storage.listConnectors(transaction, page)))
}

export async function showConnector({ database }: Needs, appId: AppId, provider: string): Promise<Result<Connector>> {
  const found = await database.read(appId, (transaction) => storage.findConnector(transaction, provider))
  return found === undefined ? failure(notFound) : success(found)
}

/** Problems: `invalidRequest` where the provider has one already. */
export function createConnector(
  { database, vault }: Needs,
  { appId, actor }: Caller,
  command: Command,
): Promise<Result<Connector>> {
  return database.transaction(appId, async (transaction) => {
    const created = await storage.insertConnector(transaction, vault, command, command.secret)
    if (created === undefined)
      return failure(invalidRequest(`has a connector already: ${command.provider}`, 'provider'))
    await recordAudit(transaction, { actor, action: 'connector.created', target: command.provider })
    return success(created)
  })
}

export function changeConnector(
  { database, vault }: Needs,
  { appId, actor }: Caller,
  provider: string,
  change: (before: Connector) => Command,
): Promise<Result<Connector>> {
  return database.transaction(appId, async (transaction) => {
    const before = await storage.findConnector(transaction, provider)
    if (before === undefined) return failure(notFound)
    const command = change(before)
    const changed = await storage.updateConnector(transaction, vault, command, command.secret)
    await recordAudit(transaction, { actor, action: 'connector.updated', target: provider })
    return changed === undefined ? failure(notFound) : success(changed)
  })
}

/** All grants of the provider stop working, but for virtual calendars, which need no connector. */
export function deleteConnector(
  { database }: Needs,
  { appId, actor }: Caller,
  provider: string,
): Promise<Result<void>> {
  return database.transaction(appId, async (transaction) => {
    const before = await storage.findConnector(transaction, provider)
    if (before === undefined) return failure(notFound)
    await storage.deleteConnector(transaction, provider)
    await invalidateGrants(transaction, before.provider)
    await recordAudit(transaction, { actor, action: 'connector.deleted', target: provider })
    return success(undefined)
  })
}
