/** How often one address, credential or guest may ask. Each test comes from an address of its own, through a trusted proxy. */
import { beforeAll, describe, expect, it } from 'vitest'

import { makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let host: TestHost
let configurationId: string
let session: string
const start = nearFuture()

beforeAll(async () => {
  server = await startTestServer({}, { RATE_LIMIT: 'on', TRUSTED_PROXIES: '127.0.0.1' })
  host = await makeHost(server, 'ada@host.example')
  configurationId = await makeConfiguration(server, [host])
  const made = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: configurationId } })
  session = made.body.data.session_id
})

let slot = 0
const nextSlot = () => {
  slot += 1
  return start + slot * 1_800
}
type BookingOptions = {
  readonly token?: string | null
  readonly email?: string
  readonly configuration?: string
  /** Unix seconds; a slot of its own where absent. */
  readonly at?: number
  readonly headers?: Readonly<Record<string, string>>
}
const bookFrom = (address: string, { token = null, at = nextSlot(), headers = {}, ...options }: BookingOptions = {}) =>
  server.request('POST', `/v3/scheduling/bookings?${options.configuration ?? `configuration_id=${configurationId}`}`, {
    token,
    headers: { 'x-forwarded-for': address, ...headers },
    body: {
      start_time: at,
      end_time: at + 1_800,
      guest: { name: 'Gil', email: options.email ?? `guest-${slot}@guest.example` },
    },
  })
const askFrom = (
  address: string,
  path = `/v3/scheduling/availability?configuration_id=${configurationId}&start_time=${start}&end_time=${start + 3_600}`,
  token: string | null = null,
) => server.request('GET', path, { token, headers: { 'x-forwarded-for': address } })

async function statusesOf(count: number, ask: (index: number) => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = []
  for (let index = 0; index < count; index++) statuses.push((await ask(index)).status)
  return statuses
}
const passed = (statuses: readonly number[]) => statuses.indexOf(429)

describe('a refusal', () => {
  it('is 429 in the envelope, and says when to try again', async () => {
    await statusesOf(10, () => bookFrom('192.0.2.1'))
    const reply = await bookFrom('192.0.2.1')
    expect(reply.status).toBe(429)
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(reply.headers.get('retry-after'))).toBeLessThanOrEqual(60)
    expect(reply.body).toEqual({
      request_id: reply.headers.get('x-request-id'),
      error: { type: 'rate_limit_error', message: expect.stringContaining('Too many requests') },
    })
    expect(reply.headers.get('access-control-allow-origin')).toBe('*')
  })
})

