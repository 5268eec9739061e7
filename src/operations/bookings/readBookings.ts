// One booking for who may see it, and the key holder's list: the map from booking to calendar event and back.
import { type BookingFilter, listBookings } from '../../adapters/storage/bookingList.ts'
import type { Grant } from '../../core/account/grant.ts'
import type { Principal } from '../../core/account/principal.ts'
import { isUuid } from '../../core/ids.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { bookingToJson, bookingToListItem } from '../../wire/bookings.ts'
import type { ConfigurationQuery } from '../configurations/loadConfiguration.ts'
import type { Tools } from '../tools.ts'
import { loadBooking } from './loadBooking.ts'

/** Problems: those of `loadBooking`. */
export async function readBooking(
  tools: Pick<Tools, 'database'>,
  principal: Principal,
  query: ConfigurationQuery,
  bookingId: string,
): Promise<Result<object>> {
  const found = await loadBooking(tools, principal, query, bookingId)
  return found.ok ? success(bookingToJson(found.value.booking)) : found
}

/** Newest first; `nextCursor` is undefined on the last page. Problems: `invalidRequest`. */
export async function readBookings(
  { database }: Pick<Tools, 'database'>,
  grant: Grant,
  filter: BookingFilter,
): Promise<Result<{ bookings: object[]; nextCursor: string | undefined }>> {
  if (filter.after !== undefined && !isUuid(filter.after))
    return failure(invalidRequest('is not a cursor of this list', 'page_token'))
  if (filter.span !== undefined && filter.span.end <= filter.span.start)
    return failure(invalidRequest('must be later than start', 'end'))
  const rows = await database.read(grant.appId, (transaction) =>
    listBookings(transaction, grant.id, { ...filter, limit: filter.limit + 1 }),
  )
  const page = rows.slice(0, filter.limit)
  return success({
    bookings: page.map(bookingToListItem),
    nextCursor: rows.length > filter.limit ? page.at(-1)?.id : undefined,
  })
}
