/** Debian packages that tests start real servers from: installed where they are missing, one test file at a time. */
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Installs what is missing, and lets no package start a service of its own. Takes a minute on a fresh machine, nothing later.
 * Throws a plain sentence where it cannot.
 */
export async function needPackages(...names: readonly string[]): Promise<void> {
  if ((await run('sh', ['-c', missing, 'sh', ...names])).code === 0) return
  if (process.getuid?.() !== 0)
    throw new Error(`These tests start real servers: run \`apt-get install ${names.join(' ')}\` once, as root.`)
  const lock = join(tmpdir(), 'openslot-debian-packages.lock')
  const { code, output } = await run('flock', [lock, 'sh', '-c', install, 'sh', ...names])
  if (code !== 0)
    throw new Error(
      `These tests start real servers of Debian, and ${names.join(', ')} could not be installed: ${output.trim().split('\n').slice(-3).join(' ')}`,
    )
}

/** Succeeds where every package is there. */
const missing = `for p in "$@"; do dpkg-query -W -f='\${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || exit 1; done`

/** Looks again, because another test file may have held the lock for the same reason. */
const install = `
if (${missing}); then exit 0; fi
policy=/usr/sbin/policy-rc.d
made=
[ -e $policy ] || { printf '#!/bin/sh\\nexit 101\\n' >$policy; chmod +x $policy; made=1; }
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }
code=$?
[ -z "$made" ] || rm -f $policy
exit $code`

/** Runs a program to its end. */
export function run(
  program: string,
  parameters: readonly string[],
  { input, environment }: { readonly input?: string; readonly environment?: Record<string, string> } = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((done, failed) => {
    const child = spawn(program, [...parameters], {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    let output = ''
    const keep = (chunk: Buffer) => {
      output += chunk
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) =>
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? done({ code: 127, output: `${program} is not on this machine` })
        : failed(error),
    )
    child.on('close', (code) => done({ code, output }))
    child.stdin.end(input ?? '')
  })
}
