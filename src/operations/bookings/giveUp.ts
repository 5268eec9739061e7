// What becomes of a change that cannot be, or that somebody else has ended: its event is taken back, or set right.
import { cancelRecovery, findBooking, updateBooking } from '../../adapters/storage/bookings.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { abort, isSettledAs, settle } from '../../core/booking/lifecycle.ts'
import type { Configuration } from '../../core/configuration/configuration.ts'
import { changedMeanwhile, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { type Instant, latest, plus, secondMs, soonest } from '../../core/time/instant.ts'
import { scopeUntil } from '../patience.ts'
import type { Tools } from '../tools.ts'
import { replaceClaims } from './claimTime.ts'
import { calendarsOf, placeAgain, undo } from './placeEvents.ts'

type GivingUpTools = Pick<Tools, 'database' | 'providers' | 'now'>

export type GivingUp = {
  readonly configuration: Configuration
  /** What becomes of time that was claimed where a calendar does not answer; `giveUp`, as someone waits, where absent. */
  readonly whenUnanswered?: 'giveUp' | 'stayHeld' | undefined
  /** When whoever waits is told that it took too long, if anybody does. */
  readonly until?: Instant | undefined
  /** From then on another may be at it: what is not done is left to them. */
  readonly handsOffAt: Instant
}

/** What a request has not taken back by then is left to the worker. */
const undoMs = 12 * secondMs

/** What is given at least, however late it is begun, to setting right what another has ended. */
const rightingMs = 3 * secondMs

/** A calendar did not answer: it may hold the event, or not. Answers `reason`. */
export async function standBack(
  tools: GivingUpTools,
  booking: Booking,
  context: GivingUp,
  reason: Problem,
): Promise<Result<Booking>> {
  return context.whenUnanswered === 'stayHeld' ? failure(reason) : giveUp(tools, booking, context, reason)
}

/** Undoes a change that cannot be: says so first, takes the event back, then frees the time. Answers `reason`. */
export async function giveUp(
  tools: GivingUpTools,
  booking: Booking,
  context: GivingUp,
  reason: Problem,
): Promise<Result<Booking>> {
  const { appId } = booking
  const doomed: Booking = { ...booking, direction: 'abort', version: booking.version + 1 }
  const isMarked = await tools.database.transaction(appId, (transaction) =>
    updateBooking(transaction, doomed, booking.version),
  )
  if (!isMarked) return endedElsewhere(tools, booking, context)
  const until = endOfUndo(tools, context)
  const undone = await undo(tools, scopeUntil(tools, appId, until), doomed, context.configuration)
  // Not undone: claims stay, and the worker tries again, so that the slot is never offered over a stray event.
  if (!undone.ok) return failure(reason)
  const aborted: Booking = { ...abort(doomed), version: doomed.version + 1 }
  const isAborted = await tools.database.transaction(appId, async (transaction) => {
    // Whoever called it off meanwhile has its claims and its recovery in hand.
    if (!(await updateBooking(transaction, aborted, doomed.version))) return false
    await Promise.all([replaceClaims(transaction, aborted), cancelRecovery(transaction, booking.id)])
    return true
  })
  if (!isAborted) await endedElsewhere(tools, doomed, context)
  return failure(reason)
}

function endOfUndo({ now }: GivingUpTools, { whenUnanswered, handsOffAt }: GivingUp): Instant {
  return whenUnanswered === 'stayHeld' ? handsOffAt : soonest(handsOffAt, plus(now(), undoMs))
}

/**
 * The worker may have been quicker than a slow request, and the other way round: what either settled stands for both.
 * Where it was given up or called off, whoever comes late may have placed the event after the other had removed it: it is set right.
 */
export async function endedElsewhere(
  tools: GivingUpTools,
  booking: Booking,
  context: GivingUp,
): Promise<Result<Booking>> {
  const current = await tools.database.read(booking.appId, (transaction) => findBooking(transaction, booking.id))
  const isOpen = current?.change !== undefined && current.change.kind !== 'cancel'
  if (current === undefined || isOpen) return failure(changedMeanwhile)
  if (isSettledAs(current, settle(booking))) return success(current)
  const { until = context.handsOffAt } = context
  const end = latest(plus(tools.now(), rightingMs), soonest(until, context.handsOffAt, plus(tools.now(), undoMs)))
  const scope = scopeUntil(tools, booking.appId, end)
  await placeAgain(tools, scope, current, context.configuration, calendarsOf(booking))
  return failure(changedMeanwhile)
}
