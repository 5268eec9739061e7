/** Where the embedded PostgreSQL keeps its files: the data directory, or, where its user cannot enter that, a place of its own. */

import { createHash, randomUUID } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { flushDirectory, makeDirectory, makeFile } from '../durableFiles.ts'
import { canRun, copyBinaries, findBinaries, linkLibraries, type PostgresBinaries } from './binaries.ts'
import { canEnter, chooseOwner, type ProcessOwner } from './owner.ts'

/** All that is needed to start PostgreSQL, and to find one that runs already. */
export type PostgresPlace = {
  readonly binaries: PostgresBinaries
  readonly owner: ProcessOwner
  /** The folder in which the others lie; the owner can enter it, but owns only what is below. */
  readonly home: string
  readonly databaseDirectory: string
  /** Private to the owner (0700). */
  readonly socketDirectory: string
  readonly logFile: string
  /** The child's whole environment: nothing of ours, since ours may hold secrets. */
  readonly environment: Readonly<Record<string, string>>
}

/** Where root puts what the child cannot reach below the data directory. The first that can be made is taken. */
const defaultRootDirectories = ['/var/lib/openslot', '/var/tmp/openslot']
const pointerName = 'postgres-location'
const socketName = '.s.PGSQL.5432'
/** sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing NUL included. */
const longestSocketPath = 103

/** Makes the folders and links, and says in plain sentences what it had to place elsewhere. Repeatable, and safe in two processes at once. */
export function preparePlace({
  dataDirectory,
  rootDirectories = defaultRootDirectories,
  log,
}: {
  dataDirectory: string
  rootDirectories?: readonly string[] | undefined
  log: (message: string, details?: object) => void
}): PostgresPlace {
  const isRoot = process.getuid?.() === 0
  // Others need only pass through root's data directory to what they own below; they cannot list it.
  makeDirectory(dataDirectory, isRoot ? 0o711 : 0o700)
  const data = realpathSync(dataDirectory)
  refuseForeign(data)
  const known = readPointer(data)
  const owner = chooseOwner(join(known ?? data, 'postgres'))
  const home = known ?? findHome({ data, owner, rootDirectories, log })
  let binaries = findBinaries()
  if (!canRun(binaries.native, owner)) {
    const directory = openRootDirectory(rootDirectories, owner)
    const copy = copyBinaries(binaries, directory)
    log(
      `PostgreSQL runs as user ${owner.name}, who cannot read ${binaries.native}: its programs run from a copy in ${copy.native}.`,
    )
    binaries = copy
  }
  const environment = {
    PATH: '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    ...linkLibraries(binaries.native, join(home, 'postgres-libraries')),
  }
  return {
    binaries,
    owner,
    home,
    databaseDirectory: join(home, 'postgres'),
    socketDirectory: makeSocketDirectory(home, owner),
    logFile: join(data, 'postgres.log'),
    environment,
  }
}

/** Whether an embedded database was made for `dataDirectory` before, there or elsewhere. */
export function hasEmbeddedDatabase(dataDirectory: string): boolean {
  return existsSync(join(dataDirectory, 'postgres')) || existsSync(join(dataDirectory, pointerName))
}

/** Where the database that was made for `dataDirectory` lies; undefined where there is none, or where it is gone. */
export function findDatabaseFolder(dataDirectory: string): string | undefined {
  const pointer = join(dataDirectory, pointerName)
  const home = existsSync(pointer) ? readFileSync(pointer, 'utf8').trim() : dataDirectory
  const folder = join(home, 'postgres')
  return existsSync(folder) ? folder : undefined
}

/** Makes `path` a folder of the owner's alone (0700); refuses one that somebody else made there before. */
export function makePrivateDirectory(path: string, owner: ProcessOwner): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const status = lstatSync(path)
  const expected = [process.getuid?.(), owner.uid]
  if (!status.isDirectory() || !expected.includes(status.uid)) {
    throw new Error(
      `${path} is not OpenSlot's own folder (it belongs to uid ${status.uid}); remove it and start again.`,
    )
  }
  if (owner.uid !== undefined && owner.gid !== undefined) lchownSync(path, owner.uid, owner.gid)
  chmodSync(path, 0o700)
}

function refuseForeign(data: string): void {
  try {
    accessSync(data, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new Error(`This user may not write to the data directory ${data}; run as its owner, or set DATA_DIR.`, {
      cause,
    })
  }
}

function readPointer(data: string): string | undefined {
  const pointer = join(data, pointerName)
  if (!existsSync(pointer)) return undefined
  const home = readFileSync(pointer, 'utf8').trim()
  // An empty database in its place would look as if everything had been lost.
  if (!existsSync(home)) {
    throw new Error(
      `${pointer} says that the database is in ${home}, which is gone; bring it back, or delete that file to begin with an empty database.`,
    )
  }
  return home
}

function findHome({
  data,
  owner,
  rootDirectories,
  log,
}: {
  data: string
  owner: ProcessOwner
  rootDirectories: readonly string[]
  log: (message: string) => void
}): string {
  // An empty folder that was made for us (mkdtemp gives 0700) may let the child pass.
  if (owner.uid !== undefined && statSync(data).uid === 0 && readdirSync(data).length === 0) chmodSync(data, 0o711)
  if (canEnter(data, owner)) return data
  if (existsSync(join(data, 'postgres'))) {
    throw new Error(
      `User ${owner.name}, who owns the database in ${data}, may not enter that folder any more; allow it (chmod o+x on it and the folders above).`,
    )
  }
  // A name of its own for each data directory: one that was deleted and made anew begins with an empty database.
  const home = join(openRootDirectory(rootDirectories, owner), `data-${randomUUID()}`)
  mkdirSync(home, { mode: 0o711 })
  flushDirectory(dirname(home))
  let isOurs = false
  try {
    isOurs = makeFile(join(data, pointerName), `${home}\n`)
  } finally {
    if (!isOurs) rmSync(home, { recursive: true, force: true })
  }
  // Another process that starts at the same time was faster.
  if (!isOurs) {
    const settled = readPointer(data)
    if (settled !== undefined) return settled
    throw new Error(`${join(data, pointerName)} came and went; start again.`)
  }
  log(
    `PostgreSQL runs as user ${owner.name}, who cannot enter ${data}: the database is in ${home} (and ${join(data, pointerName)} remembers it).`,
  )
  return home
}

/** The first of `rootDirectories` that root alone may write and the owner may enter. */
function openRootDirectory(rootDirectories: readonly string[], owner: ProcessOwner): string {
  for (const directory of rootDirectories) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o755 })
    } catch {
      continue
    }
    const { uid, mode } = lstatSync(directory)
    // Somebody else's folder could hold somebody else's programs.
    if (uid === 0 && (mode & 0o022) === 0 && canEnter(directory, owner)) return directory
  }
  throw new Error(
    `User ${owner.name}, as whom PostgreSQL runs, can enter neither this folder nor ${rootDirectories.join(' or ')}; set DATA_DIR, or DATABASE_URL.`,
  )
}

function makeSocketDirectory(home: string, owner: ProcessOwner): string {
  let directory = join(home, 'postgres-socket')
  if (Buffer.byteLength(join(directory, socketName)) > longestSocketPath) {
    const name = `openslot-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`
    directory = join(canEnter(tmpdir(), owner) ? tmpdir() : '/tmp', name)
  }
  makePrivateDirectory(directory, owner)
  return directory
}
