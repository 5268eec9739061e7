/** The official Nylas package and the published curl request run a whole life of bookings, without a changed line. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { CreateConfigurationRequest } from 'nylas'
import Nylas from 'nylas'
import { beforeAll, describe, expect, it } from 'vitest'

import { makeHost, nearFuture, type TestHost } from '../support/hosts.ts'
import { findFaults, readLedger } from '../support/ledger.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let host: TestHost
// The package's types describe a module within a module; at run time the default export is the class.
const Client = Nylas as unknown as typeof Nylas.default
let nylas: InstanceType<typeof Client>
const start = nearFuture()
const guest = { name: 'Gil Guest', email: 'gil@guest.example' }

beforeAll(async () => {
  server = await startTestServer()
  host = await makeHost(server, 'ada@host.example')
  nylas = new Client({ apiKey: server.apiKey, apiUri: server.url })
})

function configurationRequest(
  more: { requiresSessionAuth?: boolean; bookingType?: 'booking' | 'organizer-confirmation' } = {},
) {
  return {
    requiresSessionAuth: more.requiresSessionAuth ?? false,
    participants: [
      {
        name: 'Ada Host',
        email: host.email,
        isOrganizer: true,
        availability: { calendarIds: ['primary'] },
        booking: { calendarId: 'primary' },
      },
    ],
    availability: { durationMinutes: 30 },
    eventBooking: {
      title: 'Intro call',
      timezone: 'UTC',
      ...(more.bookingType === undefined ? {} : { bookingType: more.bookingType }),
    },
    scheduler: { minBookingNotice: 0, availableDaysInFuture: 30 },
  } as unknown as CreateConfigurationRequest
}

/** Every configuration has an id, of which the package's types do not know. */
async function makeConfiguration(more: Parameters<typeof configurationRequest>[0] = {}) {
  const made = await nylas.scheduler.configurations.create({
    identifier: host.grantId,
    requestBody: configurationRequest(more),
  })
  return made.data as typeof made.data & { readonly id: string }
}

/** As the documentation has developers do it: decode, cut 16 and 16, the rest is the salt. */
function saltOf(reference: string): string {
  return Buffer.from(reference, 'base64').subarray(32).toString('base64url')
}

async function organizerReference(bookingId: string): Promise<string> {
  const { rows } = await server.app.database.pool.query(
    `select body from openslot.webhook_events where object_id = $1 and trigger = 'booking.pending'`,
    [bookingId],
  )
  return rows[0].body.booking_ref
}

const eventsOn = async (eventId: string) =>
  (
    await nylas.events.list({
      identifier: host.grantId,
      queryParams: { calendarId: 'primary', start: String(start - 86_400), end: String(start + 30 * 86_400) },
    })
  ).data.filter((event) => event.id === eventId)

