// What the booking components need to know before they ask for slots: public, like the page that shows it.
import type { Principal } from '../../core/account/principal.ts'
import { type Result, success } from '../../core/result.ts'
import { type UiSettings, uiSettingsToJson } from '../../wire/uiSettings.ts'
import { loadBooking } from '../bookings/loadBooking.ts'
import type { Tools } from '../tools.ts'
import { type ConfigurationQuery, resolveConfiguration } from './loadConfiguration.ts'

/** Problems: those of `resolveConfiguration`, and `notFound` for a booking that is not of this configuration. */
export async function readUiSettings(
  tools: Pick<Tools, 'database' | 'mailer'>,
  principal: Principal,
  query: ConfigurationQuery & { readonly booking_id?: string | undefined },
): Promise<Result<UiSettings>> {
  const { isSending } = tools.mailer
  if (!query.booking_id) {
    const known = await resolveConfiguration(tools, principal, query)
    return known.ok ? success(uiSettingsToJson(known.value.configuration, known.value.document, { isSending })) : known
  }
  const found = await loadBooking(tools, principal, query, query.booking_id)
  if (!found.ok) return found
  const { booking, known } = found.value
  return success(uiSettingsToJson(known.configuration, known.document, { booking, isSending }))
}
