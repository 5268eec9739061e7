/** What becomes of bookings whose virtual calendar, or whole account, is deleted. */
import { beforeEach, expect, it } from 'vitest'

import { eventIdOf } from '../../../src/adapters/storage/database/ids.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import { connect, readBooking } from '../../support/calendars/remoteHosts.ts'
import { book, makeConfiguration, makeHost, nearFuture, participant, type TestHost } from '../../support/hosts.ts'
import { readLedger } from '../../support/ledger.ts'
import { mailsOf } from '../../support/mails.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
let clockMs = 0
const server = await startTestServer({ towers: { caldav: fake.tower }, now: () => instant(Date.now() + clockMs) })
const nine = nearFuture()
const day = 86_400

let count = 0
let host: TestHost
let second: string
beforeEach(async () => {
  clockMs = 0
  host = await makeHost(server, `ana${++count}@host.example`)
  const made = await server.request('POST', `/v3/grants/${host.grantId}/calendars`, { body: { name: 'Second' } })
  second = made.body.data.id
})

const remove = async (path: string) => expect((await server.request('DELETE', path)).status).toBe(200)
const onSecond = (more: Parameters<typeof makeConfiguration>[2] = {}) =>
  makeConfiguration(server, [host], {
    participants: [participant(host.email, { isOrganizer: true, booking: { calendar_id: second } })],
    ...more,
  })
const bookOn = async (configuration: string, from: number): Promise<string> => {
  const made = await book(server, configuration, from)
  expect(made.body.error).toBeUndefined()
  return made.body.data.booking_id
}
const statusesOf = async (...bookings: readonly string[]) => {
  const found = []
  for (const id of bookings) found.push((await readBooking(server, id)).status)
  return found
}
const triggersOf = async (bookingId: string) =>
  (await readLedger(server.app)).notifications
    .filter((one) => one.bookingId === bookingId)
    .map(({ trigger }) => trigger)
const told = async (bookingId: string, kind: string) =>
  (await mailsOf(server, bookingId)).filter((mail) => mail.kind === kind).map(({ to }) => to.email)
const waitingReminders = async (bookingId: string) =>
  (
    await server.app.database.pool.query(
      `select number from openslot.reminders where booking_id = $1 and state = 'waiting'`,
      [bookingId],
    )
  ).rows.length
/** Once more, when it has been carried out: that changes nothing. */
const again = (bookingId: string) =>
  server.app.operations.loseCalendar({ appId: server.clientId as AppId, bookingId: bookingId as BookingId })

it.each([
  ['a calendar', () => `/v3/grants/${host.grantId}/calendars/${second}`],
  ['an account', () => `/v3/grants/${host.grantId}`],
])('deleted with %s, what is to come is called off and all are told; the past stays', async (_, path) => {
  const event = { reminders: [{ type: 'email', minutes_before_event: 60, recipient: 'all' }] }
  const id = await onSecond({ event })
  const waiting = await onSecond({ event: { booking_type: 'organizer-confirmation' } })
  const past = await bookOn(id, nine)
  const booked = await bookOn(id, nine + 2 * day)
  const pending = await bookOn(waiting, nine + 3 * day)
  const other = await bookOn(
    await makeConfiguration(server, [await makeHost(server, `bob${count}@host.example`)]),
    nine + 2 * day,
  )
  expect(await waitingReminders(booked)).toBe(1)
  clockMs = 3 * day * 1_000
  await remove(path())

  await expect
    .poll(() => statusesOf(past, booked, pending, other), { timeout: 20_000, interval: 50 })
    .toEqual(['booked', 'cancelled', 'cancelled', 'booked'])
  const kept = await server.app.database.pool.query('select cancelled_by from openslot.bookings where id = $1', [
    booked,
  ])
  expect(kept.rows).toEqual([{ cancelled_by: 'calendar' }])
  expect(await triggersOf(booked)).toEqual(['booking.created', 'booking.cancelled'])
  expect(await triggersOf(pending)).toEqual(['booking.pending', 'booking.cancelled'])
  expect(await triggersOf(past)).toEqual(['booking.created'])
  expect((await told(booked, 'cancelled')).toSorted()).toEqual([host.email, 'gil@guest.example'].toSorted())
  expect(await told(pending, 'cancelled')).toContain('gil@guest.example')
  expect(await told(past, 'cancelled')).toEqual([])
  expect(await waitingReminders(booked)).toBe(0)
  expect((await again(booked)).ok).toBe(true)
  expect(await triggersOf(booked)).toEqual(['booking.created', 'booking.cancelled'])
})

