// What the benchmarks share: servers as processes of their own, medians, and how much memory a process holds.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { createInterface } from 'node:readline'

export type Served<T> = { readonly told: T; readonly pid: number; stop(): Promise<void> }

export type Runtime = { readonly flags: readonly string[]; readonly environment: Readonly<Record<string, string>> }

/** As the launcher starts the server. */
export const { runtime } = (await import('../bin/prepare.mjs' as string)) as { runtime: Runtime }

/** As `npm start` does: the server built into one file, run as the launcher runs it; told where PostgreSQL is. */
export async function serveBuilt(connection: string): Promise<Served<{ url: string; token: string }>> {
  const folder = join(import.meta.dirname, '..', 'dist', 'bench')
  const { buildServer } = (await import('../bin/buildServer.mjs' as string)) as {
    buildServer(entry: string, folder: string): Promise<unknown>
  }
  await buildServer(join(import.meta.dirname, 'serveOpenSlot.ts'), folder)
  return serve(join(folder, 'serveOpenSlot.js'), connection, runtime)
}

/** Runs `script` under this Node and waits for the line of JSON in which it says where it listens. */
export async function serve<T>(
  script: string,
  argument: string,
  { flags, environment }: Runtime = { flags: [], environment: {} },
): Promise<Served<T>> {
  const child: ChildProcess = spawn(
    process.execPath,
    [...flags, isAbsolute(script) ? script : join(import.meta.dirname, script), argument],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      // As the launcher does for the server: code that was compiled once is not compiled again.
      env: { ...process.env, ...environment, NODE_COMPILE_CACHE: join(tmpdir(), 'openslot-bench-cache') },
    },
  )
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const first = await Promise.race([
    new Promise<string>((resolve) =>
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve),
    ),
    exited.then(() => {
      throw new Error(`${script} ended before it listened`)
    }),
  ])
  return {
    told: JSON.parse(first) as T,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const connections = 8

/** Requests a second that get a 200, eight at a time, each on a connection of its own. Throws when any gets something else. */
export function throughput(url: string, seconds: number): Promise<number> {
  const { host, pathname, search } = new URL(url)
  const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  return drive(url, seconds, () => request)
}

/** As `throughput`; `next` writes the next request of a connection, 0 to 7. */
export async function drive(url: string, seconds: number, next: (connection: number) => string): Promise<number> {
  const begun = performance.now()
  const until = begun + seconds * 1_000
  const counts = await Promise.all(
    Array.from({ length: connections }, async (_, connection) => {
      let count = 0
      while (performance.now() < until) count += await askOnOneConnection(new URL(url), () => next(connection), until)
      return count
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - begun) / 1_000)
}

/** The cheapest client there is, so that the servers and not the client are measured: one request in flight, a new connection when the server closes. */
function askOnOneConnection(url: URL, next: () => string, until: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
    let count = 0
    let missing = -1
    let head = ''
    let isLast = false
    socket.once('connect', () => socket.write(next()))
    socket.once('error', reject)
    socket.once('close', () => resolve(count))
    socket.on('data', (chunk: Buffer) => {
      if (missing < 0) {
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        const headers = head.slice(0, end).toLowerCase()
        if (!headers.startsWith('http/1.1 200')) {
          reject(new Error(head.slice(0, 500)))
          socket.destroy()
          return
        }
        isLast = headers.includes('connection: close')
        missing = Number(/content-length: (\d+)/.exec(headers)?.[1]) - (head.length - end - 4)
      } else missing -= chunk.length
      if (missing > 0) return
      count++
      head = ''
      missing = -1
      if (isLast || performance.now() >= until) socket.destroy()
      else socket.write(next())
    })
  })
}

/** Megabytes that the process holds in memory (proportional set size where the system tells it). */
export function memoryOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024
}
