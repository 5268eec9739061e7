// The reminders of a configuration that changed, for the bookings that stand. Run by the worker; safe to repeat.
import { listToCome } from '../../adapters/storage/bookings.ts'
import { together } from '../../adapters/storage/database/sql.ts'
import { endReminders, reminderRows, scheduleArrangement } from '../../adapters/storage/reminders.ts'
import { remindersOf } from '../../core/booking/reminders.ts'
import type { AppId, BookingId, ConfigurationId } from '../../core/ids.ts'
import { type Result, success } from '../../core/result.ts'
import { findKnownConfiguration } from '../configurations/loadConfiguration.ts'
import type { Tools } from '../tools.ts'

export type ArrangeRemindersCommand = {
  readonly appId: AppId
  readonly configurationId: ConfigurationId
  /** The last booking that the run before has seen to. */
  readonly after?: BookingId | undefined
}

const mostBookings = 200

/**
 * What was removed is cancelled; what was added comes, unless its moment has passed; what stayed and was sent is not sent
 * again. A configuration of many bookings takes several runs, each of which orders the next.
 */
export async function arrangeReminders(
  tools: Pick<Tools, 'database' | 'now'>,
  { appId, configurationId, after }: ArrangeRemindersCommand,
): Promise<Result<void>> {
  // Read before the transaction, so that it waits for no second connection; whoever changes it now orders a run as well.
  const known = await findKnownConfiguration(tools, appId, configurationId, 'evenDeleted')
  if (!known.ok) return success(undefined)
  const { configuration } = known.value
  const now = tools.now()
  await tools.database.transaction(appId, async (transaction) => {
    const bookings = await listToCome(transaction, configurationId, { now, after, limit: mostBookings })
    const due = bookings.map((booking) => ({ id: booking.id, reminders: remindersOf(booking, configuration, now) }))
    for (const { id, reminders } of due) await endReminders(transaction, id, reminders)
    const rows = reminderRows(
      appId,
      due.flatMap(({ id, reminders }) => reminders.map((reminder) => ({ ...reminder, bookingId: id }))),
    )
    if (rows.length > 0) await transaction.query(together(rows))
    const last = bookings.at(-1)
    if (last !== undefined && bookings.length === mostBookings)
      await scheduleArrangement(transaction, configurationId, last.id)
  })
  return success(undefined)
}
