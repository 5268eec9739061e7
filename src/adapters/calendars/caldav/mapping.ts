// A booking's event ↔ its object on a CalDAV server: what is written, what is kept of what stands there, whom the server invited.
import { createHash } from 'node:crypto'

import type { PlacedEvent } from '../../../core/booking/placedEvent.ts'
import type { Instant } from '../../../core/time/instant.ts'
import { addressOf } from '../../ical/busy.ts'
import {
  type Component,
  type ContentLine,
  contentLine,
  escapeText,
  lineOf,
  linesOf,
  MalformedCalendar,
  parameterOf,
  quote,
  textOf,
  unescapeText,
  valueOfLine,
  withoutControls,
  writeComponent,
} from '../../ical/contentLines.ts'
import { intervalOfTime, readTime } from '../../ical/eventTimes.ts'
import { utcText } from '../../ical/times.ts'
import { zonesOf } from '../../ical/zones.ts'
import { TooMuchWork, Work } from '../../work/work.ts'

export type WritingHost = {
  readonly now: Instant
  /** The owner's addresses in small letters. */
  readonly addresses: readonly string[]
  /** Whether the server is left to invite whoever it can reach. */
  readonly schedules: boolean
}

/** What an object needs: nothing, to be written, or to be read again because the server has not said yet whom it reached. */
export type Plan =
  | { readonly kind: 'done'; readonly invited: readonly string[] }
  | { readonly kind: 'write'; readonly text: string }
  | { readonly kind: 'wait'; readonly text: string }

const contentName = 'X-OPENSLOT-CONTENT'
const nothing: Component = { name: 'VCALENDAR', lines: [], components: [] }

/** Whether the server is left to invite anyone to it. */
export function leavesGuestsToServer(event: PlacedEvent, host: WritingHost): boolean {
  const leaves = host.schedules && event.notifyParticipants && !event.hideParticipants
  return leaves && guestsOf(event, host).some((guest) => !hasCopy(event, guest.email))
}

/** Whether anybody but the owner is on it, whom some servers put there themselves. */
export function hasGuests(own: Component, host: WritingHost): boolean {
  return attendees(own, host).length > 0
}

/** The text of a new object. */
export function writeNew(event: PlacedEvent, host: WritingHost): string {
  const calendar: Component = {
    name: 'VCALENDAR',
    lines: ['VERSION:2.0', 'PRODID:-//OpenSlot//Bookings//EN', 'CALSCALE:GREGORIAN'].map(contentLine),
    components: [changed({ name: 'VEVENT', lines: [], components: [] }, event, host, nothing)],
  }
  return writeComponent(calendar)
}

/**
 * What the object that stands there needs to be the event. What the owner added stays; so do texts that they changed, as
 * long as the booking's own have not changed since. `isWritten`: we have just written it, and what the server made of it counts,
 * but for the time.
 */
export function planChange(calendar: Component, event: PlacedEvent, host: WritingHost, isWritten: boolean): Plan {
  const own = ownEvent(calendar, event.icalUid)
  if (own === undefined) return { kind: 'write', text: writeNew(event, host) }
  const rewritten = () => ({
    ...calendar,
    components: calendar.components.map((component) =>
      component === own ? changed(own, event, host, calendar) : component,
    ),
  })
  const isRight = isAtItsTime(own, event, calendar) && (isWritten || saysTheSame(own, event, host))
  if (!isRight) return { kind: 'write', text: writeComponent(rewritten()) }
  const asked = linesOf(own, 'ATTENDEE').filter((line) => isLeftToServer(line, host))
  const reached = asked.filter((line) => isDelivered(line))
  if (reached.length === asked.length) return { kind: 'done', invited: reached.map(attendeeOf) }
  // Announced, and not done: from here on these are ours, so that the server never invites them beside us.
  const missed = new Set(asked.filter((line) => !isDelivered(line)))
  const lines = own.lines.map((line) => (missed.has(line) ? withAgent(line, 'CLIENT') : line))
  const text = writeComponent({
    ...calendar,
    components: calendar.components.map((component) => (component === own ? { ...own, lines } : component)),
  })
  const isSilent = [...missed].some((line) => parameterOf(line, 'SCHEDULE-STATUS') === undefined)
  return { kind: isSilent ? 'wait' : 'write', text }
}

