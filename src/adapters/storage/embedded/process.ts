/** The PostgreSQL process itself: initdb, start, and what its last words mean. */

import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'

import { explainDamage, tellsOfDamage } from '../damage.ts'
import { flushDirectory, nameDraft, removeOldDrafts } from '../durableFiles.ts'
import { makePrivateDirectory, type PostgresPlace } from './place.ts'

/** A child that was started. `exit` is set when it has ended; `lastWords` reads what it wrote to the log since it began. */
export type PostgresChild = { readonly process: ChildProcess; exit: string | undefined; lastWords(): string }

const settings: Record<string, string> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  shared_buffers: '64MB',
  max_connections: '40',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Details and statements would carry guests' names and addresses into the log.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
}
const largestLogBytes = 10_000_000

/** Refuses data of another major version, which this PostgreSQL cannot read. */
export function checkVersion({ databaseDirectory, binaries }: PostgresPlace): void {
  const versionFile = join(databaseDirectory, 'PG_VERSION')
  if (!existsSync(versionFile)) {
    if (existsSync(databaseDirectory))
      throw new Error(
        `${databaseDirectory} is there but is not a PostgreSQL data directory; move it away and start again.`,
      )
    return
  }
  const written = readFileSync(versionFile, 'utf8').trim()
  if (written === binaries.majorVersion) return
  throw new Error(
    `The database in ${databaseDirectory} was written by PostgreSQL ${written} and this OpenSlot brings PostgreSQL ${binaries.majorVersion}: ` +
      'run "openslot backup FILE" with the OpenSlot that wrote it, move that folder away, and run "openslot restore FILE" with this one.',
  )
}

/** Makes the empty cluster. It appears under its name only when it is whole, so a crash on the way leaves no half of one. */
export async function initialise(place: PostgresPlace): Promise<void> {
  if (existsSync(place.databaseDirectory)) return
  removeOldDrafts(place.databaseDirectory)
  const draft = nameDraft(place.databaseDirectory)
  makePrivateDirectory(draft, place.owner)
  const args = [
    '-D',
    draft,
    '-U',
    'postgres',
    '--auth-local=trust',
    '--auth-host=reject',
    // Sorts by code point as C does, and knows the small letters of all of Unicode.
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--encoding=UTF8',
    '--data-checksums',
    '--no-instructions',
  ]
  const log = openLog(place.logFile)
  try {
    const child = spawn(join(place.binaries.native, 'bin', 'initdb'), args, childOptions(place, log.descriptor))
    const failure = await new Promise<string | undefined>((resolve) => {
      child.once('error', (error) => resolve(explainSpawnError(error)))
      child.once('exit', (code, signal) =>
        resolve(code === 0 ? undefined : `initdb ended with ${signal ?? code}: ${explainFailure(log.read())}`),
      )
    })
    if (failure !== undefined) throw new Error(`PostgreSQL could not make its data directory: ${failure}`)
    try {
      renameSync(draft, place.databaseDirectory)
      flushDirectory(place.home)
    } catch (error) {
      // Another process that started at the same moment was first; its cluster is as good as ours.
      if (!existsSync(place.databaseDirectory)) throw error
    }
  } finally {
    rmSync(draft, { recursive: true, force: true })
    log.close()
  }
}

/** Starts PostgreSQL and returns at once. The child has its own process group: Ctrl-C in a terminal must reach only the server, which still needs it while it drains. */
export function spawnPostgres(place: PostgresPlace, extraSettings: Readonly<Record<string, string>>): PostgresChild {
  const log = openLog(place.logFile)
  const args = ['-D', place.databaseDirectory, '-k', place.socketDirectory]
  for (const [name, value] of Object.entries({ ...settings, ...extraSettings })) args.push('-c', `${name}=${value}`)
  const process = spawn(join(place.binaries.native, 'bin', 'postgres'), args, {
    ...childOptions(place, log.descriptor),
    detached: true,
  })
  const child: PostgresChild = { process, exit: undefined, lastWords: log.read }
  process.once('error', (error) => {
    child.exit = explainSpawnError(error)
  })
  process.once('exit', (code, signal) => {
    child.exit = signal ?? `code ${code}`
    log.close()
  })
  process.unref()
  return child
}

/** Whether a child that ended at its start gave way to another one that runs, or still shuts down, on the same data. */
export function gaveWay(words: string): boolean {
  return /lock file "[^"]*" already exists|shared memory block .{0,200} still in use/.test(words)
}

