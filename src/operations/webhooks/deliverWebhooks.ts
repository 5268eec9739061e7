// Sends what waits for one endpoint: four at a time, tried again for days, every attempt written down.
import { recordAudit } from '../../adapters/storage/audit.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import { newId } from '../../adapters/storage/database/ids.ts'
import { insertMails } from '../../adapters/storage/mails/rows.ts'
import {
  type AttemptRecord,
  type DueDelivery,
  listDue,
  nextDue,
  recordAttempts,
  scheduleSending,
  tallyAttempts,
} from '../../adapters/storage/webhookDeliveries.ts'
import { changeStatus, readSecrets, releaseEndpoint, takeEndpoint } from '../../adapters/storage/webhookEndpoints.ts'
import { sendWebhook } from '../../adapters/webhooks/sender.ts'
import { worker } from '../../core/account/principal.ts'
import type { AppId } from '../../core/ids.ts'
import { type Result, success } from '../../core/result.ts'
import { type Instant, minuteMs, plus, secondMs, toUnixSeconds } from '../../core/time/instant.ts'
import { nextStatus, readRetryAfter, waitAfter } from '../../core/webhook/delivery.ts'
import type { Endpoint, EndpointId } from '../../core/webhook/endpoint.ts'
import { noticesOf } from '../../core/webhook/notice.ts'
import { notificationToJson } from '../../wire/webhooks.ts'
import type { Tools } from '../tools.ts'

type Needs = Pick<Tools, 'database' | 'vault' | 'safeFetch' | 'mailer' | 'now'>

export type SendCommand = {
  readonly appId: AppId
  readonly endpointId: EndpointId
  /** Asked before each attempt: what has begun is brought to its end. */
  readonly isStopping?: () => boolean
}

const atOnce = 4
const queueLength = 64
/** Written down together, to spare the database; what a crash loses is sent once more. */
const recordsAtOnce = 16
const recordEveryMs = 10 * secondMs
/** Longer than the longest attempt and the time between two records. */
const leaseMs = minuteMs

/**
 * Until nothing is due any more, or another process sends to this endpoint; answers how many attempts were made. No
 * connection to the database is held while a receiver takes its time.
 */
export async function deliverWebhooks(tools: Needs, command: SendCommand): Promise<Result<number>> {
  let attempts = 0
  for (;;) {
    const round = new Sending(tools, command)
    const made = await round.run()
    if (made === undefined) return success(attempts)
    attempts += made
    // Who brought more just before the endpoint was let go counted on us.
    const left = await tools.database.read(command.appId, (transaction) =>
      listDue(transaction, command.endpointId, { now: tools.now(), limit: 1, busy: [] }),
    )
    if (left.length === 0 || command.isStopping?.() === true) return success(attempts)
  }
}

type Held = { readonly endpoint: Endpoint; readonly secrets: readonly string[] }

/** One hold on the endpoint, from taking it to letting it go. */
class Sending {
  readonly #tools: Needs
  readonly #command: SendCommand
  readonly #sender = newId()
  readonly #queue: DueDelivery[] = []
  readonly #inFlight = new Set<string>()
  #ended: AttemptRecord[] = []
  #held: Held | undefined
  #lanes = 0
  #attempts = 0
  #recordedAt: Instant
  #sawFailure = false
  #fault: unknown
  #wake: () => void = () => {}

  constructor(tools: Needs, command: SendCommand) {
    this.#tools = tools
    this.#command = command
    this.#recordedAt = tools.now()
  }

