// The outbox: what happened, written in the transaction in which it happened.
import type { Transaction } from './database.ts'
import { newId } from './ids.ts'
import { sql } from './sql.ts'

/** `body` is the `data.object` that receivers get. `objectId`: notifications of one object are numbered in their order. */
export type NewNotification = { readonly trigger: string; readonly objectId: string; readonly body: object }

/** One statement. The caller holds a lock on the object, so that two numbers are never the same. */
export async function recordNotification(
  transaction: Transaction,
  { trigger, objectId, body }: NewNotification,
): Promise<void> {
  await transaction.query(sql`
    insert into openslot.webhook_events (app_id, id, trigger, object_id, number, body)
    select ${transaction.appId}, ${newId()}, ${trigger}::text, ${objectId}::text, coalesce(max(number), 0) + 1, ${JSON.stringify(body)}::jsonb
    from openslot.webhook_events where app_id = ${transaction.appId} and object_id = ${objectId}`)
}
