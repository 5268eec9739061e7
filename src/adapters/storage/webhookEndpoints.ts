// Endpoints: URLs that asked for webhooks. Their secrets are sealed, and read by nobody but the sender.
import { hourMs, type Instant } from '../../core/time/instant.ts'
import { type Endpoint, type EndpointId, type EndpointStatus, secretOverlapHours } from '../../core/webhook/endpoint.ts'
import type { Transaction } from './database/database.ts'
import { partSize } from './database/maintenance.ts'
import { sql } from './database/sql.ts'
import type { Place } from './secrets/sealing.ts'
import type { Vault } from './secrets/vault.ts'

const columns = sql`id, url, description, trigger_types as triggers, notification_emails as "notificationEmails",
  compressed as "isCompressed", status, status_updated_at as "statusUpdatedAt", created_at as "createdAt", updated_at as "updatedAt"`

export type EndpointContent = Pick<Endpoint, 'url' | 'description' | 'triggers' | 'notificationEmails' | 'isCompressed'>

function place({ appId }: Transaction, id: EndpointId, column: 'secret_sealed' | 'previous_secret_sealed'): Place {
  return { appId, table: 'webhook_endpoints', row: id, column }
}

export function listEndpoints(transaction: Transaction): Promise<Endpoint[]> {
  return transaction.query<Endpoint>(sql`
    select ${columns} from openslot.webhook_endpoints where app_id = ${transaction.appId} order by created_at, id`)
}

/** Locked against other writers until the transaction ends. `id` must be a UUID. */
export async function lockEndpoint(transaction: Transaction, id: string): Promise<Endpoint | undefined> {
  const [row] = await transaction.query<Endpoint>(sql`
    select ${columns} from openslot.webhook_endpoints where app_id = ${transaction.appId} and id = ${id} for no key update`)
  return row
}

export async function findEndpoint(transaction: Transaction, id: string): Promise<Endpoint | undefined> {
  const [row] = await transaction.query<Endpoint>(sql`
    select ${columns} from openslot.webhook_endpoints where app_id = ${transaction.appId} and id = ${id}`)
  return row
}

/** How many there are; nobody makes one until the transaction ends. */
export async function countEndpointsForInsert(transaction: Transaction): Promise<number> {
  const { appId } = transaction
  await transaction.query(sql`select app_id from openslot.applications where app_id = ${appId} for no key update`)
  const [row] = await transaction.query<{ count: number }>(sql`
    select count(*) as count from openslot.webhook_endpoints where app_id = ${appId}`)
  return row?.count ?? 0
}

export async function insertEndpoint(
  transaction: Transaction,
  vault: Vault,
  endpoint: EndpointContent & { readonly id: EndpointId; readonly secret: string },
): Promise<Endpoint> {
  const { appId } = transaction
  const sealed = await vault.seal(transaction, place(transaction, endpoint.id, 'secret_sealed'), endpoint.secret)
  const [row] = await transaction.query<Endpoint>(sql`
    insert into openslot.webhook_endpoints (app_id, id, url, description, trigger_types, notification_emails, compressed, secret_sealed)
    values (${appId}, ${endpoint.id}, ${endpoint.url}, ${endpoint.description}, ${endpoint.triggers}::text[],
      ${endpoint.notificationEmails}::text[], ${endpoint.isCompressed}, ${sealed})
    returning ${columns}`)
  if (row === undefined) throw new Error('an insert returned no row')
  return row
}

export async function updateEndpoint(
  transaction: Transaction,
  endpoint: EndpointContent & Pick<Endpoint, 'id' | 'status'>,
): Promise<Endpoint | undefined> {
  const [row] = await transaction.query<Endpoint>(sql`
    update openslot.webhook_endpoints set url = ${endpoint.url}, description = ${endpoint.description},
      trigger_types = ${endpoint.triggers}::text[], notification_emails = ${endpoint.notificationEmails}::text[],
      compressed = ${endpoint.isCompressed}, status = ${endpoint.status}, updated_at = now(),
      status_updated_at = case when status = ${endpoint.status} then status_updated_at else now() end
    where app_id = ${transaction.appId} and id = ${endpoint.id} returning ${columns}`)
  return row
}

/** True where the status changed from one to the other just now: another process may have been quicker. */
export async function changeStatus(
  transaction: Transaction,
  id: EndpointId,
  { from, to, at }: { readonly from: EndpointStatus; readonly to: EndpointStatus; readonly at: Instant },
): Promise<boolean> {
  const rows = await transaction.query(sql`
    update openslot.webhook_endpoints set status = ${to}, status_updated_at = ${new Date(at)}
    where app_id = ${transaction.appId} and id = ${id} and status = ${from} returning id`)
  return rows.length > 0
}

