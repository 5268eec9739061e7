// What this process sends right now: each endpoint once, beside the job that asked for it, so that none waits for another.
import type { AppId } from '../core/ids.ts'
import type { Operations } from '../operations/operations.ts'

type Name = { readonly appId: AppId; readonly endpointId: string }
type Log = { error(details: object, message: string): void }

export class Sendings {
  readonly #operations: Operations
  readonly #log: Log
  readonly #running = new Map<string, { isAskedAgain: boolean; readonly ended: Promise<void> }>()
  readonly #sharing = new Map<AppId, { readonly current: Promise<void>; next: Promise<void> | undefined }>()
  #isStopping = false

  constructor(operations: Operations, log: Log) {
    this.#operations = operations
    this.#log = log
  }

  /** Returns at once. What is being sent already is looked at once more when it ends. */
  wake(name: Name): void {
    if (this.#isStopping) return
    const running = this.#running.get(name.endpointId)
    if (running !== undefined) {
      running.isAskedAgain = true
      return
    }
    const entry = { isAskedAgain: false, ended: Promise.resolve() }
    this.#running.set(name.endpointId, Object.assign(entry, { ended: this.#send(name, entry) }))
  }

  /** Jobs that come while one shares out wait for the next, which does the work of all of them. */
  async fanOut(appId: AppId): Promise<void> {
    const sharing = this.#sharing.get(appId)
    if (sharing !== undefined) {
      sharing.next ??= sharing.current.catch(() => {}).then(() => this.fanOut(appId))
      return sharing.next
    }
    const current = this.#share(appId).finally(() => this.#sharing.delete(appId))
    this.#sharing.set(appId, { current, next: undefined })
    return current
  }

  /** Lets what has begun end; nothing new begins. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }

  async #share(appId: AppId): Promise<void> {
    const shared = await this.#operations.fanOutNotifications(appId)
    if (!shared.ok) throw new Error(shared.problem.message)
    for (const name of shared.value) this.wake(name)
  }

  /** A failure is logged and left to the next look for what nobody sends: the rows say what is to be done. */
  async #send(name: Name, entry: { isAskedAgain: boolean }): Promise<void> {
    try {
      do {
        entry.isAskedAgain = false
        const sent = await this.#operations.deliverWebhooks({
          ...(name as Parameters<Operations['deliverWebhooks']>[0]),
          isStopping: () => this.#isStopping,
        })
        if (!sent.ok) {
          this.#log.error({ endpointId: name.endpointId, problem: sent.problem.kind }, 'webhooks wait')
          return
        }
      } while (entry.isAskedAgain && !this.#isStopping)
    } catch (error) {
      this.#log.error({ endpointId: name.endpointId, err: error }, 'sending webhooks failed')
    } finally {
      this.#running.delete(name.endpointId)
    }
  }
}
