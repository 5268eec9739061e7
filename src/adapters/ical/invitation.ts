// Writes the iCalendar text of an invitation or its cancellation (RFC 5545, RFC 5546; the shape of RFC 6047).
import type { Invitation } from '../../core/booking/mail.ts'
import type { Interval } from '../../core/time/interval.ts'
import { escapeText, fold, quote, withoutControls } from './contentLines.ts'
import { utcText } from './times.ts'

export type InvitationTexts = {
  readonly title: string
  readonly description: string
  readonly location: string
  /** Empty without one. */
  readonly url: string
  readonly when: Interval
  /** Whom calendar programs answer to: it must be the sender of the mail, or they do not trust it. */
  readonly organizer: { readonly name: string; readonly email: string }
}

/** Lines end in CRLF and hold at most 75 octets; times are UTC, so that no time zone has to be described. */
export function writeInvitation(invitation: Invitation, texts: InvitationTexts): string {
  const isCancelled = invitation.method === 'CANCEL'
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//OpenSlot//Bookings//EN',
    'CALSCALE:GREGORIAN',
    `METHOD:${invitation.method}`,
    'BEGIN:VEVENT',
    `UID:${escapeText(invitation.uid)}`,
    `SEQUENCE:${invitation.sequence}`,
    `DTSTAMP:${utcText(invitation.stampedAt)}`,
    `DTSTART:${utcText(texts.when.start)}`,
    `DTEND:${utcText(texts.when.end)}`,
    `SUMMARY:${escapeText(texts.title)}`,
    ...(texts.description === '' ? [] : [`DESCRIPTION:${escapeText(texts.description)}`]),
    ...(texts.location === '' ? [] : [`LOCATION:${escapeText(texts.location)}`]),
    ...(texts.url === '' ? [] : [`URL:${withoutControls(texts.url)}`]),
    `STATUS:${isCancelled ? 'CANCELLED' : 'CONFIRMED'}`,
    'TRANSP:OPAQUE',
    `ORGANIZER;CN=${quote(texts.organizer.name || texts.organizer.email)}:mailto:${withoutControls(texts.organizer.email)}`,
    ...invitation.attendees.map((attendee) => writeAttendee(attendee, isCancelled)),
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return `${lines.map(fold).join('\r\n')}\r\n`
}

/** Hosts have said yes with their open hours; guests may still answer their calendar. */
function writeAttendee({ email, name, role }: Invitation['attendees'][number], isCancelled: boolean): string {
  const isHost = role === 'host' || role === 'organizer'
  const parts = [
    'ATTENDEE',
    'CUTYPE=INDIVIDUAL',
    `ROLE=${role === 'organizer' ? 'CHAIR' : 'REQ-PARTICIPANT'}`,
    `PARTSTAT=${isHost ? 'ACCEPTED' : 'NEEDS-ACTION'}`,
    ...(isHost || isCancelled ? [] : ['RSVP=TRUE']),
    `CN=${quote(name || email)}`,
  ]
  return `${parts.join(';')}:mailto:${withoutControls(email)}`
}
