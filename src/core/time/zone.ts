// Wall clocks: what a clock on the wall of a time zone shows, and when. The only user of `Temporal`.
//
// A wall clock reading is a number: the milliseconds from 1970-01-01T00:00 to the reading, both as shown on the wall.
import type { Instant } from './instant.ts'
import { dayMs, instant, minuteMs } from './instant.ts'
import type { Interval } from './interval.ts'
import type { LocalDay } from './localDate.ts'

/** A stretch of time in which a zone keeps one offset: the wall shows instant + `offsetMs`. */
export type OffsetSegment = Interval & { readonly offsetMs: number }

/**
 * Is `name` a time zone that we can compute with? IANA names and their aliases (`Asia/Calcutta`, `UTC`) are, in any case;
 * bare offsets (`+02:00`) are not, because they do not know about the next clock change.
 */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false
  if (blocks.has(name)) return true
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** What the wall shows at `at`. */
export function wallClockAt(timezone: string, at: Instant): number {
  return at + segmentAt(timezone, at).offsetMs
}

/** The local date at `at`. */
export function localDayAt(timezone: string, at: Instant): LocalDay {
  return Math.floor(wallClockAt(timezone, at) / dayMs)
}

/**
 * When the wall shows `wallClock`. Both clock changes have their rule, Temporal's "compatible" (RFC 5545 §3.3.5 agrees):
 * a reading that is skipped moves forward by the length of the gap, one that comes twice means the first time.
 */
export function instantOfWallClock(timezone: string, wallClock: number): Instant {
  const { at, skippedUntil, offsetBeforeMs } = resolve(timezone, wallClock)
  return skippedUntil === undefined ? at : instant(wallClock - offsetBeforeMs)
}

/** `minuteOfDay` (0…1440) of the local date `day`, as `instantOfWallClock` tells it. */
export function instantOfLocalTime(timezone: string, day: LocalDay, minuteOfDay: number): Instant {
  return instantOfWallClock(timezone, day * dayMs + minuteOfDay * minuteMs)
}

/** The first instant of the local date `day`: later than 00:00 where a clock change skips midnight. */
export function startOfLocalDay(timezone: string, day: LocalDay): Instant {
  const { at, skippedUntil } = resolve(timezone, day * dayMs)
  return skippedUntil ?? at
}

/** The first instant of the local date that follows the one at `at`. */
export function nextLocalMidnight(timezone: string, at: Instant): Instant {
  return startOfLocalDay(timezone, localDayAt(timezone, at) + 1)
}

/** `window` cut where the offset of the zone changes: in order, without gaps, two neighbours never alike. */
export function offsetSegments(timezone: string, window: Interval): OffsetSegment[] {
  const pieces: OffsetSegment[] = []
  let start = window.start
  while (start < window.end) {
    const segment = segmentAt(timezone, start)
    const end = Math.min(segment.end, (Math.floor(start / blockMs) + 1) * blockMs, window.end) as Instant
    const before = pieces.at(-1)
    if (before?.offsetMs === segment.offsetMs) {
      pieces[pieces.length - 1] = { start: before.start, end, offsetMs: before.offsetMs }
    } else {
      pieces.push({ start, end, offsetMs: segment.offsetMs })
    }
    start = end
  }
  return pieces
}

type Resolved = {
  readonly at: Instant
  /** Only for a reading that the wall never shows: when the gap ends, and the offset before it. */
  readonly skippedUntil?: Instant
  readonly offsetBeforeMs: number
}

function resolve(timezone: string, wallClock: number): Resolved {
  let offsetBeforeMs = 0
  for (const segment of segmentsAround(timezone, wallClock)) {
    const at = instant(wallClock - segment.offsetMs)
    if (at < segment.start) return { at, skippedUntil: segment.start, offsetBeforeMs }
    if (at < segment.end) return { at, offsetBeforeMs }
    offsetBeforeMs = segment.offsetMs
  }
  throw new RangeError(`no instant for the wall clock reading ${wallClock}`)
}

function segmentAt(timezone: string, at: Instant): OffsetSegment {
  for (const segment of segmentsAround(timezone, at)) {
    if (at < segment.end) return segment
  }
  throw new RangeError(`no offset at ${at}`)
}

// Asking Temporal costs microseconds, an availability question asks thousands of times: the segments of about four years
// of a zone are read once and kept. A pure cache: forgetting it changes nothing but the time that an answer takes.
const blockMs = 2 ** 37
/** Wall clocks and instants differ by less than a day, so a block that knows two days more on either side never has to ask its neighbour. */
const marginMs = 2 * dayMs
const mostBlocks = 1_000
/** How far `Temporal` reaches, either way. */
const lastInstant = 8.64e15

type Block = { readonly timezone: string; readonly number: number; readonly segments: readonly OffsetSegment[] }

const blocks = new Map<string, Block[]>()
let blockCount = 0
let latest: Block | undefined

/** The segments near `reading`, an instant or a wall clock: the first has no beginning and the last no end. */
function segmentsAround(timezone: string, reading: number): readonly OffsetSegment[] {
  const number = Math.floor(reading / blockMs)
  if (latest?.number === number && latest.timezone === timezone) return latest.segments
  const known = blocks.get(timezone)?.find((block) => block.number === number)
  latest = known ?? remember({ timezone, number, segments: readSegments(timezone, number) })
  return latest.segments
}

function remember(block: Block): Block {
  if (blockCount >= mostBlocks) {
    blocks.clear()
    blockCount = 0
  }
  const siblings = blocks.get(block.timezone)
  if (siblings === undefined) blocks.set(block.timezone, [block])
  else siblings.push(block)
  blockCount += 1
  return block
}

function readSegments(timezone: string, blockNumber: number): OffsetSegment[] {
  const from = Math.max(blockNumber * blockMs - marginMs, -lastInstant)
  const until = (blockNumber + 1) * blockMs + marginMs
  const segments: OffsetSegment[] = []
  let current = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timezone)
  let start = instant(Number.NEGATIVE_INFINITY)
  for (;;) {
    const offsetMs = current.offsetNanoseconds / 1_000_000
    const next = current.getTimeZoneTransition('next')
    if (next === null || next.epochMilliseconds >= until) {
      segments.push({ start, end: instant(Number.POSITIVE_INFINITY), offsetMs })
      return segments
    }
    const end = instant(next.epochMilliseconds)
    segments.push({ start, end, offsetMs })
    start = end
    current = next
  }
}
