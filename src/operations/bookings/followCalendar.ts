// A booking follows its event: deleted on the calendar, it is called off; moved there, it is rescheduled.
import { findBooking, lockBooking } from '../../adapters/storage/bookings.ts'
import { lockCalendars } from '../../adapters/storage/calendars.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import type { CalendarKey } from '../../core/account/grant.ts'
import type { Actor } from '../../core/account/principal.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { cancel, reschedule } from '../../core/booking/lifecycle.ts'
import type { AppId, BookingId } from '../../core/ids.ts'
import { asUnavailable, changedMeanwhile, notFound } from '../../core/problem.ts'
import { failure, type Result } from '../../core/result.ts'
import type { Interval } from '../../core/time/interval.ts'
import { findKnownConfiguration } from '../configurations/loadConfiguration.ts'
import { type ChangeTools, carryThrough } from './carryThrough.ts'
import { askCalendars } from './placeEvents.ts'

export type Followed = {
  readonly appId: AppId
  readonly bookingId: BookingId
  /** As it was when the calendar was compared with it: whatever changed it since goes first. */
  readonly version: number
  /** Who did it, for the audit log. */
  readonly actor: Actor
  /** What else is written with it, once the booking and its calendars are locked and before its event is. */
  readonly before?: ((transaction: Transaction) => Promise<Result<unknown>>) | undefined
  /** Where it was done, if elsewhere: that calendar has been asked just now. */
  readonly on?: CalendarKey | undefined
}

/** The guest is told as of any cancellation. Problems: `notFound`, `conflict`. */
export function cancelWithEvent(tools: ChangeTools, followed: Followed): Promise<Result<Booking>> {
  return follow(tools, followed, (booking) => cancel(booking, 'calendar', ''))
}

/**
 * The owner of the calendar decides on its time: no open hours, no other event stands against it. Nothing is begun while
 * another calendar of the booking does not answer: it could be neither carried out there nor undone.
 * Problems: also `slotTaken`, `calendarUnavailable`.
 */
export async function moveWithEvent(tools: ChangeTools, followed: Followed, when: Interval): Promise<Result<Booking>> {
  const asked = await askOthers(tools, followed)
  if (!asked.ok) return asked
  return follow(tools, followed, (booking) =>
    reschedule(booking, { when, service: booking.service, details: booking.details, asker: 'host' }),
  )
}

/** A move by hand is not begun where another calendar of the booking does not answer. */
async function askOthers(tools: ChangeTools, { appId, bookingId, on }: Followed): Promise<Result<void>> {
  const booking = await tools.database.read(appId, (transaction) => findBooking(transaction, bookingId))
  if (booking === undefined) return failure(notFound)
  const asked = await askCalendars(tools, { appId, local: tools.database }, booking, on)
  return asked.ok ? asked : failure(asUnavailable(asked.problem))
}

async function follow(
  tools: ChangeTools,
  { appId, bookingId, version, actor, before }: Followed,
  change: (booking: Booking) => Result<Booking>,
): Promise<Result<Booking>> {
  const found = await tools.database.transaction(appId, (transaction) => lockBooking(transaction, bookingId))
  if (found === undefined) return failure(notFound)
  const known = await findKnownConfiguration(tools, appId, found.configurationId, 'evenDeleted')
  if (!known.ok) return known
  const context = { configuration: known.value.configuration, actor, isOnCalendar: true }
  return carryThrough(tools, appId, context, async (transaction) => {
    const current = await lock(transaction, found)
    if (current?.version !== version) return failure(changedMeanwhile)
    const prepared = await before?.(transaction)
    return prepared === undefined || prepared.ok ? change(current) : prepared
  })
}

async function lock(transaction: Transaction, { id, service }: Booking): Promise<Booking | undefined> {
  const [current] = await Promise.all([
    lockBooking(transaction, id),
    lockCalendars(
      transaction,
      service.placements.map(({ key }) => key),
    ),
  ])
  return current
}
