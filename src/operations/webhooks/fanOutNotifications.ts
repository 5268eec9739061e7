// Shares out what has happened among the endpoints that asked for it, and takes up what nobody sends.
import { recordAudit } from '../../adapters/storage/audit.ts'
import { listAppIds, listAppsWithWebhooks } from '../../adapters/storage/database/maintenance.ts'
import { fanOut, listIdleEndpoints } from '../../adapters/storage/webhookDeliveries.ts'
import { changeStatus, takeFailedEndpoints } from '../../adapters/storage/webhookEndpoints.ts'
import { challenge } from '../../adapters/webhooks/sender.ts'
import { worker } from '../../core/account/principal.ts'
import type { AppId } from '../../core/ids.ts'
import { type Result, success } from '../../core/result.ts'
import { hourMs, plus } from '../../core/time/instant.ts'
import type { Endpoint, EndpointId } from '../../core/webhook/endpoint.ts'
import type { Tools } from '../tools.ts'
import { sendMissed } from './replays.ts'

export type EndpointName = { readonly appId: AppId; readonly endpointId: EndpointId }

/** All that waits of an application. Answers the endpoints that have something to be sent. */
export async function fanOutNotifications(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  appId: AppId,
): Promise<Result<EndpointName[]>> {
  const endpointIds = new Set<EndpointId>()
  for (;;) {
    const shared = await database.transaction(appId, (transaction) => fanOut(transaction, now()))
    for (const id of shared.endpointIds) endpointIds.add(id)
    if (!shared.isMore) return success([...endpointIds].map((endpointId) => ({ appId, endpointId })))
  }
}

/** What a process that died left behind, whose jobs nobody has: answers the endpoints to send to. */
export async function findUnsent({ database, now }: Pick<Tools, 'database' | 'now'>): Promise<Result<EndpointName[]>> {
  const found: EndpointName[] = []
  for (const appId of await listAppsWithWebhooks(database, now())) {
    const shared = await fanOutNotifications({ database, now }, appId)
    if (!shared.ok) return shared
    const idle = await database.read(appId, (transaction) => listIdleEndpoints(transaction, now()))
    found.push(...idle.map((endpointId) => ({ appId, endpointId })))
  }
  return success(found)
}

/** Asks endpoints that have failed, once an hour, whether they answer again; those that do get what waited for them. */
export async function reviveEndpoints(
  tools: Pick<Tools, 'database' | 'safeFetch' | 'now'>,
): Promise<Result<EndpointName[]>> {
  const revived: EndpointName[] = []
  for (const appId of await listAppIds(tools.database)) {
    const failed = await tools.database.transaction(appId, (transaction) =>
      takeFailedEndpoints(transaction, plus(tools.now(), -hourMs)),
    )
    for (const endpoint of failed)
      if (await revive(tools, appId, endpoint)) revived.push({ appId, endpointId: endpoint.id })
  }
  return success(revived)
}

async function revive(
  { database, safeFetch, now }: Pick<Tools, 'database' | 'safeFetch' | 'now'>,
  appId: AppId,
  endpoint: Endpoint,
): Promise<boolean> {
  if ((await challenge(safeFetch, endpoint.url)) !== undefined) return false
  return database.transaction(appId, async (transaction) => {
    const at = now()
    if (!(await changeStatus(transaction, endpoint.id, { from: 'failed', to: 'active', at }))) return false
    await sendMissed(transaction, endpoint, at)
    await recordAudit(transaction, { actor: worker, action: 'webhook.revived', target: endpoint.id })
    return true
  })
}
