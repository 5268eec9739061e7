// What became of notifications: deliveries and their attempts, and the feed of all that happened.
import { findBooking } from '../../adapters/storage/bookings.ts'
import { readFeed } from '../../adapters/storage/eventsFeed.ts'
import { listDeliveries } from '../../adapters/storage/webhookDeliveries.ts'
import { findEndpoint } from '../../adapters/storage/webhookEndpoints.ts'
import { decodeReference } from '../../core/booking/reference.ts'
import { type AppId, type BookingId, isUuid } from '../../core/ids.ts'
import { endpointNotFound, invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
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
