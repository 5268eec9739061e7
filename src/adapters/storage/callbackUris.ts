// The addresses to which a sign-in of an application may lead back.
import type { CallbackUri } from '../../core/account/callbackUri.ts'
import type { AppId } from '../../core/ids.ts'
import type { Queryable } from './database/database.ts'
import { newId } from './database/ids.ts'
import { sql } from './database/sql.ts'

const columns = sql`id, url, platform, settings`

export function listCallbackUris(queryable: Queryable, appId: AppId): Promise<CallbackUri[]> {
  return queryable.query<CallbackUri>(
    sql`select ${columns} from openslot.callback_uris where app_id = ${appId} order by created_at, id limit 500`,
  )
}

/** `id` must be a UUID. */
export async function findCallbackUri(
  queryable: Queryable,
  appId: AppId,
  id: string,
): Promise<CallbackUri | undefined> {
  const [row] = await queryable.query<CallbackUri>(
    sql`select ${columns} from openslot.callback_uris where app_id = ${appId} and id = ${id}`,
  )
  return row
}

export async function insertCallbackUri(
  queryable: Queryable,
  appId: AppId,
  uri: Omit<CallbackUri, 'id'>,
): Promise<CallbackUri> {
  const [row] = await queryable.query<CallbackUri>(sql`
    insert into openslot.callback_uris (app_id, id, url, platform, settings)
    values (${appId}, ${newId()}, ${uri.url}, ${uri.platform}, ${JSON.stringify(uri.settings)}) returning ${columns}`)
  if (row === undefined) throw new Error('an insert returned no row')
  return row
}

export async function updateCallbackUri(
  queryable: Queryable,
  appId: AppId,
  uri: CallbackUri,
): Promise<CallbackUri | undefined> {
  const [row] = await queryable.query<CallbackUri>(sql`
    update openslot.callback_uris set url = ${uri.url}, platform = ${uri.platform}, settings = ${JSON.stringify(uri.settings)}
    where app_id = ${appId} and id = ${uri.id} returning ${columns}`)
  return row
}

export async function deleteCallbackUri(queryable: Queryable, appId: AppId, id: string): Promise<boolean> {
  const rows = await queryable.query(
    sql`delete from openslot.callback_uris where app_id = ${appId} and id = ${id} returning id`,
  )
  return rows.length > 0
}
