// New bookings on calendars of our own: those that come at the same time share one transaction, so that a rush costs each
// guest a part of a commit. None waits for company: who comes first goes at once, and those who come meanwhile go together.
import { bookingRows } from '../../adapters/storage/bookings.ts'
import { claimRows } from '../../adapters/storage/claims.ts'
import {
  CommitUnknown,
  type Database,
  DatabaseUnavailable,
  type OwnTransaction,
} from '../../adapters/storage/database/database.ts'
import { together } from '../../adapters/storage/database/sql.ts'
import { hostedRows } from '../../adapters/storage/hostedBookings.ts'
import type { Booking, Change, Service } from '../../core/booking/booking.ts'
import { placedEvent, settle } from '../../core/booking/lifecycle.ts'
import type { PlacedEvent } from '../../core/booking/placedEvent.ts'
import { calendarName, isRoundRobin, type ParticipantCalendar } from '../../core/configuration/configuration.ts'
import type { AppId } from '../../core/ids.ts'
import { tookTooLong } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Instant } from '../../core/time/instant.ts'
import { isOver } from '../patience.ts'
import { type ChangeContext, type ChangeTools, nowhere } from './carryThrough.ts'
import { chooseServices, findQuestionProblem, type ServiceQuestion } from './chooseService.ts'
import { claimingTime, newClaims } from './claimTime.ts'
import { providerOf } from './placeEvents.ts'
import { rowsThatFollow } from './whatFollows.ts'

type Begun = Booking & { readonly change: Change }

export type NewBooking = {
  readonly question: ServiceQuestion
  /** Once it is known who serves it. */
  readonly make: (service: Service) => Begun
  readonly context: ChangeContext
}

/** More at once would hold each other's locks longer than they save. */
const seats = 16
/** While the database writes for some, the next are made ready. */
const ridesAtOnce = 3

type Passenger = NewBooking & {
  readonly names: readonly string[]
  readonly resolve: (made: Result<Booking>) => void
  readonly reject: (error: unknown) => void
}

/** Of one application in this process; other processes are kept off by the locks of the database, as they always are. */
type Queue = { waiting: Passenger[]; readonly taken: Set<string>; rides: number }

const queues = new WeakMap<Database, Map<AppId, Queue>>()

/**
 * As `carryThrough`, for a new booking whose calendars are all our own. What goes wrong for several is tried again for each
 * alone, so that nobody loses by another's lost race.
 *
 * Problems: `slotUnavailable`, `slotTaken`, `calendarUnavailable`, `invalidRequest`; `unavailable` where the turn came too late.
 * Throws `StaleConfiguration`.
 */
export async function bookTogether(tools: ChangeTools, appId: AppId, booking: NewBooking): Promise<Result<Booking>> {
  const problem = findQuestionProblem(booking.question)
  if (problem !== undefined) return failure(problem)
  const queue = queueOf(tools.database, appId)
  const { configuration, calendars } = booking.question.loaded
  const names = calendars.map(({ key }) => calendarName(key))
  if (isRoundRobin(configuration)) names.push(configuration.id)
  return new Promise((resolve, reject) => {
    queue.waiting.push({ ...booking, names, resolve, reject })
    // Requests that arrived in one turn of the event loop are all queued before the first of them leaves.
    setImmediate(() => depart(tools, appId, queue))
  })
}

function queueOf(database: Database, appId: AppId): Queue {
  const ofDatabase = queues.get(database) ?? new Map<AppId, Queue>()
  queues.set(database, ofDatabase)
  const queue = ofDatabase.get(appId) ?? { waiting: [], taken: new Set(), rides: 0 }
  ofDatabase.set(appId, queue)
  return queue
}

function depart(tools: ChangeTools, appId: AppId, queue: Queue): void {
  while (queue.rides < ridesAtOnce) {
    const aboard = board(queue)
    if (aboard.length === 0) return
    queue.rides++
    const inTime = aboard.filter(({ context }) => !isOver(tools.now(), context.until))
    for (const passenger of aboard) if (!inTime.includes(passenger)) passenger.resolve(failure(tookTooLong))
    void ride(tools, appId, inTime).finally(() => {
      queue.rides--
      for (const name of aboard.flatMap(({ names }) => names)) queue.taken.delete(name)
      depart(tools, appId, queue)
    })
  }
}

