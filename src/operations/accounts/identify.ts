// Who a bearer token stands for.
import { findPrincipal } from '../../adapters/storage/accounts.ts'
import type { Principal } from '../../core/account/principal.ts'
import { type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/** The principal of an API key, a session or an access token; undefined for one that is unknown, expired or revoked. */
export async function identify(
  { database }: Pick<Tools, 'database'>,
  token: string,
): Promise<Result<Principal | undefined>> {
  return success(await findPrincipal(database, token))
}
