/**
 * A worker that is killed without warning at every step of sending a webhook or a mail: nothing is lost, what comes twice
 * has the same id, and the rows say what happened.
 */
import { createServer } from 'node:net'
import type { PoolClient } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import type { AppId } from '../../src/core/ids.ts'
import { makeEndpoint, type TestEndpoint, work } from '../support/endpoints.ts'
import { book, makeConfiguration, makeHost, nearFuture } from '../support/hosts.ts'
import { type KillableServer, startKillableServer } from '../support/killableServer.ts'
import { mailsOf } from '../support/mails.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { type SilentStep, startSmtp, type TestSmtp } from '../support/smtp.ts'

const start = nearFuture()
let database: TestDatabase
let smtp: TestSmtp
let receiver: Receiver
/** Books and reads, and does what another worker does after the dead one; it is never killed. */
let server: TestServer
/** Of a booking comes a webhook and no mail; or one mail, the question to its organizer. */
let configurations: { readonly webhook: string; readonly mail: string }
let worker: KillableServer | undefined
let slot = 0

beforeAll(async () => {
  ;[database, smtp, receiver] = await Promise.all([createTestDatabase(), startSmtp(), startReceiver()])
  const mail = { SMTP_URL: smtp.url, MAIL_FROM: 'desk@book.example' }
  server = await startTestServer({ connection: database.connection }, { ROLE: 'web', ...mail })
  const host = await makeHost(server, 'ada@host.example')
  const make = (booking_type: string) =>
    makeConfiguration(server, [host], { event: { booking_type, disable_emails: true } })
  configurations = { webhook: await make('booking'), mail: await make('organizer-confirmation') }
})
afterEach(async () => {
  await worker?.kill()
  worker = undefined
})
afterAll(async () => {
  await server?.close()
  await Promise.all([smtp?.close(), receiver?.close()])
  await database?.drop()
})

async function startWorker(): Promise<KillableServer> {
  worker = await startKillableServer({
    connection: database.connection,
    environment: {
      ROLE: 'worker',
      BASE_URL: 'http://localhost:3000',
      ALLOW_PRIVATE_NETWORK: '127.0.0.0/8',
      SMTP_URL: smtp.url,
      MAIL_FROM: 'desk@book.example',
    },
  })
  return worker
}

async function happen(of: keyof typeof configurations): Promise<string> {
  const booked = await book(server, configurations[of], start + slot++ * 1_800)
  if (booked.status !== 200) throw new Error(JSON.stringify(booked.body))
  return booked.body.data.booking_id
}

const query = async (text: string, ...values: unknown[]) => (await server.app.database.pool.query(text, values)).rows

/** Holds the row, so that a worker which would write down how an attempt ended waits before it can. */
async function holdRow(bookingId: string, kind: 'mail' | 'webhook'): Promise<{ letGo(): Promise<void> }> {
  const client: PoolClient = await server.app.database.pool.connect()
  await client.query('begin')
  await client.query(
    `select from openslot.deliveries where coalesce(booking_id::text, object_id) = $1 and kind = $2 for update`,
    [bookingId, kind],
  )
  return {
    letGo: async () => {
      await client.query('rollback')
      client.release()
    },
  }
}

/** A worker stands before the row that is held. */
async function untilSomeoneWaits(): Promise<void> {
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  await expect.poll(async () => (await query(waiting)).length, { timeout: 20_000, interval: 20 }).toBeGreaterThan(0)
}

/** As when the leases of the dead have run out, and the clock has struck for whatever looks after that. */
async function letLeasesEnd(): Promise<void> {
  await query(
    `update openslot.webhook_endpoints set sender_until = now() - interval '1 second' where sender is not null`,
  )
  await query(`update openslot.deliveries set mail_due_at = now() where kind = 'mail' and state = 'ready'`)
  await server.app.operations.sweep()
}

/** The promise ends when `reached` is called for the first time. */
function milestone(): { readonly reached: () => void; readonly passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { reached: resolve, passed: promise }
}

