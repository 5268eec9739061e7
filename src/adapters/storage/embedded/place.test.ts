import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'
import { canRun, copyBinaries, linkLibraries } from './binaries.ts'
import { startEmbeddedPostgres } from './embedded.ts'
import { canEnter, chooseOwner } from './owner.ts'
import { preparePlace } from './place.ts'

const isRoot = process.getuid?.() === 0
const stranger = { name: 'stranger', uid: 54_321, gid: 54_321 }

let directory: string
let said: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'openslot-place-'))
  said = []
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

function log(message: string): void {
  said.push(message)
}

/** A folder as of a package, with one library that its list wants linked. */
function makeNative(): string {
  const native = join(directory, 'package', 'native')
  for (const name of ['bin', 'lib', 'share/postgresql']) mkdirSync(join(native, name), { recursive: true })
  writeFileSync(join(native, 'bin', 'postgres'), '', { mode: 0o700 })
  writeFileSync(join(native, 'share', 'postgresql', 'postgres.bki'), '', { mode: 0o600 })
  writeFileSync(join(native, 'lib', 'libx.so.60.2'), 'library')
  writeFileSync(join(native, 'lib', 'libx.a'), 'static')
  writeFileSync(
    join(native, 'pg-symlinks.json'),
    JSON.stringify([{ source: 'native/lib/libx.so.60.2', target: 'native/lib/libx.so.60' }]),
  )
  return native
}

test('the library links that an install script would make are made, once', () => {
  const native = makeNative()
  expect(linkLibraries(native, join(directory, 'elsewhere'))).toEqual({})
  expect(readFileSync(join(native, 'lib', 'libx.so.60'), 'utf8')).toBe('library')
  expect(linkLibraries(native, join(directory, 'elsewhere'))).toEqual({})
  expect(existsSync(join(directory, 'elsewhere'))).toBe(false)
})

test.skipIf(isRoot)('in a read-only folder the links are made elsewhere and the child is told where', () => {
  const native = makeNative()
  chmodSync(join(native, 'lib'), 0o555)
  const elsewhere = join(directory, 'elsewhere')
  expect(Object.values(linkLibraries(native, elsewhere))).toEqual([`${elsewhere}:${join(native, 'lib')}`])
  chmodSync(join(native, 'lib'), 0o755)
  expect(readFileSync(join(elsewhere, 'libx.so.60'), 'utf8')).toBe('library')
})

test('a copy of the binaries can be run by everyone, holds no static library, and is made once', () => {
  chmodSync(directory, 0o711)
  const native = makeNative()
  const target = join(directory, 'shared')
  mkdirSync(target)
  linkLibraries(native, directory)
  expect(canRun(native, stranger)).toBe(false)
  const binaries = { native, version: '18.4.0', majorVersion: '18' }
  const copy = copyBinaries(binaries, target)
  expect(canRun(copy.native, stranger)).toBe(true)
  expect(existsSync(join(copy.native, 'lib', 'libx.a'))).toBe(false)
  // An absolute link would lead back to where the user cannot go.
  expect(readlinkSync(join(copy.native, 'lib', 'libx.so.60'))).toBe('libx.so.60.2')
  const made = statSync(copy.native).ino
  expect(statSync(copyBinaries(binaries, target).native).ino).toBe(made)
})

test('whoever may not pass a folder above cannot enter what lies below', () => {
  const inner = join(directory, 'a', 'b')
  mkdirSync(inner, { recursive: true })
  chmodSync(directory, 0o711)
  expect(canEnter(inner, stranger)).toBe(true)
  chmodSync(join(directory, 'a'), 0o700)
  expect(canEnter(inner, stranger)).toBe(false)
})

test.skipIf(isRoot)('PostgreSQL runs as the user of the server itself when that is not root', () => {
  expect(chooseOwner(join(directory, 'postgres')).uid).toBeUndefined()
})

test.runIf(isRoot)('as root PostgreSQL runs as postgres or nobody, or as whoever owns the data already', () => {
  expect(['postgres', 'nobody']).toContain(chooseOwner(join(directory, 'postgres')).name)
  mkdirSync(join(directory, 'postgres'))
  expect(chooseOwner(join(directory, 'postgres')).name).not.toBe('root')
})

test.runIf(isRoot)(
  'below a folder only root may enter, the database is placed where its user can go, said so, and found again',
  async () => {
    const dataDirectory = join(directory, 'data')
    mkdirSync(dataDirectory, { mode: 0o700 })
    const rootDirectory = mkdtempSync(join(tmpdir(), 'openslot-root-'))
    chmodSync(rootDirectory, 0o755)
    const options = { dataDirectory, rootDirectories: [rootDirectory], log }
    try {
      const first = await startEmbeddedPostgres(options)
      expect(first.connection.host.startsWith(rootDirectory)).toBe(true)
      expect(said.join()).toMatch(/runs as user \w+, who cannot enter .*: the database is in /)
      await first.stop()
      said = []
      const second = await startEmbeddedPostgres(options)
      expect(second.connection).toEqual(first.connection)
      expect(said).toEqual([])
      await second.stop()
    } finally {
      rmSync(rootDirectory, { recursive: true, force: true })
    }
  },
)

test.runIf(isRoot)('a database that was placed elsewhere and is gone is not replaced by an empty one', () => {
  writeFileSync(join(directory, 'postgres-location'), '/nowhere/data-1\n')
  expect(() => preparePlace({ dataDirectory: directory, log })).toThrow('/nowhere/data-1, which is gone')
})

test.runIf(isRoot)("root places nothing in a folder that others may write: it could hold another's programs", () => {
  const rootDirectory = join(directory, 'open')
  mkdirSync(rootDirectory)
  chmodSync(rootDirectory, 0o777)
  const dataDirectory = join(directory, 'data')
  mkdirSync(dataDirectory)
  expect(() => preparePlace({ dataDirectory, rootDirectories: [rootDirectory], log })).toThrow('can enter neither')
})
