/** What a test database holds of bookings, their claims, events and notifications, and whether the four agree. */
import type { App } from '../../src/app.ts'

export type Ledger = {
  readonly bookings: readonly {
    id: string
    state: string
    direction: string
    change: { kind: string } | null
    start: number
    end: number
    organizer: string
    eventId: string
    calendars: readonly string[]
    version: number
  }[]
  readonly claims: readonly { bookingId: string; calendar: string; start: number; end: number }[]
  readonly events: readonly {
    id: string
    calendar: string
    start: number
    end: number
    title: string
    source: string | null
  }[]
  readonly notifications: readonly { bookingId: string; trigger: string; number: number }[]
}

/** Everything, oldest first; times in Unix seconds; a calendar is `grant/calendar`. */
export async function readLedger({ database }: Pick<App, 'database'>): Promise<Ledger> {
  const ask = async (text: string) => (await database.pool.query(text)).rows
  const times = `extract(epoch from lower(during))::float8 as start, extract(epoch from upper(during))::float8 as end`
  const [bookings, claims, events, notifications] = await Promise.all([
    ask(`select id, state, direction, change, ${times}, organizer_email as organizer, event_id as "eventId", version::float8 as version,
      array(select (p #>> '{key,grantId}') || '/' || (p #>> '{key,calendarId}') from jsonb_array_elements(body #> '{service,placements}') p) as calendars
      from openslot.bookings order by id`),
    ask(
      `select booking_id as "bookingId", grant_id || '/' || calendar_id as calendar, ${times} from openslot.slot_claims order by id`,
    ),
    ask(`select id, grant_id || '/' || calendar_id as calendar, ${times}, body ->> 'title' as title, metadata ->> 'source' as source
      from openslot.events order by created_at, id`),
    ask(
      `select object_id as "bookingId", trigger, number::float8 as number from openslot.webhook_events order by created_at, id`,
    ),
  ])
  return { bookings, claims, events, notifications }
}

/** Whatever is not as it must be once nothing is under way: empty when all is well. */
export function findFaults({ bookings, claims, events, notifications }: Ledger): string[] {
  const faults: string[] = []
  const ours = events.filter(({ source }) => source === 'scheduler')
  const expected = new Set<string>()
  for (const { id, state, change, start, end, eventId, calendars } of bookings) {
    if (state === 'held') faults.push(`${id} is held`)
    if (change !== null) faults.push(`${id} is in the middle of ${change.kind}`)
    const isStanding = state === 'booked' || state === 'pending'
    const wanted = isStanding ? calendars.map((calendar) => `${calendar} ${start}–${end}`).toSorted() : []
    const claimed = claims
      .filter(({ bookingId }) => bookingId === id)
      .map((claim) => `${claim.calendar} ${claim.start}–${claim.end}`)
    const placed = ours
      .filter((event) => event.id === eventId)
      .map((event) => `${event.calendar} ${event.start}–${event.end}`)
    if (claimed.toSorted().join() !== wanted.join())
      faults.push(`${id} ${state} claims ${claimed} instead of ${wanted}`)
    if (placed.toSorted().join() !== wanted.join())
      faults.push(`${id} ${state} has events ${placed} instead of ${wanted}`)
    for (const calendar of calendars) expected.add(`${calendar} ${eventId}`)
    const told = notifications.filter(({ bookingId }) => bookingId === id)
    if (isStanding && told.length === 0) faults.push(`${id} was never told of`)
    if (state === 'released' && told.length > 0) faults.push(`${id} was told of and never was`)
  }
  for (const event of ours)
    if (!expected.has(`${event.calendar} ${event.id}`)) faults.push(`event ${event.id} has no booking`)
  for (const [index, one] of claims.entries())
    for (const other of claims.slice(index + 1))
      if (one.calendar === other.calendar && one.start < other.end && other.start < one.end)
        faults.push(`${one.bookingId} and ${other.bookingId} overlap`)
  return faults
}