  /** How many attempts were made; undefined where the endpoint could not be taken. */
  async run(): Promise<number | undefined> {
    await this.#record()
    if (this.#held === undefined) return undefined
    for (;;) {
      this.#openLanes()
      const isDone = this.#lanes === 0 && this.#ended.length === 0
      if (isDone) break
      if (this.#isTimeToRecord()) await this.#record()
      else await new Promise<void>((wake) => (this.#wake = wake))
    }
    await this.#release()
    if (this.#fault !== undefined) throw this.#fault
    return this.#attempts
  }

  #mayGoOn(): boolean {
    return this.#held !== undefined && this.#fault === undefined && this.#command.isStopping?.() !== true
  }

  #isTimeToRecord(): boolean {
    if (this.#ended.length === 0) return false
    const isLate = this.#tools.now() >= plus(this.#recordedAt, recordEveryMs)
    return this.#lanes === 0 || this.#queue.length === 0 || this.#ended.length >= recordsAtOnce || isLate
  }

  #openLanes(): void {
    while (this.#lanes < atOnce && this.#queue.length > 0 && this.#mayGoOn()) {
      this.#lanes++
      void this.#lane()
    }
  }

  async #lane(): Promise<void> {
    try {
      while (this.#mayGoOn()) {
        const delivery = this.#queue.shift()
        if (delivery === undefined) break
        this.#inFlight.add(delivery.deliveryId)
        const record = await this.#attempt(delivery, this.#held as Held)
        // The list is another one after each record, so it is asked for only now.
        this.#ended.push(record)
        this.#inFlight.delete(delivery.deliveryId)
        this.#wake()
      }
    } catch (error) {
      this.#fault ??= error
    } finally {
      this.#lanes--
      this.#wake()
    }
  }

  async #attempt(delivery: DueDelivery, { endpoint, secrets }: Held): Promise<AttemptRecord> {
    const { now, safeFetch } = this.#tools
    const number = delivery.attempts + 1
    const at = now()
    const outcome = await sendWebhook(safeFetch, {
      id: delivery.id,
      url: endpoint.url,
      secrets,
      body: notificationToJson(this.#command.appId, delivery, number),
      isCompressed: endpoint.isCompressed,
      atSeconds: toUnixSeconds(at),
    })
    this.#attempts++
    const ended = now()
    const attempt = { number, at, durationMs: ended - at, status: outcome.status, error: outcome.error }
    const { deliveryId } = delivery
    if (outcome.error === undefined) return { deliveryId, attempt, state: 'done', dueAt: ended }
    this.#sawFailure = true
    const wait = waitAfter(delivery.tries + 1, Math.random(), readRetryAfter(outcome.retryAfter, ended))
    return { deliveryId, attempt, state: wait === undefined ? 'dead' : 'ready', dueAt: plus(ended, wait ?? 0) }
  }

  /** Writes down what has ended, goes on holding the endpoint, and takes up what is due. */
  async #record(): Promise<void> {
    const { database, now } = this.#tools
    const { appId, endpointId } = this.#command
    const ended = this.#ended
    this.#ended = []
    this.#recordedAt = now()
    const busy = [...this.#inFlight, ...this.#queue.map(({ deliveryId }) => deliveryId)]
    const limit = this.#command.isStopping?.() === true ? 0 : Math.max(0, queueLength - this.#queue.length)
    const { held, due } = await database.transaction(appId, async (transaction) => {
      const [, endpoint, found] = await Promise.all([
        recordAttempts(transaction, endpointId, ended),
        takeEndpoint(transaction, endpointId, { sender: this.#sender, now: now(), until: plus(now(), leaseMs) }),
        listDue(transaction, endpointId, { now: now(), limit, busy }),
      ])
      if (endpoint === undefined) return { held: undefined, due: [] }
      if (endpoint.isTakenOver)
        await recordAudit(transaction, { actor: worker, action: 'webhook.takenOver', target: endpointId })
      const isKnown = this.#held?.endpoint.updatedAt === endpoint.updatedAt
      const secrets =
        isKnown && this.#held !== undefined
          ? this.#held.secrets
          : await readSecrets(transaction, this.#tools.vault, endpointId, now())
      return { held: { endpoint, secrets }, due: found }
    })
    this.#held = held
    if (held === undefined) this.#queue.length = 0
    this.#queue.push(...due.filter(({ deliveryId }) => !this.#inFlight.has(deliveryId)))
  }

  async #release(): Promise<void> {
    const { database, now } = this.#tools
    const { appId, endpointId } = this.#command
    await database.transaction(appId, async (transaction) => {
      if (this.#held !== undefined) await this.#judge(transaction, this.#held.endpoint)
      await releaseEndpoint(transaction, endpointId, this.#sender)
      const next = await nextDue(transaction, endpointId, now())
      if (next !== undefined) await scheduleSending(transaction, endpointId, next)
    })
  }

  /** Whether it is failing now, has failed, or answers again. */
  async #judge(transaction: Transaction, endpoint: Endpoint): Promise<void> {
    if (!this.#sawFailure && endpoint.status === 'active') return
    const now = this.#tools.now()
    const tallies = await tallyAttempts(transaction, endpoint.id, { now, since: endpoint.statusUpdatedAt })
    const status = nextStatus(endpoint, tallies, now)
    if (status === endpoint.status) return
    // Whoever changes it tells of it, so each turn is told of once.
    if (!(await changeStatus(transaction, endpoint.id, { from: endpoint.status, to: status, at: now }))) return
    await recordAudit(transaction, { actor: worker, action: `webhook.${status}`, target: endpoint.id })
    const notices = noticesOf(endpoint, status, now).map((mail) => ({ mail }))
    await insertMails(transaction, notices, this.#tools.mailer.isSending)
  }
}
