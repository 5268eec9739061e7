// Deliveries: notifications on their way to endpoints, and every attempt.
import type { BookingId } from '../../core/ids.ts'
import { type Instant, minuteMs } from '../../core/time/instant.ts'
import {
  type Attempt,
  type Delivery,
  failingWindowMs,
  type Notification,
  type Performance,
  type Tally,
} from '../../core/webhook/delivery.ts'
import type { EndpointId } from '../../core/webhook/endpoint.ts'
import type { Transaction } from './database/database.ts'
import { newId } from './database/ids.ts'
import { join, type Sql, sql } from './database/sql.ts'

const eventsAtOnce = 200
/** A later notification of an object waits this long for an earlier one, and then passes it. */
const orderKeptMs = minuteMs
/** How many due deliveries are looked at for some that no earlier one holds back. */
const candidates = 512

/**
 * Makes deliveries of what has happened for the endpoints that asked for it; any number of processes may do so together.
 * Answers the endpoints that have something to do, and whether there may be more.
 */
export async function fanOut(
  transaction: Transaction,
  now: Instant,
): Promise<{ endpointIds: EndpointId[]; isMore: boolean }> {
  const { appId } = transaction
  const events = await transaction.query<{ id: string; endpointIds: EndpointId[] }>(sql`
    select id, array(select endpoint.id::text from openslot.webhook_endpoints as endpoint
      where endpoint.app_id = ${appId} and event.trigger = any(endpoint.trigger_types)) as "endpointIds"
    from openslot.webhook_events as event where app_id = ${appId} and fanned_out_at is null
    order by created_at, id limit ${eventsAtOnce} for no key update skip locked`)
  if (events.length === 0) return { endpointIds: [], isMore: false }
  const pairs = events.flatMap(({ id, endpointIds }) => endpointIds.map((endpointId) => ({ id, endpointId })))
  const written = transaction.query(sql`
    insert into openslot.deliveries (app_id, id, event_id, kind, endpoint_id, object_id, number, happened_at, due_at)
    select ${appId}, made.id, event.id, 'webhook', made.endpoint_id, event.object_id, event.number, event.created_at,
      least(event.created_at, ${new Date(now)})
    from unnest(${pairs.map(newId)}::uuid[], ${pairs.map(({ id }) => id)}::uuid[], ${pairs.map(({ endpointId }) => endpointId)}::uuid[])
      as made (id, event_id, endpoint_id)
    join openslot.webhook_events as event on event.app_id = ${appId} and event.id = made.event_id
    on conflict do nothing`)
  await Promise.all([
    pairs.length === 0 ? undefined : written,
    transaction.query(sql`
      update openslot.webhook_events set fanned_out_at = clock_timestamp()
      where app_id = ${appId} and id = any(${events.map(({ id }) => id)}::uuid[])`),
  ])
  return {
    endpointIds: [...new Set(pairs.map(({ endpointId }) => endpointId))],
    isMore: events.length === eventsAtOnce,
  }
}

export type DueDelivery = Notification & {
  readonly deliveryId: string
  readonly attempts: number
  readonly tries: number
}

/**
 * What is to be sent now, oldest first, but for `busy`. What happened earlier to the same object goes first, unless it
 * has been waiting for a minute.
 */
export async function listDue(
  transaction: Transaction,
  endpointId: EndpointId,
  { now, limit, busy }: { readonly now: Instant; readonly limit: number; readonly busy: readonly string[] },
): Promise<DueDelivery[]> {
  const { appId } = transaction
  const rows = await transaction.query<Omit<DueDelivery, 'grantId'> & { grantId: string | null }>(sql`
    with candidate as materialized (
      select id, event_id, attempts, tries, object_id, number, due_at, happened_at from openslot.deliveries
      where app_id = ${appId} and endpoint_id = ${endpointId} and kind = 'webhook' and state = 'ready'
        and due_at > '-infinity' and due_at <= ${new Date(now)} and not id = any(${busy}::uuid[])
      order by due_at, happened_at, id limit ${candidates})
    select delivery.id as "deliveryId", delivery.attempts, delivery.tries, event.id, event.trigger, event.object_id as "objectId",
      event.number, event.grant_id as "grantId", event.body as object, event.created_at as "happenedAt"
    from (
      select candidate.* from candidate
      -- A value, not a join: so the index of the object is asked for each, however little the planner knows.
      where candidate.number <= coalesce((
        select min(earlier.number) from openslot.deliveries as earlier
        where earlier.app_id = ${appId} and earlier.endpoint_id = ${endpointId} and earlier.kind = 'webhook' and earlier.state = 'ready'
          and earlier.object_id = candidate.object_id and earlier.happened_at > ${new Date(now - orderKeptMs)}), candidate.number)
      order by due_at, happened_at, id limit ${limit}) as delivery
    join openslot.webhook_events as event on event.app_id = ${appId} and event.id = delivery.event_id
    order by delivery.due_at, delivery.happened_at, delivery.id`)
  return rows.map(({ grantId, ...row }) => ({ ...row, grantId: grantId ?? undefined }))
}

