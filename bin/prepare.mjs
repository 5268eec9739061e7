/** Makes a checkout ready to run: installs what is missing or stale, and builds the server and the pages. Runs under Node 20 and newer. */

import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { findNode, proveNode, root } from './pinnedNode.mjs'

const lockfile = join(root, 'package-lock.json')
const stampFile = join(root, 'node_modules', '.openslot-stamp')
const installLock = join(root, '.openslot', 'installing')

/**
 * How the server runs where we start it, so that idle it holds little memory: requests leave little behind, which a small nursery
 * holds as well; what is left of the start, or of a busy hour, goes back half a second after it is quiet, and not after eight;
 * and few threads allocate at once, so one arena of the allocator is enough.
 */
export const runtime = {
  flags: ['--max-semi-space-size=2', '--memory-reducer-delay-ms=500', '--memory-pool-timeout=1'],
  environment: { MALLOC_ARENA_MAX: '1' },
}

/** What is built: where it lies, in a checkout and in the published package alike, of which folders, and by whom. */
export const builds = {
  pages: {
    what: 'the booking pages',
    folder: join(root, 'dist', 'web'),
    sources: ['web', 'src/wire', 'src/core'],
    script: 'buildPages.mjs',
  },
  server: { what: 'the server', folder: join(root, 'dist', 'server'), sources: ['src'], script: 'buildServer.mjs' },
}
/** In each of these folders: the hash of the sources that it was built from. */
export const stamp = 'stamp'

/**
 * Installs with `npm ci` unless node_modules already holds what package-lock.json asks for; returns whether it did.
 * `what`: 'production' is enough to run the server, 'all' is needed for the checks. Progress goes to stderr.
 */
export async function prepare(what) {
  if (!existsSync(lockfile) || (await isFresh(what))) return false
  const release = await takeLock()
  try {
    // The one that had the lock before us may have done it.
    if (await isFresh(what)) return false
    await install()
    await markFresh('all')
    return true
  } finally {
    release()
  }
}

/** Builds one of `builds` unless its folder was made of the sources as they stand. Progress goes to stderr. */
export async function prepareBuild(build) {
  if (!existsSync(join(root, build.sources[0])) || isBuilt(build)) return
  if (!existsSync(join(root, 'node_modules', 'vite'))) {
    process.stderr.write(
      `openslot: cannot build ${build.what}, because the packages that do it are missing; run "npm ci"\n`,
    )
    return
  }
  const release = await takeLock()
  try {
    if (isBuilt(build)) return
    const begun = Date.now()
    await runNode(build)
    process.stderr.write(`openslot: built ${build.what} in ${seconds(begun)} s\n`)
  } finally {
    release()
  }
}

/** Of everything that it is made of. A few milliseconds. */
export function hashSources({ sources, script }) {
  const hash = createHash('sha256')
  for (const folder of sources)
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort())
      if (/\.(tsx?|css|json|svg)$/.test(name) && !name.endsWith('.test.ts'))
        hash.update(`${folder}/${name}\0`).update(readFileSync(join(root, folder, name)))
  return hash
    .update(readFileSync(join(root, 'bin', script)))
    .update(readOrEmpty(lockfile))
    .digest('hex')
}

/** Whether what lies in its folder was made of the sources as they stand. */
export function isBuilt(build) {
  return readOrEmpty(join(build.folder, stamp)) === hashSources(build)
}

function runNode({ what, script }) {
  return new Promise((resolve, reject) => {
    const child = spawn(findNode(), [join(root, 'bin', script)], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      // Whoever asks, also a test: the pages that guests get.
      env: { ...process.env, NODE_ENV: 'production' },
    })
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`could not build ${what}; what went wrong stands above.`)),
    )
  })
}

async function isFresh(what) {
  const stamp = readOrEmpty(stampFile).trim().split(' ')
  if (stamp[0] === lockfileHash() && (stamp[1] === 'all' || stamp[1] === what)) return true
  // Somebody may have run npm by hand: then what npm noted down about node_modules says the same as our lockfile.
  if (!holdsLockfile(what)) return false
  await markFresh(what)
  return true
}

