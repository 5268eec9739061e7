// The ways into a guest's own calendar: a file that every program reads, and the addresses of two that run in the browser.

export type CalendarEntry = {
  /** The same as in the invitation by mail, so that a calendar that gets both has one event. */
  readonly uid: string
  /** As the invitation's: calendars pass over what is older than what they have. */
  readonly sequence: number
  readonly title: string
  readonly description: string
  readonly location: string
  /** Unix seconds. */
  readonly start: number
  readonly end: number
}

export function googleLink({ title, description, location, start, end }: CalendarEntry): string {
  const query = new URLSearchParams({
    action: 'TEMPLATE',
    text: title,
    dates: `${compact(start)}/${compact(end)}`,
    details: description,
    location,
  })
  return `https://calendar.google.com/calendar/render?${query}`
}

export function outlookLink({ title, description, location, start, end }: CalendarEntry): string {
  const query = new URLSearchParams({
    path: '/calendar/action/compose',
    rru: 'addevent',
    subject: title,
    startdt: new Date(start * 1_000).toISOString(),
    enddt: new Date(end * 1_000).toISOString(),
    body: description,
    location,
  })
  return `https://outlook.live.com/calendar/0/deeplink/compose?${query}`
}

/**
 * The text of an `.ics` file (RFC 5545). It has no METHOD: it is no message that asks for an answer, and those that do not
 * (PUBLISH) would have to name an organizer (RFC 5546 §3.2.1). `now` in Unix seconds.
 */
export function writeIcs(
  { uid, sequence, title, description, location, start, end }: CalendarEntry,
  now: number,
): string {
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//OpenSlot//Bookings//EN',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    `SEQUENCE:${sequence}`,
    `DTSTAMP:${compact(now)}`,
    `DTSTART:${compact(start)}`,
    `DTEND:${compact(end)}`,
    `SUMMARY:${escapeText(title)}`,
    ...(description === '' ? [] : [`DESCRIPTION:${escapeText(description)}`]),
    ...(location === '' ? [] : [`LOCATION:${escapeText(location)}`]),
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ]
    .map(fold)
    .join('\r\n')
}

/** `20260329T010000Z` */
function compact(at: number): string {
  return new Date(at * 1_000).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function escapeText(text: string): string {
  return text
    .replace(/\\/g, '\\\\')
    .replace(/[;,]/g, '\\$&')
    .replace(/\r\n|[\r\n\u0085\u2028\u2029]/g, '\\n')
    .replace(/(?!\t)\p{Cc}/gu, '')
}

/** At most 75 octets a line, never cut inside a character. */
function fold(line: string): string {
  const encoder = new TextEncoder()
  let folded = ''
  let octets = 0
  for (const character of line) {
    const more = encoder.encode(character).length
    if (octets + more > 74) {
      folded += '\r\n '
      octets = 1
    }
    folded += character
    octets += more
  }
  return folded
}
