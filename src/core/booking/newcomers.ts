// People whom a move brings into a booking: each is written to, and nobody has asked them.
import { invalidRequest } from '../problem.ts'
import { failure, type Result, success } from '../result.ts'
import type { BookingDetails } from './booking.ts'

/** Everyone of a booking once: its guest, and the ten additional ones that it may have. */
const newcomersLimit = 11

type People = Pick<BookingDetails, 'guest' | 'additionalGuests'>

/**
 * `after` with the newcomers of all moves counted in it. Whoever holds a booking's link could have us write to any number of
 * strangers otherwise, by naming others with each move. Problems: `invalidRequest`, where the booking has had too many.
 */
export function countNewcomers(before: BookingDetails, after: BookingDetails): Result<BookingDetails> {
  const known = new Set(addressesOf(before))
  const added = new Set(addressesOf(after).filter((address) => !known.has(address)))
  if (added.size === 0) return success({ ...after, newcomers: before.newcomers })
  const newcomers = (before.newcomers ?? 0) + added.size
  if (newcomers <= newcomersLimit) return success({ ...after, newcomers })
  const isGuestOnly = added.size === 1 && added.has(after.guest.email.toLowerCase())
  return failure(
    invalidRequest(
      `moves may bring ${newcomersLimit} other people into a booking in all, and this would be more; ` +
        'leave its guests as they are, or cancel it and book anew',
      isGuestOnly ? 'guest.email' : 'additional_guests',
    ),
  )
}

function addressesOf({ guest, additionalGuests }: People): string[] {
  return [guest, ...additionalGuests].map(({ email }) => email.toLowerCase())
}
