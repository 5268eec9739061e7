// The event of a booking, as every calendar provider is asked to place it.
import type { EventId } from '../ids.ts'
import type { Interval } from '../time/interval.ts'

export type PlacedEvent = {
  /** The booking's own `eventId`, so that a repeat finds its own. */
  readonly id: EventId
  /** One for the whole life of the booking (RFC 5545 §3.8.4.7). */
  readonly icalUid: string
  /** Rises with every change of the booking (RFC 5545 §3.8.7.4). */
  readonly sequence: number
  /** Waits for the organizer's word: a placeholder, to which nobody outside is invited. */
  readonly isPending: boolean
  /** It may still be given up: who invites by themselves invites nobody yet, and says so. It is placed once more when it stays. */
  readonly isHeld?: boolean | undefined
  readonly title: string
  readonly description: string
  readonly location: string
  readonly when: Interval
  readonly timezone: string
  readonly organizer: { readonly email: string; readonly name: string }
  readonly participants: readonly { readonly email: string; readonly name: string }[]
  /** Addresses of those among them who have a copy of their own: no calendar invites them. */
  readonly hosts?: readonly string[]
  readonly hideParticipants: boolean
  /** Whether the provider sends invitations of its own. */
  readonly notifyParticipants: boolean
  /** As the wire has it: `{provider, details}`; undefined without a conference. */
  readonly conferencing: Readonly<Record<string, unknown>> | undefined
  /** What the event said before this change: where it stands differently, its owner changed it. Undefined for a new one. */
  readonly before?: Pick<PlacedEvent, 'isPending' | 'title' | 'description' | 'location' | 'participants'> | undefined
  /** At most 50 pairs of text. `key5`, `source` and `scheduler_last_*` let others see whose event this is. */
  readonly metadata: Readonly<Record<string, string>>
}

/** The keys of `metadata`: ours alone to write, as long as the booking stands. */
const ownKeys = ['source', 'key5', 'scheduler_last_start', 'scheduler_last_end', 'scheduler_updated_at']

/** `metadata` as someone else wants it on the event of a booking: our keys stay as they are on `standing`. */
export function withOwnKeys(
  metadata: PlacedEvent['metadata'],
  standing: PlacedEvent['metadata'],
): PlacedEvent['metadata'] {
  const own = Object.entries(standing).filter(([key]) => ownKeys.includes(key))
  return { ...metadata, ...Object.fromEntries(own) }
}

/** `metadata` of an event that belongs to no booking any more. */
export function withoutOwnKeys(metadata: PlacedEvent['metadata']): PlacedEvent['metadata'] {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !ownKeys.includes(key)))
}
