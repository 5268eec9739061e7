// Calendars behind accounts elsewhere: each call opens its account, takes its turn there, and has its time limit.
import type { CalendarKey } from '../../core/account/grant.ts'
import type { AppId, EventId, GrantId } from '../../core/ids.ts'
import { accountGone, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Interval } from '../../core/time/interval.ts'
import { AccountGate } from './accountGate.ts'
import type { Account, AccountCall, AccountProvider } from './accountProvider.ts'
import type { CalendarProvider, CalendarScope, Placed } from './calendarProvider.ts'

/** What an account's calls need of the house. */
export type AccountDesk = {
  /** Problems: `grantExpired` for a grant that must be connected anew, `notFound` for one that is gone. */
  open(appId: AppId, grantId: GrantId): Promise<Result<Account>>
  /** The provider refused the credentials of this account. */
  expired(account: Account, reason: string): Promise<void>
  /** What is kept of this account is `settings` from now on. */
  relocated(account: Account, settings: Account['settings']): Promise<void>
  /** The event of a booking stands at `when` now; undefined: it is gone. What is mirrored of the calendar follows. */
  placed(
    appId: AppId,
    calendar: CalendarKey,
    event: { readonly id: EventId; readonly when: Interval | undefined; readonly item: Placed['item'] },
  ): Promise<void>
}

/** Two reads and a write have room in the time that a request is given. */
const readLimitMs = 7_000
const writeLimitMs = 10_000
const syncLimitMs = 60_000
/** A removal whose answer was lost is looked for, and whoever waits has waited for that one already. */
const lookLimitMs = 3_000
/** An account that fails is looked for at other places this often. */
const relocateEveryMs = 600_000

