// Calls a booking off.
import { findBooking, lockBooking } from '../../adapters/storage/bookings.ts'
import { lockCalendars } from '../../adapters/storage/calendars.ts'
import { actorOf, askerOf, type Principal } from '../../core/account/principal.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { cancel, findBegunProblem, findCancellationProblem, stands } from '../../core/booking/lifecycle.ts'
import { movedMeanwhile, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { fromUnixSeconds } from '../../core/time/instant.ts'
import type { ConfigurationQuery } from '../configurations/loadConfiguration.ts'
import { once, type WriteAnswer } from '../once.ts'
import type { Tools } from '../tools.ts'
import { carryThrough } from './carryThrough.ts'
import { loadBooking } from './loadBooking.ts'

export type CancelBookingCommand = {
  readonly principal: Principal
  readonly query: ConfigurationQuery
  readonly bookingId: string
  readonly reason: string
  /** The start that whoever cancels was shown, in Unix seconds; absent where the caller does not say. */
  readonly shownStart?: number | undefined
  readonly idempotencyKey: string | undefined
}

/**
 * No data. The booking is cancelled at once for everyone; a calendar that cannot be reached loses the event later.
 * Problems: `notFound`, `conflict` (ended, or moved since it was shown), `invalidRequest` (a guest inside of the notice; begun), and
 * those of `loadBooking` and `once`.
 */
export async function cancelBooking(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>,
  command: CancelBookingCommand,
): Promise<Result<WriteAnswer>> {
  const { principal, reason, shownStart } = command
  const found = await loadBooking(tools, principal, command.query, command.bookingId)
  if (!found.ok) return found
  const { booking, known } = found.value
  const { appId } = booking
  const repeatable = {
    appId,
    scope: `cancel ${booking.id}`,
    key: command.idempotencyKey,
    request: shownStart === undefined ? reason : [reason, shownStart],
    objectId: booking.id,
  }
  return once(tools.database, repeatable, async ({ mayExist, remember }) => {
    // What else an earlier try may have met is overtaken anew.
    if (mayExist && (await isCancelled(tools, booking))) return success(undefined)
    const cancelled = await carryThrough(
      tools,
      appId,
      {
        configuration: known.configuration,
        actor: actorOf(principal),
        remember: remember && ((transaction) => remember(transaction, undefined)),
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
        if (stands(current.state) && shownStart !== undefined && fromUnixSeconds(shownStart) !== current.when.start)
          return failure(movedMeanwhile('start_time'))
        const asker = askerOf(principal)
        const now = tools.now()
        // The notice binds guests; hosts and the application may call off what they must.
        const tooLate = asker === 'guest' ? findCancellationProblem(current, known.configuration, now) : undefined
        const problem = findBegunProblem(current, asker, now) ?? tooLate
        if (problem !== undefined) return failure(problem)
        return cancel(current, asker === 'guest' ? 'guest' : 'organizer', reason)
      },
    )
    return cancelled.ok ? success(undefined) : cancelled
  })
}

async function isCancelled({ database }: Pick<Tools, 'database'>, { appId, id }: Booking): Promise<boolean> {
  const current = await database.read(appId, (transaction) => findBooking(transaction, id))
  return current?.state === 'cancelled'
}
