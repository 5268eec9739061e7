// The server's time: it decides what is past and what can still be booked, and a guest's own clock may be wrong by a day.

/** Seconds by which the clock of this device is ahead. */
let ahead = 0

/** `serverNow` stood in the page, in Unix seconds, when the server sent it. */
export function setClock(serverNow: number): void {
  const [page] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  // Slow connections and devices take their time until this runs.
  const agoMs = Math.max(0, performance.now() - (page?.responseStart ?? 0))
  ahead = (Date.now() - agoMs) / 1_000 - serverNow
}

/** Unix seconds, with fractions. */
export function unixNow(): number {
  return Date.now() / 1_000 - ahead
}
