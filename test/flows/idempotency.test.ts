/** `Idempotency-Key`: the same request twice is one booking, and a key is never made from business data. */
import { beforeAll, describe, expect, it } from 'vitest'

import { decodeReference, encodeSalt } from '../../src/core/booking/reference.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../support/hosts.ts'
import { findFaults, readLedger } from '../support/ledger.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let host: TestHost
let id: string
let start = nearFuture()

beforeAll(async () => {
  server = await startTestServer()
  host = await makeHost(server, 'ada@host.example')
  id = await makeConfiguration(server, [host])
})

/** A slot that no other test uses. */
function freshSlot(): number {
  start += 3_600
  return start
}

const withKey = (key: string, body?: object) => ({
  headers: { 'idempotency-key': key },
  ...(body === undefined ? {} : { body }),
})

/** As a process that died with the key in its hands leaves it. */
async function endLeases(): Promise<void> {
  await server.app.database.pool.query(
    `update openslot.idempotency_keys set response = null, lease_until = now() - interval '1 second' where response is null`,
  )
}

describe('a booking with an Idempotency-Key', () => {
  it('is answered again as it was, with a header that says so, and made once', async () => {
    const from = freshSlot()
    const first = await book(server, id, from, withKey('replay'))
    expect(first.status).toBe(200)
    expect(first.headers.get('idempotent-response')).toBeNull()
    const again = await book(server, id, from, withKey('replay'))
    expect([again.status, again.headers.get('idempotent-response')]).toEqual([200, 'true'])
    expect(again.body.data).toEqual(first.body.data)
    expect(again.body.request_id).not.toBe(first.body.request_id)
    const { bookings, notifications, events } = await readLedger(server.app)
    const made = bookings.filter((booking) => booking.start === from)
    expect(made.length).toBe(1)
    expect(events.filter(({ id: event }) => event === first.body.data.event_id).length).toBe(1)
    expect(notifications.filter(({ bookingId }) => bookingId === made[0]?.id).length).toBe(1)
  })

  it('whose answer was lost after the commit is found by the repeat (pitfall 10)', async () => {
    const from = freshSlot()
    const lost = new AbortController()
    const url = `${server.url}/v3/scheduling/bookings?configuration_id=${id}`
    const body = JSON.stringify({
      start_time: from,
      end_time: from + 1800,
      guest: { name: 'Gil Guest', email: 'gil@guest.example' },
    })
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'lost' }
    const request = fetch(url, { method: 'POST', headers, body, signal: lost.signal })
    // The answer is thrown away unread, as by a client whose connection broke.
    await request.then((response) => response.body?.cancel())
    lost.abort()
    const repeated = await book(server, id, from, withKey('lost'))
    expect([repeated.status, repeated.headers.get('idempotent-response')]).toEqual([200, 'true'])
    expect((await readLedger(server.app)).bookings.filter((booking) => booking.start === from).length).toBe(1)
  })

  it('refuses the key with another body, and books nothing (pitfall 10)', async () => {
    const from = freshSlot()
    expect((await book(server, id, from, withKey('other body'))).status).toBe(200)
    const other = await book(server, id, freshSlot(), withKey('other body'))
    expect([other.status, other.body.error.type]).toEqual([409, 'api.invalid_idempotent_request'])
    expect((await readLedger(server.app)).bookings.filter((booking) => booking.start === start).length).toBe(0)
  })

  it('says so while the first request is running (pitfall 10)', async () => {
    const from = freshSlot()
    const replies = await Promise.all(Array.from({ length: 20 }, () => book(server, id, from, withKey('running'))))
    const answered = replies.filter(({ status }) => status === 200)
    const running = replies.filter(({ status }) => status === 409)
    expect(answered.length + running.length).toBe(20)
    expect(answered.length).toBeGreaterThan(0)
    for (const { body } of running) expect(body.error.type).toBe('api.concurrent_idempotent_request')
    for (const { headers } of running) expect(headers.get('retry-after')).toBe('1')
    expect(new Set(answered.map(({ body }) => body.data.booking_id)).size).toBe(1)
    expect((await readLedger(server.app)).bookings.filter((booking) => booking.start === from).length).toBe(1)
  })

  it.each([
    ['of 257 characters', 'k'.repeat(257)],
    ['that is empty', ''],
  ])('refuses a key %s', async (_, key) => {
    const refused = await book(server, id, freshSlot(), withKey(key))
    expect([refused.status, refused.body.error]).toEqual([
      400,
      { type: 'api.invalid_idempotency_key', message: 'Idempotency-Key must be 256 characters or fewer.' },
    ])
  })

  it('takes a key of 256 characters', async () => {
    expect((await book(server, id, freshSlot(), withKey('k'.repeat(256)))).status).toBe(200)
  })

  it('whose first process died before it wrote anything is made by the repeat, once its lease has ended', async () => {
    const from = freshSlot()
    expect((await book(server, id, from, withKey('taken over'))).status).toBe(200)
    const { bookings } = await readLedger(server.app)
    const made = bookings.find((booking) => booking.start === from)
    // As if the process had died between taking the turn and the booking's transaction.
    await server.app.database.pool.query(`update openslot.idempotency_keys set response = null where object_id = $1`, [
      made?.id,
    ])
    await server.app.database.pool.query(`delete from openslot.webhook_events where object_id = $1`, [made?.id])
    await server.app.database.pool.query(`delete from openslot.events where id = $1`, [made?.eventId])
    await server.app.database.pool.query(`delete from openslot.bookings where id = $1`, [made?.id])
    const early = await book(server, id, from, withKey('taken over'))
    expect([early.status, early.body.error.type]).toEqual([409, 'api.concurrent_idempotent_request'])
    await endLeases()
    const repeated = await book(server, id, from, withKey('taken over'))
    expect([repeated.status, repeated.body.data?.booking_id]).toEqual([200, made?.id])
    expect((await book(server, id, from, withKey('taken over'))).headers.get('idempotent-response')).toBe('true')
  })

  it('whose first process died after the commit is found by the repeat, not made again', async () => {
    const from = freshSlot()
    const first = await book(server, id, from, withKey('found'))
    await server.app.database.pool.query(`update openslot.idempotency_keys set response = null where object_id = $1`, [
      first.body.data.booking_id,
    ])
    await endLeases()
    expect((await book(server, id, from, withKey('found'))).body.data).toEqual(first.body.data)
    const { bookings, notifications } = await readLedger(server.app)
    expect(bookings.filter((booking) => booking.start === from).length).toBe(1)
    expect(notifications.filter(({ bookingId }) => bookingId === first.body.data.booking_id).length).toBe(1)
  })

  it('that was refused is refused again, and another key tries again', async () => {
    const from = freshSlot()
    const blocking = (await book(server, id, from)).body.data.booking_id
    const first = await book(server, id, from, withKey('refused'))
    expect([first.status, first.headers.get('idempotent-response')]).toEqual([400, null])
    await server.request('DELETE', `/v3/scheduling/bookings/${blocking}?configuration_id=${id}`, {
      token: null,
      body: {},
    })
    const again = await book(server, id, from, withKey('refused'))
    expect([again.status, again.headers.get('idempotent-response')]).toEqual([400, 'true'])
    expect(again.body.error).toEqual(first.body.error)
    expect((await book(server, id, from, withKey('refused 2'))).status).toBe(200)
  })

  it("is no other configuration's and no other application's", async () => {
    const from = freshSlot()
    const other = await makeConfiguration(server, [await makeHost(server, 'eve@host.example')])
    const [one, two] = [
      await book(server, id, from, withKey('shared')),
      await book(server, other, from, withKey('shared')),
    ]
    expect([one.status, two.status]).toEqual([200, 200])
    expect(one.body.data.booking_id).not.toBe(two.body.data.booking_id)
  })

  it('may use the key again after a day', async () => {
    const from = freshSlot()
    expect((await book(server, id, from, withKey('old'))).status).toBe(200)
    await server.app.database.pool.query(
      `update openslot.idempotency_keys set expires_at = now() - interval '1 second'`,
    )
    const later = await book(server, id, freshSlot(), withKey('old'))
    expect([later.status, later.headers.get('idempotent-response')]).toEqual([200, null])
  })
})