/** When the endpoint's next delivery is due, or held back no longer; undefined where nothing waits. */
export async function nextDue(
  transaction: Transaction,
  endpointId: EndpointId,
  now: Instant,
): Promise<Instant | undefined> {
  const [row] = await transaction.query<{ at: Instant | null }>(sql`
    select min(due_at) as at from openslot.deliveries
    where app_id = ${transaction.appId} and endpoint_id = ${endpointId} and kind = 'webhook' and state = 'ready' and due_at > '-infinity'`)
  const at = row?.at ?? undefined
  // Due, and held back by an earlier one that is waiting for its own next attempt.
  return at !== undefined && at <= now ? ((now + 5_000) as Instant) : at
}

export type AttemptRecord = {
  readonly deliveryId: string
  readonly attempt: Attempt
  readonly state: Delivery['state']
  /** Of `ready`: when to try again. */
  readonly dueAt: Instant
}

/** In one go, for all that ended meanwhile. A delivery that was cancelled stays so. */
export async function recordAttempts(
  transaction: Transaction,
  endpointId: EndpointId,
  records: readonly AttemptRecord[],
): Promise<void> {
  if (records.length === 0) return
  const { appId } = transaction
  const ids = records.map(({ deliveryId }) => deliveryId)
  const attempts = records.map(({ attempt }) => attempt)
  const at = attempts.map((attempt) => new Date(attempt.at))
  await Promise.all([
    transaction.query(sql`
      insert into openslot.delivery_attempts (app_id, delivery_id, number, endpoint_id, at, duration_ms, status, error)
      select ${appId}, delivery_id, number, ${endpointId}, at, duration_ms, status, error
      from unnest(${ids}::uuid[], ${attempts.map(({ number }) => number)}::int[], ${at}::timestamptz[],
        ${attempts.map(({ durationMs }) => Math.round(durationMs))}::int[], ${attempts.map(({ status }) => status ?? null)}::int[],
        ${attempts.map(({ error }) => error ?? null)}::text[]) as made (delivery_id, number, at, duration_ms, status, error)
      where exists (select from openslot.deliveries as delivery where delivery.app_id = ${appId} and delivery.id = made.delivery_id)
      on conflict do nothing`),
    transaction.query(sql`
      update openslot.deliveries as delivery set attempts = made.number, tries = delivery.tries + 1, last_error = made.error, due_at = made.due_at,
        state = case when delivery.state = 'ready' then made.state else delivery.state end,
        finished_at = case when made.state = 'ready' then null else now() end
      from unnest(${ids}::uuid[], ${attempts.map(({ number }) => number)}::int[], ${records.map(({ state }) => state)}::text[],
        ${attempts.map(({ error }) => error ?? null)}::text[], ${records.map(({ dueAt }) => new Date(dueAt))}::timestamptz[])
        as made (id, number, state, error, due_at)
      where delivery.app_id = ${appId} and delivery.id = made.id and delivery.attempts < made.number`),
  ])
}

/** Attempts of the last quarter of an hour, and since the endpoint has had its status. */
export async function tallyAttempts(
  transaction: Transaction,
  endpointId: EndpointId,
  { now, since }: { readonly now: Instant; readonly since: Instant },
): Promise<Performance> {
  const tally = (from: number) => sql`
    select count(*) as attempts, count(error) as failures from openslot.delivery_attempts
    where app_id = ${transaction.appId} and endpoint_id = ${endpointId} and at > ${new Date(from)}`
  const ofEndpoint = sql`app_id = ${transaction.appId} and endpoint_id = ${endpointId}`
  const [[recent], [sinceChange], [streak]] = await Promise.all([
    transaction.query<Tally>(tally(now - failingWindowMs)),
    transaction.query<Tally>(tally(since)),
    transaction.query<{ at: Instant | null }>(sql`
      select min(at) as at from openslot.delivery_attempts where ${ofEndpoint} and at >
        coalesce((select max(at) from openslot.delivery_attempts where ${ofEndpoint} and error is null), '-infinity')`),
  ])
  const none = { attempts: 0, failures: 0 }
  return { recent: recent ?? none, sinceChange: sinceChange ?? none, failingSince: streak?.at ?? undefined }
}

