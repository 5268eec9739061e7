// One notification on its way to one endpoint: when it is tried again, and when an endpoint counts as failing.
import { hourMs, type Instant, minuteMs, plus, secondMs } from '../time/instant.ts'
import { localDay } from '../time/localDate.ts'
import type { EndpointId, EndpointStatus } from './endpoint.ts'

export type DeliveryState = 'ready' | 'done' | 'dead' | 'cancelled'

export type Attempt = {
  /** From 1, over all replays. */
  readonly number: number
  readonly at: Instant
  readonly durationMs: number
  readonly status: number | undefined
  /** Undefined where the receiver took it. */
  readonly error: string | undefined
}

export type Delivery = {
  readonly id: string
  readonly endpointId: EndpointId
  readonly notificationId: string
  readonly trigger: string
  readonly objectId: string
  readonly state: DeliveryState
  /** When it is tried next, while it is `ready`. */
  readonly dueAt: Instant
  readonly createdAt: Instant
  readonly finishedAt: Instant | undefined
  readonly attempts: readonly Attempt[]
}

/** A fact as it was when it happened. */
export type Notification = {
  readonly id: string
  readonly trigger: string
  readonly objectId: string
  /** Its place among the notifications of the same object, from 1. */
  readonly number: number
  readonly grantId: string | undefined
  readonly object: object
  readonly happenedAt: Instant
}

/** About three days in all: quick at first, so that a restart goes unnoticed, then every half day. */
const waits: readonly number[] = [
  5 * secondMs,
  30 * secondMs,
  2 * minuteMs,
  10 * minuteMs,
  30 * minuteMs,
  hourMs,
  2 * hourMs,
  4 * hourMs,
  8 * hourMs,
  12 * hourMs,
  12 * hourMs,
  12 * hourMs,
  12 * hourMs,
  8 * hourMs,
]

const jitter = 0.2
const longestRetryAfterMs = hourMs

/**
 * How long to wait after the `tries`th failed attempt since the last replay; undefined where it was the last one.
 * `chance` is from 0 up to 1. The receiver's own `retryAfterMs` counts where it is longer, up to an hour.
 */
export function waitAfter(tries: number, chance: number, retryAfterMs: number | undefined): number | undefined {
  const wait = waits[tries - 1]
  if (wait === undefined) return undefined
  const spread = wait * (1 - jitter + 2 * jitter * chance)
  return Math.round(Math.max(spread, Math.min(retryAfterMs ?? 0, longestRetryAfterMs)))
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** RFC 9110 §10.2.3: seconds, or a date in the form that senders must use. Milliseconds from `now`. */
export function readRetryAfter(text: string | undefined, now: Instant): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * secondMs
  const match = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(text)
  const month = months.indexOf(match?.[2] ?? '') + 1
  if (match === null || month === 0) return undefined
  const [, day = '', , year = '', hour, minute, second] = match
  try {
    const days = localDay(`${year}-${String(month).padStart(2, '0')}-${day}`)
    const at = ((days * 24 + Number(hour)) * 60 + Number(minute)) * minuteMs + Number(second) * secondMs
    return Math.max(0, at - now)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Attempts at an endpoint over a span of time. */
export type Tally = { readonly attempts: number; readonly failures: number }

/** How attempts at an endpoint went. `failingSince`: the first attempt after the last success. */
export type Performance = {
  readonly recent: Tally
  readonly sinceChange: Tally
  readonly failingSince: Instant | undefined
}

/** The last quarter of an hour decides whether an endpoint is failing, and 72 hours of failing whether it has failed. */
export const failingWindowMs = 15 * minuteMs
export const failedAfterMs = 72 * hourMs
const failingShare = 0.95
/** Fewer attempts than these say nothing, unless none has succeeded for the whole quarter of an hour. */
const fewestAttempts = 5

/**
 * What an endpoint's status becomes after attempts. `recent`: of the last quarter of an hour; `sinceChange`: since it has
 * had its status. `failed` and `pause` are left by nothing but someone's word, or a challenge that is answered again.
 */
export function nextStatus(
  { status, statusUpdatedAt }: { readonly status: EndpointStatus; readonly statusUpdatedAt: Instant },
  { recent, sinceChange, failingSince }: Performance,
  now: Instant,
): EndpointStatus {
  if (status === 'active') {
    const isLasting = failingSince !== undefined && now >= plus(failingSince, failingWindowMs)
    return isFailing(recent) && (recent.attempts >= fewestAttempts || isLasting) ? 'failing' : 'active'
  }
  if (status !== 'failing') return status
  if (recent.attempts > 0 && !isFailing(recent)) return 'active'
  return now >= plus(statusUpdatedAt, failedAfterMs) && isFailing(sinceChange) ? 'failed' : 'failing'
}

function isFailing({ attempts, failures }: Tally): boolean {
  return attempts > 0 && failures >= failingShare * attempts
}
