// Accounts elsewhere, held by a whole server: offers from the mirror against those of a virtual calendar, and what a thousand
// accounts cost in which nothing happens.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import pg from 'pg'

import { type PostgresConnection, startEmbeddedPostgres } from '../src/adapters/storage/embedded/embedded.ts'
import { dayMs } from './benchEvents.ts'
import type { BenchRow } from './engine.ts'
import { median, runtime, serve, throughput } from './support.ts'

const grants = 1_000
const rounds = 5
const secondsPerRound = Number(process.env.BENCH_SECONDS ?? 4) / 2
/** With polls and without, in turn: PostgreSQL cleans up behind itself now and then, and whoever is measured then pays for it. */
const idleSeconds = 12
const settleSeconds = 2
/** Of `/proc/<pid>/stat`: Linux tells processor time in hundredths of a second. */
const ticksPerSecond = 100

type OpenSlot = { readonly url: string; readonly token: string }
type Call = (method: string, path: string, body?: object) => Promise<{ id: string; email: string }>

/** Takes two minutes. */
export async function benchMirror(): Promise<BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'openslot-bench-'))
  const postgres = await startEmbeddedPostgres({ dataDirectory: directory, log: () => {} })
  const from = Math.floor(Date.now() / dayMs) * dayMs
  const caldav = await serve<{ url: string }>(
    './serveCaldav.ts',
    JSON.stringify({ events: 100, recurring: 0, from, days: 30 }),
  )
  const server = await serve<OpenSlot>('./serveOpenSlot.ts', JSON.stringify(postgres.connection), runtime)
  try {
    const call = callerOf(server.told)
    const ratio = await compareOffers(server.told, call, caldav.told.url)
    const idle = await idleShare(server.pid, postgres.connection, call, caldav.told.url)
    return [ratio, idle]
  } finally {
    await server.stop()
    await caldav.stop()
    await postgres.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function callerOf({ url, token }: OpenSlot): Call {
  return async (method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as { data: { id: string; email: string } }
    if (!response.ok) throw new Error(JSON.stringify(answer))
    return answer.data
  }
}

function connect(call: Call, serverUrl: string, name: string): Promise<{ id: string; email: string }> {
  const settings = { server_url: serverUrl, username: `${name}@bench.example`, password: 'secret' }
  return call('POST', '/v3/connect/custom', { provider: 'caldav', settings })
}

/** Two hosts with the same hours, in turn: one whose calendar is elsewhere with a hundred events, one with the same on a virtual one. */
async function compareOffers({ url }: OpenSlot, call: Call, serverUrl: string): Promise<BenchRow> {
  const remote = await connect(call, serverUrl, 'offers')
  const virtual = await call('POST', '/v3/connect/custom', {
    provider: 'virtual-calendar',
    settings: { email: 'virtual@bench.example' },
  })
  await call('POST', `/v3/grants/${virtual.id}/calendars`, { name: 'Primary', timezone: 'UTC' })
  const from = Math.floor(Date.now() / dayMs) * 86_400
  for (let index = 0; index < 100; index++) {
    const start = from + Math.floor((index * 29 * 48) / 100) * 1_800
    await call('POST', `/v3/grants/${virtual.id}/events?calendar_id=primary`, {
      title: `Event ${index}`,
      when: { start_time: start, end_time: start + 1_800 },
    })
  }
  const [elsewhere, here] = await Promise.all(
    [remote, virtual].map(async (grant) => {
      const { id } = await call(
        'POST',
        `/v3/grants/${grant.id}/scheduling/configurations`,
        configurationOf(grant.email),
      )
      return `${url}/v3/scheduling/availability?configuration_id=${id}&start_time=${from + 2 * 86_400}&end_time=${from + 9 * 86_400}`
    }),
  )
  if (elsewhere === undefined || here === undefined) throw new Error('no configurations')
  const slots = await Promise.all([elsewhere, here].map(async (one) => (await fetch(one)).text()))
  const times = slots.map((text) => [...text.matchAll(/"start_time":(\d+)/g)].map(([, start]) => start).join())
  if (times[0] !== times[1] || times[0] === '') throw new Error('the two hosts do not offer the same')
  const ratios: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const mirrored = await throughput(elsewhere, secondsPerRound)
    const ratio = mirrored / (await throughput(here, secondsPerRound))
    // The first one warms up.
    if (round > 0) ratios.push(ratio)
  }
  const ratio = median(ratios)
  return {
    name: 'availability from the mirror, ratio',
    value: ratio,
    unit: '×',
    ceiling: 'the same from a virtual calendar',
    target: '≥ 0.9',
    ok: ratio >= 0.9,
  }
}

