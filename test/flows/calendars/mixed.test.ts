/** Bookings on a calendar of our own and one elsewhere: who follows the events hears of each change of ours once, whatever is cut off. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { decodeReference, encodeSalt } from '../../../src/core/booking/reference.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import { bookAt, connect, milliseconds, type RemoteHost, readBooking } from '../../support/calendars/remoteHosts.ts'
import { book, makeConfiguration, makeHost, nearFuture, participant, type TestHost } from '../../support/hosts.ts'
import { leaseIsOver } from '../../support/leases.ts'
import { findFaults, readLedger } from '../../support/ledger.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
let clockMs = 0
// No worker of its own: the tests run the recovery when they want it.
const server = await startTestServer(
  { towers: { caldav: fake.tower }, now: () => instant(Date.now() + clockMs) },
  { ROLE: 'web' },
)
const nine = nearFuture()
const noon = nine + 3 * 3_600

let count = 0
let here: TestHost
let there: RemoteHost
beforeEach(async () => {
  fake.heal()
  clockMs = 0
  count++
  here = await makeHost(server, `here${count}@host.example`)
  const username = `there${count}@host.example`
  fake.add(username, 'secret', ['work'])
  there = await connect(server, 'caldav', { username, password: 'secret' })
})

const hosts = (more: object = {}) => [
  participant(here.email, { isOrganizer: true, ...more }),
  participant(there.email, {
    availability: { calendar_ids: ['work'] },
    booking: { calendar_id: 'work' },
  }),
]
const both = (more: Parameters<typeof makeConfiguration>[2] = {}) =>
  makeConfiguration(server, [here], { participants: hosts(), ...more })
const inTurn = (participants: readonly object[] = hosts()) =>
  both({ participants, rules: { availability_method: 'max-availability' } })

const recover = async (bookingId: string) => {
  const recovered = await server.app.operations.recoverBooking({
    appId: server.clientId as AppId,
    bookingId: bookingId as BookingId,
    ...leaseIsOver,
  })
  return recovered.ok ? recovered.value : recovered.problem.message
}

/** The process dies there: nothing of it happens any more. */
const die = () => {
  throw new Error('a fault made by the test')
}
async function died(request: Promise<{ status: number }>): Promise<void> {
  const silent = vi.spyOn(server.app.logger, 'error').mockImplementation(() => {})
  expect((await request).status).toBe(500)
  silent.mockRestore()
}
const dieBeforeLookBack = () => fake.once('place', () => fake.once('freeBusy', die))

const move = (bookingId: string, to: RemoteHost | TestHost) =>
  server.request('PATCH', `/v3/scheduling/bookings/${bookingId}`, {
    body: { start_time: noon, end_time: noon + 1800, participants: [{ email: to.email }] },
  })
const cancel = (bookingId: string) =>
  server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: { cancellation_reason: 'ill' } })

/** Of the test's booking, as they were written. */
async function told(kind: 'event' | 'booking'): Promise<string[]> {
  const rows = await server.app.database.query<{ trigger: string }>(sql`
    select trigger from openslot.webhook_events
    where app_id = ${server.clientId} and grant_id = ${here.grantId} and trigger like ${`${kind}.%`} order by created_at, id`)
  return rows.map(({ trigger }) => trigger)
}
async function onHere(): Promise<number[]> {
  const { events } = await readLedger(server.app)
  return events.filter(({ calendar }) => calendar.startsWith(here.grantId)).map(({ start }) => start)
}
const onThere = () => fake.events(there.email, 'work').map(({ when }) => when)
const onlyBooking = async () => {
  const { bookings } = await readLedger(server.app)
  const [booking, ...others] = bookings.filter(({ organizer }) => [here.email, there.email].includes(organizer))
  if (booking === undefined || others.length > 0) throw new Error(`${others.length + 1} bookings`)
  return booking
}
/** Claims agree with bookings; what stands elsewhere the ledger cannot see. */
async function expectClaimsAgree(): Promise<void> {
  const faults = findFaults(await readLedger(server.app))
  const { id } = await onlyBooking()
  expect(faults.filter((fault) => fault.startsWith(id) && !fault.includes(' has events '))).toEqual([])
}

