// A clock on a wall: of a zone that everybody knows, or of one that somebody described.
import { dayMs, type Instant, instant } from './instant.ts'
import type { LocalDay } from './localDate.ts'
import { instantOfWallClock, startOfLocalDay, wallClockAt } from './zone.ts'

/** Readings are milliseconds from 1970-01-01T00:00 to the reading, both as shown on the wall. */
export type Wall = {
  /** When the wall shows `reading`; a skipped one moves forward by the gap, one that comes twice means the first time. */
  instantOf(reading: number): Instant
  readingAt(at: Instant): number
  /** The first instant of the day. */
  startOfDay(day: LocalDay): Instant
}

/** The wall of an IANA zone. */
export function wallOf(timezone: string): Wall {
  return {
    instantOf: (reading) => instantOfWallClock(timezone, reading),
    readingAt: (at) => wallClockAt(timezone, at),
    startOfDay: (day) => startOfLocalDay(timezone, day),
  }
}

/** A wall that keeps one offset, e.g. of a zone whose rules nobody told. */
export function wallAtOffset(offsetMs: number): Wall {
  return {
    instantOf: (reading) => instant(reading - offsetMs),
    readingAt: (at) => at + offsetMs,
    startOfDay: (day) => instant(day * dayMs - offsetMs),
  }
}
