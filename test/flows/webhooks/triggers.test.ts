/** A real receiver hears of every change exactly once, signed, in the published shape, whichever way the change came. */
import { createHmac } from 'node:crypto'

import Nylas from 'nylas'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { eventIdOf } from '../../../src/adapters/storage/database/ids.ts'
import { decodeReference, encodeSalt } from '../../../src/core/booking/reference.ts'
import type { BookingId } from '../../../src/core/ids.ts'
import { bookingTriggers, makeEndpoint, type TestEndpoint } from '../../support/endpoints.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { type Received, type Receiver, startReceiver } from '../../support/receiver.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

const Client = Nylas as unknown as typeof Nylas.default
const start = nearFuture()
let server: TestServer
let receiver: Receiver
let endpoint: TestEndpoint
let host: TestHost
let day = 0

beforeAll(async () => {
  server = await startTestServer()
  receiver = await startReceiver()
  host = await makeHost(server, 'ada@host.example', 'Europe/Berlin')
  endpoint = await makeEndpoint(server, receiver.url, [
    ...bookingTriggers,
    'event.created',
    'event.updated',
    'event.deleted',
    'calendar.created',
    'calendar.updated',
    'calendar.deleted',
    'grant.created',
    'grant.updated',
    'grant.deleted',
  ])
})
afterAll(() => receiver.close())
beforeEach(() => {
  receiver.received.length = 0
  day++
})

const links = {
  rescheduling_url: 'https://app.example/r/:booking_ref',
  cancellation_url: 'https://app.example/c/:booking_ref',
  organizer_confirmation_url: 'https://app.example/o/:booking_ref',
}
const at = () => start + day * 86_400
const isBooking = ({ json }: Received) => json.type.startsWith('booking.')
const isAbout = (id: string) => (received: Received) =>
  isBooking(received) && received.json.data.object.booking_id === id

/** `booking_info` as every trigger has it. */
const info = (from: number) => ({
  event_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  start_time: from,
  end_time: from + 1_800,
  participants: [
    { email: 'ada@host.example', name: 'ada' },
    { email: 'gil@guest.example', name: 'Gil Guest' },
  ],
  additional_fields: null,
  hide_cancellation_options: false,
  hide_rescheduling_options: false,
  participant_rescheduling_url: expect.stringMatching(/^https:\/\/app\.example\/r\/[\w%-]{40,}$/),
  participant_cancellation_url: expect.stringMatching(/^https:\/\/app\.example\/c\/[\w%-]{40,}$/),
  host_language: 'en',
  guest_language: 'en',
  title: 'Intro call',
  duration: 30,
  location: '',
  organizer_timezone: 'UTC',
  guest_timezone: expect.any(String),
  is_group_event: false,
  organizer_calendar_id: host.calendarId,
  event_description: expect.any(String),
  event_html_link: '',
  ical_uid: expect.stringContaining('@openslot'),
})

const envelope = (type: string, sequence: number, object: object) => ({
  specversion: '1.0',
  type,
  source: '/nylas/passthru',
  id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  time: expect.any(Number),
  sequence,
  webhook_delivery_attempt: 1,
  data: { application_id: server.clientId, grant_id: host.grantId, object },
})

