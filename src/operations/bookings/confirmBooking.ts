// The organizer's word on a pending booking: yes or no.
import { lockBooking } from '../../adapters/storage/bookings.ts'
import { lockCalendars } from '../../adapters/storage/calendars.ts'
import { isSameSecret } from '../../adapters/storage/database/ids.ts'
import { actorOf, type Principal } from '../../core/account/principal.ts'
import { confirm, decline, findConfirmationProblem } from '../../core/booking/lifecycle.ts'
import { decodeSalt } from '../../core/booking/reference.ts'
import { changedMeanwhile, movedMeanwhile, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { fromUnixSeconds } from '../../core/time/instant.ts'
import { bookingToJson } from '../../wire/bookings.ts'
import type { ConfigurationQuery } from '../configurations/loadConfiguration.ts'
import { findAnswer, once, type WriteAnswer } from '../once.ts'
import { endOfPatience } from '../patience.ts'
import type { Tools } from '../tools.ts'
import { carryThrough } from './carryThrough.ts'
import { loadBooking } from './loadBooking.ts'
import { finishEarlierTry } from './recoverBooking.ts'

export type ConfirmBookingCommand = {
  readonly principal: Principal
  readonly query: ConfigurationQuery
  readonly bookingId: string
  readonly salt: string
  readonly status: 'confirmed' | 'cancelled'
  readonly reason: string
  /** The start that the organizer was shown, in Unix seconds; absent where the caller does not say. */
  readonly shownStart?: number | undefined
  readonly idempotencyKey: string | undefined
}

/**
 * Confirmed: the answer's data is the booking. Declined: no data. The salt is the organizer's; the guest's, which stands
 * in every other link, opens nothing here, and a wrong one answers as a booking that does not exist.
 * Problems: `notFound`, `conflict` (not pending, or moved since it was shown), `invalidRequest` (its time has passed),
 * `calendarUnavailable` (it stays pending), and those of `loadBooking` and `once`.
 */
export async function confirmBooking(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>,
  command: ConfirmBookingCommand,
): Promise<Result<WriteAnswer>> {
  const until = endOfPatience(tools.now())
  const found = await loadBooking(tools, command.principal, command.query, command.bookingId)
  if (!found.ok) return found
  const { booking, known } = found.value
  const salt = decodeSalt(command.salt)
  const { appId } = booking
  const { shownStart } = command
  const isYes = command.status === 'confirmed'
  const repeatable = {
    appId,
    scope: `confirm ${booking.id}`,
    key: command.idempotencyKey,
    // With the salt: whoever repeats it had the right one then, also where another has organized the booking since.
    request: [command.status, command.reason, command.salt, ...(shownStart === undefined ? [] : [shownStart])],
    objectId: booking.id,
  }
  if (salt === undefined || !isSameSecret(salt, booking.organizerSalt))
    return (await findAnswer(tools.database, repeatable)) ?? failure(notFound)
  return once(tools.database, repeatable, async ({ mayExist, remember }) => {
    const earlier = mayExist ? await finishEarlierTry(tools, { appId, bookingId: booking.id }) : success(undefined)
    if (!earlier.ok) return earlier
    const left = earlier.value
    if (left?.state === (isYes ? 'booked' : 'cancelled')) return success(isYes ? bookingToJson(left) : undefined)
    const decided = await carryThrough(
      tools,
      appId,
      {
        configuration: known.configuration,
        actor: actorOf(command.principal),
        until: isYes ? until : undefined,
        remember:
          remember && ((transaction, settled) => remember(transaction, isYes ? bookingToJson(settled) : undefined)),
      },
      async (transaction) => {
        const [current] = await Promise.all([
          lockBooking(transaction, booking.id),
          lockCalendars(
            transaction,
            booking.service.placements.map(({ key }) => key),
          ),
        ])
        if (current === undefined) return failure(notFound)
        if (current.state === 'pending' && current.version !== booking.version) return failure(changedMeanwhile)
        if (
          current.state === 'pending' &&
          shownStart !== undefined &&
          fromUnixSeconds(shownStart) !== current.when.start
        )
          return failure(movedMeanwhile('start_time'))
        const problem = isYes ? findConfirmationProblem(current, tools.now()) : undefined
        if (problem !== undefined) return failure(problem)
        return isYes ? confirm(current) : decline(current, command.reason)
      },
    )
    if (!decided.ok) return decided
    return success(isYes ? bookingToJson(decided.value) : undefined)
  })
}
