// An event that bears the marker of a booking which takes no time on that calendar: whose is it, and what becomes of it?
import type { CalendarProvider, CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import { findBooking } from '../../adapters/storage/bookings.ts'
import { findCalendar } from '../../adapters/storage/calendars.ts'
import { findGrant } from '../../adapters/storage/grants.ts'
import { listOutcomes } from '../../adapters/storage/reconciliations.ts'
import { type CalendarKey, type Grant, isAddressOf } from '../../core/account/grant.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { stands } from '../../core/booking/lifecycle.ts'
import { calendarName, type ParticipantCalendar } from '../../core/configuration/configuration.ts'
import { isSameInterval } from '../../core/time/interval.ts'
import type { ChangeTools } from '../bookings/carryThrough.ts'
import type { Followed } from '../bookings/followCalendar.ts'
import { isHere, providerOf } from '../bookings/placeEvents.ts'
import { reconnectBooking } from '../bookings/reconnectBooking.ts'

/**
 * `bringBack`: to the calendar of the same account where it belongs. `leftAlone`: it is another grant's, or nobody can say;
 * `asBefore`: it was already, and nothing was asked. `refused`: the calendar does not let it go yet.
 */
export type Settled =
  | 'again'
  | 'removed'
  | 'refused'
  | 'reconnected'
  | 'leftAlone'
  | 'asBefore'
  | { readonly bringBackTo: CalendarKey }

/** A calendar that answers, and has refused so often to let an event go, is asked for it no more. */
const mostRefusals = 5

type Stray = {
  readonly provider: CalendarProvider
  readonly scope: CalendarScope
  readonly key: CalendarKey
  readonly booking: Booking
}

/**
 * The event of a booking that has ended is removed. That of a live one keeps its owner from nothing that it should not: it
 * may be the very event of the booking, seen through another grant, and is removed only from a calendar that the booking was
 * moved off, and that cannot be the one where it stands now. Where the account it stood on was taken away and this is that
 * calendar, connected again, the booking stands here from now on; so it does where the account knows the calendar it stood on
 * no more, as one that was connected under another address of its server.
 */
export async function settleStray(
  tools: ChangeTools,
  provider: CalendarProvider,
  scope: CalendarScope,
  { followed: { bookingId, version }, key }: { readonly followed: Followed; readonly key: CalendarKey },
): Promise<Settled> {
  const [booking, grant, before] = await tools.database.read(scope.appId, (transaction) =>
    Promise.all([
      findBooking(transaction, bookingId),
      findGrant(transaction, { by: 'id', value: key.grantId }),
      listOutcomes(transaction, key, { found: 'stray', bookingId }),
    ]),
  )
  const calendar = await findCalendar(tools.database, scope.appId, key)
  if (booking?.version !== version || grant === undefined || calendar === undefined) return 'again'
  const stray: Stray = { provider, scope, key, booking }
  const leave = () => (before.includes('leftAlone') ? 'asBefore' : 'leftAlone')
  if (calendar.readOnly || before.filter((outcome) => outcome === 'refused').length >= mostRefusals) return leave()
  if (!stands(booking.state)) return remove(stray)

  const home = booking.service.placements.find((placement) => placement.key.grantId === key.grantId)
  if (home !== undefined && !before.includes('leftAlone')) {
    const standing = await provider.find(scope, home.key, booking.eventId)
    if (!standing.ok || standing.value === undefined) {
      const listed = await provider.listCalendars(scope, key.grantId)
      if (!listed.ok) return 'again'
      const { found, unread } = listed.value
      if (unread.includes(home.key.calendarId)) return 'again'
      if (found.some(({ id }) => id === home.key.calendarId)) return standing.ok ? { bringBackTo: home.key } : 'again'
      // Whose it is nobody can say where other hosts have theirs at the same time.
      return booking.service.placements.length === 1 ? reconnect(tools, stray, home, { ...home, key }, leave) : leave()
    }
  }
  const gone = await findPlacementBefore(tools, booking, { key, grant })
  if (gone !== undefined)
    return reconnect(tools, stray, gone, { ...gone, key, provider: grant.provider, account: grant.email }, leave)
  const wasMovedOff = booking.movedOff?.some((left) => isSameCalendar(left, { key, grant })) === true
  if (!wasMovedOff) return leave()
  const isOther = await isAnotherEvent(tools, stray)
  return isOther === 'unknown' ? 'again' : isOther ? remove(stray) : leave()
}

/** The booking stands on `to` from now on, and no more on `from`, which is gone. */
async function reconnect(
  tools: ChangeTools,
  { provider, scope, booking }: Stray,
  from: ParticipantCalendar,
  to: ParticipantCalendar,
  leave: () => Settled,
): Promise<Settled> {
  const reconnected = await reconnectBooking(tools, provider, scope, booking, { from, to })
  return reconnected === 'taken' ? leave() : reconnected
}

async function remove({ provider, scope, key, booking }: Stray): Promise<'again' | 'removed' | 'refused'> {
  const standing = await provider.find(scope, key, booking.eventId)
  if (!standing.ok || standing.value === undefined) return 'again'
  const removed = await provider.remove(scope, key, booking.eventId)
  return removed.ok ? 'removed' : 'refused'
}

/** The placement of the booking on the calendar `key`, from before its account was taken away and connected again. */
async function findPlacementBefore(
  tools: ChangeTools,
  { appId, service }: Booking,
  { key, grant }: { readonly key: CalendarKey; readonly grant: Grant },
): Promise<ParticipantCalendar | undefined> {
  // Older bookings do not say whose account it was.
  const isOfHost = service.hosts.some(({ email }) => isAddressOf(grant, email))
  for (const placement of service.placements) {
    const { account = isOfHost ? grant.email : undefined } = placement
    if (isHere(tools, placement) || !isSameCalendar({ ...placement, account }, { key, grant })) continue
    if ((await findCalendar(tools.database, appId, placement.key)) === undefined) return placement
  }
  return undefined
}

/** Also where the account was connected anew since, under whichever of its addresses. */
function isSameCalendar(
  { key: before, account }: ParticipantCalendar,
  { key, grant }: { readonly key: CalendarKey; readonly grant: Grant },
): boolean {
  if (calendarName(before) === calendarName(key)) return true
  return before.calendarId === key.calendarId && account !== undefined && isAddressOf(grant, account)
}

/**
 * Whether the event on `key` is surely none of those where the booking stands: two calendars that show the same one show it
 * at the same time.
 */
async function isAnotherEvent(
  tools: ChangeTools,
  { provider, scope, key, booking }: Stray,
): Promise<boolean | 'unknown'> {
  const here = await provider.find(scope, key, booking.eventId)
  if (!here.ok || here.value === undefined) return 'unknown'
  for (const placement of booking.service.placements) {
    if (isHere(tools, placement)) continue
    const there = await providerOf(tools, placement)?.find(scope, placement.key, booking.eventId)
    if (there?.ok !== true) return 'unknown'
    if (there.value === undefined || isSameInterval(there.value, here.value)) return false
  }
  return true
}
