// Asks calendars elsewhere what changed, whenever they are due. Beside the queue: a job for each poll would cost more than the poll.
import { setTimeout as wait } from 'node:timers/promises'

import type { Operations } from '../operations/operations.ts'

type Command = Parameters<Operations['syncCalendar']>[0]
type Due = Command['key'] & Pick<Command, 'appId'> & { readonly isFailing: boolean }
type Log = { error(details: object, message: string): void; warn(details: object, message: string): void }

/** Calendars that are asked at once, all accounts together. */
const mostAtOnce = 8
/** Of them, calendars that could not be read the last time: a server that never answers holds its place for a minute. */
const mostFailing = 4
const longestIdleMs = 1_000

export class Polling {
  readonly #operations: Operations
  readonly #log: Log
  readonly #running = new Set<Promise<void>>()
  #failing = 0
  readonly #stopped = new AbortController()
  #ended: Promise<void> = Promise.resolve()

  constructor(operations: Operations, log: Log) {
    this.#operations = operations
    this.#log = log
  }

  start(): void {
    this.#ended = this.#loop()
  }

  /** Lets what has begun end; nothing new begins. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#ended
    await Promise.all(this.#running)
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const free = mostAtOnce - this.#running.size
      const found = free > 0 ? await this.#findDue(free) : []
      for (const { appId, grantId, calendarId, isFailing } of found) {
        const running = this.#sync({ appId, key: { grantId, calendarId }, urgency: 'inBackground' })
        this.#running.add(running)
        if (isFailing) this.#failing++
        void running.finally(() => {
          this.#running.delete(running)
          if (isFailing) this.#failing--
        })
      }
      // Full: the next place that is free. Otherwise there is nothing to do for a while.
      if (this.#running.size >= mostAtOnce) await Promise.race(this.#running)
      else await wait(longestIdleMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  async #findDue(limit: number): Promise<readonly Due[]> {
    try {
      const found = await this.#operations.findDueCalendars({ limit, failing: mostFailing - this.#failing })
      return found.ok ? found.value : []
    } catch (error) {
      this.#log.error({ err: error }, 'looking for calendars to read failed')
      return []
    }
  }

  /** How the calendar stands is written down; only a fault of the program is logged. */
  async #sync(command: Command): Promise<void> {
    try {
      const synced = await this.#operations.syncCalendar(command)
      if (!synced.ok) this.#log.warn({ ...command.key, problem: synced.problem.kind }, 'a calendar could not be read')
    } catch (error) {
      this.#log.error({ ...command.key, err: error }, 'reading a calendar failed')
    }
  }
}
