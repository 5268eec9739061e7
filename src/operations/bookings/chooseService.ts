// Who serves a slot, decided inside the claim: under the locks, with the calendars as they are now.

import { lastAssigned } from '../../adapters/storage/bookings.ts'
import { lockCalendars } from '../../adapters/storage/calendars.ts'
import { lockConfiguration } from '../../adapters/storage/configurations.ts'
import type { Transaction } from '../../adapters/storage/database.ts'
import { chooseParticipant, queue } from '../../core/availability/assignment.ts'
import { findSlots, type Slot } from '../../core/availability/availability.ts'
import type { Assignment, Person, Service } from '../../core/booking/booking.ts'
import {
  type Configuration,
  calendarName,
  calendarsOf,
  type Host,
  isRoundRobin,
  type ParticipantCalendar,
} from '../../core/configuration/configuration.ts'
import { slotQuestion, widened } from '../../core/configuration/slotQuestion.ts'
import type { BookingId, EventId } from '../../core/ids.ts'
import { invalidRequest, slotUnavailable } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { type Instant, minuteMs } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { readBusyByCalendar } from '../calendars/readBusy.ts'
import type { LoadedConfiguration } from '../configurations/loadConfiguration.ts'
import { StaleConfiguration } from '../configurations/withFreshConfiguration.ts'
import type { Tools } from '../tools.ts'

export type ServiceQuestion = {
  readonly when: Interval
  /** Participants whom the guest asked for; empty: whoever the configuration says. */
  readonly asked: readonly string[]
  readonly ignoring?: { readonly bookingId: BookingId; readonly eventId: EventId } | undefined
  /** Who serves the booking that is moved: stays, if free and nobody else was asked for. */
  readonly present?: string | undefined
  /** Calendars beside the hosts' own that the change touches: where a moved booking stands now. */
  readonly alsoLocked?: readonly ParticipantCalendar[] | undefined
  /** Busy time of remote calendars, read before the transaction. */
  readonly remote: ReadonlyMap<string, readonly Interval[]>
}

/**
 * Locks the configuration (round robin only), then all calendars in their one order, reads what is busy, and asks the
 * engine for this one slot. The list asked the same engine, so what it offers is accepted here unless it was taken since.
 * Problems: `slotUnavailable`, `calendarUnavailable`, `invalidRequest` (someone asked for who is no participant).
 */
export async function chooseService(
  tools: Pick<Tools, 'database' | 'providers' | 'now'>,
  transaction: Transaction,
  loaded: LoadedConfiguration,
  { when, asked, ignoring, present, alsoLocked = [], remote }: ServiceQuestion,
): Promise<Result<Service>> {
  const { configuration, hosts, calendars } = loaded
  const { appId } = configuration
  const isWrongLength = when.end - when.start !== configuration.durationMinutes * minuteMs
  if (isWrongLength)
    return failure({
      ...slotUnavailable,
      message: `${slotUnavailable.message}: end_time must be ${configuration.durationMinutes} minutes after start_time`,
    })
  const unknown = asked.findIndex(
    (email) => !configuration.participants.some((participant) => isSame(participant.email, email)),
  )
  if (unknown >= 0)
    return failure(invalidRequest('is not a participant of this configuration', `participants[${unknown}].email`))

  const locked = [
    ...new Map([...calendars, ...alsoLocked].map((calendar) => [calendarName(calendar.key), calendar])).values(),
  ]
  // Sent together: each statement sees what was committed before the locks of the ones ahead of it were granted.
  const [, rows, busy, turns] = await Promise.all([
    isRoundRobin(configuration) ? lockConfiguration(transaction, configuration.id) : undefined,
    lockCalendars(
      transaction,
      locked.map(({ key }) => key),
    ),
    readBusyByCalendar(tools, {
      appId,
      calendars,
      span: widened(when, configuration),
      ignoring,
      transaction,
      known: remote,
    }),
    isRoundRobin(configuration)
      ? lastAssigned(
          transaction,
          configuration.id,
          hosts.map(({ participant }) => participant.email),
          ignoring?.bookingId,
        )
      : undefined,
  ])
  if (rows.length < locked.length) throw new StaleConfiguration('a calendar of the configuration is gone')
  if (!busy.ok) return busy

  const order =
    turns === undefined
      ? undefined
      : queue(hosts.map(({ participant: { email } }) => ({ email, ...lastBooked(turns.get(email)) })))
  const known = { busy: busy.value, order, now: tools.now() }
  const serve = (candidates: readonly Host[]) => findSlot(configuration, candidates, known, when)
  if (!isRoundRobin(configuration))
    return serve(hosts) === undefined
      ? failure(slotUnavailable)
      : success(withReadCalendars(tools, collective(configuration, hosts, asked), calendars))

  const named = (emails: readonly string[]) =>
    hosts.filter(({ participant }) => emails.some((email) => isSame(participant.email, email)))
  const isKept = asked.length === 0 && present !== undefined && serve(named([present])) !== undefined
  const slot = serve(isKept ? named([present]) : asked.length > 0 ? named(asked) : hosts)
  const chosen = slot === undefined ? undefined : chooseParticipant(slot.emails, order ?? [])
  const host = hosts.find(({ participant }) => participant.email === chosen)
  if (slot === undefined || host === undefined || order === undefined) return failure(slotUnavailable)
  return success(
    withReadCalendars(
      tools,
      roundRobin(configuration, host, {
        method: configuration.method as 'max-fairness' | 'max-availability',
        chosen: host.participant.email,
        reason: asked.length > 0 ? 'asked' : isKept ? 'kept' : 'next',
        queue: order,
        free: slot.emails,
      }),
      calendarsOf([host]),
    ),
  )
}

