/**
 * The whole server killed without warning at any request to Cyrus while it books, moves or cancels, then started again as it
 * would be, over a network that fails at first: within a minute there are never two events, never a booking without its event,
 * no orphan, and nothing half done. `KILLS` runs it longer, and kills the server that repairs, too.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'

import { eventIdOfIcalUid } from '../../../src/core/booking/booking.ts'
import { ask, type CaldavServer, type CaldavUser } from '../../support/calendars/caldavServer.ts'
import { startCyrusCaldav } from '../../support/calendars/cyrusCaldav.ts'
import { type FaultProxy, type NetworkFault, startFaultProxy } from '../../support/calendars/faultProxy.ts'
import { bookAt, configure, connect, type RemoteHost } from '../../support/calendars/remoteHosts.ts'
import { nearFuture } from '../../support/hosts.ts'
import { findFaults, type Ledger, readLedger } from '../../support/ledger.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

const kills = Number(process.env.KILLS ?? '4')
/** Kills between one start of the server that repairs and the next. */
const together = 25
/** What is promised: from the moment on from which server and network live. */
const recoveredWithinMs = 60_000
/** A step as it shows on the wire: the nth request of a change, before or after the server has done it. */
const deepest = 8
let cyrus: CaldavServer
let user: CaldavUser
let proxy: FaultProxy
let database: TestDatabase
let server: TestServer
let host: RemoteHost
let configuration: string
let child: { readonly process: ChildProcess; readonly address: string } | undefined

beforeAll(async () => {
  cyrus = await startCyrusCaldav()
  ;[user] = cyrus.users as [CaldavUser]
  proxy = await startFaultProxy({ port: Number(new URL(cyrus.url).port) })
  database = await createTestDatabase()
  // Makes what is to be changed, and reads; it repairs nothing.
  server = await startTestServer({ connection: database.connection }, { ROLE: 'web' })
  const { username, password } = user
  host = await connect(server, 'caldav', { server_url: proxy.through(cyrus.url), username, password })
  configuration = await configure(server, host)
}, 120_000)
afterAll(async () => {
  child?.process.kill('SIGKILL')
  await server?.close()
  await database?.drop()
  await proxy?.stop()
  await cyrus?.stop()
})

async function startServer(role: 'web' | 'all'): Promise<{ process: ChildProcess; address: string }> {
  const orders = JSON.stringify({ connection: database.connection, environment: { ROLE: role } })
  const started = spawn(process.execPath, ['test/support/crashServer.ts', orders], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface(started.stdout), 'line')
  child = { process: started, address: (JSON.parse(line) as { address: string }).address }
  return child
}

async function kill(doomed: ChildProcess): Promise<void> {
  child = undefined
  if (doomed.exitCode !== null || doomed.signalCode !== null) return
  const exited = once(doomed, 'exit')
  doomed.kill('SIGKILL')
  await exited
}

