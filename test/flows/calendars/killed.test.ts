/**
 * A server that is killed at every step of placing, moving and cancelling on a real calendar server, over a line that breaks:
 * never two events, never a booking without its event, no orphan. `OPENSLOT_KILLS=200` takes so many rounds, against Cyrus.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { eventIdOf } from '../../../src/core/booking/booking.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { ask, type CaldavServer, type CaldavUser } from '../../support/caldavServer.ts'
import type { CrashOrders } from '../../support/crashServer.ts'
import { startCyrusCaldav } from '../../support/cyrusCaldav.ts'
import { type FaultProxy, type NetworkFault, startFaultProxy } from '../../support/faultProxy.ts'
import { nearFuture } from '../../support/hosts.ts'
import { readLedger } from '../../support/ledger.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { startRadicale } from '../../support/radicale.ts'
import { bookAt, configure, connect, type RemoteHost } from '../../support/remoteHosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

type Death = NonNullable<CrashOrders['die']>
type Case = { readonly change: 'book' | 'move' | 'cancel'; readonly die: Death }

const steps: readonly Death[] = [
  // Before the look of the change itself: the first reading decides on the slot, before anything is written.
  { step: 'freeBusy', skipped: 1, when: 'before' },
  { step: 'place', when: 'before' },
  { step: 'place', when: 'after' },
  // After the look back.
  { step: 'freeBusy', skipped: 2, when: 'after' },
]
const cases: readonly Case[] = [
  ...steps.flatMap((die) => [{ change: 'book', die } as const, { change: 'move', die } as const]),
  { change: 'cancel', die: { step: 'remove', when: 'before' } },
  { change: 'cancel', die: { step: 'remove', when: 'after' } },
]
const rounds = Number(process.env.OPENSLOT_KILLS ?? cases.length)
const faults: readonly NetworkFault[] = [
  { kind: 'cutRequest' },
  { kind: 'cutAfterRequest' },
  { kind: 'cutAnswer' },
  { kind: 'reset' },
]

let caldav: CaldavServer
let proxy: FaultProxy
let database: TestDatabase
let server: TestServer
let user: CaldavUser
let host: RemoteHost
let id: string
let clockMs = 0
beforeAll(async () => {
  caldav = process.env.OPENSLOT_KILLS === undefined ? await startRadicale(['ana']) : await startCyrusCaldav()
  proxy = await startFaultProxy({ port: Number(new URL(caldav.url).port) })
  database = await createTestDatabase()
  // No worker: the test recovers when it wants to.
  server = await startTestServer(
    { connection: database.connection, now: () => instant(Date.now() + clockMs) },
    { ROLE: 'web' },
  )
  user = caldav.users[0] as CaldavUser
  const { username, password } = user
  host = await connect(server, 'caldav', { server_url: proxy.through(caldav.url), username, password })
  id = await configure(server, host)
}, 180_000)
afterAll(async () => {
  await server?.close()
  await database?.drop()
  await proxy?.stop()
  await caldav?.stop()
})

/** Sends the change to a server that dies on the way. */
async function killIn(die: Death, method: string, path: string, body: object): Promise<void> {
  const orders: CrashOrders = { connection: database.connection, provider: 'caldav', die }
  const child: ChildProcess = spawn(process.execPath, ['test/support/crashServer.ts', JSON.stringify(orders)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const [line] = await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')
  const { address } = JSON.parse(line) as { address: string }
  const answer = fetch(`${address}${path}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.apiKey}` },
    body: JSON.stringify(body),
  })
  await expect(answer).rejects.toThrow()
  expect((await exited)[1]).toBe('SIGKILL')
}

/** As the worker would, over a line that breaks now and then; at the end it holds. */
async function recover(bookingId: string, round: number): Promise<void> {
  let calls = round
  proxy.always(() => (calls++ % 3 === 0 ? faults[calls % faults.length] : undefined))
  for (let attempt = 1; ; attempt++) {
    if (attempt === 4) proxy.always()
    const recovered = await server.app.operations.recoverBooking({
      appId: server.clientId as AppId,
      bookingId: bookingId as BookingId,
    })
    if (recovered.ok && recovered.value === 'nothing to do') break
    expect(attempt).toBeLessThan(10)
  }
  proxy.always()
}

/** The events of bookings on the calendar, with their starts as the server keeps them. */
async function standing(): Promise<{ id: string; starts: string[] }[]> {
  const listed = await ask(user, 'PROPFIND', user.calendar, {
    headers: { depth: '1' },
    body: '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>',
  })
  const names = new Set([...listed.text.matchAll(/\/([^/<>]+)\.ics</g)].map((found) => found[1] ?? ''))
  return Promise.all(
    [...names].map(async (name) => {
      const { text } = await ask(user, 'GET', `${user.calendar}${name}.ics`)
      return { id: name, starts: [...text.matchAll(/^DTSTART[^:]*:(\S+)/gm)].map((found) => found[1] ?? '') }
    }),
  )
}

const utc = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/[-:]|\.000/g, '')

it(
  `killed ${rounds} times, each booking has its one event or none`,
  async () => {
    for (let round = 0; round < rounds; round++) {
      const { change, die } = cases[round % cases.length] as Case
      const from = nearFuture() + round * 3_600
      const body = { start_time: from, end_time: from + 1800, guest: { name: 'Gil', email: 'gil@guest.example' } }
      let bookingId = ''
      if (change === 'book') {
        await killIn(die, 'POST', `/v3/scheduling/bookings?configuration_id=${id}`, body)
        const { bookings } = await readLedger(server.app)
        bookingId = bookings.find((booking) => booking.start === from)?.id ?? ''
      } else {
        bookingId = await bookAt(server, id, from)
        const path = `/v3/scheduling/bookings/${bookingId}`
        if (change === 'move') await killIn(die, 'PATCH', path, { start_time: from + 1800, end_time: from + 3600 })
        else await killIn(die, 'DELETE', path, {})
      }
      // Half of them are taken up late: what is old and has no event is given up.
      clockMs = round % 2 === 0 ? 0 : 180_000
      await recover(bookingId, round)
      clockMs = 0

      const { bookings, claims } = await readLedger(server.app)
      const booking = bookings.find((one) => one.id === bookingId)
      const events = await standing()
      const told = `${change}, killed ${die.when} ${die.step}: ${JSON.stringify(booking)}`
      expect(booking?.change, told).toBeNull()
      const isStanding = booking?.state === 'booked'
      expect(events, told).toEqual(
        isStanding ? [{ id: eventIdOf(bookingId as BookingId), starts: [utc(booking?.start ?? 0)] }] : [],
      )
      expect(claims.filter((claim) => claim.bookingId === bookingId).length, told).toBe(isStanding ? 1 : 0)
      expect(change === 'cancel' && isStanding, told).toBe(false)
      if (isStanding) await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })
      expect(await standing()).toEqual([])
    }
  },
  60_000 + rounds * 10_000,
)
