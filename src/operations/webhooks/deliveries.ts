// What became of notifications: deliveries and their attempts, replays, and the feed of all that happened.
import { recordAudit } from '../../adapters/storage/audit.ts'
import { findBooking } from '../../adapters/storage/bookings.ts'
import { readFeed } from '../../adapters/storage/eventsFeed.ts'
import { addMissed, listDeliveries, replay, scheduleSending } from '../../adapters/storage/webhookDeliveries.ts'
import { findEndpoint } from '../../adapters/storage/webhookEndpoints.ts'
import type { Caller } from '../../core/account/principal.ts'
import { decodeReference } from '../../core/booking/reference.ts'
import { type AppId, type BookingId, isUuid } from '../../core/ids.ts'
import { endpointNotFound, invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Delivery, DeliveryState, Notification } from '../../core/webhook/delivery.ts'
import type { Tools } from '../tools.ts'

export type DeliveryPage = {
  readonly limit: number
  /** The id of the last delivery of the page before. */
  readonly after: string | undefined
  readonly state: DeliveryState | undefined
}

export type DeliveryList = { readonly deliveries: readonly Delivery[]; readonly next: string | undefined }

/** Newest first. Problems: `endpointNotFound`, `invalidRequest`. */
export async function listEndpointDeliveries(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
  id: string,
  page: DeliveryPage,
): Promise<Result<DeliveryList>> {
  const endpoint = isUuid(id) ? await database.read(appId, (transaction) => findEndpoint(transaction, id)) : undefined
  if (endpoint === undefined) return failure(endpointNotFound)
  return listPage({ database }, appId, page, { endpointId: endpoint.id })
}

/** `name`: the booking's id or reference. Problems: `notFound`, `invalidRequest`. */
export async function listBookingDeliveries(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
  name: string,
  page: DeliveryPage,
): Promise<Result<DeliveryList>> {
  const id = isUuid(name) ? (name.toLowerCase() as BookingId) : decodeReference(name)?.bookingId
  if (id === undefined) return failure(notFound)
  const booking = await database.read(appId, (transaction) => findBooking(transaction, id))
  if (booking === undefined) return failure(notFound)
  return listPage({ database }, appId, page, { objectId: id })
}

async function listPage(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
  { limit, after, state }: DeliveryPage,
  of: { readonly endpointId: Delivery['endpointId'] } | { readonly objectId: BookingId },
): Promise<Result<DeliveryList>> {
  if (after !== undefined && !isUuid(after))
    return failure(invalidRequest('is not a next_cursor of this list', 'page_token'))
  const found = await database.read(appId, (transaction) =>
    listDeliveries(transaction, { ...of, state, after, limit: limit + 1 }),
  )
  const deliveries = found.slice(0, limit)
  return success({ deliveries, next: found.length > limit ? deliveries.at(-1)?.id : undefined })
}

/** Sends one delivery again, whatever became of it. Problems: `endpointNotFound`, `notFound`. */
export function replayDelivery(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  { appId, actor }: Caller,
  { endpointId, deliveryId }: { readonly endpointId: string; readonly deliveryId: string },
): Promise<Result<Delivery>> {
  return database.transaction(appId, async (transaction) => {
    const endpoint = isUuid(endpointId) ? await findEndpoint(transaction, endpointId) : undefined
    if (endpoint === undefined) return failure(endpointNotFound)
    if (!isUuid(deliveryId) || (await replay(transaction, endpoint.id, { deliveryId }, now())) === 0)
      return failure(notFound)
    await scheduleSending(transaction, endpoint.id)
    await recordAudit(transaction, { actor, action: 'webhook.replayed', target: endpoint.id, detail: { deliveryId } })
    const [delivery] = await listDeliveries(transaction, { id: deliveryId, limit: 1 })
    return delivery === undefined ? failure(notFound) : success(delivery)
  })
}

/**
 * Sends all that happened from `from` on and before `to` again, and what happened before the endpoint asked for it too.
 * Answers how many. Problems: `endpointNotFound`.
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
    const span = { from: range.from, to: range.to ?? now() }
    await addMissed(transaction, endpoint.id, { ...span, triggers: endpoint.triggers })
    const count = await replay(transaction, endpoint.id, span, now())
    await scheduleSending(transaction, endpoint.id)
    await recordAudit(transaction, { actor, action: 'webhook.replayed', target: endpoint.id, detail: { count } })
    return success(count)
  })
}

export type FeedCommand = {
  readonly limit: number
  readonly after: string | undefined
  readonly triggers: readonly string[] | undefined
  readonly grantId: string | undefined
}

/** Oldest first, of the last 30 days. Problems: `invalidRequest` for an id that is unknown, or too old. */
export async function readEventsFeed(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
  command: FeedCommand,
): Promise<Result<Notification[]>> {
  if (command.grantId !== undefined && !isUuid(command.grantId)) return success([])
  const feed = await readFeed(database, appId, command)
  return feed === undefined
    ? failure(invalidRequest('is not the id of a notification of the last 30 days; start again without it', 'after'))
    : success(feed)
}
