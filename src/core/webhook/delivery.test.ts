import { describe, expect, it } from 'vitest'

import { dayMs, fromUnixSeconds, hourMs, instant, minuteMs, secondMs } from '../time/instant.ts'
import { localDay } from '../time/localDate.ts'
import { nextStatus, readRetryAfter, waitAfter } from './delivery.ts'

describe('the wait after a failed attempt', () => {
  it('grows over about three days, and then there is none', () => {
    const waits = Array.from({ length: 20 }, (_, index) => waitAfter(index + 1, 0.5, undefined))
    const known = waits.filter((wait) => wait !== undefined)
    expect(known.length).toBe(14)
    expect(waits.slice(14).every((wait) => wait === undefined)).toBe(true)
    const sum = known.reduce((total, wait) => total + wait, 0)
    expect(sum).toBeGreaterThan(2.9 * dayMs)
    expect(sum).toBeLessThan(3.1 * dayMs)
  })

  it('is spread by a fifth to either side', () => {
    expect([waitAfter(6, 0, undefined), waitAfter(6, 0.5, undefined), waitAfter(6, 1, undefined)]).toEqual([
      0.8 * hourMs,
      hourMs,
      1.2 * hourMs,
    ])
  })

  it('is what the receiver asks for where that is longer, up to an hour', () => {
    expect(waitAfter(1, 0.5, 90 * secondMs)).toBe(90 * secondMs)
    expect(waitAfter(1, 0.5, 5 * hourMs)).toBe(hourMs)
    expect(waitAfter(9, 0.5, secondMs)).toBe(8 * hourMs)
  })
})

describe('Retry-After', () => {
  const now = fromUnixSeconds(localDay('2030-02-28') * 86_400 + 86_370)
  it('is read as seconds and as a date', () => {
    expect(readRetryAfter('120', now)).toBe(120 * secondMs)
    expect(readRetryAfter('Fri, 01 Mar 2030 00:00:00 GMT', now)).toBe(30 * secondMs)
    expect(readRetryAfter('Fri, 01 Mar 2019 00:00:00 GMT', now)).toBe(0)
  })
  it.each([undefined, '', 'soon', '-5', '1.5', 'Fri, 31 Feb 2030 00:00:00 GMT', 'Fri, 01 Abc 2030 00:00:00 GMT'])(
    'that is %s says nothing',
    (text) => expect(readRetryAfter(text, now)).toBeUndefined(),
  )
})

describe("an endpoint's status", () => {
  const now = instant(1_900_000_000_000)
  const since = (status: 'active' | 'failing' | 'failed' | 'pause', ms: number) => ({
    status,
    statusUpdatedAt: instant(now - ms),
  })
  const tally = (attempts: number, failures: number) => ({ attempts, failures })

  it('is failing when 95 of 100 attempts of a quarter of an hour fail, but not by a handful', () => {
    const active = since('active', dayMs)
    const next = (recent: ReturnType<typeof tally>, failingMs = 0) =>
      nextStatus(active, { recent, sinceChange: recent, failingSince: instant(now - failingMs) }, now)
    expect([next(tally(100, 94)), next(tally(100, 95)), next(tally(4, 4)), next(tally(5, 5))]).toEqual([
      'active',
      'failing',
      'active',
      'failing',
    ])
  })

  it('is failing, however little is sent to it, when nothing has succeeded for the whole time', () => {
    const next = (failingMs: number) =>
      nextStatus(
        since('active', dayMs),
        { recent: tally(1, 1), sinceChange: tally(2, 2), failingSince: instant(now - failingMs) },
        now,
      )
    expect([next(14 * minuteMs), next(15 * minuteMs)]).toEqual(['active', 'failing'])
  })

  it('is failed after 72 hours of that, and active again as soon as attempts succeed', () => {
    const bad = { recent: tally(1, 1), sinceChange: tally(100, 99), failingSince: undefined }
    expect(nextStatus(since('failing', 72 * hourMs - minuteMs), bad, now)).toBe('failing')
    expect(nextStatus(since('failing', 72 * hourMs), bad, now)).toBe('failed')
    expect(nextStatus(since('failing', 80 * hourMs), { ...bad, recent: tally(6, 5) }, now)).toBe('active')
  })

  it('stays failed, or paused, whatever comes of attempts that were under way', () => {
    const good = { recent: tally(100, 0), sinceChange: tally(100, 0), failingSince: undefined }
    expect(nextStatus(since('failed', dayMs), good, now)).toBe('failed')
    expect(nextStatus(since('pause', dayMs), good, now)).toBe('pause')
  })
})
