// How a calendar elsewhere stands, and what to do about one that cannot be read.

/** `reconnect`: its owner must connect the account anew. What is `ok` and old is stale. */
export type MirrorHealth = 'ok' | 'failing' | 'reconnect'

/**
 * What a calendar that cannot be read means for its participant. `closed`: nobody can book them. `lastKnown`: what was
 * last read counts, if it is no older than so many hours. `ignore`: it keeps nobody from booking.
 */
export type UnreadablePolicy =
  | { readonly kind: 'closed' }
  | { readonly kind: 'lastKnown'; readonly hours: number }
  | { readonly kind: 'ignore' }

export const closed: UnreadablePolicy = { kind: 'closed' }

/** Where participants share a calendar, the one who trusts it least decides. */
export function stricter(a: UnreadablePolicy, b: UnreadablePolicy): UnreadablePolicy {
  if (a.kind === 'closed' || b.kind === 'ignore') return a
  if (b.kind === 'closed' || a.kind === 'ignore') return b
  return a.hours <= b.hours ? a : b
}
