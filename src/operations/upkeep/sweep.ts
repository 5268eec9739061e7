// What recurs: throws away what has run out, blanks what is too old, and takes up again what no job is left for.
import { blankAddresses } from '../../adapters/storage/audit.ts'
import { scheduleRecovery } from '../../adapters/storage/bookings.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import {
  deleteExpired,
  deleteOldMails,
  deleteOldNotifications,
  findUnsettled,
  listAppIds,
  partSize,
} from '../../adapters/storage/database/maintenance.ts'
import { blankGuestData } from '../../adapters/storage/guestData.ts'
import { requeueOverdueMails } from '../../adapters/storage/mails/attempts.ts'
import { deleteEndedCounts } from '../../adapters/storage/rateCounts.ts'
import { requeueOverdueReminders } from '../../adapters/storage/reminders.ts'
import { giveUpOrphans } from '../../adapters/storage/webhookEndpoints.ts'
import { type Result, success } from '../../core/result.ts'
import { dayMs, plus, secondMs } from '../../core/time/instant.ts'
import { keptDays } from '../../core/webhook/endpoint.ts'
import type { Tools } from '../tools.ts'

/** A server that is to stop waits for the sweep that runs. */
const sweepMs = 10 * secondMs

/**
 * One application after the other, in parts that hold nobody up. Each gets at least one part of everything; what is left
 * of a large heap after ten seconds goes with the next sweep.
 */
export async function sweep({
  database,
  now,
  guestDataDays,
}: Pick<Tools, 'database' | 'now' | 'guestDataDays'>): Promise<
  Result<{ deleted: number; blanked: number; takenUp: number }>
> {
  const begun = now()
  const before = plus(begun, -keptDays * dayMs)
  const endedBefore = plus(begun, -guestDataDays * dayMs)
  let deleted = 0
  let blanked = 0
  let takenUp = 0
  for (const appId of await listAppIds(database)) {
    const inParts = async (doPart: (transaction: Transaction) => Promise<number>): Promise<number> => {
      for (let done = 0; ; ) {
        const count = await database.transaction(appId, doPart)
        done += count
        if (count < partSize || now() - begun > sweepMs) return done
      }
    }
    deleted += await inParts(deleteExpired)
    deleted += await inParts((transaction) => deleteOldNotifications(transaction, before))
    deleted += await inParts((transaction) => deleteOldMails(transaction, before))
    deleted += await inParts(giveUpOrphans)
    blanked += await inParts((transaction) => blankGuestData(transaction, { endedBefore, unchangedSince: before }))
    blanked += await inParts((transaction) => blankAddresses(transaction, endedBefore))
    const unsettled = await database.transaction(appId, findUnsettled)
    for (const id of unsettled) await database.transaction(appId, (transaction) => scheduleRecovery(transaction, id))
    takenUp += unsettled.length
    takenUp += await database.transaction(appId, requeueOverdueMails)
    takenUp += await database.transaction(appId, requeueOverdueReminders)
  }
  for (;;) {
    const count = await deleteEndedCounts(database)
    deleted += count
    if (count < partSize || now() - begun > sweepMs) break
  }
  return success({ deleted, blanked, takenUp })
}
