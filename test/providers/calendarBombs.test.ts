/** Texts of calendars that mean harm: small ones that unfold into very much. Each ends, and others get their turn meanwhile. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'

import { readMultistatus } from '../../src/adapters/calendars/caldav/davXml.ts'
import { readBusyEvents } from '../../src/adapters/ical/busy.ts'
import { Work } from '../../src/adapters/work/work.ts'
import { instant } from '../../src/core/time/instant.ts'

const question = {
  span: { start: instant(Date.parse('2026-11-24T00:00Z')), end: instant(Date.parse('2027-12-31T00:00Z')) },
  timezone: 'UTC',
  ownAddresses: new Set<string>(),
}
const event = (uid: string, ...lines: string[]) => ['BEGIN:VEVENT', `UID:${uid}`, ...lines, 'END:VEVENT'].join('\r\n')
const calendar = (parts: readonly string[]) => ['BEGIN:VCALENDAR', ...parts, 'END:VCALENDAR', ''].join('\r\n')
const many = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index))
const seriesOf = (count: number, rule: string, ...more: string[]) =>
  calendar(
    many(count, (index) => event(`${index}`, 'DTSTART:20261101T000000Z', 'DURATION:PT5M', `RRULE:${rule}`, ...more)),
  )

/** What the problem says, or how many intervals there are; and how many turns others had meanwhile. */
async function read(
  text: string,
  work?: Work,
): Promise<{ told: string | number; about: string | undefined; turns: number }> {
  let turns = 0
  let isRead = false
  const others = async () => {
    while (!isRead) {
      await nextTurn()
      turns += 1
    }
  }
  const waiting = others()
  const answer = await readBusyEvents(text, question, work)
  isRead = true
  await waiting
  if (!answer.ok) return { told: answer.problem.message, about: answer.problem.about, turns }
  return { told: answer.value.reduce((sum, { busy }) => sum + busy.length, 0), about: undefined, turns }
}

describe('series', () => {
  it('of too many occurrences in all make the calendar unreadable, and the owner learns with which it ended', async () => {
    const { told, about, turns } = await read(seriesOf(300, 'FREQ=HOURLY;BYMINUTE=0,30', 'SUMMARY:Every half hour'))
    expect(told).toMatch(/too much to work out/)
    expect(about).toBe('It is named "Every half hour" and begins on 2026-11-01.')
    expect(turns).toBeGreaterThan(20)
  })

  it('as people have them are read, a thousand by the day too', async () => {
    expect((await read(seriesOf(1_000, 'FREQ=DAILY'))).told).toBe(1_000 * 402)
  })

  it('that count to what they never reach are not followed past the span', async () => {
    const rare = ['FREQ=YEARLY;BYYEARDAY=366;COUNT=1000', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2']
    for (const rule of rare) expect((await read(seriesOf(200, rule), new Work(400_000))).told).toBe(0)
  })

  it('that look at every day since the year one are given up', async () => {
    const ever = event(
      '1',
      'DTSTART:00010101T000000Z',
      'DURATION:P900000D',
      'RRULE:FREQ=HOURLY;BYYEARDAY=366;BYMONTHDAY=1',
    )
    expect((await read(calendar([ever]))).told).toMatch(/takes too long to work out/)
  })

  it('with as many exceptions as there are masters are given up', async () => {
    const exception = ['RECURRENCE-ID;RANGE=THISANDFUTURE:20261201T000000Z', 'DTSTART:20261201T000000Z']
    const parts = [
      ...many(1_500, () => event('1', 'DTSTART:20261201T000000Z', 'DURATION:PT5M')),
      ...many(1_500, () => event('1', ...exception)),
    ]
    expect((await read(calendar(parts))).told).toMatch(/more exceptions/)
  })
})

it('a time zone that changes by the hour is none', async () => {
  const standard = ['BEGIN:STANDARD', 'DTSTART:19700101T000000', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+0200']
  const zone = ['BEGIN:VTIMEZONE', 'TZID:Odd', ...standard, 'RRULE:FREQ=HOURLY', 'END:STANDARD', 'END:VTIMEZONE']
  const inZone = event('1', 'DTSTART;TZID=Odd:20261201T000000', 'DURATION:PT5M')
  expect((await read(calendar([...zone, inZone]))).told).toMatch(/changes more often/)
})

it('zones of very many rules are worked out for no more than an answer is worth', async () => {
  const part = (index: number) =>
    [
      'BEGIN:STANDARD',
      `DTSTART:${1600 + index}0101T000000`,
      'TZOFFSETFROM:+0100',
      'TZOFFSETTO:+0200',
      'RRULE:FREQ=MONTHLY',
      'END:STANDARD',
    ].join('\r\n')
  const zone = ['BEGIN:VTIMEZONE', 'TZID:Odd', ...many(300, part), 'END:VTIMEZONE']
  const events = many(1_000, (index) =>
    event(`${index}`, `DTSTART;TZID=Odd:${1900 + index}1201T000000`, 'DURATION:PT5M'),
  )
  expect((await read(calendar([...zone, ...events]))).told).toMatch(/too long to work out|too much to work out/)
})

it('an answer of nothing but elements is none', async () => {
  let turns = 0
  const inner = '<a/>'.repeat(750_000)
  const ticking = setInterval(() => turns++, 1)
  expect(await readMultistatus(`<D:multistatus xmlns:D="DAV:">${inner}</D:multistatus>`)).toBeUndefined()
  clearInterval(ticking)
  expect(turns).toBeGreaterThan(20)
})
