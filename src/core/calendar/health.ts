// How a calendar elsewhere stands, and what to do about one that cannot be read.
import type { Instant } from '../time/instant.ts'

/** `reconnect`: its owner must connect the account anew. What is `ok` and old is stale. */
export type MirrorHealth = 'ok' | 'failing' | 'reconnect'

/** As it is told: `stale` is one whose last good answer is older than offers may rest on. */
export type CalendarStanding = {
  readonly status: MirrorHealth | 'stale'
  /** Why, in words for the owner; undefined for one that is `ok`. */
  readonly reason: string | undefined
  readonly since: Instant
  /** When what is known of it was true; undefined before it was first read. */
  readonly readAt: Instant | undefined
}

/**
 * What a calendar that cannot be read means for its participant. `closed`: nobody can book them. `lastKnown`: what was
 * last read counts, if it is no older than so many hours. `ignore`: it keeps nobody from booking. `busy`: they are busy all
 * the time; what `closed` comes to where others can serve instead.
 */
export type UnreadablePolicy =
  | { readonly kind: 'closed' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'lastKnown'; readonly hours: number }
  | { readonly kind: 'ignore' }

export const closed: UnreadablePolicy = { kind: 'closed' }

const severity: readonly UnreadablePolicy['kind'][] = ['closed', 'busy', 'lastKnown', 'ignore']

/** Where participants share a calendar, the one who trusts it least decides. */
export function stricter(a: UnreadablePolicy, b: UnreadablePolicy): UnreadablePolicy {
  if (a.kind === 'lastKnown' && b.kind === 'lastKnown') return a.hours <= b.hours ? a : b
  return severity.indexOf(a.kind) <= severity.indexOf(b.kind) ? a : b
}
