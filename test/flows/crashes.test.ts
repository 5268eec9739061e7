/** A process that dies, a calendar that lies or is silent, at every step of a change: what recovery makes of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import type { CalendarScope } from '../../src/adapters/calendars/calendarProvider.ts'
import { insertApplication, insertKey } from '../../src/adapters/storage/accounts.ts'
import { hurryRecoveries } from '../../src/adapters/storage/bookings.ts'
import type { Connection } from '../../src/adapters/storage/database/connection.ts'
import { saveEvent } from '../../src/adapters/storage/events.ts'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { decodeReference, encodeSalt } from '../../src/core/booking/reference.ts'
import type { AppId, BookingId, CalendarId, EventId, GrantId } from '../../src/core/ids.ts'
import { fromUnixSeconds, instant } from '../../src/core/time/instant.ts'
import { program, useBuild } from '../support/builds.ts'
import { faultyCalendars } from '../support/calendars/faultyCalendars.ts'
import { book, makeConfiguration, makeHost, nearFuture, participant, type TestHost } from '../support/hosts.ts'
import { endLeases, leaseIsOver } from '../support/leases.ts'
import { findFaults, type Ledger, readLedger } from '../support/ledger.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { type Reply, startTestServer, type TestServer } from '../support/server.ts'

useBuild('server')

const calendars = faultyCalendars()
const start = nearFuture()
const later = start + 3 * 3_600
let database: TestDatabase
let server: TestServer
let clockMs = 0
let host: TestHost
let configuration: string

beforeAll(async () => {
  database = await createTestDatabase()
  // No worker of its own: the tests run the recovery when they want it.
  server = await startTestServer(
    { connection: database.connection, providers: calendars.providers, now: () => instant(Date.now() + clockMs) },
    { ROLE: 'web' },
  )
})
afterAll(async () => {
  await server.close()
  await database.drop()
})

let hosts = 0
beforeEach(async () => {
  host = await makeHost(server, `crash${++hosts}@host.example`)
  configuration = await makeConfiguration(server, [host])
})
afterEach(() => {
  calendars.heal()
  clockMs = 0
})

const operations = {
  createBooking: (...command: Parameters<TestServer['app']['operations']['createBooking']>) =>
    server.app.operations.createBooking(...command),
  rescheduleBooking: (...command: Parameters<TestServer['app']['operations']['rescheduleBooking']>) =>
    server.app.operations.rescheduleBooking(...command),
  confirmBooking: (...command: Parameters<TestServer['app']['operations']['confirmBooking']>) =>
    server.app.operations.confirmBooking(...command),
  cancelBooking: (...command: Parameters<TestServer['app']['operations']['cancelBooking']>) =>
    server.app.operations.cancelBooking(...command),
  recoverBooking: (...command: Parameters<TestServer['app']['operations']['recoverBooking']>) =>
    server.app.operations.recoverBooking(...command),
}

const command = (from: number, key?: string) => ({
  principal: { kind: 'anyone' } as const,
  query: { configuration_id: configuration },
  body: { start_time: from, end_time: from + 1800, guest: { name: 'Gil Guest', email: 'gil@guest.example' } },
  idempotencyKey: key,
})

/** The bookings of this test's host, with their claims, events and notifications. */
async function own(): Promise<Ledger> {
  const all = await readLedger(server.app)
  const bookings = all.bookings.filter(({ organizer }) => organizer === host.email)
  const ids = new Set(bookings.map(({ id }) => id))
  return {
    bookings,
    claims: all.claims.filter(({ bookingId }) => ids.has(bookingId)),
    events: all.events.filter(({ calendar }) => calendar.startsWith(host.grantId)),
    notifications: all.notifications.filter(({ bookingId }) => ids.has(bookingId)),
  }
}

async function only() {
  const { bookings } = await own()
  expect(bookings.length).toBe(1)
  const [booking] = bookings
  if (booking === undefined) throw new Error('no booking')
  return booking
}

/** What was told of the one booking, in order. */
async function triggers(): Promise<string[]> {
  return (await own()).notifications.map(({ trigger }) => trigger)
}

/** How many mails about the one booking there are, sent or not. */
async function mailsWritten(): Promise<number> {
  const { rowCount } = await server.app.database.pool.query(
    `select from openslot.deliveries where kind = 'mail' and booking_id = $1`,
    [(await only()).id],
  )
  return rowCount ?? 0
}

async function recover(): Promise<string> {
  const { id } = await only()
  const recovered = await operations.recoverBooking({
    appId: server.clientId as AppId,
    bookingId: id as BookingId,
    ...leaseIsOver,
  })
  return recovered.ok ? recovered.value : recovered.problem.message
}

/** All agrees, and the one booking stands at `from`, or not at all. */
async function expectSettled(state: string, from: number, triggers: readonly string[]): Promise<void> {
  const ledger = await own()
  expect(findFaults(ledger)).toEqual([])
  expect(ledger.bookings.map((booking) => [booking.state, booking.start])).toEqual([[state, from]])
  expect(ledger.notifications.map(({ trigger }) => trigger)).toEqual(triggers)
  const jobs = await server.app.database.pool.query(`select from graphile_worker.jobs where key = $1`, [
    `settle:${ledger.bookings[0]?.id}`,
  ])
  expect(jobs.rowCount).toBe(0)
}

/** Someone else's event on the calendar, made elsewhere. */
async function placeForeignEvent(from: number): Promise<void> {
  const during = { start: fromUnixSeconds(from), end: fromUnixSeconds(from + 1800) }
  const id = `foreign${from}${host.grantId}` as EventId
  await saveEvent(
    server.app.database,
    server.clientId as AppId,
    { grantId: host.grantId as GrantId, calendarId: host.calendarId as CalendarId },
    {
      id,
      icalUid: id,
      status: 'confirmed',
      details: {
        title: 'Dentist',
        description: '',
        location: '',
        when: {
          kind: 'timespan',
          startTime: during.start,
          endTime: during.end,
          startTimezone: 'UTC',
          endTimezone: 'UTC',
        },
        busy: true,
        participants: [],
        recurrence: [],
        conferencing: undefined,
        hideParticipants: false,
        organizer: undefined,
        creator: undefined,
      } as never,
      metadata: {},
      blocks: true,
      during,
    },
  )
}

