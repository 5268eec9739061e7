/** `npm test`: prepares the checkout, then runs every check in order and stops at the first that fails. `--without-tests`: `npm run check`. */

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

import { findNode, root } from './pinnedNode.mjs'
import { builds, prepare, prepareBuild } from './prepare.mjs'

const reportDirectory = mkdtempSync(join(tmpdir(), 'openslot-test-'))
const report = join(reportDirectory, 'vitest.json')

try {
  process.exitCode = await runAll()
} catch (error) {
  process.stderr.write(`openslot: ${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(reportDirectory, { recursive: true, force: true })
}

async function runAll() {
  await prepare('all')
  await prepareBuild(builds.server)
  await prepareBuild(builds.pages)
  const node = findNode()
  const packages = join(root, 'node_modules')
  const checks = [
    ['format and lint (biome)', join(packages, '@biomejs', 'biome', 'bin', 'biome'), 'check'],
    ['types (tsc)', join(packages, 'typescript', 'bin', 'tsc'), '--noEmit', '-p', root],
    ['types of the pages (tsc)', join(packages, 'typescript', 'bin', 'tsc'), '--noEmit', '-p', join(root, 'web')],
    ['unused code and packages (knip)', join(packages, 'knip', 'bin', 'knip.js')],
    [
      'tests (vitest)',
      join(packages, 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
  ]
  const wanted = process.argv.includes('--without-tests') ? checks.slice(0, -1) : checks
  for (const [title, ...command] of wanted) {
    console.log(`\n== ${title}`)
    const begun = Date.now()
    const code = await run(node, command)
    console.log(`== ${title}: ${code === 0 ? 'passed' : 'FAILED'} in ${((Date.now() - begun) / 1000).toFixed(1)} s`)
    if (command.includes('run')) printCounts()
    if (code !== 0) return 1
  }
  return 0
}

/**
 * Every check, and every process that a test starts by the name `node`, runs under the pinned Node, and keeps what it has
 * compiled, as the launcher does.
 */
function run(node, command) {
  const env = {
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'openslot-tests'),
  }
  return new Promise((resolve, reject) => {
    const child = spawn(node, command, { cwd: root, stdio: 'inherit', env })
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(signal === null ? code : 1))
  })
}

/** One line for those who count; the figures are Vitest's own, and without its report there is no line. */
function printCounts() {
  let counts
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    console.log('openslot: Vitest left no report')
    return
  }
  console.log(`openslot: ${counts.numPassedTests} passed, ${counts.numFailedTests} failed`)
}
