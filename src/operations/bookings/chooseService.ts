// Who serves a slot, decided inside the claim: under the locks, with the calendars as they are now.

import { lastAssigned } from '../../adapters/storage/bookings.ts'
import { lockCalendars } from '../../adapters/storage/calendars.ts'
import { listUnchanged, lockConfigurations } from '../../adapters/storage/configurations.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
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
import { type BusyByCalendar, slotQuestion, widened } from '../../core/configuration/slotQuestion.ts'
import type { BookingId, EventId } from '../../core/ids.ts'
import { invalidRequest, type Problem, slotUnavailable } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { dayMs, type Instant, minuteMs } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { readBusyByCalendar } from '../calendars/readBusy.ts'
import type { LoadedConfiguration } from '../configurations/loadConfiguration.ts'
import { calendarGone, changedAgain, StaleConfiguration } from '../configurations/withFreshConfiguration.ts'
import type { Tools } from '../tools.ts'

export type ServiceQuestion = {
  readonly loaded: LoadedConfiguration
  readonly when: Interval
  /** Participants whom the guest asked for; empty: whoever the configuration says. */
  readonly asked: readonly string[]
  readonly ignoring?: { readonly bookingId: BookingId; readonly eventId: EventId } | undefined
  /** Who serves the booking that is moved: they stay where nobody else was asked for; of a round robin only if free. */
  readonly present?: Pick<Service, 'organizer' | 'hosts'> | undefined
  /** Calendars beside the hosts' own that the change touches, where they are there still: where a moved booking stands now. */
  readonly alsoLocked?: readonly ParticipantCalendar[] | undefined
  /** Busy time of remote calendars, read before the transaction. */
  readonly remote: ReadonlyMap<string, readonly Interval[]>
}

/**
 * What is wrong with the question whatever the calendars say; undefined where nothing is.
 * Problems: `slotUnavailable` (the wrong length), `invalidRequest` (someone asked for who is no participant).
 */
export function findQuestionProblem({ loaded: { configuration }, when, asked }: ServiceQuestion): Problem | undefined {
  if (when.end - when.start !== configuration.durationMinutes * minuteMs)
    return {
      ...slotUnavailable,
      message: `${slotUnavailable.message}: end_time must be ${configuration.durationMinutes} minutes after start_time`,
    }
  const unknown = asked.findIndex(
    (email) => !configuration.participants.some((participant) => isSame(participant.email, email)),
  )
  return unknown < 0
    ? undefined
    : invalidRequest('is not a participant of this configuration', `participants[${unknown}].email`)
}

/** `chooseServices` of one question. Throws `StaleConfiguration`. */
export async function chooseService(
  tools: ChoiceTools,
  transaction: Transaction,
  question: ServiceQuestion,
): Promise<Result<Service>> {
  const problem = findQuestionProblem(question)
  if (problem !== undefined) return failure(problem)
  const [choice] = await chooseServices(tools, transaction, [question])
  return choice ?? failure(slotUnavailable)
}

type ChoiceTools = Pick<Tools, 'database' | 'providers' | 'now'>

/**
 * For questions that share no calendar, and no round robin: locks what they are about, calendars in their one order, reads
 * what is busy, and asks the engine for each slot. The list asked the same engine, so what it offers is accepted here
 * unless it was taken since. Answers in the order of the questions.
 * Problems: `slotUnavailable`, `calendarUnavailable`. Throws `StaleConfiguration` where a configuration was changed since it
 * was read, or a calendar of the hosts is gone.
 */
