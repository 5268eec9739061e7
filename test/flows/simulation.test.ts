/**
 * Two servers on one database, their workers included, that are killed and started again while guests, hosts and the application
 * ask for whatever comes into their heads, under keys that they repeat: in the end all that was answered is so, and is told as it
 * came about. `SIMULATIONS` runs it longer, from `SEED`.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { encodeSalt } from '../../src/core/booking/reference.ts'
import { makeConfiguration, makeHost, nearFuture, participant } from '../support/hosts.ts'
import { type KillableServer, startKillableServer } from '../support/killableServer.ts'
import { endLeases } from '../support/leases.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { type Done, judge, type World } from '../support/simulation.ts'
import { startSmtp, type TestSmtp } from '../support/smtp.ts'

const simulations = Number(process.env.SIMULATIONS ?? 1)
const firstSeed = Number(process.env.SEED ?? 1)
const lanes = 4
const actionsOfEach = Number(process.env.ACTIONS ?? 22)
const kills = 2
/** Of one booking: an address that has had ten mails within the hour waits for the next. */
const mostChanges = 7
const start = nearFuture()
const halfHour = 1_800

let database: TestDatabase
let smtp: TestSmtp
/** Makes the world and looks at it; it is never killed. */
let watcher: TestServer
let servers: readonly KillableServer[]

beforeAll(async () => {
  ;[database, smtp] = await Promise.all([createTestDatabase(), startSmtp()])
  const mail = { SMTP_URL: smtp.url, MAIL_FROM: 'desk@book.example' }
  watcher = await startTestServer({ connection: database.connection }, { ROLE: 'web', ...mail })
  const orders = { connection: database.connection, environment: { ROLE: 'all', ...mail } }
  servers = await Promise.all([startKillableServer(orders), startKillableServer(orders)])
}, 60_000)
afterAll(async () => {
  await Promise.all((servers ?? []).map((server) => server.kill()))
  await watcher?.close()
  await smtp?.close()
  await database?.drop()
})

/** Numbers from 0 to below `count`, the same for the same seed. */
function chance(seed: number): (count: number) => number {
  let state = seed * 2_654_435_761
  return (count) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0
    return Math.floor((state / 2 ** 32) * count)
  }
}

async function makeWorld(seed: number): Promise<World> {
  const emails = ['ana', 'ben', 'cem', 'dea'].map((name) => `${name}${seed}@host.example`)
  const hosts = await Promise.all(emails.map((email) => makeHost(watcher, email)))
  // Between two slots, so that the clock does not cross one meanwhile.
  const noticeMinutes = Math.floor((start + 2 * 3_600 + 900 - Date.now() / 1_000) / 60)
  const plans: readonly Partial<World['configurations'][number]>[] = [
    { of: [0] },
    { of: [1], type: 'organizer-confirmation' },
    { of: [0, 1, 2], method: 'max-fairness' },
    { of: [1, 2, 3], method: 'max-availability', type: 'organizer-confirmation' },
    { of: [2, 3], method: 'max-availability' },
    { of: [0, 3], method: 'collective' },
    { of: [1], bufferMinutes: 30 },
    { of: [2], noticeMinutes },
  ]
  const configurations = []
  for (const { of = [], method, type = 'booking', bufferMinutes = 0, noticeMinutes = 0 } of plans) {
    const own = of.map((index) => hosts[index] as (typeof hosts)[number])
    const id = await makeConfiguration(watcher, own, {
      participants: own.map(({ email }, index) => participant(email, { isOrganizer: index === 0 })),
      rules: {
        ...(method === undefined ? {} : { availability_method: method }),
        buffer: { before: bufferMinutes, after: bufferMinutes },
      },
      event: { booking_type: type },
      scheduler: { min_booking_notice: noticeMinutes },
    })
    configurations.push({ id, of, method, type, bufferMinutes, noticeMinutes })
  }
  return { hosts, configurations, start }
}

type Known = { readonly id: string; readonly configuration: string; readonly guestReference: string; changes: number }
type Asked = { readonly method: string; readonly path: string; readonly body: object; readonly token?: string }
type Said = Pick<Done, 'error'> & { readonly data: Booked }
type Booked = NonNullable<Done['data']> & { readonly booking_ref: string }
type Answer = { readonly status: number; readonly body: Said }

