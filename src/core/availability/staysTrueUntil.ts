// How long a computed answer may be given again while the clock runs on.
import type { Instant } from '../time/instant.ts'
import { plus } from '../time/instant.ts'
import type { AvailabilityAnswer } from './availability.ts'

/**
 * Until when (not included) `answer` stays true as `now` moves and nothing else does, where the question's `earliestStart`
 * was now + `noticeMs`. Undefined: for good, because time that passes takes slots away and never brings any.
 *
 * The half of `max-fairness` cannot change before then: the upper half keeps its slots until the first one goes, and where
 * it had none it gets none. A `latestStart` that moves with `now` does bring slots: its next move bounds the answer too.
 */
export function staysTrueUntil(answer: AvailabilityAnswer, noticeMs: number): Instant | undefined {
  const first = answer.slots[0]
  return first === undefined ? undefined : plus(first.start, 1 - noticeMs)
}
