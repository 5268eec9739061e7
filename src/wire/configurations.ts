// A scheduler configuration as JSON: its schema, the document that is kept and answered, and what it means.
import Type, { type Static } from 'typebox'

import type { Hours, OpenHours, SpecificTime } from '../core/availability/availability.ts'
import type {
  AdditionalField,
  BookingType,
  Configuration,
  ConfigurationParticipant,
} from '../core/configuration/configuration.ts'
import type { AppId, ConfigurationId, GrantId } from '../core/ids.ts'
import { allowedOrigin, webAddress } from './addresses.ts'
import { asKept, nullable, optional, withoutNulls } from './common.ts'
import { conferencingSchema } from './conferences.ts'
import { emailTemplateSchema, readEmailTemplate, readReminders, reminderSchema } from './mailSettings.ts'
import { calendarMembers, readUnreadable } from './participantCalendars.ts'
import { whole } from './whole.ts'

const text = (maxLength: number) => optional(Type.String({ maxLength }))
const localTime = Type.String({
  pattern: '^([01]?[0-9]|2[0-3]):[0-5][0-9]$',
  errorMessage: 'must be a time of day like 9:00 or 17:30',
})
const localDate = Type.String({
  pattern: '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$',
  errorMessage: 'must be a date like 2026-03-29',
})
const email = Type.String({ minLength: 1, maxLength: 320 })

export const openHoursSchema = Type.Object({
  days: Type.Array(
    Type.Integer({ minimum: 0, maximum: 6, errorMessage: 'must be a day from 0 (Sunday) to 6 (Saturday)' }),
    { minItems: 1, maxItems: 7 },
  ),
  start: localTime,
  end: localTime,
  timezone: text(64),
  exdates: optional(Type.Array(localDate, { maxItems: 500 })),
  // The editor's spelling of the same.
  ex_dates: optional(Type.Array(localDate, { maxItems: 500 })),
})

export const specificTimeSchema = Type.Object({
  date: localDate,
  start: localTime,
  end: localTime,
  timezone: text(64),
})

const participantSchema = Type.Object({
  email,
  name: text(255),
  is_organizer: optional(Type.Boolean()),
  grant_id: text(320),
  timezone: text(64),
  availability: optional(
    Type.Object({
      ...calendarMembers,
      open_hours: optional(Type.Array(openHoursSchema, { maxItems: 100 })),
    }),
  ),
  booking: optional(Type.Object({ calendar_id: Type.String({ minLength: 1, maxLength: 1024 }) })),
  specific_time_availability: optional(Type.Array(specificTimeSchema)),
  only_specific_time_availability: optional(Type.Boolean()),
})

const availabilityRulesSchema = Type.Object({
  availability_method: optional(Type.Enum(['collective', 'max-fairness', 'max-availability'])),
  buffer: optional(
    Type.Object({
      before: optional(whole({ minimum: 0, maximum: 120, multipleOf: 5 })),
      after: optional(whole({ minimum: 0, maximum: 120, multipleOf: 5 })),
    }),
  ),
  default_open_hours: optional(Type.Array(openHoursSchema, { maxItems: 100 })),
  default_specific_time_availability: optional(Type.Array(specificTimeSchema)),
  only_specific_time_availability: optional(Type.Boolean()),
  round_robin_group_id: text(500),
  tentative_as_busy: optional(Type.Boolean()),
})

const availabilitySchema = Type.Object({
  duration_minutes: whole({ minimum: 1, maximum: 1440 }),
  interval_minutes: optional(whole({ minimum: 1, maximum: 1440 })),
  round_to: optional(whole({ minimum: 5, maximum: 60, multipleOf: 5 })),
  availability_rules: optional(availabilityRulesSchema),
})

const flag = optional(Type.Boolean())
const eventBookingSchema = Type.Object({
  title: Type.String({ minLength: 1, maxLength: 1024 }),
  description: text(8192),
  location: text(255),
  timezone: text(64),
  booking_type: optional(Type.Enum(['booking', 'organizer-confirmation', 'custom-confirmation'])),
  conferencing: optional(conferencingSchema),
  disable_emails: flag,
  hide_participants: flag,
  notify_participants: flag,
  reminders: optional(Type.Array(reminderSchema, { maxItems: 20 })),
})

