// How much one account is asked at once, and when it is left in peace: providers lock out who knocks too often.
import { setTimeout as wait } from 'node:timers/promises'

/** Calls that one account carries at once; work that nobody waits for leaves half of them free. */
const mostAtOnce = 4
const mostInBackground = 2
/** A guest's request waits as long as this where the provider asked for peace; a longer wait is an answer. */
const longestWaitMs = 5_000

export type Urgency = 'someoneWaits' | 'inBackground'

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
   * Runs `work` when it is the account's turn: who is waited for goes first. Answers `notNow` with seconds where the provider
   * asked for a longer peace, and `tooLate` where `signal` ended the wait.
   */
  async run<T>(
    name: string,
    urgency: Urgency,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T | { readonly notNowSeconds: number } | 'tooLate'> {
    const line = this.#line(name)
    const quietMs = line.quietUntil - performance.now()
    if (quietMs > 0) {
      if (urgency === 'inBackground' || quietMs > longestWaitMs) return { notNowSeconds: Math.ceil(quietMs / 1000) }
      await wait(quietMs)
    }
    if (!(await this.#turn(line, urgency, signal))) return 'tooLate'
    try {
      return await work()
    } finally {
      line.running--
      if (urgency === 'inBackground') line.inBackground--
      this.#next(name, line)
    }
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
