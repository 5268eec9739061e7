// The addresses to which a sign-in may lead back.

import { recordAudit } from '../../adapters/storage/audit.ts'
import * as storage from '../../adapters/storage/callbackUris.ts'
import type { CallbackUri } from '../../core/account/callbackUri.ts'
import type { Caller } from '../../core/account/principal.ts'
import { type AppId, isUuid } from '../../core/ids.ts'
import { notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

type Needs = Pick<Tools, 'database'>

export async function listCallbackUris({ database }: Needs, appId: AppId): Promise<Result<CallbackUri[]>> {
  return success(await storage.listCallbackUris(database, appId))
}

export async function showCallbackUri({ database }: Needs, appId: AppId, id: string): Promise<Result<CallbackUri>> {
  const found = isUuid(id) ? await storage.findCallbackUri(database, appId, id) : undefined
  return found === undefined ? failure(notFound) : success(found)
}

export function createCallbackUri(
  { database }: Needs,
  { appId, actor }: Caller,
  uri: Omit<CallbackUri, 'id'>,
): Promise<Result<CallbackUri>> {
  return database.transaction(appId, async (transaction) => {
    const created = await storage.insertCallbackUri(transaction, appId, uri)
    await recordAudit(transaction, { actor, action: 'callbackUri.created', target: created.id })
    return success(created)
  })
}

/** `change` makes the new one of the old one, or a problem. */
export function changeCallbackUri(
  { database }: Needs,
  { appId, actor }: Caller,
  id: string,
  change: (before: CallbackUri) => Result<Omit<CallbackUri, 'id'>>,
): Promise<Result<CallbackUri>> {
  return database.transaction(appId, async (transaction) => {
    const before = isUuid(id) ? await storage.findCallbackUri(transaction, appId, id) : undefined
    if (before === undefined) return failure(notFound)
    const wanted = change(before)
    if (!wanted.ok) return wanted
    const changed = await storage.updateCallbackUri(transaction, appId, { ...wanted.value, id: before.id })
    await recordAudit(transaction, { actor, action: 'callbackUri.updated', target: before.id })
    return changed === undefined ? failure(notFound) : success(changed)
  })
}

export function deleteCallbackUri({ database }: Needs, { appId, actor }: Caller, id: string): Promise<Result<void>> {
  return database.transaction(appId, async (transaction) => {
    const isDeleted = isUuid(id) && (await storage.deleteCallbackUri(transaction, appId, id))
    if (!isDeleted) return failure(notFound)
    await recordAudit(transaction, { actor, action: 'callbackUri.deleted', target: id })
    return success(undefined)
  })
}
