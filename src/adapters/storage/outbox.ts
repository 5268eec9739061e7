// The outbox: what happened, written in the transaction in which it happened.
import type { Transaction } from './database.ts'
import { newId } from './ids.ts'
import { sql } from './sql.ts'

/**
 * `body` is the `data.object` that receivers get. `objectId`: notifications of one object are numbered in their order,
 * by `number` or, without one, by counting.
 */
export type NewNotification = {
  readonly trigger: string
  readonly objectId: string
  readonly body: object
  readonly grantId: string
  readonly number?: number
  /** Made here where absent. */
  readonly id?: string
}

/**
 * One statement, with the job that carries it to endpoints where one has asked for it. The caller holds a lock on the
 * object, so that two numbers are never the same.
 */
export async function recordNotification(
  transaction: Transaction,
  { trigger, objectId, body, grantId, number, id = newId() }: NewNotification,
): Promise<void> {
  const { appId } = transaction
  const counted =
    number === undefined
      ? sql`(select coalesce(max(number), 0) + 1 from openslot.webhook_events where app_id = ${appId} and object_id = ${objectId})`
      : sql`${number}::bigint`
  await transaction.query(sql`
    with event as (
      insert into openslot.webhook_events (app_id, id, trigger, object_id, number, body, grant_id, fanned_out_at)
      select ${appId}, ${id}, ${trigger}::text, ${objectId}::text, ${counted}, ${JSON.stringify(body)}::jsonb, ${grantId},
        case when exists (select from openslot.webhook_endpoints where app_id = ${appId} and ${trigger}::text = any(trigger_types))
          then null else clock_timestamp() end
      returning fanned_out_at)
    select graphile_worker.add_job('fanOutNotifications', ${JSON.stringify({ appId })}::json) from event where fanned_out_at is null`)
}
