// Deliveries of webhooks, their attempts, and the events feed, as JSON.
import Type, { type Static } from 'typebox'

import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { fromUnixSeconds, type Instant, toUnixSeconds } from '../core/time/instant.ts'
import type { Delivery } from '../core/webhook/delivery.ts'
import { isTrigger } from '../core/webhook/endpoint.ts'
import { limitOf, optional, readList } from './common.ts'
import { unixSeconds } from './whole.ts'

const words = { ready: 'waiting', done: 'delivered', dead: 'given_up', cancelled: 'cancelled' } as const
const states = Object.values(words)

export const deliveryData = Type.Object({
  id: Type.String(),
  object: Type.Literal('delivery'),
  webhook_id: Type.String(),
  notification_id: Type.String({ description: 'The `id` that the receiver gets, at every attempt' }),
  trigger_type: Type.String(),
  object_id: Type.String({ description: 'The booking, event, calendar or grant that it is about' }),
  status: Type.Enum(states),
  next_attempt_at: Type.Optional(Type.Integer()),
  created_at: Type.Integer(),
  finished_at: Type.Optional(Type.Integer()),
  attempts: Type.Array(
    Type.Object({
      attempt: Type.Integer(),
      at: Type.Integer(),
      duration_ms: Type.Integer(),
      response_status: Type.Optional(Type.Integer()),
      error: Type.Optional(Type.String()),
    }),
  ),
})

export const deliveryListQuery = Type.Object({
  limit: Type.Optional(limitOf(200, 50)),
  page_token: Type.Optional(Type.String({ description: 'The next_cursor of the page before' })),
  status: Type.Optional(Type.Enum(states)),
})

export const deliveryParams = Type.Object({ webhook_id: Type.String(), delivery_id: Type.String() })

/** The state that a status on the wire names. */
export function stateOf(status: string | undefined): Delivery['state'] | undefined {
  return (Object.keys(words) as Delivery['state'][]).find((state) => words[state] === status)
}

export function deliveryToJson(delivery: Delivery): Static<typeof deliveryData> {
  return {
    id: delivery.id,
    object: 'delivery',
    webhook_id: delivery.endpointId,
    notification_id: delivery.notificationId,
    trigger_type: delivery.trigger,
    object_id: delivery.objectId,
    status: words[delivery.state],
    ...(delivery.state === 'ready' ? { next_attempt_at: toUnixSeconds(delivery.dueAt) } : {}),
    created_at: toUnixSeconds(delivery.createdAt),
    ...(delivery.finishedAt === undefined ? {} : { finished_at: toUnixSeconds(delivery.finishedAt) }),
    attempts: delivery.attempts.map((attempt) => ({
      attempt: attempt.number,
      at: toUnixSeconds(attempt.at),
      duration_ms: attempt.durationMs,
      ...(attempt.status === undefined ? {} : { response_status: attempt.status }),
      ...(attempt.error === undefined ? {} : { error: attempt.error }),
    })),
  }
}

export const replayBody = Type.Object({
  start_time: unixSeconds(),
  end_time: optional(unixSeconds('Not included; now where absent')),
})

/** Problems: `invalidRequest` where the end is not after the start. */
export function readReplay(body: Static<typeof replayBody>): Result<{ from: Instant; to: Instant | undefined }> {
  const { start_time: start, end_time: end } = body
  if (typeof end === 'number' && end <= start)
    return failure(invalidRequest('must be later than start_time', 'end_time'))
  return success({
    from: fromUnixSeconds(start),
    to: typeof end === 'number' ? fromUnixSeconds(end) : undefined,
  })
}

export const feedQuery = Type.Object({
  after: Type.Optional(Type.String({ maxLength: 64, description: 'The id of the last notification that was read' })),
  limit: Type.Optional(limitOf(200, 50)),
  trigger_types: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 60 })),
  grant_id: Type.Optional(Type.String({ maxLength: 64 })),
})

/** Problems: `invalidRequest` for a trigger that nobody knows. */
export function readFeedTriggers({ trigger_types }: Static<typeof feedQuery>): Result<string[] | undefined> {
  const triggers = readList(trigger_types)
  const unknown = triggers?.find((trigger) => !isTrigger(trigger))
  return unknown === undefined
    ? success(triggers)
    : failure(invalidRequest(`"${unknown.slice(0, 64)}" is not a trigger`, 'trigger_types'))
}
