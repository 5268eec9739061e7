// When what stands on virtual calendars takes place: series unfolded within a bound, occurrences that were changed left out.
import { eachOccurrence } from '../../../core/calendar/series.ts'
import type { EventId } from '../../../core/ids.ts'
import type { Problem } from '../../../core/problem.ts'
import { failure, type Result, success } from '../../../core/result.ts'
import type { Interval } from '../../../core/time/interval.ts'
import { readRecurrence } from '../../ical/recurrence.ts'
import type { BusyRow } from '../../storage/events.ts'
import { stepsOfOccurrence, TooMuchWork, Work } from '../../work/work.ts'

export const noCalendar: Problem = {
  kind: 'calendarUnavailable',
  message: 'The calendar does not exist any more.',
}

/** It was read when it was stored; one that no longer can be is not free. */
const unreadable: Problem = {
  kind: 'calendarUnavailable',
  message: 'The calendar has a series that cannot be read.',
}

const tooMuch: Problem = {
  kind: 'calendarUnavailable',
  message: 'The calendar has more recurring events than can be worked out for so much time: ask about fewer days.',
}

/**
 * What one question is worth: fifty thousand occurrences on one calendar, which are five hundred a day for three months, and
 * three times as many where it asks a lot of calendars: some tenths of a second of one core.
 */
function worth(calendars: number): number {
  return Math.min(3_000_000, 1_000_000 + calendars * 100_000)
}

export type BusyQuestion = {
  readonly span: Interval
  readonly ignoring: ReadonlySet<EventId>
  /** How many are asked. */
  readonly calendars: number
}

export type Unfolded = {
  /** The place of its calendar among those asked. */
  readonly place: number
  readonly id: EventId
  /** Unsorted where it is no series; not cut at the span. */
  readonly busy: readonly Interval[]
}

/**
 * The busy time of each row; what is replaced or does not block has none. Others get their turn meanwhile.
 * Problems: `calendarUnavailable`, also where it would take too long to tell: then nothing is free.
 */
export async function unfold(rows: readonly BusyRow[], question: BusyQuestion): Promise<Result<readonly Unfolded[]>> {
  try {
    return await unfoldWithin(new Work(worth(question.calendars)), rows, question)
  } catch (error) {
    if (error instanceof TooMuchWork) return failure(tooMuch)
    throw error
  }
}

async function unfoldWithin(
  work: Work,
  rows: readonly BusyRow[],
  { span, ignoring }: BusyQuestion,
): Promise<Result<readonly Unfolded[]>> {
  const unfolded: Unfolded[] = []
  const replaced = new Map<string, Set<number | null>>()
  for (const row of rows) {
    if (row.timezone === null) return failure(noCalendar)
    if (row.masterEventId === null) continue
    const name = seriesName(row.ordinal, row.masterEventId)
    replaced.set(name, (replaced.get(name) ?? new Set()).add(row.originalStart))
  }
  for (const row of rows) {
    if (row.id === null || !row.blocks || ignoring.has(row.id)) continue
    const { id } = row
    const place = row.ordinal - 1
    if (row.details === null) {
      unfolded.push({ place, id, busy: [{ start: row.start, end: row.end }] })
      continue
    }
    const { when, recurrence: lines } = row.details
    work.beginSeries(lines)
    const recurrence = readRecurrence(lines)
    if (!recurrence.ok) return failure(unreadable)
    const busy: Interval[] = []
    const gone = replaced.get(seriesName(row.ordinal, id))
    const series = { when, timezone: row.timezone ?? 'UTC', recurrence: recurrence.value }
    for (const occurrence of eachOccurrence(series, span, work.spend)) {
      work.spend(stepsOfOccurrence)
      if (gone?.has(occurrence.start) !== true) busy.push(occurrence)
      work.beginPiece()
      if (work.isLong()) await work.breathe()
    }
    if (work.isLong()) await work.breathe()
    unfolded.push({ place, id, busy })
  }
  return success(unfolded)
}

function seriesName(ordinal: number, id: EventId): string {
  return `${ordinal} ${id}`
}
