/**
 * A calendar program that acts on invitations by the letter of RFC 5546 and by what programs in the field are known to
 * insist on: the reader is among the attendees, the organizer is the sender of the mail, and only what is newer counts.
 */
import ICAL from 'ical.js'

export type CalendarEntry = { readonly uid: string; readonly startSeconds: number }
export type CalendarProgram = {
  /** A mail with an invitation has come; throws at what a program would show as a broken file. */
  take(text: string, from: string): void
  entries(): CalendarEntry[]
}

export function openCalendar(reader: string): CalendarProgram {
  const known = new Map<string, { sequence: number; stamp: number; entry: CalendarEntry | undefined }>()
  return {
    take(text, from) {
      if (/[^\r]\n/.test(text)) throw new Error('lines must end in CRLF')
      const calendar = new ICAL.Component(ICAL.parse(text))
      const [event, ...more] = calendar.getAllSubcomponents('vevent')
      if (event === undefined || more.length > 0) throw new Error('an invitation is of one event')
      const value = (name: string) => event.getFirstPropertyValue(name)
      const addresses = (name: string) => event.getAllProperties(name).map((one) => String(one.getFirstValue()))
      if (addresses('organizer')[0] !== `mailto:${from}`) return
      if (!addresses('attendee').includes(`mailto:${reader}`)) return
      const uid = String(value('uid'))
      const sequence = Number(value('sequence'))
      const stamp = (value('dtstamp') as ICAL.Time).toUnixTime()
      const before = known.get(uid)
      if (before && (sequence < before.sequence || (sequence === before.sequence && stamp <= before.stamp))) return
      const isGone = calendar.getFirstPropertyValue('method') === 'CANCEL'
      if (isGone !== (value('status') === 'CANCELLED')) throw new Error('METHOD and STATUS must agree')
      const entry = { uid, startSeconds: (value('dtstart') as ICAL.Time).toUnixTime() }
      known.set(uid, { sequence, stamp, entry: isGone ? undefined : entry })
    },
    entries: () => [...known.values()].flatMap(({ entry }) => (entry === undefined ? [] : [entry])),
  }
}