/** The event itself, not an exception of it; undefined where the object is of another UID. */
export function ownEvent(calendar: Component, uid: string): Component | undefined {
  return calendar.components.find(
    (component) =>
      component.name === 'VEVENT' &&
      textOf(component, 'UID')?.trim() === uid &&
      lineOf(component, 'RECURRENCE-ID') === undefined,
  )
}

/** Someone else organizes it, and the server put it here by itself. */
export function isOfOthers(calendar: Component, uid: string, addresses: readonly string[]): boolean {
  const own = ownEvent(calendar, uid)
  const organizer = own && lineOf(own, 'ORGANIZER')
  return organizer !== undefined && !addresses.includes(attendeeOf(organizer))
}

export function isAtItsTime(own: Component, { when, isPending }: PlacedEvent, calendar: Component): boolean {
  const status = textOf(own, 'STATUS')?.trim().toUpperCase()
  if (status === 'CANCELLED' || (status === 'TENTATIVE') !== isPending) return false
  try {
    const time = readTime(own, zonesOf(calendar, 'UTC', new Work().spend))
    if (time === undefined) return false
    const { start, end } = intervalOfTime(time)
    return start === when.start && end === when.end
  } catch (error) {
    // A time that cannot be read is not the one that it should be.
    if (error instanceof MalformedCalendar || error instanceof TooMuchWork) return false
    throw error
  }
}

function saysTheSame(own: Component, event: PlacedEvent, host: WritingHost): boolean {
  const people = new Set(guestsOf(event, host).map(({ email }) => email.toLowerCase()))
  const there = attendees(own, host)
  if (there.length !== people.size || !there.every((address) => people.has(address))) return false
  const content = textOf(own, contentName)?.trim()
  // Some servers keep no properties of others: then the title must do.
  return content === undefined
    ? unescapeText(textOf(own, 'SUMMARY') ?? '') === event.title
    : content === contentOf(event)
}

/** Everybody but the owner, as it stands there. */
function attendees(own: Component, { addresses }: WritingHost): string[] {
  return linesOf(own, 'ATTENDEE')
    .map(attendeeOf)
    .filter((address) => !addresses.includes(address))
}

/** Everybody but the owner; nobody where the owner is not the organizer, or the booking waits for their word. */
function guestsOf(event: PlacedEvent, { addresses }: WritingHost): PlacedEvent['participants'] {
  const organizer = event.organizer.email.toLowerCase()
  if (event.isPending || !addresses.includes(organizer)) return []
  return event.participants.filter(({ email }) => !addresses.includes(email.toLowerCase()))
}

/** Another host of the same booking. */
function hasCopy({ hosts = [] }: PlacedEvent, address: string): boolean {
  return hosts.some((email) => email.toLowerCase() === address.toLowerCase())
}

/** Lines that are the booking's; all others are the owner's or the server's, and stay. */
const timeNames = ['DTSTAMP', 'LAST-MODIFIED', 'SEQUENCE', 'DTSTART', 'DTEND', 'DURATION', 'STATUS', 'TRANSP', 'UID']
const peopleNames = ['ORGANIZER', 'ATTENDEE']
const textNames = ['SUMMARY', 'DESCRIPTION', 'LOCATION', 'URL', contentName]

function changed(own: Component, event: PlacedEvent, host: WritingHost, calendar: Component): Component {
  const keepsTexts = textOf(own, contentName)?.trim() === contentOf(event)
  const ours = new Set([...timeNames, ...peopleNames, ...(keepsTexts ? [] : textNames)])
  const before = Number(textOf(own, 'SEQUENCE') ?? '-1')
  const isMoved = !isAtItsTime(own, event, calendar)
  const sequence = Math.max(event.sequence, Number.isInteger(before) ? before + (isMoved ? 1 : 0) : 0)
  const lines = [
    `UID:${escapeText(event.icalUid)}`,
    `DTSTAMP:${utcText(host.now)}`,
    `LAST-MODIFIED:${utcText(host.now)}`,
    `SEQUENCE:${sequence}`,
    // UTC: the event takes place once, and no zone has to be described.
    `DTSTART:${utcText(event.when.start)}`,
    `DTEND:${utcText(event.when.end)}`,
    `STATUS:${event.isPending ? 'TENTATIVE' : 'CONFIRMED'}`,
    'TRANSP:OPAQUE',
    ...(keepsTexts ? [] : textLines(event)),
  ].map(contentLine)
  return {
    ...own,
    lines: [...lines, ...peopleLines(own, event, host, isMoved), ...own.lines.filter(({ name }) => !ours.has(name))],
  }
}

