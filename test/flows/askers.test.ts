/** Who may do what to a booking, by whose word it is: a guest, a host with a link of their own, the application. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { sql } from '../../src/adapters/storage/database/sql.ts'
import { instant } from '../../src/core/time/instant.ts'
import { book, makeConfiguration, makeHost, nearFuture, participant, type TestHost } from '../support/hosts.ts'
import { linksOf, mailsOf } from '../support/mails.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let clock: number | undefined
let host: TestHost
let start = nearFuture()
beforeAll(async () => {
  server = await startTestServer({ now: () => instant(clock ?? Date.now()) }, { ROLE: 'web' })
})
afterAll(() => server.close())
let hosts = 0
beforeEach(async () => {
  clock = undefined
  start += 86_400
  host = await makeHost(server, `asker${++hosts}@host.example`)
})

const bookWith = async (options: Parameters<typeof makeConfiguration>[2] = {}, body: object = {}) => {
  const configuration = await makeConfiguration(server, [host], options)
  const made = await book(server, configuration, start, { body })
  expect(made.status).toBe(200)
  return { configuration, id: made.body.data.booking_id as string }
}
type Token = string | null
const cancel = (id: string, configuration: string, token: Token) =>
  server.request('DELETE', `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`, { token, body: {} })
const move = (id: string, configuration: string, token: Token, body: object = {}) =>
  server.request('PATCH', `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`, {
    token,
    body: { start_time: start + 7_200, end_time: start + 9_000, ...body },
  })
const tokenIn = (link: string) => decodeURIComponent(link.slice(link.lastIndexOf('/') + 1))
const listed = async (id: string) =>
  (await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings?limit=50`)).body.data.find(
    (one: { booking_id: string }) => one.booking_id === id,
  )
const told = async (id: string) => {
  const rows = await server.app.database.query<{ trigger: string }>(sql`
    select trigger from openslot.webhook_events where app_id = ${server.clientId} and object_id = ${id} order by number`)
  const mails = await mailsOf(server, id)
  return { webhooks: rows.map(({ trigger }) => trigger), mails: mails.map(({ kind, to }) => `${kind} ${to.email}`) }
}

describe('the links in the mails of a host', () => {
  it('are for the host: they cancel within the notice, and as the organizer', async () => {
    const { id, configuration } = await bookWith({ scheduler: { min_cancellation_notice: 10_080 } })
    const guests = tokenIn((await linksOf(server, id)).cancel)
    const organizers = tokenIn((await linksOf(server, id, 'organizer')).cancel)
    expect(organizers).not.toBe(guests)
    const late = await cancel(id, configuration, guests)
    expect([late.status, late.body.error.message]).toEqual([
      400,
      'The booking cannot be cancelled within 10080 minutes of the event',
    ])
    expect((await cancel(id, configuration, organizers)).status).toBe(200)
    expect(await listed(id)).toMatchObject({ status: 'cancelled', cancelled_by: 'organizer' })
    const [row] = await server.app.database.query<{ actor: string }>(sql`
      select actor from openslot.audit_log where app_id = ${server.clientId} and target = ${id} and action = 'booking.cancel'`)
    expect(row?.actor).toBe(`organizer:${id}`)
  })

  it('move too, and end with the one who organizes', async () => {
    const other = await makeHost(server, `other${hosts}@host.example`)
    const { id, configuration } = await bookWith(
      {
        rules: { availability_method: 'max-availability' },
        participants: [participant(host.email), participant(other.email)],
      },
      { participants: [{ email: host.email }] },
    )
    const token = tokenIn((await linksOf(server, id, 'organizer')).reschedule)
    expect((await move(id, configuration, token, { participants: [{ email: other.email }] })).status).toBe(200)
    expect((await cancel(id, configuration, token)).status).toBe(401)
    // Nobody's booking was moved for who joins: it is a new one.
    expect((await told(id)).mails.slice(2)).toEqual([
      'rescheduled gil@guest.example',
      `confirmed ${other.email}`,
      `cancelled ${host.email}`,
    ])
  })
})

describe('a booking that has begun', () => {
  it.each([0, 3_600])(
    '%s seconds ago is changed by the application alone, which keeps records straight',
    async (since) => {
      const { id, configuration } = await bookWith()
      const links = [await linksOf(server, id), await linksOf(server, id, 'organizer')]
      const before = await told(id)
      clock = (start + since) * 1_000
      for (const token of [null, ...links.map(({ cancel: link }) => tokenIn(link))])
        for (const answer of [await cancel(id, configuration, token), await move(id, configuration, token)])
          expect([answer.status, answer.body.error.message]).toEqual([
            400,
            'The booking has begun and can no longer be changed',
          ])
      expect(await told(id)).toEqual(before)
      expect((await move(id, configuration, server.apiKey)).status).toBe(200)
      clock = (start + 86_400) * 1_000
      expect((await cancel(id, configuration, server.apiKey)).status).toBe(200)
      // Ended is ended, whenever it was to be.
      expect((await cancel(id, configuration, null)).body.error.message).toBe('The booking is already cancelled')
    },
  )

  it('is still the guest’s a millisecond before', async () => {
    const { id, configuration } = await bookWith()
    clock = start * 1_000 - 1
    expect((await cancel(id, configuration, null)).status).toBe(200)
  })
})

it('a request whose time has passed cannot be confirmed, and can be declined', async () => {
  const { id, configuration } = await bookWith({ event: { booking_type: 'organizer-confirmation' } })
  const { organizer_booking_ref: reference } = await listed(id)
  const salt = Buffer.from(reference, 'base64').subarray(32).toString('base64url')
  const answer = (status: string) =>
    server.request('PUT', `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`, {
      token: null,
      body: { salt, status },
    })
  clock = start * 1_000
  const late = await answer('confirmed')
  expect([late.status, late.body.error.message]).toEqual([
    400,
    'The time of this request has passed; it can no longer be confirmed',
  ])
  expect((await told(id)).webhooks).toEqual(['booking.pending'])
  expect((await answer('cancelled')).status).toBe(200)
  expect((await told(id)).webhooks).toEqual(['booking.pending', 'booking.cancelled'])
})

describe('a move', () => {
  const stay = () => ({ start_time: start, end_time: start + 1_800 })

  it('that changes nothing does nothing, whoever asks, and however they say it', async () => {
    const fields = { topic: { label: 'Topic', type: 'text' }, about: { label: 'About', type: 'text' } }
    const guest = { name: 'Gil Guest', email: 'gil@guest.example' }
    const body = {
      additional_fields: { topic: 'a', about: 'b' },
      additional_guests: [{ name: 'E', email: 'e@g.example' }],
    }
    const { id, configuration } = await bookWith({ scheduler: { additional_fields: fields } }, body)
    const before = [await told(id), await listed(id)]
    for (const more of [
      {},
      { guest },
      { ...body, additional_fields: { about: 'b', topic: 'a' } },
      { participants: [] },
    ])
      for (const token of [null, server.apiKey]) {
        const { status, body: answered } = await move(id, configuration, token, { ...stay(), ...more })
        expect([status, answered.data]).toMatchObject([200, { booking_id: id, version: before[1].version }])
      }
    const same = { participants: [{ email: host.email.toUpperCase() }] }
    expect((await move(id, configuration, null, { ...stay(), ...same })).body.data?.version).toBe(before[1].version)
    expect([await told(id), await listed(id)]).toEqual(before)
  })

  it('that brings only where and how the guest reads by now is told to nobody, whatever the configuration says by now', async () => {
    const { id, configuration } = await bookWith()
    const before = await told(id)
    const renamed = await server.request(
      'PUT',
      `/v3/grants/${host.grantId}/scheduling/configurations/${configuration}`,
      { body: { event_booking: { title: 'Another name' } } },
    )
    expect(renamed.status).toBe(200)
    const reads = { timezone: 'Asia/Tokyo', email_language: 'ja' }
    const { status, body } = await move(id, configuration, null, { ...stay(), ...reads })
    expect([status, body.data.title]).toEqual([200, 'Intro call'])
    expect([await told(id), await listed(id)]).toMatchObject([before, { title: 'Intro call', timezone: 'Asia/Tokyo' }])
    expect((await cancel(id, configuration, null)).status).toBe(200)
    const mail = (await mailsOf(server, id)).find(({ kind, role }) => kind === 'cancelled' && role === 'guest')
    expect((await server.request('GET', `/v3/mails/${mail?.id}`)).body.data).toMatchObject({
      language: 'ja',
      text: expect.stringContaining('Asia/Tokyo'),
    })
  })

  it('of other guests to the same time confirms to who joins, and tells the others what has changed', async () => {
    const joined = { name: 'Flo', email: 'flo@guest.example' }
    const { id, configuration } = await bookWith({}, { additional_guests: [{ name: 'E', email: 'e@g.example' }] })
    expect((await move(id, configuration, null, { ...stay(), guest: joined })).status).toBe(200)
    const { webhooks, mails } = await told(id)
    expect(webhooks).toEqual(['booking.created', 'booking.rescheduled'])
    expect(mails.slice(3)).toEqual([
      'confirmed flo@guest.example',
      'changed e@g.example',
      `changed ${host.email}`,
      'cancelled gil@guest.example',
    ])
  })

  it('of a request to the same time asks anew, and says nothing of another time', async () => {
    const { id, configuration } = await bookWith({ event: { booking_type: 'organizer-confirmation' } })
    const more = { ...stay(), additional_guests: [{ name: 'E', email: 'e@g.example' }] }
    expect((await move(id, configuration, null, more)).status).toBe(200)
    expect((await told(id)).mails.slice(2)).toEqual([
      `confirmation_request ${host.email}`,
      'request_received gil@guest.example',
    ])
    const [mail] = (await mailsOf(server, id)).slice(2)
    expect((await server.request('GET', `/v3/mails/${mail?.id}`)).body.data.text).not.toContain('Before')
  })
})
