// Hold, place, look back, settle: the one path by which every change of a booking reaches calendars and people.
import { bookingRows, cancelRecovery, scheduleRecovery, updateBooking } from '../../adapters/storage/bookings.ts'
import { findCalendar, lockCalendars } from '../../adapters/storage/calendars.ts'
import { claimRows } from '../../adapters/storage/claims.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import { together } from '../../adapters/storage/database/sql.ts'
import { hostedRows } from '../../adapters/storage/hostedBookings.ts'
import { endReminders } from '../../adapters/storage/reminders.ts'
import type { Actor } from '../../core/account/principal.ts'
import { type Booking, type Change, canBeGivenUp } from '../../core/booking/booking.ts'
import { settle } from '../../core/booking/lifecycle.ts'
import { remindersOf } from '../../core/booking/reminders.ts'
import type { Configuration } from '../../core/configuration/configuration.ts'
import type { AppId } from '../../core/ids.ts'
import {
  asUnavailable,
  changedMeanwhile,
  invalidRequest,
  type Problem,
  slotTaken,
  tookTooLong,
} from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { type Instant, latest, never, plus, secondMs, soonest } from '../../core/time/instant.ts'
import { isOver, scopeUntil } from '../patience.ts'
import type { Tools } from '../tools.ts'
import { claimingTime, newClaims, replaceClaims } from './claimTime.ts'
import { endedElsewhere, type GivingUp, giveUp, standBack } from './giveUp.ts'
import { isStillFree } from './isStillFree.ts'
import {
  askCalendars,
  calendarsOf,
  isHere,
  type Kept,
  leave,
  nothingKept,
  place,
  placeAgain,
  placeWithGuests,
} from './placeEvents.ts'
import { type EventsHere, rowsThatFollow } from './whatFollows.ts'

export type ChangeTools = Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>

export type ChangeContext = Pick<GivingUp, 'configuration' | 'whenUnanswered'> & {
  /** Who did it, for the audit log. */
  readonly actor: Actor
  /** The owner of the calendar did it there, by hand: nobody else's event stands against it. */
  readonly isOnCalendar?: boolean | undefined
  /**
   * When whoever waits is told that it took too long, if that may come before the patience with calendars ends; where time stays
   * held, when another run may begin.
   */
  readonly until?: Instant | undefined
  /** Heard when time is held in a transaction of its own: what fails from here on has been begun, and is not begun anew. */
  readonly onHeld?: (() => void) | undefined
  /** Written with the settled booking: the answer that a repeat of the request gets. */
  readonly remember?: ((transaction: Transaction, booking: Booking) => Promise<void>) | undefined
}

/** Time that no calendar carries is not claimed, so the next guest would get it too. */
export const nowhere: Problem = invalidRequest(
  'no participant of this booking has a calendar for the event',
  'participants',
)

/**
 * How long is worked for someone who waits once the time is held, at most: a request is given 25 seconds, and calendars were read
 * before. What that took, and earlier tries, is counted by the `until` of the context.
 * What would stand later is taken back, for whoever asked has been told that it took too long.
 */
const mostHeldMs = 15 * secondMs

/** What leaving an account, and then inviting guests, are given at least, however late they are begun. */
const leavingMs = 6 * secondMs
const invitingMs = 3 * secondMs

/** Well before the 30 seconds are over after which another may be at it: no two write to a calendar. */
const handsOffMs = 26 * secondMs

const tooLate: Problem = { kind: 'calendarUnavailable', message: 'The calendars did not answer in time.' }

/**
 * Carries out the change that `begin` makes inside the first transaction: there it locks, checks, and answers the booking
 * with its change, not yet written. On calendars of our own, hold, place and settle are that one transaction. On others
 * the hold is committed first, the event placed outside any transaction, and the booking settled in a second one; what a
 * crash cuts off is finished by the worker. Calendars of our own are written, and everyone is told, when the change can no
 * longer be undone: a cancellation stands with the first transaction, and its event goes when the calendar lets it; a new
 * booking, a confirmation or a move with the second. New bookings on calendars of our own go through `bookTogether`.
 *
 * Problems: those of `begin`, `slotTaken`, `calendarUnavailable`, `conflict`, `unavailable` (too late).
 */
