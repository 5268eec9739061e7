/** Runs the real command line as a child process, under the Node that runs the tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll } from 'vitest'

import { program, useBuild } from '../../support/builds.ts'
import { createTestDatabase } from '../../support/postgres.ts'

useBuild('server')

/** Undefined: not set, whatever the test itself runs under. */
type Environment = Readonly<Record<string, string | undefined>>
export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** Runs one command to its end. */
export async function openslot(environment: Environment, ...words: string[]): Promise<Ended> {
  return launch(environment, words).ended
}

/** As `openslot`, with `--json`; the answer read. Throws what it said on stderr when it failed. */
export async function openslotJson(environment: Environment, ...words: string[]) {
  const { code, stdout, stderr } = await openslot(environment, ...words, '--json')
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

/** A server on a free port, ready; `greeting` is all it said until then. `script`: another copy of the command. */
export async function startServer(environment: Environment, script = program) {
  const port = await freePort()
  const begun = performance.now()
  const running = launch({ PORT: String(port), ...environment }, ['start'], script)
  const greeting = await new Promise<string>((resolve, reject) => {
    let text = ''
    running.child.stdout?.on('data', (piece) => {
      text += piece
      if (text.includes('OpenSlot is ready') && text.endsWith('\n')) resolve(text)
    })
    running.ended.then(({ stderr }) => reject(new Error(stderr)), reject)
  })
  const readyMs = performance.now() - begun
  const stop = (): Promise<Ended> => {
    running.child.kill('SIGTERM')
    return running.ended
  }
  return { url: `http://127.0.0.1:${port}`, port, greeting, readyMs, stop, ...running }
}

/** Runs a command; `ended` when it has. */
export function launch(
  environment: Environment,
  words: readonly string[],
  script = program,
): { child: ChildProcess; ended: Promise<Ended> } {
  const { PATH = '', HOME = '', TZ = 'Europe/Paris' } = process.env
  const child = spawn(process.execPath, [script, ...words], { env: { PATH, HOME, TZ, ...environment } })
  children.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (piece) => {
    stdout += piece
  })
  child.stderr.on('data', (piece) => {
    stderr += piece
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      children.delete(child)
      resolve({ code, stdout, stderr })
    })
  })
  return { child, ended }
}

/** An empty data directory, which PostgreSQL's own user may pass through; removed after the file's last test. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'openslot-cli-'))
  if (process.getuid?.() === 0) chmodSync(directory, 0o711)
  leftovers.push(async () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A migrated database without an application, and the settings that lead to it. */
export async function makeDatabase() {
  const database = await createTestDatabase()
  leftovers.push(() => database.drop())
  const { host, user, database: name } = database.connection
  return {
    connection: database.connection,
    environment: {
      DATABASE_URL: `postgres://${user}@localhost/${name}?host=${encodeURIComponent(host)}`,
      MASTER_KEY: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      DATA_DIR: join(tmpdir(), 'openslot-never-made'),
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

const children = new Set<ChildProcess>()
const leftovers: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const child of children) {
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('close', resolve))
  }
  for (const remove of leftovers) await remove()
})
