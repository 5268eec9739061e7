/** Debian packages that tests stand on: installed where they are missing, without starting the services that come with them. */
import { execFile } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Debian asks this file before it starts a service. */
const servicePolicy = '/usr/sbin/policy-rc.d'

/** Throws, and names what to install by hand, where it may not install. Test files that ask at the same time wait for each other. */
export async function installDebianPackages(names: readonly string[]): Promise<void> {
  const missing = await missingOf(names)
  if (missing.length === 0) return
  if (process.getuid?.() !== 0) throw new Error(`run as root once: apt-get install ${missing.join(' ')}`)
  const isOurs = !existsSync(servicePolicy)
  if (isOurs) writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await aptGet(['install', '--yes', '--no-install-recommends', ...missing]).catch(async () => {
      // The lists may be of another day, or not there at all.
      await aptGet(['update'])
      await aptGet(['install', '--yes', '--no-install-recommends', ...missing])
    })
  } finally {
    if (isOurs) rmSync(servicePolicy, { force: true })
  }
}

async function missingOf(names: readonly string[]): Promise<string[]> {
  const states = await Promise.all(
    names.map((name) =>
      run('dpkg-query', ['--show', '--showformat=${Status}', name]).then(
        ({ stdout }) => stdout,
        // dpkg-query fails for a name that it has never seen.
        () => '',
      ),
    ),
  )
  return names.filter((_, index) => !states[index]?.includes('install ok installed'))
}

async function aptGet(words: readonly string[]): Promise<void> {
  await run('flock', ['/tmp/openslot-apt.lock', 'apt-get', '-o', 'DPkg::Lock::Timeout=300', ...words], {
    env: { PATH: process.env.PATH, DEBIAN_FRONTEND: 'noninteractive' },
  })
}
