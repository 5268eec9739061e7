// What must be told after a change, and to whom.
import type { Configuration } from '../configuration/configuration.ts'
import type { Instant } from '../time/instant.ts'
import { type Interval, isSameInterval } from '../time/interval.ts'
import type { Booking, Change } from './booking.ts'
import {
  invitationOf,
  type Mail,
  type MailKind,
  type MailMatter,
  mailTo,
  type Recipient,
  recipientsOf,
  uniqueRecipients,
} from './mail.ts'

export type BookingTrigger =
  | 'booking.created'
  | 'booking.pending'
  | 'booking.rescheduled'
  | 'booking.cancelled'
  | 'booking.reminder'

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

export type SettledChange = {
  readonly change: Change
  /** As it stood before the change was carried out. */
  readonly before: Booking
  readonly settled: Booking
  readonly configuration: Configuration
  /** Whether our mail to this address carries the invitation: where no calendar sends one. Never both. */
  readonly invites: (email: string) => boolean
  readonly now: Instant
}

/**
 * The mails of a settled change, one for each person. `disable_emails` silences what is booked, moved or cancelled, not
 * the question to the organizer, which the booking waits for. A custom confirmation is the application's own affair.
 */
export function mailsOf(settledChange: SettledChange): Mail[] {
  const { change, settled } = settledChange
  if (settled.state === 'pending') return [...mailsOfPending(settledChange), ...mailsToUnasked(settledChange)]
  if (settledChange.configuration.disableEmails) return []
  switch (change.kind) {
    case 'create':
    case 'confirm':
      return toAll('confirmed', settledChange)
    case 'reschedule':
      return [...toMoved(settledChange), ...toDropped(settledChange)]
    case 'cancel':
      return change.from === 'pending' ? mailsOfRefusal(settledChange, change.by) : toAll('cancelled', settledChange)
  }
}

/** The organizer is asked; the guest is told that they are, or that the asked-for time has changed. */
function mailsOfPending({ change, before, settled, configuration }: SettledChange): Mail[] {
  if (configuration.bookingType === 'custom-confirmation') return []
  const from = leftTime(change, before, settled)
  const matter: MailMatter = { booking: settled, configuration, before: from }
  const asked = uniqueRecipients([{ person: settled.service.organizer, role: 'organizer' }])
  const request = asked.map((organizer) => mailTo(organizer, 'confirmationRequest', matter))
  if (configuration.disableEmails) return request
  const guest = uniqueRecipients([{ person: settled.details.guest, role: 'guest' }])
  const knows = namedIn(knowing(before))
  return [
    ...request,
    ...guest.map((one) =>
      from !== undefined && knows(one)
        ? mailTo(one, 'requestMoved', matter)
        : mailTo(one, 'requestReceived', { booking: settled, configuration }),
    ),
  ]
}

/** The time that a move left; undefined where there was none, or the booking stayed at it. */
function leftTime(change: Change, before: Booking, settled: Booking): Interval | undefined {
  return change.kind === 'reschedule' && !isSameInterval(before.when, settled.when) ? before.when : undefined
}

function namedIn(recipients: readonly Recipient[]): (one: Recipient) => boolean {
  const named = new Set(recipients.map(({ person }) => person.email.toLowerCase()))
  return ({ person }) => named.has(person.email.toLowerCase())
}

/** For whoever knew of the request before a move, and has no part in it any more, it is called off. */
function mailsToUnasked({ change, before, settled, configuration }: SettledChange): Mail[] {
  const isSilent = configuration.bookingType === 'custom-confirmation' || configuration.disableEmails
  if (change.kind !== 'reschedule' || isSilent) return []
  const stays = namedIn(knowing(settled))
  return knowing(before)
    .filter((one) => !stays(one))
    .map((recipient) => mailTo(recipient, 'cancelled', { booking: before, configuration }))
}

/** Those who know of a request: the guest and the organizer. Nobody is invited. */
function knowing(booking: Booking): Recipient[] {
  return recipientsOf(booking).filter(({ role }) => role === 'guest' || role === 'organizer')
}

/** Those who knew of the request. */
function mailsOfRefusal({ settled, configuration, change }: SettledChange, by: string): Mail[] {
  if (configuration.bookingType === 'custom-confirmation' && by !== 'organizer') return []
  const kind: MailKind = by === 'organizer' ? 'declined' : 'cancelled'
  const matter = { booking: settled, configuration, reason: reasonOf(change) }
  return knowing(settled).map((recipient) => mailTo(recipient, kind, matter))
}

function toAll(kind: MailKind, { change, settled, configuration, invites, now }: SettledChange): Mail[] {
  const matter: MailMatter = { booking: settled, configuration, reason: reasonOf(change) }
  const invitation = invitationOf(settled, kind === 'cancelled' ? 'CANCEL' : 'REQUEST', now)
  return recipientsOf(settled).map((recipient) =>
    mailTo(recipient, kind, invites(recipient.person.email) ? { ...matter, invitation } : matter),
  )
}

/** For whoever joins with a move it is a new booking; the others hear of the new time, or of what else has changed. */
function toMoved({ change, before, settled, configuration, invites, now }: SettledChange): Mail[] {
  const from = leftTime(change, before, settled)
  const tookPart = namedIn(recipientsOf(before))
  const invitation = invitationOf(settled, 'REQUEST', now)
  return recipientsOf(settled).map((recipient) => {
    const matter = {
      booking: settled,
      configuration,
      invitation: invites(recipient.person.email) ? invitation : undefined,
    }
    if (!tookPart(recipient)) return mailTo(recipient, 'confirmed', matter)
    return from === undefined
      ? mailTo(recipient, 'changed', matter)
      : mailTo(recipient, 'rescheduled', { ...matter, before: from })
  })
}

/** For whoever took part before a move and does not any more, it is called off. */
function toDropped({ before, settled, configuration, invites, now }: SettledChange): Mail[] {
  const stays = namedIn(recipientsOf(settled))
  const matter: MailMatter = {
    booking: { ...before, version: settled.version },
    configuration: { ...configuration, hideParticipants: true },
  }
  const invitation = invitationOf(settled, 'CANCEL', now)
  return recipientsOf(before)
    .filter((one) => !stays(one))
    .map((recipient) =>
      mailTo(recipient, 'cancelled', invites(recipient.person.email) ? { ...matter, invitation } : matter),
    )
}

function reasonOf(change: Change): string {
  return change.kind === 'cancel' ? change.reason : ''
}
