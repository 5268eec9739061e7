// Brings a calendar and the bookings on it together again: what its owner did there by hand counts.
import type { CalendarProvider, CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import { findBooking } from '../../adapters/storage/bookings.ts'
import { listCalendars } from '../../adapters/storage/calendars.ts'
import { findReconciled, forgetOwnItem, markReconciled } from '../../adapters/storage/mirrors.ts'
import {
  countMissing,
  type Difference,
  findDifferences,
  recordReconciliation,
} from '../../adapters/storage/reconciliations.ts'
import type { CalendarKey } from '../../core/account/grant.ts'
import type { AppId, BookingId, EventId } from '../../core/ids.ts'
import { type ChangeTools, putBack } from '../bookings/carryThrough.ts'
import { cancelWithEvent, type Followed, moveWithEvent } from '../bookings/followCalendar.ts'
import { findKnownConfiguration } from '../configurations/loadConfiguration.ts'

/** `again`: the calendar or the booking changed meanwhile, or could not be asked; the next reading looks anew. */
type Outcome =
  | 'cancelled'
  | 'rescheduled'
  | 'putBack'
  | 'removed'
  | 'placedAgain'
  | 'reported'
  | 'reportedBefore'
  | 'again'

const actor = 'calendar'
/** Of an account, in which an event that its owner carried away is looked for. */
const mostCalendars = 100

/**
 * Nothing to do unless something was written to the mirror since the last time. Before anything is done about a difference,
 * the calendar itself is asked once more. Safe to repeat and to run twice at once: bookings are compared and set by version.
 */
export async function reconcile(
  tools: ChangeTools,
  provider: CalendarProvider,
  { appId, key }: { readonly appId: AppId; readonly key: CalendarKey },
): Promise<void> {
  const generation = await findReconciled(tools.database, appId, key)
  if (generation === undefined) return
  const differences = await tools.database.read(appId, (transaction) => findDifferences(transaction, key, tools.now()))
  const scope: CalendarScope = { appId, local: tools.database, isInBackground: true }
  let isDone = true
  for (const difference of differences) {
    const outcome = await settle(tools, provider, scope, key, difference)
    if (outcome === 'again') isDone = false
    else if (outcome !== 'reportedBefore')
      await tools.database.transaction(appId, (transaction) =>
        recordReconciliation(transaction, key, difference, outcome),
      )
  }
  if (isDone) await markReconciled(tools.database, appId, key, generation)
}

async function settle(
  tools: ChangeTools,
  provider: CalendarProvider,
  scope: CalendarScope,
  key: CalendarKey,
  difference: Difference,
): Promise<Outcome> {
  const { appId } = scope
  const { bookingId, eventId, version, found } = difference
  const followed = { appId, bookingId, version, actor }
  const standing = await provider.find(scope, key, eventId)
  if (!standing.ok) return 'again'
  if (found === 'stray') {
    if (standing.value === undefined) return 'again'
    const from = await missesIts(tools, provider, scope, { key, bookingId, eventId })
    if (from === 'unknown') return 'again'
    if (from !== undefined) return bringBack(tools, provider, scope, { followed, eventId, from: key, to: from })
    const removed = await provider.remove(scope, key, eventId)
    return removed.ok ? 'removed' : 'again'
  }
  if (standing.value !== undefined) {
    if (found !== 'moved') return 'again'
    // At a moment there is no time for the guest.
    if (standing.value.start >= standing.value.end) return placeWhereItBelongs(tools, followed, 'putBack')
    const moved = await moveWithEvent(tools, followed, standing.value)
    if (moved.ok) return 'rescheduled'
    // Another booking has that time: this one stays where it is, and its event with it.
    return moved.problem.kind === 'slotTaken' ? placeWhereItBelongs(tools, followed, 'putBack') : 'again'
  }
  if (found === 'missing') {
    const before = await tools.database.read(appId, (transaction) => countMissing(transaction, key, bookingId))
    if (before === 0) return placeWhereItBelongs(tools, followed, 'placedAgain')
    return before === 1 ? 'reported' : 'reportedBefore'
  }
  const elsewhere = await findElsewhere(tools, provider, scope, { key, eventId })
  if (elsewhere === 'unknown') return 'again'
  if (elsewhere !== undefined) return bringBack(tools, provider, scope, { followed, eventId, from: elsewhere, to: key })
  const cancelled = await cancelWithEvent(tools, followed)
  if (!cancelled.ok) return 'again'
  await forgetOwnItem(tools.database, appId, key, bookingId)
  return 'cancelled'
}

type Which = { readonly key: CalendarKey; readonly bookingId: BookingId; readonly eventId: EventId }

/**
 * The calendar of the same account on which the event of this booking should stand, and does not: whoever carries it to
 * another calendar has not called it off.
 */
async function missesIts(
  tools: ChangeTools,
  provider: CalendarProvider,
  scope: CalendarScope,
  { key, bookingId, eventId }: Which,
): Promise<CalendarKey | undefined | 'unknown'> {
  const booking = await tools.database.read(scope.appId, (transaction) => findBooking(transaction, bookingId))
  if (booking?.state !== 'booked' && booking?.state !== 'pending') return undefined
  const home = booking.service.placements.find((placement) => placement.key.grantId === key.grantId)?.key
  if (home === undefined) return undefined
  const standing = await provider.find(scope, home, eventId)
  if (!standing.ok) return 'unknown'
  return standing.value === undefined ? home : undefined
}

/** Another calendar of the account to which its owner carried the event. */
async function findElsewhere(
  { database }: ChangeTools,
  provider: CalendarProvider,
  scope: CalendarScope,
  { key, eventId }: Omit<Which, 'bookingId'>,
): Promise<CalendarKey | undefined | 'unknown'> {
  if (provider.bringBack === undefined) return undefined
  for (const { grantId, id } of await listCalendars(database, scope.appId, key.grantId, { limit: mostCalendars })) {
    const other = { grantId, calendarId: id }
    if (id === key.calendarId) continue
    const standing = await provider.find(scope, other, eventId)
    if (!standing.ok) return 'unknown'
    if (standing.value !== undefined) return other
  }
  return undefined
}

/** An event belongs where its booking takes time: on another calendar of the owner it would keep nobody from booking. */
async function bringBack(
  tools: ChangeTools,
  provider: CalendarProvider,
  scope: CalendarScope,
  { followed, eventId, from, to }: { followed: Followed; eventId: EventId; from: CalendarKey; to: CalendarKey },
): Promise<Outcome> {
  const brought = await provider.bringBack?.(scope, eventId, { from, to })
  return brought?.ok === true ? placeWhereItBelongs(tools, followed, 'putBack') : 'again'
}

async function placeWhereItBelongs(
  tools: ChangeTools,
  { appId, bookingId, version }: Followed,
  outcome: Outcome,
): Promise<Outcome> {
  const booking = await tools.database.read(appId, (transaction) => findBooking(transaction, bookingId))
  if (booking === undefined || booking.version !== version) return 'again'
  const known = await findKnownConfiguration(tools, appId, booking.configurationId, 'evenDeleted')
  if (!known.ok) return 'again'
  const placed = await putBack(tools, booking, known.value.configuration)
  return placed.ok ? outcome : 'again'
}
