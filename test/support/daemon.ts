/** A server of somebody else, as a child process: started on loopback, waited for, and stopped with all that it started. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'

export type Daemon = { stop(): Promise<void> }

/** Resolves when `port` takes connections. Throws with the end of the log where the process dies first. */
export async function startDaemon(
  program: string,
  parameters: readonly string[],
  {
    port,
    log,
    environment,
  }: { readonly port: number; readonly log: string; readonly environment?: Record<string, string> },
): Promise<Daemon> {
  // A group of its own, so that its children end with it; and it ends with us, however we end.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', program, ...parameters], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  const file = createWriteStream(log)
  child.stdout.pipe(file, { end: false })
  child.stderr.pipe(file, { end: false })
  let death: string | undefined
  child.on('error', (error) => {
    death = error.message
  })
  child.on('exit', (code, signal) => {
    death = `ended with ${signal ?? code}`
  })
  const kill = (signal: NodeJS.Signals) => {
    if (child.pid === undefined || death !== undefined) return
    process.kill(-child.pid, signal)
  }
  const killAtExit = () => kill('SIGKILL')
  process.once('exit', killAtExit)
  while (!(await isOpen(port))) {
    if (death !== undefined) throw new Error(`${program} ${death}: ${readFileSync(log, 'utf8').slice(-2_000)}`)
    await new Promise((tick) => setTimeout(tick, 25))
  }
  return {
    stop: async () => {
      process.removeListener('exit', killAtExit)
      if (death !== undefined) return
      const ended = once(child, 'exit')
      kill('SIGTERM')
      const patience = setTimeout(() => kill('SIGKILL'), 3_000)
      await ended
      clearTimeout(patience)
      file.end()
    },
  }
}

/** A TCP port of loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.on('error', () => done(false))
  })
}

/** Runs a program to its end, in a folder that every user may read. */
export function run(
  program: string,
  words: readonly string[],
  { input = '', environment = {} }: { readonly input?: string; readonly environment?: Record<string, string> } = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((done, failed) => {
    const child = spawn(program, [...words], { cwd: '/', env: { ...process.env, ...environment } })
    let output = ''
    const keep = (chunk: Buffer) => {
      output += chunk
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', failed)
    // Not `close`: a database that was started keeps the pipes open.
    child.on('exit', (code) => done({ code, output }))
    // A program that reads nothing may be gone before it was written to.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
