// What a link in a mail opens: the booking for whoever holds its reference, and nothing for anyone else.
import type { Principal } from '../../core/account/principal.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { overlaps } from '../../core/time/interval.ts'
import { confirmingSalt, type LinkKind, linkedBookingToJson, type PageData, type Stands } from '../../wire/pages.ts'
import { uiSettingsToJson } from '../../wire/uiSettings.ts'
import { findReferenced } from '../bookings/findReferenced.ts'
import { readBusy } from '../calendars/readBusy.ts'
import { findKnownConfiguration } from '../configurations/loadConfiguration.ts'
import type { Tools } from '../tools.ts'
import { findFirstSlots } from './firstSlots.ts'

/**
 * Either holder's link moves and cancels; the organizer's confirms and declines, and the guest's is nothing there.
 * Problems: `notFound`, alike whatever is wrong with the reference.
 */
export async function openLinkPage(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'syncing' | 'now'>,
  kind: LinkKind,
  reference: string,
): Promise<Result<PageData>> {
  const referenced = await findReferenced(tools, reference)
  if (referenced === undefined) return failure(notFound)
  const { booking, holder } = referenced
  if (kind === 'confirmation' && holder !== 'organizer') return failure(notFound)
  const { appId, configurationId, id } = booking
  const known = await findKnownConfiguration(tools, appId, configurationId, 'evenDeleted')
  if (!known.ok) return known
  const settings = uiSettingsToJson(known.value.configuration, known.value.document, {
    isSending: tools.mailer.isSending,
  })
  const live = await findKnownConfiguration(tools, appId, configurationId)
  const linked = linkedBookingToJson(booking, holder, live.ok ? 'live' : 'deleted')
  if (kind === 'cancel') return success({ kind, settings, booking: linked })
  if (kind === 'confirmation')
    return success({
      kind,
      settings,
      booking: linked,
      salt: confirmingSalt(booking),
      stands: booking.state === 'pending' ? await findStands(tools, booking) : 'unknown',
    })
  const principal: Principal = { kind: 'booking', appId, configurationId, bookingId: id, holder }
  const slots =
    booking.state === 'cancelled'
      ? undefined
      : await findFirstSlots(tools, principal, { booking_id: id }, settings.scheduler.available_days_in_future)
  return success({ kind, settings, booking: linked, ...(slots === undefined ? {} : { slots }) })
}

/** Its own claim and event aside. */
async function findStands(tools: Pick<Tools, 'database' | 'providers'>, booking: Booking): Promise<Stands> {
  const { appId, when, service, id, eventId } = booking
  const read = await readBusy(tools, {
    appId,
    calendars: service.placements,
    span: when,
    ignoring: { bookingId: id, eventId },
  })
  if (!read.ok) return 'unknown'
  return read.value.flat().some((interval) => overlaps(interval, when)) ? 'busy' : 'free'
}
