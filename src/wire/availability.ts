// Slots as JSON.
import Type from 'typebox'

import type { AvailabilityAnswer } from '../core/availability/availability.ts'
import { toUnixSeconds } from '../core/time/instant.ts'

export const availabilityData = Type.Object({
  order: Type.Optional(Type.Array(Type.String(), { description: 'Round robin only: hosts, next in turn first' })),
  time_slots: Type.Array(
    Type.Object({ emails: Type.Array(Type.String()), start_time: Type.Integer(), end_time: Type.Integer() }),
  ),
})

/** Slots by start; `order` only for a round robin. */
export function availabilityToJson({ slots, order }: AvailabilityAnswer) {
  return {
    ...(order === undefined ? {} : { order }),
    time_slots: slots.map(({ start, end, emails }) => ({
      emails,
      start_time: toUnixSeconds(start),
      end_time: toUnixSeconds(end),
    })),
  }
}
