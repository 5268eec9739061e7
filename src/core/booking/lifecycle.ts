// The state machine: which moves a booking allows, and what each makes of it. Nothing here reads or writes.
import type { CalendarKey } from '../account/grant.ts'
import type { Asker } from '../account/principal.ts'
import { type Configuration, calendarName } from '../configuration/configuration.ts'
import { invalidRequest, type Problem } from '../problem.ts'
import { failure, type Result, success } from '../result.ts'
import { type Instant, minuteMs, toUnixSeconds } from '../time/instant.ts'
import { type Interval, isSameInterval } from '../time/interval.ts'
import {
  type Booking,
  type BookingDetails,
  type CancelledBy,
  type Change,
  icalUidOf,
  type Move,
  type Service,
  uniquePeople,
  type Whereto,
} from './booking.ts'
import type { PlacedEvent } from './placedEvent.ts'
import { decodeSalt, encodeSalt } from './reference.ts'
import { pendingPrefix } from './texts.ts'

const changing: Problem = {
  kind: 'conflict',
  message: 'The booking is being changed by another request; read it again',
}

/** A calendar did not take a change, and now does not take it back. */
const stuck: Problem = {
  kind: 'calendarUnavailable',
  message: 'A calendar of this booking does not answer; try again later, or call the booking off',
}

function changingProblem({ direction }: Booking): Problem {
  return direction === 'abort' ? stuck : changing
}

/** What `confirm` makes of a pending booking: it stays pending until its event stands. The salt has been checked before. */
export function confirm(booking: Booking): Result<Booking> {
  if (booking.change !== undefined) return failure(changingProblem(booking))
  if (booking.state !== 'pending') return failure(notPending(booking))
  return success(begin(booking, { kind: 'confirm' }))
}

/** What declining makes of a pending booking. The salt has been checked before. */
export function decline(booking: Booking, reason: string): Result<Booking> {
  if (booking.state !== 'pending') return failure(notPending(booking))
  return cancel(booking, 'organizer', reason)
}

/**
 * What calling off makes of a booking that is booked or pending. It overtakes a move or a confirmation that is under way:
 * their calendar may never answer. Only the hand of a calendar's owner waits, for it may have met what the change has put there.
 */
export function cancel(booking: Booking, by: CancelledBy, reason: string): Result<Booking> {
  const { change: going, state } = booking
  if (!stands(state)) return failure(ended(booking))
  if (going?.kind === 'create' || going?.kind === 'cancel') return failure(changing)
  if (going !== undefined && by === 'calendar') return failure(changing)
  const overtook = going?.kind === 'reschedule' ? whereto(going) : going
  const change: Change = { kind: 'cancel', by, reason, from: state, ...(overtook && { overtook }) }
  return success(begin({ ...booking, state: 'cancelled', cancelledBy: by, cancellationReason: reason }, change))
}

function whereto({ kind, when, service }: Move): Whereto {
  return { kind, when, service }
}

/**
 * What moving makes of a booking: it keeps its old time until the event stands at the new one. `newSalt` becomes the
 * organizer's where another one organizes it from then on.
 */
export function reschedule(
  booking: Booking,
  target: Pick<Move, 'when' | 'service' | 'details' | 'asker'>,
  newSalt?: Uint8Array,
): Result<Booking> {
  if (booking.change !== undefined) return failure(changingProblem(booking))
  const ended = findEndedProblem(booking)
  if (ended !== undefined) return failure(ended)
  const stays = booking.service.organizer.email.toLowerCase() === target.service.organizer.email.toLowerCase()
  const organizerSalt = stays || newSalt === undefined ? undefined : encodeSalt(newSalt)
  return success(begin(booking, { kind: 'reschedule', ...target, organizerSalt }))
}

/** What has begun is changed by the application alone, which keeps its records straight. */
export function findBegunProblem({ state, when }: Booking, asker: Asker, now: Instant): Problem | undefined {
  if (asker === 'application' || now < when.start || !stands(state)) return undefined
  return invalidRequest('The booking has begun and can no longer be changed')
}

/** Booked or pending: neither ended nor only held. */
export function stands(state: Booking['state']): state is 'booked' | 'pending' {
  return state === 'booked' || state === 'pending'
}

