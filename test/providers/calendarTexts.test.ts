/** The corpus of exports in `test/vectors/ical`, written after the shapes of real programs, and rules that mean harm. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BusyQuestion, readBusyEvents } from '../../src/adapters/ical/busy.ts'
import { readComponents, writeComponent } from '../../src/adapters/ical/contentLines.ts'
import { instant } from '../../src/core/time/instant.ts'

type Vector = {
  readonly timezone?: string
  readonly span: readonly [string, string]
  readonly busy: readonly string[][]
}

const folder = join(import.meta.dirname, '../vectors/ical')
const vectors: Record<string, Vector> = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
/** As it comes over the wire. */
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8').replace(/\r?\n/g, '\r\n')

const at = (text: string) => instant(Date.parse(text))
const question = ({ span: [start, end], timezone }: Vector): BusyQuestion => ({
  span: { start: at(start), end: at(end) },
  timezone,
  ownAddresses: new Set(['owner@example.com']),
})

/** Sorted, as texts; or what the problem says. */
async function busyOf(text: string, asked: BusyQuestion): Promise<string[][] | string> {
  const read = await readBusyEvents(text, asked)
  if (!read.ok) return read.problem.message
  return read.value
    .flatMap(({ busy }) => busy)
    .toSorted((a, b) => a.start - b.start || a.end - b.end)
    .map(({ start, end }) => [start, end].map((one) => new Date(one).toISOString().replace('.000', '')))
}

describe('calendars as programs export them', () => {
  it('are all expected', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.ics'))
    expect(files.toSorted()).toEqual(Object.keys(vectors).toSorted())
  })

  for (const [file, vector] of Object.entries(vectors)) {
    it(`${file} takes the time that it says`, async () => {
      expect(await busyOf(textOf(file), question(vector))).toEqual(vector.busy)
    })

    it(`${file} says the same when it was read and written again`, async () => {
      const [calendar] = readComponents(textOf(file))
      const written = calendar === undefined ? '' : writeComponent(calendar)
      expect(await busyOf(written, question(vector))).toEqual(vector.busy)
      expect(written.split('\r\n').every((line) => Buffer.byteLength(line) <= 75)).toBe(true)
    })
  }
})

const winter = question({ busy: [], span: ['2027-01-01T00:00:00Z', '2027-02-01T00:00:00Z'] })
const event = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'BEGIN:VEVENT', 'UID:1', ...lines, 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n')
const series = (rule: string, ...more: string[]) =>
  event('DTSTART:20270104T100000Z', 'DTEND:20270104T110000Z', `RRULE:${rule}`, ...more)
const first = [['2027-01-04T10:00:00Z', '2027-01-04T11:00:00Z']]

