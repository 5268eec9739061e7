#!/usr/bin/env node
/** The command `openslot`: prepares a checkout, then runs the server's own code under the pinned Node. Runs under Node 20 and newer. */

import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import module from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { findNode, proveNode, root } from './pinnedNode.mjs'
import { builds, isBuilt, prepare, prepareBuild, runtime } from './prepare.mjs'

/** The exit code of the system's loader where a program's library is missing; the server has no such code. */
const loaderFailed = 127

const isCheckout = existsSync(join(root, 'src', 'main.ts'))

const node = await findPreparedNode()
// After an installation the Node that runs here may be the one that was just replaced.
if (node?.isThisOne) await runHere()
else if (node !== undefined) runUnder(node.path)

async function findPreparedNode() {
  try {
    const hasInstalled = isCheckout && (await prepare('production'))
    if (isCheckout && process.argv[2] === 'start' && process.env.OPENSLOT_LAUNCHED !== '1') {
      await prepareBuild(builds.server)
      await prepareBuild(builds.pages)
    }
    const path = findNode()
    return { path, isThisOne: !hasInstalled && realpathSync(path) === realpathSync(process.execPath) }
  } catch (error) {
    process.stderr.write(`openslot: ${error.message}\n`)
    process.exitCode = 1
    return undefined
  }
}

/** The build where there is one of these sources; a command in a checkout that nobody has started runs without. */
function findMain() {
  return !isCheckout || isBuilt(builds.server) ? join(builds.server.folder, 'main.js') : join(root, 'src', 'main.ts')
}

/** No second process: signals, terminal and exit code are the server's own. */
async function runHere() {
  // A parent launcher that was killed cannot pass its signal on; the closed channel says so.
  if (process.env.OPENSLOT_LAUNCHED === '1' && process.channel) {
    delete process.env.OPENSLOT_LAUNCHED
    process.channel.unref()
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  }
  module.enableCompileCache?.(join(root, 'node_modules', '.cache', 'openslot'))
  const main = findMain()
  process.argv[1] = main
  await import(pathToFileURL(main).href)
}

/** An old Node can only start the new one and stand between it and the world. */
function runUnder(node) {
  const child = spawn(node, [...runtime.flags, join(root, 'bin', 'openslot.mjs'), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...runtime.environment, ...process.env, OPENSLOT_LAUNCHED: '1' },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal sends Ctrl-C to both, and the child must not take it for a second one.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal))
  }
  child.once('error', (error) => {
    process.stderr.write(`openslot: ${node} could not be started: ${error.message}\n`)
    process.exitCode = 1
  })
  child.once('exit', async (code, signal) => {
    process.exitCode = signal === null ? code : 128 + constants.signals[signal]
    if (code === loaderFailed && (await hasMended())) runUnder(node)
  })
}

/** Whether the Node did not start for want of a library, and that is here now. */
async function hasMended() {
  try {
    return await proveNode()
  } catch (error) {
    process.stderr.write(`openslot: ${error.message}\n`)
    return false
  }
}