const additionalFieldSchema = Type.Object({
  label: Type.String({ maxLength: 1024 }),
  type: Type.Enum([
    'text',
    'multi_line_text',
    'email',
    'phone_number',
    'dropdown',
    'date',
    'checkbox',
    'radio_button',
    'multi_select',
    'metadata',
  ]),
  required: optional(Type.Boolean()),
  default: text(2048),
  pattern: text(255),
  order: optional(Type.Integer()),
  options: optional(Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 200 })),
})

export const additionalFieldsSchema = Type.Record(Type.String({ maxLength: 255 }), additionalFieldSchema, {
  maxProperties: 50,
})

export type AdditionalFieldJson = Static<typeof additionalFieldSchema>

const schedulerSchema = Type.Object({
  allowed_origins: optional(Type.Array(allowedOrigin, { maxItems: 50 })),
  available_days_in_future: optional(whole({ minimum: 1, maximum: 3_650 })),
  min_booking_notice: optional(whole({ minimum: 0, maximum: 5_256_000 })),
  min_cancellation_notice: optional(whole({ minimum: 0, maximum: 5_256_000 })),
  cancellation_policy: text(8192),
  rescheduling_url: webAddress,
  cancellation_url: webAddress,
  organizer_confirmation_url: webAddress,
  confirmation_redirect_url: webAddress,
  hide_rescheduling_options: flag,
  hide_cancellation_options: flag,
  hide_additional_guests: flag,
  additional_fields: optional(additionalFieldsSchema),
  email_template: optional(emailTemplateSchema),
  proof_of_work: flag,
  notetaker_settings: optional(Type.Object({})),
})

const topLevel = {
  name: text(255),
  slug: optional(
    Type.String({
      maxLength: 255,
      // Empty is what the editor sends for none.
      pattern: '^[A-Za-z0-9._-]*$',
      errorMessage: 'must be letters, digits, dots, hyphens and underscores',
    }),
  ),
  type: text(32),
  requires_session_auth: flag,
  participants: Type.Array(participantSchema, { minItems: 1, maxItems: 50 }),
  availability: availabilitySchema,
  event_booking: eventBookingSchema,
  scheduler: optional(schedulerSchema),
  appearance: optional(Type.Record(Type.String(), nullable(Type.String({ maxLength: 550 })), { maxProperties: 50 })),
}

/** Said before anything else is asked for: what a group configuration lacks, it lacks because it is one. */
const noGroup = {
  allOf: [
    {
      properties: {
        type: {
          not: { const: 'group' },
          errorMessage:
            'group configurations are not served yet; leave type out for one-on-one, collective and round robin',
        },
      },
    },
  ],
}

export const configurationBody = Type.Object(topLevel, noGroup)
export const configurationChangeBody = Type.Object(
  {
    ...topLevel,
    participants: optional(topLevel.participants),
    availability: optional(topLevel.availability),
    event_booking: optional(topLevel.event_booking),
  },
  noGroup,
)
export const configurationData = Type.Object({ id: Type.String(), ...asKept(topLevel) })

/** The document that is kept: what the client sent, cleaned, without what only the server may say. */
export type ConfigurationDocument = Static<typeof configurationBody>
export type ConfigurationChange = Static<typeof configurationChangeBody>

/** A change laid over a document: members left out keep their value, members present replace theirs whole. */
export function mergeDocument(document: ConfigurationDocument, change: ConfigurationChange): ConfigurationDocument {
  return cleanDocument({
    ...document,
    ...change,
    participants: change.participants ?? document.participants,
    availability: change.availability ?? document.availability,
    event_booking: change.event_booking ?? document.event_booking,
  })
}

/** Only known top-level members, one spelling for the dates left out of open hours. */
export function cleanDocument(body: ConfigurationDocument): ConfigurationDocument {
  const known = Object.fromEntries(
    Object.keys(topLevel).flatMap((key) => (key in body ? [[key, body[key as keyof typeof body]]] : [])),
  )
  return withOneSpelling(known) as ConfigurationDocument
}