it("goes on where only another host's calendar is gone, and can be called off on the one that is left", async () => {
  const bob = await makeHost(server, `bob${count}@host.example`)
  const id = await makeConfiguration(server, [host, bob])
  const bookingId = await bookOn(id, nine)
  await remove(`/v3/grants/${bob.grantId}`)
  const row = async () => (await readLedger(server.app)).bookings.find((one) => one.id === bookingId)
  await expect
    .poll(async () => (await row())?.calendars, { timeout: 20_000, interval: 50 })
    .toEqual([`${host.grantId}/${host.calendarId}`])
  expect(await statusesOf(bookingId)).toEqual(['booked'])
  expect(await triggersOf(bookingId)).toEqual(['booking.created'])
  // Its owner can still move it by its event, which asked for the calendar that is gone before.
  const event = `/v3/grants/${host.grantId}/events/${eventIdOf(bookingId as BookingId)}?calendar_id=primary`
  const moved = await server.request('PUT', event, {
    body: { when: { start_time: nine + 3_600, end_time: nine + 5_400 } },
  })
  expect(moved.body.error).toBeUndefined()
  expect((await row())?.start).toBe(nine + 3_600)
  await remove(`/v3/scheduling/bookings/${bookingId}?configuration_id=${id}`)
  expect(await statusesOf(bookingId)).toEqual(['cancelled'])
})

it('stays where the account is elsewhere: its event stands there as before', async () => {
  const username = `kim${count}@host.example`
  fake.add(username, 'x', ['work'])
  const kim = await connect(server, 'caldav', { username, password: 'x' })
  const participants = [
    participant(kim.email, {
      isOrganizer: true,
      availability: { calendar_ids: ['work'] },
      booking: { calendar_id: 'work' },
    }),
  ]
  const id = await makeConfiguration(server, [host], { participants })
  const bookingId = await bookOn(id, nine)
  await remove(`/v3/grants/${kim.grantId}`)
  const jobs = await server.app.database.pool.query(
    `select from graphile_worker.jobs where task_identifier = 'loseCalendar'`,
  )
  expect(jobs.rows.length).toBe(0)
  expect((await again(bookingId)).ok).toBe(true)
  expect(await statusesOf(bookingId)).toEqual(['booked'])
  expect(fake.events(username, 'work').map(({ id: event }) => event)).toEqual([eventIdOf(bookingId as BookingId)])
})

it('a booking that is being changed is looked at again later, but not one that has begun or is off, whatever it waits for', async () => {
  const bookingId = await bookOn(await onSecond(), nine)
  const waitsFor = (change: object) =>
    server.app.database.pool.query('update openslot.bookings set change = $2 where id = $1', [bookingId, change])
  await waitsFor({ kind: 'confirm' })
  expect((await again(bookingId)).ok).toBe(false)
  clockMs = (nine + 60) * 1_000 - Date.now()
  expect((await again(bookingId)).ok).toBe(true)
  clockMs = 0
  // Its calendar may never let the event go.
  await waitsFor({ kind: 'cancel', by: 'guest', reason: '', from: 'booked' })
  await server.app.database.pool.query(`update openslot.bookings set state = 'cancelled' where id = $1`, [bookingId])
  expect((await again(bookingId)).ok).toBe(true)
})