describe('what cannot be told is never free', () => {
  it.each([
    ['FREQ=SECONDLY'],
    ['FREQ=MINUTELY;COUNT=100000000'],
    ['FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,5,10,15,20,25,30,35,40,45,50,55'],
    ['FREQ=WEEKLY;INTERVAL=0'],
    ['RSCALE=CHINESE;FREQ=YEARLY'],
    [''],
  ])('a rule that is not understood is a problem: %s', async (rule) => {
    expect(await busyOf(series(rule), winter)).toMatch(/cannot be read/)
  })

  it('a rule that never matches ends, and leaves the first occurrence', async () => {
    expect(await busyOf(series('FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30'), winter)).toEqual(first)
    expect(await busyOf(series('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2'), winter)).toEqual(first)
  })

  it('a rule that is not understood does not matter where it ended long ago or has not begun', async () => {
    const old = event('DTSTART:20200104T100000Z', 'DURATION:PT1H', 'RRULE:FREQ=MINUTELY;UNTIL=20200105T000000Z')
    expect(await busyOf(old, winter)).toEqual([])
    expect(await busyOf(series('FREQ=MINUTELY').replaceAll('20270104', '20280104'), winter)).toEqual([])
  })

  it('too many occurrences are a problem', async () => {
    const decades = { ...winter, span: { start: winter.span.start, end: at('2060-01-01T00:00:00Z') } }
    expect(await busyOf(series('FREQ=HOURLY'), decades)).toMatch(/too often/)
    const dates = Array.from({ length: 4_000 }, () => '20270105T100000Z').join(',')
    expect(await busyOf(series('FREQ=DAILY', `EXDATE:${dates}`), winter)).toMatch(/more than/)
  })

  it.each([
    ['BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20270104T100000Z\r\n'],
    ['BEGIN:VCALENDAR\r\nEND:VEVENT\r\n'],
    ['<html>not a calendar</html>'],
    [''],
    ['BEGIN:VCALENDAR\r\n'.repeat(100)],
    ['BEGIN:VEVENT\r\nDTSTART:20270104T100000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n'],
    [event('DTSTART:tomorrow')],
    [event('DTSTART:20270104T100000Z', 'DURATION:long')],
    [event('DTSTART:20270104T256000Z', 'DURATION:PT1H')],
  ])('a text that cannot be read is a problem: %j', async (text) => {
    expect(await busyOf(text, winter)).toMatch(/cannot be read/)
  })

  it.each([
    ['a new title', [], 2],
    ['a status that its series has', ['STATUS:CONFIRMED', 'TRANSP:OPAQUE'], 2],
    ['a cancellation', ['STATUS:CANCELLED'], 1],
  ] as const)('an occurrence that was given %s and no time of its own stays where it is', async (_, said, left) => {
    const override = ['RECURRENCE-ID:20270104T100000Z', 'SUMMARY:Renamed', ...said]
    const daily = series('FREQ=DAILY;COUNT=2', 'END:VEVENT', 'BEGIN:VEVENT', 'UID:1', ...override)
    const both = [...first, ['2027-01-05T10:00:00Z', '2027-01-05T11:00:00Z']]
    expect(await busyOf(daily, winter)).toEqual(both.slice(2 - left))
    const free = daily.replace('RRULE', 'TRANSP:TRANSPARENT\r\nRRULE').replace('TRANSP:OPAQUE\r\n', '')
    expect(await busyOf(free, winter)).toEqual([])
  })

  it('an end before the start takes the time between them', async () => {
    expect(await busyOf(event('DTSTART:20270104T110000Z', 'DTEND:20270104T100000Z'), winter)).toEqual(first)
    expect(await busyOf(event('DTSTART:20270104T110000Z', 'DURATION:-PT1H'), winter)).toEqual(first)
  })

  it('whole days take what they might where nobody knows the zone', async () => {
    expect(await busyOf(event('DTSTART;VALUE=DATE:20270110'), winter)).toEqual([
      ['2027-01-09T10:00:00Z', '2027-01-11T12:00:00Z'],
    ])
  })

  it('several rules have the occurrences of all, each once', async () => {
    expect(await busyOf(series('FREQ=DAILY;COUNT=2', 'RRULE:FREQ=WEEKLY;COUNT=2'), winter)).toEqual([
      ...first,
      ['2027-01-05T10:00:00Z', '2027-01-05T11:00:00Z'],
      ['2027-01-11T10:00:00Z', '2027-01-11T11:00:00Z'],
    ])
  })

  it('an abbreviation means what the object says of it, where it says more than one offset', async () => {
    const change = (kind: string, from: string, to: string, rule: string) => [
      `BEGIN:${kind}`,
      'DTSTART:20070311T020000',
      `TZOFFSETFROM:${from}`,
      `TZOFFSETTO:${to}`,
      rule,
      `END:${kind}`,
    ]
    const zone = [
      'BEGIN:VTIMEZONE',
      'TZID:EST',
      ...change('DAYLIGHT', '-0500', '-0400', 'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU'),
      ...change('STANDARD', '-0400', '-0500', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU'),
      'END:VTIMEZONE',
    ].join('\r\n')
    const summer = question({ busy: [], span: ['2027-07-01T00:00:00Z', '2027-08-01T00:00:00Z'] })
    const alone = event('DTSTART;TZID=EST:20270704T090000', 'DURATION:PT1H')
    const described = alone.replace('BEGIN:VEVENT', `${zone}\r\nBEGIN:VEVENT`)
    expect(await busyOf(alone, summer)).toEqual([['2027-07-04T14:00:00Z', '2027-07-04T15:00:00Z']])
    expect(await busyOf(described, summer)).toEqual([['2027-07-04T13:00:00Z', '2027-07-04T14:00:00Z']])
  })

  it('an occurrence that is added before all others counts, also where those come after the span', async () => {
    const later = ['DTSTART:20271104T100000Z', 'DURATION:PT1H', 'RRULE:FREQ=MINUTELY', 'RDATE:20270104T100000Z']
    expect(await busyOf(event(...later), winter)).toEqual(first)
  })

  it.each(['America/New_York', 'Europe/Berlin', 'Pacific/Auckland'])(
    'a day of a series that is written as midnight in UTC is that day, in %s',
    async (timezone) => {
      const days = (...lines: string[]) => event('DTSTART;VALUE=DATE:20270104', 'DTEND;VALUE=DATE:20270105', ...lines)
      const asked = { ...winter, timezone }
      const byDate = (last: string, gone: string) =>
        busyOf(days(`RRULE:FREQ=DAILY;UNTIL=${last}`, `EXDATE:${gone}`), asked)
      const expected = await byDate('20270107', '20270105')
      expect(expected).toHaveLength(3)
      expect(await byDate('20270107T000000Z', '20270105T000000Z')).toEqual(expected)
      const override = ['END:VEVENT', 'BEGIN:VEVENT', 'UID:1', 'RECURRENCE-ID:20270105T000000Z', 'STATUS:CANCELLED']
      expect(await busyOf(days('RRULE:FREQ=DAILY;UNTIL=20270107', ...override), asked)).toEqual(expected)
    },
  )

  it('a moment takes no time', async () => {
    expect(await busyOf(event('DTSTART:20270104T100000Z'), winter)).toEqual([])
  })
})

it('whatever comes is read or a problem, and never a fault of ours', async () => {
  const lines = Object.keys(vectors).flatMap((file) => textOf(file).split('\r\n'))
  const odd = fc.constantFrom(
    'RRULE:FREQ=WEEKLY;BYDAY=',
    'RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=9999',
    'DTSTART;TZID=Nowhere:00010101T000000',
    'DTEND:99991231T235959Z',
    'DURATION:P999999W',
    'EXDATE;VALUE=DATE:20270230',
    'RECURRENCE-ID;RANGE=THISANDFUTURE:20270301T080000Z',
    'TZOFFSETTO:+9999',
    ';:;:;',
    'X;A="unclosed:1',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(vectors)),
      fc.array(fc.tuple(fc.nat(200), fc.oneof(odd, fc.constantFrom(...lines), fc.string())), { maxLength: 6 }),
      fc.boolean(),
      async (file, changes, isReplaced) => {
        const text = textOf(file).split('\r\n')
        for (const [place, line] of changes) text.splice(place % text.length, isReplaced ? 1 : 0, line)
        const read = await readBusyEvents(text.join('\r\n'), winter)
        if (!read.ok) return read.problem.kind === 'calendarUnavailable'
        return read.value.every(({ busy }) => busy.every(({ start, end }) => start < end && Number.isInteger(start)))
      },
    ),
    { numRuns: 500 },
  )
})