function withOneSpelling(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withOneSpelling)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      key === 'ex_dates' && 'days' in value
        ? 'exdates' in value
          ? []
          : [['exdates', item]]
        : [[key, withOneSpelling(item)]],
    ),
  )
}

type Identity = {
  readonly appId: AppId
  readonly id: ConfigurationId
  readonly grantId: GrantId
  readonly version: number
}

/** The answer's `data`: the document with every default that acts filled in. */
export function configurationToJson(document: ConfigurationDocument, { id }: Pick<Identity, 'id'>): object {
  const rules = document.availability.availability_rules ?? {}
  return {
    id,
    slug: document.slug || null,
    name: nameOf(document),
    ...(document.type ? { type: document.type } : {}),
    requires_session_auth: document.requires_session_auth ?? null,
    participants: document.participants,
    availability: {
      ...document.availability,
      interval_minutes: document.availability.interval_minutes ?? document.availability.duration_minutes,
      round_to: document.availability.round_to ?? 15,
      availability_rules: {
        ...rules,
        availability_method: rules.availability_method ?? 'collective',
        buffer: { before: rules.buffer?.before ?? 0, after: rules.buffer?.after ?? 0 },
      },
    },
    event_booking: { ...document.event_booking, booking_type: document.event_booking.booking_type ?? 'booking' },
    scheduler: schedulerWithDefaults(document),
    appearance: document.appearance ?? null,
  }
}

/** `scheduler` with the numbers that the components compute with. */
export function schedulerWithDefaults(document: ConfigurationDocument) {
  const scheduler = document.scheduler ?? {}
  return {
    ...scheduler,
    available_days_in_future: scheduler.available_days_in_future ?? 30,
    min_booking_notice: scheduler.min_booking_notice ?? 60,
    min_cancellation_notice: scheduler.min_cancellation_notice ?? 0,
  }
}

/** What the document means. It must have passed `findConfigurationProblem`. */
export function readConfiguration(document: ConfigurationDocument, identity: Identity): Configuration {
  const { availability, event_booking: event, participants } = document
  const rules = availability.availability_rules ?? {}
  const scheduler = schedulerWithDefaults(document)
  const method = participants.length === 1 ? 'collective' : (rules.availability_method ?? 'collective')
  const organizer = organizerOf(document)
  return {
    ...identity,
    slug: document.slug || undefined,
    name: nameOf(document),
    requiresSessionAuth: document.requires_session_auth ?? false,
    participants: participants.map((participant) =>
      readParticipant(participant, document, method === 'collective' && participant === organizer),
    ),
    durationMinutes: availability.duration_minutes,
    intervalMinutes: availability.interval_minutes ?? availability.duration_minutes,
    roundToMinutes: availability.round_to ?? 15,
    method,
    bufferBeforeMinutes: rules.buffer?.before ?? 0,
    bufferAfterMinutes: rules.buffer?.after ?? 0,
    timezone:
      event.timezone ||
      organizer?.timezone ||
      rules.default_open_hours?.find((block) => block.timezone)?.timezone ||
      'UTC',
    bookingType: (event.booking_type ?? 'booking') as BookingType,
    title: event.title,
    description: event.description ?? '',
    location: event.location ?? '',
    conferencing: event.conferencing?.provider ? withoutNulls(event.conferencing) : undefined,
    disableEmails: event.disable_emails ?? false,
    hideParticipants: event.hide_participants ?? false,
    notifyParticipants: event.notify_participants ?? false,
    availableDaysInFuture: scheduler.available_days_in_future,
    minBookingNoticeMinutes: scheduler.min_booking_notice,
    minCancellationNoticeMinutes: scheduler.min_cancellation_notice,
    additionalFields: readAdditionalFields(document),
    reschedulingUrl: scheduler.rescheduling_url ?? '',
    cancellationUrl: scheduler.cancellation_url ?? '',
    organizerConfirmationUrl: scheduler.organizer_confirmation_url ?? '',
    hideReschedulingOptions: scheduler.hide_rescheduling_options ?? false,
    hideCancellationOptions: scheduler.hide_cancellation_options ?? false,
    hideAdditionalGuests: scheduler.hide_additional_guests ?? false,
    organizerLocale: scheduler.email_template?.organizer_locale ?? 'en',
    cancellationPolicy: scheduler.cancellation_policy ?? '',
    emailTemplate: readEmailTemplate(scheduler.email_template),
    reminders: readReminders(event.reminders),
  }
}