describe('a booking that moves from a calendar of ours to one elsewhere', () => {
  const made = async () => {
    const id = await bookAt(server, await inTurn(), nine, { body: { participants: [{ email: here.email }] } })
    expect([await told('event'), await onHere()]).toEqual([['event.created'], [nine]])
    return id
  }

  it('tells once that our event is gone', async () => {
    const id = await made()
    expect((await move(id, there)).status).toBe(200)
    expect(await told('event')).toEqual(['event.created', 'event.deleted'])
    expect([await onHere(), onThere()]).toEqual([[], [milliseconds(noon)]])
  })

  it('tells it when the worker finishes what a dying process began', async () => {
    const id = await made()
    dieBeforeLookBack()
    await died(move(id, there))
    expect(await recover(id)).toBe('settled')
    expect(await told('event')).toEqual(['event.created', 'event.deleted'])
    expect(await told('booking')).toEqual(['booking.created', 'booking.rescheduled'])
    expect([await onHere(), onThere()]).toEqual([[], [milliseconds(noon)]])
    await expectClaimsAgree()
  })

  it('tells it once although the worker was quicker than the request', async () => {
    const id = await made()
    fake.once('place', () => fake.once('freeBusy', async () => void (await recover(id))))
    expect((await move(id, there)).status).toBe(200)
    expect(await told('event')).toEqual(['event.created', 'event.deleted'])
    expect(await told('booking')).toEqual(['booking.created', 'booking.rescheduled'])
  })

  it('and cannot be there tells nothing, and our event has stood all the time', async () => {
    const id = await made()
    fake.once('place', () => fake.put(there.email, 'work', 'dentist', milliseconds(noon)))
    expect((await move(id, there)).status).toBe(400)
    expect(await told('event')).toEqual(['event.created'])
    expect([await onHere(), onThere()]).toEqual([[nine], [milliseconds(noon)]])
    await expectClaimsAgree()
  })
})

describe('a booking that moves to a calendar of ours, and whose process dies,', () => {
  const begin = async () => {
    const id = await bookAt(server, await inTurn(), nine, { body: { participants: [{ email: there.email }] } })
    fake.once('remove', die)
    await died(move(id, here))
    expect([await onHere(), onThere(), await told('event')]).toEqual([[], [milliseconds(nine)], []])
    return id
  }

  it('is finished by the worker, and told of once', async () => {
    const id = await begin()
    expect(await recover(id)).toBe('settled')
    expect([await onHere(), onThere()]).toEqual([[noon], []])
    expect(await told('event')).toEqual(['event.created'])
    expect(await told('booking')).toEqual(['booking.created', 'booking.rescheduled'])
    await expectClaimsAgree()
  })

  it('is left where it was when the worker comes too late', async () => {
    const id = await begin()
    clockMs = 3 * 60_000
    expect(await recover(id)).toBe('given up')
    expect([await onHere(), onThere()]).toEqual([[], [milliseconds(nine)]])
    expect([await told('event'), await told('booking')]).toEqual([[], ['booking.created']])
    await expectClaimsAgree()
  })
})

describe('a booking that moves from one account to another', () => {
  const made = async () => {
    const username = `other${count}@host.example`
    fake.add(username, 'secret', ['work'])
    const other = await connect(server, 'caldav', { username, password: 'secret' })
    const elsewhere = { availability: { calendar_ids: ['work'] }, booking: { calendar_id: 'work' } }
    const id = await bookAt(
      server,
      await inTurn([participant(there.email, elsewhere), participant(username, elsewhere)]),
      nine,
      { body: { participants: [{ email: there.email }] } },
    )
    fake.takeCalls(there.email)
    return { id, other, onOther: () => fake.events(username, 'work').map(({ when }) => when) }
  }
  /** What may make a server tell guests something. */
  const written = () => fake.takeCalls(there.email).filter((call) => call === 'place' || call === 'remove')

  it('leaves the first when it stands on the other', async () => {
    const { id, other, onOther } = await made()
    expect((await move(id, other)).status).toBe(200)
    expect([onThere(), onOther(), written()]).toEqual([[], [milliseconds(noon)], ['remove']])
  })

  it('and cannot be there has not been touched where it stands', async () => {
    const { id, other, onOther } = await made()
    fake.once('place', () => fake.put(other.email, 'work', 'dentist', milliseconds(noon)))
    expect((await move(id, other)).status).toBe(400)
    expect([onThere(), onOther()]).toEqual([[milliseconds(nine)], [milliseconds(noon)]])
    expect(written().filter((call) => call === 'remove')).toEqual([])
    await expectClaimsAgree()
  })

  it('stands where the other is away once it has left the first', async () => {
    const { id, other, onOther } = await made()
    fake.once('remove', () => fake.breakCalendar(other.email, 'work'))
    expect((await move(id, other)).status).toBe(200)
    expect([onThere(), onOther(), written()]).toEqual([[], [milliseconds(noon)], ['remove']])
  })

  it('stands where it is late once it has left the first', async () => {
    const { id, other, onOther } = await made()
    fake.once('remove', () => {
      clockMs = 30_000
    })
    expect((await move(id, other)).status).toBe(200)
    expect([onThere(), onOther(), written()]).toEqual([[], [milliseconds(noon)], ['remove']])
  })

  it('does not leave the first where it is late before', async () => {
    const { id, other, onOther } = await made()
    fake.once('place', () => {
      clockMs = 16_000
    })
    expect((await move(id, other)).status).toBe(504)
    expect([onThere(), onOther()]).toEqual([[milliseconds(nine)], []])
    expect(written()).not.toContain('remove')
  })

  it('and cannot leave the first stays there', async () => {
    const { id, other, onOther } = await made()
    fake.once('remove', 'fail')
    expect((await move(id, other)).status).toBe(504)
    expect([onThere(), onOther()]).toEqual([[milliseconds(nine)], []])
    await expectClaimsAgree()
  })

  it('has left the first where only the answer was lost', async () => {
    const { id, other, onOther } = await made()
    fake.once('remove', 'loseAnswer')
    expect((await move(id, other)).status).toBe(200)
    expect([onThere(), onOther(), written()]).toEqual([[], [milliseconds(noon)], ['remove']])
  })
})

