// The first slots that a page shows, so that it need not ask for them.
import type { Principal } from '../../core/account/principal.ts'
import { toUnixSeconds } from '../../core/time/instant.ts'
import type { SlotStarts } from '../../wire/pages.ts'
import { findSlots } from '../configurations/findSlots.ts'
import type { ConfigurationQuery } from '../configurations/loadConfiguration.ts'
import type { Tools } from '../tools.ts'

const hourSeconds = 3_600
const daySeconds = 24 * hourSeconds
/** A month and what shows of the next. */
const windowDays = 40
/** So many windows are looked through for the first slot. */
const windowLimit = 5

/** From the full hour, so that everyone who comes within it asks the same question. Undefined where slots cannot be told. */
export async function findFirstSlots(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'syncing' | 'now'>,
  principal: Principal,
  query: ConfigurationQuery,
  daysInFuture: number,
): Promise<SlotStarts | undefined> {
  const from = Math.floor(toUnixSeconds(tools.now()) / hourSeconds) * hourSeconds
  // The horizon ends with a day of the organizer's, so one more is asked for.
  const horizon = from + (daysInFuture + 2) * daySeconds
  let until = from
  for (let tried = 0; tried < windowLimit && until < horizon; tried++) {
    const start = until
    until = start + windowDays * daySeconds
    const found = await findSlots(tools, principal, { ...query, start_time: start, end_time: until })
    if (!found.ok) return undefined
    const { time_slots } = JSON.parse(found.value) as { time_slots: readonly { readonly start_time: number }[] }
    if (time_slots.length > 0) return { from, until, starts: time_slots.map(({ start_time }) => start_time) }
  }
  return { from, until, starts: [] }
}
