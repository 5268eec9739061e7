// The time that a booking takes: claimed for it and for nobody else.
import { claimRows, doubleBooking, giveUpClaims, type NewClaim } from '../../adapters/storage/claims.ts'
import { ConstraintViolation, type Transaction } from '../../adapters/storage/database/database.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { claimsOf } from '../../core/booking/lifecycle.ts'
import { slotTaken } from '../../core/problem.ts'
import { failure, type Result } from '../../core/result.ts'
import { stillRunning } from '../once.ts'

/** What the booking takes, as it stands or is about to. */
export function newClaims(booking: Booking): NewClaim[] {
  return claimsOf(booking).map((claim) => ({ ...claim, bookingId: booking.id }))
}

/** The booking's claims are these and no others. */
export async function replaceClaims(transaction: Transaction, booking: Booking): Promise<void> {
  const claims = claimRows(booking.appId, newClaims(booking), 'hadClaims')
  await Promise.all([giveUpClaims(transaction, booking.id), transaction.query(claims)])
}

/** The database refuses a second claim on the same time: that is a lost race, not a fault. */
export async function claimingTime<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ConstraintViolation && error.constraint === doubleBooking) return failure(slotTaken)
    // The first request under an Idempotency-Key outlived its lease and was faster after all.
    if (error instanceof ConstraintViolation && error.constraint === 'bookings_pkey') return failure(stillRunning)
    throw error
  }
}
