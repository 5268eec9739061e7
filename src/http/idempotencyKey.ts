// `Idempotency-Key` of a request: read in one way, and refused in one way, by every route.
import type { Problem } from '../core/problem.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

const longest = 256

/** Of an answer that an earlier request under the same key got, whichever it was. */
export const replayHeaders: Readonly<Record<string, string>> = { 'idempotent-response': 'true' }

/** Undefined where there is none. */
export function idempotencyKeyOf(headers: Headers): string | undefined {
  const value = headers['idempotency-key']
  return Array.isArray(value) ? value.join(',') : value
}

/** Of a route that remembers no key as well: whoever sends one relies on it, and hears the same wherever it is. */
export function findKeyProblem(headers: Headers): Problem | undefined {
  const key = idempotencyKeyOf(headers)
  if (key === undefined || (key.length > 0 && key.length <= longest)) return undefined
  return { kind: 'invalidIdempotencyKey', message: `Idempotency-Key must be ${longest} characters or fewer.` }
}
