// A booking as JSON: what clients send to make, move, confirm and cancel one, and what they get.
import Type, { type Static } from 'typebox'

import { type Booking, icalUidOf, type Person } from '../core/booking/booking.ts'
import { encodeReference } from '../core/booking/reference.ts'
import { toUnixSeconds } from '../core/time/instant.ts'
import { nullable, optional } from './common.ts'
import { unixSeconds } from './whole.ts'

const email = Type.String({
  maxLength: 320,
  pattern: '^[^\\s@<>"]+@[^\\s@<>"]+$',
  errorMessage: 'must be a mail address',
})

const guest = Type.Object({ name: Type.String({ minLength: 1, maxLength: 255 }), email })
const additionalGuests = Type.Array(Type.Object({ email, name: optional(Type.String({ maxLength: 320 })) }), {
  maxItems: 10,
})
const answerValue = Type.Union([Type.String(), Type.Boolean(), Type.Number()], { errorMessage: 'must be text' })

const told = {
  participants: optional(Type.Array(Type.Object({ email: Type.String({ maxLength: 320 }) }), { maxItems: 50 })),
  timezone: optional(Type.String({ maxLength: 64, description: "The guest's IANA zone, for mails" })),
  email_language: optional(
    Type.String({ maxLength: 35, description: 'en, fr, de, es, nl, sv, ja, zh or ko; anything else means en' }),
  ),
  additional_guests: optional(additionalGuests),
  additional_fields: optional(
    Type.Record(Type.String({ maxLength: 255 }), nullable(answerValue), { maxProperties: 50 }),
  ),
}

/** What the booking page of this server says about the one who filled it in; anyone else leaves it out. */
const pageCheck = Type.Object({
  website: optional(Type.String({ maxLength: 255, description: 'A field that no person sees: empty' })),
  open_seconds: optional(Type.Number({ minimum: 0, description: 'How long the page had been open' })),
  proof: optional(Type.String({ maxLength: 2_048, description: 'The solution of a challenge, in Base64' })),
})

export type PageCheckJson = Static<typeof pageCheck>

export const createBookingBody = Type.Object({
  start_time: unixSeconds(),
  end_time: unixSeconds(),
  guest,
  ...told,
  page_check: optional(pageCheck),
})
export const rescheduleBookingBody = Type.Object({
  start_time: unixSeconds(),
  end_time: unixSeconds(),
  guest: optional(guest),
  ...told,
  shown_start_time: Type.Optional(
    nullable(unixSeconds('The start that the guest was shown: where the booking has another by now, nothing is done')),
  ),
})
export const confirmBookingBody = Type.Object({
  salt: Type.String({
    minLength: 1,
    maxLength: 255,
    description: "The salt of the organizer's booking reference, URL-safe Base64 without padding",
  }),
  status: Type.Enum(['confirmed', 'cancelled']),
  cancellation_reason: optional(Type.String({ maxLength: 2_000 })),
  start_time: optional(
    unixSeconds('The start that the organizer was shown: where the booking has another by now, nothing is done'),
  ),
})
export const cancelBookingBody = Type.Optional(
  Type.Unsafe<{ cancellation_reason?: string | null; start_time?: number | null } | undefined>({
    type: ['object', 'null'],
    properties: {
      cancellation_reason: { type: ['string', 'null'], maxLength: 2_000 },
      start_time: nullable(
        unixSeconds('The start that the guest was shown: where the booking has another by now, nothing is done'),
      ),
    },
  }),
)

export type CreateBookingJson = Static<typeof createBookingBody>
export type RescheduleBookingJson = Static<typeof rescheduleBookingBody>

export const bookingData = Type.Object({
  booking_id: Type.String(),
  event_id: Type.String({ description: 'Everybody on the event may know it: it opens nothing, as booking_id does' }),
  title: Type.String(),
  organizer: Type.Object({ email: Type.String(), name: Type.String() }),
  status: Type.Enum(['booked', 'pending', 'cancelled']),
  description: Type.String(),
  location: Type.Optional(Type.String()),
  booking_ref: Type.Optional(
    Type.String({ description: "The guest's own reference: it moves and cancels, and never confirms" }),
  ),
  version: Type.Integer({ description: 'Rises with every change, and is the SEQUENCE of its invitations by mail' }),
  ical_uid: Type.String({ description: 'The UID of its invitations by mail' }),
})

