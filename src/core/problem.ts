// The closed list of expected failures. Doors turn them into statuses; nobody else knows a status.

/**
 * An expected failure, as a value.
 *
 * `message` is written for the caller: it names the field and what would be right, never a secret, SQL or a path.
 * `field` is the place in the caller's own document, e.g. `guest.email` or `participants[0].email`.
 */
export type Problem = {
  readonly kind: ProblemKind
  readonly message: string
  readonly field?: string
  /** Of a calendar: a sentence about what stands there, for its owner alone. Never for whoever asks for slots or books. */
  readonly about?: string
  /** Seconds after which trying again makes sense: for `rateLimited` and `unavailable`. */
  readonly retryAfterSeconds?: number
  /** What an earlier request under the same `Idempotency-Key` was refused with. */
  readonly isReplay?: true
  /** What is to be solved: for `proofRequired`. */
  readonly challenge?: Readonly<Record<string, string | number>>
}

export type ProblemKind =
  /** The request cannot be right, whoever sends it. */
  | 'invalidRequest'
  /** No credential, or one that is unknown, expired or revoked. */
  | 'unauthorized'
  /** A private configuration without a valid session for it. */
  | 'invalidSession'
  /** A valid credential that may not do this. */
  | 'forbidden'
  /** Missing, or another application's: the two answer alike. */
  | 'notFound'
  /** Not one of the slots that availability offers now. */
  | 'slotUnavailable'
  /** Was offered, and another guest got it first. */
  | 'slotTaken'
  /** The booking, or another object, changed since it was read. */
  | 'conflict'
  /** A participant's calendar cannot be read: unknown is never free. */
  | 'calendarUnavailable'
  /** The provider no longer takes the credentials of a grant: its owner must connect anew. */
  | 'grantExpired'
  | 'invalidIdempotencyKey'
  /** The same `Idempotency-Key` with another body. */
  | 'idempotencyMismatch'
  /** The first request with this `Idempotency-Key` has not ended. */
  | 'idempotencyInProgress'
  /** No such webhook endpoint here: the wire has words of its own for it. */
  | 'endpointNotFound'
  /** The receiver did not answer the challenge. */
  | 'endpointUnverified'
  | 'payloadTooLarge'
  | 'unsupportedMediaType'
  | 'rateLimited'
  /** Too busy for strangers who bring no proof of work. */
  | 'proofRequired'
  /** The database is away, or a transaction lost every retry. */
  | 'unavailable'

export function invalidRequest(message: string, field?: string): Problem {
  return field === undefined ? { kind: 'invalidRequest', message } : { kind: 'invalidRequest', message, field }
}

/** One answer for missing and for foreign objects, so that the second is not betrayed (A3). */
export const notFound: Problem = { kind: 'notFound', message: 'requested object not found' }

export const endpointNotFound: Problem = {
  kind: 'endpointNotFound',
  message: 'destination.id.not.found : record not found',
}

/** The literal text that the official components look for before they try the next participant. */
export const slotUnavailable: Problem = { kind: 'slotUnavailable', message: 'The selected timeslot is unavailable' }

export const slotTaken: Problem = { kind: 'slotTaken', message: 'The selected timeslot is unavailable' }

/** Whoever waited is told so, and what was asked for is not done after that. */
export const tookTooLong: Problem = {
  kind: 'unavailable',
  message: 'The request took too long; please try again.',
  retryAfterSeconds: 5,
}

/** A grant that must be connected anew is its owner's affair: whoever asks for slots or books hears that a calendar cannot be read. */
export function asUnavailable(problem: Problem): Problem {
  return problem.kind === 'grantExpired' ? { ...problem, kind: 'calendarUnavailable' } : problem
}

/** Another request was first: this one decided on what no longer is. */
export const changedMeanwhile: Problem = {
  kind: 'conflict',
  message: 'The booking was changed by another request; read it again',
}

/** Someone moved it first: what was decided was about a time that the booking does not have any more. `field`: where that time was sent. */
export function movedMeanwhile(field: 'start_time' | 'shown_start_time'): Problem {
  return {
    kind: 'conflict',
    message: 'is not the start of the booking any more: it was moved; read it again',
    field,
  }
}

/** The account was taken away from this server: nothing of it can be asked, and nothing on it done or undone, ever again. */
export const accountGone: Problem = {
  kind: 'calendarUnavailable',
  message: 'The account of this calendar is gone.',
}
