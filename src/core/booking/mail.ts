// What is told to one person by mail, as a snapshot written with the change: a retry, however late, says the same.
import type { Configuration } from '../configuration/configuration.ts'
import type { BookingId } from '../ids.ts'
import type { Instant } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import { type Booking, icalUidOf, type Person } from './booking.ts'
import { encodeReference, fillLink } from './reference.ts'
import { oneLine } from './texts.ts'

export const mailKinds = [
  'confirmed',
  'confirmationRequest',
  'requestReceived',
  'requestMoved',
  'rescheduled',
  'changed',
  'cancelled',
  'declined',
  'reminder',
] as const
export type MailKind = (typeof mailKinds)[number]

export type MailRole = 'guest' | 'additionalGuest' | 'host' | 'organizer'

/** One mail to one person, in that person's language and zone. Texts are plain text, whoever wrote them. */
export type Mail = {
  readonly kind: MailKind
  readonly to: Person
  readonly role: MailRole
  readonly language: string
  readonly timezone: string
  readonly bookingId: BookingId
  /** On whose word it was written, where it was not a guest's: limits are for mails that guests cause. */
  readonly asker?: 'host' | undefined
  /** Replies go to them: for guests the organizer, for hosts the guest. */
  readonly replyTo: Person
  /** What the subject may say: words of the organizer only, never a guest's. */
  readonly subjectTitle: string
  /** The organizer's own subject; empty: ours. */
  readonly subject: string
  readonly title: string
  readonly description: string
  readonly location: string
  /** Empty without a conference. */
  readonly conferenceUrl: string
  readonly when: Interval
  /** The time before a move. */
  readonly before?: Interval
  readonly organizer: Person
  /** Who takes part, as far as the reader may know. */
  readonly people: readonly Person[]
  readonly answers: readonly MailAnswer[]
  readonly reason: string
  readonly policy: string
  /** Empty where there is none for this reader; without a host where it is a page of this server. */
  readonly links: { readonly reschedule: string; readonly cancel: string; readonly confirm: string }
  readonly template: {
    readonly logo: string
    readonly heading: string
    readonly body: string
    readonly hasBranding: boolean
  }
  readonly invitation?: Invitation
}

/** `isTick`: of a checkbox, so that `true` and `false` are said in the reader's language. */
export type MailAnswer = { readonly label: string; readonly value: string; readonly isTick?: true }

/** An iTIP message that rides on the mail (RFC 5546); its times, title and texts are the mail's. */
export type Invitation = {
  readonly method: 'REQUEST' | 'CANCEL'
  readonly uid: string
  /** Rises with every change of the booking. */
  readonly sequence: number
  readonly stampedAt: Instant
  readonly attendees: readonly (Person & { readonly role: MailRole })[]
}

export type Recipient = { readonly person: Person; readonly role: MailRole }

/** What all mails of one change share. */
export type MailMatter = {
  /** As it stands after the change. */
  readonly booking: Booking
  readonly configuration: Configuration
  readonly before?: Interval | undefined
  readonly reason?: string
  readonly subject?: string
  readonly invitation?: Omit<Invitation, 'attendees'> | undefined
}

/** Participants may be named by anything; only what looks like an address can be written to. */
export function isMailAddress(text: string): boolean {
  return /^[^\s@<>"]+@[^\s@<>"]+$/.test(text)
}

/** The people of `booking`, guests first, each address once. */
export function recipientsOf({ service, details }: Pick<Booking, 'service' | 'details'>): Recipient[] {
  return uniqueRecipients([
    { person: details.guest, role: 'guest' },
    ...details.additionalGuests.map((person): Recipient => ({ person, role: 'additionalGuest' })),
    ...service.hosts.map(
      (person): Recipient => ({ person, role: isSame(person, service.organizer) ? 'organizer' : 'host' }),
    ),
  ])
}

/** One mail for each person and change: the first role of an address counts, and what is no address is left out. */
export function uniqueRecipients(recipients: readonly Recipient[]): Recipient[] {
  const byAddress = new Map<string, Recipient>()
  for (const recipient of recipients) {
    const key = recipient.person.email.toLowerCase()
    if (isMailAddress(key) && !byAddress.has(key)) byAddress.set(key, recipient)
  }
  return [...byAddress.values()]
}

