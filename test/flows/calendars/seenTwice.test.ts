/** The event of a booking that is seen through another grant: its account connected again, or one calendar connected twice. */
import { beforeEach, describe, expect, it } from 'vitest'

import { eventIdOf } from '../../../src/adapters/storage/database/ids.ts'
import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { countReconciliations } from '../../../src/adapters/storage/reconciliations.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import {
  bookAt,
  configure,
  connect,
  milliseconds,
  type RemoteHost,
  readBooking,
  slotsFrom,
  sync,
} from '../../support/calendars/remoteHosts.ts'
import { book, makeConfiguration, makeHost, nearFuture, participant } from '../../support/hosts.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
// No worker polls: each test says when.
const server = await startTestServer({ towers: { caldav: fake.tower } }, { ROLE: 'web' })
const nine = nearFuture()
const half = nine + 1800
const noon = nine + 3 * 3600
const appId = server.clientId as AppId

let count = 0
let ana: RemoteHost
let ben: RemoteHost
const sign = (username: string) => connect(server, 'caldav', { username, password: 'x' })
beforeEach(async () => {
  fake.heal()
  count++
  for (const name of ['ana', 'ben']) fake.add(`${name}${count}@host.example`, 'x', ['work'])
  ana = await sign(`ana${count}@host.example`)
  ben = await sign(`ben${count}@host.example`)
})

const part = ({ email }: RemoteHost, more: object = {}) =>
  participant(email, { availability: { calendar_ids: ['work'] }, booking: { calendar_id: 'work' }, ...more })
/** Of an account that no test takes away. */
const configureFor = async (participants: readonly object[], rules: object = {}) => {
  const keeper = await makeHost(server, `keeper${count}@host.example`)
  return makeConfiguration(server, [keeper], { participants, rules })
}
const times = ({ email }: RemoteHost, calendar = 'work') =>
  fake.events(email, calendar).flatMap(({ when, placed }) => (placed === undefined ? [] : [when]))
const kept = (host: RemoteHost, bookingId: string) =>
  fake.events(host.email, 'work').find(({ id }) => id === eventIdOf(bookingId as BookingId))
const remove = async ({ grantId }: RemoteHost) =>
  expect((await server.request('DELETE', `/v3/grants/${grantId}`)).status).toBe(200)
const cancel = (bookingId: string) => server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })
const move = (bookingId: string, start: number, body: object = {}) =>
  server.request('PATCH', `/v3/scheduling/bookings/${bookingId}`, {
    body: { start_time: start, end_time: start + 1800, ...body },
  })
const outcomes = async () =>
  (await countReconciliations(server.app.database, appId)).map(({ found, outcome }) => `${found} ${outcome}`)
/** All that was told of the booking, in order. */
const told = async (bookingId: string) => {
  const rows = await server.app.database.query<{ trigger: string }>(sql`
    select trigger from openslot.webhook_events where app_id = ${appId} and object_id = ${bookingId} order by number`)
  return rows.map(({ trigger }) => trigger)
}