/**
 * Whether a move to `target` would leave all as it is: time, hosts, people and answers. `asked`: hosts whom the guest named; of a
 * round robin, one of whom serves. Texts that the configuration has by now, and how the guest reads, are no reason to move.
 */
export function isAsItStands(
  { change, state, when, service, details }: Booking,
  target: Pick<Move, 'when' | 'details'> & { readonly asked: readonly string[] },
): boolean {
  if (change !== undefined || !stands(state)) return false
  if (!isSameInterval(target.when, when)) return false
  const asked = new Set(target.asked.map((email) => email.toLowerCase()))
  const isServing = ({ email }: { readonly email: string }) => asked.has(email.toLowerCase())
  const isServed =
    asked.size === 0 ||
    (service.assignment.method === 'collective' ? service.hosts.every(isServing) : isServing(service.organizer))
  return isServed && peopleAndAnswers(target.details) === peopleAndAnswers(details)
}

/** In an order of its own: what was stored comes back in another. */
function peopleAndAnswers({ guest, additionalGuests, additionalFields }: BookingDetails): string {
  const people = [guest, ...additionalGuests].map(({ email, name }) => [email, name])
  const fields = Object.entries(additionalFields).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify([people, fields])
}

/** Whether `current` is what a change came to that was to make `settled`, whoever settled it. */
export function isSettledAs(current: Booking, settled: Booking): boolean {
  return (
    current.state === settled.state &&
    isSameInterval(current.when, settled.when) &&
    current.service.organizer.email === settled.service.organizer.email &&
    peopleAndAnswers(current.details) === peopleAndAnswers(settled.details)
  )
}

/** A request that nobody has answered in time can be declined, and nothing else. */
export function findConfirmationProblem({ state, when }: Booking, now: Instant): Problem | undefined {
  if (state !== 'pending' || now < when.start) return undefined
  return invalidRequest('The time of this request has passed; it can no longer be confirmed')
}

/** Inside of `min_cancellation_notice` before its start a booking can no longer be called off by the guest's side. */
export function findCancellationProblem(
  booking: Booking,
  configuration: Pick<Configuration, 'minCancellationNoticeMinutes'>,
  now: Instant,
): Problem | undefined {
  const { minCancellationNoticeMinutes: minutes } = configuration
  if (minutes === 0 || booking.state !== 'booked' || now <= booking.when.start - minutes * minuteMs) return undefined
  return invalidRequest(`The booking cannot be cancelled within ${minutes} minutes of the event`)
}

/** A booking that is neither booked nor pending is not changed any more. */
export function findEndedProblem(booking: Booking): Problem | undefined {
  return stands(booking.state) ? undefined : ended(booking)
}

/** The booking after its change: what the events of `placedEvent` made true. */
export function settle(booking: Booking): Booking {
  const { change } = booking
  switch (change?.kind) {
    case undefined:
      return booking
    case 'create':
      return { ...booking, state: change.to, change: undefined }
    case 'confirm':
      return { ...booking, state: 'booked', change: undefined }
    case 'cancel':
      return { ...booking, change: undefined }
    case 'reschedule':
      return {
        ...booking,
        when: change.when,
        service: change.service,
        details: change.details,
        organizerSalt: saltOf(change) ?? booking.organizerSalt,
        ...withMovedOff(booking, { left: booking.service, stands: change.service }),
        change: undefined,
      }
  }
}

function saltOf({ organizerSalt }: Move): Uint8Array | undefined {
  return organizerSalt === undefined ? undefined : decodeSalt(organizerSalt)
}

/** The booking whose change is given up: a new one is released, a move or confirmation is forgotten. */
export function abort(booking: Booking): Booking {
  return booking.change?.kind === 'create'
    ? { ...booking, state: 'released', direction: 'abort', change: undefined }
    : {
        ...booking,
        ...(booking.change?.kind === 'reschedule'
          ? withMovedOff(booking, { left: booking.change.service, stands: booking.service })
          : {}),
        direction: 'commit',
        change: undefined,
      }
}

/** Of a booking that is moved again and again, the first are forgotten. */
const mostMovedOff = 20

function withMovedOff(
  { movedOff = [] }: Booking,
  { left, stands }: { readonly left: Service; readonly stands: Service },
): Pick<Booking, 'movedOff'> {
  const standing = new Set(stands.placements.map(({ key }) => calendarName(key)))
  const all = [...movedOff, ...left.placements].filter(({ key }) => !standing.has(calendarName(key)))
  if (all.length === 0) return movedOff.length === 0 ? {} : { movedOff: undefined }
  const unique = new Map(all.map((calendar) => [calendarName(calendar.key), calendar]))
  return { movedOff: [...unique.values()].slice(-mostMovedOff) }
}

