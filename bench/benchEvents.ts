// The events of a big calendar, as iCalendar texts.

export type BenchEvents = {
  readonly events: number
  /** How many of them are series. */
  readonly recurring: number
  /** Milliseconds since 1970: the midnight from which on they take place, over `days`. */
  readonly from: number
  readonly days: number
}

export const dayMs = 86_400_000

/** Half-hours all over the days; the series every week of a year. */
export function eventText(plan: BenchEvents, index: number): string {
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Bench//EN',
    ...eventLines(plan, index),
    'END:VCALENDAR',
    '',
  ].join('\r\n')
}

/** From `BEGIN:VEVENT` to `END:VEVENT`. */
export function eventLines({ events, recurring, from, days }: BenchEvents, index: number): string[] {
  const compact = (at: number) => new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
  const start = from + Math.floor((index * (days - 1) * 48) / events) * 1_800_000
  const isSeries = recurring > 0 && index % (events / recurring) === 0
  return [
    'BEGIN:VEVENT',
    `UID:bench-${index}`,
    'DTSTAMP:20260101T000000Z',
    `DTSTART:${compact(start)}`,
    `DTEND:${compact(start + 1_800_000)}`,
    `SUMMARY:Event ${index}`,
    'DESCRIPTION:Something that people write into their calendars\\, of a length that is usual.',
    ...(isSeries ? ['RRULE:FREQ=WEEKLY;COUNT=52', `EXDATE:${compact(start + 7 * dayMs)}`] : []),
    'END:VEVENT',
  ]
}
