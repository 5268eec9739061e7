/** As whom PostgreSQL runs, and where that user can go: PostgreSQL refuses to run as root, and other users cannot look into root's folders. */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'

/** The user PostgreSQL runs as. `uid` is undefined where the server's own user does it. */
export type ProcessOwner = {
  readonly name: string
  readonly uid?: number
  readonly gid?: number
}

/**
 * The owner of the data where there are data already; for root else `postgres` or `nobody`; for everyone else the server's own user.
 * Throws a plain sentence where no such user exists, or where the data are someone else's.
 */
export function chooseOwner(databaseDirectory: string): ProcessOwner {
  const ownUid = process.getuid?.()
  if (ownUid === undefined)
    throw new Error('The embedded PostgreSQL needs Unix sockets; on this system set DATABASE_URL.')
  const users = readUsers()
  const keeper = existsSync(databaseDirectory) ? statSync(databaseDirectory) : undefined
  if (ownUid !== 0) {
    if (keeper !== undefined && keeper.uid !== ownUid) {
      const name = users.find((user) => user.uid === keeper.uid)?.name ?? `uid ${keeper.uid}`
      throw new Error(
        `The database in ${databaseDirectory} belongs to ${name}; run as that user or as root, or set DATA_DIR.`,
      )
    }
    return { name: ownName(ownUid) }
  }
  if (keeper !== undefined && keeper.uid !== 0) {
    const name = users.find((user) => user.uid === keeper.uid)?.name ?? `uid ${keeper.uid}`
    return { name, uid: keeper.uid, gid: keeper.gid }
  }
  const found = users.find((user) => user.name === 'postgres') ?? users.find((user) => user.name === 'nobody')
  if (found !== undefined) return found
  throw new Error(
    'PostgreSQL refuses to run as root and there is no user "postgres" or "nobody" here; run OpenSlot as another user, or set DATABASE_URL.',
  )
}

/** Whether `owner` may enter `directory` and every folder above it. Reads mode bits only: an access list can still say otherwise. */
export function canEnter(directory: string, owner: ProcessOwner): boolean {
  if (owner.uid === undefined) return true
  for (let path = directory; ; path = dirname(path)) {
    if (!allows(path, 0o1, owner)) return false
    if (path === dirname(path)) return true
  }
}

/** Whether `owner` may read `file`, folders included. */
export function canRead(file: string, owner: ProcessOwner): boolean {
  return owner.uid === undefined || (allows(file, 0o4, owner) && canEnter(dirname(file), owner))
}

function allows(path: string, bit: number, owner: ProcessOwner): boolean {
  const { mode, uid, gid } = statSync(path)
  if (uid === owner.uid) return (mode & (bit << 6)) !== 0
  if (gid === owner.gid) return (mode & (bit << 3)) !== 0
  return (mode & bit) !== 0
}

function ownName(uid: number): string {
  try {
    return userInfo().username
  } catch (cause) {
    // initdb would say «could not look up effective user ID», which tells nobody what to do.
    throw new Error(
      `The user id ${uid} has no entry in /etc/passwd, and PostgreSQL needs one; add it, or set DATABASE_URL.`,
      { cause },
    )
  }
}

function readUsers(): { name: string; uid: number; gid: number }[] {
  if (!existsSync('/etc/passwd')) return []
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name, , uid, gid]) => ({ name: name ?? '', uid: Number(uid), gid: Number(gid) }))
}