describe('an account that is taken away and connected again', () => {
  it('has its bookings back: their time is taken, and they move and end as before', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })])
    const bookingId = await bookAt(server, id, nine)
    await remove(ana)
    ana = await sign(ana.email)
    expect((await book(server, id, nine)).status).toBe(400)
    await sync(server, ana, 'work')
    expect(times(ana)).toEqual([milliseconds(nine)])
    expect(await outcomes()).toContain('stray reconnected')
    const [claim] = await server.app.database.query<{ grantId: string }>(sql`
      select grant_id as "grantId" from openslot.slot_claims where app_id = ${appId} and booking_id = ${bookingId}::uuid`)
    expect(claim).toEqual({ grantId: ana.grantId })
    expect(await slotsFrom(server, id, nine)).toEqual([half])
    expect((await book(server, id, nine)).status).toBe(400)
    await sync(server, ana, 'work')
    expect((await move(bookingId, half)).status).toBe(200)
    expect(times(ana)).toEqual([milliseconds(half)])
    expect((await cancel(bookingId)).status).toBe(200)
    expect([times(ana), await slotsFrom(server, id, nine)]).toEqual([[], [nine, half]])
    expect(await told(bookingId)).toEqual(['booking.created', 'booking.rescheduled', 'booking.cancelled'])
  })

  it('can be booked at once, although the hosts were known before', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })])
    const bookingId = await bookAt(server, id, nine)
    await remove(ana)
    ana = await sign(ana.email)
    expect((await move(bookingId, half)).status).toBe(200)
    expect(times(ana)).toEqual([milliseconds(half)])
    await remove(ana)
    await sign(ana.email)
    await bookAt(server, id, noon)
  })

  it('takes the words of what was decided meanwhile', async () => {
    const id = await makeConfiguration(server, [await makeHost(server, `keeper${count}@host.example`)], {
      participants: [part(ana, { isOrganizer: true })],
      event: { booking_type: 'organizer-confirmation' },
    })
    const made = await book(server, id, nine)
    expect(made.body.data.status).toBe('pending')
    const [row] = await server.app.database.query<{ salt: Buffer }>(sql`
      select organizer_salt as salt from openslot.bookings where app_id = ${appId} and id = ${made.body.data.booking_id}::uuid`)
    await remove(ana)
    const confirmed = await server.request(
      'PUT',
      `/v3/scheduling/bookings/${made.body.data.booking_id}?configuration_id=${id}`,
      { body: { salt: row?.salt.toString('base64url'), status: 'confirmed' } },
    )
    expect(confirmed.status).toBe(200)
    expect(fake.events(ana.email, 'work')).toMatchObject([{ placed: { isPending: true } }])
    ana = await sign(ana.email)
    await sync(server, ana, 'work')
    expect(fake.events(ana.email, 'work')).toMatchObject([{ placed: { isPending: false } }])
  })

  it('whose owner moved the event meanwhile is followed', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })])
    const bookingId = await bookAt(server, id, nine)
    await remove(ana)
    fake.put(ana.email, 'work', eventIdOf(bookingId as BookingId), milliseconds(noon))
    ana = await sign(ana.email)
    await sync(server, ana, 'work')
    await sync(server, ana, 'work')
    expect([times(ana), await told(bookingId)]).toEqual([
      [milliseconds(noon)],
      ['booking.created', 'booking.rescheduled'],
    ])
  })

  it('has its copy of a meeting of several put where that was moved meanwhile, and nobody hears', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true }), part(ben)])
    const bookingId = await bookAt(server, id, nine)
    for (const host of [ana, ben]) await sync(server, host, 'work')
    await remove(ben)
    fake.put(ana.email, 'work', eventIdOf(bookingId as BookingId), milliseconds(noon))
    await sync(server, ana, 'work')
    expect(await told(bookingId)).toEqual(['booking.created', 'booking.rescheduled'])
    expect(times(ben)).toEqual([milliseconds(nine)])
    ben = await sign(ben.email)
    for (const host of [ben, ana, ben]) await sync(server, host, 'work')
    expect([times(ana), times(ben)]).toEqual([[milliseconds(noon)], [milliseconds(noon)]])
    expect(await told(bookingId)).toEqual(['booking.created', 'booking.rescheduled'])
    expect(await slotsFrom(server, id, noon)).toEqual([noon + 1800])
  })

  it('under another address of its owner has its bookings back too', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })])
    const bookingId = await bookAt(server, id, nine)
    await remove(ana)
    fake.alias(ana.email, `alias${count}@host.example`)
    ana = await sign(`alias${count}@host.example`)
    await sync(server, ana, 'work')
    expect(await outcomes()).toContain('stray reconnected')
    const [claim] = await server.app.database.query<{ grantId: string }>(sql`
      select grant_id as "grantId" from openslot.slot_claims where app_id = ${appId} and booking_id = ${bookingId}::uuid`)
    expect(claim).toEqual({ grantId: ana.grantId })
    expect((await cancel(bookingId)).status).toBe(200)
    expect([times(ana), await told(bookingId)]).toEqual([[], ['booking.created', 'booking.cancelled']])
  })

  it('is not given the booking of another account whose calendar it shows', async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })])
    const bookingId = await bookAt(server, id, nine)
    await remove(ana)
    fake.share(ana.email, 'work', ben.email, 'work')
    await sync(server, ben, 'work')
    const [booking] = await server.app.database.query<{ grantId: string }>(sql`
      select body #>> '{service,placements,0,key,grantId}' as "grantId" from openslot.bookings
      where app_id = ${appId} and id = ${bookingId}::uuid`)
    expect([booking?.grantId, times(ana)]).toEqual([ana.grantId, [milliseconds(nine)]])
  })
})