/** The event that should stand on each calendar for `booking`, once its change is carried out; undefined: none. */
export function placedEvent(booking: Booking, configuration: Configuration, now: Instant): PlacedEvent | undefined {
  const target = settle(booking)
  if (!stands(target.state)) return undefined
  const before = beforeChange(booking)
  const said = wordsOf(target)
  const { service, when } = target
  return {
    ...said,
    before: before === undefined ? undefined : wordsOf(before),
    id: target.eventId,
    icalUid: icalUidOf(target.eventId),
    sequence: target.version,
    when,
    timezone: configuration.timezone,
    organizer: service.organizer,
    hosts: service.hosts.map(({ email }) => email),
    hideParticipants: configuration.hideParticipants,
    notifyParticipants: configuration.notifyParticipants && !said.isPending,
    conferencing: !configuration.conferencing?.details ? undefined : configuration.conferencing,
    metadata: stampOf(target, now),
  }
}

/** What the event of `booking` bears, written at `at`. */
export function stampOf({ configurationId, when }: Booking, at: Instant): Readonly<Record<string, string>> {
  return {
    source: 'scheduler',
    key5: configurationId,
    scheduler_last_start: String(toUnixSeconds(when.start)),
    scheduler_last_end: String(toUnixSeconds(when.end)),
    scheduler_updated_at: String(toUnixSeconds(at)),
  }
}

function wordsOf({ state, details, service }: Booking): NonNullable<PlacedEvent['before']> {
  const isPending = state === 'pending'
  // Nobody outside is invited before the organizer has said yes.
  const people = isPending ? service.hosts : [...service.hosts, details.guest, ...details.additionalGuests]
  return {
    isPending,
    title: isPending ? `${pendingPrefix}${details.title}` : details.title,
    description: details.description,
    location: details.location,
    participants: uniquePeople(people),
  }
}

/** As its event stands until the change is carried out; undefined where none does, or nothing changes. */
function beforeChange(booking: Booking): Booking | undefined {
  const { change } = booking
  return change?.kind === 'confirm' || change?.kind === 'reschedule' ? booking : undefined
}

function begin(booking: Booking, change: Change): Booking {
  return { ...booking, change, direction: 'commit', version: booking.version + 1 }
}

function notPending(booking: Booking): Problem {
  return { kind: 'conflict', message: `The booking is ${booking.state}, not pending` }
}

function ended({ state }: Booking): Problem {
  return { kind: 'conflict', message: `The booking is already ${state}` }
}

/** The move that is under way, or was when the booking was called off: its event may stand at either time. */
export function moveOf({ change }: Pick<Booking, 'change'>): Whereto | undefined {
  const going = change?.kind === 'cancel' ? change.overtook : change
  return going?.kind === 'reschedule' ? going : undefined
}

/**
 * The time that `booking` takes, by calendar: during a move both the old and the new, during a cancellation what it took
 * before, until the event is gone. Old and new that touch or overlap on one calendar are one claim, since two would collide.
 */
export function claimsOf(booking: Booking): { readonly key: CalendarKey; readonly during: Interval }[] {
  const isTaking = booking.state === 'held' || stands(booking.state) || booking.change?.kind === 'cancel'
  if (!isTaking) return []
  const own = booking.service.placements.map(({ key }) => ({ key, during: booking.when }))
  const move = moveOf(booking)
  if (move === undefined) return own
  const { when, service } = move
  const claims = new Map(own.map((claim) => [calendarName(claim.key), [claim]]))
  for (const { key } of service.placements) {
    const before = claims.get(calendarName(key))?.[0]
    const merged =
      before !== undefined && before.during.start <= when.end && when.start <= before.during.end
        ? [
            {
              key,
              during: {
                start: before.during.start < when.start ? before.during.start : when.start,
                end: before.during.end > when.end ? before.during.end : when.end,
              },
            },
          ]
        : [...(before === undefined ? [] : [before]), { key, during: when }]
    claims.set(calendarName(key), merged)
  }
  return [...claims.values()].flat()
}
