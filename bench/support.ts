// What the benchmarks share: servers as processes of their own, medians, and how much memory a process holds.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

import autocannon from 'autocannon'

export type Served<T> = { readonly told: T; readonly pid: number; stop(): Promise<void> }

/** Runs `script` under this Node and waits for the line of JSON in which it says where it listens. */
export async function serve<T>(script: string, argument: string): Promise<Served<T>> {
  const child: ChildProcess = spawn(process.execPath, [new URL(script, import.meta.url).pathname, argument], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const first = await Promise.race([
    new Promise<string>((resolve) => createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve)),
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

/** Requests a second that get a 2xx, eight at a time. Throws when any gets something else. */
export async function throughput(url: string, seconds: number): Promise<number> {
  const result = await autocannon({ url, connections: 8, duration: seconds })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`)
  return result.requests.average
}

/** Megabytes that the process holds in memory (proportional set size where the system tells it). */
export function memoryOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024
}
