// The booking behind a reference, for whoever holds one with a salt that is the booking's own.
import { findAppByCode } from '../../adapters/storage/accounts.ts'
import { findBooking } from '../../adapters/storage/bookings.ts'
import { isSameSecret } from '../../adapters/storage/database/ids.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { decodeReference } from '../../core/booking/reference.ts'
import type { Tools } from '../tools.ts'

export type Referenced = {
  readonly booking: Booking
  /** Whose link it is: either moves and cancels, and the organizer's confirms and declines. */
  readonly holder: 'guest' | 'organizer'
}

/** Undefined for anything else: tampered with, without a salt, or of a booking that never was. The answers do not differ. */
export async function findReferenced(
  { database }: Pick<Tools, 'database'>,
  reference: string,
): Promise<Referenced | undefined> {
  const parts = decodeReference(reference)
  if (parts === undefined || parts.salt.length === 0) return undefined
  const appId = await findAppByCode(database, parts.configurationId.slice(0, 8))
  if (appId === undefined) return undefined
  const booking = await database.read(appId, (transaction) => findBooking(transaction, parts.bookingId))
  if (booking === undefined || booking.configurationId !== parts.configurationId) return undefined
  if (booking.state === 'held' || booking.state === 'released') return undefined
  if (isSameSecret(parts.salt, booking.guestSalt)) return { booking, holder: 'guest' }
  return isSameSecret(parts.salt, booking.organizerSalt) ? { booking, holder: 'organizer' } : undefined
}
