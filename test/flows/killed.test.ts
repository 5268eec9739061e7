/**
 * A server that is killed again and again while people book, with a receiver that fails a third of the time: all that was
 * acknowledged is heard of. `KILLED_BOOKINGS=2000` makes the loop long.
 */
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { catalogues } from '../../src/adapters/mail/catalogues.ts'
import { makeEndpoint, type TestEndpoint, work } from '../support/endpoints.ts'
import { makeConfiguration, makeHost, nearFuture } from '../support/hosts.ts'
import { type KillableServer, startKillableServer } from '../support/killableServer.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { startSmtp, type TestSmtp } from '../support/smtp.ts'

const count = Number(process.env.KILLED_BOOKINGS ?? 60)
const kills = count > 1_000 ? 12 : 4
const hosts = 8
const clients = 8
const languages = Object.keys(catalogues) as (keyof typeof catalogues)[]
const zones = ['Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kathmandu']
const start = nearFuture()

let database: TestDatabase
let smtp: TestSmtp
let receiver: Receiver
/** Reads, and does at the end what a worker does; it is never killed. */
let watcher: TestServer
let killable: KillableServer
let endpoint: TestEndpoint
const configurations: string[] = []

beforeAll(async () => {
  ;[database, smtp, receiver] = await Promise.all([createTestDatabase(), startSmtp(), startReceiver()])
  const mail = { SMTP_URL: smtp.url, MAIL_FROM: 'desk@book.example' }
  watcher = await startTestServer({ connection: database.connection }, { ROLE: 'web', ...mail })
  endpoint = await makeEndpoint(watcher, receiver.url, ['booking.created'])
  for (let index = 0; index < hosts; index++) {
    const host = await makeHost(watcher, `host${index}@host.example`)
    configurations.push(await makeConfiguration(watcher, [host]))
  }
  killable = await startKillableServer({
    connection: database.connection,
    environment: { ROLE: 'all', ALLOW_PRIVATE_NETWORK: '127.0.0.0/8', ...mail },
  })
})
afterAll(async () => {
  await killable?.kill()
  await watcher?.close()
  await Promise.all([smtp?.close(), receiver?.close()])
  await database?.drop()
})

type Wish = {
  readonly number: number
  readonly from: number
  readonly guest: string
  readonly language: keyof typeof catalogues
  readonly zone: string
}

function wishOf(number: number): Wish {
  return {
    number,
    from: start + Math.floor(number / hosts) * 1_800,
    guest: `guest${number}@guest.example`,
    language: languages[number % languages.length] ?? 'en',
    zone: zones[number % zones.length] ?? 'UTC',
  }
}

/** Under a key of its own, so that asking again after a broken connection books once. */
async function bookUntilAcknowledged({ number, from, guest, language, zone }: Wish): Promise<string> {
  for (;;) {
    const path = `/v3/scheduling/bookings?configuration_id=${configurations[number % hosts]}`
    const response = await killable.ask('POST', path, {
      headers: { 'idempotency-key': `wish-${number}` },
      body: {
        start_time: from,
        end_time: from + 1_800,
        timezone: zone,
        email_language: language,
        guest: { name: `Guest ${number}`, email: guest },
      },
    })
    const answer = (await response.json()) as { data: { booking_id: string } }
    if (response.status === 200) return answer.data.booking_id
    // The process that had this key was killed: its hold on it runs out.
    if (response.status !== 409) throw new Error(`${response.status} ${JSON.stringify(answer)}`)
    await new Promise((soon) => setTimeout(soon, 250))
  }
}

/** What dead processes hold runs out, and what was to be tried again is due: as after some hours. */
async function letTimePass(): Promise<void> {
  const { pool } = watcher.app.database
  await pool.query(`update openslot.webhook_endpoints set sender = null, sender_until = null, status = 'active'`)
  await pool.query(`update openslot.deliveries set due_at = now() where kind = 'webhook' and state = 'ready'`)
  await pool.query(`update openslot.deliveries set mail_due_at = now() where kind = 'mail' and state = 'ready'`)
  await work(watcher)
  const { rows } = await pool.query<{ id: string }>(
    `select id from openslot.deliveries where kind = 'mail' and state = 'ready' order by id`,
  )
  const queue = rows.map(({ id }) => id)
  const lane = async () => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift())
      await watcher.app.operations.sendMail({ appId: watcher.clientId as never, mailId: id })
  }
  await Promise.all([lane(), lane()])
}

async function allDeliveries(): Promise<{ object_id: string; status: string; notification_id: string }[]> {
  const found = []
  let page = ''
  for (;;) {
    const { body } = await watcher.request('GET', `/v3/webhooks/${endpoint.id}/deliveries?limit=200${page}`)
    found.push(...body.data)
    if (body.next_cursor === undefined) return found
    page = `&page_token=${body.next_cursor}`
  }
}