function holdsLockfile(what) {
  const noted = readOrEmpty(join(root, 'node_modules', '.package-lock.json'))
  if (noted === '') return false
  const installed = JSON.parse(noted).packages
  const wanted = Object.entries(JSON.parse(readFileSync(lockfile, 'utf8')).packages).filter(
    ([path, entry]) => path !== '' && isForThisMachine(entry) && (what === 'all' || !entry.dev),
  )
  return wanted.every(
    ([path, entry]) => installed[path]?.integrity === entry.integrity && existsSync(join(root, path, 'package.json')),
  )
}

/** An optional package is expected where its platform is ours; one that also asks for a C library, or is optional for no stated reason, is not. */
function isForThisMachine({ optional, os, cpu, libc }) {
  if (!optional) return true
  if (os === undefined || cpu === undefined || libc !== undefined) return false
  return [os].flat().includes(process.platform) && [cpu].flat().includes(process.arch)
}

function lockfileHash() {
  return createHash('sha256').update(readFileSync(lockfile)).digest('hex')
}

async function markFresh(what) {
  await proveNode()
  try {
    writeFileSync(stampFile, `${lockfileHash()} ${what}\n`)
  } catch {
    // A read-only checkout: it is looked at anew at every start, which costs milliseconds.
  }
}

async function install() {
  const begun = Date.now()
  process.stderr.write(
    'openslot: installing the packages of package-lock.json (first start, or the lockfile has changed)\n',
  )
  const ticking = setInterval(() => process.stderr.write(`openslot: still installing, ${seconds(begun)} s\n`), 5_000)
  try {
    await runNpm([
      'ci',
      '--ignore-scripts',
      '--loglevel=error',
      '--no-audit',
      '--no-fund',
      '--include=dev',
      '--include=optional',
    ])
  } finally {
    clearInterval(ticking)
  }
  process.stderr.write(`openslot: installed in ${seconds(begun)} s\n`)
}

function runNpm(args) {
  // npm's own Node, not the pinned one in node_modules, which npm is about to replace.
  const script = process.env.npm_execpath
  const isNpm = script !== undefined && /np[mx]-cli\.js$/.test(script)
  const command = isNpm ? (process.env.npm_node_execpath ?? process.execPath) : 'npm'
  const start = isNpm ? [script.replace(/npx-cli\.js$/, 'npm-cli.js')] : []
  // stdout belongs to the command that was asked for, which may print JSON.
  const options = { cwd: root, stdio: ['ignore', 2, 2], shell: !isNpm && process.platform === 'win32' }
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...start, ...args], options)
    child.once('error', () =>
      reject(new Error('npm could not be started; install npm, or run "npm ci --ignore-scripts" yourself.')),
    )
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`"npm ci" failed (${signal ?? `code ${code}`}); what it says stands above.`))
    })
  })
}

/** Waits for its turn to install, and returns what gives the turn back. A lock whose process is gone does not count. */
async function takeLock() {
  mkdirSync(dirname(installLock), { recursive: true })
  const draft = `${installLock}-${randomUUID()}`
  writeFileSync(draft, String(process.pid))
  try {
    for (let hasWaited = false; ; hasWaited = true) {
      try {
        // A link appears whole and only once; a file that is created and then written can be read half-way.
        linkSync(draft, installLock)
        return () => rmSync(installLock, { force: true })
      } catch (error) {
        if (error.code !== 'EEXIST') throw error
      }
      const holder = Number(readOrEmpty(installLock))
      if (holder !== 0 && !isAlive(holder)) breakLock(holder)
      else if (!hasWaited)
        process.stderr.write(`openslot: process ${holder} is preparing this checkout, waiting for it\n`)
      await delay(200)
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

function breakLock(holder) {
  const grave = `${installLock}-${randomUUID()}`
  try {
    renameSync(installLock, grave)
    // Between our look and our move another process may have done the same, and taken its turn: give that back.
    if (Number(readOrEmpty(grave)) !== holder) linkSync(grave, installLock)
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  } finally {
    rmSync(grave, { force: true })
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function readOrEmpty(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return ''
    throw error
  }
}

function seconds(begun) {
  return Math.round((Date.now() - begun) / 1000)
}