export async function chooseServices(
  tools: ChoiceTools,
  transaction: Transaction,
  questions: readonly ServiceQuestion[],
): Promise<Result<Service>[]> {
  const required = questions.flatMap(({ loaded: { calendars } }) => calendars)
  const locked = uniqueCalendars([...required, ...questions.flatMap(({ alsoLocked = [] }) => alsoLocked)])
  const takingTurns = questions.filter(({ loaded }) => isRoundRobin(loaded.configuration))
  // Sent together: each statement sees what was committed before the locks of the ones ahead of it were granted.
  const [, rows, unchanged, busy, turns] = await Promise.all([
    takingTurns.length === 0
      ? undefined
      : lockConfigurations(
          transaction,
          takingTurns.map(({ loaded }) => loaded.configuration.id),
        ),
    lockCalendars(
      transaction,
      locked.map(({ key }) => key),
    ),
    listUnchanged(
      transaction,
      questions.map(({ loaded }) => loaded.configuration),
    ),
    readBusyOfAll(tools, transaction, questions),
    Promise.all(questions.map((question) => readTurns(transaction, question))),
  ])
  const standing = new Set(rows.map(calendarName))
  if (required.some(({ key }) => !standing.has(calendarName(key)))) throw new StaleConfiguration(calendarGone)
  for (const { loaded, ignoring } of questions) {
    const state = unchanged.get(loaded.configuration.id)
    // A booking outlives its configuration, and can still be moved.
    if (state === undefined || (state === 'deleted' && ignoring === undefined))
      throw new StaleConfiguration(changedAgain)
  }
  return questions.map((question, index) => {
    const known = busy[index]
    if (known?.ok !== true) {
      // Only the one whose calendar it is shall hear of it.
      if (questions.length > 1) throw new Error('a calendar of one of several bookings cannot be read')
      return known ?? failure(slotUnavailable)
    }
    return decide(tools, question, known.value, turns[index])
  })
}

/** Spans this close to each other are read as one. */
const sharedSpanMs = 7 * dayMs

/** Busy time for each question, in as few readings as their spans allow. */
async function readBusyOfAll(
  tools: ChoiceTools,
  transaction: Transaction,
  questions: readonly ServiceQuestion[],
): Promise<Result<BusyByCalendar>[]> {
  const readings: { span: Interval; readonly members: ServiceQuestion[] }[] = []
  const readingOf = new Map<ServiceQuestion, Promise<Result<BusyByCalendar>>>()
  for (const question of questions.toSorted((a, b) => a.when.start - b.when.start)) {
    const { start, end } = widened(question.when, question.loaded.configuration)
    const last = readings.at(-1)
    if (last !== undefined && end - last.span.start <= sharedSpanMs && start >= last.span.start) {
      last.span = { start: last.span.start, end: last.span.end > end ? last.span.end : end }
      last.members.push(question)
    } else readings.push({ span: { start, end }, members: [question] })
  }
  for (const { span, members } of readings) {
    const reading = readBusyByCalendar(tools, {
      appId: transaction.appId,
      calendars: members.flatMap(({ loaded }) => loaded.calendars),
      span,
      ignoring: members[0]?.ignoring,
      transaction,
      known: new Map(members.flatMap(({ remote }) => [...remote])),
    })
    for (const member of members) readingOf.set(member, reading)
  }
  return Promise.all(questions.map((question) => readingOf.get(question) as Promise<Result<BusyByCalendar>>))
}

/** Of a round robin, when each host was last given a booking. */
function readTurns(
  transaction: Transaction,
  { loaded: { configuration, hosts }, ignoring }: ServiceQuestion,
): Promise<Map<string, Instant>> | undefined {
  if (!isRoundRobin(configuration)) return undefined
  const emails = hosts.map(({ participant }) => participant.email)
  return lastAssigned(transaction, configuration.id, emails, ignoring?.bookingId)
}

function decide(
  tools: ChoiceTools,
  { loaded: { configuration, hosts, calendars }, when, asked, present }: ServiceQuestion,
  busy: BusyByCalendar,
  turns: ReadonlyMap<string, Instant> | undefined,
): Result<Service> {
  const order =
    turns === undefined
      ? undefined
      : queue(hosts.map(({ participant: { email } }) => ({ email, ...lastBooked(turns.get(email)) })))
  const known = { busy, order, now: tools.now() }
  const serve = (candidates: readonly Host[]) => findSlot(configuration, candidates, known, when)
  if (!isRoundRobin(configuration)) {
    const wanted = asked.length > 0 ? asked : (present?.hosts.map(({ email }) => email) ?? [])
    return serve(hosts) === undefined
      ? failure(slotUnavailable)
      : success(withReadCalendars(tools, collective(configuration, hosts, wanted), calendars))
  }

  const named = (emails: readonly string[]) =>
    hosts.filter(({ participant }) => emails.some((email) => isSame(participant.email, email)))
  const serving = present === undefined || asked.length > 0 ? [] : named([present.organizer.email])
  const isKept = serving.length > 0 && serve(serving) !== undefined
  const slot = serve(isKept ? serving : asked.length > 0 ? named(asked) : hosts)
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
 * All who have a calendar for the event, or those `asked` of them: whom the guest named, or who serves already. The
 * organizer is always among them, and a choice that leaves no calendar is none: time that is not claimed could be booked again.
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
