// Until when is worked for someone who waits for an answer.
import { type Instant, plus, secondMs } from '../core/time/instant.ts'

/** A request is answered after 25 seconds at the latest; what was placed in vain is taken back within them, where that is quick. */
const patienceMs = 22 * secondMs

/** Calendars are read for seven seconds at most before time is held, and an event takes its time as well. */
const wholeTryMs = 10 * secondMs

/** For a request that begins at `now`, whatever it tries, and however often. */
export function endOfPatience(now: Instant): Instant {
  return plus(now, patienceMs)
}

/** Whether all can be begun anew at `now` with a chance to be done by `until`. */
export function hasTimeForAnotherTry(now: Instant, until: Instant): boolean {
  return plus(now, wholeTryMs) <= until
}