/** The booking as everyone with its id sees it. `booking_ref` is the guest's. */
export function bookingToJson(booking: Booking) {
  const { details, service } = booking
  return {
    booking_id: booking.id,
    event_id: booking.eventId,
    title: details.title,
    organizer: { email: service.organizer.email, name: service.organizer.name },
    status: statusOf(booking),
    description: details.description,
    location: details.location,
    booking_ref: guestReference(booking),
    version: booking.version,
    ical_uid: icalUidOf(booking.eventId),
  }
}

export const bookingListItem = Type.Object({
  ...bookingData.properties,
  configuration_id: Type.String(),
  start_time: Type.Integer(),
  end_time: Type.Integer(),
  guest: Type.Object({ email: Type.String(), name: Type.String() }),
  additional_guests: Type.Array(Type.Object({ email: Type.String(), name: Type.String() })),
  additional_fields: Type.Record(Type.String(), Type.String()),
  timezone: Type.String(),
  calendar_id: Type.String(),
  grant_id: Type.String(),
  organizer_booking_ref: Type.String({ description: "The organizer's reference: its salt confirms or declines" }),
  cancelled_by: Type.Union([Type.String(), Type.Null()]),
  cancellation_reason: Type.String(),
  assignment: Type.Object({}),
  created_at: Type.Integer(),
  updated_at: Type.Integer(),
})

/** The booking as the key holder sees it: with times, people, calendar and both references. */
export function bookingToListItem(booking: Booking) {
  const { details, service } = booking
  const [placement] = service.placements
  return {
    ...bookingToJson(booking),
    configuration_id: booking.configurationId,
    start_time: toUnixSeconds(booking.when.start),
    end_time: toUnixSeconds(booking.when.end),
    guest: details.guest,
    additional_guests: details.additionalGuests,
    additional_fields: details.additionalFields,
    timezone: details.timezone,
    calendar_id: placement?.key.calendarId ?? '',
    grant_id: placement?.key.grantId ?? '',
    organizer_booking_ref: organizerReference(booking),
    cancelled_by: booking.cancelledBy ?? null,
    cancellation_reason: booking.cancellationReason,
    assignment: service.assignment,
    created_at: toUnixSeconds(booking.createdAt),
    updated_at: toUnixSeconds(booking.updatedAt),
  }
}

export function guestReference(booking: Booking): string {
  return encodeReference({ configurationId: booking.configurationId, bookingId: booking.id, salt: booking.guestSalt })
}

export function organizerReference(booking: Booking): string {
  return encodeReference({
    configurationId: booking.configurationId,
    bookingId: booking.id,
    salt: booking.organizerSalt,
  })
}

/** A held booking never leaves the server; a released one never was. */
function statusOf({ state }: Booking): 'booked' | 'pending' | 'cancelled' {
  return state === 'held' || state === 'released' ? 'cancelled' : state
}

export type GuestWords = {
  readonly participants: readonly string[]
  readonly timezone: string | undefined
  readonly emailLanguage: string
  readonly additionalGuests: readonly Person[] | undefined
  readonly additionalFields: Readonly<Record<string, string>> | undefined
}

const languages = ['en', 'fr', 'de', 'es', 'nl', 'sv', 'ja', 'zh', 'ko']

/** What the guest said beside the time. An empty list of participants means the same as none. */
export function readGuestWords(
  body: Omit<RescheduleBookingJson, 'start_time' | 'end_time' | 'guest' | 'shown_start_time'>,
): GuestWords {
  const language = body.email_language?.slice(0, 2).toLowerCase() ?? 'en'
  return {
    participants: (body.participants ?? []).map((participant) => participant.email),
    timezone: body.timezone || undefined,
    emailLanguage: languages.includes(language) ? language : 'en',
    additionalGuests: body.additional_guests?.map((person) => ({
      email: person.email,
      name: person.name || person.email,
    })),
    additionalFields:
      body.additional_fields === undefined || body.additional_fields === null
        ? undefined
        : Object.fromEntries(
            Object.entries(body.additional_fields).flatMap(([key, value]) =>
              value === null ? [] : [[key, String(value)]],
            ),
          ),
  }
}
