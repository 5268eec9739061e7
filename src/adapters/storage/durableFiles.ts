// Files that are there whole or not at all, and are still there after a power cut.

import { randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** For its owner alone. False where it is there already: of several processes that make it at the same time one does. */
export function makeFile(path: string, text: string): boolean {
  if (existsSync(path)) return false
  const draft = writeDraft(path, text)
  try {
    linkSync(draft, path)
  } catch (error) {
    const { code = '' } = error as { code?: string }
    if (code === 'EEXIST') return false
    if (/^E(PERM|NOTSUP|OPNOTSUPP|NOSYS)$/.test(code))
      throw new Error(
        `The file system of ${dirname(path)} makes no links, which ${path} needs; choose another folder.`,
        {
          cause: error,
        },
      )
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
  flushDirectory(dirname(path))
  return true
}

/** For its owner alone. Whoever reads it meanwhile sees the old text or the new one. */
export function replaceFile(path: string, text: string): void {
  const draft = writeDraft(path, text)
  try {
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  flushDirectory(dirname(path))
}

/**
 * With the folders above that are missing, all of `mode`. One by one: `recursive` never ends below a folder that is there and lets
 * nobody make another, as /proc.
 */
export function makeDirectory(path: string, mode: number): void {
  const missing = [resolve(path)]
  for (let above = dirname(missing[0] ?? ''); !existsSync(above) && above !== dirname(above); above = dirname(above))
    missing.unshift(above)
  for (const folder of missing) {
    try {
      mkdirSync(folder, { mode })
    } catch (error) {
      // It is there, or another process was faster.
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
      continue
    }
    flushDirectory(dirname(folder))
  }
}

/** Under which `path` is made ready before it appears. */
export function nameDraft(path: string): string {
  return `${path}.new-${randomUUID()}`
}

/** A draft becomes what it is for within seconds; one that is older was left by a process that died. */
const oldDraftMs = 10 * 60_000

/** Removes what processes that died have left of `path`, whole folders too. One that somebody is at stays. */
export function removeOldDrafts(path: string): void {
  const folder = dirname(path)
  for (const name of readdirSync(folder).filter((other) => other.startsWith(`${basename(path)}.new-`))) {
    const status = statSync(join(folder, name), { throwIfNoEntry: false })
    if (status !== undefined && Date.now() - status.mtimeMs > oldDraftMs)
      rmSync(join(folder, name), { recursive: true, force: true })
  }
}

/** A new name survives a power cut only when its folder has been flushed. Where a file system cannot, it goes on, as PostgreSQL does. */
export function flushDirectory(directory: string): void {
  let descriptor: number | undefined
  try {
    descriptor = openSync(directory, 'r')
    fsyncSync(descriptor)
  } catch (error) {
    const unable = descriptor === undefined ? /^E(ISDIR|ACCES|PERM)$/ : /^E(BADF|INVAL)$/
    if (!unable.test((error as { code?: string }).code ?? '')) throw error
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** Each has a name of its own, so what a process that died has left of one is in nobody's way. */
function writeDraft(path: string, text: string): string {
  const draft = nameDraft(path)
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  return draft
}