describe('a booking on both', () => {
  const secondCalendar = async () => {
    const calendars = `/v3/grants/${here.grantId}/calendars`
    const made = await server.request('POST', calendars, { body: { name: 'Second' } })
    return { calendars, second: made.body.data.id as string }
  }

  it('whose process dies after the other calendar took it is settled however late, and told of once', async () => {
    const id = await both()
    dieBeforeLookBack()
    await died(book(server, id, nine))
    expect(await told('event')).toEqual([])
    const { id: bookingId } = await onlyBooking()
    clockMs = 3_600_000
    expect(await recover(bookingId)).toBe('settled')
    expect([await told('event'), await told('booking')]).toEqual([['event.created'], ['booking.created']])
    expect([await onHere(), onThere()]).toEqual([[nine], [milliseconds(nine)]])
    await expectClaimsAgree()
  })

  it('whose process dies is left by a run of the worker that takes too long to the next one', async () => {
    const id = await both()
    fake.once('place', die)
    await died(book(server, id, nine))
    const { id: bookingId } = await onlyBooking()
    fake.once('freeBusy', () => {
      clockMs = 26_000
    })
    expect([await recover(bookingId), onThere(), await told('booking')]).toEqual(['try again', [], []])
    expect([await recover(bookingId), onThere()]).toEqual(['settled', [milliseconds(nine)]])
    expect(await told('booking')).toEqual(['booking.created'])
    await expectClaimsAgree()
  })

  it('whose process dies and whose calendar here is deleted meanwhile is given up', async () => {
    const { calendars, second } = await secondCalendar()
    const id = await both({ participants: hosts({ booking: { calendar_id: second } }) })
    dieBeforeLookBack()
    await died(book(server, id, nine))
    const { id: bookingId } = await onlyBooking()
    expect((await server.request('DELETE', `${calendars}/${second}`)).status).toBe(200)
    expect(await recover(bookingId)).toBe('try again')
    clockMs = 3 * 60_000
    expect(await recover(bookingId)).toBe('given up')
    expect([await told('event'), await told('booking'), onThere()]).toEqual([[], [], []])
    expect((await onlyBooking()).state).toBe('released')
    await expectClaimsAgree()
  })

  it('whose calendar here is deleted after the look back is taken back elsewhere, and the guest told', async () => {
    const { calendars, second } = await secondCalendar()
    const id = await both({ participants: hosts({ booking: { calendar_id: second } }) })
    fake.once('place', () =>
      fake.once('freeBusy', async () => void (await server.request('DELETE', `${calendars}/${second}`))),
    )
    expect((await book(server, id, nine)).status).toBe(504)
    expect([await told('event'), await told('booking'), onThere()]).toEqual([[], [], []])
    expect((await onlyBooking()).state).toBe('released')
  })

  it('that is given up was never on our calendar', async () => {
    fake.once('place', () => fake.put(there.email, 'work', 'dentist', milliseconds(nine)))
    expect((await book(server, await both(), nine)).status).toBe(400)
    expect([await told('event'), await told('booking')]).toEqual([[], []])
    expect([await onHere(), onThere()]).toEqual([[], [milliseconds(nine)]])
    await expectClaimsAgree()
  })

  it.each([
    ['is away', 'fail', 'settled'],
    ['takes the event off and loses the answer', 'loseAnswer', 'nothing to do'],
  ] as const)(
    'is cancelled while the other calendar %s: ours loses its event at once, told once',
    async (_, fault, left) => {
      const id = await bookAt(server, await both(), nine)
      fake.once('remove', fault)
      expect((await cancel(id)).status).toBe(200)
      expect([await onHere(), await told('event')]).toEqual([[], ['event.created', 'event.deleted']])
      expect(await recover(id)).toBe(left)
      expect(await told('event')).toEqual(['event.created', 'event.deleted'])
      expect(await told('booking')).toEqual(['booking.created', 'booking.cancelled'])
      expect(onThere()).toEqual([])
      await expectClaimsAgree()
    },
  )

  it('whose process dies in a cancellation tells once that our event is gone', async () => {
    const id = await bookAt(server, await both(), nine)
    fake.once('remove', die)
    await died(cancel(id))
    expect(await recover(id)).toBe('settled')
    expect(await told('event')).toEqual(['event.created', 'event.deleted'])
    expect(await told('booking')).toEqual(['booking.created', 'booking.cancelled'])
    expect([await onHere(), onThere()]).toEqual([[], []])
    await expectClaimsAgree()
  })

  it('whose process dies in its confirmation tells once of the event that it became', async () => {
    const id = await both({ event: { booking_type: 'organizer-confirmation' } })
    expect((await book(server, id, nine)).body.data.status).toBe('pending')
    const { id: bookingId } = await onlyBooking()
    const listed = await server.request('GET', `/v3/grants/${here.grantId}/scheduling/bookings`)
    const salt = encodeSalt(decodeReference(listed.body.data[0].organizer_booking_ref)?.salt ?? new Uint8Array())
    fake.once('place', die)
    await died(
      server.request('PUT', `/v3/scheduling/bookings/${bookingId}?configuration_id=${id}`, {
        body: { salt, status: 'confirmed' },
      }),
    )
    expect(await recover(bookingId)).toBe('settled')
    expect(await told('event')).toEqual(['event.created', 'event.updated'])
    expect(await told('booking')).toEqual(['booking.pending', 'booking.created'])
    expect((await readBooking(server, bookingId)).status).toBe('booked')
  })

  it('is deleted by the hand of our calendar: gone at once, whatever the other one says', async () => {
    const id = await bookAt(server, await both(), nine)
    const { eventId } = await onlyBooking()
    fake.once('remove', 'fail')
    const path = `/v3/grants/${here.grantId}/events/${eventId}?calendar_id=primary`
    expect((await server.request('DELETE', path)).status).toBe(200)
    expect((await server.request('GET', path)).status).toBe(404)
    expect(await recover(id)).toBe('settled')
    expect(await told('event')).toEqual(['event.created', 'event.deleted'])
    expect(await told('booking')).toEqual(['booking.created', 'booking.cancelled'])
  })
})

