// Until when is worked: for someone who waits for an answer, and in one run of the worker.
import type { CalendarScope } from '../adapters/calendars/calendarProvider.ts'
import type { AppId } from '../core/ids.ts'
import { type Instant, plus, secondMs } from '../core/time/instant.ts'
import type { Tools } from './tools.ts'

/** A request is answered after 25 seconds at the latest; what was placed in vain is taken back within them, where that is quick. */
const patienceMs = 22 * secondMs

/** Calendars are read for seven seconds at most before time is held, and an event takes its time as well. */
const wholeTryMs = 10 * secondMs

/** Less than the 30 seconds after which another run may begin: no two write to the calendar. */
const runMs = 25 * secondMs

/** For a request that begins at `now`, whatever it tries, and however often. */
export function endOfPatience(now: Instant): Instant {
  return plus(now, patienceMs)
}

/** Whether all can be begun anew at `now` with a chance to be done by `until`. */
export function hasTimeForAnotherTry(now: Instant, until: Instant): boolean {
  return plus(now, wholeTryMs) <= until
}

/** For a run of the worker that begins at `now`: what is not done by then is for the next one. */
export function endOfRun(now: Instant): Instant {
  return plus(now, runMs)
}

/** Whether whoever waits has been told by `now` that it took too long; nobody waits where there is no `until`. */
export function isOver(now: Instant, until: Instant | undefined): boolean {
  return until !== undefined && now >= until
}

/** In which no call to a calendar outlives `until`, but for the millisecond in which it is refused. */
export function scopeUntil(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  appId: AppId,
  until: Instant,
): CalendarScope {
  return {
    appId,
    local: database,
    get limitMs() {
      return Math.max(1, until - now())
    },
  }
}