describe('killed while it sends a webhook', () => {
  let endpoint: TestEndpoint
  beforeEach(async () => {
    receiver.received.length = 0
    receiver.answer = undefined
    endpoint = await makeEndpoint(server, receiver.url, ['booking.created'])
  })
  afterEach(() => server.request('DELETE', `/v3/webhooks/${endpoint.id}`))

  const deliveryOf = async (id: string) =>
    (await server.request('GET', `/v3/scheduling/bookings/${id}/deliveries`)).body.data[0]
  const pointTo = (url: string) =>
    query('update openslot.webhook_endpoints set url = $2 where id = $1', endpoint.id, url)

  /** How far the first worker gets with the webhook about `id` before it is killed. */
  const steps: Readonly<Record<string, (id: string) => Promise<void>>> = {
    'it has taken the endpoint, and the receiver has heard nothing': async () => {
      const { reached, passed } = milestone()
      const mute = createServer({ pauseOnConnect: true }, reached)
      await new Promise<void>((listening) => mute.listen(0, '127.0.0.1', listening))
      await pointTo(`http://127.0.0.1:${(mute.address() as { port: number }).port}/hook`)
      const first = await startWorker()
      await passed
      await first.kill()
      mute.close()
      await pointTo(receiver.url)
    },
    'the receiver has it and has not answered': async () => {
      const { reached, passed } = milestone()
      receiver.answer = () => reached()
      const first = await startWorker()
      await passed
      await first.kill()
    },
    'the receiver has answered, and nothing is written down yet': async (id) => {
      const isShared = server.app.operations.fanOutNotifications(server.clientId as AppId)
      expect((await isShared).ok).toBe(true)
      const row = await holdRow(id, 'webhook')
      const first = await startWorker()
      await receiver.waitFor(1)
      await untilSomeoneWaits()
      await first.kill()
      await row.letGo()
    },
    'it is written down': async (id) => {
      const first = await startWorker()
      await expect.poll(async () => (await deliveryOf(id))?.status, { timeout: 20_000 }).toBe('delivered')
      await first.kill()
    },
  }

  it.each([
    ['it has taken the endpoint, and the receiver has heard nothing', 'waiting', 0],
    ['the receiver has it and has not answered', 'waiting', 1],
    ['the receiver has answered, and nothing is written down yet', 'waiting', 1],
    ['it is written down', 'delivered', 1],
  ] as const)('when %s', async (step, status, heard) => {
    const id = await happen('webhook')
    await steps[step]?.(id)
    receiver.answer = undefined
    expect(receiver.received.length).toBe(heard)
    const left = await deliveryOf(id)
    expect(left).toMatchObject({ status, attempts: status === 'waiting' ? [] : [{ attempt: 1 }] })

    await letLeasesEnd()
    await work(server)
    expect(await deliveryOf(id)).toMatchObject({
      status: 'delivered',
      attempts: [{ attempt: 1, response_status: 200 }],
    })

    const got = receiver.received.filter(({ json }) => json.data.object.booking_id === id)
    expect(got.length).toBe(status === 'delivered' ? heard : heard + 1)
    expect(new Set(got.map(({ json, headers }) => `${json.id} ${headers['webhook-id']}`))).toEqual(
      new Set([`${left.notification_id} ${left.notification_id}`]),
    )
    const takeOvers = `select from openslot.audit_log where action = 'webhook.takenOver' and target = $1`
    if (status === 'waiting') expect((await query(takeOvers, endpoint.id)).length).toBe(1)
  })
})

describe('killed while it sends a mail', () => {
  beforeEach(() => {
    smtp.received.length = 0
  })
  afterEach(() => {
    smtp.fallSilent(undefined)
    smtp.beforeAnswer = undefined
  })

  const dieAt = (step: SilentStep) => async () => {
    const { reached, passed } = milestone()
    smtp.fallSilent(step, reached)
    const first = await startWorker()
    await passed
    await first.kill()
    smtp.fallSilent(undefined)
  }
  const mailOf = async (id: string) => {
    const [mail, ...more] = await mailsOf(server, id)
    expect(more).toEqual([])
    return (await server.request('GET', `/v3/mails/${mail?.id}`)).body.data
  }

  /** How far the first worker gets with the mail about `id` before it is killed. */
  const steps: Readonly<Record<string, (id: string) => Promise<void>>> = {
    'it has taken the mail, and the mail server has said nothing': dieAt('greeting'),
    'the mail server has heard for whom it is': dieAt('recipient'),
    'the mail server has all of it and has not answered': dieAt('message'),
    'the mail server has answered, and nothing is written down yet': async (id) => {
      const row = milestone()
      let letGo = async () => {}
      smtp.beforeAnswer = async () => {
        ;({ letGo } = await holdRow(id, 'mail'))
        row.reached()
      }
      const first = await startWorker()
      await row.passed
      await untilSomeoneWaits()
      await first.kill()
      await letGo()
      smtp.beforeAnswer = undefined
    },
    'it is written down': async (id) => {
      const first = await startWorker()
      await expect.poll(async () => (await mailOf(id)).state, { timeout: 20_000 }).toBe('sent')
      await first.kill()
    },
  }

  it.each([
    ['it has taken the mail, and the mail server has said nothing', 'waiting', 0],
    ['the mail server has heard for whom it is', 'waiting', 0],
    ['the mail server has all of it and has not answered', 'waiting', 1],
    ['the mail server has answered, and nothing is written down yet', 'waiting', 1],
    ['it is written down', 'sent', 1],
  ] as const)('when %s', async (step, state, taken) => {
    const id = await happen('mail')
    await steps[step]?.(id)
    expect(smtp.received.length).toBe(taken)
    const left = await mailOf(id)
    expect(left).toMatchObject({ state, attempts: 1, tries: state === 'sent' ? [{ outcome: 'sent' }] : [] })

    const jobs = await query(
      `select run_at <= now() + interval '30 seconds' as "isSoon", run_at >= mail_due_at as "isAfterLease"
      from graphile_worker.jobs as job join openslot.deliveries as mail on job.key = 'mail:' || mail.id
      where mail.id = $1 and locked_at is null`,
      left.id,
    )
    expect(jobs).toEqual(state === 'waiting' ? [{ isSoon: true, isAfterLease: true }] : [])
    await letLeasesEnd()
    const again = await server.app.operations.sendMail({ appId: server.clientId as AppId, mailId: left.id })
    expect(again).toEqual({ ok: true, value: state === 'waiting' ? 'sent' : 'nothing to do' })

    expect((await mailOf(id)).tries).toMatchObject(
      state === 'sent'
        ? [{ outcome: 'sent' }]
        : [{ outcome: 'interrupted', answer: expect.stringContaining('may have gone out') }, { outcome: 'sent' }],
    )
    const copies = smtp.received.filter(({ messageId }) => messageId === `<${left.message_id}>`)
    expect(copies.length).toBe(state === 'sent' ? taken : taken + 1)
    expect(new Set(copies.map(({ text, html }) => `${text}${html}`)).size).toBe(1)
    expect(smtp.received.length).toBe(copies.length)
  })
})
