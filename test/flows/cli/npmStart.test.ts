/** `npm start` as a service manager or a terminal ends it: npm alone hears SIGTERM, and Ctrl-C reaches everyone in the group. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { useBuild } from '../../support/builds.ts'
import { freePort } from '../../support/daemon.ts'
import { makeDatabase } from './openslot.ts'

useBuild('pages')

const checkout = join(import.meta.dirname, '..', '..', '..')

test('SIGTERM to npm alone, as of a service manager, ends the server', async () => {
  const { pid, port, exit } = await startByNpm()
  process.kill(pid, 'SIGTERM')
  await expect.poll(() => isUp(port), { timeout: 20_000 }).toBe(false)
  await expect.poll(() => hasProcesses(pid), { timeout: 20_000 }).toBe(false)
  expect(await exit).toEqual([0, null])
}, 90_000)

test('Ctrl-C, which the server hears from the terminal and from npm, is one wish to end and lets everything end in order', async () => {
  const { pid, exit } = await startByNpm()
  process.kill(-pid, 'SIGINT')
  expect(await exit).toEqual([0, null])
  await expect.poll(() => hasProcesses(pid), { timeout: 20_000 }).toBe(false)
}, 90_000)

/** Ready, in a process group of its own, whose number is `pid`; what is left of it at the test's end is killed. */
async function startByNpm() {
  const { environment } = await makeDatabase()
  const port = await freePort()
  const { PATH, HOME } = process.env
  const child = spawn('npm', ['start'], {
    cwd: checkout,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, PORT: String(port), ...environment },
  })
  const exit = once(child, 'exit')
  const { pid = 0 } = child
  onTestFinished(() => {
    if (hasProcesses(pid)) process.kill(-pid, 'SIGKILL')
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece))
  await expect.poll(() => said, { timeout: 60_000 }).toContain('OpenSlot is ready')
  return { pid, port, exit }
}

function isUp(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/healthz`).then(
    () => true,
    () => false,
  )
}

/** Whether anybody of the process group is left. */
function hasProcesses(group: number): boolean {
  try {
    return process.kill(-group, 0)
  } catch (error) {
    if ((error as { code?: string }).code === 'ESRCH') return false
    throw error
  }
}
