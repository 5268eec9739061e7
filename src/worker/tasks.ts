// The jobs by name: each carries ids only, reads its row when it runs, and is safe to repeat.
import type { TaskList } from 'graphile-worker'

import type { AppId } from '../core/ids.ts'
import type { EndpointId } from '../core/webhook/endpoint.ts'
import type { LoseCalendarCommand } from '../operations/bookings/loseCalendar.ts'
import type { RecoverBookingCommand } from '../operations/bookings/recoverBooking.ts'
import type { ArrangeRemindersCommand } from '../operations/mails/arrangeReminders.ts'
import type { SendMailCommand } from '../operations/mails/sendMail.ts'
import type { SendReminderCommand } from '../operations/mails/sendReminder.ts'
import type { Operations } from '../operations/operations.ts'
import type { ReplayCommand } from '../operations/webhooks/replays.ts'
import type { Sendings } from './sendings.ts'

/** Tasks that wait for a mail server: run apart, so that one that drips holds up nothing else. */
export function mailTasks(operations: Operations): TaskList {
  return {
    sendMail: async (payload) => {
      const result = await operations.sendMail(payload as SendMailCommand)
      if (!result.ok) throw new Error(result.problem.message)
    },
  }
}

/** A task that throws is tried again by the queue, with growing waits. */
export function tasks(operations: Operations, sendings: Sendings): TaskList {
  return {
    settleBooking: async (payload) => {
      const result = await operations.recoverBooking(payload as RecoverBookingCommand)
      if (!result.ok) throw new Error(result.problem.message)
    },
    loseCalendar: async (payload) => {
      const result = await operations.loseCalendar(payload as LoseCalendarCommand)
      if (!result.ok) throw new Error(result.problem.message)
    },
    sendReminder: async (payload) => {
      const result = await operations.sendReminder(payload as SendReminderCommand)
      if (!result.ok) throw new Error(result.problem.message)
    },
    arrangeReminders: async (payload) => {
      const result = await operations.arrangeReminders(payload as ArrangeRemindersCommand)
      if (!result.ok) throw new Error(result.problem.message)
    },
    fanOutNotifications: (payload) => sendings.fanOut((payload as { appId: AppId }).appId),
    deliverWebhooks: async (payload) => sendings.wake(payload as { appId: AppId; endpointId: EndpointId }),
    replayWebhooks: async (payload) => {
      const result = await operations.continueReplay(payload as ReplayCommand)
      if (!result.ok) throw new Error(result.problem.message)
    },
    findUnsent: () => wakeAll(operations.findUnsent(), sendings),
    reviveEndpoints: () => wakeAll(operations.reviveEndpoints(), sendings),
    sweep: async () => {
      const result = await operations.sweep()
      if (!result.ok) throw new Error(result.problem.message)
    },
  }
}

export async function wakeAll(
  asked: ReturnType<Operations['findUnsent']>,
  sendings: Pick<Sendings, 'wake'>,
): Promise<void> {
  const found = await asked
  if (!found.ok) throw new Error(found.problem.message)
  for (const name of found.value) sendings.wake(name)
}
