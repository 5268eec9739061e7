// What must be told after a change, and to whom.
import type { Configuration } from '../configuration/configuration.ts'
import type { Booking, Change, Person } from './booking.ts'

export type BookingTrigger =
  | 'booking.created'
  | 'booking.pending'
  | 'booking.rescheduled'
  | 'booking.cancelled'
  | 'booking.reminder'

export type MailKind =
  | 'confirmed'
  | 'confirmationRequest'
  | 'requestReceived'
  | 'rescheduled'
  | 'cancelled'
  | 'declined'

/** One mail to one person, in that person's language and zone. */
export type Mail = {
  readonly kind: MailKind
  readonly to: Person
  readonly role: 'guest' | 'additionalGuest' | 'host' | 'organizer'
  readonly language: string
  readonly timezone: string
}

/** The trigger of `change`, once it is settled. */
export function triggerOf(change: Change): BookingTrigger {
  switch (change.kind) {
    case 'create':
      return change.to === 'pending' ? 'booking.pending' : 'booking.created'
    case 'confirm':
      return 'booking.created'
    case 'reschedule':
      return 'booking.rescheduled'
    case 'cancel':
      return 'booking.cancelled'
  }
}

/**
 * The mails of `change`; `booking` is the settled one. `disable_emails` silences what is booked, moved or cancelled, not
 * the question to the organizer, which the booking waits for. A custom confirmation is the application's own affair.
 */
export function mailsOf(booking: Booking, change: Change, configuration: Configuration): Mail[] {
  const kind = mailKindOf(change)
  if (kind === 'pending') {
    if (configuration.bookingType === 'custom-confirmation') return []
    const request = toHost(booking.service.organizer, 'confirmationRequest', configuration, 'organizer')
    return configuration.disableEmails
      ? [request]
      : [request, toGuest(booking, booking.details.guest, 'requestReceived', 'guest')]
  }
  if (configuration.disableEmails) return []
  const { details, service } = booking
  const silent = change.kind === 'cancel' && change.from === 'pending'
  return [
    toGuest(booking, details.guest, kind, 'guest'),
    ...(silent ? [] : details.additionalGuests.map((guest) => toGuest(booking, guest, kind, 'additionalGuest'))),
    ...service.hosts.map((host) =>
      toHost(host, kind, configuration, host.email === service.organizer.email ? 'organizer' : 'host'),
    ),
  ]
}

function mailKindOf(change: Change): MailKind | 'pending' {
  switch (change.kind) {
    case 'create':
      return change.to === 'pending' ? 'pending' : 'confirmed'
    case 'confirm':
      return 'confirmed'
    case 'reschedule':
      return 'rescheduled'
    case 'cancel':
      return change.from === 'pending' && change.by === 'organizer' ? 'declined' : 'cancelled'
  }
}

function toGuest({ details }: Booking, to: Person, kind: MailKind, role: Mail['role']): Mail {
  return { kind, to, role, language: details.emailLanguage, timezone: details.timezone }
}

function toHost(to: Person, kind: MailKind, configuration: Configuration, role: Mail['role']): Mail {
  const participant = configuration.participants.find(({ email }) => email === to.email)
  return {
    kind,
    to,
    role,
    language: configuration.organizerLocale,
    timezone: participant?.timezone ?? configuration.timezone,
  }
}
