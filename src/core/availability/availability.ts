// The engine: which slots can be booked, and who would serve them. One pure function for the list, for the
// calendars' own question and for the check of a booking, so that what is offered and what is accepted cannot disagree.
import type { Instant } from '../time/instant.ts'
import { instant, minuteMs, plus } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import { clip, intersect, subtract, unite } from '../time/interval.ts'
import { compareEmails, fairHalf } from './assignment.ts'
import { busyIntervals } from './busy.ts'
import type { Hours } from './openHours.ts'
import { openIntervals } from './openHours.ts'
import type { Grid } from './slots.ts'
import { candidateStarts, runsThatFit } from './slots.ts'

export type { Hours, OpenHours, SpecificTime } from './openHours.ts'
export type { Grid } from './slots.ts'

/** All participants serve a slot (`collective`), or one in turn: of those booked longest ago, or of all. */
export type AvailabilityMethod = 'collective' | 'max-fairness' | 'max-availability'

/** `busy` may be unsorted and overlap itself, and comes without buffers. Each email occurs once in a question. */
export type AvailabilityParticipant = {
  readonly email: string
  readonly hours: Hours
  readonly busy: readonly Interval[]
}

/**
 * What is asked. Slots lie wholly in `window`. `busy` must be known for the window widened by the buffers.
 *
 * `order`: the round robin queue, every participant's email, next in turn first; alphabetical where it is absent.
 * `earliestStart` (notice): a slot may start at it or later. `latestStart` (horizon): a slot starts before it.
 */
export type AvailabilityQuestion = {
  readonly window: Interval
  readonly durationMinutes: number
  readonly grid: Grid
  readonly method: AvailabilityMethod
  readonly participants: readonly AvailabilityParticipant[]
  readonly bufferBeforeMinutes: number
  readonly bufferAfterMinutes: number
  readonly order?: readonly string[]
  readonly earliestStart?: Instant
  readonly latestStart?: Instant
}

/** `emails`: who would serve it, alphabetical. Neighbouring slots may share one array. */
export type Slot = { readonly start: Instant; readonly end: Instant; readonly emails: readonly string[] }

/** `slots` by start. `order`: the part of the queue that was asked, next in turn first; absent for `collective`. */
export type AvailabilityAnswer = { readonly slots: readonly Slot[]; readonly order?: readonly string[] }

/**
 * The slots of `question`. A slot is `[start, end)`: it may begin when a buffer ends, and end when open hours do.
 *
 * Under `max-fairness` the lower half of the queue is asked only where the upper half has no slot in the whole window.
 * O(days + busy) for each participant, and O(starts × participants) at most for the list itself.
 */
export function findSlots(question: AvailabilityQuestion): AvailabilityAnswer {
  const { method } = question
  const participants = question.participants.toSorted((a, b) => compareEmails(a.email, b.email))
  if (method === 'collective') return { slots: slotsServedByAll(participants, question) }

  const order = question.order ?? participants.map((participant) => participant.email)
  if (method === 'max-fairness') {
    const kept = fairHalf(order)
    const keptParticipants = participants.filter((participant) => kept.includes(participant.email))
    const slots = slotsServedByAny(keptParticipants, question)
    if (slots.length > 0) return { slots, order: kept }
  }
  return { slots: slotsServedByAny(participants, question), order }
}

/** The slots for which all of `participants` (alphabetical) are free: their free time has one intersection, which is searched once. */
function slotsServedByAll(participants: readonly AvailabilityParticipant[], question: AvailabilityQuestion): Slot[] {
  const durationMs = durationOf(question)
  if (participants.length === 0) return []
  const openOf = openEach(question.window)
  let free: readonly Interval[] = [question.window]
  for (const participant of participants)
    free = subtract(intersect(free, openOf(participant)), busyIntervals(participant.busy, question, question.window))

  const starts = candidateStarts(question.grid, clip(free, allowedStarts(question, durationMs)))
  const emails = participants.map(({ email }) => email)
  return runsThatFit(starts, free, durationMs).flatMap(({ from, to }) =>
    starts.slice(from, to).map((start) => ({ start, end: plus(start, durationMs), emails })),
  )
}

/** The slots for which one or more of `participants` (alphabetical) are free. */
function slotsServedByAny(participants: readonly AvailabilityParticipant[], question: AvailabilityQuestion): Slot[] {
  const durationMs = durationOf(question)
  if (participants.length === 0) return []
  const open = participants.map(openEach(question.window))
  // Where nobody is open no start has to be looked at.
  const starts = candidateStarts(question.grid, clip(open.reduce(unite), allowedStarts(question, durationMs)))
  const changes = changesAlong(starts, participants, open, question)
  const isFree = participants.map(() => false)
  const slots: Slot[] = []
  let emails: string[] = []
  let index = -1
  for (const start of starts) {
    index += 1
    const changed = changes[index]
    if (changed !== undefined) {
      for (const who of changed) isFree[who] = !isFree[who]
      emails = []
      for (const [who, { email }] of participants.entries()) if (isFree[who]) emails.push(email)
    }
    if (emails.length > 0) slots.push({ start, end: plus(start, durationMs), emails })
  }
  return slots
}

/** Milliseconds. */
function durationOf({ durationMinutes }: AvailabilityQuestion): number {
  const durationMs = durationMinutes * minuteMs
  if (!(durationMs > 0)) throw new RangeError('a slot needs a positive duration')
  return durationMs
}

/** The open time of each participant; those who share their hours share the work. */
function openEach(window: Interval): (participant: AvailabilityParticipant) => readonly Interval[] {
  const openByHours = new Map<Hours, Interval[]>()
  return ({ hours }) => {
    const open = openByHours.get(hours) ?? openIntervals(hours, window)
    openByHours.set(hours, open)
    return open
  }
}

/** For each of `starts` the indexes of the participants who become free there, or cease to be. */
function changesAlong(
  starts: readonly Instant[],
  participants: readonly AvailabilityParticipant[],
  open: readonly (readonly Interval[])[],
  question: AvailabilityQuestion,
): (number[] | undefined)[] {
  const durationMs = question.durationMinutes * minuteMs
  const changes: (number[] | undefined)[] = new Array(starts.length + 1).fill(undefined)
  for (const [who, { busy }] of participants.entries()) {
    const free = subtract(open[who] ?? [], busyIntervals(busy, question, question.window))
    for (const { from, to } of runsThatFit(starts, free, durationMs)) {
      addChange(changes, from, who)
      addChange(changes, to, who)
    }
  }
  return changes
}

function addChange(changes: (number[] | undefined)[], index: number, who: number): void {
  const there = changes[index]
  if (there === undefined) changes[index] = [who]
  else there.push(who)
}

/** The starts that window, notice and horizon allow, half-open. */
function allowedStarts({ window, earliestStart, latestStart }: AvailabilityQuestion, durationMs: number): Interval {
  // The last start in the window leaves exactly the duration; instants are whole milliseconds.
  const endOfWindow = plus(window.end, 1 - durationMs)
  return {
    start: instant(Math.max(window.start, earliestStart ?? window.start)),
    end: instant(Math.min(endOfWindow, latestStart ?? endOfWindow)),
  }
}
