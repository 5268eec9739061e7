// What can be booked: with whom, when, and what the event will look like.
import type { CalendarKey, GrantProvider } from '../account/grant.ts'
import type { AvailabilityMethod, Hours } from '../availability/availability.ts'
import { closed, stricter, type UnreadablePolicy } from '../calendar/health.ts'
import type { AppId, ConfigurationId, GrantId } from '../ids.ts'

export type BookingType = 'booking' | 'organizer-confirmation' | 'custom-confirmation'

export type ConfigurationParticipant = {
  readonly email: string
  readonly name: string
  readonly isOrganizer: boolean
  readonly grantId: GrantId | undefined
  readonly timezone: string | undefined
  readonly hours: Hours
  /** Calendars read for busy time, as named (`primary` is an alias); undefined: never busy by a calendar. */
  readonly availabilityCalendarIds: readonly string[] | undefined
  /** What a calendar counts for that cannot be read; absent: `closed`. */
  readonly whenUnreadable?: UnreadablePolicy | undefined
  /** The calendar that carries the event, as named; undefined: not on the booked event. */
  readonly bookingCalendarId: string | undefined
}

export type AdditionalField = {
  readonly label: string
  readonly type: string
  readonly required: boolean
  readonly default: string | undefined
  readonly pattern: string | undefined
  readonly options: readonly string[]
}

export type Configuration = {
  readonly appId: AppId
  readonly id: ConfigurationId
  readonly grantId: GrantId
  readonly version: number
  readonly slug: string | undefined
  readonly name: string
  readonly requiresSessionAuth: boolean
  readonly participants: readonly ConfigurationParticipant[]
  readonly durationMinutes: number
  readonly intervalMinutes: number
  readonly roundToMinutes: number
  readonly method: AvailabilityMethod
  readonly bufferBeforeMinutes: number
  readonly bufferAfterMinutes: number
  /** Zone of the slot grid, of the horizon's last day, and of texts where nothing nearer is known. */
  readonly timezone: string
  readonly bookingType: BookingType
  readonly title: string
  readonly description: string
  readonly location: string
  readonly conferencing: Readonly<Record<string, unknown>> | undefined
  readonly disableEmails: boolean
  readonly hideParticipants: boolean
  readonly notifyParticipants: boolean
  readonly availableDaysInFuture: number
  readonly minBookingNoticeMinutes: number
  readonly minCancellationNoticeMinutes: number
  readonly additionalFields: Readonly<Record<string, AdditionalField>>
  readonly reschedulingUrl: string
  readonly cancellationUrl: string
  readonly organizerConfirmationUrl: string
  readonly hideReschedulingOptions: boolean
  readonly hideCancellationOptions: boolean
  readonly hideAdditionalGuests: boolean
  readonly organizerLocale: string
  /** Shown to guests with the confirmation; empty without one. */
  readonly cancellationPolicy: string
  readonly emailTemplate: EmailTemplate
  readonly reminders: readonly Reminder[]
}

/** How mails look; `heading` and `body` stand in the confirmation that guests get. Empty texts: as we write it. */
export type EmailTemplate = {
  /** An http or https address of a picture. */
  readonly logo: string
  readonly heading: string
  readonly body: string
  readonly hasBranding: boolean
}

export type Reminder = {
  readonly type: 'email' | 'webhook'
  readonly minutesBefore: number
  /** Who is reminded by mail; without meaning for a webhook. */
  readonly recipient: 'all' | 'host' | 'guest'
  /** Empty: ours. */
  readonly subject: string
}

/** A calendar as a participant uses it, with the provider that keeps it. */
export type ParticipantCalendar = {
  readonly key: CalendarKey
  readonly provider: GrantProvider
  /** The email of the account where it is elsewhere: by it one that was taken away and is connected again is known. */
  readonly account?: string | undefined
  /** What it counts for where it cannot be read; absent: `closed`. */
  readonly whenUnreadable?: UnreadablePolicy | undefined
}

/** A participant with the calendars behind the names. */
export type Host = {
  readonly participant: ConfigurationParticipant
  readonly availabilityCalendars: readonly ParticipantCalendar[]
  readonly bookingCalendar: ParticipantCalendar | undefined
}

export function isRoundRobin(configuration: Pick<Configuration, 'method'>): boolean {
  return configuration.method !== 'collective'
}

/**
 * Who can serve: of a round robin those on whose calendar an event can be placed, otherwise all who have a calendar.
 * People with neither are told of the booking and nothing else.
 */
export function hostsOf(configuration: Pick<Configuration, 'method'>, hosts: readonly Host[]): Host[] {
  return hosts.filter(({ participant, bookingCalendar }) =>
    isRoundRobin(configuration)
      ? bookingCalendar !== undefined
      : bookingCalendar !== undefined || participant.availabilityCalendarIds !== undefined,
  )
}

/** Every calendar that is read or written for a booking, each once, in the order in which all are locked. */
export function calendarsOf(hosts: readonly Host[]): ParticipantCalendar[] {
  const byKey = new Map<string, ParticipantCalendar>()
  const add = (calendar: ParticipantCalendar, whenUnreadable: UnreadablePolicy) => {
    const name = calendarName(calendar.key)
    const policy = stricter(byKey.get(name)?.whenUnreadable ?? { kind: 'ignore' }, whenUnreadable)
    byKey.set(name, byKey.has(name) || policy.kind !== 'closed' ? { ...calendar, whenUnreadable: policy } : calendar)
  }
  for (const { participant, availabilityCalendars, bookingCalendar } of hosts) {
    for (const calendar of availabilityCalendars) add(calendar, participant.whenUnreadable ?? closed)
    // Where nothing is read for busy time, only claims count, and a calendar that carries events must answer.
    if (bookingCalendar !== undefined && !availabilityCalendars.some(({ key }) => isSameKey(key, bookingCalendar.key)))
      add(bookingCalendar, closed)
  }
  return [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, calendar]) => calendar)
}

/** As `calendarsOf`. Of a round robin an unreadable calendar takes its owner out of the turn, and nobody else. */
export function calendarsToRead(
  configuration: Pick<Configuration, 'method'>,
  hosts: readonly Host[],
): ParticipantCalendar[] {
  const calendars = calendarsOf(hosts)
  if (!isRoundRobin(configuration) || hosts.length < 2) return calendars
  return calendars.map((calendar) =>
    (calendar.whenUnreadable ?? closed).kind === 'closed'
      ? { ...calendar, whenUnreadable: { kind: 'busy' } }
      : calendar,
  )
}

function isSameKey(a: CalendarKey, b: CalendarKey): boolean {
  return calendarName(a) === calendarName(b)
}

/** One text for a calendar of a grant, to look it up by. */
export function calendarName({ grantId, calendarId }: CalendarKey): string {
  return `${grantId}/${calendarId}`
}
