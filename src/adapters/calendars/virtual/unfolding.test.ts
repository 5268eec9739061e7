import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'

import type { EventId } from '../../../core/ids.ts'
import type { Result } from '../../../core/result.ts'
import { dayMs, instant, minuteMs, plus } from '../../../core/time/instant.ts'
import { localDay } from '../../../core/time/localDate.ts'
import type { BusyRow } from '../../storage/events.ts'
import { type Unfolded, unfold } from './unfolding.ts'

const start = instant(localDay('2026-11-26') * dayMs)
const over = (days: number, calendars = 1) => ({
  span: { start, end: plus(start, days * dayMs) },
  ignoring: new Set<EventId>(),
  calendars,
})

function rows(count: number, ...recurrence: string[]): BusyRow[] {
  return Array.from({ length: count }, (_, index) => ({
    ordinal: 1,
    timezone: 'Asia/Kathmandu',
    id: `series${index}` as EventId,
    masterEventId: null,
    originalStart: null,
    blocks: true,
    start,
    end: instant(Number.POSITIVE_INFINITY),
    details: {
      title: '',
      when: {
        kind: 'timespan',
        startTime: start,
        endTime: plus(start, 5 * minuteMs),
        startTimezone: undefined,
        endTimezone: undefined,
      },
      busy: true,
      participants: [],
      recurrence,
    },
  }))
}

const everyQuarter = 'RRULE:FREQ=HOURLY;BYMINUTE=0,15,30,45'
const told = (answer: Result<readonly Unfolded[]>) =>
  answer.ok ? answer.value.reduce((sum, { busy }) => sum + busy.length, 0) : answer.problem

describe('the series of virtual calendars', () => {
  it('are told whole, however many occurrences one has', async () => {
    expect(told(await unfold(rows(1, everyQuarter), over(250)))).toBe(250 * 96)
  })

  it('as people have them are told: fifty of them with ten by the day for three months', async () => {
    const daily = rows(500, 'RRULE:FREQ=DAILY').map((row, index) => ({ ...row, ordinal: 1 + (index % 50) }))
    expect(told(await unfold(daily, over(92, 50)))).toBe(500 * 92)
    expect(told(await unfold(rows(300, 'RRULE:FREQ=DAILY'), over(92)))).toBe(300 * 92)
  })

  it('past what one question is worth are unknown, never free, and others get their turn meanwhile', async () => {
    let turns = 0
    let isTold = false
    const others = (async () => {
      while (!isTold) {
        await nextTurn()
        turns += 1
      }
    })()
    const answer = await unfold(rows(100, everyQuarter), over(92))
    isTold = true
    await others
    expect(told(answer)).toMatchObject({ kind: 'calendarUnavailable', message: expect.stringMatching(/fewer days/) })
    expect(turns).toBeGreaterThan(3)
  })

  it('that never take place cost next to nothing, even thousands of them for centuries', async () => {
    const never = rows(2_000, 'RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30')
    expect(told(await unfold(never, over(92)))).toBe(2_000)
    expect(told(await unfold(never.slice(0, 50), over(300 * 365)))).toBe(50)
  })

  it('that are looked for in vain for too long are unknown', async () => {
    const never = rows(1, 'RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO')
    expect(told(await unfold(never, over(92)))).toBe(1)
    expect(told(await unfold(never, over(4_500 * 365)))).toMatchObject({ kind: 'calendarUnavailable' })
  })
})
