import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { instant } from './instant.ts'
import type { Interval } from './interval.ts'
import { clip, intersect, merge, overlaps, subtract, unite } from './interval.ts'

const intervals = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 }))
    .map(([start, length]) => at(start, start + length)),
  { maxLength: 12 },
)
const mergedIntervals = intervals.map((list) => merge(list))

describe('two intervals', () => {
  test('touching is not overlapping', () => {
    expect(overlaps(at(1, 2), at(2, 3))).toBe(false)
    expect(overlaps(at(1, 3), at(2, 3))).toBe(true)
  })
})

describe('merge', () => {
  test('joins what touches, drops what is empty, and sorts', () => {
    expect(merge([at(5, 6), at(1, 2), at(9, 9), at(2, 3)])).toEqual([at(1, 3), at(5, 6)])
  })

  test('covers exactly the instants that were covered, in pieces that are apart', () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const merged = merge(list)
        expect(covered(merged)).toEqual(covered(list))
        expect(areApart(merged)).toBe(true)
        expect(merge(merged)).toEqual(merged)
      }),
    )
  })

  test('does not depend on the order of the list', () => {
    fc.assert(
      fc.property(intervals, (list) => {
        expect(merge(list.toReversed())).toEqual(merge(list))
      }),
    )
  })
})

test('two merged lists united are their merged sum', () => {
  expect(unite([at(1, 2), at(5, 6)], [at(2, 3), at(5, 8)])).toEqual([at(1, 3), at(5, 8)])
  fc.assert(
    fc.property(mergedIntervals, mergedIntervals, (one, other) => {
      expect(unite(one, other)).toEqual(merge([...one, ...other]))
    }),
  )
})

test('two merged lists intersected are what each loses when the other is taken away', () => {
  expect(intersect([at(1, 4), at(6, 9)], [at(2, 7), at(8, 12)])).toEqual([at(2, 4), at(6, 7), at(8, 9)])
  fc.assert(
    fc.property(mergedIntervals, mergedIntervals, (one, other) => {
      expect(intersect(one, other)).toEqual(subtract(one, subtract(one, other)))
    }),
  )
})

describe('subtract', () => {
  test('busy until 10 leaves free time from 10', () => {
    expect(subtract([at(8, 12)], [at(9, 10)])).toEqual([at(8, 9), at(10, 12)])
  })

  test('one busy interval can close several openings', () => {
    expect(subtract([at(1, 3), at(4, 6), at(7, 9)], [at(2, 8)])).toEqual([at(1, 2), at(8, 9)])
  })

  test('leaves the instants that are open and not busy, in pieces that do not overlap', () => {
    fc.assert(
      fc.property(mergedIntervals, mergedIntervals, (open, busy) => {
        const taken = covered(busy)
        const free = subtract(open, busy)
        expect(covered(free)).toEqual(covered(open).filter((tick) => !taken.includes(tick)))
        expect(areApart(free)).toBe(true)
      }),
    )
  })

  test('subtracting nothing changes nothing, and everything from itself leaves nothing', () => {
    fc.assert(
      fc.property(mergedIntervals, (open) => {
        expect(subtract(open, [])).toEqual(open)
        expect(subtract(open, open)).toEqual([])
      }),
    )
  })
})

describe('clip', () => {
  test('keeps the instants that lie in the window', () => {
    fc.assert(
      fc.property(
        intervals,
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 30 }),
        (list, start, length) => {
          const window = at(start, start + length)
          const clipped = clip(list, window)
          expect(covered(clipped)).toEqual(covered(list).filter((tick) => tick >= start && tick < start + length))
          expect(clipped.every((piece) => piece.start < piece.end)).toBe(true)
        },
      ),
    )
  })
})

function at(start: number, end: number): Interval {
  return { start: instant(start), end: instant(end) }
}

/** The whole ticks inside the intervals, each once, sorted. */
function covered(list: readonly Interval[]): number[] {
  const ticks = new Set<number>()
  for (const { start, end } of list) for (let tick: number = start; tick < end; tick += 1) ticks.add(tick)
  return [...ticks].toSorted((a, b) => a - b)
}

function areApart(list: readonly Interval[]): boolean {
  return list.every((piece, index) => index === 0 || (list[index - 1]?.end ?? Number.NaN) < piece.start)
}