/** What has not reached it is given up. */
export async function deleteEndpoint(transaction: Transaction, id: string): Promise<boolean> {
  const { appId } = transaction
  const rows = await transaction.query(sql`
    delete from openslot.webhook_endpoints where app_id = ${appId} and id = ${id} returning id`)
  if (rows.length > 0) await giveUpOrphans(transaction)
  return rows.length > 0
}

/** Deliveries to endpoints that are gone, at most 1,000: those of an endpoint that was down for days are more than one statement should touch. */
export async function giveUpOrphans(transaction: Transaction): Promise<number> {
  const { appId } = transaction
  const rows = await transaction.query(sql`
    update openslot.deliveries set state = 'cancelled', finished_at = now()
    where app_id = ${appId} and id in (
      select id from openslot.deliveries as delivery where app_id = ${appId} and kind = 'webhook' and state = 'ready'
        and not exists (select from openslot.webhook_endpoints as endpoint
          where endpoint.app_id = delivery.app_id and endpoint.id = delivery.endpoint_id)
      limit ${partSize})
    returning id`)
  return rows.length
}

/** The old secret goes on signing beside the new one for a day. The caller has locked the endpoint. */
export async function rotateSecret(
  transaction: Transaction,
  vault: Vault,
  id: EndpointId,
  { secret, now }: { readonly secret: string; readonly now: Instant },
): Promise<void> {
  const { appId } = transaction
  const [old] = await readSecrets(transaction, vault, id, now)
  const [sealed, previous] = await Promise.all([
    vault.seal(transaction, place(transaction, id, 'secret_sealed'), secret),
    old === undefined ? null : vault.seal(transaction, place(transaction, id, 'previous_secret_sealed'), old),
  ])
  await transaction.query(sql`
    update openslot.webhook_endpoints set secret_sealed = ${sealed}, previous_secret_sealed = ${previous},
      previous_secret_until = ${new Date(now + secretOverlapHours * hourMs)}, updated_at = now()
    where app_id = ${appId} and id = ${id}`)
}

/** The current one first, then the one before it while it still counts; none where there is no such endpoint. */
export async function readSecrets(
  transaction: Transaction,
  vault: Vault,
  id: EndpointId,
  now: Instant,
): Promise<string[]> {
  const [row] = await transaction.query<{ current: Buffer; previous: Buffer | null; until: Instant | null }>(sql`
    select secret_sealed as current, previous_secret_sealed as previous, previous_secret_until as until
    from openslot.webhook_endpoints where app_id = ${transaction.appId} and id = ${id}`)
  if (row === undefined) return []
  const secrets = [await vault.open(transaction, place(transaction, id, 'secret_sealed'), row.current)]
  if (row.previous !== null && (row.until ?? 0) > now)
    secrets.push(await vault.open(transaction, place(transaction, id, 'previous_secret_sealed'), row.previous))
  return secrets
}

/**
 * One process at a time sends to an endpoint, for as long as it goes on saying so. Undefined where another does, or where
 * the endpoint is gone, paused or failed. `isTakenOver`: another had it and died, so that what it was sending may come twice.
 */
export async function takeEndpoint(
  transaction: Transaction,
  id: EndpointId,
  { sender, now, until }: { readonly sender: string; readonly now: Instant; readonly until: Instant },
): Promise<(Endpoint & { readonly isTakenOver: boolean }) | undefined> {
  const { appId } = transaction
  const [row] = await transaction.query<Endpoint & { isTakenOver: boolean }>(sql`
    update openslot.webhook_endpoints set sender = ${sender}, sender_until = ${new Date(until)}
    from (select sender as last_sender from openslot.webhook_endpoints where app_id = ${appId} and id = ${id} for update) as before
    where app_id = ${appId} and id = ${id} and status in ('active', 'failing')
      and (sender is null or sender = ${sender} or sender_until < ${new Date(now)})
    returning ${columns}, coalesce(last_sender <> ${sender}, false) as "isTakenOver"`)
  return row
}

export async function releaseEndpoint(transaction: Transaction, id: EndpointId, sender: string): Promise<void> {
  await transaction.query(sql`
    update openslot.webhook_endpoints set sender = null, sender_until = null
    where app_id = ${transaction.appId} and id = ${id} and sender = ${sender}`)
}

/** Endpoints that stopped answering and were not asked again since `before`; asking is noted at once. */
export async function takeFailedEndpoints(transaction: Transaction, before: Instant): Promise<Endpoint[]> {
  return transaction.query<Endpoint>(sql`
    update openslot.webhook_endpoints set updated_at = now()
    where app_id = ${transaction.appId} and status = 'failed' and updated_at < ${new Date(before)}
    returning ${columns}`)
}
