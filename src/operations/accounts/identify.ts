// Who a bearer token stands for.
import { findPrincipal } from '../../adapters/storage/accounts.ts'
import type { Principal } from '../../core/account/principal.ts'
import { type Result, success } from '../../core/result.ts'
import { findReferenced } from '../bookings/findReferenced.ts'
import type { Tools } from '../tools.ts'

/**
 * The principal of an API key, a session, an access token or a booking reference; undefined for one that is unknown,
 * expired or revoked.
 */
export async function identify(
  { database }: Pick<Tools, 'database'>,
  token: string,
): Promise<Result<Principal | undefined>> {
  const found = await findPrincipal(database, token)
  if (found !== undefined) return success(found)
  const referenced = await findReferenced({ database }, token)
  if (referenced === undefined) return success(undefined)
  const { booking, holder } = referenced
  const { appId, configurationId, id } = booking
  return success({ kind: 'booking', appId, configurationId, bookingId: id, holder })
}
