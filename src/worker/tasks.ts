// The jobs by name: each carries ids only, reads its row when it runs, and is safe to repeat.
import type { TaskList } from 'graphile-worker'

import type { AppId, BookingId } from '../core/ids.ts'
import type { Operations } from '../operations/operations.ts'

/** A task that throws is tried again by the queue, with growing waits. */
export function tasks(operations: Operations): TaskList {
  return {
    settleBooking: async (payload) => {
      const result = await operations.recoverBooking(payload as { appId: AppId; bookingId: BookingId })
      if (!result.ok) throw new Error(result.problem.message)
    },
    sweep: async () => {
      const result = await operations.sweep()
      if (!result.ok) throw new Error(result.problem.message)
    },
  }
}
