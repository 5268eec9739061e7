// Sends what has happened again: one notification, a span of time, or what an endpoint that answers again has missed.
import { recordAudit } from '../../adapters/storage/audit.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import * as storage from '../../adapters/storage/replays.ts'
import { listDeliveries, scheduleSending } from '../../adapters/storage/webhookDeliveries.ts'
import { findEndpoint } from '../../adapters/storage/webhookEndpoints.ts'
import type { Caller } from '../../core/account/principal.ts'
import { type AppId, isUuid } from '../../core/ids.ts'
import { endpointNotFound, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { dayMs, type Instant, plus } from '../../core/time/instant.ts'
import type { Delivery } from '../../core/webhook/delivery.ts'
import { type Endpoint, type EndpointId, keptDays } from '../../core/webhook/endpoint.ts'
import type { Tools } from '../tools.ts'

/** Sends one delivery again, whatever became of it. Problems: `endpointNotFound`, `notFound`. */
export function replayDelivery(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  { appId, actor }: Caller,
  { endpointId, deliveryId }: { readonly endpointId: string; readonly deliveryId: string },
): Promise<Result<Delivery>> {
  return database.transaction(appId, async (transaction) => {
    const endpoint = isUuid(endpointId) ? await findEndpoint(transaction, endpointId) : undefined
    if (endpoint === undefined) return failure(endpointNotFound)
    if (!isUuid(deliveryId) || !(await storage.replayDelivery(transaction, endpoint.id, deliveryId, now())))
      return failure(notFound)
    await scheduleSending(transaction, endpoint.id)
    await recordAudit(transaction, { actor, action: 'webhook.replayed', target: endpoint.id, detail: { deliveryId } })
    const [delivery] = await listDeliveries(transaction, { id: deliveryId, limit: 1 })
    return delivery === undefined ? failure(notFound) : success(delivery)
  })
}

/**
 * Sends all that happened from `from` on and before `to` again, and what happened before the endpoint asked for it too: the
 * oldest at once, the rest by jobs that follow each other. Answers how many in all. Problems: `endpointNotFound`.
 */
export function replayRange(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  { appId, actor }: Caller,
  endpointId: string,
  range: { readonly from: Instant; readonly to: Instant | undefined },
): Promise<Result<number>> {
  return database.transaction(appId, async (transaction) => {
    const endpoint = isUuid(endpointId) ? await findEndpoint(transaction, endpointId) : undefined
    if (endpoint === undefined) return failure(endpointNotFound)
    const begun = await goOn(transaction, endpoint, { from: range.from, to: range.to ?? now() }, now())
    const later = begun.rest === undefined ? 0 : await storage.countReplayed(transaction, endpoint, begun.rest)
    const count = begun.count + later
    await recordAudit(transaction, { actor, action: 'webhook.replayed', target: endpoint.id, detail: { count } })
    return success(count)
  })
}

/** What `endpoint` was to get in all the time that is kept, and has not got, is due at `now`. */
export async function sendMissed(transaction: Transaction, endpoint: Endpoint, now: Instant): Promise<void> {
  await goOn(transaction, endpoint, { from: plus(now, -keptDays * dayMs), to: now, only: 'unfinished' }, now)
}

export type ReplayCommand = {
  readonly appId: AppId
  readonly endpointId: EndpointId
  readonly replay: storage.Replay
}

/** The next part of a replay that has begun; an endpoint that is gone needs none. */
export function continueReplay(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  { appId, endpointId, replay }: ReplayCommand,
): Promise<Result<void>> {
  return database.transaction(appId, async (transaction) => {
    const endpoint = await findEndpoint(transaction, endpointId)
    if (endpoint !== undefined) await goOn(transaction, endpoint, replay, now())
    return success(undefined)
  })
}

/** The job for the rest is written with the part before it, so that each notification is made due once. */
async function goOn(transaction: Transaction, endpoint: Endpoint, replay: storage.Replay, now: Instant) {
  const part = await storage.replayPart(transaction, endpoint, replay, now)
  if (part.count > 0) await scheduleSending(transaction, endpoint.id)
  if (part.rest !== undefined) await storage.scheduleReplay(transaction, endpoint.id, part.rest)
  return part
}
