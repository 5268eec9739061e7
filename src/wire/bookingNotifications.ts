// `data.object` of the booking webhooks, one shape for each trigger.
import { type Booking, type Change, icalUidOf, uniquePeople } from '../core/booking/booking.ts'
import { fillLink } from '../core/booking/reference.ts'
import type { Configuration } from '../core/configuration/configuration.ts'
import { type Instant, toUnixSeconds } from '../core/time/instant.ts'
import type { Interval } from '../core/time/interval.ts'
import { guestReference, organizerReference } from './bookings.ts'

/** `booking` is the settled one; `before` its time before the change. Kept as a snapshot, so a retry says the same. */
export function bookingNotification(
  booking: Booking,
  change: Change,
  before: Interval,
  configuration: Configuration,
): object {
  const ids = { booking_id: booking.id, configuration_id: booking.configurationId }
  const info = bookingInfo(booking, configuration)
  switch (change.kind) {
    case 'create':
      return change.to === 'pending'
        ? {
            ...ids,
            // The one notification whose reader decides: its reference carries the salt that confirms.
            booking_ref: organizerReference(booking),
            booking_type: configuration.bookingType,
            booking_info: {
              ...info,
              host_confirmation_url: fillLink(configuration.organizerConfirmationUrl, organizerReference(booking)),
            },
          }
        : { ...ids, booking_ref: guestReference(booking), object: 'booking', booking_info: info }
    case 'confirm':
      return { ...ids, booking_ref: guestReference(booking), object: 'booking', booking_info: info }
    case 'reschedule':
      return {
        ...ids,
        booking_ref: guestReference(booking),
        object: 'booking',
        booking_info: { ...info, old_start_time: toUnixSeconds(before.start), old_end_time: toUnixSeconds(before.end) },
        // Another organizer decides from now on, and the reference in `booking.pending` decides nothing any more.
        ...(booking.state === 'pending' && change.organizerSalt !== undefined
          ? { organizer_booking_ref: organizerReference(booking) }
          : {}),
      }
    case 'cancel':
      return { ...ids, booking_info: { ...info, cancellation_reason: change.reason } }
  }
}

/** The documented shape of a reminder: no reference, and how far away the event is, in whole seconds. */
export function reminderNotification(
  booking: Booking,
  configuration: Configuration,
  { now, provider }: { readonly now: Instant; readonly provider: string },
): object {
  return {
    booking_id: booking.id,
    configuration_id: booking.configurationId,
    booking_info: {
      ...bookingInfo(booking, configuration),
      time_until_event: Math.max(0, toUnixSeconds(booking.when.start) - toUnixSeconds(now)),
      organizer_email: booking.service.organizer.email,
      provider,
    },
  }
}

function bookingInfo(booking: Booking, configuration: Configuration) {
  const { details, service, when } = booking
  const reference = guestReference(booking)
  const address = service.organizer.email.toLowerCase()
  const organizer = configuration.participants.find(({ email }) => email.toLowerCase() === address)
  return {
    event_id: booking.eventId,
    start_time: toUnixSeconds(when.start),
    end_time: toUnixSeconds(when.end),
    participants: uniquePeople([...service.hosts, details.guest, ...details.additionalGuests]).map(
      ({ email, name }) => ({ email, name }),
    ),
    additional_fields: Object.keys(details.additionalFields).length === 0 ? null : details.additionalFields,
    hide_cancellation_options: configuration.hideCancellationOptions,
    hide_rescheduling_options: configuration.hideReschedulingOptions,
    participant_rescheduling_url: fillLink(configuration.reschedulingUrl, reference),
    participant_cancellation_url: fillLink(configuration.cancellationUrl, reference),
    host_language: configuration.organizerLocale,
    guest_language: details.emailLanguage,
    title: details.title,
    duration: Math.round((when.end - when.start) / 60_000),
    location: details.location,
    organizer_timezone: organizer?.timezone ?? configuration.timezone,
    guest_timezone: details.timezone,
    is_group_event: false,
    organizer_calendar_id: service.placements[0]?.key.calendarId ?? '',
    event_description: details.description,
    event_html_link: '',
    ical_uid: icalUidOf(booking.eventId),
  }
}
