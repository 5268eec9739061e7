/** Calendars beyond this server that fail when told to: the virtual tower, asked as a remote one is, outside every transaction. */
import type {
  CalendarProvider,
  CalendarProviders,
  CalendarScope,
} from '../../../src/adapters/calendars/calendarProvider.ts'
import { virtualCalendars } from '../../../src/adapters/calendars/virtual/provider.ts'
import { failure, type Result } from '../../../src/core/result.ts'

export type Step = 'freeBusy' | 'readChanges' | 'place' | 'find' | 'remove'

/**
 * `fail`: nothing is done. `loseAnswer`: it is done, and the answer says that it failed. `hangBefore`, `hangAfter`: the
 * call never ends, as seen by a process that dies there. `throw`: a fault of the program itself. A function runs first, with
 * what the call is given, and then the call.
 */
export type Fault =
  | 'fail'
  | 'loseAnswer'
  | 'hangBefore'
  | 'hangAfter'
  | 'throw'
  | ((scope: CalendarScope) => void | Promise<void>)

export type FaultyCalendars = {
  readonly providers: (real: CalendarProviders) => CalendarProviders
  /** The next call of `step` after `skipped` others meets `fault`; ends when it has. */
  once(step: Step, fault: Fault, skipped?: number): Promise<void>
  /** Every call of these steps fails until `heal`. */
  breakDown(...steps: readonly Step[]): void
  heal(): void
}

type Plan = {
  readonly step: Step
  readonly fault: Fault
  skipped: number
  readonly isLasting: boolean
  readonly reached: () => void
}

export function faultyCalendars(): FaultyCalendars {
  let plans: Plan[] = []

  async function meet<T>(step: Step, scope: CalendarScope, call: () => Promise<Result<T>>): Promise<Result<T>> {
    const plan = plans.find((candidate) => candidate.step === step)
    if (plan === undefined) return call()
    if (plan.skipped > 0) {
      plan.skipped--
      return call()
    }
    if (!plan.isLasting) plans = plans.filter((other) => other !== plan)
    if (typeof plan.fault === 'function') {
      await plan.fault(scope)
      plan.reached()
      return call()
    }
    if (plan.fault === 'loseAnswer' || plan.fault === 'hangAfter') await call()
    plan.reached()
    if (plan.fault === 'throw') throw new Error('a fault made by the test')
    if (plan.fault === 'fail' || plan.fault === 'loseAnswer')
      return failure({ kind: 'calendarUnavailable', message: 'made to fail' })
    return new Promise(() => {})
  }

  const tower: CalendarProvider = {
    isLocal: false,
    listCalendars: virtualCalendars.listCalendars,
    readChanges: (...question) => meet('readChanges', question[0], () => virtualCalendars.readChanges(...question)),
    freeBusy: (...question) => meet('freeBusy', question[0], () => virtualCalendars.freeBusy(...question)),
    place: (...question) => meet('place', question[0], () => virtualCalendars.place(...question)),
    find: (...question) => meet('find', question[0], () => virtualCalendars.find(...question)),
    remove: (...question) => meet('remove', question[0], () => virtualCalendars.remove(...question)),
  }
  return {
    providers: (real) => (provider) => (provider === 'virtual-calendar' ? tower : real(provider)),
    once: (step, fault, skipped = 0) =>
      new Promise((reached) => plans.push({ step, fault, skipped, isLasting: false, reached })),
    breakDown: (...steps) => {
      for (const step of steps) plans.push({ step, fault: 'fail', skipped: 0, isLasting: true, reached: () => {} })
    },
    heal: () => {
      plans = []
    },
  }
}
