import ICAL from 'ical.js'
import { describe, expect, it } from 'vitest'
import { type Spend, timesADay, wallClocks } from '../../core/calendar/recurrence.ts'
import {
  eachOccurrence,
  occurrenceFinder,
  type Recurrence,
  recursOrEnds,
  type Series,
} from '../../core/calendar/series.ts'
import { dayMs, hourMs, instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { civil, formatLocalDay, localDay, weekdayOf } from '../../core/time/localDate.ts'
import { instantOfWallClock } from '../../core/time/zone.ts'
import { readRecurrence } from './recurrence.ts'

const far = localDay('2036-01-01') * dayMs
const reading = (text: string) =>
  localDay(text.slice(0, 10)) * dayMs + (Number(text.slice(11, 13)) * 60 + Number(text.slice(14, 16))) * 60_000
const write = (wall: number) => {
  const minutes = Math.floor((wall % dayMs) / 60_000)
  return `${formatLocalDay(Math.floor(wall / dayMs))}T${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}

const freely: Spend = () => {}
const occurrences = (series: Series, span: Interval) => [...eachOccurrence(series, span, freely)]

function recurrenceOf(...lines: string[]): Recurrence {
  const read = readRecurrence(lines)
  if (!read.ok) throw new Error(read.problem.message)
  return read.value
}

function take(rule: string, first: string, count: number, from = first): string[] {
  const found: string[] = []
  const read = recurrenceOf(`RRULE:${rule}`).rule
  if (read === undefined) throw new Error('no rule')
  for (const wall of wallClocks(read, reading(first), reading(from), far, freely)) {
    if (found.push(write(wall)) >= count) break
  }
  return found
}

function takeByLibrary(rule: string, first: string, count: number): string[] {
  const iterator = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromDateTimeString(`${first}:00`))
  const found: string[] = []
  while (found.length < count) {
    const next = iterator.next()
    if (!next) break
    if (next.year >= 2036) break
    found.push(next.toString().slice(0, 16))
  }
  return found
}

describe('recurrence rules', () => {
  const rules: readonly (readonly [string, string])[] = [
    ['FREQ=DAILY', '2026-01-30T09:00'],
    ['FREQ=DAILY;INTERVAL=3', '2026-01-30T09:00'],
    ['FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR', '2026-01-30T09:00'],
    ['FREQ=DAILY;BYMONTH=2', '2026-02-01T09:00'],
    ['FREQ=WEEKLY', '2026-02-03T17:45'],
    ['FREQ=WEEKLY;BYDAY=TU,TH', '2026-02-03T09:00'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO', '1997-08-05T09:00'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU', '1997-08-05T09:00'],
    ['FREQ=MONTHLY', '2026-01-15T09:00'],
    ['FREQ=MONTHLY;BYMONTHDAY=31', '2026-01-31T09:00'],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', '2026-01-31T09:00'],
    ['FREQ=MONTHLY;BYMONTHDAY=1,15,-1', '2026-01-01T09:00'],
    ['FREQ=MONTHLY;BYDAY=1FR', '2026-01-02T09:00'],
    ['FREQ=MONTHLY;BYDAY=-1MO', '2026-01-26T09:00'],
    ['FREQ=MONTHLY;BYDAY=2TU,4TU', '2026-01-13T09:00'],
    ['FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', '2026-02-13T09:00'],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', '2026-01-30T09:00'],
    ['FREQ=MONTHLY;INTERVAL=18;BYMONTHDAY=10,11,12', '2026-01-10T09:00'],
    ['FREQ=YEARLY', '2026-03-29T02:30'],
    ['FREQ=YEARLY;BYMONTH=6,7', '2026-06-10T09:00'],
    ['FREQ=YEARLY;BYMONTH=11;BYDAY=4TH', '2026-11-26T09:00'],
    ['FREQ=YEARLY;BYYEARDAY=1,100,200', '2026-01-01T09:00'],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '2028-02-29T09:00'],
  ]
  it.each(rules)('%s from %s agrees with another implementation', (rule, first) => {
    const expected = takeByLibrary(rule, first, 30)
    expect(expected.length).toBeGreaterThan(1)
    expect(take(rule, first, expected.length)).toEqual(expected)
  })

  it('follows the examples of RFC 5545 that the other implementation gets wrong or lacks', () => {
    expect(take('FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO', '1997-05-12T09:00', 3)).toEqual([
      '1997-05-12T09:00',
      '1998-05-11T09:00',
      '1999-05-17T09:00',
    ])
    expect(take('FREQ=YEARLY;BYDAY=20MO', '1997-05-19T09:00', 3)).toEqual([
      '1997-05-19T09:00',
      '1998-05-18T09:00',
      '1999-05-17T09:00',
    ])
    expect(take('FREQ=HOURLY;INTERVAL=3', '1997-09-02T09:00', 4)).toEqual([
      '1997-09-02T09:00',
      '1997-09-02T12:00',
      '1997-09-02T15:00',
      '1997-09-02T18:00',
    ])
    expect(take('FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,30', '1997-09-02T09:00', 5)).toEqual([
      '1997-09-02T09:00',
      '1997-09-02T09:30',
      '1997-09-02T10:00',
      '1997-09-02T10:30',
      '1997-09-03T09:00',
    ])
    expect(take('FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3', '1997-09-04T09:00', 3)).toEqual([
      '1997-09-04T09:00',
      '1997-10-07T09:00',
      '1997-11-06T09:00',
    ])
  })

  it.each(rules)('%s from %s can be entered in the middle', (rule, first) => {
    const all = take(rule, first, 12)
    expect(take(rule, first, 7, all[1] ?? first)).toEqual(all.slice(1, 8))
  })

  it.each([
    ['FREQ=HOURLY;BYMONTH=2,12;BYMONTHDAY=29,-1;INTERVAL=5', 5],
    ['FREQ=HOURLY;BYDAY=SU;BYMONTH=1,3,10;INTERVAL=7;BYHOUR=2,3,4,21,22,23', 7],
    ['FREQ=HOURLY;BYYEARDAY=1,366,-2', 1],
    ['FREQ=DAILY;BYMONTH=12,1;BYDAY=MO,FR;INTERVAL=3', 72],
  ])('%s passes what it rules out and nothing else', (text, everyHours) => {
    const first = '2026-01-29T02:15'
    const rule = recurrenceOf(`RRULE:${text}`).rule
    if (rule === undefined) throw new Error('no rule')
    const lastOfMonth = (day: number) => civil(day + 1).dayOfMonth === 1
    const fits = (wall: number) => {
      const day = Math.floor(wall / dayMs)
      const { year, month, dayOfMonth } = civil(day)
      const yearDay = day - localDay(`${year}-01-01`) + 1
      const untilNewYear = localDay(`${year + 1}-01-01`) - day
      return (
        (rule.months.length === 0 || rule.months.includes(month)) &&
        (rule.monthDays.length === 0 || rule.monthDays.includes(dayOfMonth) || lastOfMonth(day)) &&
        (rule.yearDays.length === 0 || rule.yearDays.includes(yearDay) || untilNewYear === 2) &&
        (rule.weekdays.length === 0 || rule.weekdays.some(({ weekday }) => weekday === weekdayOf(day))) &&
        (rule.hours.length === 0 || rule.hours.includes((wall % dayMs) / hourMs - 0.25))
      )
    }
    const expected = [first]
    for (let wall = reading(first) + everyHours * hourMs; wall < far; wall += everyHours * hourMs)
      if (fits(wall)) expected.push(write(wall))
    expect(expected.length).toBeGreaterThan(50)
    expect(take(text, first, Number.POSITIVE_INFINITY)).toEqual(expected)
  })

  it.each([
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=HOURLY;BYMONTH=6;BYDAY=MO;BYMONTHDAY=31;BYHOUR=3;BYMINUTE=0,15,30,45',
  ])('%s, which never matches, looks at some forty days of a year', (text) => {
    const rule = recurrenceOf(`RRULE:${text}`).rule
    if (rule === undefined) throw new Error('no rule')
    let looks = 0
    const count: Spend = (steps) => {
      looks += steps
    }
    const first = reading('2026-01-01T09:00')
    const century = localDay('2126-01-01') * dayMs
    expect([...wallClocks(rule, first, first, century, count)]).toEqual([first])
    expect(looks).toBeLessThan(100 * 45)
  })

  it('ends a count that is never reached with the span', () => {
    const impossible = {
      when: timespan('UTC', '2026-01-01T09:00', 1),
      timezone: 'UTC',
      recurrence: recurrenceOf('RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5'),
    }
    expect(occurrences(impossible, { start: instant(0), end: instant(far) })).toHaveLength(1)
  })

  it.each([
    ['FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30', false],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', false],
    ['FREQ=HOURLY;BYSETPOS=2', false],
    ['FREQ=DAILY;INTERVAL=7;BYDAY=MO', false],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO', true],
    ['FREQ=YEARLY;BYYEARDAY=366;BYDAY=SU', true],
    ['FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29', true],
    ['FREQ=YEARLY;INTERVAL=10000', true],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20270101', true],
    ['FREQ=DAILY;INTERVAL=7;BYDAY=MO;UNTIL=99990101', false],
    ['FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=2', false],
    ['FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=1', true],
  ])('%s from a Thursday: whether it takes place again or ends is %s', (text, expected) => {
    const when = timespan('Europe/Paris', '2026-01-01T09:00', 1)
    expect(recursOrEnds({ when, timezone: 'UTC', recurrence: recurrenceOf(`RRULE:${text}`) })).toBe(expected)
  })

  it.each([
    ['FREQ=HOURLY;BYMINUTE=0,15,30,45', 96],
    ['FREQ=HOURLY;BYHOUR=9,10;BYMINUTE=0,30', 4],
    ['FREQ=HOURLY;INTERVAL=48', 0.5],
    ['FREQ=DAILY;BYHOUR=9,10,11', 3],
    ['FREQ=YEARLY', 1],
  ])('%s recurs at most %s times a day', (text, expected) => {
    const { rule } = recurrenceOf(`RRULE:${text}`)
    expect(rule && timesADay(rule)).toBe(expected)
  })

  it.each([
    'RRULE:FREQ=SECONDLY',
    'RRULE:FREQ=MINUTELY',
    'RRULE:FREQ=DAILY;COUNT=0',
    'RRULE:FREQ=DAILY;INTERVAL=0',
    'RRULE:FREQ=DAILY;COUNT=99999999',
    'RRULE:FREQ=WEEKLY;BYMONTH=13',
    'RRULE:FREQ=MONTHLY;BYDAY=60MO',
    'RRULE:FREQ=DAILY;BYDAY=1MO',
    'RRULE:BYDAY=MO',
    'RRULE:',
    'RDATE:20260101',
    'DTSTART:20260101T000000Z',
    'RRULE:FREQ=DAILY;COUNT=2;UNTIL=20260101',
    'RRULE:FREQ=DAILY;UNTIL=20261301',
    'RRULE:FREQ=HOURLY;BYMINUTE=0,1,2,3,4',
    'EXDATE:20260101T000000Z',
    'nonsense',
    '',
  ])('refuses %j', (line) => {
    expect(readRecurrence([line])).toMatchObject({
      ok: false,
      problem: { kind: 'invalidRequest', field: 'recurrence' },
    })
  })
})

function timespan(zone: string, first: string, hours: number) {
  const startTime = instantOfWallClock(zone, reading(first))
  return {
    kind: 'timespan',
    startTime,
    endTime: instant(startTime + hours * hourMs),
    startTimezone: zone,
    endTimezone: zone,
  } as const
}

describe('series', () => {
  const always = { start: instant(0), end: instant(far) }

  it.each(['America/New_York', 'Europe/Paris', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kathmandu'])(
    'keeps its wall clock all year in %s',
    (zone) => {
      const series = {
        when: timespan(zone, '2026-01-05T09:00', 1),
        timezone: 'UTC',
        recurrence: recurrenceOf('RRULE:FREQ=DAILY;COUNT=365'),
      }
      const found = occurrences(series, always)
      expect(found).toHaveLength(365)
      found.forEach(({ start }, index) => {
        expect(start).toBe(instantOfWallClock(zone, reading('2026-01-05T09:00') + index * dayMs))
      })
    },
  )

  it('ends with UNTIL included, be it an instant, a local time or a day (pitfall 19)', () => {
    for (const until of ['20260303T080000Z', '20260303T090000', '20260303']) {
      const series = {
        when: timespan('Europe/Paris', '2026-03-01T09:00', 1),
        timezone: 'UTC',
        recurrence: recurrenceOf(`RRULE:FREQ=DAILY;UNTIL=${until}`),
      }
      expect(occurrences(series, always)).toHaveLength(3)
    }
  })

  it('counts an occurrence that began before the span and reaches into it (pitfall 19)', () => {
    const series = {
      when: timespan('UTC', '2026-03-01T20:00', 30),
      timezone: 'UTC',
      recurrence: recurrenceOf('RRULE:FREQ=WEEKLY'),
    }
    const start = instant(reading('2026-03-10T01:00'))
    expect(occurrences(series, { start, end: instant(start + hourMs) })).toHaveLength(1)
    expect(occurrences(series, { start: instant(start + hourMs), end: instant(start + 2 * hourMs) })).toHaveLength(0)
  })

  it('tells of one start after the other whether an occurrence begins there', () => {
    const find = occurrenceFinder({
      when: timespan('Europe/Paris', '2026-03-27T09:00', 24 * 300),
      timezone: 'UTC',
      recurrence: recurrenceOf('RRULE:FREQ=DAILY;COUNT=4', 'EXDATE:20260328T090000'),
    })
    const at = (text: string) => instant(reading(text))
    expect(find(at('2026-03-27T08:00'))).toEqual({ start: at('2026-03-27T08:00'), end: at('2027-01-21T08:00') })
    expect(find(at('2026-03-28T08:00'))).toBeUndefined()
    // The clocks were changed in between.
    expect(find(at('2026-03-29T07:00'))).toBeDefined()
    expect(find(at('2026-03-29T08:00'))).toBeUndefined()
    expect(find(at('2026-03-30T07:00'))).toBeDefined()
    expect(find(at('2026-03-31T07:00'))).toBeUndefined()
  })

  it('looks no further than UNTIL', () => {
    const series = {
      when: timespan('UTC', '2026-03-01T09:00', 1),
      timezone: 'UTC',
      recurrence: recurrenceOf('RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20260501'),
    }
    let looks = 0
    const found = eachOccurrence(series, always, (steps) => {
      looks += steps
    })
    expect([...found]).toHaveLength(1)
    expect(looks).toBeLessThan(10)
  })

  it('of whole days are whole days of the calendar, shorter and longer ones too', () => {
    const series = {
      when: { kind: 'date', date: '2026-03-28' },
      timezone: 'Europe/Paris',
      recurrence: recurrenceOf('RRULE:FREQ=DAILY;COUNT=3', 'EXDATE;VALUE=DATE:20260330'),
    } as const
    expect(occurrences(series, always).map(({ start, end }) => (end - start) / hourMs)).toEqual([24, 23])
  })
})
