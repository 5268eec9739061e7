// The grant that a path or a body names, in any of its spellings.
import { findGrant, type GrantName } from '../../adapters/storage/grants.ts'
import type { Grant } from '../../core/account/grant.ts'
import type { Principal } from '../../core/account/principal.ts'
import { isUuid } from '../../core/ids.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/**
 * `<uuid>`, `grant:<uuid>`, `<email>`, `email:<email>`, `external:<id>`, and `me` with an access token.
 * Problems: `invalidRequest` (`me` with an API key), `notFound`, also for a grant other than the token's own.
 */
export async function resolveGrant(
  { database }: Pick<Tools, 'database'>,
  principal: Principal,
  spelling: string,
): Promise<Result<Grant>> {
  if (principal.kind !== 'key' && principal.kind !== 'token') return failure(notFound)
  if (spelling === 'me' && principal.kind === 'key')
    return failure(
      invalidRequest('"me" stands for the grant of an access token; with an API key name the grant', 'grant_id'),
    )
  const names =
    spelling === 'me' && principal.kind === 'token'
      ? [{ by: 'id', value: principal.grantId } as const]
      : readGrantName(spelling)
  const found = await database.read(principal.appId, (transaction) =>
    Promise.all(names.map((name) => findGrant(transaction, name))),
  )
  const grant = found.find((one) => one !== undefined)
  if (grant === undefined || (principal.kind === 'token' && grant.id !== principal.grantId)) return failure(notFound)
  return success(grant)
}

/** What a spelling may mean, in order. Any text can be the email of a virtual account, even one that looks like an id. */
function readGrantName(spelling: string): GrantName[] {
  const byEmail: GrantName = { by: 'email', value: spelling }
  const match = /^(grant|email|external):(.*)$/s.exec(spelling)
  if (match?.[1] === 'grant') return isUuid(match[2] ?? '') ? [{ by: 'id', value: match[2] ?? '' }] : [byEmail]
  if (match?.[1] === 'email') return [{ by: 'email', value: match[2] ?? '' }, byEmail]
  if (match?.[1] === 'external') return [{ by: 'externalId', value: match[2] ?? '' }, byEmail]
  return isUuid(spelling) ? [{ by: 'id', value: spelling }, byEmail] : [byEmail]
}
