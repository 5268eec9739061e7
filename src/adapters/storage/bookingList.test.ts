/** A list of bookings reads what its grant has, and holds what asking every booking would find. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts'
import type { Booking } from '../../core/booking/booking.ts'
import type { AppId, BookingId, CalendarId, ConfigurationId, GrantId } from '../../core/ids.ts'
import { instant } from '../../core/time/instant.ts'
import { insertApplication } from './accounts.ts'
import { type BookingFilter, listBookings } from './bookingList.ts'
import { bookingRows, findBooking, updateBooking } from './bookings.ts'
import { Database } from './database/database.ts'
import { eventIdOf, newBookingId, newConfigurationId, newId, newSalt } from './database/ids.ts'
import { sql, together } from './database/sql.ts'
import { hostedRows } from './hostedBookings.ts'
import { boundedReadsRows } from './migrations/m0026BoundedReads.ts'
import { serverRole } from './migrations/migrations.ts'

let test: TestDatabase
let database: Database
let appId: AppId
let configurations: { readonly id: ConfigurationId; readonly owner: GrantId }[]
const grants = Array.from({ length: 5 }, () => newId() as GrantId)
const begun = Date.UTC(2026, 0, 5)

beforeAll(async () => {
  test = await createTestDatabase()
  database = new Database({ connection: { ...test.connection, user: serverRole }, poolSize: 2, role: serverRole })
  const application = await insertApplication(database, 'one')
  appId = application.id
  configurations = Array.from({ length: 9 }, (_, index) => ({
    id: newConfigurationId(application.code),
    owner: grants[index % 4] as GrantId,
  }))
  await database.transaction(appId, async (transaction) => {
    for (const { id, owner } of configurations)
      await transaction.query(sql`
        insert into openslot.configurations (app_id, id, grant_id, document) values (${appId}, ${id}, ${owner}, '{}')`)
  })
})
afterAll(async () => {
  await database.close()
  await test.drop()
})

/** The same numbers in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

function placementsOn(roll: (sides: number) => number, owner: GrantId) {
  const hosts = roll(3) === 0 ? [owner] : grants.filter(() => roll(3) === 0)
  return (hosts.length === 0 ? [owner] : hosts).map((grantId) => ({
    key: { grantId, calendarId: 'primary' as CalendarId },
    provider: 'virtual-calendar' as const,
  }))
}

function madeUp(roll: (sides: number) => number): { booking: Booking; owner: GrantId } {
  const { id: configurationId, owner } = configurations[roll(9)] as (typeof configurations)[number]
  const id = newBookingId(configurationId)
  const start = begun + roll(500) * 3_600_000
  // Many are made in the same millisecond.
  const createdAt = instant(begun + roll(12) * 1_000)
  const person = { email: `guest${roll(4)}@Guest.example`, name: 'Gil' }
  const host = { email: 'host@host.example', name: 'Hal' }
  const booking: Booking = {
    appId,
    id,
    configurationId,
    state: (['held', 'pending', 'booked', 'booked', 'cancelled', 'released'] as const)[roll(6)] ?? 'booked',
    cancelledBy: undefined,
    cancellationReason: '',
    direction: 'commit',
    change: undefined,
    when: { start: instant(start), end: instant(start + 1_800_000) },
    service: {
      organizer: host,
      hosts: [host],
      placements: placementsOn(roll, owner),
      assignment: { method: 'collective' },
    },
    details: {
      title: '',
      description: '',
      location: '',
      guest: person,
      additionalGuests: [],
      additionalFields: {},
      timezone: 'UTC',
      emailLanguage: 'en',
    },
    eventId: eventIdOf(id),
    invitedByCalendar: [],
    organizerSalt: newSalt(configurationId, id),
    guestSalt: newSalt(configurationId, id),
    version: 1,
    createdAt,
    updatedAt: createdAt,
  }
  return { booking, owner }
}

/** What the list is, said over all bookings of the application. */
async function listByReadingAll(
  grantId: GrantId,
  { guestEmail, status, ...filter }: BookingFilter,
): Promise<BookingId[]> {
  const rows = await database.transaction(appId, (transaction) =>
    transaction.query<{ id: BookingId }>(sql`
      select id from openslot.bookings as booking where app_id = ${appId}
        and (configuration_id in (select id from openslot.configurations where app_id = ${appId} and grant_id = ${grantId})
          or body #> '{service,placements}' @> ${JSON.stringify([{ key: { grantId } }])}::jsonb)
        and (${status ?? null}::text is null and state in ('pending', 'booked', 'cancelled') or state = ${status ?? null})
        and (${filter.configurationId ?? null}::uuid is null or configuration_id = ${filter.configurationId ?? null})
        and (${filter.eventId ?? null}::text is null or event_id = ${filter.eventId ?? null})
        and (${guestEmail ?? null}::text is null or lower(guest_email) = lower(${guestEmail ?? null}))
        and (${filter.span === undefined} or during && tstzrange(${new Date(filter.span?.start ?? 0)}, ${new Date(filter.span?.end ?? 1)}))
      order by created_at desc, id desc`),
  )
  return rows.map(({ id }) => id)
}