describe('a booking on a calendar that invites by itself', () => {
  beforeEach(() => {
    fake.invites = () => true
  })
  afterEach(() => {
    fake.invites = () => false
  })

  it('is refused where that does not take its guests in the end, and leaves nothing', async () => {
    const id = await both()
    fake.once('place', 'fail', 1)
    expect((await book(server, id, nine)).status).toBe(504)
    expect([await onHere(), onThere(), await told('booking')]).toEqual([[], [], []])
  })

  it('whose process dies before its guests are asked is settled with them', async () => {
    const id = await both()
    fake.once('place', die, 1)
    await died(book(server, id, nine))
    const placed = () => fake.events(there.email, 'work').map((event) => event.placed?.isHeld === true)
    expect(placed()).toEqual([true])
    const { id: bookingId } = await onlyBooking()
    expect([await recover(bookingId), placed()]).toEqual(['settled', [false]])
    const [row] = await server.app.database.query<{ invited: string[] }>(sql`
      select body -> 'invitedByCalendar' as invited from openslot.bookings
      where app_id = ${server.clientId} and id = ${bookingId}::uuid`)
    expect(row?.invited).toContain('gil@guest.example')
  })
})

describe('a booking on a calendar that invites by itself and one that does not', () => {
  let plain: RemoteHost
  let id: string
  beforeEach(async () => {
    const username = `plain${count}@host.example`
    fake.add(username, 'secret', ['work'])
    plain = await connect(server, 'caldav', { username, password: 'secret' })
    const elsewhere = { availability: { calendar_ids: ['work'] }, booking: { calendar_id: 'work' } }
    id = await both({
      participants: [
        participant(there.email, { ...elsewhere, isOrganizer: true }),
        participant(plain.email, elsewhere),
      ],
    })
    fake.invites = (_, username) => username === there.email
    for (const { email } of [there, plain]) fake.takeCalls(email)
  })
  afterEach(() => {
    fake.invites = () => false
  })
  const written = ({ email }: RemoteHost) =>
    fake.takeCalls(email).filter((call) => call === 'place' || call === 'remove')

  it('is placed twice on the first alone', async () => {
    await bookAt(server, id, nine)
    expect([written(there), written(plain)]).toEqual([['place', 'place'], ['place']])
    expect(onThere()).toEqual([milliseconds(nine)])
  })

  it('stands where the other is away by the time that guests are asked', async () => {
    fake.once('place', () => fake.breakCalendar(plain.email, 'work'), 2)
    await bookAt(server, id, nine)
    expect([written(there), written(plain)]).toEqual([['place', 'place'], ['place']])
  })
})

