// The events of a booking on the calendars that carry it: put where they should stand, and taken from where they should not.
import type { CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import type { CalendarKey } from '../../core/account/grant.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { moveOf, placedEvent, settle } from '../../core/booking/lifecycle.ts'
import type { PlacedEvent } from '../../core/booking/placedEvent.ts'
import type { CalendarEvent } from '../../core/calendar/event.ts'
import { type Configuration, calendarName, type ParticipantCalendar } from '../../core/configuration/configuration.ts'
import { accountGone, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { RemovedEvent } from '../../wire/eventAnswers.ts'
import type { Tools } from '../tools.ts'
import type { EventsHere } from './whatFollows.ts'

/**
 * `here`: calendars of our own, written in the one transaction that tells of it, so that nobody hears twice or never.
 * `elsewhere`: all others, outside of every transaction, as often as it takes.
 */
export type Where = 'here' | 'elsewhere'

type PlaceTools = Pick<Tools, 'providers' | 'now'>

/** What calendars of our own took and gave up, whom others have invited by themselves, and which of them invite more later. */
export type Kept = EventsHere & {
  readonly invited: ReadonlySet<string>
  readonly inviteLater: readonly ParticipantCalendar[]
}

export const nothingKept: Kept = { placed: [], removed: [], invited: new Set(), inviteLater: [] }

/**
 * Events as they should be once the change is carried out: placed where the booking stands, gone elsewhere. Of accounts that a
 * move leaves altogether `leave` takes them. Where it stood already, and the account was taken away since, there is nothing to
 * place; what it shall stand on anew must take it. `held`: it may still be given up.
 */
export function place(
  tools: PlaceTools,
  where: Where,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
  how: 'held' | 'toStay',
): Promise<Result<Kept>> {
  const placed = placedEvent(booking, configuration, tools.now())
  const event = placed && how === 'held' ? { ...placed, isHeld: true } : placed
  const others =
    where === 'here'
      ? booking.service.placements
      : calendarsOf(booking).filter((calendar) => !isLeft(booking, calendar))
  return put(tools, where, scope, settle(booking), { event, others, passesOver: isNothingWanted(booking) })
}

/**
 * Once more, and now with its guests, where calendars invite later than they were asked to hold it: all others have the event
 * as it stays. Answers whom they have invited, all together.
 */
export async function placeWithGuests(
  tools: PlaceTools,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
  held: Kept,
): Promise<Result<Kept>> {
  if (held.inviteLater.length === 0) return success(held)
  const settled = settle(booking)
  const those = { ...settled, service: { ...settled.service, placements: held.inviteLater } }
  const event = placedEvent(booking, configuration, tools.now())
  const wanted = { event, others: [], passesOver: isNothingWanted(booking) }
  const placed = await put(tools, 'elsewhere', scope, those, wanted)
  return placed.ok ? success({ ...placed.value, invited: held.invited.union(placed.value.invited) }) : placed
}

/** Of a calendar that the booking leaves, or has stood on already, whose account was taken away since. */
function isNothingWanted({ service, change }: Booking): Wanted['passesOver'] {
  const stood = new Set(change?.kind === 'create' ? [] : service.placements.map(({ key }) => calendarName(key)))
  return ({ key }, problem) => problem === accountGone && (change?.kind === 'cancel' || stood.has(calendarName(key)))
}

/**
 * Whether each calendar elsewhere that carries the booking answers, but for `asked`; of one whose account is gone nothing is
 * wanted. What can be undone only by telling guests again is not begun where one of several will not take it.
 */
export async function askCalendars(
  tools: Pick<Tools, 'providers'>,
  scope: CalendarScope,
  booking: Booking,
  asked?: CalendarKey,
): Promise<Result<void>> {
  const others = booking.service.placements.filter(
    (calendar) =>
      !isHere(tools, calendar) && (asked === undefined || calendarName(calendar.key) !== calendarName(asked)),
  )
  const answers = others.map((calendar) => providerOf(tools, calendar)?.find(scope, calendar.key, booking.eventId))
  for (const answer of await Promise.all(answers)) if (answer?.ok === false) return answer
  return success(undefined)
}

/**
 * The last step of a move that nothing stands against any more: the account that it leaves may tell the guests that the
 * meeting is off. One that refuses the password keeps its event until it is connected again; then it is found left over.
 * The calendar that it leaves may be the one that it is moved to, seen through two grants: what shows there at the new time
 * is the event itself, and stays; at the same time nobody can tell, and what is missing then is placed anew. Where the
 * account that it is moved to does not say whether anything is missing, the move stands: the other may have told of it.
 * Problems: the event may still stand where it was, or stands nowhere.
 */
export async function leave(
  tools: PlaceTools,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<unknown>> {
  const left = booking.service.placements.filter((calendar) => isLeft(booking, calendar) && !isHere(tools, calendar))
  const { when } = settle(booking)
  const stray: ParticipantCalendar[] = []
  for (const calendar of left) {
    const there = await providerOf(tools, calendar)?.find(scope, calendar.key, booking.eventId)
    const isMoved = there?.ok && there.value?.start === when.start && booking.when.start !== when.start
    if (!isMoved) stray.push(calendar)
  }
  if (stray.length === 0) return success(undefined)
  const wanted = { event: undefined, others: stray, passesOver: isOutOfReach }
  const gone = await put(tools, 'elsewhere', scope, booking, wanted)
  return gone.ok ? placeMissing(tools, scope, booking, configuration) : gone
}

async function placeMissing(
  tools: PlaceTools,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<unknown>> {
  const event = placedEvent(booking, configuration, tools.now())
  const { service, eventId } = settle(booking)
  if (event === undefined) return success(undefined)
  const steps = service.placements.map(async (calendar): Promise<Result<unknown>> => {
    const provider = isHere(tools, calendar) ? undefined : providerOf(tools, calendar)
    const found = await provider?.find(scope, calendar.key, eventId)
    if (found?.ok === true && found.value !== undefined) return found
    const placed = await provider?.place(scope, calendar.key, event)
    return placed !== undefined && found?.ok === true ? placed : success(undefined)
  })
  return allDone(await Promise.all(steps))
}

/** Two calendars of one account are written together: it may keep an event of one name but once. */
function isLeft(booking: Booking, { key }: ParticipantCalendar): boolean {
  return (
    booking.change?.kind === 'reschedule' &&
    booking.change.service.placements.every((target) => target.key.grantId !== key.grantId)
  )
}

/**
 * Events as they were before the change began. On calendars of our own nothing stands before a change that can be undone is settled.
 * An account that is gone, or refuses the password, can be waited for for ever: what may stand there is found left over once
 * it is connected again.
 */
export async function undo(
  tools: PlaceTools,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<unknown>> {
  const { change } = booking
  if (change?.kind === 'create')
    return put(tools, 'elsewhere', scope, booking, {
      event: undefined,
      others: booking.service.placements,
      passesOver: isOutOfReach,
    })
  if (change?.kind !== 'reschedule' && change?.kind !== 'confirm') return success(undefined)
  const before: Booking = { ...booking, change: undefined }
  const event = placedEvent(before, configuration, tools.now())
  return put(tools, 'elsewhere', scope, before, { event, others: calendarsOf(booking), passesOver: isOutOfReach })
}

/** The events of a settled booking as they should be, and gone from `others`. */
export function placeAgain(
  tools: PlaceTools,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
  others: readonly ParticipantCalendar[],
): Promise<Result<unknown>> {
  return put(tools, 'elsewhere', scope, booking, {
    event: placedEvent(booking, configuration, tools.now()),
    others,
    passesOver: (_, problem) => problem === accountGone,
  })
}

function isOutOfReach(_: ParticipantCalendar, problem: Problem): boolean {
  return problem === accountGone || problem.kind === 'grantExpired'
}

type Wanted = {
  /** Undefined: nowhere. */
  readonly event: PlacedEvent | undefined
  /** On which it may stand beside those of the booking, and shall not. */
  readonly others: readonly ParticipantCalendar[]
  /** Whether a calendar that answers so is left as it is. */
  readonly passesOver: (calendar: ParticipantCalendar, problem: Problem) => boolean
}

type Step = { readonly calendar: ParticipantCalendar; readonly step: Promise<Result<unknown>> | undefined }

/** The event gone from the others, and then on the calendars of `booking`. */
async function put(
  tools: Pick<Tools, 'providers'>,
  where: Where,
  scope: CalendarScope,
  { service, eventId }: Booking,
  { event, others, passesOver }: Wanted,
): Promise<Result<Kept>> {
  const isThere = (calendar: ParticipantCalendar) => isHere(tools, calendar) === (where === 'here')
  const wanted = event === undefined ? [] : service.placements.filter(isThere)
  const stray = new Map(others.filter(isThere).map((calendar) => [calendarName(calendar.key), calendar]))
  for (const { key } of wanted) stray.delete(calendarName(key))
  const removals = [...stray.values()].map((calendar) => ({
    calendar,
    step: providerOf(tools, calendar)?.remove(scope, calendar.key, eventId),
  }))
  const end = async (steps: readonly Step[]) =>
    allDone(
      await Promise.all(
        steps.map(async ({ calendar, step }) => {
          const answer = await step
          return answer?.ok === false && passesOver(calendar, answer.problem) ? success(undefined) : answer
        }),
      ),
    )
  // First: both may be the same calendar, seen through two grants, or an account that keeps an event of one name but once.
  const removed = await end(removals)
  if (!removed.ok) return removed
  const placements = wanted.map((calendar) => ({
    calendar,
    step: event === undefined ? undefined : providerOf(tools, calendar)?.place(scope, calendar.key, event),
  }))
  const done = await end(placements)
  if (!done.ok) return done
  const kept = {
    placed: [] as CalendarEvent[],
    removed: [] as RemovedEvent[],
    invited: new Set<string>(),
    inviteLater: [] as ParticipantCalendar[],
  }
  for (const { step, calendar } of removals) {
    const taken = await step
    if (where === 'here' && taken?.ok && taken.value === true) kept.removed.push({ id: eventId, ...calendar.key })
  }
  for (const { step, calendar } of placements) {
    const placed = await step
    if (placed?.ok && placed.value.event !== undefined) kept.placed.push(placed.value.event)
    if (placed?.ok) for (const email of placed.value.invited) kept.invited.add(email)
    if (placed?.ok && placed.value.invitesLater === true) kept.inviteLater.push(calendar)
  }
  return success(kept)
}

/** On which calendars the events of a booking stand, or may: without its change, and with it. */
export function calendarsOf(booking: Booking): readonly ParticipantCalendar[] {
  return [...booking.service.placements, ...(moveOf(booking)?.service.placements ?? [])]
}

/** Whether it is a calendar of our own. */
export function isHere(tools: Pick<Tools, 'providers'>, calendar: ParticipantCalendar): boolean {
  return providerOf(tools, calendar)?.isLocal === true
}

export function providerOf({ providers }: Pick<Tools, 'providers'>, { provider }: ParticipantCalendar) {
  return providers(provider)
}

function allDone(steps: readonly (Result<unknown> | undefined)[]): Result<void> {
  for (const step of steps) {
    if (step === undefined)
      return failure({
        kind: 'calendarUnavailable',
        message: 'a calendar of this booking cannot be reached by this server yet',
      })
    if (!step.ok) return step
  }
  return success(undefined)
}
