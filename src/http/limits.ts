// What no request may exceed, whatever its route: depth, lengths, and characters that cannot be stored.
import { invalidRequest, type Problem } from '../core/problem.ts'

export const bodyLimitBytes = 256 * 1024
export const configurationBodyLimitBytes = 1024 * 1024
export const urlLimitBytes = 8 * 1024
export const headerLimitBytes = 16 * 1024

/** How long a client may take to send, and we to answer; milliseconds. */
export type TimeLimits = {
  readonly headersMs: number
  readonly requestMs: number
  readonly keepAliveMs: number
  /** How often Node looks for connections that are over their time. */
  readonly checkEveryMs: number
  readonly handlerMs: number
}

export const timeLimits: TimeLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  checkEveryMs: 5_000,
  handlerMs: 25_000,
}

const depthLimit = 32
const textLimit = 10 * 1024
const arrayLimit = 500
const keyLimit = 255

/**
 * The first thing in `value` that is too deep, too long or not text, with its place; undefined where all is well.
 * U+0000 and lone surrogates are refused because PostgreSQL cannot store them.
 */
export function findExcess(value: unknown, place: string, depth = 0): Problem | undefined {
  const here = place === '' ? 'body' : place
  if (typeof value === 'string') return findTextExcess(value, here)
  if (typeof value !== 'object' || value === null) return undefined
  if (depth >= depthLimit) return invalidRequest(`nested deeper than ${depthLimit} levels`, here)
  if (Array.isArray(value)) {
    if (value.length > arrayLimit) return invalidRequest(`more than ${arrayLimit} items`, here)
    for (const [index, item] of value.entries()) {
      const found = findExcess(item, `${place}[${index}]`, depth + 1)
      if (found !== undefined) return found
    }
    return undefined
  }
  for (const [key, item] of Object.entries(value)) {
    if (key.length > keyLimit || !key.isWellFormed() || key.includes('\0'))
      return invalidRequest('has a name that is too long or not text', here)
    const found = findExcess(item, place === '' ? key : `${place}.${key}`, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function findTextExcess(text: string, place: string): Problem | undefined {
  if (text.length > textLimit) return invalidRequest(`longer than ${textLimit} characters`, place)
  if (text.includes('\0')) return invalidRequest('contains U+0000, which is not text', place)
  if (!text.isWellFormed()) return invalidRequest('contains half a surrogate pair, which is not text', place)
  return undefined
}
