/** Receivers that fail, drip, lie and come back, processes that die: nothing is lost, and every attempt can be read. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import type { AppId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { bookingTriggers, makeEndpoint, type TestEndpoint, work } from '../../support/endpoints.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let database: TestDatabase
let server: TestServer
let receiver: Receiver
let endpoint: TestEndpoint
let host: TestHost
let configuration: string
let clockMs = 0
let slot = 0
/** Where every name leads at the moment. */
let movingAddress = '127.0.0.1'
const hour = 3_600_000
const start = nearFuture()

beforeAll(async () => {
  database = await createTestDatabase()
  // No worker of its own: the tests do its work when they want it.
  server = await startTestServer(
    {
      connection: database.connection,
      now: () => instant(Date.now() + clockMs),
      network: {
        limits: { firstByteMs: 300, wholeMs: 600 },
        resolve: async () => [{ address: movingAddress, family: 4 }],
      },
    },
    { ROLE: 'web' },
  )
  host = await makeHost(server, 'ada@host.example')
  configuration = await makeConfiguration(server, [host])
})
afterAll(async () => {
  await server.close()
  await database.drop()
})
beforeEach(async () => {
  receiver = await startReceiver()
  endpoint = await makeEndpoint(server, receiver.url, bookingTriggers)
})
afterEach(async () => {
  clockMs = 0
  await server.request('DELETE', `/v3/webhooks/${endpoint.id}`)
  await receiver.close()
})

async function happen(): Promise<string> {
  const booked = await book(server, configuration, start + slot++ * 1_800)
  if (booked.status !== 200) throw new Error(JSON.stringify(booked.body))
  return booked.body.data.booking_id
}
const move = (id: string) =>
  server.request('PATCH', `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`, {
    token: null,
    body: { start_time: start + slot * 1_800, end_time: start + ++slot * 1_800 },
  })
const status = async () => (await server.request('GET', `/v3/webhooks/${endpoint.id}`)).body.data.status as string
const deliveriesOf = async (id: string) =>
  (await server.request('GET', `/v3/scheduling/bookings/${id}/deliveries`)).body.data
const sequenceOf = (id: string) =>
  receiver.received.filter(({ json }) => json.data.object.booking_id === id).map(({ json }) => json.sequence)

