/** A booking's whole life over HTTP: made, read, moved, confirmed, declined, called off. */
import { beforeAll, describe, expect, it } from 'vitest'

import { decodeReference, encodeSalt } from '../../src/core/booking/reference.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../support/hosts.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let host: TestHost
const start = nearFuture()

beforeAll(async () => {
  server = await startTestServer()
  host = await makeHost(server, 'ada@host.example')
})

const events = async (from = start - 86_400) =>
  (
    await server.request(
      'GET',
      `/v3/grants/${host.grantId}/events?calendar_id=primary&start=${from}&end=${from + 30 * 86_400}`,
    )
  ).body.data

describe('a booking', () => {
  it('is made, listed as gone, read, moved and called off, and its event follows', async () => {
    const id = await makeConfiguration(server, [host])
    const slots = async () =>
      (
        await server.request(
          'GET',
          `/v3/scheduling/availability?configuration_id=${id}&start_time=${start}&end_time=${start + 7200}`,
          { token: null },
        )
      ).body.data.time_slots
    expect((await slots()).map((slot: { start_time: number }) => slot.start_time)).toEqual([
      start,
      start + 1800,
      start + 3600,
      start + 5400,
    ])

    const made = await book(server, id, start)
    expect(made.body).toMatchObject({
      data: { status: 'booked', title: 'Intro call', organizer: { email: host.email, name: 'ada' } },
    })
    expect(made.status).toBe(200)
    const { booking_id, event_id } = made.body.data
    expect((await slots()).map((slot: { start_time: number }) => slot.start_time)).toEqual([
      start + 1800,
      start + 3600,
      start + 5400,
    ])

    const event = await server.request('GET', `/v3/grants/${host.grantId}/events/${event_id}?calendar_id=primary`)
    expect(event.body.data).toMatchObject({
      when: { start_time: start, end_time: start + 1800 },
      metadata: { key5: id, source: 'scheduler', scheduler_last_start: String(start) },
    })
    expect(event.body.data.participants.map(({ email }: { email: string }) => email)).toContain('gil@guest.example')

    const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`, {
      token: null,
      body: { start_time: String(start + 1800), end_time: String(start + 3600) },
    })
    expect(moved.body.data).toMatchObject({ booking_id, event_id, status: 'booked' })
    expect((await events()).filter((item: { id: string }) => item.id === event_id)).toMatchObject([
      { when: { start_time: start + 1800 } },
    ])

    const read = await server.request('GET', `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`, {
      token: null,
    })
    expect(read.body.data).toEqual(moved.body.data)

    const gone = await server.request('DELETE', `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`, {
      token: null,
      body: { cancellation_reason: 'Ill today', action: 'cancel' },
    })
    expect(gone.body).toEqual({ request_id: expect.any(String) })
    expect((await events()).filter((item: { id: string }) => item.id === event_id)).toEqual([])
    expect((await slots()).length).toBe(4)
    const again = await server.request('DELETE', `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`, {
      token: null,
    })
    expect(again.status).toBe(400)
  })

  it("of an organizer-confirmation waits, and only the organizer's salt confirms it", async () => {
    const id = await makeConfiguration(server, [host], {
      event: { booking_type: 'organizer-confirmation', title: 'Chat with ${invitee}' },
    })
    const made = await book(server, id, start + 86_400)
    expect(made.body.data.status).toBe('pending')
    const { booking_id, event_id, booking_ref } = made.body.data
    const event = (await server.request('GET', `/v3/grants/${host.grantId}/events/${event_id}?calendar_id=primary`))
      .body.data
    expect(event.title).toBe('[PENDING] Chat with Gil Guest')
    expect(JSON.stringify(event.participants)).not.toContain('gil@guest.example')

    const put = (salt: string, status: string) =>
      server.request('PUT', `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`, {
        token: null,
        body: { salt, status },
      })
    const guestSalt = encodeSalt(decodeReference(booking_ref)?.salt ?? new Uint8Array())
    expect((await put(guestSalt, 'confirmed')).status).toBe(404)

    const listed = await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${id}`)
    const bytes = decodeReference(listed.body.data[0].organizer_booking_ref)?.salt ?? new Uint8Array()
    const salt = encodeSalt(bytes)
    const flipped = Array.from({ length: bytes.length * 8 }, (_, bit) =>
      encodeSalt(bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))),
    )
    expect(flipped.length).toBeGreaterThanOrEqual(128)
    const refused = await Promise.all(flipped.map((other) => put(other, 'confirmed')))
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([404]))
    const confirmed = await put(salt, 'confirmed')
    expect(confirmed.body.data).toMatchObject({ status: 'booked', event_id })
    const real = (await server.request('GET', `/v3/grants/${host.grantId}/events/${event_id}?calendar_id=primary`)).body
      .data
    expect(real.title).toBe('Chat with Gil Guest')
    expect(JSON.stringify(real.participants)).toContain('gil@guest.example')
    expect((await put(salt, 'confirmed')).status).toBe(400)
  })

  it('is answered for the time that the organizer was shown, where they say which', async () => {
    const id = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    const shown = start + 2 * 86_400
    const { booking_id, booking_ref } = (await book(server, id, shown)).body.data
    const listed = await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${id}`)
    const salt = encodeSalt(decodeReference(listed.body.data[0].organizer_booking_ref)?.salt ?? new Uint8Array())
    const put = (body: object, headers: Record<string, string> = {}) =>
      server.request('PUT', `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`, {
        token: null,
        headers,
        body: { salt, ...body },
      })
    const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking_id}`, {
      token: booking_ref,
      body: { start_time: shown + 3_600, end_time: shown + 5_400 },
    })
    expect(moved.status).toBe(200)

    for (const word of [{ status: 'confirmed' }, { status: 'cancelled', cancellation_reason: 'No' }])
      for (const [headers, status] of [
        [{}, 400],
        [{ prefer: 'conflict-status=409', 'idempotency-key': `shown ${word.status}` }, 409],
      ] as const) {
        const refused = await put({ ...word, start_time: shown }, headers)
        expect(refused.status).toBe(status)
        expect(refused.body.error).toMatchObject({
          type: 'invalid_request_error',
          message: expect.stringMatching(/^start_time: .* moved/),
        })
      }
    expect((await put({ status: 'confirmed', start_time: 'soon' })).body.error.message).toContain('start_time')
    expect((await put({ status: 'confirmed', start_time: String(shown + 3_600) })).body.data).toMatchObject({
      status: 'booked',
    })
  })

  it('is answered at whatever time it has, where nobody says which was shown', async () => {
    const id = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    const { booking_id, booking_ref } = (await book(server, id, start + 3 * 86_400)).body.data
    const listed = await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${id}`)
    const salt = encodeSalt(decodeReference(listed.body.data[0].organizer_booking_ref)?.salt ?? new Uint8Array())
    await server.request('PATCH', `/v3/scheduling/bookings/${booking_id}`, {
      token: booking_ref,
      body: { start_time: start + 3 * 86_400 + 3_600, end_time: start + 3 * 86_400 + 5_400 },
    })
    const confirmed = await server.request('PUT', `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`, {
      token: null,
      body: { salt, status: 'confirmed', start_time: null },
    })
    expect(confirmed.body.data).toMatchObject({ status: 'booked' })
  })
})

describe('a booking that was moved since a guest was shown it', () => {
  it.each(['DELETE', 'PATCH'] as const)('is left alone by a %s that says which start was shown', async (method) => {
    const id = await makeConfiguration(server, [host])
    const shown = start + (method === 'DELETE' ? 4 : 5) * 86_400
    const { booking_id, booking_ref: token } = (await book(server, id, shown)).body.data
    const path = `/v3/scheduling/bookings/${booking_id}`
    const change = (shownStart: unknown, headers: Record<string, string> = {}) =>
      server.request(method, path, {
        token,
        headers,
        body:
          method === 'DELETE'
            ? { start_time: shownStart }
            : { start_time: shown + 7_200, end_time: shown + 9_000, shown_start_time: shownStart },
      })
    const moved = await server.request('PATCH', path, {
      token,
      body: { start_time: shown + 3_600, end_time: shown + 5_400, shown_start_time: shown },
    })
    expect(moved.status).toBe(200)
    for (const [headers, status] of [
      [{}, 400],
      [{ prefer: 'conflict-status=409', 'idempotency-key': `moved ${method}` }, 409],
    ] as const) {
      const refused = await change(shown, headers)
      expect(refused.status).toBe(status)
      expect(refused.body.error).toMatchObject({
        type: 'invalid_request_error',
        message: expect.stringMatching(/^(shown_)?start_time: .* moved/),
      })
    }
    expect((await change('soon')).body.error.message).toContain('start_time')
    expect((await change(String(shown + 3_600))).status).toBe(200)
    if (method === 'DELETE') return
    // One that has ended is not looked for slots.
    expect((await server.request('DELETE', path, { token, body: { start_time: null } })).status).toBe(200)
    expect((await change(shown + 7_200)).body.error.message).toBe('The booking is already cancelled')
  })
})
