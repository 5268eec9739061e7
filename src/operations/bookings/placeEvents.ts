// The events of a booking on the calendars that carry it: put where they should stand, and taken from where they should not.
import type { CalendarScope } from '../../adapters/calendars/calendarProvider.ts'
import type { Booking } from '../../core/booking/booking.ts'
import { placedEvent, settle } from '../../core/booking/lifecycle.ts'
import type { PlacedEvent } from '../../core/booking/placedEvent.ts'
import type { CalendarEvent } from '../../core/calendar/event.ts'
import { type Configuration, calendarName, type ParticipantCalendar } from '../../core/configuration/configuration.ts'
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

/** What calendars of our own took and gave up, and with whom others invite by themselves. */
export type Kept = EventsHere & { readonly invited: ReadonlySet<string> }

export const nothingKept: Kept = { placed: [], removed: [], invited: new Set() }

/**
 * Events as they should be once the change is carried out: placed where the booking stands, gone elsewhere. Of accounts that a
 * move leaves altogether `leave` takes them.
 */
export function place(
  tools: PlaceTools,
  where: Where,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<Kept>> {
  const event = placedEvent(booking, configuration, tools.now())
  const { placements } = booking.service
  const others = where === 'here' ? placements : placements.filter((calendar) => !isLeft(booking, calendar))
  return put(tools, where, scope, event, settle(booking), others)
}

/**
 * The last step of a move that nothing stands against any more: the account that it leaves may tell the guests that the
 * meeting is off.
 */
export function leave(
  tools: Pick<Tools, 'providers'>,
  scope: CalendarScope,
  booking: Booking,
): Promise<Result<unknown>> {
  const left = booking.service.placements.filter((calendar) => isLeft(booking, calendar))
  return put(tools, 'elsewhere', scope, undefined, booking, left)
}

/** Two calendars of one account are written together: it may keep an event of one name but once. */
function isLeft(booking: Booking, { key }: ParticipantCalendar): boolean {
  return (
    booking.change?.kind === 'reschedule' &&
    booking.change.service.placements.every((target) => target.key.grantId !== key.grantId)
  )
}

/** Events as they were before the change began. On calendars of our own nothing stands before a change that can be undone is settled. */
export async function undo(
  tools: PlaceTools,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
): Promise<Result<unknown>> {
  const { change } = booking
  if (change?.kind === 'create') return put(tools, 'elsewhere', scope, undefined, booking, booking.service.placements)
  if (change?.kind !== 'reschedule') return success(undefined)
  const before: Booking = { ...booking, change: undefined }
  const event = placedEvent(before, configuration, tools.now())
  return put(tools, 'elsewhere', scope, event, before, change.service.placements)
}

/** The events of a settled booking as they should be, and gone from `others`. */
export function placeAgain(
  tools: PlaceTools,
  scope: CalendarScope,
  booking: Booking,
  configuration: Configuration,
  others: readonly ParticipantCalendar[],
): Promise<Result<unknown>> {
  return put(tools, 'elsewhere', scope, placedEvent(booking, configuration, tools.now()), booking, others)
}

/** `event` on the calendars of `booking`, and gone from the others that it may stand on; undefined: on none. */
async function put(
  tools: Pick<Tools, 'providers'>,
  where: Where,
  scope: CalendarScope,
  event: PlacedEvent | undefined,
  { service, eventId }: Booking,
  others: readonly ParticipantCalendar[],
): Promise<Result<Kept>> {
  const isThere = (calendar: ParticipantCalendar) => isHere(tools, calendar) === (where === 'here')
  const wanted = event === undefined ? [] : service.placements.filter(isThere)
  const stray = new Map(others.filter(isThere).map((calendar) => [calendarName(calendar.key), calendar]))
  for (const { key } of wanted) stray.delete(calendarName(key))
  const removals = [...stray.values()].map((calendar) => ({
    key: calendar.key,
    step: providerOf(tools, calendar)?.remove(scope, calendar.key, eventId),
  }))
  const placements = wanted.map((calendar) => ({
    step: event === undefined ? undefined : providerOf(tools, calendar)?.place(scope, calendar.key, event),
  }))
  const done = allDone(await Promise.all([...removals, ...placements].map(({ step }) => step)))
  if (!done.ok) return done
  const kept = { placed: [] as CalendarEvent[], removed: [] as RemovedEvent[], invited: new Set<string>() }
  for (const { step, key } of removals) {
    const removed = await step
    if (where === 'here' && removed?.ok && removed.value === true) kept.removed.push({ id: eventId, ...key })
  }
  for (const { step } of placements) {
    const placed = await step
    if (placed?.ok && placed.value.event !== undefined) kept.placed.push(placed.value.event)
    if (placed?.ok) for (const email of placed.value.invited) kept.invited.add(email)
  }
  return success(kept)
}

/** On which calendars the events of a booking stand, or will: with its change, and without. */
export function calendarsOf(booking: Booking): readonly ParticipantCalendar[] {
  return [...booking.service.placements, ...settle(booking).service.placements]
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