describe('the official SDK', () => {
  it('makes a configuration, lists slots, books, finds, moves and cancels, and the event follows', async () => {
    const configuration = await makeConfiguration()
    expect(configuration.availability.durationMinutes).toBe(30)
    const found = await nylas.scheduler.configurations.find({
      identifier: host.grantId,
      configurationId: configuration.id,
    })
    expect(found.data).toEqual(configuration)
    const listed = await nylas.scheduler.configurations.list({ identifier: host.grantId })
    expect(listed.data).toContainEqual(configuration)
    const queryParams = { configurationId: configuration.id }

    const { data: session } = await nylas.scheduler.sessions.create({
      requestBody: { configurationId: configuration.id, timeToLive: 10 },
    })
    expect(session.sessionId).toEqual(expect.any(String))

    const slots = async () =>
      (
        await nylas.scheduler.availability.get({
          queryParams: { ...queryParams, startTime: start, endTime: start + 7_200 } as never,
        })
      ).data.timeSlots.map(({ startTime }) => Number(startTime))
    expect(await slots()).toEqual([start, start + 1800, start + 3600, start + 5400])

    const { data: booking } = await nylas.scheduler.bookings.create({
      queryParams,
      requestBody: { startTime: start, endTime: start + 1800, guest, participants: [{ email: host.email }] } as never,
    })
    expect(booking).toMatchObject({ status: 'booked', title: 'Intro call', organizer: { email: host.email } })
    expect(await slots()).toEqual([start + 1800, start + 3600, start + 5400])
    expect(await eventsOn(booking.eventId)).toMatchObject([
      { title: 'Intro call', when: { startTime: start, endTime: start + 1800 } },
    ])

    const { data: read } = await nylas.scheduler.bookings.find({ bookingId: booking.bookingId, queryParams })
    expect(read).toEqual(booking)

    const { data: moved } = await nylas.scheduler.bookings.reschedule({
      bookingId: booking.bookingId,
      queryParams,
      requestBody: { startTime: start + 3600, endTime: start + 5400 } as never,
    })
    expect(moved.bookingId).toBe(booking.bookingId)
    expect(await eventsOn(booking.eventId)).toMatchObject([{ when: { startTime: start + 3600 } }])

    await nylas.scheduler.bookings.destroy({
      bookingId: booking.bookingId,
      queryParams,
      requestBody: { cancellationReason: 'ill' },
    })
    expect(await eventsOn(booking.eventId)).toEqual([])
    expect((await slots()).length).toBe(4)

    await nylas.scheduler.sessions.destroy({ sessionId: session.sessionId })
    const changed = await nylas.scheduler.configurations.update({
      identifier: host.grantId,
      configurationId: configuration.id,
      requestBody: { name: 'Renamed' } as never,
    })
    expect(changed.data).toMatchObject({ id: configuration.id, name: 'Renamed' })
    await nylas.scheduler.configurations.destroy({ identifier: host.grantId, configurationId: configuration.id })
    await expect(
      nylas.scheduler.availability.get({
        queryParams: { ...queryParams, startTime: start, endTime: start + 7_200 } as never,
      }),
    ).rejects.toMatchObject({ statusCode: 404 })
  })

  it('confirms one pending booking with the salt and declines another', async () => {
    const configuration = await makeConfiguration({ bookingType: 'organizer-confirmation' })
    const queryParams = { configurationId: configuration.id }
    const create = (from: number) =>
      nylas.scheduler.bookings.create({
        queryParams,
        requestBody: { startTime: from, endTime: from + 1800, guest } as never,
      })

    const { data: pending } = await create(start + 86_400)
    expect(pending.status).toBe('pending')
    expect(await eventsOn(pending.eventId)).toMatchObject([{ title: '[PENDING] Intro call' }])
    const { data: confirmed } = await nylas.scheduler.bookings.confirm({
      bookingId: pending.bookingId,
      queryParams,
      requestBody: { salt: saltOf(await organizerReference(pending.bookingId)), status: 'confirmed' } as never,
    })
    expect(confirmed.status).toBe('booked')
    expect(await eventsOn(confirmed.eventId)).toMatchObject([{ title: 'Intro call' }])

    const { data: declined } = await create(start + 2 * 86_400)
    await nylas.scheduler.bookings.confirm({
      bookingId: declined.bookingId,
      queryParams,
      requestBody: {
        salt: saltOf(await organizerReference(declined.bookingId)),
        status: 'cancelled',
        cancellationReason: 'away',
      } as never,
    })
    expect(await eventsOn(declined.eventId)).toEqual([])
    expect((await nylas.scheduler.bookings.find({ bookingId: declined.bookingId, queryParams })).data.status).toBe(
      'cancelled',
    )
    await nylas.scheduler.bookings.destroy({ bookingId: confirmed.bookingId, queryParams })
    expect(findFaults(await readLedger(server.app))).toEqual([])
  })

  it('books with a private configuration by the session as its key, and not by the API key', async () => {
    const configuration = await makeConfiguration({ requiresSessionAuth: true })
    const from = start + 3 * 86_400
    const requestBody = { startTime: from, endTime: from + 1800, guest } as never
    await expect(
      nylas.scheduler.bookings.create({ queryParams: { configurationId: configuration.id }, requestBody }),
    ).rejects.toMatchObject({ statusCode: 401 })
    const { data: session } = await nylas.scheduler.sessions.create({
      requestBody: { configurationId: configuration.id },
    })
    const asGuest = new Client({ apiKey: session.sessionId, apiUri: server.url })
    const { data: booking } = await asGuest.scheduler.bookings.create({ requestBody })
    expect(booking.status).toBe('booked')
    expect((await asGuest.scheduler.bookings.find({ bookingId: booking.bookingId })).data).toEqual(booking)
    await asGuest.scheduler.bookings.destroy({ bookingId: booking.bookingId })
    await nylas.scheduler.sessions.destroy({ sessionId: session.sessionId })
    await expect(asGuest.scheduler.bookings.find({ bookingId: booking.bookingId })).rejects.toMatchObject({
      statusCode: 401,
    })
  })
})

describe('curl', () => {
  it.each([
    ['numbers', (seconds: number) => seconds],
    ['text', (seconds: number) => String(seconds)],
  ])('books with the request of the cookbook, times as %s', async (_, spell) => {
    const configuration = await makeConfiguration({ requiresSessionAuth: true })
    const { data: session } = await nylas.scheduler.sessions.create({
      requestBody: { configurationId: configuration.id },
    })
    const from = start + (spell(1) === 1 ? 4 : 5) * 86_400
    const body = JSON.stringify({
      start_time: spell(from),
      end_time: spell(from + 1800),
      participants: [],
      guest: { name: 'Jane Doe', email: 'jane@guest.example' },
    })
    const { stdout } = await promisify(execFile)('curl', [
      '--compressed',
      '--silent',
      '--show-error',
      '--noproxy',
      '*',
      '--request',
      'POST',
      `${server.url}/v3/scheduling/bookings`,
      '--header',
      'Content-Type: application/json',
      '--header',
      `Authorization: Bearer ${session.sessionId}`,
      '--data',
      body,
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      request_id: expect.any(String),
      data: { status: 'booked', organizer: { email: host.email } },
    })
  })
})
