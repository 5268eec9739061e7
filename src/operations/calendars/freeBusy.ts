// When mailboxes are busy, by their primary calendars.
import { findGrantsByEmail, type GrantWithPrimary } from '../../adapters/storage/grants.ts'
import type { ParticipantCalendar } from '../../core/configuration/configuration.ts'
import type { AppId } from '../../core/ids.ts'
import { type Result, success } from '../../core/result.ts'
import { clip, type Interval, merge } from '../../core/time/interval.ts'
import type { MailboxBusy } from '../../wire/freeBusy.ts'
import type { Tools } from '../tools.ts'
import { mirrored, readBusy } from './readBusy.ts'

type Needs = Pick<Tools, 'database' | 'providers' | 'mailer' | 'syncing' | 'now'>

/** In the order of `emails`. What is not known about one mailbox is said of it alone; it is never free by default. */
export async function freeBusy(
  tools: Needs,
  { appId, emails, window }: { appId: AppId; emails: readonly string[]; window: Interval },
): Promise<Result<MailboxBusy[]>> {
  const grants = await tools.database.read(appId, (transaction) => findGrantsByEmail(transaction, emails))
  const byEmail = new Map(grants.map((grant) => [grant.email.toLowerCase(), grant]))
  const calendarOf = (email: string) => primaryOf(byEmail.get(email.toLowerCase()))
  const calendars = emails.flatMap((email) => calendarOf(email) ?? [])
  const read = (asked: readonly ParticipantCalendar[]) =>
    readBusy(tools, { appId, calendars: asked, span: window }, mirrored(tools))
  const together = calendars.length === 0 ? success([]) : await read(calendars)
  const found = new Map(
    together.ok ? calendars.map(({ key }, index) => [key.grantId, together.value[index] ?? []] as const) : [],
  )
  const answers = emails.map(async (email): Promise<MailboxBusy> => {
    const calendar = calendarOf(email)
    if (calendar === undefined) return { email, error: `No grant or mailbox for ${email}` }
    const known = found.get(calendar.key.grantId)
    if (known !== undefined) return { email, busy: clip(merge(known), window) }
    const alone = await read([calendar])
    return alone.ok
      ? { email, busy: clip(merge(alone.value[0] ?? []), window) }
      : { email, error: alone.problem.message }
  })
  return success(await Promise.all(answers))
}

function primaryOf(grant: GrantWithPrimary | undefined): ParticipantCalendar | undefined {
  if (grant?.primaryCalendarId === undefined || grant.status !== 'valid') return undefined
  return { key: { grantId: grant.id, calendarId: grant.primaryCalendarId }, provider: grant.provider }
}
