// How fast the server is against ceilings taken in the same run: a bare web server, and a bare loop on the database.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import pg from 'pg'

import { startEmbeddedPostgres } from '../src/adapters/storage/embedded/embedded.ts'
import type { BenchRow } from './engine.ts'
import { makeHosts } from './hosts.ts'
import { drive, median, memoryOf, type Served, serve, serveBuilt, throughput } from './support.ts'

type OpenSlot = { url: string; configurations: readonly string[] }

const rounds = 5
const secondsPerRound = Number(process.env.BENCH_SECONDS ?? 4)
const concurrency = 8

/** Five rounds each, in turn, medians. Takes about two minutes. */
export async function benchServer(): Promise<BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'openslot-bench-'))
  const postgres = await startEmbeddedPostgres({ dataDirectory: directory, log: () => {} })
  try {
    const served = await serveBuilt(JSON.stringify(postgres.connection))
    const openSlot = {
      ...served,
      told: { url: served.told.url, configurations: await makeHosts(served.told.url, served.told.token) },
    }
    const workingHours = openSlot.told.configurations[8] ?? ''
    const start = Math.floor(Date.now() / 86_400_000 + 2) * 86_400
    const availability = `${openSlot.told.url}/v3/scheduling/availability?configuration_id=${workingHours}&start_time=${start}&end_time=${start + 7 * 86_400}`
    const answerFile = join(directory, 'answer.json')
    writeFileSync(answerFile, await (await fetch(availability)).text())
    const bare = await serve<{ url: string }>('./serveBare.ts', answerFile)
    try {
      process.on('exit', () => {
        for (const { pid } of [openSlot, bare])
          if (pid > 0)
            try {
              process.kill(pid)
            } catch {}
      })
      // V8 gives back what is not needed some time after it is quiet, here and at the bare server.
      await setTimeout(10_000)
      const idle = await idleMemory(openSlot, bare)
      const slots = await compareAvailability(availability, `${bare.told.url}/answer`)
      const bookings = await compareBookings(openSlot.told, postgres.connection, start)
      const growth = await memoryGrowth(openSlot, availability)
      return [...slots, ...bookings, idle, growth]
    } finally {
      await Promise.all([openSlot.stop(), bare.stop()])
    }
  } finally {
    await postgres.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function compareAvailability(url: string, ceilingUrl: string): Promise<BenchRow[]> {
  await throughput(url, 2)
  await throughput(ceilingUrl, 2)
  const ours: number[] = []
  const ceiling: number[] = []
  for (let round = 0; round < rounds; round++) {
    ours.push(await throughput(url, secondsPerRound))
    ceiling.push(await throughput(ceilingUrl, secondsPerRound))
  }
  const ratio = median(ours.map((value, index) => value / (ceiling[index] ?? Number.NaN)))
  return [
    { name: 'availability, 1 host × 7 days', value: median(ours), unit: 'requests/s', target: '', ok: true },
    {
      name: 'availability, ratio',
      value: ratio,
      unit: '×',
      ceiling: `bare Fastify, ${Math.round(median(ceiling))}/s`,
      target: '≥ 0.35',
      ok: ratio >= 0.35,
    },
  ]
}

async function compareBookings(
  openSlot: OpenSlot,
  connection: { host: string; port: number; user: string; database: string },
  start: number,
): Promise<BenchRow[]> {
  const pool = new pg.Pool({ ...connection, max: concurrency })
  await pool.query(`create table if not exists bench_claims (
    calendar int not null, during tstzrange not null, body jsonb not null, exclude using gist (calendar with =, during with &&))`)
  await pool.query('create table if not exists bench_calendars (id int primary key)')
  await pool.query('insert into bench_calendars select generate_series(0, 7)')
  const ours: number[] = []
  const ceiling: number[] = []
  let next = 0
  const take = () => start + next++ * 1_800
  try {
    await bookFor(openSlot, take, 1)
    for (let round = 0; round < rounds; round++) {
      ours.push(await bookFor(openSlot, take, secondsPerRound))
      ceiling.push(await claimFor(pool, take, secondsPerRound))
    }
  } finally {
    await pool.end()
  }
  const ratio = median(ours.map((value, index) => value / (ceiling[index] ?? Number.NaN)))
  return [
    { name: 'bookings, concurrency 8', value: median(ours), unit: 'bookings/s', target: '', ok: true },
    {
      name: 'bookings, ratio',
      value: ratio,
      unit: '×',
      ceiling: `lock, check, insert, commit: ${Math.round(median(ceiling))}/s`,
      target: '≥ 0.5',
      ok: ratio >= 0.5,
    },
  ]
}

/** Eight guests at once, each on a calendar of its own, booking one free slot after another. */
function bookFor({ url, configurations }: OpenSlot, take: () => number, seconds: number): Promise<number> {
  const { host } = new URL(url)
  return drive(url, seconds, (connection) => {
    const at = take()
    const body = JSON.stringify({
      start_time: at,
      end_time: at + 1_800,
      guest: { name: 'Gil Guest', email: 'gil@guest.example' },
    })
    return `POST /v3/scheduling/bookings?configuration_id=${configurations[connection]} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  })
}

/** What no booking can do with less: lock the calendar, look for what overlaps, insert, commit. */
async function claimFor(pool: pg.Pool, take: () => number, seconds: number): Promise<number> {
  const begun = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: concurrency }, async (_, calendar) => {
      const client = await pool.connect()
      while (performance.now() - begun < seconds * 1_000) {
        const at = take()
        const during = `[${new Date(at * 1_000).toISOString()},${new Date((at + 1_800) * 1_000).toISOString()})`
        await client.query('begin')
        await client.query({
          name: 'lock',
          text: 'select id from bench_calendars where id = $1 for no key update',
          values: [calendar],
        })
        await client.query({
          name: 'check',
          text: 'select 1 from bench_claims where calendar = $1 and during && $2::tstzrange',
          values: [calendar, during],
        })
        await client.query({
          name: 'insert',
          text: 'insert into bench_claims values ($1, $2, $3)',
          values: [calendar, during, { guest: 'gil@guest.example' }],
        })
        await client.query('commit')
        done++
      }
      client.release()
    }),
  )
  return done / ((performance.now() - begun) / 1_000)
}

async function idleMemory(openSlot: Served<OpenSlot>, bare: Served<unknown>): Promise<BenchRow> {
  const [ours, ceiling] = [memoryOf(openSlot.pid), memoryOf(bare.pid)]
  const ratio = ours / ceiling
  return {
    name: 'idle memory, ratio',
    value: ratio,
    unit: '×',
    ceiling: `bare Fastify, ${Math.round(ceiling)} MB; ours ${Math.round(ours)} MB`,
    target: '≤ 2',
    ok: ratio <= 2,
  }
}

async function memoryGrowth(openSlot: Served<OpenSlot>, url: string): Promise<BenchRow> {
  await throughput(url, 5)
  const before = memoryOf(openSlot.pid)
  let requests = 0
  while (requests < 100_000) requests += (await throughput(url, 5)) * 5
  const growth = memoryOf(openSlot.pid) / before - 1
  return {
    name: 'memory growth over 100,000 requests',
    value: growth * 100,
    unit: '%',
    ceiling: `${Math.round(before)} MB after warm-up`,
    target: '< 20',
    ok: growth < 0.2,
  }
}