/** In the order in which they came. Whoever wants a calendar that another has taken decides after that other. */
function board(queue: Queue): Passenger[] {
  const aboard: Passenger[] = []
  const wanted = new Set<string>()
  queue.waiting = queue.waiting.filter((passenger) => {
    const { names } = passenger
    const goes = aboard.length < seats && !names.some((name) => queue.taken.has(name) || wanted.has(name))
    for (const name of names) wanted.add(name)
    if (goes) aboard.push(passenger)
    return !goes
  })
  for (const name of aboard.flatMap(({ names }) => names)) queue.taken.add(name)
  return aboard
}

/** Never rejects: each passenger is told. */
async function ride(tools: ChangeTools, appId: AppId, aboard: readonly Passenger[]): Promise<void> {
  const [first] = aboard
  try {
    if (first !== undefined && aboard.length === 1) {
      first.resolve(await claimingTime(async () => (await settleAll(tools, appId, [first]))[0] ?? failure(nowhere)))
      return
    }
    const made = await settleAll(tools, appId, aboard)
    for (const [index, { resolve }] of aboard.entries()) resolve(made[index] ?? failure(nowhere))
  } catch (error) {
    // What may stand is not tried again, and a database that is away is not asked once for each.
    if (aboard.length > 1 && !(error instanceof CommitUnknown || error instanceof DatabaseUnavailable))
      for (const passenger of aboard) await ride(tools, appId, [passenger])
    else for (const { reject } of aboard) reject(error)
  }
}

/** All rows of the bookings, their events and what follows are one statement, with the commit. In the order given. */
async function settleAll(
  tools: ChangeTools,
  appId: AppId,
  bookings: readonly NewBooking[],
): Promise<readonly Result<Booking>[]> {
  const { outcomes } = await tools.database.transaction(appId, async (transaction) => {
    const services = await chooseServices(
      tools,
      transaction,
      bookings.map(({ question }) => question),
    )
    const made: Made[] = []
    const outcomes = bookings.map(({ make, context }, index): Result<Booking> => {
      const service = services[index] ?? failure(nowhere)
      if (!service.ok) return service
      // The locks may have been waited for.
      if (isOver(tools.now(), context.until)) return failure(tookTooLong)
      if (service.value.placements.length === 0) return failure(nowhere)
      const before = make(service.value)
      const settled = settle(before)
      made.push({ before, settled, context })
      return success(settled)
    })
    if (made.length > 0) await write(tools, transaction, made)
    return { ok: made.length > 0, outcomes }
  })
  return outcomes
}

type Made = { readonly before: Begun; readonly settled: Booking; readonly context: ChangeContext }

async function write(tools: ChangeTools, transaction: OwnTransaction, made: readonly Made[]): Promise<void> {
  const { appId } = transaction
  const now = tools.now()
  const bookings = made.map(({ settled }) => settled)
  const { statements, eventsOf } = placeNew(tools, appId, made, now)
  const changes = made.map(({ before, settled, context: { configuration, actor } }) => {
    const events = { placed: eventsOf.get(settled.eventId) ?? [], removed: [] }
    return { change: before.change, before, settled, configuration, actor, events }
  })
  const rows = [
    bookingRows(appId, bookings),
    claimRows(appId, bookings.flatMap(newClaims), 'new'),
    ...hostedRows(
      appId,
      made.map(({ settled, context }) => ({ booking: settled, owner: context.configuration.grantId })),
    ),
    ...statements,
    ...rowsThatFollow(appId, changes, { isSending: tools.mailer.isSending, now }),
  ]
  await Promise.all([
    ...made.map(({ context, settled }) => context.remember?.(transaction, settled)),
    transaction.commitWith(together(rows)),
  ])
}

/** The events of bookings that stand nowhere yet. */
function placeNew(tools: Pick<ChangeTools, 'providers'>, appId: AppId, made: readonly Made[], now: Instant) {
  const placements = made.flatMap(({ before, context: { configuration } }) => {
    const event = placedEvent(before, configuration, now)
    return event === undefined ? [] : before.service.placements.map((calendar) => ({ calendar, event }))
  })
  const families = Map.groupBy(placements, ({ calendar }) => providerOf(tools, calendar))
  const placed = [...families].map(([provider, group]) => {
    // A booking without its event would be worse than none.
    if (provider?.placeNew === undefined) throw new Error('a local calendar provider cannot place new events')
    return provider.placeNew(appId, group.map(toPlacement), now)
  })
  const eventsOf = Map.groupBy(
    placed.flatMap(({ events }) => events),
    ({ id }) => id,
  )
  return { statements: placed.map(({ statement }) => statement), eventsOf }
}

function toPlacement({ calendar, event }: { calendar: ParticipantCalendar; event: PlacedEvent }) {
  return { key: calendar.key, event }
}