describe('an address', () => {
  it('books ten times a minute, and another address is not held up by it', async () => {
    expect(passed(await statusesOf(11, () => bookFrom('192.0.2.2')))).toBe(10)
    expect((await bookFrom('192.0.2.3')).status).toBe(200)
  })

  it('of IPv6 is a whole /64', async () => {
    expect(passed(await statusesOf(11, (index) => bookFrom(`2001:db8:1:2:${index}::${index}`)))).toBe(10)
    expect((await bookFrom('2001:db8:1:3::1')).status).toBe(200)
  })

  it('asks for availability 120 times a minute', async () => {
    expect(passed(await statusesOf(121, () => askFrom('192.0.2.4')))).toBe(120)
  })

  it('fails to sign in 20 times a minute, which refuses bad credentials only', async () => {
    const unknownKey = (index: number) => `osk_00000000_000000000000000000000000000000000000000000${index % 10}`
    const statuses = await statusesOf(21, (index) => askFrom('192.0.2.5', '/v3/grants', unknownKey(index)))
    expect(passed(statuses)).toBe(20)
    const others: readonly (readonly [path: string | undefined, token: string | null, status: number])[] = [
      ['/v3/grants', server.apiKey, 200],
      ['/v3/grants', null, 401],
      ['/healthz', null, 200],
      ['/healthz', 'bad', 200],
      [undefined, null, 200],
      [undefined, session, 200],
      ['/v3/grants', 'bad', 429],
    ]
    for (const [path, token, status] of others)
      expect({ path, token, status: (await askFrom('192.0.2.5', path, token)).status }).toEqual({ path, token, status })
    expect((await askFrom('192.0.2.6', '/v3/grants', 'bad')).status).toBe(401)
  })

  it('fails to sign in where the credential is in the body or the query, too', async () => {
    const grant = (await server.request('GET', '/v3/grants')).body.data[0].id
    const ask = (address: string, client_secret: string) =>
      server.request('POST', '/v3/connect/token', {
        token: null,
        headers: { 'x-forwarded-for': address },
        body: { grant_type: 'client_credentials', client_id: server.clientId, client_secret, grant_id: grant },
      })
    const secret = (index: number) => `${server.apiKey.slice(0, -2)}${10 + index}`
    const statuses = await statusesOf(21, (index) => ask('192.0.2.11', secret(index)))
    expect(statuses).toEqual([...Array(20).fill(400), 429])
    const good = await ask('192.0.2.11', server.apiKey)
    expect(good.status).toBe(200)

    const inform = (address: string, token: string) => askFrom(address, `/v3/connect/tokeninfo?access_token=${token}`)
    expect((await inform('192.0.2.11', 'guessed')).status).toBe(429)
    expect((await inform('192.0.2.11', good.body.access_token)).status).toBe(200)
    expect(passed(await statusesOf(21, () => inform('192.0.2.12', 'guessed')))).toBe(20)
    const revoke = (index: number) =>
      server.request('POST', `/v3/connect/revoke?token=guessed${index}`, {
        token: null,
        headers: { 'x-forwarded-for': '192.0.2.13' },
      })
    expect(passed(await statusesOf(21, revoke))).toBe(20)
  })

  it('may send no credential, or a session that has ended, as often as it likes', async () => {
    const ended = 'oss_00000000_0000000000000000000000000000000000000000000'
    const statuses = await statusesOf(25, () => askFrom('192.0.2.10', undefined, ended))
    statuses.push(...(await statusesOf(25, () => askFrom('192.0.2.10', '/v3/grants'))))
    expect(new Set(statuses)).toEqual(new Set([401]))
    expect(passed(await statusesOf(21, () => askFrom('192.0.2.10', undefined, 'oss_guessed')))).toBe(20)
  })
})

describe('a guest', () => {
  it('is booked for five times an hour, from whatever address and however spelled', async () => {
    const spellings = ['same@guest.example', 'SAME@guest.example', 'Same@Guest.Example']
    const statuses = await statusesOf(6, (index) =>
      bookFrom(`192.0.2.${100 + index}`, { email: spellings[index % 3] ?? '' }),
    )
    expect(passed(statuses)).toBe(5)
    expect((await bookFrom('192.0.2.106', { email: 'same@guest.example', token: session })).status).toBe(429)
  })

  it('is booked elsewhere all the same, whatever one configuration has had of them', async () => {
    const email = 'wanted@guest.example'
    expect(passed(await statusesOf(6, (index) => bookFrom(`192.0.2.${110 + index}`, { email })))).toBe(5)
    const other = await makeConfiguration(server, [await makeHost(server, 'bea@host.example')])
    expect((await bookFrom('192.0.2.116', { email, configuration: `configuration_id=${other}` })).status).toBe(200)
  })

  it('is not locked out by who names them to configurations that do not exist', async () => {
    const email = 'victim@guest.example'
    const code = configurationId.slice(0, 8)
    const statuses = await statusesOf(8, (index) =>
      bookFrom('192.0.2.120', { email, configuration: `configuration_id=${code}-0000-4000-8000-00000000000${index}` }),
    )
    expect(new Set(statuses)).toEqual(new Set([404]))
    expect((await bookFrom('192.0.2.121', { email })).status).toBe(200)
  })

  it('has only bookings counted: neither slots that were gone, nor the same request once more', async () => {
    const email = 'walker@guest.example'
    const key = { 'idempotency-key': 'a-booking-of-the-walker' }
    const gone = await statusesOf(8, () => bookFrom('192.0.2.122', { email, at: start - 5 * 365 * 86_400 }))
    expect(new Set(gone)).toEqual(new Set([400]))
    const at = nextSlot()
    const repeated = await statusesOf(4, () => bookFrom('192.0.2.123', { email, at, headers: key }))
    expect(repeated).toEqual([200, 200, 200, 200])
    expect(passed(await statusesOf(5, (index) => bookFrom(`192.0.2.${124 + index}`, { email })))).toBe(4)
  })

  it('is counted for the configuration, by whichever of its names it is asked', async () => {
    const email = 'many@guest.example'
    const slug = 'cleo-books'
    const id = await makeConfiguration(server, [await makeHost(server, 'cleo@host.example')], { top: { slug } })
    const names = [
      `slug=${slug}&client_id=${server.clientId}`,
      `configuration_id=${id}`,
      `configuration_id=${id.toUpperCase()}`,
      `slug=${slug}&client_id=${server.clientId.toUpperCase()}`,
    ]
    const ask = (index: number) =>
      bookFrom(`192.0.2.${130 + index}`, { email, configuration: names[index % names.length] ?? '' })
    expect(await statusesOf(8, ask)).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
  })
})