describe('a receiver', () => {
  it.each([
    ['answers 500', 500, 500, 'answered 500'],
    ['answers 404', 404, 404, 'answered 404'],
    [
      'redirects inward',
      (_: unknown, response: { writeHead(status: number, headers: object): { end(): void } }) =>
        response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      302,
      'answered 302',
    ],
    ['says nothing', () => {}, undefined, 'no answer in time'],
    [
      'drips',
      (
        _: unknown,
        response: {
          writeHead(status: number): void
          write(text: string): void
          on(event: string, done: () => void): void
        },
      ) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write('x'), 20)
        response.on('close', () => clearInterval(timer))
      },
      undefined,
      'no answer in time',
    ],
    [
      'hangs up',
      (_: unknown, response: { destroy(): void }) => response.destroy(),
      undefined,
      'the connection broke off',
    ],
  ] as const)('that %s is tried again, with the same id, until it takes it', async (_what, answer, code, error) => {
    receiver.answer = answer as never
    const id = await happen()
    await work(server)
    const [waiting] = await deliveriesOf(id)
    expect(waiting).toMatchObject({
      webhook_id: endpoint.id,
      trigger_type: 'booking.created',
      object_id: id,
      status: 'waiting',
      attempts: [{ attempt: 1, error, ...(code === undefined ? {} : { response_status: code }) }],
    })
    await work(server)
    expect(receiver.received.length).toBe(1)
    clockMs = 10_000
    receiver.answer = undefined
    await work(server)
    expect(receiver.received.map(({ json }) => [json.id, json.webhook_delivery_attempt])).toEqual([
      [waiting.notification_id, 1],
      [waiting.notification_id, 2],
    ])
    expect((await deliveriesOf(id))[0]).toMatchObject({
      status: 'delivered',
      finished_at: expect.any(Number),
      attempts: [{ attempt: 1 }, { attempt: 2, response_status: 200 }],
    })
  })

  it('that refuses the connection is tried again until it is there', async () => {
    const id = await happen()
    const { port } = new URL(receiver.url)
    await receiver.close()
    await work(server)
    expect((await deliveriesOf(id))[0]).toMatchObject({
      status: 'waiting',
      attempts: [{ attempt: 1, error: 'could not connect' }],
    })
    receiver = await startReceiver(Number(port))
    clockMs = 10_000
    await work(server)
    expect((await deliveriesOf(id))[0]).toMatchObject({ status: 'delivered', attempts: [{}, { response_status: 200 }] })
    expect(receiver.received.map(({ json }) => json.webhook_delivery_attempt)).toEqual([2])
  })

  it('whose name leads to a private address since it was accepted is not called there, and the row says as much as of one that is away', async () => {
    const { port } = new URL(receiver.url)
    // No connection stays from the time when it was welcome.
    receiver.answerChallenge = (word, response) => response.setHeader('connection', 'close').end(word)
    const named = await makeEndpoint(server, `http://moving.example:${port}/moving`, bookingTriggers)
    movingAddress = '10.0.0.1'
    const id = await happen()
    await work(server)
    const own = async () =>
      (await deliveriesOf(id)).find(({ webhook_id }: { webhook_id: string }) => webhook_id === named.id)
    expect(await own()).toMatchObject({
      status: 'waiting',
      attempts: [{ attempt: 1, error: 'could not connect' }],
    })
    expect((await own()).attempts[0].response_status).toBeUndefined()
    expect(receiver.received.filter(({ path }) => path.startsWith('/moving'))).toEqual([])
    movingAddress = '127.0.0.1'
    clockMs = 10_000
    await work(server)
    expect((await own()).status).toBe('delivered')
    await server.request('DELETE', `/v3/webhooks/${named.id}`)
  })

  it('that answers 200 with 2 GB or a bomb has taken it', async () => {
    receiver.answer = (_received, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      const go = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20)));
        response.once('drain', go)
      }
      go()
    }
    const id = await happen()
    await work(server)
    expect((await deliveriesOf(id))[0]).toMatchObject({ status: 'delivered', attempts: [{ response_status: 200 }] })
  })

  it('that asks for time gets it, up to an hour', async () => {
    receiver.answer = (_received, response) => void response.writeHead(429, { 'retry-after': '1200' }).end()
    const id = await happen()
    await work(server)
    receiver.answer = undefined
    clockMs = 1_190_000
    await work(server)
    expect(receiver.received.length).toBe(1)
    clockMs = 1_210_000
    await work(server)
    expect((await deliveriesOf(id))[0].status).toBe('delivered')
  })

  it('that is away for days loses nothing: all of it comes when the endpoint is woken', async () => {
    receiver.answer = 503
    const ids = [await happen(), await happen()]
    await work(server)
    for (let days = 0; (await status()) !== 'failed'; days++) {
      expect(days).toBeLessThan(8)
      clockMs += 13 * hour
      await work(server)
    }
    const later = clockMs
    clockMs = 0
    ids.push(await happen())
    clockMs = later
    await work(server)
    const before = receiver.received.splice(0)
    receiver.answer = undefined
    const woken = await server.request('PUT', `/v3/webhooks/${endpoint.id}`, { body: { status: 'active' } })
    expect(woken.body.data.status).toBe('active')
    await work(server)
    const seen = receiver.received.map(({ json }) => json.data.object.booking_id as string)
    expect(seen.toSorted()).toEqual(ids.toSorted())
    for (const { json } of receiver.received.filter(({ json }) => json.data.object.booking_id !== ids[2]))
      expect(before.some((earlier) => earlier.json.id === json.id)).toBe(true)
  })

  it('that refuses one thing for three days is left alone with it, until that is sent again', async () => {
    receiver.answer = 503
    const id = await happen()
    for (let tries = 0; tries < 16; tries++) {
      await server.app.database.pool.query(`update openslot.webhook_endpoints set status = 'active'`)
      await work(server)
      clockMs += 14.5 * hour
    }
    const [dead] = await deliveriesOf(id)
    expect([dead.status, dead.attempts.length, dead.next_attempt_at]).toEqual(['given_up', 15, undefined])
    receiver.answer = undefined
    await server.app.database.pool.query(`update openslot.webhook_endpoints set status = 'active'`)
    const again = await server.request('POST', `/v3/webhooks/${endpoint.id}/deliveries/${dead.id}/replay`)
    expect(again.body.data.status).toBe('waiting')
    await work(server)
    expect(receiver.received.at(-1)?.json).toMatchObject({ id: dead.notification_id, webhook_delivery_attempt: 16 })
    expect((await deliveriesOf(id))[0].status).toBe('delivered')
  })

  it('that is dead holds up no other', async () => {
    const other = await startReceiver()
    const { id: otherId } = await makeEndpoint(server, other.url, bookingTriggers)
    receiver.answer = () => {}
    for (let index = 0; index < 6; index++) await happen()
    const shared = await server.app.operations.fanOutNotifications(server.clientId as AppId)
    if (!shared.ok) throw new Error('not shared out')
    const begun = performance.now()
    let otherDone = 0
    await Promise.all(
      shared.value.map(async (name) => {
        await server.app.operations.deliverWebhooks(name)
        if (name.endpointId === otherId) otherDone = performance.now() - begun
      }),
    )
    expect(other.received.length).toBe(6)
    expect(otherDone).toBeLessThan(performance.now() - begun - 200)
    await server.request('DELETE', `/v3/webhooks/${otherId}`)
    await other.close()
  })

  it('is sent four at a time at most, by however many processes', async () => {
    let now = 0
    let most = 0
    const open: (() => void)[] = []
    receiver.answer = async (_received, response) => {
      most = Math.max(most, ++now)
      await new Promise<void>((go) => {
        open.push(go)
        if (open.length === 4) for (const each of open.splice(0)) each()
      })
      now--
      response.end()
    }
    for (let index = 0; index < 12; index++) await happen()
    const shared = await server.app.operations.fanOutNotifications(server.clientId as AppId)
    const [name] = shared.ok ? shared.value : []
    if (name === undefined) throw new Error('not shared out')
    const made = await Promise.all(Array.from({ length: 3 }, () => server.app.operations.deliverWebhooks(name)))
    expect(most).toBe(4)
    expect(receiver.received.length).toBe(12)
    expect(made.map((result) => result.ok && result.value).toSorted()).toEqual([0, 0, 12])
  })
})

