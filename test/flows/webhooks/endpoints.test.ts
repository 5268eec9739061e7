/** `/v3/webhooks`: made, read, changed and deleted over HTTP, as the wire has it, with a real receiver to challenge. */
import { createHmac } from 'node:crypto'

import Nylas from 'nylas'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { instant } from '../../../src/core/time/instant.ts'
import { makeEndpoint } from '../../support/endpoints.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

const Client = Nylas as unknown as typeof Nylas.default
let server: TestServer
let receiver: Receiver
let token = ''
let clockMs = 0

beforeAll(async () => {
  server = await startTestServer({ now: () => instant(Date.now() + clockMs) })
  receiver = await startReceiver()
})
afterAll(() => receiver.close())
beforeEach(async () => {
  token = (await server.otherApplication()).apiKey
})
afterEach(() => {
  receiver.answer = undefined
  receiver.answerChallenge = undefined
  receiver.received.length = 0
  receiver.challenges.length = 0
  clockMs = 0
})

const ask = (method: string, path: string, body?: object, as = token) =>
  server.request(method, `/v3/webhooks${path}`, { token: as, ...(body === undefined ? {} : { body }) })
const own: Pick<TestServer, 'request'> = {
  request: (method, path, options) => server.request(method, path, { token, ...options }),
}
const make = (more: object = {}) => makeEndpoint(own, receiver.url, ['booking.created'], more)
const wish = (more: object = {}) => ({ webhook_url: receiver.url, trigger_types: ['booking.created'], ...more })

describe('an endpoint', () => {
  it('is made, listed, shown, changed and deleted, and its secret is shown once', async () => {
    const made = await ask('POST', '', wish({ description: 'Mine', notification_email_addresses: ['ops@app.example'] }))
    expect(made.status).toBe(200)
    const { id } = made.body.data
    const listed = {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      description: 'Mine',
      trigger_types: ['booking.created'],
      webhook_url: receiver.url,
      status: 'active',
      notification_email_addresses: ['ops@app.example'],
      compressed_delivery: false,
      status_updated_at: expect.any(Number),
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
    }
    expect(made.body.data).toEqual({ ...listed, webhook_secret: expect.stringMatching(/^whsec_[\w+/]{43}=$/) })
    expect((await ask('GET', '')).body.data).toEqual([listed])
    expect((await ask('GET', `/${id}`)).body.data).toEqual(listed)
    const changed = await ask('PUT', `/${id}`, {
      trigger_types: ['booking.cancelled'],
      description: '',
      webhook_url: null,
    })
    expect(changed.body.data).toEqual({ ...listed, trigger_types: ['booking.cancelled'] })
    expect(receiver.challenges.length).toBe(1)
    const deleted = await ask('DELETE', `/${id}`)
    expect([deleted.status, deleted.body.data]).toEqual([200, { status: 'success' }])
    expect((await ask('GET', '')).body.data).toEqual([])
  })

  it('is served to the official SDK', async () => {
    const nylas = new Client({ apiKey: token, apiUri: server.url })
    const made = await nylas.webhooks.create({
      requestBody: { webhookUrl: receiver.url, triggerTypes: ['booking.created', 'grant.expired'] as never },
    })
    expect(made.data.webhookSecret).toMatch(/^whsec_/)
    const webhookId = made.data.id
    expect((await nylas.webhooks.list()).data.map(({ id }) => id)).toEqual([webhookId])
    expect((await nylas.webhooks.find({ webhookId })).data.status).toBe('active')
    const updated = await nylas.webhooks.update({ webhookId, requestBody: { description: 'Renamed' } })
    expect(updated.data.description).toBe('Renamed')
    expect((await nylas.webhooks.rotateSecret({ webhookId })).data.webhookSecret).not.toBe(made.data.webhookSecret)
    expect((await nylas.webhooks.ipAddresses()).data.ipAddresses).toEqual([])
    const asked = new URL(receiver.challenges[0] ?? '', receiver.url)
    expect(nylas.webhooks.extractChallengeParameter(asked.href)).toBe(asked.searchParams.get('challenge'))
    expect((await nylas.webhooks.destroy({ webhookId })).data?.status).toBe('success')
  })

  it('that is unknown, or of another application, answers 400 of type 70000', async () => {
    const { id } = await make()
    const other = (await server.otherApplication()).apiKey
    const error = { type: '70000', message: 'destination.id.not.found : record not found' }
    for (const [method, path, body] of [
      ['GET', '/:id', undefined],
      ['PUT', '/:id', { description: 'x' }],
      ['DELETE', '/:id', undefined],
      ['POST', '/rotate-secret/:id', {}],
      ['GET', '/:id/deliveries', undefined],
      ['POST', '/:id/replay', { start_time: 1 }],
    ] as const)
      for (const [name, as] of [
        [id, other],
        ['00000000-0000-4000-8000-000000000000', token],
        ['nonsense', token],
      ] as const) {
        const reply = await ask(method, path.replace(':id', name), body, as)
        expect([method, path, name, reply.status, reply.body.error]).toEqual([method, path, name, 400, error])
      }
    expect((await ask('GET', `/${id}`)).status).toBe(200)
  })

  it.each([
    ['no URL', { webhook_url: undefined }],
    ['no triggers', { trigger_types: [] }],
    ['an unknown trigger', { trigger_types: ['booking.exploded'] }],
    ['a scheme of its own', { webhook_url: 'ftp://app.example/hook' }],
    ['a password in the URL', { webhook_url: 'https://me:secret@app.example/hook' }],
    ['a closed port', { webhook_url: 'https://app.example:25/hook' }],
    ['no mail address', { notification_email_addresses: ['nobody'] }],
  ])('with %s is refused', async (_what, change) => {
    const reply = await ask('POST', '', wish(change))
    expect([reply.status, reply.body.error.type]).toEqual([400, 'api.invalid_request_error'])
  })

  it('takes triggers that never happen here, and needs a key', async () => {
    expect((await ask('POST', '', wish({ trigger_types: ['message.created', 'notetaker.media'] }))).status).toBe(200)
    expect((await ask('GET', '', undefined, 'osk_00000000_nonsense')).status).toBe(401)
  })

  it('is one of ten at most', async () => {
    for (let index = 0; index < 10; index++) await make()
    const reply = await ask('POST', '', wish())
    expect([reply.status, reply.body.error.message]).toEqual([400, expect.stringContaining('at most 10')])
  })
})

