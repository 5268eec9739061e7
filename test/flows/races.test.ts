/** Many clients at once for the same time: always the right number of winners, and never a fault. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { decodeReference, encodeSalt } from '../../src/core/booking/reference.ts'
import { book, makeConfiguration, makeHost, nearFuture, participant, type TestHost } from '../support/hosts.ts'
import { findFaults, readLedger } from '../support/ledger.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { type Reply, startTestServer, type TestServer } from '../support/server.ts'

let database: TestDatabase
let server: TestServer
let second: TestServer
let hostCount = 0
const start = nearFuture()
const children: ChildProcess[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  server = await startTestServer({ connection: database.connection })
  second = await startTestServer({ connection: database.connection })
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await second.close()
  await server.close()
  await database.drop()
})

const newHost = () => makeHost(server, `host${++hostCount}@host.example`)

function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

/** A guest of their own for each client. */
function guest(index: number) {
  return { body: { guest: { name: `Guest ${index}`, email: `guest${index}@guest.example` } } }
}

function winners(replies: readonly Reply[]): Reply[] {
  for (const { status, body } of replies)
    if (status !== 200)
      expect({ status, error: body.error }).toEqual({
        status: 400,
        error: { type: 'timeslot_not_available', message: 'The selected timeslot is unavailable' },
      })
  return replies.filter(({ status }) => status === 200)
}

/** Bookings, claims, events and notifications agree, and `count` bookings of the configurations' host stand. */
async function expectStanding(hosts: readonly TestHost[], count: number): Promise<void> {
  const ledger = await readLedger(server.app)
  expect(findFaults(ledger)).toEqual([])
  const own = ledger.bookings.filter(
    ({ organizer, state }) => state === 'booked' && hosts.some(({ email }) => email === organizer),
  )
  expect(own.length).toBe(count)
  for (const { id, calendars } of own) {
    expect(
      ledger.notifications.filter(({ bookingId, trigger }) => bookingId === id && trigger === 'booking.created').length,
    ).toBe(1)
    expect(ledger.claims.filter(({ bookingId }) => bookingId === id).length).toBe(calendars.length)
  }
}

