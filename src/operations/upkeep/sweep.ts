// What recurs: throws away what has run out, and takes up again what no job is left for.
import { scheduleRecovery } from '../../adapters/storage/bookings.ts'
import { requeueOverdueMails } from '../../adapters/storage/mails.ts'
import {
  deleteExpired,
  deleteOldMails,
  deleteOldNotifications,
  findUnsettled,
  listAppIds,
} from '../../adapters/storage/maintenance.ts'
import { requeueOverdueReminders } from '../../adapters/storage/reminders.ts'
import { giveUpOrphans } from '../../adapters/storage/webhookEndpoints.ts'
import { type Result, success } from '../../core/result.ts'
import { dayMs, plus } from '../../core/time/instant.ts'
import { keptDays } from '../../core/webhook/endpoint.ts'
import type { Tools } from '../tools.ts'

/** One application after the other; what is left of a large heap goes with the next sweep. */
export async function sweep({
  database,
  now,
}: Pick<Tools, 'database' | 'now'>): Promise<Result<{ deleted: number; takenUp: number }>> {
  let deleted = 0
  let takenUp = 0
  for (const appId of await listAppIds(database)) {
    deleted += await database.transaction(appId, deleteExpired)
    const before = plus(now(), -keptDays * dayMs)
    deleted += await database.transaction(appId, (transaction) => deleteOldNotifications(transaction, before))
    deleted += await database.transaction(appId, (transaction) => deleteOldMails(transaction, before))
    deleted += await database.transaction(appId, giveUpOrphans)
    const unsettled = await database.transaction(appId, findUnsettled)
    for (const id of unsettled) await database.transaction(appId, (transaction) => scheduleRecovery(transaction, id))
    takenUp += unsettled.length
    takenUp += await database.transaction(appId, requeueOverdueMails)
    takenUp += await database.transaction(appId, requeueOverdueReminders)
  }
  return success({ deleted, takenUp })
}
