// Access tokens: one grant, one hour.
import {
  deleteAccessToken,
  findAccessToken,
  findAppByCode,
  findApplication,
  findPrincipal,
  insertAccessToken,
} from '../../adapters/storage/accounts.ts'
import { recordAudit } from '../../adapters/storage/audit.ts'
import { readToken } from '../../adapters/storage/database/ids.ts'
import type { Grant } from '../../core/account/grant.ts'
import { actorOf } from '../../core/account/principal.ts'
import { type AppId, isUuid } from '../../core/ids.ts'
import type { Problem } from '../../core/problem.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Tools } from '../tools.ts'
import { resolveGrant } from './resolveGrant.ts'

export type TokenCommand = {
  readonly grantType: string
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly grantId: string | undefined
  /** Whence the request came. */
  readonly address: string | undefined
}

const invalidClient: Problem = {
  kind: 'unauthorized',
  message: 'client_id and client_secret (an API key) do not belong together, or are not known',
}
const invalidToken: Problem = { kind: 'unauthorized', message: 'Token expired or revoked' }
const laterGrantTypes = ['authorization_code', 'refresh_token']

/** Problems: `invalidRequest` (also with the field `grant_type`), `unauthorized`, `notFound`. */
export async function issueToken(
  tools: Pick<Tools, 'database'>,
  command: TokenCommand,
): Promise<Result<{ token: string; grant: Grant }>> {
  const { database } = tools
  if (laterGrantTypes.includes(command.grantType))
    return failure(
      invalidRequest(
        `${command.grantType} is not supported yet: accounts that sign in at a provider cannot be connected; use client_credentials`,
        'grant_type',
      ),
    )
  if (command.grantType !== 'client_credentials')
    return failure(invalidRequest('must be client_credentials', 'grant_type'))
  for (const [value, field] of [
    [command.clientId, 'client_id'],
    [command.clientSecret, 'client_secret'],
    [command.grantId, 'grant_id'],
  ] as const)
    if (!value) return failure(invalidRequest(`Missing required parameter: ${field}`))
  const principal = await findPrincipal(database, command.clientSecret ?? '')
  if (
    principal?.kind !== 'key' ||
    !isUuid(command.clientId ?? '') ||
    principal.appId !== command.clientId?.toLowerCase()
  )
    return failure(invalidClient)
  const grant = await resolveGrant(tools, principal, command.grantId ?? '')
  if (!grant.ok) return grant
  const application = await findApplication(database, principal.appId)
  if (application === undefined) return failure(invalidClient)
  return database.transaction(application.id, async (transaction) => {
    const token = await insertAccessToken(transaction, application, { grantId: grant.value.id, keyId: principal.keyId })
    const actor = actorOf({ ...principal, address: command.address })
    await recordAudit(transaction, { actor, action: 'token.issued', target: grant.value.id })
    return success({ token, grant: grant.value })
  })
}

/**
 * The grant stays. `address`: whence the request came. Problems: `unauthorized` for a token that is unknown, expired or
 * revoked, or whose key is.
 */
export async function revokeToken(
  { database }: Pick<Tools, 'database'>,
  { token, address }: { readonly token: string; readonly address: string | undefined },
): Promise<Result<void>> {
  const appId = await appOf({ database }, token)
  if (appId === undefined) return failure(invalidToken)
  return database.transaction(appId, async (transaction) => {
    const found = await findAccessToken(transaction, appId, token)
    if (found === undefined || !(await deleteAccessToken(transaction, appId, token))) return failure(invalidToken)
    const actor = actorOf({ kind: 'token', appId, grantId: found.grantId, address })
    await recordAudit(transaction, { actor, action: 'token.revoked', target: found.grantId })
    return success(undefined)
  })
}

export type TokenInformation = {
  readonly appId: AppId
  readonly grant: Grant
  readonly createdAt: Instant
  readonly expiresAt: Instant
  readonly issuer: string
}

/** Problems: `unauthorized`. */
export async function describeToken(
  { database, baseUrl }: Pick<Tools, 'database' | 'baseUrl'>,
  token: string,
): Promise<Result<TokenInformation>> {
  const appId = await appOf({ database }, token)
  const found = appId === undefined ? undefined : await findAccessToken(database, appId, token)
  if (appId === undefined || found === undefined) return failure(invalidToken)
  const grant = await resolveGrant({ database }, { kind: 'token', appId, grantId: found.grantId }, 'me')
  if (!grant.ok) return failure(invalidToken)
  return success({ appId, grant: grant.value, createdAt: found.createdAt, expiresAt: found.expiresAt, issuer: baseUrl })
}

async function appOf({ database }: Pick<Tools, 'database'>, token: string): Promise<AppId | undefined> {
  const parts = readToken(token)
  return parts?.kind === 'token' ? findAppByCode(database, parts.code) : undefined
}