/** What the page is called: where nobody said so, it is the organizer's. */
function nameOf(document: ConfigurationDocument): string {
  const organizer = organizerOf(document)
  return document.name || organizer?.name || organizer?.email || ''
}

type ParticipantJson = ConfigurationDocument['participants'][number]

function organizerOf(document: ConfigurationDocument): ParticipantJson | undefined {
  const { participants } = document
  return participants.find((participant) => participant.is_organizer === true) ?? participants[0]
}

function readParticipant(
  participant: ParticipantJson,
  document: ConfigurationDocument,
  isOrganizer: boolean,
): ConfigurationParticipant {
  return {
    email: participant.email,
    name: participant.name ?? '',
    isOrganizer,
    grantId: participant.grant_id ? (participant.grant_id as GrantId) : undefined,
    timezone: participant.timezone || undefined,
    hours: readHours(participant, document),
    availabilityCalendarIds: participant.availability?.calendar_ids,
    whenUnreadable: readUnreadable(participant.availability),
    bookingCalendarId: participant.booking?.calendar_id,
  }
}

/** Own hours replace the default ones; own dates win over default dates; "only dates" said for all cannot be undone by one. */
function readHours(participant: ParticipantJson, document: ConfigurationDocument): Hours {
  const rules = document.availability.availability_rules ?? {}
  const eventZone = document.event_booking.timezone
  const own = participant.availability?.open_hours ?? []
  const weekly =
    own.length > 0
      ? own.map((block) => readOpenHours(block, block.timezone || participant.timezone || eventZone || 'UTC'))
      : (rules.default_open_hours ?? []).map((block) => readOpenHours(block, eventZone || block.timezone || 'UTC'))
  const ownDates = participant.specific_time_availability ?? []
  const defaultDates = (rules.default_specific_time_availability ?? []).filter(
    ({ date }) => !ownDates.some((entry) => entry.date === date),
  )
  return {
    weekly,
    specific: [
      ...ownDates.map((entry) => readSpecificTime(entry, entry.timezone || participant.timezone || eventZone || 'UTC')),
      ...defaultDates.map((entry) => readSpecificTime(entry, entry.timezone || eventZone || 'UTC')),
    ],
    onlySpecific:
      rules.only_specific_time_availability === true || participant.only_specific_time_availability === true,
  }
}

export function readOpenHours(block: Static<typeof openHoursSchema>, timezone: string): OpenHours {
  return {
    days: block.days,
    startMinute: readLocalTime(block.start),
    endMinute: readLocalTime(block.end),
    timezone,
    exdates: block.exdates ?? block.ex_dates ?? [],
  }
}

export function readSpecificTime(entry: Static<typeof specificTimeSchema>, timezone: string): SpecificTime {
  return { date: entry.date, startMinute: readLocalTime(entry.start), endMinute: readLocalTime(entry.end), timezone }
}

/** Minutes from the local midnight. */
export function readLocalTime(text: string): number {
  const [hours, minutes] = text.split(':').map(Number)
  return (hours ?? 0) * 60 + (minutes ?? 0)
}

function readAdditionalFields(document: ConfigurationDocument): Readonly<Record<string, AdditionalField>> {
  return Object.fromEntries(
    Object.entries(document.scheduler?.additional_fields ?? {}).map(([key, field]) => [
      key,
      {
        label: field.label,
        type: field.type,
        required: field.required ?? false,
        default: field.default ?? undefined,
        pattern: field.pattern ?? undefined,
        options: field.options ?? [],
      },
    ]),
  )
}
