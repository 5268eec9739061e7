// A booking whose account was taken away and is connected again: it stands where it stood, through the new grant.
import type { CalendarProvider, CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import { lockBooking, updateBooking } from '../../adapters/storage/bookings.ts'
import { lockCalendars } from '../../adapters/storage/calendars.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { placedEvent } from '../../core/booking/lifecycle.ts'
import type { ParticipantCalendar } from '../../core/configuration/configuration.ts'
import { changedMeanwhile } from '../../core/problem.ts'
import { failure, success } from '../../core/result.ts'
import { isSameInterval } from '../../core/time/interval.ts'
import { findKnownConfiguration } from '../configurations/loadConfiguration.ts'
import type { ChangeTools } from './carryThrough.ts'
import { claimingTime, replaceClaims } from './claimTime.ts'

/**
 * `from` is gone, and `to` is the same calendar. Nothing of it is news to anyone. The event is made as the booking stands, unless
 * it is the only one of the booking and has another time: then its owner moved it meanwhile, and the booking follows when
 * the calendar is compared the next time. `taken`: another booking has the time there.
 */
export async function reconnectBooking(
  tools: ChangeTools,
  provider: CalendarProvider,
  scope: CalendarScope,
  booking: Booking,
  { from, to }: { readonly from: ParticipantCalendar; readonly to: ParticipantCalendar },
): Promise<'reconnected' | 'taken' | 'again'> {
  const { appId, service, version } = booking
  const placements = service.placements.map((placement) => (placement === from ? to : placement))
  const standing: Booking = { ...booking, service: { ...service, placements }, version: version + 1 }
  const invited = await placeAsItStands(tools, provider, scope, standing, to)
  if (invited === 'again') return 'again'
  const reconnected: Booking = { ...standing, invitedByCalendar: invited }
  const written = await claimingTime(() =>
    tools.database.transaction(appId, async (transaction) => {
      const [current] = await Promise.all([
        lockBooking(transaction, booking.id),
        lockCalendars(
          transaction,
          placements.map(({ key }) => key),
        ),
      ])
      if (current?.version !== version) return failure(changedMeanwhile)
      await Promise.all([updateBooking(transaction, reconnected, version), replaceClaims(transaction, reconnected)])
      return success(undefined)
    }),
  )
  if (written.ok) return 'reconnected'
  return written.problem.kind === 'slotTaken' ? 'taken' : 'again'
}

/** Whom calendars have invited by themselves once it stands. */
async function placeAsItStands(
  tools: ChangeTools,
  provider: CalendarProvider,
  scope: CalendarScope,
  booking: Booking,
  { key }: ParticipantCalendar,
): Promise<readonly string[] | 'again'> {
  const there = await provider.find(scope, key, booking.eventId)
  if (!there.ok || there.value === undefined) return 'again'
  const isMoved = !isSameInterval(there.value, booking.when)
  const { placements } = booking.service
  if (isMoved && placements.length === 1) return booking.invitedByCalendar
  const known = await findKnownConfiguration(tools, booking.appId, booking.configurationId, 'evenDeleted')
  const event = known.ok ? placedEvent(booking, known.value.configuration, tools.now()) : undefined
  if (event === undefined) return 'again'
  const placed = await provider.place(scope, key, event)
  if (!placed.ok) return 'again'
  return placements.length === 1
    ? placed.value.invited
    : [...new Set([...booking.invitedByCalendar, ...placed.value.invited])]
}
