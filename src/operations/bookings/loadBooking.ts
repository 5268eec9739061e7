// The booking that a scheduler call means, with the configuration it was made with.
import { findBooking } from '../../adapters/storage/bookings.ts'
import type { Principal } from '../../core/account/principal.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { type BookingId, isUuid } from '../../core/ids.ts'
import { notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import {
  type ConfigurationQuery,
  findKnownConfiguration,
  type KnownConfiguration,
  resolveConfiguration,
} from '../configurations/loadConfiguration.ts'
import type { Tools } from '../tools.ts'

export type LoadedBooking = { readonly booking: Booking; readonly known: KnownConfiguration }

/**
 * Only a booking of the configuration that the caller may use; a key holder may leave the configuration out, and
 * needs no session then, even where the configuration is private.
 * Held and released bookings are nobody's to see. Problems: `notFound`, and those of `resolveConfiguration`.
 */
export async function loadBooking(
  tools: Pick<Tools, 'database'>,
  principal: Principal,
  query: ConfigurationQuery,
  bookingId: string,
): Promise<Result<LoadedBooking>> {
  const id = bookingId.toLowerCase() as BookingId
  if (principal.kind === 'key' && !query.configuration_id && !query.slug) {
    const booking = isUuid(id)
      ? await tools.database.read(principal.appId, (transaction) => findBooking(transaction, id))
      : undefined
    if (booking === undefined || !isVisible(booking)) return failure(notFound)
    const known = await findKnownConfiguration(tools, principal.appId, booking.configurationId, 'evenDeleted')
    return known.ok ? success({ booking, known: known.value }) : known
  }
  if (principal.kind === 'booking' && principal.bookingId !== id) return failure(notFound)
  const known = await resolveConfiguration(tools, principal, { ...query, booking_id: id }, 'evenDeleted')
  if (!known.ok) return known
  const { appId, id: configurationId } = known.value.configuration
  const booking = isUuid(id)
    ? await tools.database.read(appId, (transaction) => findBooking(transaction, id))
    : undefined
  if (booking === undefined || !isVisible(booking) || booking.configurationId !== configurationId)
    return failure(notFound)
  return success({ booking, known: known.value })
}

function isVisible({ state }: Booking): boolean {
  return state !== 'held' && state !== 'released'
}