describe('a challenge', () => {
  it.each([
    [
      'another status',
      'status is not ok, got 404',
      (_: string, response: { writeHead(status: number): { end(text: string): void } }) =>
        response.writeHead(404).end('x'),
    ],
    [
      'a 201',
      'status is not ok, got 201',
      (word: string, response: { writeHead(status: number): { end(text: string): void } }) =>
        response.writeHead(201).end(word),
    ],
    [
      'quotes around it',
      'the answer is not the challenge',
      (word: string, response: { end(text: string): void }) => response.end(`"${word}"`),
    ],
    [
      'more behind it',
      'the answer is not the challenge',
      (word: string, response: { end(text: string): void }) => response.end(`${word}\n`),
    ],
    [
      'a redirect',
      'status is not ok, got 302',
      (_: string, response: { writeHead(status: number, headers?: object): { end(): void } }) =>
        response.writeHead(302, { location: '/hook?challenge=x' }).end(),
    ],
  ])('answered with %s makes no endpoint', async (_what, message, answer) => {
    receiver.answerChallenge = answer as never
    const reply = await ask('POST', '', wish())
    expect([reply.status, reply.body.error]).toEqual([
      400,
      { type: '70005', message: `unable.verify.webhook_url : ${message}` },
    ])
    expect((await ask('GET', '')).body.data).toEqual([])
  })

  it('goes behind the query that is there, byte for byte', async () => {
    await ask('POST', '', wish({ webhook_url: `${receiver.url}?a=%20b&c=d+e` }))
    expect(receiver.challenges[0]).toMatch(/^\/hook\?a=%20b&c=d\+e&challenge=[\w-]{32}$/)
  })

  it('that cannot be asked says the same of private, closed and unknown addresses', async () => {
    for (const url of [
      'http://10.0.0.1:8080/',
      'http://127.0.0.1:9999/',
      'https://nowhere.invalid/',
      'http://169.254.169.254/',
    ])
      expect((await ask('POST', '', wish({ webhook_url: url }))).body.error).toEqual({
        type: '70005',
        message: 'unable.verify.webhook_url : could not connect',
      })
  })

  it('may fail five times an hour', async () => {
    receiver.answerChallenge = (_word, response) => response.end('no')
    for (let index = 0; index < 5; index++) expect((await ask('POST', '', wish())).status).toBe(400)
    const sixth = await ask('POST', '', wish())
    expect([sixth.status, sixth.headers.get('retry-after')]).toEqual([429, '3600'])
    expect(receiver.challenges.length).toBe(5)
    clockMs = 3_601_000
    receiver.answerChallenge = undefined
    expect((await ask('POST', '', wish())).status).toBe(200)
  })

  it('comes again with a new URL and when an endpoint is woken, and nothing changes where it fails', async () => {
    const { id } = await make()
    const moved = `${receiver.url}/moved`
    receiver.answerChallenge = (_word, response) => response.end('no')
    expect((await ask('PUT', `/${id}`, { webhook_url: moved, description: 'x' })).body.error.type).toBe('70005')
    expect((await ask('GET', `/${id}`)).body.data).toMatchObject({ webhook_url: receiver.url, description: '' })
    receiver.answerChallenge = undefined
    expect((await ask('PUT', `/${id}`, { webhook_url: moved })).body.data.webhook_url).toBe(moved)
    expect((await ask('PUT', `/${id}`, { status: 'pause' })).body.data.status).toBe('pause')
    expect(receiver.challenges.length).toBe(3)
    expect((await ask('PUT', `/${id}`, { status: 'active' })).body.data.status).toBe('active')
    expect(receiver.challenges.length).toBe(4)
    expect(receiver.challenges[3]).toContain('/hook/moved?')
  })
})