describe('an account that is connected again under another address, where its calendars have other names', () => {
  const renamed = async () => {
    const id = await configureFor([part(ana, { isOrganizer: true })])
    const bookingId = await bookAt(server, id, nine)
    await sync(server, ana, 'work')
    fake.rename(ana.email, 'work', 'dav/work')
    ana = await sign(ana.email)
    return bookingId
  }
  const events = () => fake.events(ana.email, 'dav/work').map(({ when }) => when)

  it('keeps its bookings, whose time is taken, and which move and end as before', async () => {
    const bookingId = await renamed()
    for (let round = 0; round < 2; round++) await sync(server, ana, 'dav/work')
    expect([events(), await outcomes()]).toEqual([[milliseconds(nine)], expect.arrayContaining(['stray reconnected'])])
    const [claim] = await server.app.database.query<{ calendarId: string }>(sql`
      select calendar_id as "calendarId" from openslot.slot_claims where app_id = ${appId} and booking_id = ${bookingId}::uuid`)
    expect(claim).toEqual({ calendarId: 'dav/work' })
    const id = await configure(server, ana, { read: ['dav/work'], write: 'dav/work' })
    expect([await slotsFrom(server, id, nine), (await book(server, id, nine)).status]).toEqual([[half], 400])
    expect((await cancel(bookingId)).status).toBe(200)
    expect([events(), await told(bookingId)]).toEqual([[], ['booking.created', 'booking.cancelled']])
  })

  it('loses no event while its calendars cannot be listed', async () => {
    await renamed()
    fake.once('listCalendars', 'fail')
    await sync(server, ana, 'dav/work')
    expect(events()).toEqual([milliseconds(nine)])
  })
})

describe('a calendar that two grants show', () => {
  it('keeps the event of a live booking, which is busy time for both', async () => {
    fake.share(ana.email, 'work', ben.email, 'shared')
    ben = await sign(ben.email)
    const id = await configure(server, ana)
    const bookingId = await bookAt(server, id, nine)
    await sync(server, ana, 'work')
    for (let round = 0; round < 2; round++) await sync(server, ben, 'shared')
    await sync(server, ana, 'work')
    expect([times(ana), await told(bookingId)]).toEqual([[milliseconds(nine)], ['booking.created']])
    const ofBen = await configure(server, ben, { read: ['work', 'shared'], write: 'work' })
    expect(await slotsFrom(server, ofBen, nine)).toEqual([half])
    expect((await book(server, ofBen, nine)).status).toBe(400)
    expect((await cancel(bookingId)).status).toBe(200)
    await sync(server, ben, 'shared')
    expect([times(ana), await slotsFrom(server, ofBen, nine)]).toEqual([[], [nine, half]])
  })

  it('does not stand in the way of a booking that moves, seen twice by its hosts', async () => {
    fake.share(ana.email, 'work', ben.email, 'shared')
    ben = await sign(ben.email)
    const id = await configureFor(
      [part(ana, { isOrganizer: true }), part(ben, { availability: { calendar_ids: ['work', 'shared'] } })],
      {},
    )
    const bookingId = await bookAt(server, id, nine)
    for (const [host, calendar] of [
      [ana, 'work'],
      [ben, 'work'],
      [ben, 'shared'],
    ] as const)
      await sync(server, host, calendar)
    const offered = await server.request(
      'GET',
      `/v3/scheduling/availability?configuration_id=${id}&booking_id=${bookingId}&start_time=${nine}&end_time=${nine + 3600}`,
    )
    expect(offered.body.data.time_slots.map((slot: { start_time: number }) => slot.start_time)).toEqual([nine, half])
    expect((await move(bookingId, half)).status).toBe(200)
    expect([times(ana), times(ben)]).toEqual([[milliseconds(half)], [milliseconds(half)]])
  })

  it('is booked once by two guests who come at the same time, one through each', async () => {
    fake.share(ana.email, 'work', ben.email, 'shared')
    ben = await sign(ben.email)
    const [ofAna, ofBen] = [
      await configure(server, ana),
      await configure(server, ben, { read: ['shared'], write: 'shared' }),
    ]
    const other = Promise.withResolvers<number>()
    fake.once('place', async () => {
      other.resolve((await book(server, ofBen, nine)).status)
      await other.promise
    })
    const first = await book(server, ofAna, nine)
    expect([first.status, await other.promise]).toEqual([400, 200])
    expect(times(ana)).toEqual([milliseconds(nine)])
  })

  it.each([
    ['at another time', () => noon],
    ['at the same time', () => nine],
  ])('keeps the event of a booking that is handed from one to the other %s', async (_, start) => {
    fake.share(ana.email, 'work', ben.email, 'shared')
    ben = await sign(ben.email)
    const ofBen = { availability: { calendar_ids: ['work'] }, booking: { calendar_id: 'shared' } }
    const id = await configureFor([part(ana), participant(ben.email, ofBen)], {
      availability_method: 'max-availability',
    })
    const bookingId = await bookAt(server, id, nine, { body: { participants: [{ email: ana.email }] } })
    const handed = await move(bookingId, start(), { participants: [{ email: ben.email }] })
    expect([handed.status, times(ana)]).toEqual([200, [milliseconds(start())]])
    for (let round = 0; round < 2; round++) {
      await sync(server, ana, 'work')
      await sync(server, ben, 'shared')
    }
    expect([times(ana), await told(bookingId)]).toEqual([
      [milliseconds(start())],
      ['booking.created', 'booking.rescheduled'],
    ])
    expect((await book(server, await configure(server, ana), start())).status).toBe(400)
    expect((await cancel(bookingId)).status).toBe(200)
    expect(times(ana)).toEqual([])
  })

  it('whose owner deletes their copy calls the meeting off, and takes none from who serves with them', async () => {
    fake.share(ben.email, 'work', ana.email, 'shared')
    ana = await sign(ana.email)
    const id = await configureFor([part(ana, { isOrganizer: true }), part(ben)])
    const bookingId = await bookAt(server, id, nine)
    for (const calendar of ['work', 'shared']) await sync(server, ana, calendar)
    fake.takeCalls(ana.email)
    fake.delete(ana.email, 'work', eventIdOf(bookingId as BookingId))
    fake.put(ben.email, 'work', 'dentist', milliseconds(noon))
    for (const calendar of ['shared', 'work']) await sync(server, ana, calendar)
    expect(fake.takeCalls(ana.email)).not.toContain('bringBack')
    expect(await told(bookingId)).toEqual(['booking.created', 'booking.cancelled'])
    expect([times(ana), times(ben)]).toEqual([[], []])
  })
})

