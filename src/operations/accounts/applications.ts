// The caller's own application.
import {
  type Application,
  findApplication,
  findApplicationSettings,
  updateApplicationSettings,
} from '../../adapters/storage/accounts.ts'
import { recordAudit } from '../../adapters/storage/audit.ts'
import { listCallbackUris } from '../../adapters/storage/callbackUris.ts'
import type { Queryable } from '../../adapters/storage/database/database.ts'
import type { CallbackUri } from '../../core/account/callbackUri.ts'
import type { Caller } from '../../core/account/principal.ts'
import type { AppId } from '../../core/ids.ts'
import { type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

export type ApplicationView = {
  readonly application: Application & { readonly settings: Readonly<Record<string, unknown>> }
  readonly callbackUris: readonly CallbackUri[]
}

export async function showApplication(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
): Promise<Result<ApplicationView>> {
  return success(await read(database, appId))
}

/** `change` makes new settings of the old ones. */
export async function changeApplication(
  { database }: Pick<Tools, 'database'>,
  { appId, actor }: Caller,
  change: (settings: object) => object,
): Promise<Result<ApplicationView>> {
  return database.transaction(appId, async (transaction) => {
    const settings = await findApplicationSettings(transaction, appId)
    await updateApplicationSettings(transaction, appId, change(settings))
    await recordAudit(transaction, { actor, action: 'application.updated', target: appId })
    return success(await read(transaction, appId))
  })
}

async function read(queryable: Queryable, appId: AppId): Promise<ApplicationView> {
  const [application, settings, callbackUris] = await Promise.all([
    findApplication(queryable, appId),
    findApplicationSettings(queryable, appId),
    listCallbackUris(queryable, appId),
  ])
  if (application === undefined) throw new Error('a credential without an application')
  return { application: { ...application, settings }, callbackUris }
}
