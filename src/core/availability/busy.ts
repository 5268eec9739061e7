// What keeps a participant from being booked: busy time, widened by the buffers.
import { minuteMs, plus } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import { merge, overlaps } from '../time/interval.ts'

/** Time kept clear around each existing event: `bufferBeforeMinutes` before its start, `bufferAfterMinutes` after its end. */
export type Buffers = { readonly bufferBeforeMinutes: number; readonly bufferAfterMinutes: number }

/**
 * `events` widened by `buffers`, those that reach into `window`, merged and sorted. `events` may come in any order.
 *
 * An event outside the window counts when its buffer reaches in. One without length blocks nothing, and neither does its buffer.
 * O(events), or O(events log events) where they are not sorted.
 */
export function busyIntervals(events: readonly Interval[], buffers: Buffers, window: Interval): Interval[] {
  const beforeMs = buffers.bufferBeforeMinutes * minuteMs
  const afterMs = buffers.bufferAfterMinutes * minuteMs
  const widened: Interval[] = []
  for (const event of events) {
    if (event.start >= event.end) continue
    const busy = { start: plus(event.start, -beforeMs), end: plus(event.end, afterMs) }
    if (overlaps(busy, window)) widened.push(busy)
  }
  return merge(widened)
}
