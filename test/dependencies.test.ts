/** What others wrote and this server runs: few, pinned, free to use, and nothing of theirs runs while it is installed. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

type Installed = {
  readonly version: string
  readonly license?: string
  readonly dev?: boolean
  readonly integrity?: string
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))
const { dependencies, devDependencies, optionalDependencies } = read('package.json')
const { '': _ownPackage, ...installed } = read('package-lock.json').packages as Record<string, Installed>
const ofServer = Object.entries(installed).filter(([, { dev }]) => dev !== true)

test('at most twenty-five packages are asked for by name, each in one version', () => {
  expect(Object.keys(dependencies).length).toBeLessThanOrEqual(25)
  const versions = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies })
  expect(versions.filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))).toEqual([])
})

test('what a server runs may be run by anyone, and is what was looked at', () => {
  expect(ofServer.length).toBeGreaterThan(100)
  const free = /^\(?(MIT|MIT-0|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|Python-2\.0|CC0-1\.0)( OR [\w.-]+)*\)?$/
  expect(ofServer.filter(([, { license = 'none' }]) => !free.test(license)).map(([name]) => name)).toEqual([])
  expect(ofServer.filter(([, { integrity = '' }]) => !integrity.startsWith('sha512-')).map(([name]) => name)).toEqual(
    [],
  )
})

test('no install script runs', () => {
  expect(readFileSync(new URL('../.npmrc', import.meta.url), 'utf8')).toMatch(/^ignore-scripts=true$/m)
})
