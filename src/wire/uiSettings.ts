// The settings of the booking components as JSON. Everything here is public: no secret, grant id or token belongs in it.
import Type from 'typebox'

import type { Booking, Person } from '../core/booking/booking.ts'
import { beforehand } from '../core/booking/texts.ts'
import { type Configuration, isRoundRobin } from '../core/configuration/configuration.ts'
import { toUnixSeconds } from '../core/time/instant.ts'
import { guestReference } from './bookings.ts'
import { asKept, nullable } from './common.ts'
import {
  type AdditionalFieldJson,
  additionalFieldsSchema,
  type ConfigurationDocument,
  schedulerWithDefaults,
} from './configurations.ts'

/** What a booking page is told. Optional members of a configuration are empty here, never absent. */
export type UiSettings = {
  readonly configuration_id: string
  readonly app_client_id: string
  readonly slug: string | null
  readonly name: string
  readonly booking_type: string
  readonly duration_minutes: number
  /** Where and what about, as it can be told before anyone has booked; empty where there is nothing to tell. */
  readonly location: string
  readonly description: string
  /** Whether those who take part get mails from this server about what becomes of a booking. */
  readonly sends_emails: boolean
  readonly appearance: Readonly<Record<string, string | null>> | null
  readonly organizer: Person
  /** Whom a guest will meet, the organizer first. Empty where they serve in turn: nobody knows before who it will be. */
  readonly hosts: readonly string[]
  readonly scheduler: {
    readonly available_days_in_future: number
    readonly min_booking_notice: number
    readonly min_cancellation_notice: number
    readonly cancellation_policy: string
    readonly rescheduling_url: string
    readonly cancellation_url: string
    readonly organizer_confirmation_url: string
    readonly confirmation_redirect_url: string
    readonly hide_additional_guests: boolean
    readonly hide_cancellation_options: boolean
    readonly hide_rescheduling_options: boolean
    readonly additional_fields: Readonly<Record<string, AdditionalFieldJson>>
    readonly notetaker_settings: object | null
  }
  readonly booking?: object
}

const person = Type.Object({ name: Type.String(), email: Type.String() })

export const uiSettingsData = Type.Object({
  configuration_id: Type.String(),
  app_client_id: Type.String(),
  slug: nullable(Type.String()),
  name: Type.String(),
  booking_type: Type.String(),
  duration_minutes: Type.Integer(),
  location: Type.String(),
  description: Type.String(),
  sends_emails: Type.Boolean(),
  appearance: nullable(Type.Record(Type.String(), nullable(Type.String()))),
  organizer: person,
  hosts: Type.Array(Type.String()),
  scheduler: Type.Object({
    available_days_in_future: Type.Integer(),
    min_booking_notice: Type.Integer(),
    min_cancellation_notice: Type.Integer(),
    cancellation_policy: Type.String(),
    rescheduling_url: Type.String(),
    cancellation_url: Type.String(),
    organizer_confirmation_url: Type.String(),
    confirmation_redirect_url: Type.String(),
    hide_additional_guests: Type.Boolean(),
    hide_cancellation_options: Type.Boolean(),
    hide_rescheduling_options: Type.Boolean(),
    additional_fields: asKept(additionalFieldsSchema),
    notetaker_settings: nullable(Type.Object({})),
  }),
  booking: Type.Optional(
    Type.Object({
      booking_ref: Type.String(),
      guest: person,
      timezone: Type.String(),
      email_language: Type.String(),
      additional_guests: Type.Array(person),
      additional_fields: Type.Record(Type.String(), Type.String()),
      event_data: Type.Object({
        location: Type.String(),
        when: Type.Object({
          start_time: Type.Integer(),
          end_time: Type.Integer(),
          start_timezone: Type.String(),
          end_timezone: Type.String(),
          object: Type.Literal('timespan'),
        }),
      }),
      event_organizer: Type.Object({ ...person.properties, is_organizer: Type.Boolean() }),
    }),
  ),
})

/**
 * Members that the components compute with are always there. The booking's own people are in it for whoever holds its id,
 * since the reschedule form starts from them; the salt that confirms is not. `isSending`: the server has where to send mails.
 */
export function uiSettingsToJson(
  configuration: Configuration,
  document: ConfigurationDocument,
  { booking, isSending }: { readonly booking?: Booking; readonly isSending: boolean },
): UiSettings {
  const organizer = configuration.participants.find(({ isOrganizer }) => isOrganizer) ?? configuration.participants[0]
  const scheduler = schedulerWithDefaults(document)
  return {
    configuration_id: configuration.id,
    app_client_id: configuration.appId,
    slug: configuration.slug ?? null,
    name: configuration.name,
    booking_type: configuration.bookingType,
    duration_minutes: configuration.durationMinutes,
    location: beforehand(withoutWebAddress(configuration.location), configuration),
    description: beforehand(configuration.description, configuration),
    sends_emails: isSending && !configuration.disableEmails,
    appearance: document.appearance ?? null,
    organizer: { name: organizer?.name ?? '', email: organizer?.email ?? '' },
    hosts: isRoundRobin(configuration)
      ? []
      : namesOf(configuration.participants.toSorted((a, b) => Number(b.isOrganizer) - Number(a.isOrganizer))),
    scheduler: {
      available_days_in_future: scheduler.available_days_in_future,
      min_booking_notice: scheduler.min_booking_notice,
      min_cancellation_notice: scheduler.min_cancellation_notice,
      cancellation_policy: scheduler.cancellation_policy ?? '',
      rescheduling_url: scheduler.rescheduling_url ?? '',
      cancellation_url: scheduler.cancellation_url ?? '',
      organizer_confirmation_url: scheduler.organizer_confirmation_url ?? '',
      confirmation_redirect_url: scheduler.confirmation_redirect_url ?? '',
      hide_additional_guests: configuration.hideAdditionalGuests,
      hide_cancellation_options: configuration.hideCancellationOptions,
      hide_rescheduling_options: configuration.hideReschedulingOptions,
      additional_fields: scheduler.additional_fields ?? {},
      notetaker_settings: scheduler.notetaker_settings ?? null,
    },
    ...(booking === undefined ? {} : { booking: bookingPart(configuration, booking) }),
  }
}

/** Whoever has an online meeting's address can come in: it is for those who have booked. */
function withoutWebAddress(place: string): string {
  return /:\/\/|\bwww\./i.test(place) ? '' : place
}

/** A host without a name is known by the address. */
export function namesOf(people: readonly Person[]): string[] {
  return people.map(({ name, email }) => name || email)
}

function bookingPart({ timezone }: Configuration, booking: Booking): object {
  const { details, service, when } = booking
  return {
    booking_ref: guestReference(booking),
    guest: details.guest,
    timezone: details.timezone,
    email_language: details.emailLanguage,
    additional_guests: details.additionalGuests,
    additional_fields: details.additionalFields,
    event_data: {
      location: details.location,
      when: {
        start_time: toUnixSeconds(when.start),
        end_time: toUnixSeconds(when.end),
        start_timezone: timezone,
        end_timezone: timezone,
        object: 'timespan',
      },
    },
    event_organizer: { name: service.organizer.name, email: service.organizer.email, is_organizer: true },
  }
}
