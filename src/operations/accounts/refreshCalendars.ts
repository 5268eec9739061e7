// The calendars of an account, as its provider lists them now.
import type { CalendarProvider } from '../../adapters/calendars/calendarProvider.ts'
import { writeFoundCalendars } from '../../adapters/storage/accountSecrets.ts'
import { addMirrors } from '../../adapters/storage/mirrors.ts'
import type { Grant } from '../../core/account/grant.ts'
import type { Tools } from '../tools.ts'
import { toWrite } from './connectAccount.ts'

/** New ones are read from then on, gone ones no more. What cannot be listed stays as it was. */
export async function refreshCalendars(
  { database }: Pick<Tools, 'database'>,
  provider: CalendarProvider,
  grant: Grant,
): Promise<void> {
  const listed = await provider.listCalendars({ appId: grant.appId, local: database, isInBackground: true }, grant.id)
  // An account that opens and shows no calendar at all is no reason to throw away what is known.
  if (!listed.ok || listed.value.found.length === 0) return
  const { found, unread } = listed.value
  const calendars = found.map((calendar) => toWrite(calendar, grant.settings.timezone))
  await database.transaction(grant.appId, async (transaction) => {
    await writeFoundCalendars(transaction, grant.id, { calendars, unread })
    await addMirrors(transaction, grant.id)
  })
}
