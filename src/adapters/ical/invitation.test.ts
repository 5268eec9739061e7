import ICAL from 'ical.js'
import { describe, expect, it } from 'vitest'

import type { Invitation } from '../../core/booking/mail.ts'
import { fromUnixSeconds } from '../../core/time/instant.ts'
import { writeInvitation } from './invitation.ts'

const invitation: Invitation = {
  method: 'REQUEST',
  uid: 'b1@openslot',
  sequence: 3,
  stampedAt: fromUnixSeconds(1_795_334_709),
  attendees: [
    { email: 'gil@guest.example', name: 'Gil "the; Guest",\r\nX', role: 'guest' },
    { email: 'ada@host.example', name: 'Ada', role: 'organizer' },
  ],
}
const texts = {
  title: 'Intro, call; with \\ Gil',
  description: '日本語のとても長い説明です。'.repeat(10),
  location: 'Room 1\nEND:VEVENT',
  url: '',
  when: { start: fromUnixSeconds(1_774_744_200), end: fromUnixSeconds(1_774_747_800) },
  organizer: { name: 'Ada', email: 'desk@book.example' },
}
const read = (text: string) => {
  const calendar = new ICAL.Component(ICAL.parse(text))
  const events = calendar.getAllSubcomponents('vevent')
  return { calendar, events, value: (name: string) => String(events[0]?.getFirstPropertyValue(name)) }
}

describe('an invitation', () => {
  it('reads back as it was meant', () => {
    const { calendar, events, value } = read(writeInvitation(invitation, texts))
    expect(calendar.getFirstPropertyValue('method')).toBe('REQUEST')
    expect(events.length).toBe(1)
    expect([value('uid'), value('sequence'), value('dtstamp'), value('dtstart'), value('dtend')]).toEqual([
      'b1@openslot',
      '3',
      '2026-11-22T08:05:09Z',
      '2026-03-29T00:30:00Z',
      '2026-03-29T01:30:00Z',
    ])
    expect([value('summary'), value('description'), value('location')]).toEqual([
      texts.title,
      texts.description,
      texts.location,
    ])
    expect(value('status')).toBe('CONFIRMED')
  })

  it('folds every line before 75 octets, ends it in CRLF, and cuts no character', () => {
    const text = writeInvitation(invitation, texts)
    const lines = text.split('\r\n')
    expect(lines.length).toBeGreaterThan(20)
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
    expect(text.replaceAll('\r\n ', '')).toContain(texts.description)
  })

  it('asks guests to answer and takes hosts as coming', () => {
    const { events } = read(writeInvitation(invitation, texts))
    const people = events[0]?.getAllProperties('attendee').map((person) => ({
      to: person.getFirstValue(),
      name: person.getFirstParameter('cn'),
      role: person.getFirstParameter('role'),
      answer: person.getFirstParameter('partstat'),
      asks: person.getFirstParameter('rsvp'),
    }))
    expect(people).toEqual([
      {
        to: 'mailto:gil@guest.example',
        name: "Gil 'the; Guest', X",
        role: 'REQ-PARTICIPANT',
        answer: 'NEEDS-ACTION',
        asks: 'TRUE',
      },
      { to: 'mailto:ada@host.example', name: 'Ada', role: 'CHAIR', answer: 'ACCEPTED', asks: undefined },
    ])
  })

  it('that is called off says so twice, with the same UID', () => {
    const { calendar, value } = read(writeInvitation({ ...invitation, method: 'CANCEL', sequence: 4 }, texts))
    expect(calendar.getFirstPropertyValue('method')).toBe('CANCEL')
    expect([value('status'), value('uid'), value('sequence')]).toEqual(['CANCELLED', 'b1@openslot', '4'])
    expect(value('organizer')).toBe('mailto:desk@book.example')
  })
})