function textLines(event: PlacedEvent): string[] {
  const url = conferenceUrlOf(event)
  const location = event.location || url
  return [
    `SUMMARY:${escapeText(event.title)}`,
    ...(event.description === '' ? [] : [`DESCRIPTION:${escapeText(event.description)}`]),
    ...(location === '' ? [] : [`LOCATION:${escapeText(location)}`]),
    ...(url === '' ? [] : [`URL:${url}`]),
    `${contentName}:${contentOf(event)}`,
  ]
}

/** The organizer and the people, as they answered so far unless the time has changed. */
function peopleLines(own: Component, event: PlacedEvent, host: WritingHost, isMoved: boolean): ContentLine[] {
  const guests = guestsOf(event, host)
  const [address = ''] = host.addresses
  if (guests.length === 0) return []
  const organizer = host.addresses.find((one) => one === event.organizer.email.toLowerCase()) ?? address
  const name = quote(event.organizer.name || organizer)
  const known = new Map(linesOf(own, 'ATTENDEE').map((line) => [attendeeOf(line), line]))
  const isLeft = host.schedules && event.notifyParticipants && !event.hideParticipants
  return [
    contentLine(`ORGANIZER;CN=${name}:mailto:${withoutControls(organizer)}`),
    contentLine(
      `ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=CHAIR;PARTSTAT=ACCEPTED;CN=${name}:mailto:${withoutControls(organizer)}`,
    ),
    ...guests.map((guest) => {
      const there = known.get(guest.email.toLowerCase())
      const wasOurs = there !== undefined && parameterOf(there, 'SCHEDULE-AGENT') !== undefined
      const isOurs = !isLeft || hasCopy(event, guest.email) || wasOurs
      const partstat = (there !== undefined && !isMoved && parameterOf(there, 'PARTSTAT')) || 'NEEDS-ACTION'
      const words = [
        'ATTENDEE',
        'CUTYPE=INDIVIDUAL',
        'ROLE=REQ-PARTICIPANT',
        `PARTSTAT=${/^[A-Z-]+$/i.test(partstat) ? partstat : 'NEEDS-ACTION'}`,
        'RSVP=TRUE',
        `CN=${quote(guest.name || guest.email)}`,
        // Ours to invite, now and later: the server keeps out of it (RFC 6638 §7.1).
        ...(isOurs ? ['SCHEDULE-AGENT=CLIENT'] : []),
      ]
      return contentLine(`${words.join(';')}:mailto:${withoutControls(guest.email)}`)
    }),
  ]
}

function isLeftToServer(line: ContentLine, { addresses }: WritingHost): boolean {
  const agent = parameterOf(line, 'SCHEDULE-AGENT')?.toUpperCase() ?? 'SERVER'
  return agent === 'SERVER' && !addresses.includes(attendeeOf(line))
}

/** 1.x: on its way or there; 2.x: there; all others, and silence, are no invitation (RFC 6638 §3.2.9). */
function isDelivered(line: ContentLine): boolean {
  return /^[12]\./.test(parameterOf(line, 'SCHEDULE-STATUS') ?? '')
}

function withAgent({ text }: ContentLine, agent: string): ContentLine {
  const bare = text.replace(/;SCHEDULE-(?:AGENT|STATUS|FORCE-SEND)=(?:"[^"]*"|[^";:]*)/gi, '')
  return contentLine(bare.replace(/^ATTENDEE/i, `ATTENDEE;SCHEDULE-AGENT=${agent}`))
}

function attendeeOf(line: ContentLine): string {
  return addressOf(valueOfLine(line), parameterOf(line, 'EMAIL'))
}

/** Tells whether the booking's own texts have changed since they were written here. */
function contentOf(event: PlacedEvent): string {
  const texts = [event.title, event.description, event.location, conferenceUrlOf(event)]
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64url').slice(0, 22)
}

function conferenceUrlOf({ conferencing }: PlacedEvent): string {
  const details = conferencing?.details
  const url = typeof details === 'object' && details !== null && 'url' in details ? details.url : undefined
  return typeof url === 'string' && /^https?:\/\/\S+$/.test(url) ? withoutControls(url) : ''
}
