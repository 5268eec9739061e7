/** The database goes away under load and comes back: callers are told to try again, nobody hears 500, and nothing is restarted. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { createLogger } from '../../../src/adapters/logging/logger.ts'
import { makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let database: TestDatabase
let server: TestServer
let proxy: Proxy
let configurationId: string
const start = nearFuture()
const lines: string[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  const { host, port, user, database: name } = database.connection
  proxy = await startProxy(join(host, `.s.PGSQL.${port}`))
  server = await startTestServer(
    {
      connection: { host: '127.0.0.1', port: proxy.port, user, database: name },
      logger: createLogger('error', { write: (line) => void lines.push(line) }),
    },
    { ROLE: 'web' },
  )
  configurationId = await makeConfiguration(server, [await makeHost(server, 'ada@host.example')])
})
afterAll(async () => {
  await server.close()
  await proxy.cut()
  await database.drop()
})

type Proxy = { readonly port: number; cut(): Promise<void>; mend(): Promise<void> }

/** TCP in front of the socket of PostgreSQL; `cut` ends every connection and takes no new one. */
async function startProxy(socketPath: string): Promise<Proxy> {
  const open = new Set<Socket>()
  let listener: Server
  const listen = (port: number) =>
    new Promise<number>((resolve) => {
      listener = createServer((inner) => {
        const outer = connect(socketPath)
        for (const socket of [inner, outer]) {
          open.add(socket)
          socket.on('error', () => {})
          socket.on('close', () => {
            open.delete(socket)
            inner.destroy()
            outer.destroy()
          })
        }
        inner.pipe(outer).pipe(inner)
      }).listen(port, '127.0.0.1', () => resolve((listener.address() as { port: number }).port))
    })
  const port = await listen(0)
  return {
    port,
    cut: () =>
      new Promise((resolve) => {
        listener.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
    mend: async () => {
      await listen(port)
    },
  }
}

const requests = () =>
  [
    [
      'GET',
      `/v3/scheduling/availability?configuration_id=${configurationId}&start_time=${start}&end_time=${start + 3_600}`,
      null,
    ],
    ['GET', `/v3/scheduling/ui-settings?configuration_id=${configurationId}`, null],
    ['GET', '/v3/applications', server.apiKey],
    ['GET', '/v3/grants', server.apiKey],
    ['GET', '/v3/grants/ada@host.example/calendars', server.apiKey],
    ['GET', '/v3/grants/ada@host.example/events?calendar_id=primary', server.apiKey],
    ['GET', '/healthz', null],
    ['POST', '/v3/connect/token', null],
    ['POST', `/v3/scheduling/bookings?configuration_id=${configurationId}`, null],
  ] as const

const send = ([method, path, token]: ReturnType<typeof requests>[number], slot = 0) =>
  server.request(method, path, {
    token,
    ...(method === 'POST'
      ? {
          body: path.includes('bookings')
            ? {
                start_time: start + slot * 1_800,
                end_time: start + (slot + 1) * 1_800,
                guest: { name: 'Gil', email: 'gil@guest.example' },
              }
            : {
                grant_type: 'client_credentials',
                client_id: server.clientId,
                client_secret: server.apiKey,
                grant_id: 'ada@host.example',
              },
        }
      : {}),
  })

describe('while the database is away', () => {
  it('every route says 503, when to try again, and nothing of what is behind; then all goes on by itself', async () => {
    for (const request of requests()) expect((await send(request, 0)).status).toBe(200)

    await proxy.cut()
    for (const request of requests()) {
      const reply = await send(request, 1)
      expect({ request, status: reply.status }).toEqual({ request, status: 503 })
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
      if (request[1] !== '/v3/connect/token')
        expect(reply.body).toEqual({
          request_id: reply.headers.get('x-request-id'),
          error: { type: 'service_unavailable', message: expect.any(String) },
        })
      expect(JSON.stringify(reply.body)).not.toMatch(/ECONN|postgres|127\.0\.0\.1|sql|socket/i)
    }

    // Once, however many were refused: the operator's half of the answer.
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        msg: 'the database cannot be used',
        err: expect.objectContaining({ message: expect.stringMatching(/ECONNREFUSED|terminated/) }),
      }),
    ])

    await proxy.mend()
    for (const request of requests()) expect((await send(request, 2)).status).toBe(200)
  })

  it('nobody under load hears 500, and what was acknowledged is there', async () => {
    const statuses: number[] = []
    const acknowledged: string[] = []
    let isOver = false
    const guests = Array.from({ length: 6 }, async (_, guest) => {
      for (let turn = 0; !isOver; turn++) {
        const booking = requests().at(-1)
        if (booking === undefined) throw new Error('no request')
        const reply = await send(booking, 10 + guest * 200 + turn)
        statuses.push(reply.status)
        if (reply.status === 200) acknowledged.push(reply.body.data.booking_id)
      }
    })
    const booked = async (count: number) => {
      const goal = acknowledged.length + count
      for (let turns = 0; acknowledged.length < goal; turns++) {
        expect(turns).toBeLessThan(2_000)
        await server.request('GET', '/openapi.json')
      }
    }
    for (let round = 0; round < 2; round++) {
      await booked(8)
      await proxy.cut()
      const before = statuses.length
      while (statuses.length < before + 12) await server.request('GET', '/openapi.json')
      await proxy.mend()
    }
    await booked(8)
    isOver = true
    await Promise.all(guests)
    expect(statuses).toContain(503)
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([])
    for (const id of acknowledged)
      expect(
        (await server.request('GET', `/v3/scheduling/bookings/${id}?configuration_id=${configurationId}`)).status,
      ).toBe(200)
  }, 60_000)
})