describe('an event that is left over on a calendar that its booking was moved off', () => {
  const movedToBen = async (start: number) => {
    const id = await configureFor([part(ana), part(ben)], { availability_method: 'max-availability' })
    const bookingId = await bookAt(server, id, nine, { body: { participants: [{ email: ana.email }] } })
    const event = kept(ana, bookingId)
    expect((await move(bookingId, start, { participants: [{ email: ben.email }] })).status).toBe(200)
    expect([times(ana), times(ben)]).toEqual([[], [milliseconds(start)]])
    fake.restore(ana.email, 'work', event)
    return bookingId
  }

  it('is removed', async () => {
    const bookingId = await movedToBen(noon)
    await sync(server, ana, 'work')
    expect([times(ana), times(ben)]).toEqual([[], [milliseconds(noon)]])
    expect((await readBooking(server, bookingId)).status).toBe('booked')
  })

  it('is removed also when its account was connected again since', async () => {
    await movedToBen(noon)
    await remove(ana)
    ana = await sign(ana.email)
    await sync(server, ana, 'work')
    expect([times(ana), times(ben)]).toEqual([[], [milliseconds(noon)]])
  })

  it('stays where it may be the one that it was moved to', async () => {
    await movedToBen(nine)
    await sync(server, ana, 'work')
    expect([times(ana), times(ben)]).toEqual([[milliseconds(nine)], [milliseconds(nine)]])
  })
})

describe('the event of a booking that was called off', () => {
  /** Ben shows Ana's calendar, on which the event of a cancelled booking came back. */
  const cameBack = async (readOnly?: 'readOnly') => {
    fake.share(ana.email, 'work', ben.email, 'shared', readOnly)
    ben = await sign(ben.email)
    const bookingId = await bookAt(server, await configure(server, ana), nine)
    const event = kept(ana, bookingId)
    expect((await cancel(bookingId)).status).toBe(200)
    fake.restore(ana.email, 'work', event)
  }
  const polled = async () => {
    fake.takeCalls(ben.email)
    await sync(server, ben, 'shared')
    return fake.takeCalls(ben.email)
  }

  it('is left alone on a calendar that may only be read', async () => {
    await cameBack('readOnly')
    for (let round = 0; round < 2; round++) expect(await polled()).toEqual(['readChanges'])
    expect(times(ana)).toEqual([milliseconds(nine)])
    await sync(server, ana, 'work')
    expect(times(ana)).toEqual([])
  })

  it('is not asked for for ever where the calendar does not let it go', async () => {
    await cameBack()
    fake.lock(ben.email, 'shared')
    for (let round = 0; round < 5; round++) expect(await polled()).toContain('remove')
    await polled()
    expect(await polled()).toEqual(['readChanges'])
    expect(await outcomes()).toEqual(expect.arrayContaining(['stray refused', 'stray leftAlone']))
  })
})
