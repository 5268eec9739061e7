// Slots as JSON.
import Type from 'typebox'

import type { AvailabilityAnswer } from '../core/availability/availability.ts'
import { invalidRequest, type Problem } from '../core/problem.ts'
import { toUnixSeconds } from '../core/time/instant.ts'

export const availabilityData = Type.Object({
  order: Type.Optional(Type.Array(Type.String(), { description: 'Round robin only: hosts, next in turn first' })),
  time_slots: Type.Array(
    Type.Object({ emails: Type.Array(Type.String()), start_time: Type.Integer(), end_time: Type.Integer() }),
  ),
})

/** Hosts named in one answer, all slots together: some 6 MB. Nobody reads more, and nobody must be able to ask for it. */
const longestAnswer = 250_000

/** An answer that is longer than any that is given. */
export function findLengthProblem({ slots }: AvailabilityAnswer): Problem | undefined {
  return slots.reduce((sum, { emails }) => sum + emails.length, 0) > longestAnswer
    ? invalidRequest('there are more slots than one answer holds; ask for fewer days', 'end_time')
    : undefined
}

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
