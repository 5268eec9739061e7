/** A server that is started while its mail server is away, and for an hour: nothing is lost, and nothing comes twice. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { book, makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { mailsOf } from '../../support/mails.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { startSmtp, type TestSmtp } from '../../support/smtp.ts'

const start = nearFuture()
let smtp: TestSmtp
/** With a worker of its own, which runs as it does anywhere. */
let server: TestServer

beforeAll(async () => {
  smtp = await startSmtp()
  await smtp.goAway()
  server = await startTestServer({}, { SMTP_URL: smtp.url, MAIL_FROM: 'desk@book.example' })
})
afterAll(async () => {
  await server?.close()
  await smtp?.close()
})

const query = async <Row extends object>(text: string, ...values: unknown[]) =>
  (await server.app.database.pool.query<Row>(text, values)).rows

const mailJobs = `select key from graphile_worker.jobs where task_identifier = 'sendMail'`

/** How long the mail waits for its next attempt, in seconds, once `attempts` have ended. */
async function untilTried(id: string, attempts: number): Promise<number> {
  const ended = async () => (await server.request('GET', `/v3/mails/${id}`)).body.data.tries.length
  await expect.poll(ended, { timeout: 20_000, interval: 50 }).toBe(attempts)
  const [row] = await query<{ wait: number }>(
    `select extract(epoch from mail_due_at - now())::float8 as wait from openslot.deliveries where id = $1`,
    id,
  )
  return row?.wait ?? 0
}

/** Whatever waits is due, as if the clock had gone on to it. */
async function letWaitsPass(): Promise<void> {
  await query(`update openslot.deliveries set mail_due_at = now() where kind = 'mail' and state = 'ready'`)
  await query(
    `select graphile_worker.reschedule_jobs(array(select id from graphile_worker.jobs where task_identifier = 'sendMail'), now())`,
  )
}

it('mails of the first minute and of the last are kept, and each is sent once when the mail server comes', async () => {
  const host = await makeHost(server, 'ada@host.example')
  const configuration = await makeConfiguration(server, [host])
  const happen = async (slot: number) => {
    const guest = { name: 'Gil Guest', email: `gil${slot}@guest.example` }
    const made = await book(server, configuration, start + slot * 1_800, { body: { guest } })
    expect(made.status, JSON.stringify(made.body)).toBe(200)
    return made.body.data.booking_id as string
  }

  const first = await happen(0)
  const mails = await mailsOf(server, first)
  expect(mails.length).toBe(2)
  let outageSeconds = 0
  let attempts = 0
  while (outageSeconds < 3_600) {
    attempts++
    const waits = await Promise.all(mails.map(({ id }) => untilTried(id, attempts)))
    outageSeconds += Math.min(...waits)
    if (outageSeconds < 3_600) await letWaitsPass()
  }
  // Not hammered: in an hour it was asked this often.
  expect(attempts).toBeLessThan(8)
  const last = await happen(1)
  const all = [...mails, ...(await mailsOf(server, last))]
  expect(all.length).toBe(4)
  for (const { id } of all.slice(2)) await untilTried(id, 1)
  for (const { id } of all)
    expect((await server.request('GET', `/v3/mails/${id}`)).body.data).toMatchObject({
      state: 'waiting',
      last_error: expect.stringContaining('ECONNREFUSED'),
      next_attempt_at: expect.any(Number),
    })

  await smtp.comeBack()
  await letWaitsPass()
  await expect.poll(() => smtp.received.length, { timeout: 20_000 }).toBe(4)
  // No job is left that could send one again.
  await expect.poll(() => query(mailJobs), { timeout: 20_000 }).toEqual([])
  expect(smtp.received.map(({ messageId }) => messageId).toSorted()).toEqual(
    (await Promise.all(all.map(async ({ id }) => (await server.request('GET', `/v3/mails/${id}`)).body.data)))
      .map(({ message_id, state }) => (state === 'sent' ? `<${message_id}>` : state))
      .toSorted(),
  )
  expect((await server.request('GET', `/v3/mails/${mails[0]?.id}`)).body.data.tries).toMatchObject([
    ...Array.from({ length: attempts }, () => ({ outcome: 'deferred' })),
    { outcome: 'sent' },
  ])
})
