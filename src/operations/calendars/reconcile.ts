// Brings a calendar and the bookings on it together again: what its owner did there by hand counts.
import type { CalendarProvider, CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import { findBooking } from '../../adapters/storage/bookings.ts'
import { listCalendars } from '../../adapters/storage/calendars.ts'
import { findReconciled, forgetOwnItem, markReconciled } from '../../adapters/storage/mirrors.ts'
import {
  type Difference,
  findDifferences,
  listLeftAlone,
  listOutcomes,
  recordReconciliation,
} from '../../adapters/storage/reconciliations.ts'
import type { CalendarKey } from '../../core/account/grant.ts'
import { calendarOwner } from '../../core/account/principal.ts'
import type { AppId, BookingId, EventId } from '../../core/ids.ts'
import { isSameInterval } from '../../core/time/interval.ts'
import { type ChangeTools, putBack } from '../bookings/carryThrough.ts'
import { cancelWithEvent, type Followed, moveWithEvent } from '../bookings/followCalendar.ts'
import { findKnownConfiguration } from '../configurations/loadConfiguration.ts'
import { type Settled, settleStray } from './settleStray.ts'

/**
 * `again`: the calendar or the booking changed meanwhile, or could not be asked. With that, and with what was only begun, the
 * next reading looks anew; what is `asBefore` is not written down once more.
 */
type Outcome =
  | 'cancelled'
  | 'rescheduled'
  | 'putBack'
  | 'placedAgain'
  | 'reported'
  | Exclude<Settled, { readonly bringBackTo: CalendarKey }>

const looksAnew: ReadonlySet<Outcome> = new Set(['again', 'refused', 'reconnected'])

const actor = calendarOwner
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
    if (looksAnew.has(outcome)) isDone = false
    if (outcome !== 'again' && outcome !== 'asBefore')
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
  const followed = { appId, bookingId, version, actor, on: key }
  if (found === 'stray') {
    const settled = await settleStray(tools, provider, scope, { followed, key })
    if (typeof settled === 'string') return settled
    return bringBack(tools, provider, scope, { followed, eventId, from: key, to: settled.bringBackTo })
  }
  const standing = await provider.find(scope, key, eventId)
  if (!standing.ok) return 'again'
  if (standing.value !== undefined) {
    // By now, or after all: what lies far ahead is not among what is read of a calendar, and stands at its new time.
    if (isSameInterval(standing.value, difference.when)) return 'again'
    // At a moment there is no time for the guest.
    if (standing.value.start >= standing.value.end) return placeWhereItBelongs(tools, followed, 'putBack')
    const moved = await moveWithEvent(tools, followed, standing.value)
    if (moved.ok) return 'rescheduled'
    // Another booking has that time: this one stays where it is, and its event with it.
    return moved.problem.kind === 'slotTaken' ? placeWhereItBelongs(tools, followed, 'putBack') : 'again'
  }
  if (found === 'missing') {
    const before = await tools.database.read(appId, (transaction) => listOutcomes(transaction, key, difference))
    if (before.length === 0) return placeWhereItBelongs(tools, followed, 'placedAgain')
    return before.length === 1 ? 'reported' : 'asBefore'
  }
  const elsewhere = await findElsewhere(tools, provider, scope, { key, bookingId, eventId })
  if (elsewhere === 'unknown') return 'again'
  if (elsewhere !== undefined) return bringBack(tools, provider, scope, { followed, eventId, from: elsewhere, to: key })
  const cancelled = await cancelWithEvent(tools, followed)
  if (!cancelled.ok) return 'again'
  await forgetOwnItem(tools.database, appId, key, bookingId)
  return 'cancelled'
}

type Which = { readonly key: CalendarKey; readonly bookingId: BookingId; readonly eventId: EventId }

/**
 * Another calendar of the account to which its owner carried the event: whoever does has not called it off. None that shows
 * somebody else's, who serves too, and none from which it could not come back.
 */
async function findElsewhere(
  { database }: ChangeTools,
  provider: CalendarProvider,
  scope: CalendarScope,
  { key, bookingId, eventId }: Which,
): Promise<CalendarKey | undefined | 'unknown'> {
  if (provider.bringBack === undefined) return undefined
  const ofOthers = await database.read(scope.appId, (transaction) => listLeftAlone(transaction, key.grantId, bookingId))
  const calendars = await listCalendars(database, scope.appId, key.grantId, { limit: mostCalendars })
  for (const { grantId, id, readOnly } of calendars) {
    const other = { grantId, calendarId: id }
    if (id === key.calendarId || readOnly || ofOthers.includes(id)) continue
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