/** Asks whichever process runs jobs to look at the endpoint then; the last word counts. */
export async function scheduleSending(transaction: Transaction, endpointId: EndpointId, at?: Instant): Promise<void> {
  const payload = JSON.stringify({ appId: transaction.appId, endpointId })
  await transaction.query(sql`
    select graphile_worker.add_job('deliverWebhooks', ${payload}::json, job_key => ${`deliver:${endpointId}`},
      run_at => ${at === undefined ? null : new Date(at)}::timestamptz)`)
}

/** Endpoints that could be sent something and to which nobody sends. */
export async function listIdleEndpoints(transaction: Transaction, now: Instant): Promise<EndpointId[]> {
  const rows = await transaction.query<{ id: EndpointId }>(sql`
    select endpoint.id from openslot.webhook_endpoints as endpoint
    where endpoint.app_id = ${transaction.appId} and endpoint.status in ('active', 'failing')
      and (endpoint.sender is null or endpoint.sender_until < ${new Date(now)})
      and exists (select from openslot.deliveries as delivery
        where delivery.app_id = ${transaction.appId} and delivery.endpoint_id = endpoint.id and delivery.kind = 'webhook'
          and delivery.state = 'ready' and delivery.due_at > '-infinity' and delivery.due_at <= ${new Date(now)})`)
  return rows.map(({ id }) => id)
}

type DeliveryRow = Omit<Delivery, 'finishedAt' | 'attempts'> & {
  finishedAt: Instant | null
  attempts: readonly { number: number; at: number; durationMs: number; status: number | null; error: string | null }[]
}

export type DeliveryFilter = {
  readonly endpointId?: EndpointId | undefined
  readonly objectId?: BookingId | undefined
  readonly id?: string | undefined
  readonly state?: Delivery['state'] | undefined
  readonly limit: number
  /** The last delivery of the page before. */
  readonly after?: string | undefined
}

/** In the words of the indexes that hold only those. */
function stateCondition(state: Delivery['state']): Sql {
  switch (state) {
    case 'ready':
      return sql`delivery.state = 'ready' and delivery.due_at > '-infinity'`
    case 'dead':
      return sql`delivery.state = 'dead'`
    default:
      return sql`delivery.state = ${state}`
  }
}

/** Newest first, each with its attempts in their order. */
export async function listDeliveries(transaction: Transaction, filter: DeliveryFilter): Promise<Delivery[]> {
  const { appId } = transaction
  const conditions: Sql[] = [sql`delivery.app_id = ${appId}`, sql`delivery.kind = 'webhook'`]
  if (filter.endpointId !== undefined) conditions.push(sql`delivery.endpoint_id = ${filter.endpointId}`)
  if (filter.objectId !== undefined) conditions.push(sql`delivery.object_id = ${filter.objectId}`)
  if (filter.id !== undefined) conditions.push(sql`delivery.id = ${filter.id}`)
  if (filter.state !== undefined) conditions.push(stateCondition(filter.state))
  if (filter.after !== undefined) conditions.push(sql`delivery.id < ${filter.after}`)
  const rows = await transaction.query<DeliveryRow>(sql`
    select delivery.id, delivery.endpoint_id as "endpointId", delivery.event_id as "notificationId", event.trigger,
      delivery.object_id as "objectId", delivery.state, delivery.due_at as "dueAt", delivery.created_at as "createdAt",
      delivery.finished_at as "finishedAt",
      coalesce((select jsonb_agg(jsonb_build_object('number', attempt.number, 'at', (extract(epoch from attempt.at) * 1000)::bigint,
          'durationMs', attempt.duration_ms, 'status', attempt.status, 'error', attempt.error) order by attempt.number)
        from openslot.delivery_attempts as attempt where attempt.app_id = ${appId} and attempt.delivery_id = delivery.id), '[]') as attempts
    from openslot.deliveries as delivery
    join openslot.webhook_events as event on event.app_id = ${appId} and event.id = delivery.event_id
    where ${join(conditions, 'and')}
    order by delivery.id desc limit ${filter.limit}`)
  return rows.map((row) => ({
    ...row,
    finishedAt: row.finishedAt ?? undefined,
    attempts: row.attempts.map((attempt) => ({
      ...attempt,
      at: attempt.at as Instant,
      status: attempt.status ?? undefined,
      error: attempt.error ?? undefined,
    })),
  }))
}
