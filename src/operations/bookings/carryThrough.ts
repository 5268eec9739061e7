// Hold, place, look back, settle: the one path by which every change of a booking reaches calendars and people.
import type { CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import {
  bookingRows,
  cancelRecovery,
  findBooking,
  scheduleRecovery,
  updateBooking,
} from '../../adapters/storage/bookings.ts'
import { claimRows, doubleBooking, giveUpClaims, type NewClaim } from '../../adapters/storage/claims.ts'
import { ConstraintViolation, type Transaction } from '../../adapters/storage/database.ts'
import { endReminders } from '../../adapters/storage/reminders.ts'
import { together } from '../../adapters/storage/sql.ts'
import type { Booking, Change } from '../../core/booking/booking.ts'
import { abort, claimsOf, placedEvent, settle } from '../../core/booking/lifecycle.ts'
import type { PlacedEvent } from '../../core/booking/placedEvent.ts'
import { remindersOf } from '../../core/booking/reminders.ts'
import type { CalendarEvent } from '../../core/calendar/event.ts'
import { type Configuration, calendarName, type ParticipantCalendar } from '../../core/configuration/configuration.ts'
import type { AppId } from '../../core/ids.ts'
import { asUnavailable, changedMeanwhile, invalidRequest, type Problem, slotTaken } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { RemovedEvent } from '../../wire/events.ts'
import { stillRunning } from '../once.ts'
import type { Tools } from '../tools.ts'
import { isStillFree } from './isStillFree.ts'
import { type EventsHere, rowsThatFollow } from './whatFollows.ts'

export type ChangeTools = Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>

export type ChangeContext = {
  readonly configuration: Configuration
  /** Who did it, for the audit log. */
  readonly actor: string
  /** The owner of the calendar did it there, by hand: nobody else's event stands against it. */
  readonly isOnCalendar?: boolean | undefined
  /** What becomes of time that was claimed where a calendar does not answer; `giveUp`, as someone waits, where absent. */
  readonly whenUnanswered?: 'giveUp' | 'stayHeld' | undefined
  /** Written with the settled booking: the answer that a repeat of the request gets. */
  readonly remember?: ((transaction: Transaction, booking: Booking) => Promise<void>) | undefined
}

/** Time that no calendar carries is not claimed, so the next guest would get it too. */
export const nowhere: Problem = invalidRequest(
  'no participant of this booking has a calendar for the event',
  'participants',
)

/**
 * Carries out the change that `begin` makes inside the first transaction: there it locks, checks, and answers the booking
 * with its change, not yet written. On calendars of our own, hold, place and settle are that one transaction. On others
 * the hold is committed first, the event placed outside any transaction, and the booking settled in a second one; what a
 * crash cuts off is finished by the worker. New bookings on calendars of our own go through `bookTogether`.
 *
 * Problems: those of `begin`, `slotTaken`, `calendarUnavailable`, `conflict`.
 */
export async function carryThrough(
  tools: ChangeTools,
  appId: AppId,
  context: ChangeContext,
  begin: (transaction: Transaction) => Promise<Result<Booking>>,
): Promise<Result<Booking>> {
  let isHeldOnly = false
  const held = await claimingTime(() =>
    tools.database.transaction(appId, async (transaction) => {
      const begun = await begin(transaction)
      if (!begun.ok) return begun
      const booking = begun.value
      if (settle(booking).service.placements.length === 0) return failure(nowhere)
      isHeldOnly = !isLocal(tools, booking)
      if (isHeldOnly) {
        const written = write(transaction, booking)
        await Promise.all([written, scheduleRecovery(transaction, booking.id)])
        return (await written) ? begun : failure(changedMeanwhile)
      }
      return settleHere(tools, transaction, booking, context)
    }),
  )
  return held.ok && isHeldOnly ? finish(tools, held.value, context) : held
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
    write(transaction, settled),
    place(tools, { appId: booking.appId, local: transaction }, booking, context.configuration),
  ])
  if (!isWritten) return failure(changedMeanwhile)
  if (!placed.ok) return placed
  await tell(tools, transaction, booking, settled, placed.value, context)
  return success(settled)
}