const seeds = Array.from({ length: simulations }, (_, index) => firstSeed + index)

it.each(seeds)('simulation %i', { timeout: 240_000 }, async (seed) => {
  const world = await makeWorld(seed)
  const done: Done[] = []
  const known: Known[] = []
  let count = 0

  /** Under one key, until it is known what became of it, at whichever server is there. */
  const ask = async (
    draw: (count: number) => number,
    key: string,
    { method, path, body, token }: Asked,
  ): Promise<Answer> => {
    for (;;) {
      const server = servers[draw(2)] as KillableServer
      const headers = { 'idempotency-key': key, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
      const response = await server.ask(method, path, { body, headers })
      const answer = { status: response.status, body: await response.json() } as Answer
      const isOpen = answer.status === 503 || answer.body.error?.type === 'api.concurrent_idempotent_request'
      if (!isOpen) return answer
      await new Promise((soon) => setTimeout(soon, 50))
    }
  }
  const saltOf = async (id: string): Promise<string> => {
    const sql = 'select organizer_salt as salt from openslot.bookings where id = $1'
    const { rows } = await watcher.app.database.pool.query<{ salt: Buffer }>(sql, [id])
    return encodeSalt(rows[0]?.salt ?? Buffer.alloc(0))
  }

  const lane = async (number: number) => {
    const draw = chance(seed * 100 + number)
    const pick = <T>(...choices: readonly T[]): T => choices[draw(choices.length)] as T
    const times = () => {
      const from = start + draw(9) * halfHour
      return { start_time: from, end_time: from + halfHour }
    }
    const named = (configuration: string) => {
      const { of, method } = world.configurations.find(({ id }) => id === configuration) ?? {
        of: [],
        method: undefined,
      }
      const isAsked = method?.startsWith('max') && draw(3) === 0
      return isAsked ? { participants: [{ email: world.hosts[of[draw(of.length)] ?? 0]?.email }] } : {}
    }
    const create = async () => {
      const configuration = pick(...world.configurations)
      const guest = `guest${seed}-${++count}@guest.example`
      const body = { ...times(), guest: { name: 'Gil', email: guest }, ...named(configuration.id) }
      const path = `/v3/scheduling/bookings?configuration_id=${configuration.id}`
      const asked: Asked = { method: 'POST', path, body, ...(draw(3) === 0 ? { token: watcher.apiKey } : {}) }
      const answer = await askOnce({ kind: 'create', guest, to: body.start_time }, asked)
      if (answer.status !== 200) return
      const { booking_id: id, booking_ref: guestReference } = answer.body.data
      known.push({ id, configuration: configuration.id, guestReference, changes: 0 })
    }
    /** Asks, and now and then asks again: what was answered stays so. */
    const askOnce = async (what: Omit<Done, 'status' | 'error' | 'data'>, asked: Asked): Promise<Answer> => {
      const key = `${seed}-${number}-${++count}`
      const answer = await ask(draw, key, asked)
      done.push({ ...what, status: answer.status, error: answer.body.error, data: answer.body.data })
      const isKept =
        what.isByHand !== true && (answer.status === 200 || answer.body.error?.type === 'timeslot_not_available')
      if (isKept && draw(4) === 0) {
        const again = await ask(draw, key, asked)
        expect([again.status, again.body.data, again.body.error]).toEqual([
          answer.status,
          answer.body.data,
          answer.body.error,
        ])
      }
      return answer
    }
    /** As a guest by the link, as anyone who knows the id, or as the application. */
    const at = ({ id, configuration, guestReference }: Known): Pick<Asked, 'path' | 'token'> =>
      pick(
        { path: `/v3/scheduling/bookings/${id}`, token: guestReference },
        { path: `/v3/scheduling/bookings/${id}?configuration_id=${configuration}` },
        { path: `/v3/scheduling/bookings/${id}`, token: watcher.apiKey },
      )
    const change = async (booking: Known) => {
      booking.changes++
      const { id, configuration } = booking
      switch (pick('move', 'move', 'move', 'people', 'cancel', 'confirmed', 'confirmed', 'declined', 'event')) {
        case 'move': {
          const body = { ...times(), ...named(configuration) }
          await askOnce({ kind: 'move', id, to: body.start_time }, { method: 'PATCH', body, ...at(booking) })
          return
        }
        case 'people': {
          const friend = `friend${seed}-${++count}@guest.example`
          // Where it is, as often as not: then it changes people alone.
          const stood = done.findLast(
            (one) => one.status === 200 && one.to !== undefined && (one.id ?? one.data?.booking_id) === id,
          )?.to
          const from = draw(2) === 0 ? stood : undefined
          const when = from === undefined ? times() : { start_time: from, end_time: from + halfHour }
          const body = { ...when, additional_guests: [{ name: 'Fay', email: friend }] }
          await askOnce({ kind: 'move', id, friend, to: body.start_time }, { method: 'PATCH', body, ...at(booking) })
          return
        }
        case 'cancel':
          await askOnce(
            { kind: 'cancel', id },
            { method: 'DELETE', body: { cancellation_reason: 'so' }, ...at(booking) },
          )
          return
        case 'event': {
          const sql = `select event_id, body #> '{service,placements,0,key}' as key from openslot.bookings where id = $1`
          const [event] = (await watcher.app.database.pool.query(sql, [id])).rows
          const path = `/v3/grants/${event.key.grantId}/events/${event.event_id}?calendar_id=${event.key.calendarId}`
          const when = times()
          const asked = { path, token: watcher.apiKey, body: { when } }
          if (draw(2) === 0) await askOnce({ kind: 'cancel', id, isByHand: true }, { ...asked, method: 'DELETE' })
          else await askOnce({ kind: 'move', id, to: when.start_time, isByHand: true }, { ...asked, method: 'PUT' })
          return
        }
        case 'confirmed':
        case 'declined': {
          const status = pick('confirmed', 'confirmed', 'cancelled')
          const body = { salt: await saltOf(id), status }
          const path = `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`
          await askOnce(
            { kind: status === 'confirmed' ? 'confirm' : 'cancel', id, isOfOrganizer: true },
            { method: 'PUT', path, body },
          )
        }
      }
    }
    for (let action = 0; action < actionsOfEach; action++) {
      const open = known.filter(({ changes }) => changes < mostChanges)
      if (open.length === 0 || draw(5) < 2) await create()
      else await change(pick(...open.slice(-6)))
    }
  }

  let isOver = false
  const killer = async () => {
    const draw = chance(seed * 100 + 99)
    for (let kill = 1; kill <= kills; kill++) {
      const enough = (kill * lanes * actionsOfEach) / (kills + 1)
      while (done.length < enough && !isOver) await new Promise((soon) => setTimeout(soon, 5))
      if (isOver) return
      const server = servers[draw(2)] as KillableServer
      await server.kill()
      await endLeases(watcher.app)
      await server.restart()
    }
  }
  const working = Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)))
  await Promise.all([killer(), working.finally(() => (isOver = true))])
  await drainMails(seed)
  expect(await judge(watcher, world, done, smtp)).toEqual([])
})

/** What dead processes hold runs out, and what was to be tried again is due. */
async function drainMails(seed: number): Promise<void> {
  const { pool } = watcher.app.database
  for (let rounds = 0; ; rounds++) {
    const { rows } = await pool.query<{ id: string }>(
      `select id from openslot.deliveries where kind = 'mail' and state = 'ready' order by id`,
    )
    if (rows.length === 0) return
    if (rounds > 60) throw new Error(`simulation ${seed}: ${rows.length} mails are held for ever`)
    // Whoever sends one now is alive: only what nobody has had for a while is set free.
    await pool.query(`update openslot.deliveries set mail_due_at = now() where kind = 'mail' and state = 'ready'
      and (mail_begun_at is null or mail_begun_at < now() - interval '3 seconds')`)
    for (const { id } of rows) await watcher.app.operations.sendMail({ appId: watcher.clientId as never, mailId: id })
  }
}