describe('who holds a key or a session', () => {
  it('books for more guests than an address may', async () => {
    expect(passed(await statusesOf(15, () => bookFrom('192.0.2.7', { token: session })))).toBe(-1)
  })

  it('asks 600 times a minute', async () => {
    const other = await server.otherApplication()
    const path = '/v3/applications'
    const ask = () => askFrom('192.0.2.8', path, other.apiKey)
    const statuses: number[] = []
    while (statuses.length < 600)
      statuses.push(...(await Promise.all(Array.from({ length: 20 }, ask))).map(({ status }) => status))
    expect(passed(statuses)).toBe(-1)
    expect((await ask()).status).toBe(429)
    expect((await askFrom('192.0.2.8', path, server.apiKey)).status).toBe(200)
  })
})

describe('the address', () => {
  it('is what a trusted proxy says, and its own where nobody trusted speaks', async () => {
    const alone = await startTestServer({}, { RATE_LIMIT: 'on' })
    const ask = (index: number) =>
      alone.request('GET', '/v3/grants', { token: 'bad', headers: { 'x-forwarded-for': `192.0.2.${index}` } })
    expect(passed(await statusesOf(21, ask))).toBe(20)
  })

  it('is the last one that the proxy did not get from the caller', async () => {
    const ask = (index: number) =>
      server.request('GET', '/v3/grants', {
        token: 'bad',
        headers: { 'x-forwarded-for': `10.9.8.${index}, 192.0.2.9` },
      })
    expect(passed(await statusesOf(21, ask))).toBe(20)
  })

  it('counts without the port that some proxies add', async () => {
    const ask = (index: number) =>
      server.request('GET', '/v3/grants', {
        token: 'bad',
        headers: { 'x-forwarded-for': index % 2 === 0 ? `192.0.2.77:${5_000 + index}` : '192.0.2.77' },
      })
    expect(passed(await statusesOf(21, ask))).toBe(20)
  })

  it('is the one of the proxy where that says none', async () => {
    const nonsense = ['1:2:3:4:5:6:7:8::9', 'unknown', '_hidden', '[::1', 'a'.repeat(500), '127.0.0.1']
    const ask = (index: number) =>
      server.request('GET', '/v3/grants', {
        token: 'bad',
        headers: { 'x-forwarded-for': nonsense[index % nonsense.length] ?? '' },
      })
    const statuses = await statusesOf(21, ask)
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
    expect(passed(statuses)).toBe(20)
  })
})