async function listPageByPage(grantId: GrantId, filter: BookingFilter): Promise<BookingId[]> {
  const ids: BookingId[] = []
  for (;;) {
    const after = ids.at(-1)
    const page = await database.read(appId, (transaction) => listBookings(transaction, grantId, { ...filter, after }))
    expect(page.length).toBeLessThanOrEqual(filter.limit)
    ids.push(...page.map(({ id }) => id))
    if (page.length < filter.limit) return ids
  }
}

it('holds what asking every booking would find, page by page, wherever they stand, stood, and were moved to', async () => {
  const roll = dice(26)
  const made: BookingId[] = []
  await database.transaction(appId, async (transaction) => {
    for (let count = 0; count < 300; count++) {
      const hosting = madeUp(roll)
      made.push(hosting.booking.id)
      await transaction.query(together([bookingRows(appId, [hosting.booking]), ...hostedRows(appId, [hosting])]))
    }
    for (const id of made.filter(() => roll(3) === 0)) {
      const booking = (await findBooking(transaction, id)) as Booking
      const owner = configurations.find((one) => one.id === booking.configurationId)?.owner as GrantId
      const state = roll(2) === 0 ? 'cancelled' : booking.state
      const moved = {
        ...booking,
        state,
        service: { ...booking.service, placements: placementsOn(roll, owner) },
        version: 2,
      }
      expect(await updateBooking(transaction, moved, 1)).toBe(true)
    }
  })
  const maybe = <T>(value: T): T | undefined => (roll(3) === 0 ? value : undefined)
  for (let count = 0; count < 120; count++) {
    const grantId = grants[roll(5)] as GrantId
    const start = begun + roll(500) * 3_600_000
    const filter: BookingFilter = {
      configurationId: maybe(configurations[roll(9)]?.id as ConfigurationId),
      status: maybe((['pending', 'booked', 'cancelled'] as const)[roll(3)] ?? 'booked'),
      guestEmail: maybe(`GUEST${roll(4)}@guest.example`),
      eventId: roll(12) === 0 ? eventIdOf(made[roll(300)] as BookingId) : undefined,
      span: maybe({ start: instant(start), end: instant(start + roll(200) * 3_600_000 + 1) }),
      limit: 1 + roll(25),
      after: undefined,
    }
    expect(await listPageByPage(grantId, filter)).toEqual(await listByReadingAll(grantId, filter))
  }
})

it('finds what stood there before the list kept it, for a login that row security binds as well', async () => {
  const everything = { limit: 200, after: undefined }
  const before = await listPageByPage(grants[4] as GrantId, everything)
  expect(before.length).toBeGreaterThan(10)
  const owner = new Database({ connection: test.connection, poolSize: 1 })
  try {
    await owner.pool.query('truncate openslot.hosted_bookings')
    expect(await listPageByPage(grants[4] as GrantId, everything)).toEqual([])
    await owner.pool.query(`begin; set local role ${serverRole}; ${boundedReadsRows} commit`)
    expect(await listPageByPage(grants[4] as GrantId, everything)).toEqual(before)
  } finally {
    await owner.close()
  }
})
