/** A server in a process of its own that is killed without warning and started again, and clients that go on asking. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

import type { CrashOrders } from './crashServer.ts'

export type KillableServer = {
  /** Asks until there is an answer, whatever dies meanwhile. */
  ask(method: string, path: string, options: { body?: object; headers?: Record<string, string> }): Promise<Response>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Another process after one that was killed; ends when it listens. */
  restart(): Promise<void>
}

export async function startKillableServer(orders: CrashOrders): Promise<KillableServer> {
  let child: ChildProcess
  let address = start()

  async function start(): Promise<string> {
    child = spawn(process.execPath, ['test/support/crashServer.ts', JSON.stringify(orders)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (child.stdout === null) throw new Error('no pipe')
    const [line] = await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`the server ended with ${code} before it listened`)
      }),
    ])
    return JSON.parse(line).address
  }

  const kill = async () => {
    await address
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  await address
  return {
    async ask(method, path, { body, headers }) {
      for (;;) {
        const url = await address
        try {
          const response = await fetch(`${url}${path}`, {
            method,
            headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          })
          const bytes = await response.arrayBuffer()
          return new Response(bytes, { status: response.status })
        } catch (error) {
          // It died under us, or is not there yet: `fetch` has one word for every broken connection.
          if (!(error instanceof TypeError && error.cause !== undefined)) throw error
          await new Promise((soon) => setTimeout(soon, 20))
        }
      }
    },
    kill,
    async restart() {
      address = start()
      await address
    },
  }
}
