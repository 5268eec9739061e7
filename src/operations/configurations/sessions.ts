// Sessions: a short-lived right to use one configuration from a page.
import { deleteSession, findApplication, insertSession } from '../../adapters/storage/accounts.ts'
import type { Principal } from '../../core/account/principal.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'
import { nameConfiguration } from './loadConfiguration.ts'

const defaultSessionMinutes = 5

/** The session id, answered once. Problems: `invalidRequest` (no configuration named), `notFound`. */
export async function createSession(
  { database }: Pick<Tools, 'database'>,
  principal: Principal & { readonly kind: 'key' },
  {
    configurationId,
    slug,
    lifeMinutes = defaultSessionMinutes,
  }: {
    readonly configurationId?: string | undefined
    readonly slug?: string | undefined
    readonly lifeMinutes?: number | undefined
  },
): Promise<Result<string>> {
  if (!configurationId && !slug) return failure(invalidRequest('configuration_id or slug is required'))
  const named = await nameConfiguration({ database }, principal, { configuration_id: configurationId, slug })
  if (!named.ok) return named
  const application = await findApplication(database, principal.appId)
  if (application === undefined) return failure(notFound)
  const session = { configurationId: named.value.id, keyId: principal.keyId, lifeMinutes }
  const made = await insertSession(database, application, session)
  return made === undefined ? failure(notFound) : success(made)
}

/** Problems: `notFound`. */
export async function endSession(
  { database }: Pick<Tools, 'database'>,
  principal: Principal & { readonly kind: 'key' },
  sessionId: string,
): Promise<Result<undefined>> {
  const isEnded = await deleteSession(database, principal.appId, sessionId)
  return isEnded ? success(undefined) : failure(notFound)
}