/** Why a PostgreSQL on this folder ended at its start, and what to do where that is known. */
export function explainEnd(
  { databaseDirectory }: Pick<PostgresPlace, 'databaseDirectory'>,
  { exit, lastWords }: PostgresChild,
): string {
  const words = lastWords()
  const why = explainFailure(words) || exit
  if (/has invalid permissions/.test(words))
    return `Others can look into ${databaseDirectory}, and PostgreSQL refuses that: chmod 700 it and start again.`
  if (tellsOfDamage(words)) return explainDamage(why ?? '', databaseDirectory)
  return `PostgreSQL did not start (${exit}): ${why}`
}

/** The line which says why, in plain words where the cause is known. */
export function explainFailure(words: string): string {
  if (/No space left on device/.test(words)) return 'There is no space left on the disk; make room and start again.'
  if (/GLIBC_\d/.test(words)) return 'The embedded PostgreSQL needs glibc 2.27 or newer; set DATABASE_URL instead.'
  return lastLine(words)
}

/** Process id of the PostgreSQL that runs on this data, as it wrote it down; undefined when none does. */
export function readPostmasterPid(databaseDirectory: string): number | undefined {
  return readLockFile(databaseDirectory)?.pid
}

/** The socket directory which the running PostgreSQL was started with: another process may have had another TMPDIR. */
export function readSocketDirectory(databaseDirectory: string): string | undefined {
  return readLockFile(databaseDirectory)?.socketDirectory
}

/**
 * Whether the process of that id is a PostgreSQL on this data. After a restart of a container, or beside one that shares the folder,
 * the id in the lock file may be somebody else's. Only Linux can tell; elsewhere the lock file is believed.
 */
export function isPostmaster(pid: number, databaseDirectory: string): boolean {
  return process.platform !== 'linux' || worksIn(pid, databaseDirectory)
}

/**
 * Removes lock files whose process id belongs to something that is not PostgreSQL, as it happens when a container starts again and
 * ids repeat. Only when no process at all works in the data directory: every PostgreSQL process does.
 */
export function removeForeignLock(place: PostgresPlace): boolean {
  const pid = readPostmasterPid(place.databaseDirectory)
  // Where /proc hides the process that PostgreSQL has seen, it may hide a PostgreSQL too.
  if (process.platform !== 'linux' || pid === undefined || !existsSync(`/proc/${pid}`)) return false
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  if (processes.some((name) => worksIn(Number(name), place.databaseDirectory))) return false
  rmSync(join(place.databaseDirectory, 'postmaster.pid'), { force: true })
  rmSync(join(place.socketDirectory, '.s.PGSQL.5432.lock'), { force: true })
  return true
}

function worksIn(pid: number, directory: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(directory)
  } catch {
    // Gone, or, for root without the right to trace others, closed to us: then a PostgreSQL may be this one.
    return isNamedPostgres(pid)
  }
}

function isNamedPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres'
  } catch {
    return false
  }
}

function readLockFile(databaseDirectory: string): { pid: number; socketDirectory: string | undefined } | undefined {
  const file = join(databaseDirectory, 'postmaster.pid')
  if (!existsSync(file)) return undefined
  // Lines: pid, data directory, start, port, socket directory, … (PostgreSQL's miscadmin.h).
  const lines = readFileSync(file, 'utf8').split('\n')
  return { pid: Number(lines[0]), socketDirectory: lines[4] || undefined }
}

function childOptions({ owner, environment }: PostgresPlace, log: number) {
  const user = owner.uid !== undefined && owner.gid !== undefined ? { uid: owner.uid, gid: owner.gid } : {}
  return { ...user, cwd: '/', env: { ...environment }, stdio: ['ignore' as const, log, log] }
}

function openLog(file: string) {
  if (existsSync(file) && statSync(file).size > largestLogBytes) renameSync(file, `${file}.1`)
  const descriptor = openSync(file, 'a+', 0o600)
  const start = fstatSync(descriptor).size
  let isOpen = true
  let text = ''
  const read = (): string => {
    if (!isOpen) return text
    const buffer = Buffer.alloc(Math.min(fstatSync(descriptor).size - start, 64_000))
    text = buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, start)).toString('utf8')
    return text
  }
  const close = (): void => {
    read()
    isOpen = false
    closeSync(descriptor)
  }
  return { descriptor, read, close }
}

function explainSpawnError(error: Error): string {
  // The file is there (it was resolved): what is missing is the loader that it names.
  if ('code' in error && error.code === 'ENOENT')
    return 'The embedded PostgreSQL needs glibc 2.27 or newer (Alpine has none); set DATABASE_URL instead.'
  return error.message
}

/** Without its time and process. What those were told who asked while it started says nothing of why it ended. */
function lastLine(words: string): string {
  const lines = words
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\d \S+ \w+ \[\d+\] /, ''))
    .filter((line) => !/FATAL: {2}the database system is /.test(line))
  return lines.findLast((line) => /FATAL|PANIC|error/i.test(line)) ?? lines.at(-1) ?? ''
}