export async function carryThrough(
  tools: ChangeTools,
  appId: AppId,
  context: ChangeContext,
  begin: (transaction: Transaction) => Promise<Result<Booking>>,
): Promise<Result<Booking>> {
  if (isOver(tools.now(), context.until)) return failure(tookTooLong)
  let isHeldOnly = false
  const held = await claimingTime(() =>
    tools.database.transaction(appId, async (transaction) => {
      const begun = await begin(transaction)
      if (!begun.ok) return begun
      // The locks may have been waited for.
      if (isOver(tools.now(), context.until)) return failure(tookTooLong)
      const booking = begun.value
      if (settle(booking).service.placements.length === 0) return failure(nowhere)
      isHeldOnly = !calendarsOf(booking).every((calendar) => isHere(tools, calendar))
      return isHeldOnly ? hold(tools, transaction, booking, context) : settleHere(tools, transaction, booking, context)
    }),
  )
  if (!held.ok || !isHeldOnly) return held
  context.onHeld?.()
  return finish(tools, held.value, context)
}

/** The first of two transactions: from here on the worker finishes what is cut off. */
async function hold(
  tools: ChangeTools,
  transaction: Transaction,
  booking: Booking,
  context: ChangeContext,
): Promise<Result<Booking>> {
  const scope = { appId: booking.appId, local: transaction }
  const stands = !canBeGivenUp(booking)
  const [isWritten, here] = await Promise.all([
    write(transaction, booking, context.configuration),
    stands ? place(tools, 'here', scope, booking, context.configuration, 'toStay') : success(nothingKept),
    scheduleRecovery(transaction, booking.id),
  ])
  if (!isWritten) return failure(changedMeanwhile)
  if (!here.ok) return here
  if (stands) await tell(tools, transaction, booking, settle(booking), here.value, context)
  return success(booking)
}

/** Compared and set before anything is told, and the events are asked what they were. */
async function settleHere(
  tools: ChangeTools,
  transaction: Transaction,
  booking: Booking,
  context: ChangeContext,
): Promise<Result<Booking>> {
  const settled = settle(booking)
  // Sent together, in this order.
  const [isWritten, placed] = await Promise.all([
    write(transaction, settled, context.configuration),
    place(tools, 'here', { appId: booking.appId, local: transaction }, booking, context.configuration, 'toStay'),
  ])
  if (!isWritten) return failure(changedMeanwhile)
  if (!placed.ok) return placed
  await tell(tools, transaction, booking, settled, placed.value, context)
  return success(settled)
}

/** What follows from the change, in the transaction in which it comes to stand for good. */
async function tell(
  tools: ChangeTools,
  transaction: Transaction,
  booking: Booking,
  settled: Booking,
  events: EventsHere,
  context: ChangeContext,
): Promise<void> {
  const { configuration, actor } = context
  const now = tools.now()
  const change = booking.change as Change
  const told = (await isInviterGone(transaction, booking))
    ? { before: uninvited(booking), settled: change.kind === 'cancel' ? uninvited(settled) : settled }
    : { before: booking, settled }
  const rows = rowsThatFollow(booking.appId, [{ change, ...told, configuration, actor, events }], {
    isSending: tools.mailer.isSending,
    now,
  })
  await Promise.all([
    endReminders(transaction, booking.id, remindersOf(settled, configuration, now)),
    transaction.query(together(rows)),
    context.remember?.(transaction, settled),
  ])
}

/**
 * Whether the account that invited guests by itself was taken away: it tells them of nothing any more, and our mails do. The
 * organizer's calendar invites, or the first one elsewhere where that is ours.
 */
async function isInviterGone(transaction: Transaction, booking: Booking): Promise<boolean> {
  const { appId, invitedByCalendar, service } = booking
  const inviter = service.placements.find(({ provider }) => provider !== 'virtual-calendar')
  if (invitedByCalendar.length === 0 || inviter === undefined) return false
  return (await findCalendar(transaction, appId, inviter.key)) === undefined
}

function uninvited(booking: Booking): Booking {
  return { ...booking, invitedByCalendar: [] }
}

/**
 * Steps 2–5 for a booking whose change is committed and not settled. Every step may be repeated, by another process too.
 * A cancellation stands, whatever a calendar says: the worker tries again. Where it overtook another change, whoever carries
 * that out may place its event even now: the worker looks once more, when it can no longer be at it, before the time is free.
 */