/** What stands on the calendar, as its owner reads it. */
async function eventsOnCalendar(): Promise<Ledger['events']> {
  const { text } = await ask(user, 'REPORT', new URL(host.calendars[0] ?? '', user.calendar).href, {
    headers: { depth: '1' },
    body: `<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`,
  })
  return [...text.matchAll(/BEGIN:VEVENT[\s\S]*?END:VEVENT/g)].map(([event]) => {
    const line = (name: string) => new RegExp(`^${name}[^:]*:(.*)$`, 'm').exec(event)?.[1]?.trim() ?? ''
    const seconds = (name: string) =>
      Date.parse(line(name).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')) / 1_000
    return {
      id: eventIdOfIcalUid(line('UID')) ?? line('UID'),
      calendar: `${host.grantId}/${host.calendars[0]}`,
      start: seconds('DTSTART'),
      end: seconds('DTEND'),
      title: line('SUMMARY'),
      source: 'scheduler',
    }
  })
}

const passing: readonly NetworkFault[] = [
  { kind: 'cutRequest' },
  { kind: 'cutAfterRequest' },
  { kind: 'cutAnswer' },
  { kind: 'reset' },
]

/** Whatever stands otherwise than it must once nothing is under way. */
async function faults(): Promise<string[]> {
  return findFaults({ ...(await readLedger(server.app)), events: await eventsOnCalendar() })
}

function allIsWell(): Promise<void> {
  return vi.waitFor(async () => expect(await faults()).toEqual([]), { timeout: recoveredWithinMs, interval: 500 })
}

/** The server starts again, over a network that fails a few times first; every other time one more dies before it. */
async function startAgain(batch: number): Promise<void> {
  if (batch % 2 === 0) await dieInRepair()
  let failures = passing.length
  proxy.always(() => {
    failures -= 1
    return failures >= 0 ? passing[failures] : undefined
  })
  const { process: repairing } = await startServer('all')
  await allIsWell()
  await kill(repairing)
  proxy.always()
}

/** The one that repairs is killed as well, once its first write is done. */
async function dieInRepair(): Promise<void> {
  const { process: doomed } = await startServer('all')
  proxy.always((firstLine) =>
    /^(PUT|DELETE)/.test(firstLine) ? { kind: 'cutAfterRequest', whenDone: () => doomed.kill('SIGKILL') } : undefined,
  )
  // Where what was cut off needs no write any more, it lives on.
  await vi.waitFor(
    async () => {
      if (doomed.signalCode === null) expect(await faults()).toEqual([])
    },
    { timeout: recoveredWithinMs, interval: 500 },
  )
  await kill(doomed)
}

const changes = ['book', 'move', 'cancel'] as const

async function attempt(
  change: (typeof changes)[number],
  at: number,
  when: 'before' | 'after',
  round: number,
): Promise<boolean> {
  const from = nearFuture() + round * 7_200
  const booking = change === 'book' ? undefined : await bookAt(server, configuration, from)
  const { process: doomed, address } = child ?? (await startServer('web'))
  const exited = once(doomed, 'exit')
  let requests = 0
  let isKilled = false
  const die = () => {
    isKilled = true
    doomed.kill('SIGKILL')
  }
  proxy.always(() => {
    requests += 1
    if (requests !== at) return isKilled ? { kind: 'reset' } : undefined
    if (when === 'after') return { kind: 'cutAfterRequest', whenDone: die }
    die()
    return { kind: 'cutRequest' }
  })
  const send = (method: string, path: string, body: object) =>
    fetch(`${address}${path}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.apiKey}` },
      body: JSON.stringify(body),
    }).then(
      () => 'answered',
      () => 'cut off',
    )
  const answer =
    change === 'book'
      ? await send('POST', `/v3/scheduling/bookings?configuration_id=${configuration}`, {
          start_time: from,
          end_time: from + 1_800,
          guest: { name: 'Gil', email: `gil${round}@guest.example` },
        })
      : change === 'move'
        ? await send('PATCH', `/v3/scheduling/bookings/${booking}`, {
            start_time: from + 3_600,
            end_time: from + 5_400,
          })
        : await send('DELETE', `/v3/scheduling/bookings/${booking}`, {})
  proxy.always()
  if (isKilled) {
    await exited
    child = undefined
    expect(answer).toBe('cut off')
  }
  return isKilled
}

it(`${kills} kills leave nothing half done`, { timeout: 180_000 + kills * 20_000 }, async () => {
  let done = 0
  for (let round = 0; done < kills; round += 1) {
    expect(round, 'rounds without a kill').toBeLessThan(kills * 4 + 50)
    const change = changes[round % changes.length] ?? 'book'
    // Every request of every change in turn; a few kills take one of each kind.
    const step = kills < 50 ? 1 + ((round * 2) % deepest) : 1 + (Math.floor(round / changes.length) % deepest)
    const when = Math.floor(round / (kills < 50 ? 1 : changes.length * deepest)) % 2 === 0 ? 'after' : 'before'
    if (!(await attempt(change, step, when, round))) continue
    done += 1
    if (done % together === 0 || done === kills) await startAgain(Math.ceil(done / together))
  }
})
