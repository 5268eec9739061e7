// When the events of a calendar take place, reckoned again in another time zone.
import type { Transaction } from '../../adapters/storage/database.ts'
import { deleteInstances, listZoneBound, saveEvent } from '../../adapters/storage/events.ts'
import type { Grant } from '../../core/account/grant.ts'
import type { Calendar } from '../../core/calendar/calendar.ts'
import { toWrite } from './eventWrites.ts'

/** Whole days and series without a zone of their own follow `calendar`; instances that no longer fit their series go. */
export async function reckonAgain(transaction: Transaction, grant: Grant, calendar: Calendar): Promise<void> {
  const key = { grantId: grant.id, calendarId: calendar.id }
  const bound = await listZoneBound(transaction, grant.appId, key)
  const isDaily = (id: string | undefined) =>
    bound.some((event) => event.id === id && event.details.when.kind !== 'timespan')
  await deleteInstances(
    transaction,
    grant.appId,
    key,
    bound.filter(({ masterEventId }) => isDaily(masterEventId)).map(({ id }) => id),
  )
  for (const event of bound) {
    if (isDaily(event.masterEventId)) continue
    const write = toWrite(event, grant, calendar.timezone)
    if (write.ok) await saveEvent(transaction, grant.appId, key, write.value)
  }
}
