// What a booking page shows first: its settings and the first slots, found together so that the page need not ask.
import type { Principal } from '../../core/account/principal.ts'
import { type Result, success } from '../../core/result.ts'
import type { PageData } from '../../wire/pages.ts'
import { type ConfigurationQuery, nameConfiguration } from '../configurations/loadConfiguration.ts'
import { readUiSettings } from '../configurations/uiSettings.ts'
import type { Tools } from '../tools.ts'
import { findFirstSlots } from './firstSlots.ts'

const anyone: Principal = { kind: 'anyone' }

/** Problems: `invalidRequest`, `notFound`, and `unavailable` of the database. */
export async function openBookingPage(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'syncing' | 'now'>,
  query: ConfigurationQuery,
): Promise<Result<PageData>> {
  const settings = await readUiSettings(tools, anyone, query)
  if (!settings.ok && settings.problem.kind === 'invalidSession') {
    const named = await nameConfiguration(tools, anyone, query)
    return named.ok ? success({ kind: 'private', configuration_id: named.value.id }) : named
  }
  if (!settings.ok) return settings
  const { configuration_id, scheduler } = settings.value
  const slots = await findFirstSlots(tools, anyone, { configuration_id }, scheduler.available_days_in_future)
  return success({ kind: 'book', settings: settings.value, ...(slots === undefined ? {} : { slots }) })
}
