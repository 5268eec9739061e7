/** What a key made ends with the key, and who did what from where can be read afterwards. */
import { describe, expect, it } from 'vitest'

import { makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { startTestServer } from '../../support/server.ts'

const server = await startTestServer({}, { TRUSTED_PROXIES: '127.0.0.1' })
const host = await makeHost(server, 'ada@host.example')
const configurationId = await makeConfiguration(server, [host])
const start = nearFuture()

async function makeKey(): Promise<{ keyId: string; apiKey: string }> {
  const made = await server.app.operations.createKey({ name: 'extra', applicationId: server.clientId })
  if (!made.ok) throw new Error(made.problem.message)
  return made.value
}
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
const openSession = async (token: string) =>
  (await server.request('POST', '/v3/scheduling/sessions', { token, body: { configuration_id: configurationId } })).body
    .data.session_id
const issueToken = async (secret: string, address = '192.0.2.1') =>
  (
    await server.request('POST', '/v3/connect/token', {
      token: null,
      ...from(address),
      body: {
        grant_type: 'client_credentials',
        client_id: server.clientId,
        client_secret: secret,
        grant_id: host.grantId,
      },
    })
  ).body.access_token
const slots = `/v3/scheduling/availability?start_time=${start}&end_time=${start + 3_600}`
const statuses = async (session: string, token: string) => [
  (await server.request('GET', slots, { token: session })).status,
  (await server.request('GET', '/v3/grants/me', { token })).status,
  (await server.request('GET', `/v3/connect/tokeninfo?access_token=${token}`, { token: null })).status,
]

describe('what a key made', () => {
  it('ends when the key is revoked, and nothing else does', async () => {
    const { keyId, apiKey } = await makeKey()
    const mine = [await openSession(apiKey), await issueToken(apiKey)] as const
    const others = [await openSession(server.apiKey), await issueToken(server.apiKey)] as const
    expect(await statuses(...mine)).toEqual([200, 200, 200])
    expect((await server.app.operations.revokeKey(keyId)).ok).toBe(true)
    expect(await statuses(...mine)).toEqual([401, 401, 400])
    expect(await statuses(...others)).toEqual([200, 200, 200])
    const revoked = await server.request('POST', `/v3/connect/revoke?token=${mine[1]}`, { token: null })
    expect(revoked.status).toBe(400)
  })

  it('ends when the time of the key is over', async () => {
    const { keyId, apiKey } = await makeKey()
    const mine = [await openSession(apiKey), await issueToken(apiKey)] as const
    await server.app.database.pool.query('update openslot.api_keys set expires_at = now() where id = $1', [keyId])
    expect(await statuses(...mine)).toEqual([401, 401, 400])
  })
})

type Entry = {
  readonly action: string
  readonly actor: string
  readonly address: string | null
  readonly target: string
}
async function read(query: string, token = server.apiKey): Promise<Entry[]> {
  const reply = await server.request('GET', `/v3/audit?${query}`, { token })
  expect(reply.status, JSON.stringify(reply.body)).toBe(200)
  return reply.body.data
}

describe('the audit log', () => {
  it('tells a booking’s changes with who made each, and from where', async () => {
    const path = (id = '') => `/v3/scheduling/bookings${id}?configuration_id=${configurationId}`
    const session = await openSession(server.apiKey)
    const when = (slot: number) => ({ start_time: start + slot * 1_800, end_time: start + (slot + 1) * 1_800 })
    const booked = await server.request('POST', path(), {
      token: null,
      ...from('::ffff:192.0.2.7'),
      body: { ...when(0), guest: { name: 'Gil', email: 'gil@guest.example' } },
    })
    const { booking_id: id, booking_ref } = booked.body.data
    const change = (method: string, token: string, address: string, body?: object) =>
      server.request(method, path(`/${id}`), { token, ...from(address), ...(body === undefined ? {} : { body }) })
    expect((await change('PATCH', session, '2001:db8::7', when(1))).status).toBe(200)
    expect((await change('PATCH', booking_ref, '192.0.2.8', when(2))).status).toBe(200)
    expect((await change('DELETE', server.apiKey, '192.0.2.9')).status).toBe(200)
    const entries = await read(`target=${id}`)
    expect(entries.map(({ action, actor, address }) => [action, actor.replace(/^key:.*/, 'key'), address])).toEqual([
      ['booking.cancel', 'key', '192.0.2.9'],
      ['booking.reschedule', `booking:${id}`, '192.0.2.8'],
      ['booking.reschedule', 'session', '2001:db8::7'],
      ['booking.create', 'anyone', '192.0.2.7'],
    ])
  })

  it('tells of tokens that were issued and revoked, and has no address for what no request did', async () => {
    const { keyId, apiKey } = await makeKey()
    const token = await issueToken(apiKey, '192.0.2.10')
    await server.request('POST', `/v3/connect/revoke?token=${token}`, { token: null, ...from('192.0.2.11') })
    await server.app.operations.revokeKey(keyId)
    expect(await read(`actor=key:${keyId}`)).toMatchObject([
      { action: 'token.issued', target: host.grantId, address: '192.0.2.10' },
    ])
    expect(await read(`action=token.revoked&limit=1`)).toMatchObject([
      { actor: `grant:${host.grantId}`, target: host.grantId, address: '192.0.2.11' },
    ])
    expect(await read(`target=${keyId}`)).toMatchObject([
      { action: 'key.revoked', actor: 'cli', address: null },
      { action: 'key.created', actor: 'cli', address: null },
    ])
  })

  it('has the address of the proxy where what it passes on is none', async () => {
    const settings = { body: { branding: { name: 'Acme' } } }
    const changed = await server.request('PATCH', '/v3/applications', { ...settings, ...from('x'.repeat(500)) })
    expect(changed.status).toBe(200)
    expect((await read('action=application.updated&limit=1'))[0]?.address).toBe('127.0.0.1')
  })

  it('is read page by page, by its own application alone, and with a key', async () => {
    const all = await read('limit=200')
    const first = await server.request('GET', '/v3/audit?limit=2')
    const second = await server.request('GET', `/v3/audit?limit=2&page_token=${first.body.next_cursor}`)
    expect([...first.body.data, ...second.body.data]).toEqual(all.slice(0, 4))
    expect((await server.request('GET', '/v3/audit?page_token=x')).body.error.message).toMatch(/^page_token/)
    expect(await read('limit=200', (await server.otherApplication()).apiKey)).toEqual([])
    const token = await issueToken(server.apiKey)
    expect((await server.request('GET', '/v3/audit', { token })).status).toBe(401)
    expect((await server.request('GET', '/v3/audit', { token: null })).status).toBe(401)
  })
})
