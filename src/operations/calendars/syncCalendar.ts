// Keeps the busy mirror of one calendar: asks its provider what changed, and writes it down with how the calendar stands.
import type { CalendarChanges, CalendarItem, CalendarProvider } from '../../adapters/calendars/calendarProvider.ts'
import { hurryRecoveries } from '../../adapters/storage/bookings.ts'
import { CommitUnknown, type Database, DatabaseUnavailable } from '../../adapters/storage/database/database.ts'
import { findGrant } from '../../adapters/storage/grants.ts'
import { writeFailure, writeRefusal } from '../../adapters/storage/mirrorHealth.ts'
import * as mirrors from '../../adapters/storage/mirrors.ts'
import type { CalendarKey } from '../../core/account/grant.ts'
import type { AppId } from '../../core/ids.ts'
import type { Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { dayMs, hourMs, type Instant, plus } from '../../core/time/instant.ts'
import { clip, type Interval, merge } from '../../core/time/interval.ts'
import { refreshCalendars } from '../accounts/refreshCalendars.ts'
import type { Tools } from '../tools.ts'
import { reconcile } from './reconcile.ts'

/** Busy time is kept from yesterday for so long, and a month more, so that it need not all be read again each day. */
const keptAheadDays = 370
const spareDays = 31
/** Some servers forget a token without a word: once a day everything is read. */
const wholeEveryMs = dayMs
/** A calendar that fails is asked again after as long as it has failed already, up to this. */
const longestWaitSeconds = 900
const tries = 3

export type SyncCommand = {
  readonly appId: AppId
  readonly key: CalendarKey
  /** `someoneWaits`: a guest looks at slots. */
  readonly urgency: 'someoneWaits' | 'inBackground'
}

export type SyncNeeds = Pick<Tools, 'database' | 'providers' | 'mailer' | 'syncing' | 'now'>

/** `gone`: there is no such calendar any more, and nothing to do. */
export type SyncOutcome = 'read' | 'gone'

/**
 * Problems: `calendarUnavailable`, `grantExpired`; they are written down too, with the time of the next try. So is a fault of
 * ours, thrown as it came for whoever logs it: what we cannot read is as little known as what nobody shows.
 * Safe to run twice at once: what was asked first and comes last is thrown away and asked again.
 */
export async function syncCalendar(tools: SyncNeeds, command: SyncCommand): Promise<Result<SyncOutcome>> {
  try {
    return await readAndWrite(tools, command)
  } catch (error) {
    const isOfDatabase = error instanceof DatabaseUnavailable || error instanceof CommitUnknown
    if (!isOfDatabase) await writeFault(tools, command)
    throw error
  }
}

async function writeFault(tools: SyncNeeds, command: SyncCommand): Promise<void> {
  const { appId, key } = command
  const mirror = await tools.database.read(appId, (transaction) => mirrors.findMirror(transaction, appId, key))
  await writeProblem(tools, command, ourFault, mirror?.failingMs ?? 0)
}

const ourFault: Problem = {
  kind: 'calendarUnavailable',
  message: 'This server failed while it read the calendar.',
}

async function readAndWrite(tools: SyncNeeds, command: SyncCommand): Promise<Result<SyncOutcome>> {
  const { database } = tools
  const { appId, key } = command
  for (let attempt = 1; ; attempt++) {
    const [grant, mirror] = await database.read(appId, (transaction) =>
      Promise.all([
        findGrant(transaction, { by: 'id', value: key.grantId }),
        mirrors.findMirror(transaction, appId, key),
      ]),
    )
    const provider = grant === undefined ? undefined : tools.providers(grant.provider)
    if (grant === undefined || mirror === undefined || provider === undefined || provider.isLocal)
      return success('gone')
    const read = await ask(tools, provider, command, mirror)
    if (!read.ok) {
      const isLate = (await writeProblem(tools, command, read.problem, mirror.failingMs)) === 'late'
      if (!isLate || attempt === tries) return read
      continue
    }
    const answer = {
      generation: mirror.generation,
      trueAt: mirror.asOf,
      token: read.value.changes.token,
      nextInSeconds: tools.syncing.everySeconds * (0.95 + 0.1 * Math.random()),
      read: toMirror(read.value.changes, read.value.window),
    }
    const written = await write(database, command, mirror, answer)
    if (written !== 'late') {
      // With the daily reading of a calendar, and not when it was just connected.
      if (!read.value.isKnown && mirror.covered !== undefined) await refreshCalendars(tools, provider, grant)
      if (written === 'new') await reconcile(tools, provider, { appId, key })
      return success('read')
    }
    if (attempt === tries) return failure(changesTooFast)
  }
}

/** What is usual, that nothing changed, in one statement. */
function write(
  database: Database,
  { appId, key }: SyncCommand,
  { failingMs }: mirrors.Mirror,
  answer: mirrors.MirrorAnswer,
): Promise<mirrors.Written> {
  if (failingMs === 0 && !mirrors.hasNews(answer)) return mirrors.writeStanding(database, appId, key, answer)
  return database.transaction(appId, async (transaction) => {
    if (failingMs > 0) await hurryRecoveries(transaction, key)
    return mirrors.writeAnswer(transaction, key, answer)
  })
}

const changesTooFast: Problem = {
  kind: 'calendarUnavailable',
  message: 'The calendar changes faster than it can be read.',
}

async function ask(
  { database, now }: SyncNeeds,
  provider: CalendarProvider,
  { appId, key, urgency }: SyncCommand,
  mirror: mirrors.Mirror,
): Promise<Result<{ changes: CalendarChanges; window: Interval; isKnown: boolean }>> {
  const whole = windowAt(now())
  const isKnown =
    mirror.token !== undefined &&
    mirror.covered !== undefined &&
    (mirror.sinceReadMs ?? Number.POSITIVE_INFINITY) < wholeEveryMs &&
    mirror.covered.start <= plus(now(), -dayMs) &&
    mirror.covered.end >= plus(now(), keptAheadDays * dayMs)
  const window = isKnown && mirror.covered !== undefined ? mirror.covered : whole
  const changes = await provider.readChanges(
    { appId, local: database, isInBackground: urgency === 'inBackground' },
    key,
    {
      window,
      token: isKnown ? mirror.token : undefined,
      known: () => mirrors.knownVersions(database, appId, key),
    },
  )
  return changes.ok ? success({ changes: changes.value, window, isKnown }) : changes
}

function windowAt(now: Instant): Interval {
  return { start: plus(now, -2 * dayMs), end: plus(now, (keptAheadDays + spareDays) * dayMs) }
}

/** Only the window is ever asked for, and an event may reach to the end of all days. */
function toMirror(changes: CalendarChanges, window: Interval): mirrors.MirrorAnswer['read'] {
  const cut = (item: CalendarItem) => toItem(item, window)
  return changes.kind === 'everything'
    ? { kind: 'everything', covered: window, items: changes.items.filter(isWorthKeeping).map(cut) }
    : { kind: 'changes', changed: changes.changed.map(cut), removed: changes.removed }
}

function isWorthKeeping({ busy, own, version }: CalendarItem): boolean {
  return busy.length > 0 || own !== undefined || version !== undefined
}

function toItem({ id, version, busy, own }: CalendarItem, window: Interval): mirrors.MirrorItem {
  return { id, version, busy: merge(clip(busy, window)), own }
}

/** `late`: it is one of credentials that are not those of the account any more. */
async function writeProblem(
  { database, syncing }: SyncNeeds,
  { appId, key }: SyncCommand,
  { kind, message, about, retryAfterSeconds = 0 }: Problem,
  failingMs: number,
): Promise<'late' | 'written'> {
  if (kind === 'grantExpired')
    return database.transaction(appId, (transaction) => writeRefusal(transaction, key, message))
  const wait = Math.min(longestWaitSeconds, Math.max(syncing.everySeconds, failingMs / 1000))
  const jittered = wait * (0.8 + 0.4 * Math.random())
  const asked = Math.min(retryAfterSeconds, hourMs / 1000)
  await writeFailure(database, appId, key, {
    reason: message,
    about,
    nextInSeconds: Math.max(jittered, asked),
  })
  return 'written'
}