describe('the order within a booking', () => {
  it('is kept while the earlier one is younger than a minute, and then given up', async () => {
    receiver.answer = 500
    const id = await happen()
    await work(server)
    await move(id)
    clockMs = 2_000
    await work(server)
    expect(sequenceOf(id)).toEqual([1])
    receiver.answer = undefined
    clockMs = 10_000
    await work(server)
    expect(sequenceOf(id)).toEqual([1, 1, 2])

    receiver.answer = 500
    const other = await happen()
    await work(server)
    await move(other)
    receiver.answer = undefined
    await server.app.database.pool.query(
      `update openslot.deliveries set due_at = now() + interval '1 day' where object_id = $1 and number = 1`,
      [other],
    )
    clockMs += 30_000
    await work(server)
    expect(sequenceOf(other)).toEqual([1])
    clockMs += 61_000
    await work(server)
    expect(sequenceOf(other)).toEqual([1, 2])
  })
})

describe('an endpoint', () => {
  it('is failing when nearly all fail, and active again by itself', async () => {
    receiver.answer = 500
    for (let index = 0; index < 5; index++) await happen()
    await work(server)
    expect(await status()).toBe('failing')
    receiver.answer = undefined
    clockMs = 10_000
    await work(server)
    expect(await status()).toBe('active')
    expect(receiver.received.length).toBe(10)
  })

  it('that turns failing, and then failed, has its people mailed once for each turn', async () => {
    const people = { notification_email_addresses: ['ops@app.example', 'OPS@app.example', 'ada@app.example'] }
    await server.request('PUT', `/v3/webhooks/${endpoint.id}`, {
      body: { ...people, webhook_url: `${receiver.url}?token=secret` },
    })
    const notices = async () =>
      (await server.request('GET', '/v3/mails?limit=200')).body.data.filter(
        ({ webhook_id }: { webhook_id: string }) => webhook_id === endpoint.id,
      ) as { id: string; kind: string; to: { email: string } }[]
    const told = async () => (await notices()).map(({ kind, to }) => `${kind} ${to.email}`).toSorted()
    receiver.answer = 500
    for (let index = 0; index < 5; index++) await happen()
    await work(server)
    const failing = ['endpoint_failing OPS@app.example', 'endpoint_failing ada@app.example']
    expect([await status(), await told()]).toEqual(['failing', failing])
    for (let days = 0; (await status()) !== 'failed'; days++) {
      expect(days).toBeLessThan(8)
      clockMs += 13 * hour
      await work(server)
    }
    clockMs += 13 * hour
    await work(server)
    expect(await told()).toEqual(['endpoint_failed OPS@app.example', 'endpoint_failed ada@app.example', ...failing])

    const [newest] = await notices()
    const mail = (await server.request('GET', `/v3/mails/${newest?.id}`)).body.data
    expect(mail).toMatchObject({
      role: 'operator',
      booking_id: null,
      state: 'kept',
      invitation: null,
      subject: `Webhooks have stopped: ${new URL(receiver.url).host}`,
    })
    for (const text of [mail.text, mail.html]) {
      expect(text).toContain(receiver.url)
      expect(text).toContain(endpoint.id)
      expect(text).not.toContain('secret')
    }

    receiver.answer = undefined
    await server.request('PUT', `/v3/webhooks/${endpoint.id}`, { body: { status: 'active' } })
    await work(server)
    expect([await status(), (await told()).length]).toEqual(['active', 4])
  })

  it('that is paused gets nothing, and all of it when it is woken', async () => {
    await server.request('PUT', `/v3/webhooks/${endpoint.id}`, { body: { status: 'pause' } })
    const id = await happen()
    await work(server)
    expect(receiver.received.length).toBe(0)
    expect((await deliveriesOf(id))[0]).toMatchObject({ status: 'waiting', attempts: [] })
    await server.request('PUT', `/v3/webhooks/${endpoint.id}`, { body: { status: 'active' } })
    await work(server)
    expect(sequenceOf(id)).toEqual([1])
  })

  it('that has failed is asked again, and gets what it missed when it answers', async () => {
    const { pool } = server.app.database
    await pool.query(`update openslot.webhook_endpoints set status = 'failed' where id = $1`, [endpoint.id])
    const id = await happen()
    await work(server)
    expect(receiver.received.length).toBe(0)
    receiver.answerChallenge = (_word, response) => response.writeHead(500).end()
    clockMs = 2 * hour
    await server.app.operations.reviveEndpoints()
    expect(await status()).toBe('failed')
    receiver.answerChallenge = undefined
    clockMs = 4 * hour
    const revived = await server.app.operations.reviveEndpoints()
    expect(revived.ok && revived.value.map(({ endpointId }) => endpointId)).toEqual([endpoint.id])
    await work(server)
    expect([await status(), sequenceOf(id)]).toEqual(['active', [1]])
  })

  it('gets what happened before it was made, when it asks for that time', async () => {
    const id = await happen()
    const second = await makeEndpoint(server, `${receiver.url}/second`, ['booking.created'])
    const replayed = await server.request('POST', `/v3/webhooks/${second.id}/replay`, {
      body: { start_time: Math.floor(Date.now() / 1_000) - 3_600 },
    })
    expect(replayed.body.data.replayed).toBeGreaterThan(0)
    await work(server)
    const got = receiver.received.filter(({ path }) => path.startsWith('/hook/second'))
    expect(got.length).toBe(replayed.body.data.replayed)
    expect(got.some(({ json }) => json.data.object.booking_id === id)).toBe(true)
    await server.request('DELETE', `/v3/webhooks/${second.id}`)
  })

  it('that is deleted gets nothing more, and its deliveries stay readable with the booking', async () => {
    receiver.answer = 500
    const id = await happen()
    await work(server)
    const other = await makeEndpoint(server, receiver.url, ['grant.created'])
    await server.request('DELETE', `/v3/webhooks/${endpoint.id}`)
    clockMs = 20_000
    await work(server)
    expect(receiver.received.length).toBe(1)
    expect((await deliveriesOf(id))[0]).toMatchObject({ status: 'cancelled', attempts: [{ attempt: 1 }] })
    await server.request('DELETE', `/v3/webhooks/${other.id}`)
  })

  it('lists its deliveries page by page, newest first', async () => {
    const ids = [await happen(), await happen(), await happen()]
    await work(server)
    const path = `/v3/webhooks/${endpoint.id}/deliveries?limit=2`
    const first = await server.request('GET', path)
    const second = await server.request('GET', `${path}&page_token=${first.body.next_cursor}`)
    const listed = [...first.body.data, ...second.body.data].map(({ object_id }: { object_id: string }) => object_id)
    expect(listed.toSorted()).toEqual(ids.toSorted())
    expect(second.body.next_cursor).toBeUndefined()
    expect((await server.request('GET', `${path}&status=given_up`)).body.data).toEqual([])
  })
})