/** The mail of `kind` to `recipient`. */
export function mailTo({ person, role }: Recipient, kind: MailKind, matter: MailMatter): Mail {
  const { booking, configuration, before, invitation } = matter
  const { details, service } = booking
  const isHost = role === 'host' || role === 'organizer'
  const isConfirmed = kind === 'confirmed' && !isHost
  return {
    kind,
    to: person,
    role,
    language: isHost ? configuration.organizerLocale : details.emailLanguage,
    timezone: isHost ? zoneOfHost(person, configuration) : details.timezone,
    bookingId: booking.id,
    replyTo: isHost ? details.guest : service.organizer,
    subjectTitle: oneLine(configuration.title.includes('${') ? configuration.name : configuration.title),
    subject: oneLine(matter.subject ?? ''),
    title: details.title,
    description: details.description,
    location: details.location,
    conferenceUrl: conferenceUrlOf(configuration),
    when: booking.when,
    ...(before === undefined ? {} : { before }),
    organizer: service.organizer,
    people: isHost
      ? [details.guest, ...details.additionalGuests]
      : configuration.hideParticipants
        ? [service.organizer]
        : service.hosts,
    answers: role === 'additionalGuest' ? [] : answersOf(booking, configuration),
    reason: matter.reason ?? '',
    policy: isConfirmed ? configuration.cancellationPolicy : '',
    links: linksOf(role, kind, booking, configuration),
    template: {
      logo: configuration.emailTemplate.logo,
      hasBranding: configuration.emailTemplate.hasBranding,
      heading: isConfirmed ? configuration.emailTemplate.heading : '',
      body: isConfirmed ? configuration.emailTemplate.body : '',
    },
    ...(invitation === undefined
      ? {}
      : { invitation: { ...invitation, attendees: attendeesFor({ person, role }, kind, matter) } }),
  }
}

/** Who called off for one person only tells that person; where people are hidden, everyone sees but themselves. */
function attendeesFor(
  recipient: Recipient,
  kind: MailKind,
  { booking, configuration }: MailMatter,
): Invitation['attendees'] {
  const all = recipientsOf(booking)
  const isAmong = all.some(({ person }) => isSame(person, recipient.person))
  const seen = isAmong && !configuration.hideParticipants && kind !== 'declined' ? all : [recipient]
  return seen.map(({ person, role }) => ({ ...person, role }))
}

/** Where a configuration names no page of its own; the address of the server is set before them when the mail is written. */
const ownPages = {
  reschedule: '/reschedule/:booking_ref',
  cancel: '/cancel/:booking_ref',
  confirm: '/confirmation/:booking_ref',
}

/**
 * Additional guests may not call off what another has booked; a pending booking is moved by nobody but its guest. Hosts have
 * a reference of their own, so that their word is not taken for the guest's.
 */
function linksOf(role: MailRole, kind: MailKind, booking: Booking, configuration: Configuration): Mail['links'] {
  const none = { reschedule: '', cancel: '', confirm: '' }
  if (kind === 'cancelled' || kind === 'declined' || role === 'additionalGuest') return none
  const isHost = role === 'host' || role === 'organizer'
  const salt = isHost ? booking.organizerSalt : booking.guestSalt
  const reference = encodeReference({ configurationId: booking.configurationId, bookingId: booking.id, salt })
  if (kind === 'confirmationRequest')
    return {
      ...none,
      confirm: fillLink(configuration.organizerConfirmationUrl || ownPages.confirm, reference),
    }
  return {
    confirm: '',
    reschedule: configuration.hideReschedulingOptions
      ? ''
      : fillLink(configuration.reschedulingUrl || ownPages.reschedule, reference),
    cancel: configuration.hideCancellationOptions
      ? ''
      : fillLink(configuration.cancellationUrl || ownPages.cancel, reference),
  }
}

/** Fields of type `metadata` are the application's own and never shown; so are answers to nothing that was asked. */
function answersOf({ details }: Booking, { additionalFields }: Configuration): Mail['answers'] {
  return Object.entries(additionalFields).flatMap(([key, { label, type }]) => {
    const value = details.additionalFields[key] ?? ''
    if (type === 'metadata' || value === '') return []
    return [{ label: label || key, value, ...(type === 'checkbox' ? { isTick: true } : {}) }]
  })
}

function zoneOfHost(host: Person, configuration: Configuration): string {
  return configuration.participants.find((one) => isSame(one, host))?.timezone ?? configuration.timezone
}

function conferenceUrlOf({ conferencing }: Configuration): string {
  const url = (conferencing?.details as { url?: unknown } | undefined)?.url
  return typeof url === 'string' && /^https?:\/\//.test(url) ? url : ''
}

/** What an invitation says beside its people. */
export function invitationOf(booking: Booking, method: Invitation['method'], stampedAt: Instant) {
  return { method, uid: icalUidOf(booking.eventId), sequence: booking.version, stampedAt }
}

function isSame(a: Pick<Person, 'email'>, b: Pick<Person, 'email'>): boolean {
  return a.email.toLowerCase() === b.email.toLowerCase()
}
