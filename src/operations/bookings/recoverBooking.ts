// Finishes, or takes back, a change that a crash or a silent provider cut off. Run by the worker; safe to repeat.
import {
  findBooking,
  isLeased,
  lockBooking,
  scheduleNextRecovery,
  scheduleRecovery,
} from '../../adapters/storage/bookings.ts'
import { findCalendar } from '../../adapters/storage/calendars.ts'
import { worker } from '../../core/account/principal.ts'
import { type Booking, canBeGivenUp } from '../../core/booking/booking.ts'
import { calendarName, type ParticipantCalendar } from '../../core/configuration/configuration.ts'
import type { AppId, BookingId } from '../../core/ids.ts'
import { slotTaken } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { type Instant, minuteMs } from '../../core/time/instant.ts'
import { findKnownConfiguration } from '../configurations/loadConfiguration.ts'
import { stillRunning } from '../once.ts'
import { endOfRun, scopeUntil } from '../patience.ts'
import type { Tools } from '../tools.ts'
import { finish } from './carryThrough.ts'
import { giveUp } from './giveUp.ts'
import { askCalendars, isHere } from './placeEvents.ts'

/** Older than this, a hold without an event is given up: the guest has long seen an error. */
const staleMs = 2 * minuteMs

export type Recovery = 'nothing to do' | 'settled' | 'given up' | 'try again'

export type RecoverBookingCommand = {
  readonly appId: AppId
  readonly bookingId: BookingId
  /** Runs before this one; the wait for the next doubles with each, up to an hour. */
  readonly tries?: number
  /** Of the job that runs: who has a later lease has taken the booking over since. Absent: no lease may be running. */
  readonly leasedUntil?: string | undefined
}

/**
 * Commit: looks for the event under the booking's id. Standing, it is settled; missing and young, it is placed again;
 * missing and old, or marked to be undone, the change is given up. While a calendar does not answer, everything stays as it
 * is, and what a run has no time for is for the next one. `try again` asks the worker for another run. Whoever is at it is left
 * alone: two that write to one calendar undo each other's work.
 */
export async function recoverBooking(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>,
  command: RecoverBookingCommand,
): Promise<Result<Recovery>> {
  const { appId, bookingId, tries = 0, leasedUntil } = command
  const until = endOfRun(tools.now())
  const booking = await tools.database.transaction(appId, async (transaction) => {
    const found = await lockBooking(transaction, bookingId)
    if (found?.change === undefined) return undefined
    if (await isLeased(transaction, bookingId, leasedUntil)) return undefined
    // The queue would give the job of a process that dies over it to nobody for hours.
    await scheduleRecovery(transaction, bookingId, tries + 1)
    return found
  })
  if (booking === undefined) return success('nothing to do')
  const known = await findKnownConfiguration(tools, appId, booking.configurationId, 'evenDeleted')
  if (!known.ok) return known
  // Nobody waits: a calendar that does not answer now is asked again, and the time stays claimed until it does.
  const { configuration } = known.value
  const context = { configuration, actor: worker, whenUnanswered: 'stayHeld', until } as const

  if (booking.direction === 'abort' || (await isHopeless(tools, booking, until))) {
    await giveUp(tools, booking, { ...context, handsOffAt: until }, slotTaken)
    return afterwards(tools, command, tries, 'given up')
  }
  const finished = await finish(tools, booking, context)
  return afterwards(tools, command, tries, finished.ok ? 'settled' : 'given up')
}

/**
 * The booking as an earlier try of the same request left it, once what was cut off there is finished or taken back;
 * undefined where it never came to be. A cancellation stands, whoever removes its events. Problems: `idempotencyInProgress`, where
 * the worker, or another request, is at it.
 */
export async function finishEarlierTry(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>,
  which: { readonly appId: AppId; readonly bookingId: BookingId },
): Promise<Result<Booking | undefined>> {
  const find = () => tools.database.read(which.appId, (transaction) => findBooking(transaction, which.bookingId))
  const found = await find()
  if (found === undefined || !canBeGivenUp(found)) return success(found)
  const recovered = await recoverBooking(tools, which)
  const left = await find()
  const isAnothers = recovered.ok && recovered.value === 'nothing to do' && left !== undefined && canBeGivenUp(left)
  return isAnothers ? failure(stillRunning) : success(left)
}

/**
 * A request whose time has come unconfirmed, or a calendar of which refuses the password; or a new booking or a move that is
 * old, and no event stands at the new time, or none will: on an account that is gone, or refuses the password. On calendars of
 * our own none does before all is settled; where the booking stood and the account is gone since, none is missing.
 */
async function isHopeless(
  tools: Pick<Tools, 'providers' | 'now'> & Pick<Tools, 'database'>,
  booking: NonNullable<Awaited<ReturnType<typeof lockBooking>>>,
  until: Instant,
): Promise<boolean> {
  if (booking.change?.kind === 'cancel') return false
  const { appId, eventId, change } = booking
  const scope = scopeUntil(tools, appId, until)
  if (change?.kind === 'confirm') {
    const asked = await askCalendars(tools, scope, booking)
    return tools.now() >= booking.when.start || (!asked.ok && asked.problem.kind === 'grantExpired')
  }
  if (tools.now() - booking.updatedAt < staleMs) return false
  const target = change?.kind === 'reschedule' ? change : booking
  const stood = new Set(target === booking ? [] : booking.service.placements.map(({ key }) => calendarName(key)))
  const { here = [], elsewhere = [] } = Object.groupBy(target.service.placements, (calendar) =>
    isHere(tools, calendar) ? 'here' : 'elsewhere',
  )
  if (elsewhere.length === 0) return true
  const isGone = async ({ key }: ParticipantCalendar) => (await findCalendar(tools.database, appId, key)) === undefined
  for (const calendar of here) if (await isGone(calendar)) return true
  for (const calendar of elsewhere) {
    if (stood.has(calendarName(calendar.key)) && (await isGone(calendar))) continue
    const found = await tools.providers(calendar.provider)?.find(scope, calendar.key, eventId)
    if (found?.ok === false && found.problem.kind === 'grantExpired') return true
    // Not readable is not gone: look again later.
    if (found === undefined || !found.ok) return false
    if (found.value === undefined || found.value.start !== target.when.start) return true
  }
  return false
}

/** Whoever began another change meanwhile, or called the booking off, has set its next run, and when it must not be sooner. */
async function afterwards(
  tools: Pick<Tools, 'database'>,
  { appId, bookingId }: RecoverBookingCommand,
  tries: number,
  outcome: Recovery,
): Promise<Result<Recovery>> {
  return tools.database.transaction(appId, async (transaction) => {
    const booking = await lockBooking(transaction, bookingId)
    if (booking?.change === undefined) return success(outcome)
    await scheduleNextRecovery(transaction, bookingId, tries + 1)
    return success('try again')
  })
}