describe('a booking', () => {
  it('is told of when it is made, moved and cancelled, exactly once each, in order', async () => {
    const configuration = await makeConfiguration(server, [host], { scheduler: links })
    const booked = await book(server, configuration, at())
    const id = booked.body.data.booking_id as string
    const query = `configuration_id=${configuration}`
    await receiver.waitFor(1, isAbout(id))
    const moved = { start_time: at() + 3_600, end_time: at() + 5_400 }
    expect(
      (await server.request('PATCH', `/v3/scheduling/bookings/${id}?${query}`, { token: null, body: moved })).status,
    ).toBe(200)
    await receiver.waitFor(2, isAbout(id))
    const cancelled = await server.request('DELETE', `/v3/scheduling/bookings/${id}?${query}`, {
      token: null,
      body: { cancellation_reason: 'Ill today' },
    })
    expect(cancelled.status).toBe(200)
    const got = await receiver.waitFor(3, isAbout(id))
    const ids = { booking_id: id, configuration_id: configuration }
    const reference = expect.stringMatching(/^[\w+/-]{60,}=*$/)
    expect(got.map(({ json }) => json)).toEqual([
      envelope('booking.created', 1, { ...ids, booking_ref: reference, object: 'booking', booking_info: info(at()) }),
      envelope('booking.rescheduled', 2, {
        ...ids,
        booking_ref: reference,
        object: 'booking',
        booking_info: { ...info(at() + 3_600), old_start_time: at(), old_end_time: at() + 1_800 },
      }),
      envelope('booking.cancelled', 3, {
        ...ids,
        booking_info: { ...info(at() + 3_600), cancellation_reason: 'Ill today' },
      }),
    ])
    expect(decodeReference(got[0]?.json.data.object.booking_ref)?.bookingId).toBe(id)
  })

  it('that waits for its organizer is told of as pending, and as created when they confirm', async () => {
    const configuration = await makeConfiguration(server, [host], {
      scheduler: links,
      event: { booking_type: 'organizer-confirmation' },
    })
    const booked = await book(server, configuration, at())
    const id = booked.body.data.booking_id as string
    const [pending] = await receiver.waitFor(1, isAbout(id))
    expect(pending?.json).toEqual(
      envelope('booking.pending', 1, {
        booking_id: id,
        configuration_id: configuration,
        booking_ref: expect.any(String),
        booking_type: 'organizer-confirmation',
        booking_info: { ...info(at()), host_confirmation_url: expect.stringContaining('https://app.example/o/') },
      }),
    )
    const salt = encodeSalt(decodeReference(pending?.json.data.object.booking_ref)?.salt ?? new Uint8Array())
    const confirmed = await server.request('PUT', `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`, {
      token: null,
      body: { salt, status: 'confirmed' },
    })
    expect(confirmed.status).toBe(200)
    const got = await receiver.waitFor(2, isAbout(id))
    expect(got.map(({ json }) => json.type)).toEqual(['booking.pending', 'booking.created'])
  })

  it('that is declined is told of as cancelled', async () => {
    const configuration = await makeConfiguration(server, [host], {
      scheduler: links,
      event: { booking_type: 'organizer-confirmation' },
    })
    const id = (await book(server, configuration, at())).body.data.booking_id as string
    const [pending] = await receiver.waitFor(1, isAbout(id))
    const salt = encodeSalt(decodeReference(pending?.json.data.object.booking_ref)?.salt ?? new Uint8Array())
    await server.request('PUT', `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`, {
      token: null,
      body: { salt, status: 'cancelled', cancellation_reason: 'No' },
    })
    const got = await receiver.waitFor(2, isAbout(id))
    expect(got.map(({ json }) => json.type)).toEqual(['booking.pending', 'booking.cancelled'])
  })

  it('gives the same notification by session, by key and by the official SDK', async () => {
    const configuration = await makeConfiguration(server, [host], { scheduler: links })
    const session = await server.request('POST', '/v3/scheduling/sessions', {
      body: { configuration_id: configuration },
    })
    const body = { guest: { name: 'Gil Guest', email: 'gil@guest.example' } }
    const ids = [
      (await book(server, configuration, at())).body.data.booking_id,
      (
        await server.request('POST', '/v3/scheduling/bookings', {
          token: session.body.data.session_id,
          body: { ...body, start_time: at() + 1_800, end_time: at() + 3_600 },
        })
      ).body.data.booking_id,
      (
        await server.request('POST', `/v3/scheduling/bookings?configuration_id=${configuration}`, {
          body: { ...body, start_time: at() + 3_600, end_time: at() + 5_400 },
        })
      ).body.data.booking_id,
      (
        await new Client({ apiKey: server.apiKey, apiUri: server.url }).scheduler.bookings.create({
          queryParams: { configurationId: configuration },
          requestBody: { ...body, startTime: at() + 5_400, endTime: at() + 7_200 },
        })
      ).data.bookingId,
    ]
    const got = await receiver.waitFor(4, (received) => ids.some((id) => isAbout(id)(received)))
    expect(got.map(({ json }) => json.data.object.booking_id).toSorted()).toEqual(ids.toSorted())
    for (const { json } of got)
      expect(json).toEqual(
        envelope('booking.created', 1, {
          booking_id: expect.any(String),
          configuration_id: configuration,
          booking_ref: expect.any(String),
          object: 'booking',
          booking_info: info(json.data.object.booking_info.start_time),
        }),
      )
  })

  it('places, moves and removes an event, and each is told of', async () => {
    const configuration = await makeConfiguration(server, [host], { scheduler: links })
    const id = (await book(server, configuration, at())).body.data.booking_id as BookingId
    const isEvent = ({ json }: Received) => json.type.startsWith('event.') && json.data.object.id === eventIdOf(id)
    await receiver.waitFor(1, isEvent)
    const query = `configuration_id=${configuration}`
    const moved = { start_time: at() + 3_600, end_time: at() + 5_400 }
    await server.request('PATCH', `/v3/scheduling/bookings/${id}?${query}`, { token: null, body: moved })
    await receiver.waitFor(2, isEvent)
    await server.request('DELETE', `/v3/scheduling/bookings/${id}?${query}`, { token: null, body: {} })
    const got = await receiver.waitFor(3, isEvent)
    // The last word about the booking, on a way of its own, must not reach the next test.
    await receiver.waitFor(1, ({ json }) => json.type === 'booking.cancelled' && json.data.object.booking_id === id)
    expect(got.map(({ json }) => [json.type, json.data.object.when?.start_time])).toEqual([
      ['event.created', at()],
      ['event.updated', at() + 3_600],
      ['event.deleted', undefined],
    ])
    expect(got[0]?.json.data.object).toMatchObject({
      object: 'event',
      grant_id: host.grantId,
      calendar_id: host.calendarId,
      status: 'confirmed',
      metadata: { source: 'scheduler', key5: configuration },
    })
    // As the payloads of the wire have it.
    expect(got.map(({ json }) => 'creator' in json.data.object)).toEqual([true, false, false])
    // By it receivers tell the events of bookings from others, to the end.
    expect(got[2]?.json.data.object).toEqual({
      object: 'event',
      id: eventIdOf(id),
      grant_id: host.grantId,
      calendar_id: host.calendarId,
      metadata: got[1]?.json.data.object.metadata,
    })
  })
})