/** The slot at exactly `when`, as the engine offers it with these hosts; undefined where it does not. */
function findSlot(
  configuration: Configuration,
  candidates: readonly Host[],
  known: Parameters<typeof slotQuestion>[2],
  when: Interval,
): Slot | undefined {
  const order = known.order?.filter((email) => candidates.some(({ participant }) => participant.email === email))
  const { slots } = findSlots(slotQuestion(configuration, candidates, { ...known, order }, when))
  return slots.find(({ start, end }) => start === when.start && end === when.end)
}

/**
 * All who have a calendar for the event; of these the guest may have named some. The organizer is always among them, and
 * a choice that leaves no calendar is none: time that is not claimed could be booked again.
 */
function collective(configuration: Configuration, hosts: readonly Host[], asked: readonly string[]): Service {
  const able = hosts.filter(({ bookingCalendar }) => bookingCalendar !== undefined)
  const wanted = able.filter(
    ({ participant }) => participant.isOrganizer || asked.some((email) => isSame(participant.email, email)),
  )
  const onEvent = asked.length === 0 || wanted.length === 0 ? able : wanted
  const first = onEvent.find(({ participant }) => participant.isOrganizer) ?? onEvent[0]
  const ordered = onEvent.toSorted((a, b) => Number(b === first) - Number(a === first))
  const organizer = configuration.participants.find(({ isOrganizer }) => isOrganizer) ?? first?.participant
  return {
    organizer: personOf(organizer ?? { email: '', name: '' }),
    hosts: [...ordered.map(({ participant }) => personOf(participant)), ...onlyTold(configuration)],
    placements: uniqueCalendars(
      ordered.flatMap(({ bookingCalendar }) => (bookingCalendar === undefined ? [] : [bookingCalendar])),
    ),
    assignment: { method: 'collective' },
  }
}

function roundRobin(
  configuration: Configuration,
  { participant, bookingCalendar }: Host,
  assignment: Assignment,
): Service {
  return {
    organizer: personOf(participant),
    hosts: [personOf(participant), ...onlyTold(configuration)],
    placements: bookingCalendar === undefined ? [] : [bookingCalendar],
    assignment,
  }
}

/** People with neither availability nor a calendar: they are told, and block nothing. */
function onlyTold({ participants }: Configuration): Person[] {
  return participants
    .filter(
      ({ availabilityCalendarIds, bookingCalendarId }) =>
        availabilityCalendarIds === undefined && bookingCalendarId === undefined,
    )
    .map(personOf)
}

function personOf({ email, name }: Person): Person {
  return { email, name }
}

/** Calendars beyond this server are looked at once more when the event stands, also those that do not carry it. */
function withReadCalendars(
  { providers }: Pick<Tools, 'providers'>,
  service: Service,
  calendars: readonly ParticipantCalendar[],
): Service {
  const carrying = new Set(service.placements.map(({ key }) => calendarName(key)))
  const alsoRead = calendars.filter(
    ({ key, provider }) => !carrying.has(calendarName(key)) && providers(provider)?.isLocal === false,
  )
  return alsoRead.length === 0 ? service : { ...service, alsoRead }
}

function uniqueCalendars(calendars: readonly ParticipantCalendar[]): ParticipantCalendar[] {
  return [...new Map(calendars.map((calendar) => [calendarName(calendar.key), calendar])).values()]
}

function lastBooked(at: Instant | undefined): { lastBookedAt?: Instant } {
  return at === undefined ? {} : { lastBookedAt: at }
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
