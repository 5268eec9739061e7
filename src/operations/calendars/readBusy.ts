// When calendars are busy: what their providers say, and what our own bookings claim.
import type { CalendarProvider, CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import { activeClaims } from '../../adapters/storage/claims.ts'
import type { Queryable } from '../../adapters/storage/database/database.ts'
import { readMirrors } from '../../adapters/storage/mirrors.ts'
import { closed } from '../../core/calendar/health.ts'
import { calendarName, type ParticipantCalendar } from '../../core/configuration/configuration.ts'
import type { BusyByCalendar } from '../../core/configuration/slotQuestion.ts'
import type { AppId } from '../../core/ids.ts'
import { asUnavailable } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Interval } from '../../core/time/interval.ts'
import type { Tools } from '../tools.ts'
import { askMirror, countUnread, type MirrorQuestion, type OwnTime } from './askMirror.ts'
import type { SyncNeeds } from './syncCalendar.ts'

export type BusyQuestion = {
  readonly appId: AppId
  readonly calendars: readonly ParticipantCalendar[]
  readonly span: Interval
  readonly ignoring?: OwnTime | undefined
  /** The caller's transaction, where there is one. */
  readonly transaction?: Queryable | undefined
  /** Calendars that were read before the transaction, by name: they are not asked again, only their claims are read. */
  readonly known?: ReadonlyMap<string, readonly Interval[]> | undefined
}

/** Of one calendar: what its provider says, and what our own bookings claim. */
export type CalendarBusy = { readonly busy: readonly Interval[]; readonly claims: readonly Interval[] }

/** How busy time of calendars of one provider is asked for; those of our own are read where they are, whoever asks. */
export type AskBusy = (
  provider: CalendarProvider,
  scope: CalendarScope,
  question: MirrorQuestion,
) => Promise<Result<readonly (readonly Interval[])[]>>

/** For offers: as the mirror knows it, where the calendars are elsewhere; `noteAge` hears of the age of each, in milliseconds. */
export function mirrored(tools: SyncNeeds, noteAge: (ageMs: number) => void = () => {}): AskBusy {
  return (provider, scope, question) =>
    provider.isLocal ? askCalendars(provider, scope, question) : askMirror(tools, provider, scope, question, noteAge)
}

const askCalendars: AskBusy = (provider, scope, { calendars, span, ignoring }) =>
  provider.freeBusy(
    scope,
    calendars.map(({ key }) => key),
    span,
    ignoring === undefined ? [] : [ignoring.eventId],
  )

/**
 * For bookings: one calendar that cannot be read counts as its policy says, and takes no other down with it. All are asked at
 * once: someone waits.
 */
const askEach =
  ({ database }: Pick<Tools, 'database'>): AskBusy =>
  async (provider, scope, question) => {
    const { calendars, span, ignoring } = question
    const mayBeUnread = ({ whenUnreadable = closed }: ParticipantCalendar) => whenUnreadable.kind !== 'closed'
    const together = calendars.filter((calendar) => !mayBeUnread(calendar))
    const alone = calendars.filter(mayBeUnread)
    const [ofAll, ...ofEach] = await Promise.all([
      together.length === 0 ? success([]) : askCalendars(provider, scope, { ...question, calendars: together }),
      ...alone.map(async (calendar) => {
        const answer = await askCalendars(provider, scope, { ...question, calendars: [calendar] })
        if (answer.ok) return success(answer.value[0] ?? [])
        const [found] = await readMirrors(database, scope.appId, [calendar.key], span, ignoring?.bookingId)
        return countUnread(calendar, { found, span, problem: answer.problem })
      }),
    ])
    if (!ofAll.ok) return ofAll
    const busy = new Map(together.map((calendar, index) => [calendar, ofAll.value[index]]))
    for (const [index, answer] of ofEach.entries()) {
      if (!answer.ok) return answer
      busy.set(alone[index] as ParticipantCalendar, answer.value)
    }
    return success(calendars.map((calendar) => busy.get(calendar) ?? []))
  }

/**
 * Busy intervals and claims of each calendar that overlap `span`, in the order asked; neither sorted nor merged nor cut.
 * Problems: `calendarUnavailable`, if a single one cannot be read.
 */
export async function readCalendars(
  { database, providers }: Pick<Tools, 'database' | 'providers'>,
  { appId, calendars, span, ignoring, transaction, known }: BusyQuestion,
  ask: AskBusy = askCalendars,
): Promise<Result<readonly CalendarBusy[]>> {
  const local = transaction ?? database
  const keys = calendars.map(({ key }) => key)
  const ownClaims = activeClaims(local, appId, keys, span, ignoring?.bookingId)
  const unknown = calendars.filter(({ key }) => known?.has(calendarName(key)) !== true)
  const groups = Map.groupBy(unknown, ({ provider }) => provider)
  const answers = Promise.all(
    [...groups].map(async ([name, members]) => {
      const provider = providers(name)
      if (provider === undefined)
        return failure({
          kind: 'calendarUnavailable',
          message: `calendars of ${name} cannot be read by this server yet`,
        })
      const busy = await ask(provider, { appId, local }, { calendars: members, span, ignoring })
      return busy.ok
        ? success(members.map(({ key }, index) => [calendarName(key), busy.value[index] ?? []] as const))
        : busy
    }),
  )
  const [claims, found] = await Promise.all([ownClaims, answers])
  const busyByCalendar = new Map<string, readonly Interval[]>(known)
  for (const answer of found) {
    if (!answer.ok) return answer
    for (const [name, intervals] of answer.value) busyByCalendar.set(name, intervals)
  }
  return success(
    keys.map((key, index) => ({ busy: busyByCalendar.get(calendarName(key)) ?? [], claims: claims[index] ?? [] })),
  )
}

/** `readCalendars` by calendar name, as the engine's question wants it. */
export async function readBusyByCalendar(
  tools: Pick<Tools, 'database' | 'providers'>,
  question: BusyQuestion,
  ask?: AskBusy,
): Promise<Result<BusyByCalendar>> {
  const read = await readCalendars(tools, question, ask)
  if (!read.ok) return read
  return success(
    new Map(
      question.calendars.map(({ key }, index) => [calendarName(key), read.value[index] ?? { busy: [], claims: [] }]),
    ),
  )
}

/**
 * What providers beyond this server say of their calendars, by name: asked before a transaction, because no remote call
 * stands inside one. Calendars of our own are left out: they are read under the lock.
 */
export async function readRemoteBusy(
  tools: Pick<Tools, 'database' | 'providers'>,
  question: BusyQuestion,
): Promise<Result<ReadonlyMap<string, readonly Interval[]>>> {
  const remote = question.calendars.filter(({ provider }) => tools.providers(provider)?.isLocal !== true)
  if (remote.length === 0) return success(new Map())
  const read = await readCalendars(tools, { ...question, calendars: remote }, askEach(tools))
  if (read.ok)
    return success(new Map(remote.map(({ key }, index) => [calendarName(key), read.value[index]?.busy ?? []])))
  return failure(asUnavailable(read.problem))
}

/** As `readCalendars`, in one list for each calendar. */
export async function readBusy(
  tools: Pick<Tools, 'database' | 'providers'>,
  question: BusyQuestion,
  ask?: AskBusy,
): Promise<Result<readonly (readonly Interval[])[]>> {
  const read = await readCalendars(tools, question, ask)
  return read.ok ? success(read.value.map(({ busy, claims }) => [...busy, ...claims])) : read
}
