/** What a stranger can do with a booking that is theirs: move and cancel it, and not have us write to the world. */
import { beforeAll, describe, expect, it } from 'vitest'

import { makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let configurationId: string
const start = nearFuture()
const path = '/v3/scheduling/bookings'

beforeAll(async () => {
  server = await startTestServer({}, { RATE_LIMIT: 'on', TRUSTED_PROXIES: '127.0.0.1' })
  configurationId = await makeConfiguration(server, [await makeHost(server, 'ada@host.example')])
})

let slot = 0
const span = () => {
  slot += 1
  return { start_time: start + slot * 1_800, end_time: start + (slot + 1) * 1_800 }
}
type Asked = { readonly address: string; readonly token?: string | null; readonly body?: object }
const call = (method: string, id: string, { address, token = null, body }: Asked) =>
  server.request(method, `${path}${id === '' ? '' : `/${id}`}?configuration_id=${configurationId}`, {
    token,
    headers: { 'x-forwarded-for': address },
    ...(body === undefined ? {} : { body }),
  })
const guest = { name: 'Gil', email: 'gil@guest.example' }
async function book(address: string): Promise<string> {
  const booked = await call('POST', '', { address, body: { ...span(), guest } })
  expect(booked.status).toBe(200)
  return booked.body.data.booking_id
}
const strangers = (count: number, mark: string) =>
  Array.from({ length: count }, (_, index) => ({ name: 'x', email: `${mark}-${index}@victim.example` }))
async function recipientsOf(id: string): Promise<Set<string>> {
  const mails = await server.request('GET', `/v3/mails?booking_id=${id}&limit=200`)
  expect(mails.body.next_cursor).toBeUndefined()
  return new Set(mails.body.data.map((mail: { to: { email: string } }) => mail.to.email))
}

describe('a booking moved by who holds it', () => {
  it('takes in eleven other people in all, and then moves without new ones only', async () => {
    const id = await book('192.0.2.1')
    const move = (body: object, token: string | null = null) =>
      call('PATCH', id, { address: '192.0.2.1', token, body: { ...span(), ...body } })
    const first = { guest, additional_guests: strangers(8, 'first') }
    expect((await move(first)).status).toBe(200)
    expect((await move(first)).status).toBe(200)
    const refused = await move({ guest, additional_guests: strangers(4, 'second') })
    expect(refused.status).toBe(400)
    expect(refused.body.error.message).toMatch(/^additional_guests: .*11 other people/)
    expect((await move({ guest, additional_guests: strangers(3, 'third') })).status).toBe(200)
    const another = await move({ guest: { name: 'Vic', email: 'vic@victim.example' } })
    expect(another.status).toBe(400)
    expect(another.body.error.message).toMatch(/^guest\.email: /)
    expect((await move({})).status).toBe(200)
    const written = await recipientsOf(id)
    expect([...written].filter((email) => email.endsWith('@victim.example'))).toHaveLength(11)
    expect([...written].some((email) => email.startsWith('second-') || email.startsWith('vic@'))).toBe(false)

    // The application's own word is not counted, and makes no room either.
    expect((await move({ guest, additional_guests: strangers(10, 'invited') }, server.apiKey)).status).toBe(200)
    expect((await move({ guest, additional_guests: strangers(1, 'late') })).status).toBe(400)
  })

  it('is moved twice and called off by a guest whose page sends everything each time', async () => {
    const id = await book('192.0.2.2')
    const said = { guest, additional_guests: strangers(10, 'colleague'), timezone: 'Europe/Berlin' }
    const asked = [
      ['PATCH', { ...span(), ...said }],
      ['PATCH', { ...span(), ...said }],
      ['DELETE', said],
    ] as const
    for (const [method, body] of asked)
      expect((await call(method, id, { address: '192.0.2.2', body })).status).toBe(200)
  })

  it('may be tried to change 20 times a minute from one address, whatever comes of it', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000'
    const statuses: number[] = []
    for (let index = 0; index < 21; index++)
      statuses.push((await call('DELETE', unknown, { address: '192.0.2.3', body: {} })).status)
    expect(statuses.indexOf(429)).toBe(20)
    const refused = await call('PATCH', await book('192.0.2.3'), { address: '192.0.2.3', body: span() })
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await call('DELETE', unknown, { address: '192.0.2.4', body: {} })).status).toBe(404)
    expect((await call('DELETE', unknown, { address: '192.0.2.3', token: server.apiKey, body: {} })).status).toBe(404)
  })

  it('is asked to stay where it is as often as its page likes, and no move is counted', async () => {
    const made = await server.request('POST', '/v3/scheduling/sessions', {
      body: { configuration_id: configurationId },
    })
    const session = made.body.data.session_id
    const id = await book('192.0.2.7')
    const stays = { start_time: start + slot * 1_800, end_time: start + (slot + 1) * 1_800 }
    const again = () =>
      server.request('PATCH', `${path}/${id}?configuration_id=${configurationId}`, {
        token: session,
        headers: { 'idempotency-key': 'stay' },
        body: stays,
      })
    expect((await again()).headers.get('idempotent-response')).toBeNull()
    expect((await again()).headers.get('idempotent-response')).toBe('true')
    const statuses: number[] = []
    for (let index = 0; index < 11; index++)
      statuses.push((await call('PATCH', id, { address: '192.0.2.7', token: session, body: stays })).status)
    expect(statuses).not.toContain(429)
    expect((await call('PATCH', id, { address: '192.0.2.7', token: session, body: span() })).status).toBe(200)
  })

  it('moves ten times an hour, with whatever right, and is called off after that all the same', async () => {
    const made = await server.request('POST', '/v3/scheduling/sessions', {
      body: { configuration_id: configurationId },
    })
    const session = made.body.data.session_id
    const id = await book('192.0.2.5')
    const statuses: number[] = []
    for (let index = 0; index < 11; index++)
      statuses.push((await call('PATCH', id, { address: '192.0.2.5', token: session, body: span() })).status)
    expect(statuses.indexOf(429)).toBe(10)
    expect((await call('PATCH', id, { address: '192.0.2.6', body: span() })).status).toBe(429)
    expect((await call('PATCH', id, { address: '192.0.2.5', token: server.apiKey, body: span() })).status).toBe(200)
    expect((await call('DELETE', id, { address: '192.0.2.6' })).status).toBe(200)
  })
})
