// Finds who is asking, before any body is read.
import type { Grant } from '../core/account/grant.ts'
import type { Principal } from '../core/account/principal.ts'
import type { Problem } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import type { Operations } from '../operations/operations.ts'
import type { Guard } from './route.ts'

const unauthorized: Problem = { kind: 'unauthorized', message: 'Unauthorized' }
const invalidSession: Problem = { kind: 'invalidSession', message: 'Invalid session' }

/** The principal of a request, if `guard` lets it in. A credential that is presented must be a good one. */
export async function admit(
  operations: Operations,
  guard: Guard,
  authorization: string | undefined,
): Promise<Result<Principal>> {
  if (guard === 'public') return success({ kind: 'anyone' })
  if (authorization === undefined || authorization === '')
    return guard === 'scheduler' ? success({ kind: 'anyone' }) : failure(unauthorized)
  const token = bearerOf(authorization)
  const refused = guard === 'scheduler' ? invalidSession : unauthorized
  if (token === undefined) return failure(refused)
  const found = await operations.identify(token)
  if (!found.ok) return found
  const principal = found.value
  if (principal === undefined || !guardAccepts[guard].includes(principal.kind)) return failure(refused)
  return success(principal)
}

/**
 * Could a refused header be somebody guessing? None is no guess; and of one address many guests may come back to pages
 * whose sessions have ended, whose tokens are too long to guess.
 */
export function isGuess(authorization: string | undefined): boolean {
  if (authorization === undefined || authorization === '') return false
  return !/^oss_[0-9a-f]{8}_[0-9A-Za-z]{43}$/.test(bearerOf(authorization) ?? '')
}

function bearerOf(authorization: string): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1]
}

const guardAccepts: Readonly<Record<Exclude<Guard, 'public'>, readonly Principal['kind'][]>> = {
  key: ['key'],
  grant: ['key', 'token'],
  keyOrToken: ['key', 'token'],
  token: ['token'],
  scheduler: ['session', 'booking', 'key'],
}

/** The grant that a path names, in any of its spellings; another grant than the token's own is refused as missing. */
export function grantOf(operations: Operations, principal: Principal, spelling: string): Promise<Result<Grant>> {
  return operations.resolveGrant(principal, spelling)
}
