/** Receivers and mail servers that never answer: no connection to the database waits for them, and all else goes on (pitfall 31). */
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { AppId } from '../../../src/core/ids.ts'
import { makeEndpoint } from '../../support/endpoints.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { mailsOf } from '../../support/mails.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

/** Fewer than what is on its way at the same time. */
const connections = 2
const receivers = 3
const start = nearFuture()
let database: TestDatabase
let server: TestServer
let host: TestHost
let configuration: string
const silent: Receiver[] = []
/** Takes connections, and never says a word of SMTP. */
const mute = createServer((socket) => {
  sockets.add(socket)
  socket.on('error', () => {})
  reached()
})
const sockets = new Set<Socket>()
let reached = () => {}

beforeAll(async () => {
  database = await createTestDatabase()
  await new Promise<void>((listening) => mute.listen(0, '127.0.0.1', listening))
  const { port } = mute.address() as { port: number }
  // No worker of its own: the tests begin its work when they want it.
  server = await startTestServer(
    { connection: database.connection, network: { limits: { firstByteMs: 60_000, wholeMs: 60_000 } } },
    { ROLE: 'web', SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'desk@book.example' },
  )
  server.app.database.pool.options.max = connections
  host = await makeHost(server, 'ada@host.example')
  configuration = await makeConfiguration(server, [host])
  for (let number = 0; number < receivers; number++) {
    const receiver = await startReceiver()
    await makeEndpoint(server, receiver.url, ['booking.created'])
    silent.push(receiver)
  }
})
afterAll(async () => {
  await Promise.all(silent.map((receiver) => receiver.close()))
  for (const socket of sockets) socket.destroy()
  mute.close()
  await server?.close()
  await database?.drop()
})

/** Each waits for a connection of the two, and has it only for as long as it works. */
async function expectLifeToGoOn(slot: number): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: 4 }, async (_, index) => [
      (await book(server, configuration, start + (slot + index) * 1_800)).status,
      (
        await server.request(
          'GET',
          `/v3/scheduling/availability?configuration_id=${configuration}&start_time=${start}&end_time=${start + 86_400}`,
        )
      ).status,
      (await server.request('GET', '/v3/webhooks')).status,
      (await server.request('GET', '/healthz', { token: null })).status,
    ]),
  )
  expect(new Set(answers.flat())).toEqual(new Set([200]))
}

/** Seen from both ends: nothing is lent out here, and there no session is inside of a transaction or a statement. */
async function expectNoConnectionHeld(): Promise<void> {
  const { pool } = server.app.database
  expect({ lent: pool.totalCount - pool.idleCount, asked: pool.waitingCount }).toEqual({ lent: 0, asked: 0 })
  const { rows } = await pool.query<{ state: string }>(
    `select state, xact_start is not null as "isInside" from pg_stat_activity
     where datname = current_database() and application_name = 'openslot' and pid <> pg_backend_pid()`,
  )
  expect(rows.length).toBeLessThan(connections)
  expect(rows).toEqual(rows.map(() => ({ state: 'idle', isInside: false })))
}

it('receivers that never answer hold none while twelve webhooks wait for them', async () => {
  const released: (() => void)[] = []
  for (const receiver of silent)
    receiver.answer = (_received, response) => void released.push(() => response.writeHead(200).end())
  for (let slot = 0; slot < 4; slot++)
    expect((await book(server, configuration, start + slot * 1_800)).status).toBe(200)
  const shared = await server.app.operations.fanOutNotifications(server.clientId as AppId)
  if (!shared.ok) throw new Error(shared.problem.message)
  const sendings = shared.value.map((name) => server.app.operations.deliverWebhooks(name))
  await expect.poll(() => released.length, { timeout: 20_000 }).toBe(receivers * 4)
  await expectNoConnectionHeld()
  await expectLifeToGoOn(4)
  await expectNoConnectionHeld()

  for (const receiver of silent) receiver.answer = undefined
  for (const release of released) release()
  expect((await Promise.all(sendings)).map((sent) => sent.ok && sent.value)).toEqual(sendings.map(() => 4))
  await expectNoConnectionHeld()
})

it('a mail server that never answers holds none', async () => {
  const made = await book(server, configuration, start + 12 * 1_800)
  const mails = await mailsOf(server, made.body.data.booking_id)
  expect(mails.length).toBe(2)
  const connected = new Promise<void>((resolve) => {
    reached = () => sockets.size === 2 && resolve()
  })
  const sendings = mails.map(({ id }) =>
    server.app.operations.sendMail({ appId: server.clientId as AppId, mailId: id }),
  )
  await connected
  await expectNoConnectionHeld()
  await expectLifeToGoOn(14)
  await expectNoConnectionHeld()
  for (const socket of sockets) socket.destroy()
  expect(await Promise.all(sendings)).toEqual(sendings.map(() => ({ ok: true, value: 'deferred' })))
  expect((await mailsOf(server, made.body.data.booking_id)).map(({ state }) => state)).toEqual(['waiting', 'waiting'])
})
