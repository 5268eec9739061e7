// Busy time of calendars elsewhere for an offer: as the mirror knows it, read anew where that is too old.
import { setTimeout as wait } from 'node:timers/promises'

import type { CalendarProvider, CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import { CommitUnknown, DatabaseUnavailable } from '../../adapters/storage/database/database.ts'
import { addMirrors, type MirroredBusy, readMirrors } from '../../adapters/storage/mirrors.ts'
import type { CalendarKey } from '../../core/account/grant.ts'
import { closed } from '../../core/calendar/health.ts'
import { calendarName, type ParticipantCalendar } from '../../core/configuration/configuration.ts'
import type { AppId, BookingId, EventId } from '../../core/ids.ts'
import { asUnavailable, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { hourMs, secondMs } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { type SyncNeeds, syncCalendar } from './syncCalendar.ts'

/** How long a guest who looks at slots waits for a calendar that must be read anew. */
const refreshLimitMs = 8 * secondMs

/** A booking that does not block its own time, and its event. */
export type OwnTime = { readonly bookingId: BookingId; readonly eventId: EventId }

export type MirrorQuestion = {
  readonly calendars: readonly ParticipantCalendar[]
  readonly span: Interval
  readonly ignoring: OwnTime | undefined
}

/**
 * Busy intervals that overlap the span, in the order of `calendars`; cut at the span. `noteAge` hears, in milliseconds, how old
 * the answer is: as old as may be where a calendar that could not be read was counted by its policy.
 * A calendar that cannot be read counts as its policy says. Problems: `calendarUnavailable`.
 */
export async function askMirror(
  tools: SyncNeeds,
  provider: CalendarProvider,
  scope: CalendarScope,
  { calendars, span, ignoring }: MirrorQuestion,
  noteAge: (ageMs: number) => void,
): Promise<Result<readonly (readonly Interval[])[]>> {
  const keys = calendars.map(({ key }) => key)
  const read = () => readMirrors(tools.database, scope.appId, keys, span, ignoring?.bookingId)
  let known = await read()
  const maxAgeMs = tools.syncing.maxAgeSeconds * secondMs
  const isOld = ({ ageMs }: MirroredBusy) => ageMs === undefined || ageMs > maxAgeMs
  const old = [...calendars.entries()].filter(([index]) => isOld(known[index] as MirroredBusy))
  if (old.length > 0) {
    await Promise.all(old.map(([index, calendar]) => refresh(tools, scope.appId, calendar, known[index])))
    known = await read()
  }
  const busy: (readonly Interval[])[] = []
  for (const [index, calendar] of calendars.entries()) {
    const found = known[index] as MirroredBusy
    const answer = isOld(found)
      ? await despite(provider, scope, calendar, { span, ignoring, found })
      : success(found.busy)
    if (!answer.ok) return answer
    noteAge(isOld(found) ? maxAgeMs : (found.ageMs ?? maxAgeMs))
    busy.push(answer.value)
  }
  return success(busy)
}

const refreshing = new Map<string, Promise<unknown>>()

/** A server that is away is not asked by each guest who looks: for so long the last answer counts. */
const peaceMs = 2 * secondMs

/** Whoever asks for a calendar that is being read waits for that reading. One that must be connected anew is not asked. */
async function refresh(
  tools: SyncNeeds,
  appId: AppId,
  { key }: ParticipantCalendar,
  found: MirroredBusy | undefined,
): Promise<void> {
  if (found?.health === 'reconnect') return
  const name = calendarName(key)
  let running = refreshing.get(name)
  if (running === undefined) {
    running = readAnew(tools, appId, key, found).then(
      (isRead) => {
        if (isRead) refreshing.delete(name)
        else setTimeout(() => refreshing.delete(name), peaceMs).unref()
      },
      (error: unknown) => {
        refreshing.delete(name)
        throw error
      },
    )
    refreshing.set(name, running)
  }
  const ended = new AbortController()
  await Promise.race([
    running.finally(() => ended.abort()),
    wait(refreshLimitMs, undefined, { signal: ended.signal, ref: false }).catch(() => {}),
  ])
}

async function readAnew(
  tools: SyncNeeds,
  appId: AppId,
  key: CalendarKey,
  found: MirroredBusy | undefined,
): Promise<boolean> {
  if (found?.health === undefined)
    await tools.database.transaction(appId, (transaction) => addMirrors(transaction, key.grantId))
  try {
    const synced = await syncCalendar(tools, { appId, key, urgency: 'someoneWaits' })
    return synced.ok
  } catch (error) {
    if (error instanceof DatabaseUnavailable || error instanceof CommitUnknown) throw error
    // A fault of ours is written down as how the calendar stands, and logged where it is polled.
    return false
  }
}

/** What a calendar counts for whose mirror is old, or knows too little of the span, and could not be read anew. */
async function despite(
  provider: CalendarProvider,
  scope: CalendarScope,
  calendar: ParticipantCalendar,
  { span, ignoring, found }: { span: Interval; ignoring: OwnTime | undefined; found: MirroredBusy },
): Promise<Result<readonly Interval[]>> {
  // Nothing is wrong with it: it is being read for the first time, or the span lies beyond what is mirrored.
  if (found.health === 'ok' && found.ageMs === undefined) {
    const read = await provider.freeBusy(scope, [calendar.key], span, ignoring === undefined ? [] : [ignoring.eventId])
    if (read.ok) return success(read.value[0] ?? [])
    return countUnread(calendar, { found, span, problem: read.problem })
  }
  return countUnread(calendar, { found, span, problem: unreadable(found.reason) })
}

/** As its policy says. `found`: what is known of it from before. */
export function countUnread(
  { whenUnreadable = closed }: ParticipantCalendar,
  {
    found,
    span,
    problem,
  }: { found: Pick<MirroredBusy, 'ageMs' | 'busy'> | undefined; span: Interval; problem: Problem },
): Result<readonly Interval[]> {
  if (whenUnreadable.kind === 'ignore') return success([])
  if (whenUnreadable.kind === 'busy') return success([span])
  const isRecent =
    whenUnreadable.kind === 'lastKnown' && found?.ageMs !== undefined && found.ageMs <= whenUnreadable.hours * hourMs
  if (isRecent) return success(found.busy)
  return failure(asUnavailable(problem))
}

function unreadable(reason: string | undefined): Problem {
  return { kind: 'calendarUnavailable', message: reason ?? 'The calendar could not be read in time.' }
}
