import { describe, expect, it } from 'vitest'

import type { Mail } from '../../core/booking/mail.ts'
import { mailKinds } from '../../core/booking/mail.ts'
import type { BookingId, EventId } from '../../core/ids.ts'
import { fromUnixSeconds, instant } from '../../core/time/instant.ts'
import { catalogueOf, catalogues } from './catalogues.ts'
import { writeMessage } from './messages.ts'

/** 2026-03-28 22:30 to 23:15 UTC: the night of the clock change in Berlin, the next day in Tokyo. */
const when = { start: fromUnixSeconds(1_774_737_000), end: fromUnixSeconds(1_774_739_700) }
const mail: Mail = {
  kind: 'confirmed',
  to: { email: 'gil@guest.example', name: 'Gil' },
  role: 'guest',
  language: 'en',
  timezone: 'Europe/Berlin',
  bookingId: '0b1f6a0e-5c3d-4e6f-9a7b-8c9d0e1f2a3b' as BookingId,
  replyTo: { email: 'ada@host.example', name: 'Ada' },
  subjectTitle: 'Intro call',
  subject: '',
  title: 'Intro call',
  description: '',
  location: '',
  conferenceUrl: '',
  when,
  organizer: { email: 'ada@host.example', name: 'Ada' },
  people: [{ email: 'ada@host.example', name: 'Ada' }],
  answers: [],
  reason: '',
  policy: '',
  links: { reschedule: '', cancel: '', confirm: '' },
  template: { logo: '', heading: '', body: '', hasBranding: true },
}
const eventId = '0011223344556677889900aabbccddee' as EventId
const write = (change: Partial<Mail> = {}) =>
  writeMessage(
    { ...mail, ...change },
    { id: 'row-1', eventId, from: { name: 'Desk', email: 'desk@book.example' }, baseUrl: 'https://book.example' },
  )

/** Plain spaces: dates are written with narrow and thin ones. */
const plain = (text: string) => text.replace(/[\u2009\u202f\u00a0]/g, ' ')

function leaves(value: object, path = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([key, item]) =>
    typeof item === 'object' && item !== null
      ? leaves(item, `${path}${key}.`)
      : [[`${path}${key}`, item] as [string, unknown]],
  )
}