export function accountCalendars(
  tower: AccountProvider,
  desk: AccountDesk,
  gate: AccountGate = new AccountGate(),
): CalendarProvider {
  /** By grant, in milliseconds of `performance.now()`: when it was looked for last. Those that answer take no room. */
  const lookedFor = new Map<GrantId, number>()

  /** Providers move accounts from one of their hosts to another, and the old one says anything: that it is not here, or not known. */
  async function wherever<T>(call: AccountCall, ask: (call: AccountCall) => Promise<Result<T>>): Promise<Result<T>> {
    const { account, signal } = call
    const answer = await ask(call)
    if (answer.ok) lookedFor.delete(account.grantId)
    if (answer.ok || answer.problem.retryAfterSeconds !== undefined || signal.aborted) return answer
    const now = performance.now()
    if (now - (lookedFor.get(account.grantId) ?? Number.NEGATIVE_INFINITY) < relocateEveryMs) return answer
    lookedFor.set(account.grantId, now)
    const found = await tower.relocate(call)
    if (!found.ok || found.value === undefined) return answer
    await desk.relocated(account, found.value)
    return ask({ ...call, account: { ...account, settings: found.value } })
  }

  async function at<T>(
    { appId, limitMs, isInBackground }: CalendarScope,
    grantId: GrantId,
    usualLimitMs: number,
    ask: (call: AccountCall) => Promise<Result<T>>,
    whenGone: Result<T> = failure(accountGone),
  ): Promise<Result<T>> {
    const opened = await desk.open(appId, grantId)
    if (!opened.ok) return opened.problem.kind === 'notFound' ? whenGone : opened
    const account = opened.value
    const signal = AbortSignal.timeout(Math.min(usualLimitMs, limitMs ?? usualLimitMs))
    const answer = await gate.run(grantId, isInBackground ? 'inBackground' : 'someoneWaits', signal, (askEach) =>
      within(signal, wherever({ account, signal, askEach }, ask)),
    )
    if (answer === 'tooLate') return failure(tooSlow)
    if ('notNowSeconds' in answer) return failure({ ...askedForPeace, retryAfterSeconds: answer.notNowSeconds })
    if (!answer.ok && answer.problem.retryAfterSeconds !== undefined)
      gate.quiet(grantId, answer.problem.retryAfterSeconds)
    if (!answer.ok && answer.problem.kind === 'grantExpired') await desk.expired(account, answer.problem.message)
    return answer
  }

  /** Gone is done, whatever was answered. One that refuses the password, or asks for peace, is not asked again. */
  async function isGone(scope: CalendarScope, { grantId, calendarId }: CalendarKey, id: EventId, problem: Problem) {
    if (problem.kind === 'grantExpired' || problem.retryAfterSeconds !== undefined) return false
    const there = await at(scope, grantId, lookLimitMs, (call) => tower.find(call, calendarId, id))
    return there.ok && there.value === undefined
  }

  return {
    isLocal: false,

    listCalendars: (scope, grantId) => at(scope, grantId, readLimitMs, (call) => tower.listCalendars(call)),

    async freeBusy(scope, calendars, span, ignoring = []) {
      const byGrant = Map.groupBy(calendars.entries(), ([, { grantId }]) => grantId)
      const busy: (readonly Interval[])[] = calendars.map(() => [])
      const answers = [...byGrant].map(async ([grantId, members]) => {
        const ids = members.map(([, { calendarId }]) => calendarId)
        const answer = await at(scope, grantId, readLimitMs, (call) => tower.freeBusy(call, ids, span, ignoring))
        if (!answer.ok) return answer
        for (const [place, [index]] of members.entries()) {
          const found = answer.value[place]
          if (found === undefined) return failure(unanswered)
          busy[index] = found
        }
        return answer
      })
      for (const answer of await Promise.all(answers)) if (!answer.ok) return answer
      return success(busy)
    },

    readChanges: (scope, { grantId, calendarId }, question) =>
      at(scope, grantId, syncLimitMs, (call) => tower.readChanges(call, calendarId, question)),

    async place(scope, calendar, event) {
      const { grantId, calendarId } = calendar
      const placed = await at(scope, grantId, writeLimitMs, (call) => tower.place(call, calendarId, event))
      if (placed.ok)
        await desk.placed(scope.appId, calendar, { id: event.id, when: event.when, item: placed.value.item })
      return placed
    },

    find: (scope, { grantId, calendarId }, id) =>
      at(scope, grantId, readLimitMs, (call) => tower.find(call, calendarId, id), success(undefined)),

    async remove(scope, calendar, id) {
      const { grantId, calendarId } = calendar
      // Of an account that was taken away from this server nothing more is to be done.
      const removed = await at(
        scope,
        grantId,
        writeLimitMs,
        (call) => tower.remove(call, calendarId, id),
        success(undefined),
      )
      if (!removed.ok && !(await isGone(scope, calendar, id, removed.problem))) return removed
      await desk.placed(scope.appId, calendar, { id, when: undefined, item: undefined })
      return success(undefined)
    },

    async bringBack(scope, id, { from, to }) {
      const way = { from: from.calendarId, to: to.calendarId }
      const brought = await at(scope, from.grantId, writeLimitMs, (call) => tower.bringBack(call, id, way))
      if (brought.ok) await desk.placed(scope.appId, from, { id, when: undefined, item: undefined })
      return brought
    },
  }
}

const tooSlow: Problem = { kind: 'calendarUnavailable', message: 'The calendar did not answer in time.' }
const unanswered: Problem = { kind: 'calendarUnavailable', message: 'The calendar was left out of the answer.' }
const askedForPeace: Problem = {
  kind: 'calendarUnavailable',
  message: 'The calendar asked to be left in peace for a while.',
}

/** A tower ends at its signal; one that does not keeps nobody waiting. */
async function within<T>(signal: AbortSignal, work: Promise<Result<T>>): Promise<Result<T>> {
  let late: (() => void) | undefined
  const limit = new Promise<Result<T>>((answer) => {
    late = () => answer(failure(tooSlow))
    signal.addEventListener('abort', late, { once: true })
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    if (late !== undefined) signal.removeEventListener('abort', late)
  }
}
