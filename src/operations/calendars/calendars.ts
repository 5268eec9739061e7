// Calendars of a virtual account.
import { scheduleLosses } from '../../adapters/storage/bookings.ts'
import * as storage from '../../adapters/storage/calendars.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import { newId } from '../../adapters/storage/database/ids.ts'
import { listStandings } from '../../adapters/storage/mirrorHealth.ts'
import { forgetToken } from '../../adapters/storage/mirrors.ts'
import { recordNotification } from '../../adapters/storage/outbox.ts'
import type { Grant } from '../../core/account/grant.ts'
import { type Calendar, calendarLimit } from '../../core/calendar/calendar.ts'
import type { CalendarId } from '../../core/ids.ts'
import { invalidRequest, notFound, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { type CalendarContent, calendarDeletedNotification, calendarToJson } from '../../wire/calendars.ts'
import type { Tools } from '../tools.ts'
import { reckonAgain } from './reckonAgain.ts'

type Needs = Pick<Tools, 'database'>

/** Of accounts elsewhere this server reads what is busy and keeps the events of bookings; the rest is done at the provider. */
export function findUnservedProvider({ provider }: Grant): Problem | undefined {
  return provider === 'virtual-calendar'
    ? undefined
    : invalidRequest(
        `calendars and events of ${provider} accounts are managed at the provider, not through this API yet`,
      )
}

export type CalendarPage = {
  readonly limit: number
  readonly after: string | undefined
  readonly metadataPair: Readonly<Record<string, string>> | undefined
}

/** By id; `next` where there are more. */
export async function listCalendars(
  { database, syncing }: Pick<Tools, 'database' | 'syncing'>,
  grant: Grant,
  page: CalendarPage,
): Promise<Result<{ calendars: Calendar[]; next: string | undefined }>> {
  const found = await storage.listCalendars(database, grant.appId, grant.id, { ...page, limit: page.limit + 1 })
  const calendars = await withStandings({ database, syncing }, grant, found.slice(0, page.limit))
  return success({ calendars, next: found.length > page.limit ? calendars.at(-1)?.id : undefined })
}

/** `name`: its id, or the word `primary`. */
export async function showCalendar(
  { database, syncing }: Pick<Tools, 'database' | 'syncing'>,
  grant: Grant,
  name: string,
): Promise<Result<Calendar>> {
  const found = await storage.findCalendar(database, grant.appId, { grantId: grant.id, calendarId: name as CalendarId })
  const [calendar] = found === undefined ? [] : await withStandings({ database, syncing }, grant, [found])
  return calendar === undefined ? failure(notFound) : success(calendar)
}

async function withStandings(
  { database, syncing }: Pick<Tools, 'database' | 'syncing'>,
  grant: Grant,
  calendars: readonly Calendar[],
): Promise<Calendar[]> {
  if (grant.provider === 'virtual-calendar') return [...calendars]
  const standings = await listStandings(database, grant.appId, grant.id, syncing.maxAgeSeconds)
  return calendars.map((calendar) => ({ ...calendar, standing: standings.get(calendar.id) }))
}

/** The first calendar of an account becomes its primary one. Problems: `invalidRequest` past ten. */
export async function createCalendar(
  { database }: Needs,
  grant: Grant,
  content: CalendarContent,
): Promise<Result<Calendar>> {
  const unserved = findUnservedProvider(grant)
  if (unserved !== undefined) return failure(unserved)
  return database.transaction(grant.appId, async (transaction) => {
    const count = await storage.countCalendarsForInsert(transaction, grant.id)
    if (count === undefined) return failure(notFound)
    if (count >= calendarLimit)
      return failure(invalidRequest(`a virtual account has at most ${calendarLimit} calendars`))
    const id = newId() as CalendarId
    const created = await storage.insertCalendar(transaction, {
      grantId: grant.id,
      id,
      isPrimary: count === 0,
      ...content,
    })
    await recordNotification(transaction, {
      trigger: 'calendar.created',
      objectId: id,
      body: calendarToJson(created),
      grantId: grant.id,
    })
    return success(created)
  })
}

/** `change` makes the new content of the old one, or a problem. Whole days follow the calendar to a new time zone. */
export function changeCalendar(
  { database }: Needs,
  grant: Grant,
  name: string,
  change: (before: CalendarContent) => Result<CalendarContent>,
): Promise<Result<Calendar>> {
  return database.transaction(grant.appId, async (transaction) => {
    const before = await lockNamed(transaction, grant, name)
    if (before === undefined) return failure(notFound)
    if (before.readOnly) return failure(readOnly)
    const content = change(before)
    if (!content.ok) return content
    const key = { grantId: grant.id, calendarId: before.id }
    const changed = await storage.updateCalendar(transaction, key, content.value)
    if (changed === undefined) return failure(notFound)
    if (changed.timezone !== before.timezone) await reckonAgain(transaction, grant, changed, before.timezone)
    // Also where it shows the same: that of a calendar elsewhere may not have been known.
    if (content.value.timezone !== undefined) await forgetToken(transaction, grant.appId, key)
    if (isNews(before, changed))
      await recordNotification(transaction, {
        trigger: 'calendar.updated',
        objectId: changed.id,
        grantId: grant.id,
        body: calendarToJson(changed),
      })
    return success(changed)
  })
}

/** With all its events; bookings to come lose their calendar (`loseCalendar`). Problems: `invalidRequest` for the primary one. */
export async function deleteCalendar(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  grant: Grant,
  name: string,
): Promise<Result<void>> {
  const unserved = findUnservedProvider(grant)
  if (unserved !== undefined) return failure(unserved)
  return database.transaction(grant.appId, async (transaction) => {
    const before = await lockNamed(transaction, grant, name)
    if (before === undefined) return failure(notFound)
    if (before.isPrimary) return failure(invalidRequest('the primary calendar cannot be deleted'))
    const key = { grantId: grant.id, calendarId: before.id }
    await scheduleLosses(transaction, [key], now())
    await storage.deleteCalendar(transaction, key)
    await recordNotification(transaction, {
      trigger: 'calendar.deleted',
      objectId: before.id,
      grantId: grant.id,
      body: calendarDeletedNotification(before),
    })
    return success(undefined)
  })
}

export const readOnly: Problem = { kind: 'forbidden', message: 'the calendar is read-only' }

/** Locked, and as it is once the lock is held. */
export async function lockNamed(transaction: Transaction, grant: Grant, name: string): Promise<Calendar | undefined> {
  const named = await storage.findCalendar(transaction, grant.appId, {
    grantId: grant.id,
    calendarId: name as CalendarId,
  })
  if (named === undefined) return undefined
  const key = { grantId: grant.id, calendarId: named.id }
  const [locked] = await storage.lockCalendars(transaction, [key])
  return locked === undefined ? undefined : storage.findCalendar(transaction, grant.appId, key)
}

/** `calendar.updated` is for name, description, location and time zone: a colour or metadata alone is nobody's news. */
function isNews(before: Calendar, after: Calendar): boolean {
  const said = ({ name, timezone, details: { description, location } }: Calendar) =>
    JSON.stringify([name, timezone, description, location])
  return said(before) !== said(after)
}