describe('a calendar and a grant', () => {
  it('are told of', async () => {
    const other = await makeHost(server, `other${day}@host.example`)
    const path = `/v3/grants/${other.grantId}/calendars`
    const second = (await server.request('POST', path, { body: { name: 'Second' } })).body.data.id
    await server.request('PUT', `${path}/${second}`, { body: { name: 'Renamed' } })
    await server.request('DELETE', `${path}/${second}`)
    await server.request('DELETE', `/v3/grants/${other.grantId}`)
    const got = await receiver.waitFor(6)
    expect(new Set(got.map(({ json }) => json.id)).size).toBe(6)
    expect(got.map(({ json }) => `${json.type} ${json.source}`).toSorted()).toEqual(
      [
        'grant.created /nylas/system',
        'calendar.created /virtual-calendar/calendars/realtime',
        'calendar.created /virtual-calendar/calendars/realtime',
        'calendar.updated /virtual-calendar/calendars/realtime',
        'calendar.deleted /virtual-calendar/calendars/realtime',
        'grant.deleted /nylas/system',
      ].toSorted(),
    )
    expect(got.find(({ json }) => json.type === 'grant.created')?.json.data).toEqual({
      application_id: server.clientId,
      object: {
        code: 25_012,
        grant_id: other.grantId,
        integration_id: server.clientId,
        provider: 'virtual-calendar',
        email: other.email,
        name: '',
        scope: [],
      },
    })
  })
})

describe('a signature', () => {
  it('is verified by the package of Standard Webhooks and by hand, over the exact bytes', async () => {
    await server.request('POST', `/v3/grants/${host.grantId}/calendars`, { body: { name: `Signed ${day}` } })
    const [got] = await receiver.waitFor(1)
    if (got === undefined) throw new Error('nothing came')
    const verifier = new Webhook(endpoint.secret)
    expect(verifier.verify(got.raw.toString(), got.headers)).toEqual(got.json)
    expect(() => verifier.verify(`${got.raw} `, got.headers)).toThrow()
    expect(got.headers['x-nylas-signature']).toBe(createHmac('sha256', endpoint.secret).update(got.raw).digest('hex'))
    expect(got.headers['webhook-id']).toBe(got.json.id)
    expect(got.headers['content-type']).toBe('application/json')
  })
})