/** What follows from the change, in the transaction that settles it. */
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
  const rows = rowsThatFollow(booking.appId, [{ change, before: booking, settled, configuration, actor, events }], {
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
 * Steps 2–5 for a booking whose change is committed and not settled. Every step may be repeated, by another process too.
 * A cancellation or confirmation that a calendar does not take yet stands: the worker tries again.
 */
export async function finish(tools: ChangeTools, booking: Booking, context: ChangeContext): Promise<Result<Booking>> {
  const { change } = booking
  if (change === undefined) return success(booking)
  const scope = { appId: booking.appId, local: tools.database }
  const takesTime = change.kind === 'create' || change.kind === 'reschedule'
  const looks = takesTime && context.isOnCalendar !== true
  if (looks) {
    const looked = await isStillFree(tools, scope, booking)
    if (!looked.ok) return standBack(tools, booking, context, looked.problem)
    if (!looked.value) return giveUp(tools, booking, context, slotTaken)
  }
  const placed = await place(tools, scope, booking, context.configuration)
  if (!placed.ok)
    return takesTime ? standBack(tools, booking, context, asUnavailable(placed.problem)) : success(booking)
  if (looks) {
    // Two writers who each write, then look, cannot both miss the other.
    const lookedBack = await isStillFree(tools, scope, booking)
    if (!lookedBack.ok) return standBack(tools, booking, context, lookedBack.problem)
    if (!lookedBack.value) return giveUp(tools, booking, context, slotTaken)
  }
  const invitedByCalendar = booking.change?.kind === 'cancel' ? booking.invitedByCalendar : [...placed.value.invited]
  const settled: Booking = { ...settle(booking), invitedByCalendar, version: booking.version + 1 }
  const written = await tools.database.transaction(booking.appId, async (transaction): Promise<Result<Booking>> => {
    if (!(await updateBooking(transaction, settled, booking.version))) return failure(changedMeanwhile)
    await Promise.all([
      replaceClaims(transaction, settled),
      tell(tools, transaction, booking, settled, placed.value, context),
      cancelRecovery(transaction, booking.id),
    ])
    return success(settled)
  })
  return written.ok ? written : endedElsewhere(tools, booking, context)
}

/** A calendar did not answer: it may hold the event, or not. Answers `reason`. */
async function standBack(
  tools: ChangeTools,
  booking: Booking,
  context: ChangeContext,
  reason: Problem,
): Promise<Result<Booking>> {
  return context.whenUnanswered === 'stayHeld' ? failure(reason) : giveUp(tools, booking, context, reason)
}

/**
 * The worker may have been quicker than a slow request, and the other way round: what either settled stands for both.
 * Where it was given up, whoever comes late may have placed the event after the other had removed it: it is set right.
 */
async function endedElsewhere(
  tools: ChangeTools,
  booking: Booking,
  { configuration }: ChangeContext,
): Promise<Result<Booking>> {
  const current = await tools.database.transaction(booking.appId, (transaction) => findBooking(transaction, booking.id))
  if (current === undefined || current.change !== undefined) return failure(changedMeanwhile)
  const settled = settle(booking)
  if (
    current.state === settled.state &&
    current.when.start === settled.when.start &&
    current.when.end === settled.when.end
  )
    return success(current)
  const scope = { appId: booking.appId, local: tools.database }
  await put(tools, scope, placedEvent(current, configuration, tools.now()), current, [
    ...booking.service.placements,
    ...settled.service.placements,
  ])
  return failure(changedMeanwhile)
}

/** The events of a settled booking, as they should be, on its calendars: for one that is not there, or elsewhere. */
export function putBack(
  tools: Pick<Tools, 'database' | 'providers' | 'now'>,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<unknown>> {
  const scope = { appId: booking.appId, local: tools.database }
  return put(tools, scope, placedEvent(booking, configuration, tools.now()), booking, [])
}

/** Undoes a change that cannot be: says so first, takes the event back, then frees the time. Answers `reason`. */
export async function giveUp(
  tools: ChangeTools,
  booking: Booking,
  context: ChangeContext,
  reason: Problem,
): Promise<Result<Booking>> {
  const { appId } = booking
  const doomed: Booking = { ...booking, direction: 'abort', version: booking.version + 1 }
  const isMarked = await tools.database.transaction(appId, (transaction) =>
    updateBooking(transaction, doomed, booking.version),
  )
  if (!isMarked) return endedElsewhere(tools, booking, context)
  const undone = await undo(tools, { appId, local: tools.database }, doomed, context.configuration)
  // Not undone: claims stay, and the worker tries again, so that the slot is never offered over a stray event.
  if (undone.ok) {
    await tools.database.transaction(appId, async (transaction) => {
      const aborted = abort(doomed)
      await Promise.all([
        write(transaction, { ...aborted, version: doomed.version + 1 }, doomed.version),
        cancelRecovery(transaction, booking.id),
      ])
    })
  }
  return failure(reason)
}

/** Writes booking and claims. A booking of version 1 is new; another is compared and set on the version before. */
async function write(transaction: Transaction, booking: Booking, expected = booking.version - 1): Promise<boolean> {
  if (expected === 0) {
    await transaction.query(
      together([bookingRows(booking.appId, [booking]), claimRows(booking.appId, newClaims(booking), 'new')]),
    )
    return true
  }
  const [isWritten] = await Promise.all([
    updateBooking(transaction, booking, expected),
    replaceClaims(transaction, booking),
  ])
  return isWritten
}

/** What the booking takes, as it stands or is about to. */
export function newClaims(booking: Booking): NewClaim[] {
  return claimsOf(booking).map((claim) => ({ ...claim, bookingId: booking.id }))
}

/** The booking's claims are these and no others. */
async function replaceClaims(transaction: Transaction, booking: Booking): Promise<void> {
  const claims = claimRows(booking.appId, newClaims(booking), 'hadClaims')
  await Promise.all([giveUpClaims(transaction, booking.id), transaction.query(claims)])
}

/** Events as they should be once the change is carried out: placed where the booking stands, gone elsewhere. */
function place(
  tools: Pick<Tools, 'providers' | 'now'>,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<KeptHere>> {
  return put(
    tools,
    scope,
    placedEvent(booking, configuration, tools.now()),
    settle(booking),
    booking.service.placements,
  )
}

/** Events as they were before the change began. */
async function undo(
  tools: ChangeTools,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<unknown>> {
  const { change } = booking
  if (change?.kind === 'create') return put(tools, scope, undefined, booking, booking.service.placements)
  if (change?.kind !== 'reschedule') return success(undefined)
  const before: Booking = { ...booking, change: undefined }
  return put(tools, scope, placedEvent(before, configuration, tools.now()), before, change.service.placements)
}

/** `event` on the calendars of `booking`, and gone from the others that it may stand on; undefined: on none. */
async function put(
  tools: Pick<Tools, 'providers'>,
  scope: CalendarScope,
  event: PlacedEvent | undefined,
  { service, eventId }: Booking,
  others: readonly ParticipantCalendar[],
): Promise<Result<KeptHere>> {
  const wanted = event === undefined ? [] : service.placements
  const stray = new Map(others.map((calendar) => [calendarName(calendar.key), calendar]))
  for (const { key } of wanted) stray.delete(calendarName(key))
  const removals = [...stray.values()].map((calendar) => ({
    key: calendar.key,
    provider: providerOf(tools, calendar),
    step: providerOf(tools, calendar)?.remove(scope, calendar.key, eventId),
  }))
  const placements = wanted.map((calendar) => ({
    step: event === undefined ? undefined : providerOf(tools, calendar)?.place(scope, calendar.key, event),
  }))
  const done = allDone(await Promise.all([...removals, ...placements].map(({ step }) => step)))
  if (!done.ok) return done
  const kept = { placed: [] as CalendarEvent[], removed: [] as RemovedEvent[], invited: new Set<string>() }
  for (const { provider, step, key } of removals) {
    const removed = await step
    if (provider?.isLocal && removed?.ok && removed.value === true) kept.removed.push({ id: eventId, ...key })
  }
  for (const { step } of placements) {
    const placed = await step
    if (placed?.ok && placed.value.event !== undefined) kept.placed.push(placed.value.event)
    if (placed?.ok) for (const email of placed.value.invited) kept.invited.add(email)
  }
  return success(kept)
}

/** With whom other calendars invite by themselves. */
type KeptHere = EventsHere & { readonly invited: ReadonlySet<string> }

function isLocal(tools: Pick<Tools, 'providers'>, booking: Booking): boolean {
  return areLocal(tools, [...booking.service.placements, ...settle(booking).service.placements])
}

export function areLocal(tools: Pick<Tools, 'providers'>, calendars: readonly ParticipantCalendar[]): boolean {
  return calendars.every((calendar) => providerOf(tools, calendar)?.isLocal === true)
}

export function providerOf({ providers }: Pick<Tools, 'providers'>, { provider }: ParticipantCalendar) {
  return providers(provider)
}

function allDone(steps: readonly (Result<unknown> | undefined)[]): Result<void> {
  for (const step of steps) {
    if (step === undefined)
      return failure({
        kind: 'calendarUnavailable',
        message: 'a calendar of this booking cannot be reached by this server yet',
      })
    if (!step.ok) return step
  }
  return success(undefined)
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
