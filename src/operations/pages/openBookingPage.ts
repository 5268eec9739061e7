// What a booking page shows first: its settings and the first slots, found together so that the page need not ask.
import type { Principal } from '../../core/account/principal.ts'
import { type Result, success } from '../../core/result.ts'
import { toUnixSeconds } from '../../core/time/instant.ts'
import type { PageData, SlotStarts } from '../../wire/pages.ts'
import { findSlots } from '../configurations/findSlots.ts'
import { type ConfigurationQuery, nameConfiguration } from '../configurations/loadConfiguration.ts'
import { readUiSettings } from '../configurations/uiSettings.ts'
import type { Tools } from '../tools.ts'

const hourSeconds = 3_600
const daySeconds = 24 * hourSeconds
/** A month and what shows of the next. */
const windowDays = 40
/** So many windows are looked through for the first slot. */
const windowLimit = 5

const anyone: Principal = { kind: 'anyone' }

/** Problems: `invalidRequest`, `notFound`, and `unavailable` of the database. */
export async function openBookingPage(
  tools: Pick<Tools, 'database' | 'providers' | 'now'>,
  query: ConfigurationQuery,
): Promise<Result<PageData>> {
  const settings = await readUiSettings(tools, anyone, query)
  if (!settings.ok && settings.problem.kind === 'invalidSession') {
    const named = await nameConfiguration(tools, anyone, query)
    return named.ok ? success({ kind: 'private', configuration_id: named.value.id }) : named
  }
  if (!settings.ok) return settings
  const { configuration_id, scheduler } = settings.value
  const slots = await findFirstSlots(tools, configuration_id, scheduler.available_days_in_future)
  return success({ kind: 'book', settings: settings.value, ...(slots === undefined ? {} : { slots }) })
}

/** From the full hour, so that everyone who comes within it asks the same question. Undefined where slots cannot be told. */
async function findFirstSlots(
  tools: Pick<Tools, 'database' | 'providers' | 'now'>,
  configurationId: string,
  daysInFuture: number,
): Promise<SlotStarts | undefined> {
  const from = Math.floor(toUnixSeconds(tools.now()) / hourSeconds) * hourSeconds
  // The horizon ends with a day of the organizer's, so one more is asked for.
  const horizon = from + (daysInFuture + 2) * daySeconds
  let until = from
  for (let tried = 0; tried < windowLimit && until < horizon; tried++) {
    const start = until
    until = start + windowDays * daySeconds
    const found = await findSlots(tools, anyone, {
      configuration_id: configurationId,
      start_time: start,
      end_time: until,
    })
    if (!found.ok) return undefined
    const { time_slots } = JSON.parse(found.value) as { time_slots: readonly { readonly start_time: number }[] }
    if (time_slots.length > 0) return { from, until, starts: time_slots.map(({ start_time }) => start_time) }
  }
  return { from, until, starts: [] }
}