export async function finish(tools: ChangeTools, booking: Booking, begun: ChangeContext): Promise<Result<Booking>> {
  if (booking.change === undefined) return success(booking)
  const staysHeld = begun.whenUnanswered === 'stayHeld'
  const { until: endOfPatience = never } = begun
  const until = staysHeld ? endOfPatience : soonest(endOfPatience, plus(tools.now(), mostHeldMs))
  const context = { ...begun, handsOffAt: staysHeld ? until : plus(tools.now(), handsOffMs) }
  const isLate = () => tools.now() >= until && canBeGivenUp(booking)
  const scope = scopeUntil(tools, booking.appId, until)
  const { change } = booking
  const takesTime = change.kind === 'create' || change.kind === 'reschedule'
  const looks = takesTime && context.isOnCalendar !== true
  if (looks) {
    const looked = await isStillFree(tools, scope, booking)
    if (!looked.ok) return standBack(tools, booking, context, looked.problem)
    if (!looked.value) return giveUp(tools, booking, context, slotTaken)
  }
  if (change.kind === 'confirm' && booking.service.placements.length > 1) {
    const asked = await askCalendars(tools, scope, booking)
    if (!asked.ok) return standBack(tools, booking, context, asUnavailable(asked.problem))
  }
  if (isLate()) return standBack(tools, booking, context, tooLate)
  const how = looks ? 'held' : 'toStay'
  const placed = await place(tools, 'elsewhere', scope, booking, context.configuration, how)
  if (!placed.ok)
    return canBeGivenUp(booking) ? standBack(tools, booking, context, asUnavailable(placed.problem)) : success(booking)
  if (change.kind === 'cancel' && change.overtook !== undefined && !staysHeld) return success(booking)
  if (looks) {
    // Two writers who each write, then look, cannot both miss the other.
    const lookedBack = await isStillFree(tools, scope, booking)
    if (!lookedBack.ok) return standBack(tools, booking, context, lookedBack.problem)
    if (!lookedBack.value) return giveUp(tools, booking, context, slotTaken)
  }
  if (isLate()) return standBack(tools, booking, context, tooLate)
  // Once it is off where it was, guests may have been told so: it does not come back for want of time.
  const lasting = (leastMs: number) =>
    staysHeld ? scope : scopeUntil(tools, booking.appId, latest(until, plus(tools.now(), leastMs)))
  const left = await leave(tools, lasting(leavingMs), booking, context.configuration)
  if (!left.ok) return standBack(tools, booking, context, asUnavailable(left.problem))
  // Guests hear of it from a calendar that invites by itself when nothing stands against it any more.
  const stands = await placeWithGuests(tools, lasting(invitingMs), booking, context.configuration, placed.value)
  if (!stands.ok) return standBack(tools, booking, context, asUnavailable(stands.problem))
  const isTold = !canBeGivenUp(booking)
  const invitedByCalendar = isTold ? booking.invitedByCalendar : [...stands.value.invited]
  const settled: Booking = { ...settle(booking), invitedByCalendar, version: booking.version + 1 }
  const written = await tools.database.transaction(booking.appId, async (transaction): Promise<Result<Booking>> => {
    if (!(await updateBooking(transaction, settled, booking.version))) return failure(changedMeanwhile)
    const here = isTold ? success(nothingKept) : await placeHere(tools, transaction, booking, context.configuration)
    if (!here.ok) return here
    await Promise.all([
      replaceClaims(transaction, settled),
      isTold ? undefined : tell(tools, transaction, booking, settled, here.value, context),
      cancelRecovery(transaction, booking.id),
    ])
    return success(settled)
  })
  if (written.ok) return written
  if (written.problem === changedMeanwhile) return endedElsewhere(tools, booking, context)
  // A calendar of our own that does not take the event now is gone for good.
  return giveUp(tools, booking, context, asUnavailable(written.problem))
}

async function placeHere(
  tools: ChangeTools,
  transaction: Transaction,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<Kept>> {
  const calendars = calendarsOf(booking).filter((calendar) => isHere(tools, calendar))
  if (calendars.length === 0) return success(nothingKept)
  await lockCalendars(
    transaction,
    calendars.map(({ key }) => key),
  )
  return place(tools, 'here', { appId: booking.appId, local: transaction }, booking, configuration, 'toStay')
}

/** The events of a settled booking, as they should be, on its calendars elsewhere: for one that is not there, or astray. */
export function putBack(
  tools: Pick<Tools, 'database' | 'providers' | 'now'>,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<unknown>> {
  const scope = { appId: booking.appId, local: tools.database }
  return placeAgain(tools, scope, booking, configuration, [])
}

/** Writes booking and claims. A booking of version 1 is new; another is compared and set on the version before. */
async function write(
  transaction: Transaction,
  booking: Booking,
  { grantId: owner }: Pick<Configuration, 'grantId'>,
): Promise<boolean> {
  const { appId, version } = booking
  const expected = version - 1
  if (expected === 0) {
    const claims = claimRows(appId, newClaims(booking), 'new')
    await transaction.query(
      together([bookingRows(appId, [booking]), claims, ...hostedRows(appId, [{ booking, owner }])]),
    )
    return true
  }
  const [isWritten] = await Promise.all([
    updateBooking(transaction, booking, expected),
    replaceClaims(transaction, booking),
  ])
  return isWritten
}