describe('200 clients', () => {
  it('on one slot: one of them gets it (pitfall 2)', async () => {
    const host = await newHost()
    const id = await makeConfiguration(server, [host])
    const replies = await times(200, (index) => book(server, id, start, guest(index)))
    expect(winners(replies).length).toBe(1)
    await expectStanding([host], 1)
  })

  it('on slots that overlap, of two configurations with different durations on one calendar: one gets it (pitfall 2)', async () => {
    const host = await newHost()
    const half = await makeConfiguration(server, [host], { availability: { interval_minutes: 15 } })
    const hour = await makeConfiguration(server, [host], {
      availability: { duration_minutes: 60, interval_minutes: 15 },
    })
    // All of them take 09:30 to 09:45.
    const replies = await times(200, (index) =>
      index % 2 === 0
        ? book(server, half, start + 900 * (1 + (Math.floor(index / 2) % 2)), guest(index))
        : book(server, hour, start + 900 * (Math.floor(index / 2) % 3), { ...guest(index), minutes: 60 }),
    )
    expect(winners(replies).length).toBe(1)
    await expectStanding([host], 1)
  })

  it("through two server processes' worth of apps on one database: one gets it", async () => {
    const host = await newHost()
    const id = await makeConfiguration(server, [host])
    const replies = await times(200, (index) => book(index % 2 === 0 ? server : second, id, start, guest(index)))
    expect(winners(replies).length).toBe(1)
    await expectStanding([host], 1)
  })

  it('through two real processes: one gets each of five slots', async () => {
    const host = await newHost()
    const id = await makeConfiguration(server, [host])
    const addresses = await Promise.all([startChild(), startChild()])
    const replies = await times(200, async (index): Promise<Reply> => {
      const from = start + 1800 * (index % 5)
      const response = await fetch(`${addresses[index % 2]}/v3/scheduling/bookings?configuration_id=${id}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ start_time: from, end_time: from + 1800, ...guest(index).body }),
      })
      return { status: response.status, body: await response.json(), headers: response.headers }
    })
    expect(winners(replies).length).toBe(5)
    await expectStanding([host], 5)
  })
})

describe('a reschedule race', () => {
  const move = (to: TestServer, configuration: string, booking: string, from: number) =>
    to.request('PATCH', `/v3/scheduling/bookings/${booking}?configuration_id=${configuration}`, {
      token: null,
      body: { start_time: from, end_time: from + 1800 },
    })

  it('of 20 bookings to one slot: one moves, the others stay where they were', async () => {
    const host = await newHost()
    const id = await makeConfiguration(server, [host])
    const made = winners(await times(20, (index) => book(server, id, start + 1800 * index, guest(index))))
    expect(made.length).toBe(20)
    const target = start + 1800 * 25
    const replies = await Promise.all(
      made.map(({ body }, index) => move(index % 2 === 0 ? server : second, id, body.data.booking_id, target)),
    )
    expect(winners(replies).length).toBe(1)
    const { bookings } = await readLedger(server.app)
    const starts = bookings.filter(({ organizer }) => organizer === host.email).map((booking) => booking.start)
    expect(starts.filter((at) => at === target).length).toBe(1)
    expect(new Set(starts).size).toBe(20)
    await expectStanding([host], 20)
  })

  it('of one booking to many slots ends at one of them, with every win told', async () => {
    const host = await newHost()
    const id = await makeConfiguration(server, [host])
    const made = await book(server, id, start)
    const booking = made.body.data.booking_id
    const replies = await times(20, (index) =>
      move(index % 2 === 0 ? server : second, id, booking, start + 1800 * (index + 1)),
    )
    for (const { status } of replies) expect([200, 400]).toContain(status)
    const wins = replies.filter(({ status }) => status === 200).length
    expect(wins).toBeGreaterThan(0)
    const ledger = await readLedger(server.app)
    expect(
      ledger.notifications.filter(
        ({ bookingId, trigger }) => bookingId === booking && trigger === 'booking.rescheduled',
      ).length,
    ).toBe(wins)
    expect(ledger.events.filter(({ id: event }) => event === made.body.data.event_id).length).toBe(1)
    await expectStanding([host], 1)
  })

  it('against cancellations leaves either a moved booking or none', async () => {
    const host = await newHost()
    const id = await makeConfiguration(server, [host])
    const booking = (await book(server, id, start)).body.data.booking_id
    const replies = await times(20, (index) =>
      index % 2 === 0
        ? server.request('DELETE', `/v3/scheduling/bookings/${booking}?configuration_id=${id}`, {
            token: null,
            body: {},
          })
        : move(second, id, booking, start + 1800 * index),
    )
    for (const { status } of replies) expect([200, 400]).toContain(status)
    expect(replies.filter(({ status }, index) => status === 200 && index % 2 === 0).length).toBe(1)
    await expectStanding([host], 0)
  })
})

describe('20 parallel confirmations', () => {
  const saltOf = async (host: TestHost, booking: string) => {
    const listed = await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings`)
    const found = listed.body.data.find((item: { booking_id: string }) => item.booking_id === booking)
    return encodeSalt(decodeReference(found.organizer_booking_ref)?.salt ?? new Uint8Array())
  }
  const confirm = (to: TestServer, id: string, booking: string, salt: string) =>
    to.request('PUT', `/v3/scheduling/bookings/${booking}?configuration_id=${id}`, {
      token: null,
      body: { salt, status: 'confirmed' },
    })

  it('of one booking have one set of effects (pitfall 1)', async () => {
    const host = await newHost()
    const id = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    const booking = (await book(server, id, start)).body.data.booking_id
    const salt = await saltOf(host, booking)
    const replies = await times(20, (index) => confirm(index % 2 === 0 ? server : second, id, booking, salt))
    expect(replies.filter(({ status }) => status === 200).length).toBe(1)
    expect(replies.filter(({ status }) => status === 400).length).toBe(19)
    await expectStanding([host], 1)
  })

  it('of two bookings that overlap, because one was let in past every rule: one is confirmed, the other is a conflict (pitfall 1)', async () => {
    const host = await newHost()
    const id = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    const [one, other] = [
      (await book(server, id, start)).body.data.booking_id,
      (await book(server, id, start + 1800)).body.data.booking_id,
    ]
    const salts = [await saltOf(host, one), await saltOf(host, other)]
    // As if an override had put the second on top of the first: its time is moved and its own claim is gone.
    await server.app.database.pool.query(`delete from openslot.slot_claims where booking_id = $1`, [other])
    await server.app.database.pool.query(
      `update openslot.bookings set during = (select during from openslot.bookings where id = $1) where id = $2`,
      [one, other],
    )
    const replies = await times(20, (index) =>
      confirm(index % 4 < 2 ? server : second, id, index % 2 === 0 ? one : other, salts[index % 2] ?? ''),
    )
    expect(replies.filter(({ status }) => status === 200).length).toBe(1)
    expect(replies.filter(({ status }) => status === 400).length).toBe(19)
    const ledger = await readLedger(server.app)
    const own = ledger.bookings.filter((booking) => booking.id === one || booking.id === other)
    expect(own.filter(({ state }) => state === 'booked').length).toBe(1)
    expect(
      ledger.notifications.filter(
        ({ bookingId, trigger }) => trigger === 'booking.created' && own.some((booking) => booking.id === bookingId),
      ).length,
    ).toBe(1)
    // Put away again, so that the other tests see a sound database.
    const loser = own.find(({ state }) => state !== 'booked')?.id
    await server.app.database.pool.query(
      `delete from openslot.events where id = (select event_id from openslot.bookings where id = $1)`,
      [loser],
    )
    await server.app.database.pool.query(`delete from openslot.bookings where id = $1`, [loser])
  })
})

describe('several hosts', () => {
  it('of collective meetings with crossing participants never wait for each other for good', async () => {
    const [a, b, c] = [await newHost(), await newHost(), await newHost()]
    const configurations = await Promise.all(
      [
        [a, b],
        [b, c],
        [c, a],
        [b, a],
        [c, b],
        [a, c],
      ].map((hosts) => makeConfiguration(server, hosts)),
    )
    const replies = await times(180, (index) =>
      book(index % 2 === 0 ? server : second, configurations[index % 6] ?? '', start, guest(index)),
    )
    // Any two of the six share a host.
    expect(winners(replies).length).toBe(1)
    await expectStanding([a, b, c], 1)
  })

  it('of a round robin of 3 with 10 guests: 3 bookings on 3 hosts (pitfall 6)', async () => {
    const hosts = [await newHost(), await newHost(), await newHost()]
    const id = await makeConfiguration(server, hosts, {
      rules: { availability_method: 'max-availability' },
      participants: hosts.map(({ email }) => participant(email)),
    })
    const replies = await times(10, (index) => book(index % 2 === 0 ? server : second, id, start, guest(index)))
    const won = winners(replies)
    expect(won.length).toBe(3)
    expect(new Set(won.map(({ body }) => body.data.organizer.email)).size).toBe(3)
    await expectStanding(hosts, 3)
  })
})

async function startChild(): Promise<string> {
  const child = spawn(
    process.execPath,
    ['test/support/crashServer.ts', JSON.stringify({ connection: database.connection })],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  children.push(child)
  const [line] = await once(createInterface(child.stdout), 'line')
  return (JSON.parse(line) as { address: string }).address
}