describe('a change that takes longer than a request may', () => {
  const late = () => {
    clockMs = 16_000
  }
  const when: [string, () => void][] = [
    ['is looked for', () => fake.once('freeBusy', () => fake.once('freeBusy', late))],
    ['is placed', () => fake.once('place', late)],
  ]
  const placed = () => fake.events(there.email, 'work').map(({ when: at }) => at)

  it.each(when)('is none: nothing of a new booking stays where it is late when its time %s', async (_, begin) => {
    const id = await both()
    begin()
    const refused = await book(server, id, nine)
    expect([refused.status, refused.body.error?.message]).toEqual([504, 'The calendars did not answer in time.'])
    expect(placed()).toEqual([])
    clockMs = 0
    await bookAt(server, id, nine)
  })

  it.each(when)('is none: a booking stays at its time where it is late when the new one %s', async (_, begin) => {
    const bookingId = await bookAt(server, await both(), nine)
    begin()
    const moved = await server.request('PATCH', `/v3/scheduling/bookings/${bookingId}`, {
      body: { start_time: noon, end_time: noon + 1800 },
    })
    expect([moved.status, placed()]).toEqual([504, [milliseconds(nine)]])
  })

  it('is none where the database kept it waiting: no calendar is blamed where none was asked', async () => {
    const id = await makeConfiguration(server, [here], { event: { booking_type: 'organizer-confirmation' } })
    const { booking_id } = (await book(server, id, nine)).body.data
    const listed = await server.request('GET', `/v3/grants/${here.grantId}/scheduling/bookings`)
    const salt = encodeSalt(decodeReference(listed.body.data[0].organizer_booking_ref)?.salt ?? new Uint8Array())
    const { pool } = server.app.database
    const locker = await pool.connect()
    await locker.query('begin; lock table openslot.bookings')
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
    const said = server.request('PUT', path, { body: { salt, status: 'confirmed' } })
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await expect.poll(async () => (await pool.query(waiting)).rowCount, { interval: 20 }).toBeGreaterThan(0)
    clockMs = 23_000
    await locker.query('rollback')
    locker.release()
    const { status, body } = await said
    expect([status, body.error.message]).toEqual([503, 'The request took too long; please try again.'])
    expect((await readBooking(server, booking_id)).status).toBe('pending')
  })

  it('is none where reading calendars before had its part in it: a new booking, and a move', async () => {
    const id = await both()
    const until = (ms: number) => () => {
      clockMs = ms
    }
    const slow = () => {
      fake.once('freeBusy', until(9_000))
      fake.once('place', until(23_000))
    }
    slow()
    expect([(await book(server, id, nine)).status, placed()]).toEqual([504, []])
    clockMs = 0
    const bookingId = await bookAt(server, id, nine)
    slow()
    const body = { start_time: noon, end_time: noon + 1800 }
    const moved = await server.request('PATCH', `/v3/scheduling/bookings/${bookingId}`, { body })
    expect([moved.status, placed()]).toEqual([504, [milliseconds(nine)]])
  })

  it('and fails once its time was held is not begun anew, though its configuration was saved meanwhile', async () => {
    const id = await both()
    const path = `/v3/grants/${here.grantId}/scheduling/configurations/${id}`
    const save = async () => {
      expect((await server.request('PUT', path, { body: { name: 'Saved meanwhile' } })).status).toBe(200)
    }
    fake.once('freeBusy', save, 1)
    fake.once('place', 'fail')
    expect([(await book(server, id, nine)).status, placed()]).toEqual([504, []])
    expect((await onlyBooking()).state).toBe('released')
  })
})