it('what a calendar took in vain is taken back for twelve seconds at most; the rest is left to the worker', async () => {
  let limitMs: number | undefined
  void calendars.once('place', 'loseAnswer')
  const removed = calendars.once('remove', (scope) => {
    limitMs = scope.limitMs
  })
  expect((await book(server, configuration, start)).status).toBe(504)
  await removed
  expect(limitMs).toBeLessThanOrEqual(12_000)
  await expectSettled('released', start, [])
})

describe('a new booking whose process dies', () => {
  it('before the event is placed keeps its slot, is seen by nobody, and is finished by the worker', async () => {
    const died = calendars.once('place', 'hangBefore')
    void operations.createBooking(command(start))
    await died
    expect(await only()).toMatchObject({ state: 'held', direction: 'commit' })
    expect((await book(server, configuration, start)).body.error.message).toBe('The selected timeslot is unavailable')
    expect(
      (await server.request('GET', `/v3/scheduling/bookings/${(await only()).id}?configuration_id=${configuration}`))
        .status,
    ).toBe(404)
    expect((await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings`)).body.data).toEqual([])
    expect(await recover()).toBe('settled')
    await expectSettled('booked', start, ['booking.created'])
    expect(await recover()).toBe('nothing to do')
  })

  it('before the event is placed, and is found too late, is given up, and the slot is free again', async () => {
    const died = calendars.once('place', 'hangBefore')
    void operations.createBooking(command(start))
    await died
    clockMs = 3 * 60_000
    expect(await recover()).toBe('given up')
    await expectSettled('released', start, [])
    expect((await book(server, configuration, start)).status).toBe(200)
  })

  it.each([
    ['after the call was sent and before its answer', 'place', 'hangAfter', 0],
    ['before it looks back', 'freeBusy', 'hangBefore', 2],
    ['after it has looked back, before it settles', 'freeBusy', 'hangAfter', 2],
  ] as const)('%s is settled, however late', async (_, step, fault, skipped) => {
    const died = calendars.once(step, fault, skipped)
    void operations.createBooking(command(start))
    await died
    expect(await only()).toMatchObject({ state: 'held' })
    clockMs = 3_600_000
    expect(await recover()).toBe('settled')
    await expectSettled('booked', start, ['booking.created'])
  })

  it('is finished by the next worker when the first one dies as well', async () => {
    const died = calendars.once('place', 'hangBefore')
    void operations.createBooking(command(start))
    await died
    const diedAgain = calendars.once('place', 'hangAfter')
    // As the queue has it while it runs: the job of a worker that dies is given to nobody else.
    await server.app.database.pool.query(
      `update graphile_worker._private_jobs set locked_at = now(), locked_by = 'died' where key = 'settle:' || $1`,
      [(await only()).id],
    )
    void recover()
    await diedAgain
    const waiting = await server.app.database.pool.query(
      `select from graphile_worker.jobs where key = 'settle:' || $1 and locked_at is null and run_at < now() + interval '45 seconds'`,
      [(await only()).id],
    )
    expect(waiting.rowCount).toBe(1)
    expect(await recover()).toBe('settled')
    await expectSettled('booked', start, ['booking.created'])
  })

  it.each([
    ['is read', 'freeBusy', 'fail', 0],
    ['takes the event', 'place', 'fail', 0],
    ['takes the event and loses the answer', 'place', 'loseAnswer', 0],
    ['is read back', 'freeBusy', 'fail', 1],
  ] as const)(
    'stays held where the calendar fails once while it %s in recovery, and is booked by the next run',
    async (_, step, fault, skipped) => {
      const died = calendars.once('place', 'hangBefore')
      void operations.createBooking(command(start))
      await died
      void calendars.once(step, fault, skipped)
      expect(await recover()).toBe('try again')
      expect(await only()).toMatchObject({ state: 'held', direction: 'commit' })
      expect((await own()).claims.length).toBe(1)
      expect(await recover()).toBe('settled')
      await expectSettled('booked', start, ['booking.created'])
    },
  )

  it('waits for a calendar that is away, tells its guest so, and is given up when that comes back too late', async () => {
    const died = calendars.once('place', 'hangBefore')
    void operations.createBooking(command(start, 'away'))
    await died
    calendars.breakDown('freeBusy', 'find', 'place', 'remove')
    await endLeases(server.app)
    const repeated = await book(server, configuration, start, { headers: { 'idempotency-key': 'away' } })
    expect([repeated.status, repeated.body.error.type]).toEqual([504, 'provider_error'])
    clockMs = 3_600_000
    expect(await recover()).toBe('try again')
    expect(await only()).toMatchObject({ state: 'held', direction: 'commit' })
    calendars.heal()
    expect(await recover()).toBe('given up')
    await expectSettled('released', start, [])
  })

  it("answers its guest's repeat with the same booking, whether it is repeated before or after the worker came", async () => {
    const died = calendars.once('place', 'hangBefore')
    void operations.createBooking(command(start, 'repeat'))
    await died
    const repeat = () => book(server, configuration, start, { headers: { 'idempotency-key': 'repeat' } })
    expect((await repeat()).status).toBe(409)
    await endLeases(server.app)
    const repeated = await repeat()
    expect(repeated.status).toBe(200)
    expect(repeated.body.data.booking_id).toBe((await only()).id)
    expect((await repeat()).body.data).toEqual(repeated.body.data)
    await expectSettled('booked', start, ['booking.created'])
  })

  it("is left to the worker that is at it: its guest's repeat waits, and gets what that made", async () => {
    const died = calendars.once('place', 'hangBefore')
    void operations.createBooking(command(start, 'joined'))
    await died
    await endLeases(server.app)
    const repeat = () => book(server, configuration, start, { headers: { 'idempotency-key': 'joined' } })
    let early: Reply | undefined
    void calendars.once('place', async () => {
      early = await repeat()
    })
    const { id } = await only()
    const run = { appId: server.clientId as AppId, bookingId: id as BookingId }
    expect(await operations.recoverBooking(run)).toMatchObject({ ok: true, value: 'settled' })
    expect(early?.body.error?.type).toBe('api.concurrent_idempotent_request')
    expect((await repeat()).body.data?.booking_id).toBe(id)
    await expectSettled('booked', start, ['booking.created'])
  })

  it("is left to its guest's repeat that is at it: the worker waits", async () => {
    const died = calendars.once('place', 'hangBefore')
    void operations.createBooking(command(start, 'repeated'))
    await died
    await endLeases(server.app)
    const { id } = await only()
    const run = { appId: server.clientId as AppId, bookingId: id as BookingId }
    // The job that the queue is about to run, whose lease was over.
    const leasedUntil = '2026-01-01T00:00:00Z'
    let meanwhile: unknown
    void calendars.once('place', async () => {
      meanwhile = await operations.recoverBooking({ ...run, leasedUntil })
    })
    expect((await book(server, configuration, start, { headers: { 'idempotency-key': 'repeated' } })).status).toBe(200)
    expect(meanwhile).toEqual({ ok: true, value: 'nothing to do' })
    await expectSettled('booked', start, ['booking.created'])
  })

  it("and was given up tells its guest's repeat that the slot is unavailable, and makes nothing", async () => {
    const died = calendars.once('place', 'hangBefore')
    void operations.createBooking(command(start, 'given up'))
    await died
    clockMs = 3 * 60_000
    expect(await recover()).toBe('given up')
    await endLeases(server.app)
    const repeated = await book(server, configuration, start, { headers: { 'idempotency-key': 'given up' } })
    expect([repeated.status, repeated.body.error.type]).toEqual([400, 'timeslot_not_available'])
    await expectSettled('released', start, [])
  })
})

describe('a new booking whose calendar', () => {
  it('refuses the event is given up at once', async () => {
    void calendars.once('place', 'fail')
    const made = await book(server, configuration, start)
    expect([made.status, made.body.error.type]).toEqual([504, 'provider_error'])
    await expectSettled('released', start, [])
    expect((await book(server, configuration, start)).status).toBe(200)
  })

  it('takes the event and loses the answer has it taken back', async () => {
    void calendars.once('place', 'loseAnswer')
    expect((await book(server, configuration, start)).status).toBe(504)
    await expectSettled('released', start, [])
  })

  it('is down for long: the slot stays closed over the event that may stand there, until it can be taken back', async () => {
    void calendars.once('place', 'loseAnswer')
    calendars.breakDown('remove', 'find')
    expect((await book(server, configuration, start)).status).toBe(504)
    expect(await only()).toMatchObject({ state: 'held', direction: 'abort' })
    expect((await own()).claims.length).toBe(1)
    expect(await recover()).toBe('try again')
    calendars.heal()
    expect(await recover()).toBe('given up')
    await expectSettled('released', start, [])
  })

  it('stays down is asked again ever more seldom, up to an hour, and the sweep lets that be', async () => {
    void calendars.once('place', 'loseAnswer')
    calendars.breakDown('remove', 'find')
    expect((await book(server, configuration, start)).status).toBe(504)
    const { id } = await only()
    const job = async () => {
      const { rows } = await server.app.database.pool.query<{ waitSeconds: number; payload: { tries: number } }>(
        `select round(extract(epoch from run_at - now()))::int as "waitSeconds", payload
         from graphile_worker._private_jobs where key = 'settle:' || $1`,
        [id],
      )
      return rows[0]
    }
    const waits: number[] = []
    for (let run = 0; run < 10; run++) {
      const { tries } = (await job())?.payload ?? { tries: Number.NaN }
      await operations.recoverBooking({
        appId: server.clientId as AppId,
        bookingId: id as BookingId,
        ...leaseIsOver,
        tries,
      })
      await server.app.database.pool.query(
        `update openslot.bookings set updated_at = now() - interval '1 hour' where id = $1`,
        [id],
      )
      await server.app.operations.sweep()
      waits.push(Math.round(((await job())?.waitSeconds ?? 0) / 10) * 10)
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600])

    // Without a job, as when the queue lost it, the sweep makes one.
    await server.app.database.pool.query(`delete from graphile_worker._private_jobs where key = 'settle:' || $1`, [id])
    await server.app.operations.sweep()
    expect((await job())?.payload).toMatchObject({ tries: 0 })
    calendars.heal()
    expect(await recover()).toBe('given up')
    await expectSettled('released', start, [])
  })

  it('cannot be read is not taken for free: nothing is written', async () => {
    calendars.breakDown('freeBusy', 'readChanges')
    expect((await book(server, configuration, start)).status).toBe(504)
    expect(
      (
        await server.request(
          'GET',
          `/v3/scheduling/availability?configuration_id=${configuration}&start_time=${start}&end_time=${start + 3600}`,
        )
      ).status,
    ).toBe(504)
    expect((await own()).bookings).toEqual([])
  })

  it('is one of several accounts: all are asked at once', async () => {
    const other = await makeHost(server, `crash${++hosts}@host.example`)
    const both = await makeConfiguration(server, [host, other])
    let bothAsked: Promise<void> | undefined
    void calendars.once('freeBusy', () => bothAsked, 1)
    bothAsked = calendars.once('freeBusy', () => {})
    expect((await book(server, both, start)).status).toBe(200)
  })

  it("gets someone else's event before ours is placed: ours is never placed", async () => {
    void calendars.once('freeBusy', () => placeForeignEvent(start), 1)
    expect((await book(server, configuration, start)).body.error.message).toBe('The selected timeslot is unavailable')
    await expectSettled('released', start, [])
    expect((await own()).events.map(({ title }) => title)).toEqual(['Dentist'])
  })

  it("gets someone else's event between our look and our event: ours is taken back", async () => {
    void calendars.once('place', () => placeForeignEvent(start))
    expect((await book(server, configuration, start)).body.error.message).toBe('The selected timeslot is unavailable')
    await expectSettled('released', start, [])
    expect((await own()).events.map(({ title }) => title)).toEqual(['Dentist'])
  })

  it("gets someone else's event beside ours: both stand", async () => {
    void calendars.once('place', () => placeForeignEvent(start + 1800))
    expect((await book(server, configuration, start)).status).toBe(200)
    await expectSettled('booked', start, ['booking.created'])
  })

  it.each(['hangBefore', 'hangAfter'] as const)(
    'must lose our event again, and the process dies there (%s): the worker ends it',
    async (fault) => {
      void calendars.once('place', () => placeForeignEvent(start))
      const died = calendars.once('remove', fault)
      void operations.createBooking(command(start))
      await died
      expect(await only()).toMatchObject({ state: 'held', direction: 'abort' })
      expect(await recover()).toBe('given up')
      await expectSettled('released', start, [])
      expect((await own()).events.map(({ title }) => title)).toEqual(['Dentist'])
    },
  )

  it('is so slow that the worker finishes first: the guest still gets the booking, and everyone is told once', async () => {
    void calendars.once('freeBusy', async () => void (await recover()), 2)
    const made = await book(server, configuration, start)
    expect([made.status, made.body.data?.status]).toEqual([200, 'booked'])
    await expectSettled('booked', start, ['booking.created'])
  })

  it('is so slow that the worker gave up before: the event that comes late is taken away again', async () => {
    void calendars.once('place', async () => {
      clockMs = 3 * 60_000
      expect(await recover()).toBe('given up')
    })
    expect((await book(server, configuration, start)).status).toBe(400)
    await expectSettled('released', start, [])
  })

  it('makes the program throw: the answer is a fault, and the worker finishes', async () => {
    void calendars.once('place', 'throw')
    const silent = vi.spyOn(server.app.logger, 'error').mockImplementation(() => {})
    expect((await book(server, configuration, start, { headers: { 'idempotency-key': 'thrown' } })).status).toBe(500)
    silent.mockRestore()
    expect(await recover()).toBe('settled')
    const repeated = await book(server, configuration, start, { headers: { 'idempotency-key': 'thrown' } })
    expect(repeated.body.data?.booking_id).toBe((await only()).id)
    await expectSettled('booked', start, ['booking.created'])
  })
})

describe('a reschedule whose process dies', () => {
  const target = { body: { start_time: later, end_time: later + 1800 } }
  const move = async (key?: string) => {
    const { id } = await only()
    return operations.rescheduleBooking({
      principal: { kind: 'anyone' },
      query: { configuration_id: configuration },
      bookingId: id,
      body: target.body,
      idempotencyKey: key,
    })
  }
  beforeEach(async () => {
    expect((await book(server, configuration, start)).status).toBe(200)
  })

  it('before the event is moved keeps both times, and is finished by the worker', async () => {
    const died = calendars.once('place', 'hangBefore')
    void move()
    await died
    expect(await only()).toMatchObject({ state: 'booked', start, change: { kind: 'reschedule' } })
    expect((await own()).claims.map((claim) => claim.start).toSorted()).toEqual([start, later])
    for (const from of [start, later]) expect((await book(server, configuration, from)).status).toBe(400)
    expect(await recover()).toBe('settled')
    await expectSettled('booked', later, ['booking.created', 'booking.rescheduled'])
  })

  it('before the event is moved, and is found too late, leaves it where it was', async () => {
    const died = calendars.once('place', 'hangBefore')
    void move()
    await died
    clockMs = 3 * 60_000
    expect(await recover()).toBe('given up')
    await expectSettled('booked', start, ['booking.created'])
  })

  it.each([
    ['after the event was moved', 'place', 'hangAfter', 0],
    ['before it looks back', 'freeBusy', 'hangBefore', 2],
  ] as const)('%s is settled, however late', async (_, step, fault, skipped) => {
    const died = calendars.once(step, fault, skipped)
    void move()
    await died
    clockMs = 3_600_000
    expect(await recover()).toBe('settled')
    await expectSettled('booked', later, ['booking.created', 'booking.rescheduled'])
  })

  it('is told once, also when the guest repeats it', async () => {
    const died = calendars.once('place', 'hangAfter')
    void move('again')
    await died
    await endLeases(server.app)
    const repeated = await move('again')
    expect(repeated.ok).toBe(true)
    await expectSettled('booked', later, ['booking.created', 'booking.rescheduled'])
  })

  it('to a time that someone else takes meanwhile goes back to its old one', async () => {
    void calendars.once('place', () => placeForeignEvent(later))
    const moved = await move()
    expect(moved.ok ? '' : moved.problem.kind).toBe('slotTaken')
    await expectSettled('booked', start, ['booking.created'])
  })

  it('that the worker has taken back meanwhile has its calendar set right within the time that is left', async () => {
    let limitMs: number | undefined
    void calendars.once('place', async () => {
      clockMs = 3 * 60_000
      await placeForeignEvent(later)
      expect(await recover()).toBe('given up')
      void calendars.once('place', (scope) => {
        limitMs = scope.limitMs
      })
    })
    const moved = await move()
    expect(moved.ok ? '' : moved.problem.kind).toBe('conflict')
    await expectSettled('booked', start, ['booking.created'])
    // Its patience is over: what setting right is given at least.
    expect(limitMs).toBeLessThanOrEqual(3_000)
  })

  it('that changes people alone is made by the repeat where the first try died before it wrote anything', async () => {
    const { id } = await only()
    const bring = () =>
      operations.rescheduleBooking({
        principal: { kind: 'anyone' },
        query: { configuration_id: configuration },
        bookingId: id,
        body: { ...people, shown_start_time: start },
        idempotencyKey: 'people',
      })
    const people = {
      start_time: start,
      end_time: start + 1800,
      additional_guests: [{ name: 'Wren', email: 'wren@guest.example' }],
    }
    const died = calendars.once('freeBusy', 'hangBefore')
    void bring()
    await died
    await endLeases(server.app)
    const repeated = await bring()
    expect(repeated).toMatchObject({ ok: true, value: { isReplay: false } })
    await expectSettled('booked', start, ['booking.created', 'booking.rescheduled'])
    expect(await mailsWritten()).toBe(2 + 3)
    expect(await bring()).toMatchObject({ ok: true, value: { isReplay: true } })
  })

  it('that changes people alone, and that the worker has taken back, is not answered as done', async () => {
    void calendars.once('place', async () => {
      await placeForeignEvent(start)
      expect(await recover()).toBe('given up')
    })
    const { id } = await only()
    const changed = await operations.rescheduleBooking({
      principal: { kind: 'anyone' },
      query: { configuration_id: configuration },
      bookingId: id,
      body: {
        start_time: start,
        end_time: start + 1800,
        additional_guests: [{ name: 'Wren', email: 'wren@guest.example' }],
      },
      idempotencyKey: undefined,
    })
    expect(changed).toMatchObject({ ok: false, problem: { kind: 'conflict' } })
    expect(await triggers()).toEqual(['booking.created'])
    const row = 'select to_jsonb(booking)::text as row from openslot.bookings as booking where id = $1'
    expect((await server.app.database.pool.query(row, [id])).rows[0].row).not.toContain('wren')
  })

  it('while it goes back is brought back by the worker', async () => {
    void calendars.once('place', () => placeForeignEvent(later))
    const died = calendars.once('place', 'hangBefore', 0)
    void move()
    await died
    expect(await only()).toMatchObject({ direction: 'abort' })
    expect(await recover()).toBe('given up')
    await expectSettled('booked', start, ['booking.created'])
  })
})

describe('a reschedule between hosts that is late', () => {
  const limits: (number | undefined)[] = []
  /** The call is asked how long it may take, and ends at `ms` of the change. */
  const untilThen = (ms: number) => (scope: CalendarScope) => {
    limits.push(scope.limitMs)
    clockMs = ms
  }
  const move = async () => {
    const other = await makeHost(server, `late${hosts}@host.example`)
    configuration = await makeConfiguration(server, [host, other], {
      rules: { availability_method: 'max-availability' },
      participants: [participant(host.email), participant(other.email)],
    })
    const guest = { name: 'Mia Guest', email: 'mia@guest.example' }
    const made = await book(server, configuration, start, { body: { guest, participants: [{ email: host.email }] } })
    limits.length = 0
    void calendars.once('place', () => {
      clockMs = 14_000
    })
    void calendars.once('find', untilThen(17_000))
    return () =>
      operations.rescheduleBooking({
        principal: { kind: 'anyone' },
        query: { configuration_id: configuration },
        bookingId: made.body.data.booking_id,
        body: { start_time: later, end_time: later + 1800, participants: [{ email: other.email }] },
        idempotencyKey: undefined,
      })
  }
  const expectAtMost = (most: readonly number[]) =>
    expect(limits.map((limitMs, place) => limitMs !== undefined && limitMs <= (most[place] ?? 0))).toEqual(
      most.map(() => true),
    )

  it('leaves the first within six seconds, all calls together', async () => {
    const ask = await move()
    void calendars.once('remove', untilThen(19_500))
    void calendars.once('find', untilThen(19_600))
    expect(await ask()).toMatchObject({ ok: true })
    expectAtMost([6_000, 3_000, 500])
  })

  it('and cannot leave the first is taken back before another may be at it', async () => {
    const ask = await move()
    void calendars.once('remove', 'fail')
    void calendars.once('remove', untilThen(18_000))
    expect(await ask()).toMatchObject({ ok: false, problem: { kind: 'calendarUnavailable' } })
    expectAtMost([6_000, 9_000])
  })
})

describe('a reschedule between hosts whose process dies', () => {
  it('has its event on one calendar only, once the worker came', async () => {
    const other = await makeHost(server, `other${hosts}@host.example`)
    configuration = await makeConfiguration(server, [host, other], {
      rules: { availability_method: 'max-availability' },
      participants: [participant(host.email), participant(other.email)],
    })
    const made = await book(server, configuration, start, { body: { participants: [{ email: host.email }] } })
    const died = calendars.once('remove', 'hangAfter')
    void operations.rescheduleBooking({
      principal: { kind: 'anyone' },
      query: { configuration_id: configuration },
      bookingId: made.body.data.booking_id,
      body: { start_time: later, end_time: later + 1800, participants: [{ email: other.email }] },
      idempotencyKey: undefined,
    })
    await died
    const recovered = await operations.recoverBooking({
      appId: server.clientId as AppId,
      bookingId: made.body.data.booking_id,
      ...leaseIsOver,
    })
    expect(recovered).toEqual({ ok: true, value: 'settled' })
    const ledger = await readLedger(server.app)
    expect(findFaults(ledger)).toEqual([])
    expect(ledger.events.filter(({ id }) => id === made.body.data.event_id)).toMatchObject([
      { calendar: `${other.grantId}/${other.calendarId}`, start: later },
    ])
  })
})

describe("the organizer's word whose process dies", () => {
  const put = async (status: 'confirmed' | 'cancelled', key?: string) => {
    const { id } = await only()
    const listed = await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings`)
    const salt = encodeSalt(decodeReference(listed.body.data[0].organizer_booking_ref)?.salt ?? new Uint8Array())
    return operations.confirmBooking({
      principal: { kind: 'anyone' },
      query: { configuration_id: configuration },
      bookingId: id,
      salt,
      status,
      reason: 'no',
      idempotencyKey: key,
    })
  }
  beforeEach(async () => {
    configuration = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    expect((await book(server, configuration, start)).body.data.status).toBe('pending')
  })

  it.each(['hangBefore', 'hangAfter'] as const)('stands, and the event follows (%s)', async (fault) => {
    const died = calendars.once('place', fault)
    void put('confirmed')
    await died
    expect(await only()).toMatchObject({ state: 'pending', change: { kind: 'confirm' } })
    expect(await triggers()).toEqual(['booking.pending'])
    clockMs = 3_600_000
    expect(await recover()).toBe('settled')
    await expectSettled('booked', start, ['booking.pending', 'booking.created'])
    expect((await own()).events.map(({ title }) => title)).toEqual(['Intro call'])
  })

  it('is answered as done to a repeat with the same key', async () => {
    const died = calendars.once('place', 'hangBefore')
    void put('confirmed', 'yes')
    await died
    await endLeases(server.app)
    expect((await put('confirmed', 'yes')).ok).toBe(true)
    await expectSettled('booked', start, ['booking.pending', 'booking.created'])
  })

  it('"yes" that comes to stand after its patience has ended is taken back, however late its time was held', async () => {
    const { id } = await only()
    const locker = await server.app.database.pool.connect()
    await locker.query('begin')
    await locker.query('select from openslot.bookings where id = $1 for update', [id])
    const said = put('confirmed')
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await expect
      .poll(async () => (await server.app.database.pool.query(waiting)).rowCount, { interval: 20 })
      .toBeGreaterThan(0)
    clockMs = 10_000
    await locker.query('rollback')
    locker.release()
    let limitMs = 0
    void calendars.once('place', (scope) => {
      limitMs = scope.limitMs ?? Number.POSITIVE_INFINITY
      clockMs = 22_500
    })
    expect(await said).toMatchObject({
      ok: false,
      problem: { kind: 'calendarUnavailable', message: 'The calendars did not answer in time.' },
    })
    expect(limitMs).toBeLessThanOrEqual(12_000)
    await expectSettled('pending', start, ['booking.pending'])
  })

  it('"yes" is not done where the calendar does not take it: nobody is told, and it can be said again', async () => {
    void calendars.once('place', 'loseAnswer')
    expect(await put('confirmed')).toMatchObject({ ok: false, problem: { kind: 'calendarUnavailable' } })
    await expectSettled('pending', start, ['booking.pending'])
    expect((await own()).events.map(({ title }) => title)).toEqual(['[PENDING] Intro call'])
    expect((await put('confirmed')).ok).toBe(true)
    await expectSettled('booked', start, ['booking.pending', 'booking.created'])
  })

  it.each(['hangBefore', 'hangAfter'] as const)(
    '"yes" that is taken back, and the process dies there (%s), is taken back by the worker',
    async (fault) => {
      void calendars.once('place', 'loseAnswer')
      const died = calendars.once('place', fault, 0)
      void put('confirmed')
      await died
      expect(await only()).toMatchObject({ state: 'pending', direction: 'abort' })
      expect(await put('confirmed')).toMatchObject({ ok: false, problem: { kind: 'calendarUnavailable' } })
      expect(await recover()).toBe('given up')
      await expectSettled('pending', start, ['booking.pending'])
      expect((await own()).events.map(({ title }) => title)).toEqual(['[PENDING] Intro call'])
    },
  )

  it('"yes" that is found when the meeting has begun is given up', async () => {
    const died = calendars.once('place', 'hangAfter')
    void put('confirmed')
    await died
    clockMs = start * 1_000 - Date.now() + 1_000
    expect(await recover()).toBe('given up')
    await expectSettled('pending', start, ['booking.pending'])
  })

  it('"no" stands, everyone is told, and the placeholder goes', async () => {
    const died = calendars.once('remove', 'hangBefore')
    void put('cancelled')
    await died
    expect(await triggers()).toEqual(['booking.pending', 'booking.cancelled'])
    expect(await recover()).toBe('settled')
    await expectSettled('cancelled', start, ['booking.pending', 'booking.cancelled'])
  })
})

describe('a cancellation whose process dies', () => {
  const cancel = async (key?: string) =>
    operations.cancelBooking({
      principal: { kind: 'anyone' },
      query: { configuration_id: configuration },
      bookingId: (await only()).id,
      reason: 'ill',
      idempotencyKey: key,
    })
  beforeEach(async () => {
    expect((await book(server, configuration, start)).status).toBe(200)
  })

  it.each(['hangBefore', 'hangAfter'] as const)('stands; the slot opens when the event is gone (%s)', async (fault) => {
    const died = calendars.once('remove', fault)
    void cancel()
    await died
    expect(await only()).toMatchObject({ state: 'cancelled', change: { kind: 'cancel' } })
    expect((await own()).claims.length).toBe(1)
    // Whoever dies now has told everyone.
    expect(await triggers()).toEqual(['booking.created', 'booking.cancelled'])
    expect(await mailsWritten()).toBe(4)
    expect(await recover()).toBe('settled')
    await expectSettled('cancelled', start, ['booking.created', 'booking.cancelled'])
    expect(await mailsWritten()).toBe(4)
    expect((await book(server, configuration, start)).status).toBe(200)
  })

  it('is answered at once while the calendar is away, and the event goes later', async () => {
    calendars.breakDown('remove')
    expect((await cancel()).ok).toBe(true)
    expect(await only()).toMatchObject({ state: 'cancelled' })
    expect(await triggers()).toEqual(['booking.created', 'booking.cancelled'])
    expect(await recover()).toBe('try again')
    calendars.heal()
    expect(await recover()).toBe('settled')
    await expectSettled('cancelled', start, ['booking.created', 'booking.cancelled'])
    expect(await mailsWritten()).toBe(4)
  })

  it('is answered as done to a repeat with the same key', async () => {
    const died = calendars.once('remove', 'hangBefore')
    void cancel('off')
    await died
    await endLeases(server.app)
    expect((await cancel('off')).ok).toBe(true)
    expect(await recover()).toBe('settled')
    await expectSettled('cancelled', start, ['booking.created', 'booking.cancelled'])
  })

  it.each(['hangBefore', 'hangAfter'] as const)(
    'of what is being moved stands: nobody hears of the move, and whatever it placed goes (%s)',
    async (fault) => {
      const moving = calendars.once('place', fault)
      void operations.rescheduleBooking({
        principal: { kind: 'anyone' },
        query: { configuration_id: configuration },
        bookingId: (await only()).id,
        body: {
          start_time: later,
          end_time: later + 1800,
          additional_guests: [{ name: 'Robin', email: 'robin@guest.example' }],
        },
        idempotencyKey: undefined,
      })
      await moving
      const { id } = await only()
      const erase = () =>
        server.app.operations.eraseGuest({ appId: server.clientId as AppId, email: 'robin@guest.example' })
      expect(await erase()).toMatchObject({ ok: true, value: { standing: [id] } })
      const died = calendars.once('remove', 'hangBefore')
      void cancel()
      await died
      expect(await triggers()).toEqual(['booking.created', 'booking.cancelled'])
      expect((await own()).claims.map((claim) => claim.start).toSorted()).toEqual([start, later])
      // Who was to join never did: nothing is known of them any more.
      expect(await erase()).toMatchObject({ ok: true, value: { takenOut: 0, standing: [] } })
      const row = 'select to_jsonb(booking)::text as row from openslot.bookings as booking where id = $1'
      expect((await server.app.database.pool.query(row, [id])).rows[0].row).not.toContain('robin')
      expect(await recover()).toBe('settled')
      await expectSettled('cancelled', start, ['booking.created', 'booking.cancelled'])
      expect(await mailsWritten()).toBe(4)
    },
  )

  it('that comes while a move is placing its event is not undone by it, however late that comes', async () => {
    void calendars.once('place', async () => {
      expect((await cancel()).ok).toBe(true)
      expect((await own()).events).toEqual([])
    })
    const moved = await operations.rescheduleBooking({
      principal: { kind: 'anyone' },
      query: { configuration_id: configuration },
      bookingId: (await only()).id,
      body: { start_time: later, end_time: later + 1800 },
      idempotencyKey: undefined,
    })
    expect(moved).toMatchObject({ ok: false, problem: { kind: 'conflict' } })
    // Whoever moved has taken its event back; had it died, it would stand astray: the time stays closed until somebody has looked.
    expect((await own()).events).toEqual([])
    expect((await own()).claims).toHaveLength(2)
    expect(await recover()).toBe('settled')
    await expectSettled('cancelled', start, ['booking.created', 'booking.cancelled'])
  })
})

describe('whoever works on a change', () => {
  const moveTo = async (from: number) =>
    operations.rescheduleBooking({
      principal: { kind: 'anyone' },
      query: { configuration_id: configuration },
      bookingId: (await only()).id,
      body: { start_time: from, end_time: from + 1800 },
      idempotencyKey: undefined,
    })
  const cancel = async () =>
    operations.cancelBooking({
      principal: { kind: 'anyone' },
      query: { configuration_id: configuration },
      bookingId: (await only()).id,
      reason: '',
      idempotencyKey: undefined,
    })
  /** When the worker comes next, in seconds from now. */
  const nextRun = async (): Promise<number> => {
    const { rows } = await server.app.database.pool.query<{ seconds: number }>(
      `select extract(epoch from run_at - now())::float8 as seconds from graphile_worker._private_jobs where key = 'settle:' || $1`,
      [(await only()).id],
    )
    return rows[0]?.seconds ?? Number.NaN
  }
  const answersAgain = () =>
    server.app.database.transaction(server.clientId as AppId, (transaction) =>
      hurryRecoveries(transaction, { grantId: host.grantId as GrantId, calendarId: host.calendarId as CalendarId }),
    )
  beforeEach(async () => {
    expect((await book(server, configuration, start)).status).toBe(200)
  })

  it.each([
    ['a cancellation', cancel],
    ['another move', () => moveTo(later + 3_600)],
  ])('keeps the time it has for that, whatever run it came upon: %s', async (_, begin) => {
    const died = calendars.once('place', 'hangBefore')
    void moveTo(later)
    await died
    void calendars.once('place', async () => {
      await recover()
      const begun = calendars.once('place', 'hangBefore')
      const overtaken = calendars.once('remove', 'hangBefore')
      void begin()
      await Promise.race([begun, overtaken])
    })
    expect(await recover()).toBe('try again')
    expect(await nextRun()).toBeGreaterThan(20)
    calendars.heal()
  })

  it('is not joined by the worker because the calendar answers again; what waits is carried on with', async () => {
    const died = calendars.once('place', 'hangBefore')
    void moveTo(later)
    await died
    await answersAgain()
    expect(await nextRun()).toBeGreaterThan(20)
    expect((await cancel()).ok).toBe(true)
    await answersAgain()
    expect(await nextRun()).toBeGreaterThan(20)
    calendars.breakDown('remove')
    const { id } = await only()
    for (let run = 0; run < 4; run++) {
      await operations.recoverBooking({
        appId: server.clientId as AppId,
        bookingId: id as BookingId,
        ...leaseIsOver,
        tries: run,
      })
    }
    expect(await nextRun()).toBeGreaterThan(60)
    // In the middle of the next run, which ends in vain all the same: it is looked at again as soon as that must be over.
    calendars.heal()
    void calendars.once('remove', async () => {
      await answersAgain()
      await server.app.database.pool.query('update openslot.bookings set version = version + 1 where id = $1', [id])
    })
    await operations.recoverBooking({
      appId: server.clientId as AppId,
      bookingId: id as BookingId,
      ...leaseIsOver,
      tries: 4,
    })
    const afterwards = await nextRun()
    expect([afterwards > 20, afterwards <= 30]).toEqual([true, true])
    calendars.breakDown('remove')
    await operations.recoverBooking({
      appId: server.clientId as AppId,
      bookingId: id as BookingId,
      ...leaseIsOver,
      tries: 4,
    })
    await answersAgain()
    expect(await nextRun()).toBeLessThanOrEqual(0)
    calendars.heal()
    expect(await recover()).toBe('settled')
    await expectSettled('cancelled', start, ['booking.created', 'booking.cancelled'])
  })
})

describe('a real process', () => {
  it.each([
    ['place', 'before', 0],
    ['place', 'after', 0],
    ['freeBusy', 'after', 2],
  ] as const)(
    'killed at %s (%s) leaves a hold that the worker of another process settles',
    async (step, when, skipped) => {
      const orders = JSON.stringify({ connection: database.connection, die: { step, when, skipped } })
      const child = spawn(process.execPath, ['test/support/crashServer.ts', orders], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exited = once(child, 'exit')
      const [line] = await once(createInterface(child.stdout), 'line')
      const { address } = JSON.parse(line) as { address: string }
      const answer = fetch(`${address}/v3/scheduling/bookings?configuration_id=${configuration}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(command(start).body),
      })
      await expect(answer).rejects.toThrow()
      expect((await exited)[1]).toBe('SIGKILL')
      expect(await only()).toMatchObject({ state: 'held' })
      await server.app.database.pool.query(
        `select graphile_worker.reschedule_jobs(array(select id from graphile_worker.jobs where key like 'settle:%'), now())`,
      )
      const worker = await startTestServer(
        { connection: database.connection, providers: calendars.providers },
        { ROLE: 'worker' },
      )
      await vi.waitFor(async () => expect((await only()).state).toBe('booked'), { timeout: 20_000, interval: 50 })
      await worker.close()
      await expectSettled('booked', start, ['booking.created'])
    },
  )
})

describe('kill -9 of a server with its own PostgreSQL, in the middle of a stream of bookings', () => {
  it.each(['server', 'database', 'both'] as const)(
    'hits the %s: what was acknowledged is there, and nothing is left half done',
    async (victim) => {
      const directory = mkdtempSync(join(tmpdir(), 'openslot-killed-'))
      if (process.getuid?.() === 0) chmodSync(directory, 0o711)
      const environment = { DATA_DIR: directory, PORT: '0', RATE_LIMIT: 'off', LOG_LEVEL: 'silent' }
      let server = await startMain(environment)
      try {
        const setUp = await buildApp(loadConfig({ ...environment, ROLE: 'web' }), { connection: socketIn(directory) })
        const application = await insertApplication(setUp.database, 'killed')
        const { token } = await insertKey(setUp.database, application, { name: 'test' })
        const request = async (method: string, path: string, body: object): Promise<Reply> => {
          const response = await fetch(`${server.address}${path}`, {
            method,
            headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
            body: JSON.stringify(body),
          })
          return { status: response.status, body: await response.json(), headers: response.headers }
        }
        const send = {
          request: (method: string, path: string, options: { body?: object } = {}) =>
            request(method, path, options.body ?? {}),
        } as unknown as TestServer
        const killed = await makeHost(send, 'killed@host.example')
        const id = await makeConfiguration(send, [killed], { availability: { interval_minutes: 30 } })

        const acknowledged: string[] = []
        let next = 0
        let isKilled = false
        // Eight guests book one slot after the other, until nobody answers any more.
        const stream = Array.from({ length: 8 }, async () => {
          while (!isKilled) {
            const from = start + 1_800 * next++
            const answer = await book(send, id, from).catch(() => undefined)
            if (answer?.status === 200) acknowledged.push(answer.body.data.booking_id)
          }
        })
        await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(40), { timeout: 30_000, interval: 5 })
        await setUp.database.close()
        const postgres = Number(readFileSync(join(directory, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
        if (victim !== 'database') process.kill(server.child.pid ?? 0, 'SIGKILL')
        if (victim !== 'server') process.kill(postgres, 'SIGKILL')
        if (victim === 'database') {
          const before = acknowledged.length
          // The server starts the database again by itself, and goes on.
          await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 10), {
            timeout: 30_000,
            interval: 20,
          })
        }
        isKilled = true
        await Promise.all(stream)
        if (victim !== 'database') {
          await server.exited
          server = await startMain(environment)
        }
        const after = await buildApp(loadConfig({ ...environment, ROLE: 'web' }), { connection: socketIn(directory) })
        try {
          const ledger = await readLedger(after)
          expect(findFaults(ledger)).toEqual([])
          const standing = new Set(
            ledger.bookings.filter(({ state }) => state === 'booked').map(({ id: booking }) => booking),
          )
          expect(acknowledged.filter((booking) => !standing.has(booking))).toEqual([])
        } finally {
          await after.database.close()
        }
      } finally {
        server.child.kill('SIGTERM')
        await server.exited
        rmSync(directory, { recursive: true, force: true })
      }
    },
    60_000,
  )
})

/** The whole program, as `openslot start` runs it. */
async function startMain(environment: Record<string, string>) {
  const child = spawn(process.execPath, [program, 'start'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  const exited = once(child, 'exit')
  for await (const line of createInterface(child.stdout)) {
    const address = / at (http:\S+)/.exec(line)?.[1]
    if (address !== undefined) return { child, exited, address }
  }
  throw new Error('the server did not start')
}

function socketIn(directory: string): Connection {
  return { host: join(directory, 'postgres-socket'), port: 5432, user: 'postgres', database: 'openslot' }
}
