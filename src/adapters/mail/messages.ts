// From the snapshot of a mail to the message: subject, plain text, HTML and invitation, in the reader's language and zone.
import { publicNameOf } from '../../core/booking/booking.ts'
import { isMailAddress, type Mail, type MailAnswer, type MailKind } from '../../core/booking/mail.ts'
import { oneLine } from '../../core/booking/texts.ts'
import type { EventId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { isTimezone } from '../../core/time/zone.ts'
import type { Notice } from '../../core/webhook/notice.ts'
import { writeInvitation } from '../ical/invitation.ts'
import { catalogueOf } from './catalogues.ts'
import type { Catalogue } from './languages/en.ts'
import { type Letter, writeHtml, writeText } from './letter.ts'
import type { Address, Message } from './mailer.ts'
import { writeNotice } from './notices.ts'

export type Writing = {
  /** Of the row that the mail is kept in. */
  readonly id: string
  /** Of the booking that it is about. */
  readonly eventId: EventId | null
  readonly from: Address
  /** Of this server, whose pages links without a host lead to. */
  readonly baseUrl: string
}

/** The same mail and id give the same message, whenever it is asked for. */
export function writeMessage(snapshot: Mail | Notice, { id, eventId, from, baseUrl }: Writing): Message {
  if (snapshot.role === 'operator') return writeNotice(snapshot, { id, from })
  const { locale, catalogue } = catalogueOf(snapshot.language)
  const mail = withOwnPages(snapshot, baseUrl, locale)
  const domain = from.email.slice(from.email.lastIndexOf('@') + 1)
  const letter = compose(mail, locale, catalogue)
  return {
    messageId: `${id}@${domain}`,
    // By what whoever gets it may know: additional guests get one too, and the booking's own id would open it to them.
    thread: `booking-${eventId === null ? id : publicNameOf(eventId)}@${domain}`,
    from,
    replyTo: isMailAddress(mail.replyTo.email) ? addressOf(mail.replyTo) : from,
    to: addressOf(mail.to),
    subject: subjectOf(mail, locale, catalogue),
    text: writeText(letter),
    html: writeHtml(letter),
    language: locale,
    invitation: mail.invitation && {
      method: mail.invitation.method,
      text: writeInvitation(mail.invitation, {
        title: mail.title,
        description: invitationText(mail, letter),
        location: mail.location || mail.conferenceUrl,
        url: mail.conferenceUrl,
        when: mail.when,
        organizer: { name: mail.organizer.name || mail.organizer.email, email: from.email },
      }),
    },
  }
}

/**
 * The address of the server is its own affair and may change; what stands behind it does not. Our pages speak the mail's
 * language; after English, which also those read whose language the mails do not have, the browser's.
 */
function withOwnPages(mail: Mail, baseUrl: string, locale: string): Mail {
  const [code] = locale.toLowerCase().split('-')
  const whole = (link: string) =>
    link.startsWith('/') ? `${baseUrl}${link}${code === 'en' ? '' : `?lang=${code}`}` : link
  const { reschedule, cancel, confirm } = mail.links
  return { ...mail, links: { reschedule: whole(reschedule), cancel: whole(cancel), confirm: whole(confirm) } }
}

/** Nothing that a guest wrote: whoever books in another's name cannot choose what that person reads first. */
function subjectOf(mail: Mail, locale: string, { headings }: Catalogue): string {
  if (mail.subject !== '') return mail.subject
  const day = new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: 'numeric',
    minute: '2-digit',
    timeZone: zoneOf(mail),
  })
  return oneLine([`${headings[mail.kind]}: ${mail.subjectTitle}`, day.format(mail.when.start)].join(' · '))
}

function compose(mail: Mail, locale: string, catalogue: Catalogue): Letter {
  const { labels, actions } = catalogue
  const isHost = mail.role === 'host' || mail.role === 'organizer'
  const row = (label: string, value: string, href = '') => (value === '' ? [] : [{ label, value, href }])
  const zone = zoneOf(mail)
  return {
    language: locale,
    direction: catalogue.direction,
    logo: mail.template.logo,
    heading: mail.template.heading || catalogue.headings[mail.kind],
    paragraphs: [
      (isHost ? catalogue.toHost : catalogue.toGuest)[mail.kind],
      ...(mail.template.body === '' ? [] : [mail.template.body]),
    ],
    rows: [
      ...row(labels.title, mail.title),
      ...row(labels.when, formatTime(mail.when, locale, zone)),
      ...(mail.before === undefined ? [] : row(labels.before, formatTime(mail.before, locale, zone))),
      ...row(labels.timezone, nameZone(mail.when.start, locale, zone)),
      ...row(labels.location, mail.location, webAddress(mail.location)),
      ...(isOver(mail.kind) ? [] : row(labels.conference, mail.conferenceUrl, webAddress(mail.conferenceUrl))),
      ...row(isHost ? labels.guests : labels.hosts, mail.people.map((one) => nameOf(one, isHost)).join('\n')),
      ...mail.answers.flatMap((answer) => row(answer.label, writeAnswer(answer, catalogue))),
      ...row(labels.description, mail.description),
      ...row(labels.reason, mail.reason),
      ...row(labels.policy, mail.policy),
    ],
    buttons: (['confirm', 'reschedule', 'cancel'] as const).flatMap((name) => {
      const href = webAddress(mail.links[name])
      return href === '' ? [] : [{ label: actions[name], href }]
    }),
    branding: mail.template.hasBranding ? catalogue.branding : '',
  }
}

function writeAnswer({ value, isTick }: MailAnswer, { ticks }: Catalogue): string {
  return isTick && (value === 'true' || value === 'false') ? ticks[value] : value
}

/** What a calendar shows: the guest's links too, who may lose the mail. Calendars of hosts are read by colleagues. */
function invitationText(mail: Mail, { buttons }: Letter): string {
  const hasLinks = mail.invitation?.method === 'REQUEST' && mail.role === 'guest'
  const links = hasLinks ? buttons.map(({ label, href }) => `${label}: ${href}`) : []
  return [mail.description, ...links].filter((line) => line !== '').join('\n')
}

/** Date and time with its end; both dates where midnight of the reader lies between. */
function formatTime({ start, end }: Interval, locale: string, timeZone: string): string {
  // Each by itself: asked for both with an end, some languages write the date as digits.
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone })
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone })
  const at = (instant: Instant) => `${day.format(instant)} · ${time.format(instant)}`
  if (day.format(start) !== day.format(end)) return `${at(start)} – ${at(end)}`
  return `${day.format(start)} · ${time.formatRange(start, end)}`
}

/** As people call it at that time of the year, and as computers do. */
function nameZone(at: Instant, locale: string, timeZone: string): string {
  const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'long', timeZone }).formatToParts(at)
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone
  return `${name} (${timeZone})`
}

function zoneOf({ timezone }: Mail): string {
  return isTimezone(timezone) ? timezone : 'UTC'
}

function isOver(kind: MailKind): boolean {
  return kind === 'cancelled' || kind === 'declined'
}

function webAddress(text: string): string {
  return /^https?:\/\/\S+$/.test(text) ? text : ''
}

function nameOf({ name, email }: Mail['to'], isWithAddress: boolean): string {
  if (name === '' || name === email) return email
  return isWithAddress ? `${name} (${email})` : name
}

function addressOf({ name, email }: Mail['to']): Address {
  return { name: oneLine(name === email ? '' : name), email }
}