describe('samples', () => {
  it.each(['booking.created', 'booking.reminder', 'event.updated', 'grant.expired', 'message.created'])(
    'of %s are made and sent, signed with the known secret',
    async (trigger) => {
      const mock = await ask('POST', '/mock-payload', { trigger_type: trigger })
      expect(mock.body.data).toMatchObject({ type: trigger, specversion: '1.0', data: { object: expect.any(Object) } })
      const sent = await ask('POST', '/send-test-event', { trigger_type: trigger, webhook_url: receiver.url })
      expect([sent.status, sent.body.data]).toEqual([200, 'success'])
      const [got] = receiver.received
      expect(got?.json.data).toEqual(mock.body.data.data)
      expect(got?.headers['x-nylas-signature']).toBe(
        createHmac('sha256', 'mock-webhook-secret')
          .update(got?.raw ?? '')
          .digest('hex'),
      )
    },
  )

  it('that nobody takes say so', async () => {
    receiver.answer = 500
    const sent = await ask('POST', '/send-test-event', { trigger_type: 'booking.created', webhook_url: receiver.url })
    expect([sent.status, sent.body.error.message]).toEqual([400, 'unable.verify.webhook_url : answered 500'])
  })
})

describe('a rotated secret', () => {
  const happen = () =>
    server.request('POST', '/v3/connect/custom', {
      token,
      body: { provider: 'virtual-calendar', settings: { email: `${Math.random()}@host.example` } },
    })

  it('signs beside the old one for 24 hours, and then alone; nothing of either is stored in clear', async () => {
    const { id, secret: old } = await makeEndpoint(own, receiver.url, ['grant.created'])
    const rotated = (await ask('POST', `/rotate-secret/${id}`)).body.data.webhook_secret as string
    await happen()
    const [both] = await receiver.waitFor(1)
    for (const secret of [old, rotated]) new Webhook(secret).verify(both?.raw.toString() ?? '', both?.headers ?? {})
    expect(both?.headers['x-nylas-signature']).toBe(
      createHmac('sha256', rotated)
        .update(both?.raw ?? '')
        .digest('hex'),
    )
    clockMs = 24 * 3_600_000 + 1_000
    await happen()
    const [, one] = await receiver.waitFor(2)
    const headers = one?.headers ?? {}
    expect(headers['webhook-signature']?.split(' ').length).toBe(1)
    expect(headers['x-openslot-previous-signature']).toBeUndefined()
    expect(headers['x-nylas-signature']).toBe(
      createHmac('sha256', rotated)
        .update(one?.raw ?? '')
        .digest('hex'),
    )
    const { rows } = await server.app.database.pool.query(
      'select to_jsonb(e)::text as row from openslot.webhook_endpoints e',
    )
    for (const secret of [old, rotated]) {
      expect(JSON.stringify(rows)).not.toContain(secret)
      expect(JSON.stringify(rows)).not.toContain(Buffer.from(secret).toString('hex'))
    }
  })

  it('signs the compressed bytes where they are sent', async () => {
    const { secret } = await makeEndpoint(own, receiver.url, ['grant.created'], { compressed_delivery: true })
    await happen()
    const [got] = await receiver.waitFor(1)
    expect(got?.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': 'application/json' })
    expect(got?.raw[0]).toBe(0x1f)
    expect(got?.headers['x-nylas-signature']).toBe(
      createHmac('sha256', secret)
        .update(got?.raw ?? '')
        .digest('hex'),
    )
  })
})
