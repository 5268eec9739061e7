// The outbox: what happened, written in the transaction in which it happened.
import type { AppId } from '../../core/ids.ts'
import type { Transaction } from './database/database.ts'
import { newId } from './database/ids.ts'
import { records, type Sql, sql, together } from './database/sql.ts'

/** `body` is the `data.object` that receivers get. `objectId`: notifications of one object are numbered in their order. */
export type NewNotification = {
  readonly trigger: string
  readonly objectId: string
  readonly body: object
  readonly grantId: string
  /** Made here where absent. */
  readonly id?: string
}

/**
 * For `together`: the rows, and one job that carries them to endpoints where one has asked for any of them. The caller
 * holds a lock on each object, so that two numbers are never the same.
 */
export function notificationRows(appId: AppId, notifications: readonly NewNotification[]): Sql[] {
  if (notifications.length === 0) return []
  const triggers = [...new Set(notifications.map(({ trigger }) => trigger))]
  const rows = notifications.map(({ id = newId(), trigger, objectId, body, grantId }, place) => ({
    place,
    id,
    trigger,
    object_id: objectId,
    body,
    grant_id: grantId,
  }))
  return [
    sql`
      insert into openslot.webhook_events (app_id, id, trigger, object_id, number, body, grant_id, fanned_out_at)
      select ${appId}, id, trigger, object_id,
        (select coalesce(max(earlier.number), 0) from openslot.webhook_events as earlier
          where earlier.app_id = ${appId} and earlier.object_id = told.object_id)
          + row_number() over (partition by object_id order by place),
        body, grant_id,
        case when exists (select from openslot.webhook_endpoints where app_id = ${appId} and told.trigger = any(trigger_types))
          then null else clock_timestamp() end
      from ${records(rows)} as told (place int, id uuid, trigger text, object_id text, body jsonb, grant_id uuid)
      returning id`,
    sql`
      select graphile_worker.add_job('fanOutNotifications', ${JSON.stringify({ appId })}::json)
      where exists (select from openslot.webhook_endpoints where app_id = ${appId} and trigger_types && ${triggers}::text[])`,
  ]
}

/** `notificationRows` of one. */
export async function recordNotification(transaction: Transaction, notification: NewNotification): Promise<void> {
  await transaction.query(together(notificationRows(transaction.appId, [notification])))
}
