// How much one account is asked at once, and when it is left in peace: providers lock out who knocks too often.
import { setTimeout as wait } from 'node:timers/promises'

import { type Result, success } from '../../core/result.ts'
import type { AskEach } from './accountProvider.ts'

/** Calls that one account carries at once; work that nobody waits for leaves half of them free. */
const mostAtOnce = 4
const mostInBackground = 2
/** A guest's request waits as long as this where the provider asked for peace; a longer wait is an answer. */
const longestWaitMs = 5_000

export type Urgency = 'someoneWaits' | 'inBackground'

/** For whoever asks an account without a gate: one after the other. */
export const askOneByOne: AskEach = async (items, ask) => {
  const answers = []
  for (const item of items) {
    const answer = await ask(item)
    if (!answer.ok) return answer
    answers.push(answer.value)
  }
  return success(answers)
}

type Line = {
  running: number
  inBackground: number
  /** Milliseconds of `performance.now()`: before, the provider wants no calls. */
  quietUntil: number
  readonly waiting: { readonly urgency: Urgency; readonly start: () => void }[]
}

/** By grant. Accounts that nobody asks take no room. */
export class AccountGate {
  readonly #lines = new Map<string, Line>()

  /**
   * Runs `work` when it is the account's turn: who is waited for goes first. What it asks at the same time goes through
   * `askEach`. Answers `notNow` with seconds where the provider asked for a longer peace, and `tooLate` where `signal` ended
   * the wait.
   */
  async run<T>(
    name: string,
    urgency: Urgency,
    signal: AbortSignal,
    work: (askEach: AskEach) => Promise<T>,
  ): Promise<T | { readonly notNowSeconds: number } | 'tooLate'> {
    const line = this.#line(name)
    const quietMs = line.quietUntil - performance.now()
    if (quietMs > 0) {
      if (urgency === 'inBackground' || quietMs > longestWaitMs) return { notNowSeconds: Math.ceil(quietMs / 1000) }
      await wait(quietMs)
    }
    if (!(await this.#turn(line, urgency, signal))) return 'tooLate'
    try {
      return await work((items, ask) => this.#askEach({ name, line, urgency }, items, ask))
    } finally {
      this.#giveBack(name, line, urgency)
    }
  }

  async #askEach<Item, Answer>(
    { name, line, urgency }: { readonly name: string; readonly line: Line; readonly urgency: Urgency },
    items: readonly Item[],
    ask: (item: Item) => Promise<Result<Answer>>,
  ): Promise<Result<Answer[]>> {
    const answers: Answer[] = []
    const borrowed: Promise<void>[] = []
    let problem: Result<never> | undefined
    let fault: { readonly error: unknown } | undefined
    let next = 0
    const isMore = () => next < items.length && problem === undefined && fault === undefined
    const askNext = async () => {
      const index = next++
      const answer = await ask(items[index] as Item)
      if (answer.ok) answers[index] = answer.value
      else problem ??= answer
    }
    const borrow = () => {
      while (isMore() && line.waiting.length === 0 && hasRoom(line, urgency)) {
        take(line, urgency)
        borrowed.push(
          askNext()
            .catch((error) => {
              fault ??= { error }
            })
            .finally(() => {
              this.#giveBack(name, line, urgency)
              borrow()
            }),
        )
      }
    }
    try {
      while (isMore()) {
        const own = askNext()
        borrow()
        await own
      }
    } finally {
      // Whoever borrows may borrow again.
      for (let index = 0; index < borrowed.length; index++) await borrowed[index]
    }
    if (fault !== undefined) throw fault.error
    return problem ?? success(answers)
  }

  #giveBack(name: string, line: Line, urgency: Urgency): void {
    line.running--
    if (urgency === 'inBackground') line.inBackground--
    this.#next(name, line)
  }

  /** The provider asked for no calls for so long. */
  quiet(name: string, seconds: number): void {
    const line = this.#line(name)
    line.quietUntil = Math.max(line.quietUntil, performance.now() + seconds * 1000)
  }

  #line(name: string): Line {
    let line = this.#lines.get(name)
    if (line === undefined) {
      line = { running: 0, inBackground: 0, quietUntil: 0, waiting: [] }
      this.#lines.set(name, line)
    }
    return line
  }

  #turn(line: Line, urgency: Urgency, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    if (hasRoom(line, urgency)) {
      take(line, urgency)
      return Promise.resolve(true)
    }
    return new Promise((answer) => {
      const late = () => {
        line.waiting.splice(line.waiting.indexOf(entry), 1)
        answer(false)
      }
      const entry = {
        urgency,
        start: () => {
          signal.removeEventListener('abort', late)
          answer(true)
        },
      }
      signal.addEventListener('abort', late, { once: true })
      line.waiting.push(entry)
    })
  }

  #next(name: string, line: Line): void {
    for (const urgency of ['someoneWaits', 'inBackground'] as const) {
      for (;;) {
        const index = line.waiting.findIndex((entry) => entry.urgency === urgency)
        if (index < 0 || !hasRoom(line, urgency)) break
        take(line, urgency)
        line.waiting.splice(index, 1)[0]?.start()
      }
    }
    if (line.running === 0 && line.waiting.length === 0 && line.quietUntil <= performance.now())
      this.#lines.delete(name)
  }
}

function hasRoom(line: Line, urgency: Urgency): boolean {
  return line.running < mostAtOnce && (urgency === 'someoneWaits' || line.inBackground < mostInBackground)
}

function take(line: Line, urgency: Urgency): void {
  line.running++
  if (urgency === 'inBackground') line.inBackground++
}
