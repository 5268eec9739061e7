/** Programs that tests need and npm has not: installed by Debian's own means where the tests run as root, asked for elsewhere. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Held by the kernel for as long as the command runs, so a test run that is killed leaves no lock behind. */
const lockFile = join(tmpdir(), 'openslot-apt.lock')

/**
 * Returns when `program` (an absolute path) is there, after installing `packages` if it was not.
 * Test files that ask at the same time wait for each other. Throws a plain sentence where nothing can be installed.
 */
export async function provideProgram(program: string, packages: readonly string[]): Promise<void> {
  if (existsSync(program)) return
  const command = `apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 ${packages.join(' ')}`
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    throw new Error(
      `These tests need ${program}, and only root on Debian can install it from here; as root: ${command}`,
    )
  // Somebody else's apt may hold the lists, which it never waits for; so a refusal is tried again, a few times.
  const script = `
    test -x ${program} && exit 0
    for attempt in 1 2 3 4 5; do
      ${command} -qq && exit 0
      apt-get update -qq && ${command} -qq && exit 0
      sleep 5
    done
    exit 1`
  try {
    await run('flock', [lockFile, 'sh', '-c', script], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 64 * 1024 * 1024,
    })
  } catch (error) {
    const { stderr = '' } = error as { readonly stderr?: string }
    throw new Error(`These tests need ${program}; "${command}" failed:\n${stderr.slice(-2_000)}`, { cause: error })
  }
}
