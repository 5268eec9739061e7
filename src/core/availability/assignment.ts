// Who serves a slot where one participant does, in turn: the queue, its fair half, and the choice.
import type { Instant } from '../time/instant.ts'

/** Alphabetical without regard to case, the same on every machine; so no locale has a say. */
export function compareEmails(a: string, b: string): number {
  return compareText(a.toLowerCase(), b.toLowerCase()) || compareText(a, b)
}

/**
 * The emails of `participants`, next in turn first: who was never booked (alphabetical), then who was booked longest ago;
 * ties are alphabetical.
 */
export function queue(participants: readonly { readonly email: string; readonly lastBookedAt?: Instant }[]): string[] {
  return participants
    .toSorted((a, b) => compareTurns(a.lastBookedAt, b.lastBookedAt) || compareEmails(a.email, b.email))
    .map((participant) => participant.email)
}

/** The upper half of `order`, the middle included: of n entries the first n − floor(n/2). */
export function fairHalf(order: readonly string[]): string[] {
  return order.slice(0, order.length - Math.floor(order.length / 2))
}

/** The first of `order` who is free for the slot, spelt as in `order`; case does not matter. Undefined where none is. */
export function chooseParticipant(slotEmails: readonly string[], order: readonly string[]): string | undefined {
  const free = new Set(slotEmails.map((email) => email.toLowerCase()))
  return order.find((email) => free.has(email.toLowerCase()))
}

function compareTurns(a: Instant | undefined, b: Instant | undefined): number {
  if (a === b) return 0
  if (a === undefined) return -1
  return b === undefined ? 1 : a - b
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