function configurationOf(email: string): object {
  return {
    name: 'Bench',
    participants: [
      { email, is_organizer: true, availability: { calendar_ids: ['primary'] }, booking: { calendar_id: 'primary' } },
    ],
    availability: {
      duration_minutes: 30,
      interval_minutes: 30,
      availability_rules: {
        default_open_hours: [{ days: [1, 2, 3, 4, 5], start: '9:00', end: '17:00', timezone: 'UTC' }],
      },
    },
    event_booking: { title: 'Bench', timezone: 'UTC' },
    scheduler: { min_booking_notice: 0, available_days_in_future: 365 },
  }
}

/** Processor time of the server and of its database, over what the same two take where no calendar is due. */
async function idleShare(
  pid: number,
  connection: PostgresConnection,
  call: Call,
  serverUrl: string,
): Promise<BenchRow> {
  const pool = new pg.Pool({ ...connection, max: 1 })
  try {
    let next = 0
    const connectAll = async () => {
      for (let index = next++; index < grants; index = next++) await connect(call, serverUrl, `idle${index}`)
    }
    await Promise.all(Array.from({ length: 8 }, connectAll))
    for (;;) {
      const { rows } = await pool.query('select from openslot.mirrors where true_at is null')
      if (rows.length === 0) break
      await setTimeout(250)
    }
    const count = async () => Number(await (await fetch(`${serverUrl}count`)).text())
    // Spread over the time between two polls, as they stand after some while.
    const everySeconds = 120
    const shares: number[] = []
    let polls = 0
    for (let round = 0; round < rounds; round++) {
      await pool.query(`update openslot.mirrors set due_at = now() + random() * ${everySeconds} * interval '1 second'`)
      const asked = await count()
      const busy = await shareOf(pid, connection)
      polls += (await count()) - asked
      await pool.query(`update openslot.mirrors set due_at = now() + interval '1 hour'`)
      shares.push(busy - (await shareOf(pid, connection)))
    }
    const value = median(shares) * 100
    return {
      name: `${grants} idle grants, of one core`,
      value,
      unit: '%',
      ceiling: `${(polls / rounds / (idleSeconds + settleSeconds)).toFixed(1)} polls/s, the database's share included`,
      target: '≤ 5',
      ok: value <= 5,
    }
  } finally {
    await pool.end()
  }
}

async function shareOf(pid: number, { host }: PostgresConnection): Promise<number> {
  await setTimeout(settleSeconds * 1_000)
  const postmaster = postmasterAt(host)
  const before = ticksOf(pid) + ticksOfTree(postmaster)
  await setTimeout(idleSeconds * 1_000)
  return (ticksOf(pid) + ticksOfTree(postmaster) - before) / ticksPerSecond / idleSeconds
}

/** From the lock beside its socket. */
function postmasterAt(folder: string): number {
  const lock = readdirSync(folder).find((name) => name.startsWith('.s.PGSQL.') && name.endsWith('.lock'))
  return Number(readFileSync(join(folder, lock ?? ''), 'utf8').split('\n')[0])
}

/** User and system time; with `'andEnded'` also that of its children that have ended. */
function ticksOf(pid: number, whose: 'itself' | 'andEnded' = 'itself'): number {
  const words = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  const sum = (from: number, to: number) => words.slice(from, to).reduce((ticks, word) => ticks + Number(word), 0)
  return whose === 'itself' ? sum(11, 13) : sum(11, 15)
}

function ticksOfTree(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return children.reduce((ticks, child) => ticks + ticksOf(Number(child)), ticksOf(pid, 'andEnded'))
}