describe('the events feed', () => {
  const feed = async (query: string) => server.request('GET', `/v3/events-feed?${query}`)

  it('tells everything once, oldest first, from where a client left off', async () => {
    let last = ''
    for (;;) {
      const page = (await feed(`limit=200${last === '' ? '' : `&after=${last}`}`)).body.data
      if (page.length === 0) break
      last = page.at(-1).id
    }
    const ids = [await happen(), await happen(), await happen()]
    const seen: string[] = []
    for (;;) {
      const page = (await feed(`limit=2&trigger_types=booking.created&after=${last}`)).body.data
      if (page.length === 0) break
      seen.push(...page.map((item: { data: { object: { booking_id: string } } }) => item.data.object.booking_id))
      last = page.at(-1).id
    }
    expect(seen).toEqual(ids)
    await work(server)
    expect(
      (await feed(`after=${last}`)).body.data.every(({ type }: { type: string }) => type !== 'booking.created'),
    ).toBe(true)
    expect((await feed('after=00000000-0000-4000-8000-000000000000')).status).toBe(400)
  })

  it('shows nothing that an unfinished transaction could still come before', async () => {
    const client = await server.app.database.pool.connect()
    try {
      await client.query('begin')
      await client.query(`insert into openslot.webhook_events (app_id, id, trigger, object_id, number, body)
        values ('${server.clientId}', gen_random_uuid(), 'grant.updated', 'slow', 1, '{}')`)
      const id = await happen()
      const shown = async () => {
        const all: { type: string; data: { object: { booking_id?: string } } }[] = []
        for (let after = ''; ; ) {
          const page = (await feed(`limit=200${after}`)).body.data
          if (page.length === 0) return all
          all.push(...page)
          after = `&after=${page.at(-1).id}`
        }
      }
      expect((await shown()).some(({ data }) => data.object.booking_id === id)).toBe(false)
      await client.query('commit')
      const all = await shown()
      const slow = all.findIndex(({ type }) => type === 'grant.updated')
      const later = all.findIndex(({ data }) => data.object.booking_id === id)
      expect(slow).toBeGreaterThanOrEqual(0)
      expect(later).toBeGreaterThan(slow)
    } finally {
      client.release()
    }
  })
})