describe('without a key', () => {
  it('book, cancel and book the same slot with the same mail address works (pitfall 10)', async () => {
    const from = freshSlot()
    for (const _ of [1, 2, 3]) {
      const made = await book(server, id, from)
      expect(made.status).toBe(200)
      const gone = await server.request(
        'DELETE',
        `/v3/scheduling/bookings/${made.body.data.booking_id}?configuration_id=${id}`,
        { token: null, body: {} },
      )
      expect(gone.status).toBe(200)
    }
    expect(findFaults(await readLedger(server.app))).toEqual([])
  })

  it('a lost race answers 400, or 409 to those who prefer it', async () => {
    const from = freshSlot()
    await book(server, id, from)
    const plain = await book(server, id, from)
    expect([plain.status, plain.body.error]).toEqual([
      400,
      { type: 'timeslot_not_available', message: 'The selected timeslot is unavailable' },
    ])
    const preferred = await book(server, id, from, { headers: { prefer: 'respond-async, conflict-status=409' } })
    expect([preferred.status, preferred.body.error]).toEqual([409, plain.body.error])
  })
})

describe('the other writes with an Idempotency-Key', () => {
  it('answer the repeat of a confirmation alike, also where another host organizes the booking since', async () => {
    const other = await makeHost(server, 'other@host.example')
    const asked = await makeConfiguration(server, [host, other], {
      rules: { availability_method: 'max-availability' },
      event: { booking_type: 'organizer-confirmation' },
    })
    const from = freshSlot()
    const booked = (await book(server, asked, from, { body: { participants: [{ email: host.email }] } })).body.data
    const bookings = `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${asked}`
    const [listed] = (await server.request('GET', bookings)).body.data
    const salt = encodeSalt(decodeReference(listed.organizer_booking_ref)?.salt ?? new Uint8Array())
    const path = `/v3/scheduling/bookings/${booked.booking_id}?configuration_id=${asked}`
    const confirm = (body: object, headers: Record<string, string>) =>
      server.request('PUT', path, { token: null, body: { status: 'confirmed', ...body }, headers })
    const key = { 'idempotency-key': 'confirmed once' }
    const first = await confirm({ salt }, key)
    expect(first.status).toBe(200)
    const to = freshSlot()
    const body = { start_time: to, end_time: to + 1_800, participants: [{ email: other.email }] }
    expect((await server.request('PATCH', path, { body })).status).toBe(200)
    const again = await confirm({ salt }, key)
    expect([again.status, again.body.data]).toEqual([200, first.body.data])
    // It opens nothing any more.
    expect((await confirm({ salt }, {})).status).toBe(404)
    expect((await confirm({ salt: 'AAAA' }, key)).status).toBe(404)
  })

  it('remember nothing of a confirmation with a wrong salt: the right one goes through under the same key', async () => {
    const asked = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    const { booking_id } = (await book(server, asked, freshSlot())).body.data
    const bookings = `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${asked}`
    const [listed] = (await server.request('GET', bookings)).body.data
    const salt = encodeSalt(decodeReference(listed.organizer_booking_ref)?.salt ?? new Uint8Array())
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${asked}`
    const headers = { 'idempotency-key': 'mistyped' }
    const confirm = (salt: string) =>
      server.request('PUT', path, { token: null, body: { status: 'confirmed', salt }, headers })
    for (const wrong of ['AAAA', 'AAAA', salt.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))])
      expect((await confirm(wrong)).status).toBe(404)
    const kept = `select from openslot.idempotency_keys where scope = $1`
    expect((await server.app.database.pool.query(kept, [`confirm ${booking_id}`])).rowCount).toBe(0)
    expect((await confirm(salt)).status).toBe(200)
    expect((await confirm('AAAA')).status).toBe(404)
  })

  it('move, confirm and cancel once, and answer their repeats alike', async () => {
    const asked = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    const from = freshSlot()
    const { booking_id } = (await book(server, asked, from)).body.data
    const listed = await server.request(
      'GET',
      `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${asked}`,
    )
    const salt = encodeSalt(decodeReference(listed.body.data[0].organizer_booking_ref)?.salt ?? new Uint8Array())
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${asked}`
    const target = freshSlot()
    for (const [method, body] of [
      ['PUT', { salt, status: 'confirmed' }],
      ['PATCH', { start_time: target, end_time: target + 1800 }],
      ['DELETE', { cancellation_reason: 'ill' }],
    ] as const) {
      const send = (changed = body as object) =>
        server.request(method, path, { token: null, body: changed, headers: { 'idempotency-key': 'one life' } })
      const [first, again] = [await send(), await send()]
      expect([method, first.status, again.status, again.headers.get('idempotent-response')]).toEqual([
        method,
        200,
        200,
        'true',
      ])
      expect(again.body.data).toEqual(first.body.data)
      const other =
        method === 'PUT'
          ? { salt, status: 'cancelled' }
          : method === 'PATCH'
            ? { start_time: from, end_time: from + 1800 }
            : { cancellation_reason: 'other' }
      expect((await send(other)).body.error.type).toBe('api.invalid_idempotent_request')
    }
    const { notifications } = await readLedger(server.app)
    expect(notifications.filter(({ bookingId }) => bookingId === booking_id).map(({ trigger }) => trigger)).toEqual([
      'booking.pending',
      'booking.created',
      'booking.rescheduled',
      'booking.cancelled',
    ])
  })
})