describe('the languages', () => {
  it('are the nine of the wire, each with every key and something of its own to say', () => {
    expect(Object.keys(catalogues)).toEqual(['en', 'fr', 'de', 'es', 'nl', 'sv', 'ja', 'zh', 'ko'])
    const english = leaves(catalogueOf('en').catalogue)
    for (const [code, catalogue] of Object.entries(catalogues)) {
      const own = leaves(catalogue)
      expect(
        own.map(([key]) => key),
        code,
      ).toEqual(english.map(([key]) => key))
      for (const [key, text] of own) {
        expect(text, `${code} ${key}`).toEqual(expect.stringMatching(/\S/))
        if (code !== 'en' && /^(headings|toGuest|toHost)\./.test(key))
          expect(text, `${code} ${key}`).not.toBe(english.find(([name]) => name === key)?.[1])
      }
    }
  })

  it('that are not there become English, and regions keep their own dates', () => {
    expect(catalogueOf('xx').locale).toBe('en')
    expect(catalogueOf('__proto__').locale).toBe('en')
    expect(catalogueOf('de_CH').locale).toBe('de-CH')
    expect(catalogueOf('de-').locale).toBe('de')
    expect(plain(write({ language: 'en-GB' }).text)).toContain('Saturday, 28 March 2026')
  })

  it('write every kind of mail for every reader without a hole', () => {
    for (const language of Object.keys(catalogues))
      for (const kind of mailKinds)
        for (const role of ['guest', 'additionalGuest', 'host', 'organizer'] as const) {
          const { subject, text, html } = write({ language, kind, role })
          expect(subject).toMatch(/\S: Intro call · \S/)
          expect(`${text}${html}`).not.toMatch(/undefined|null|\[object/)
        }
  })
})

describe('times', () => {
  it.each([
    [
      'en',
      'Europe/Berlin',
      'Saturday, March 28, 2026 · 11:30 PM – Sunday, March 29, 2026 · 12:15 AM',
      'Central European Standard Time (Europe/Berlin)',
    ],
    ['de', 'Europe/Berlin', 'Samstag, 28. März 2026', 'Mitteleuropäische Normalzeit (Europe/Berlin)'],
    ['fr', 'America/New_York', 'samedi 28 mars 2026', 'heure d’été de l’Est nord-américain (America/New_York)'],
    ['ja', 'Asia/Tokyo', '2026年3月29日日曜日 · 7時30分～8時15分', '日本標準時 (Asia/Tokyo)'],
    ['ko', 'Asia/Kathmandu', '2026년 3월 29일 일요일', '네팔 시간 (Asia/Kathmandu)'],
    ['sv', 'Australia/Lord_Howe', 'söndag 29 mars 2026', '(Australia/Lord_Howe)'],
    ['nl', 'Pacific/Apia', 'zondag 29 maart 2026', '(Pacific/Apia)'],
    ['es', 'UTC', 'sábado, 28 de marzo de 2026', '(UTC)'],
    ['zh', 'Asia/Shanghai', '2026年3月29日', '中国标准时间 (Asia/Shanghai)'],
  ])('in %s for %s', (language, timezone, day, zone) => {
    const text = plain(write({ language, timezone }).text)
    expect(text).toContain(day)
    expect(text).toContain(zone)
  })

  it('name both days where midnight of the reader lies between', () => {
    const text = plain(write().text)
    expect(text).toContain('March 28, 2026')
    expect(text).toContain('March 29, 2026')
    expect(plain(write({ timezone: 'UTC' }).text)).not.toContain('March 29')
  })

  it('are both there after a move', () => {
    const before = { start: instant(when.start - 86_400_000), end: instant(when.end - 86_400_000) }
    const text = plain(write({ kind: 'rescheduled', before }).text)
    expect(text).toMatch(/^When: Saturday, March 28/m)
    expect(text).toMatch(/^Before: Friday, March 27/m)
  })
})

describe('a message', () => {
  it('keeps whatever people wrote as text, in both of its bodies', () => {
    const evil = '"><script>alert(1)</script>\u202e&amp;'
    const { html, text } = write({
      title: evil,
      description: `${evil}\nhttp://evil.example`,
      people: [{ email: 'x@y.example', name: evil }],
      answers: [{ label: evil, value: evil }],
      reason: evil,
      location: 'javascript:alert(1)',
      links: { reschedule: 'javascript:alert(1)', cancel: 'https://x.example/"onclick="x', confirm: '' },
    })
    expect(html).not.toMatch(/<script|\u202e/)
    expect(html).toContain('&quot;&gt;&lt;script&gt;')
    const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)
    expect(links).toEqual(['https://x.example/&quot;onclick=&quot;x'])
    expect(text).toContain('<script>')
  })

  it('leads to the pages of this server where a link names no host', () => {
    const { text } = write({ links: { reschedule: '/reschedule/abc', cancel: 'https://app.example/c', confirm: '' } })
    expect(text).toContain('https://book.example/reschedule/abc')
    expect(text).toContain('https://app.example/c')
  })

  it.each([
    ['ko', '?lang=ko\n'],
    ['de_CH', '?lang=de\n'],
    // Whose language has no mails may still have pages: their browser says.
    ['en', '\n'],
    ['ar', '\n'],
  ])('in %s leads to pages in its own language', (language, end) => {
    const { text } = write({
      language,
      links: { reschedule: '/reschedule/abc', cancel: 'https://app.example/c', confirm: '' },
    })
    expect(text).toContain(`https://book.example/reschedule/abc${end}`)
    expect(text).toMatch(/https:\/\/app\.example\/c$/m)
  })

  it('says what was ticked in the language of its reader', () => {
    const answers = [
      { label: 'Terms', value: 'true', isTick: true },
      { label: 'News', value: 'false', isTick: true },
      { label: 'Word', value: 'true' },
    ] as const
    expect(plain(write({ answers, language: 'de' }).text)).toMatch(/^Terms: Ja\nNews: Nein\nWord: true$/m)
    expect(plain(write({ answers, language: 'ko' }).text)).toMatch(/^Terms: 예\nNews: 아니요\nWord: true$/m)
  })

  it("looks as the configuration's template says, and is ready for readers from right to left", () => {
    const { html, text } = write({
      template: { logo: 'https://x.example/l.png', heading: 'Thank you!', body: 'Bring a pen.', hasBranding: false },
      policy: 'A day ahead.',
    })
    expect(html).toContain('<img src="https://x.example/l.png"')
    expect(text).toMatch(/^Thank you!\n\nThe booking is confirmed\.\n\nBring a pen\.\n/)
    expect(text).toContain('Cancellation policy: A day ahead.')
    expect(`${html}${text}`).not.toContain('OpenSlot')
    expect(html).toContain('<html lang="en" dir="ltr">')
    expect(html).not.toMatch(/text-align:(start|right)|(margin|padding|border)-(left|right)/)
    expect(html).toContain('prefers-color-scheme:dark')
  })

  it('has an id and a thread that do not change with the attempt', () => {
    expect(write()).toMatchObject({
      messageId: 'row-1@book.example',
      thread: 'booking-00112233-4455-6677-8899-00aabbccddee@book.example',
    })
  })

  it('has the subject that is set for it, and otherwise none of the words of a guest', () => {
    expect(write({ kind: 'reminder', subject: 'Soon!' }).subject).toBe('Soon!')
    expect(plain(write({ title: 'Chat with Eve' }).subject)).toBe(
      'Booking Confirmed: Intro call · Sat, Mar 28, 11:30 PM',
    )
  })
})