describe('a worker that is killed', () => {
  /** A worker as a process of its own, on the same database; says that it runs as its first line. */
  async function startWorker() {
    const child = spawn(
      process.execPath,
      [new URL('../../support/worker.ts', import.meta.url).pathname, JSON.stringify(database.connection)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    await new Promise((started) => createInterface({ input: child.stdout }).once('line', started))
    return child
  }

  it('between commit and send, or in the middle of sending, loses nothing, and repeats carry the same id', async () => {
    const ids = [await happen(), await happen()]
    const arrived = new Promise<void>((resolve) => {
      receiver.answer = () => resolve()
    })
    const first = await startWorker()
    await arrived
    first.kill('SIGKILL')
    receiver.answer = undefined
    // The dead process holds the endpoint for a minute; the test does not wait for it.
    await server.app.database.pool.query(
      `update openslot.webhook_endpoints set sender_until = now() - interval '1 second' where id = $1`,
      [endpoint.id],
    )
    const second = await startWorker()
    try {
      const isDone = async () => (await Promise.all(ids.map(deliveriesOf))).every(([one]) => one.status === 'delivered')
      await expect.poll(isDone, { timeout: 20_000 }).toBe(true)
    } finally {
      second.kill('SIGTERM')
      await once(second, 'exit')
    }
    for (const id of ids) {
      const got = receiver.received.filter(({ json }) => json.data.object.booking_id === id)
      expect(new Set(got.map(({ json }) => json.id)).size).toBe(1)
    }
  })
})
