/** A system that lacks a library which the pinned Node is linked with, as slim images of older Nodes do. */
import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

import { makeDirectory } from './openslot.ts'

const checkout = join(import.meta.dirname, '..', '..', '..')
const name = `node-linux-${process.arch}`
const run = promisify(execFile)

describe.runIf(process.platform === 'linux')('a library that the pinned Node needs', () => {
  it('is named, where nobody knows what brings it, instead of a failure of the loader alone', async () => {
    const { start } = makeCheckout('libatomix.so.1')
    const { stderr, code } = await start(process.env.PATH ?? '')
    expect(stderr).toMatch(/^openslot: Node 26 needs the library libatomix\.so\.1, which this system has not\./m)
    expect(code).toBe(1)
  })

  it.runIf(process.getuid?.() === 0)('is installed from Debian by root, and then the start goes on', async () => {
    const { node, start } = makeCheckout('libatomik.so.1', { 'libatomik.so.1': 'libatomik1' })
    const tools = makeDirectory()
    // What a package manager does that has to fetch its lists first: the library is there only after the second install.
    const script = `#!/bin/sh
echo "$@" >> ${tools}/asked
case "$*" in
  *update*) touch ${tools}/lists ;;
  *) test -e ${tools}/lists && cp ${process.execPath} ${node} ;;
esac
`
    writeFileSync(join(tools, 'apt-get'), script, { mode: 0o755 })
    const { stderr } = await start(`${tools}${delimiter}${process.env.PATH}`)
    expect(stderr).toContain("needs libatomik.so.1; installing Debian's package libatomik1")
    expect(stderr).not.toContain('which this system has not')
    const asked = readFileSync(join(tools, 'asked'), 'utf8').trim().split('\n')
    expect(asked.map((line) => /update$|libatomik1$/.exec(line)?.[0])).toEqual(['libatomik1', 'update', 'libatomik1'])
  })
})

/** A checkout with the launcher alone, whose pinned Node wants `library` in place of one that is here. */
function makeCheckout(library: string, packages: Readonly<Record<string, string>> = {}) {
  const place = makeDirectory()
  const node = join(place, 'node_modules', name, 'bin', 'node')
  mkdirSync(join(place, 'bin'))
  mkdirSync(join(node, '..'), { recursive: true })
  mkdirSync(join(place, 'src'))
  for (const file of ['openslot.mjs', 'pinnedNode.mjs', 'prepare.mjs'])
    copyFileSync(join(checkout, 'bin', file), join(place, 'bin', file))
  const launcher = join(place, 'bin', 'pinnedNode.mjs')
  const known = JSON.stringify(packages).slice(1, -1)
  writeFileSync(
    launcher,
    readFileSync(launcher, 'utf8').replace('debianPackages = {', `debianPackages = { ${known}${known && ','}`),
  )
  writeFileSync(join(place, 'src', 'main.ts'), '')
  writeFileSync(join(place, 'package-lock.json'), '{"packages": {}}')
  writeFileSync(join(place, 'node_modules', '.package-lock.json'), '{"packages": {}}')
  const program = readFileSync(process.execPath)
  const at = program.indexOf('libatomic.so.1\0')
  expect(at).toBeGreaterThan(0)
  program.write(library, at, 'latin1')
  writeFileSync(node, program)
  chmodSync(node, 0o755)
  const start = (path: string) =>
    run(process.execPath, [join(place, 'bin', 'openslot.mjs'), 'doctor'], { env: { PATH: path } }).then(
      ({ stderr }) => ({ stderr, code: 0 }),
      ({ stderr, code }: { stderr: string; code: number }) => ({ stderr, code }),
    )
  return { node, start }
}
