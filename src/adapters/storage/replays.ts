// Replays: notifications of a span of time, due for one endpoint once more; some of them in each transaction.
import type { Instant } from '../../core/time/instant.ts'
import type { Endpoint, EndpointId } from '../../core/webhook/endpoint.ts'
import type { Transaction } from './database/database.ts'
import { newId } from './database/ids.ts'
import { type Sql, sql } from './database/sql.ts'

/** Looked at in one transaction: a busy month takes longer than a statement may. */
const notificationsAtOnce = 1_000

/**
 * What happened from `from` on and before `to`: what the endpoint asks for, and what it was to get before. `unfinished`: of
 * the latter what it has not got.
 */
export type Replay = {
  readonly from: Instant
  readonly to: Instant
  readonly only?: 'unfinished'
  /** The last notification that was looked at; `at` as the database writes it, as instants here are whole milliseconds. */
  readonly after?: { readonly at: string; readonly id: string }
}

type Receiver = Pick<Endpoint, 'id' | 'triggers'>

/**
 * Makes the oldest of them due now, and to be tried for days again, under the notifications' old ids. `count`: how many;
 * `rest`: what is still to be looked at.
 */
export async function replayPart(
  transaction: Transaction,
  { id: endpointId, triggers }: Receiver,
  replay: Replay,
  now: Instant,
): Promise<{ count: number; rest: Replay | undefined }> {
  const { appId } = transaction
  const seen = await transaction.query<{ id: string; at: string }>(sql`
    select id, created_at::text as at from openslot.webhook_events where app_id = ${appId} and ${within(replay)}
    order by created_at, id limit ${notificationsAtOnce}`)
  const ids = seen.map(({ id }) => id)
  const [, due] = await Promise.all([
    replay.only === undefined
      ? transaction.query(sql`
          insert into openslot.deliveries (app_id, id, event_id, kind, endpoint_id, object_id, number, happened_at)
          select ${appId}, made.id, event.id, 'webhook', ${endpointId}, event.object_id, event.number, event.created_at
          from unnest(${ids.map(() => newId())}::uuid[], ${ids}::uuid[]) as made (id, event_id)
          join openslot.webhook_events as event on event.app_id = ${appId} and event.id = made.event_id
          where event.trigger = any(${triggers}::text[])
          on conflict do nothing`)
      : undefined,
    transaction.query(sql`
      update openslot.deliveries set ${dueAnew(now)}
      where app_id = ${appId} and endpoint_id = ${endpointId} and kind = 'webhook' and event_id = any(${ids}::uuid[])
        ${replay.only === undefined ? sql`` : sql`and state in ('ready', 'dead')`} returning id`),
  ])
  const last = seen.at(-1)
  const isDone = last === undefined || seen.length < notificationsAtOnce
  return { count: due.length, rest: isDone ? undefined : { ...replay, after: last } }
}

/** How many notifications `replay` would make due. */
export async function countReplayed(
  transaction: Transaction,
  { id: endpointId, triggers }: Receiver,
  replay: Replay,
): Promise<number> {
  const { appId } = transaction
  const [row] = await transaction.query<{ count: number }>(sql`
    select count(*) from openslot.webhook_events as event where app_id = ${appId} and ${within(replay)}
      and (trigger = any(${triggers}::text[]) or exists (select from openslot.deliveries as delivery
        where delivery.app_id = ${appId} and delivery.event_id = event.id and delivery.endpoint_id = ${endpointId} and delivery.kind = 'webhook'))`)
  return row?.count ?? 0
}

/** At once, and to be tried for days again. */
function dueAnew(now: Instant): Sql {
  return sql`state = 'ready', due_at = ${new Date(now)}, tries = 0, finished_at = null`
}

function within({ from, to, after }: Replay): Sql {
  const span = sql`created_at >= ${new Date(from)} and created_at < ${new Date(to)}`
  return after === undefined ? span : sql`${span} and (created_at, id) > (${after.at}::timestamptz, ${after.id}::uuid)`
}

/** One delivery, whatever became of it. Answers whether there is one. */
export async function replayDelivery(
  transaction: Transaction,
  endpointId: EndpointId,
  deliveryId: string,
  now: Instant,
): Promise<boolean> {
  const rows = await transaction.query(sql`
    update openslot.deliveries set ${dueAnew(now)}
    where app_id = ${transaction.appId} and id = ${deliveryId} and endpoint_id = ${endpointId} and kind = 'webhook' returning id`)
  return rows.length > 0
}

/** A job that goes on with `rest`. */
export async function scheduleReplay(transaction: Transaction, endpointId: EndpointId, rest: Replay): Promise<void> {
  const payload = JSON.stringify({ appId: transaction.appId, endpointId, replay: rest })
  await transaction.query(sql`select graphile_worker.add_job('replayWebhooks', ${payload}::json)`)
}