it(
  `${count} bookings over ${kills} kills: each is heard of by webhook and by mail, signed, in its language and zone`,
  async () => {
    let calls = 0
    receiver.answer = (_received, response) => {
      // A third fails, in turns in three ways.
      const turn = calls++ % 9
      if (turn === 0) response.writeHead(500).end()
      else if (turn === 3) response.destroy()
      else if (turn === 6) response.writeHead(503, { 'retry-after': '1' }).end()
      else response.writeHead(200).end()
    }

    const acknowledged = new Map<string, Wish>()
    const wishes = Array.from({ length: count }, (_, number) => wishOf(number))
    const lane = async () => {
      for (let wish = wishes.shift(); wish !== undefined; wish = wishes.shift())
        acknowledged.set(await bookUntilAcknowledged(wish), wish)
    }
    const killer = async () => {
      for (let done = 1; done <= kills; done++) {
        const enough = Math.floor((done / (kills + 1)) * count)
        while (acknowledged.size < enough) await new Promise((soon) => setTimeout(soon, 5))
        await killable.kill()
        // As when its lease has run out, which takes a minute.
        await watcher.app.database.pool.query(
          `update openslot.idempotency_keys set lease_until = now() - interval '1 second' where status is null`,
        )
        await killable.restart()
      }
    }
    await Promise.all([killer(), ...Array.from({ length: clients }, lane)])
    await killable.kill()
    expect(acknowledged.size).toBe(count)

    const isLeft = `select from openslot.deliveries where state = 'ready' union all select from openslot.webhook_events where fanned_out_at is null`
    for (let rounds = 0; (await watcher.app.database.pool.query(isLeft)).rowCount !== 0; rounds++) {
      expect(rounds).toBeLessThan(20)
      await letTimePass()
    }

    // Webhooks: of each booking, signed, under one id however often it came.
    const verifier = new Webhook(endpoint.secret)
    const heard = new Map<string, Set<string>>()
    for (const { raw, headers, json } of receiver.received) {
      expect(verifier.verify(raw.toString(), headers)).toEqual(json)
      const id = json.data.object.booking_id as string
      heard.set(id, (heard.get(id) ?? new Set()).add(json.id))
    }
    expect([...heard.keys()].toSorted()).toEqual([...acknowledged.keys()].toSorted())
    expect([...heard.values()].filter(({ size }) => size !== 1)).toEqual([])
    expect(receiver.received.length).toBeGreaterThan(count)
    const log = await allDeliveries()
    expect(log.map(({ object_id }) => object_id).toSorted()).toEqual([...acknowledged.keys()].toSorted())
    expect(log.filter(({ status }) => status !== 'delivered')).toEqual([])
    for (const { object_id, notification_id } of log) expect(heard.get(object_id)).toEqual(new Set([notification_id]))

    // Mails: one to each guest and one to each host, the same one however often it came; and nothing else.
    const messages = new Map<string, Set<string>>()
    for (const { recipient, messageId } of smtp.received)
      messages.set(messageId ?? '', (messages.get(messageId ?? '') ?? new Set()).add(recipient))
    const perRecipient = new Map<string, number>()
    for (const recipients of messages.values()) {
      expect(recipients.size).toBe(1)
      for (const one of recipients) perRecipient.set(one, (perRecipient.get(one) ?? 0) + 1)
    }
    const expected = new Map<string, number>()
    for (const { guest, number } of acknowledged.values()) {
      expected.set(guest, 1)
      const host = `host${number % hosts}@host.example`
      expected.set(host, (expected.get(host) ?? 0) + 1)
    }
    expect([...perRecipient].toSorted()).toEqual([...expected].toSorted())
    const byGuest = new Map(smtp.received.map((mail) => [mail.recipient, mail]))
    for (const { guest, language, zone, from } of acknowledged.values()) {
      const mail = byGuest.get(guest)
      const day = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeZone: zone }).format(from * 1_000)
      const clock = new Intl.DateTimeFormat(language, { timeStyle: 'short', timeZone: zone }).formatToParts(
        from * 1_000,
      )
      const digits = (name: string) => clock.find(({ type }) => type === name)?.value
      expect(mail?.subject).toContain(catalogues[language]?.headings.confirmed)
      const [, after = ''] = mail?.text?.split(`${day} · `) ?? []
      expect(after.slice(0, 20)).toContain(digits('hour'))
      expect(after.slice(0, 20)).toContain(digits('minute'))
      expect(mail?.text).toContain(`(${zone})`)
      expect(mail?.headers.find(({ key }) => key === 'content-language')?.value).toBe(language)
      expect(mail?.calendar).toContain(guest)
    }
  },
  count > 1_000 ? 600_000 : 120_000,
)
