// Instants by the days of a time zone. Instants are Unix seconds, days are `2026-03-29`.

const writers = new Map<string, Intl.DateTimeFormat>()

/** The local day of `at`. */
export function dayOf(at: number, timezone: string): string {
  let writer = writers.get(timezone)
  if (writer === undefined) {
    // Sweden writes days as we do, in every engine.
    writer = new Intl.DateTimeFormat('sv-SE-u-ca-gregory-nu-latn', {
      timeZone: timezone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    })
    writers.set(timezone, writer)
  }
  return writer.format(at * 1_000)
}

/** Starts by local day, both in order. */
export function groupByDay(starts: readonly number[], timezone: string): ReadonlyMap<string, readonly number[]> {
  const days = new Map<string, number[]>()
  for (const start of starts) {
    const day = dayOf(start, timezone)
    const list = days.get(day)
    if (list === undefined) days.set(day, [start])
    else list.push(start)
  }
  return days
}

/** The `count` of `starts` that are nearest to `wanted`, in order of time. */
export function nearest(starts: readonly number[], wanted: number, count: number): number[] {
  return starts
    .filter((start) => start !== wanted)
    .toSorted((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))
    .slice(0, count)
    .toSorted((a, b) => a - b)
}
