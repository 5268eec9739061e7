// Remembers what a request with an `Idempotency-Key` was answered, so that a repeat gets the same and nothing twice.
import { createHash } from 'node:crypto'

import type { AppId } from '../../core/ids.ts'
import type { Database, Transaction } from './database/database.ts'
import { sql } from './database/sql.ts'

/** Who asked for what under which key; `request` is the body as it was understood. */
export type RepeatableRequest = {
  readonly appId: AppId
  readonly scope: string
  readonly key: string
  readonly request: unknown
}

/** `objectId` is the id that the request's new object has or would have, the same for every repeat. */
export type Turn =
  | { readonly kind: 'first'; readonly objectId: string }
  /** The process of the first request died: its object may exist. */
  | { readonly kind: 'takenOver'; readonly objectId: string }
  | { readonly kind: 'running' }
  | { readonly kind: 'otherRequest' }
  | { readonly kind: 'answered'; readonly response: unknown }

const leaseSeconds = 30
const keptHours = 24

/** Takes the turn for this key, with `objectId` for what it is to make, or says who has it. Commits at once, so that a second request sees the first running. */
export async function takeTurn(database: Database, repeatable: RepeatableRequest, objectId: string): Promise<Turn> {
  const { appId, scope } = repeatable
  const keyHash = hash(repeatable.key)
  const requestHash = hash(JSON.stringify(repeatable.request))
  const inserted = await database.query(sql`
    insert into openslot.idempotency_keys (app_id, scope, key_hash, request_hash, object_id, lease_until, expires_at)
    values (${appId}, ${scope}, ${keyHash}, ${requestHash}, ${objectId}, now() + make_interval(secs => ${leaseSeconds}),
      now() + make_interval(hours => ${keptHours}))
    on conflict (app_id, scope, key_hash) do update
      set request_hash = excluded.request_hash, object_id = excluded.object_id, response = null, lease_until = excluded.lease_until,
        created_at = now(), expires_at = excluded.expires_at
      where idempotency_keys.expires_at < now()
    returning app_id`)
  if (inserted.length > 0) return { kind: 'first', objectId }
  const turn = await findTurn(database, repeatable)
  // Given back between the two statements: as good as running, and gone at the next try.
  if (turn === undefined) return { kind: 'running' }
  if (turn.kind !== 'takenOver') return turn
  const taken = await database.query(sql`
    update openslot.idempotency_keys set lease_until = now() + make_interval(secs => ${leaseSeconds})
    where app_id = ${appId} and scope = ${scope} and key_hash = ${keyHash} and lease_until < now() and response is null
    returning app_id`)
  return taken.length > 0 ? turn : { kind: 'running' }
}

/** What has become of this key, which is only looked at; `takenOver`: it may be. Undefined where nobody has used it. */
export async function findTurn(
  database: Database,
  { appId, scope, key, request }: RepeatableRequest,
): Promise<Exclude<Turn, { kind: 'first' }> | undefined> {
  const [row] = await database.query<{
    isSame: boolean
    objectId: string
    response: unknown
    isLeased: boolean
  }>(sql`
    select request_hash = ${hash(JSON.stringify(request))} as "isSame", object_id as "objectId", response, lease_until > now() as "isLeased"
    from openslot.idempotency_keys
    where app_id = ${appId} and scope = ${scope} and key_hash = ${hash(key)} and expires_at >= now()`)
  if (row === undefined) return undefined
  if (!row.isSame) return { kind: 'otherRequest' }
  if (row.response !== null) return { kind: 'answered', response: row.response }
  return row.isLeased ? { kind: 'running' } : { kind: 'takenOver', objectId: row.objectId }
}

/** Keeps the answer, in the transaction that makes it true where there is one. */
export async function keepAnswer(
  queryable: Database | Transaction,
  { appId, scope, key }: RepeatableRequest,
  response: object,
): Promise<void> {
  await queryable.query(sql`
    update openslot.idempotency_keys set response = ${JSON.stringify(response)}::jsonb
    where app_id = ${appId} and scope = ${scope} and key_hash = ${hash(key)}`)
}

/** Ends the lease, so that a repeat takes over at once, with the same object id: for a first try of which nobody knows how far it came. */
export async function endLease(database: Database, { appId, scope, key }: RepeatableRequest): Promise<void> {
  await database.query(sql`
    update openslot.idempotency_keys set lease_until = now() - interval '1 second'
    where app_id = ${appId} and scope = ${scope} and key_hash = ${hash(key)} and response is null`)
}

/** Gives the key back, so that a repeat may try again: for answers that say no more than "not now". */
export async function giveTurnBack(database: Database, { appId, scope, key }: RepeatableRequest): Promise<void> {
  await database.query(sql`
    delete from openslot.idempotency_keys where app_id = ${appId} and scope = ${scope} and key_hash = ${hash(key)} and response is null`)
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
