// The keys that seal the keys of applications: from MASTER_KEY, or from a file that running servers read again.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { makeDirectory, makeFile, removeOldDrafts, replaceFile } from '../durableFiles.ts'
import { VaultError } from './sealing.ts'

export type MasterKey = { readonly kid: string; readonly key: Buffer }

/** Where keys are kept that can be added while servers run. `onMade` hears the path of a file that was made just now. */
type KeyFile = { readonly path: string; readonly onMade: (path: string) => void }

export class MasterKeys {
  #known: readonly MasterKey[]
  readonly #file: KeyFile | undefined

  /** The first key seals, all open. Throws for no key and no file: nothing is ever kept in plain text. */
  constructor(keys: readonly MasterKey[], file?: KeyFile) {
    if (keys.length === 0 && file === undefined) throw new VaultError('MASTER_KEY holds no key')
    this.#known = keys
    this.#file = file
  }

  /** Whether there is none yet: the first that has to seal makes one. */
  get isEmpty(): boolean {
    return this.#known.length === 0
  }

  /** For a start: makes the file where there has been none, and takes away what a command that was cut off has left beside it. */
  prepare(): void {
    this.first()
    if (this.#file !== undefined) removeOldDrafts(this.#file.path)
  }

  /** All that may open what is said to be sealed under `kid`, the one of that name first. */
  toOpen(kid: string): MasterKey[] {
    return [...this.#known.filter((key) => key.kid === kid), ...this.#known.filter((key) => key.kid !== kid)]
  }

  /** All that may open, as they stand in the file now; what seals is the first. Throws `VaultError`. */
  all(): readonly [MasterKey, ...MasterKey[]] {
    const first = this.first()
    return [first, ...this.#known.filter((key) => key !== first)]
  }

  has(kid: string): boolean {
    return this.#known.some((key) => key.kid === kid)
  }

  /**
   * What seals now: another process may have put a new key in front. Never one that stands in no file any more, since what it
   * seals would be lost with this process. Makes the file where there has been none. Throws `VaultError`.
   */
  first(): MasterKey {
    if (this.#file === undefined) return firstOf(this.#known)
    if (!this.isEmpty || readKeys(this.#file.path) !== undefined) return firstOf(this.#readFile(this.#file))
    makeDirectory(dirname(this.#file.path), 0o700)
    if (makeFile(this.#file.path, `${write(newMasterKey([]))}\n`)) this.#file.onMade(this.#file.path)
    return firstOf(this.#readFile(this.#file))
  }

  /** False where the keys are in MASTER_KEY, which cannot change while this process runs. Throws `VaultError`. */
  readAgain(): boolean {
    if (this.#file === undefined || readKeys(this.#file.path) === undefined) return false
    this.#readFile(this.#file)
    return true
  }

  /** Puts a new key in front of the others. Only for whoever keeps all others from doing the same. Throws `VaultError`. */
  addFirst(): MasterKey {
    if (this.#file === undefined)
      throw new VaultError(
        'The keys are in MASTER_KEY: put a new one in front of them there, restart every server, and run rotate-keys.',
      )
    const keys = this.#readFile(this.#file)
    replaceFile(this.#file.path, `${[newMasterKey(keys), ...keys].map(write).join(',')}\n`)
    return firstOf(this.#readFile(this.#file))
  }

  /** What was taken out of the file still opens as long as this process runs, where something is still sealed under it. */
  #readFile({ path }: KeyFile): readonly MasterKey[] {
    const keys = readKeys(path)
    if (keys === undefined) throw new VaultError(`${path} is gone; bring it back.`)
    const gone = this.#known.filter(({ key }) => !keys.some((kept) => kept.key.equals(key)))
    this.#known = [...keys, ...gone]
    return keys
  }
}

/**
 * Reads `kid:base64` pairs; without them the key file of the data directory. Makes none: the first that has to seal does.
 * Throws `VaultError` with a sentence for the operator.
 */
export function loadMasterKeys(
  setting: string | undefined,
  dataDirectory: string,
  onMade: (path: string) => void,
): MasterKeys {
  if (setting !== undefined) return new MasterKeys(parseMasterKeys(setting, 'MASTER_KEY'))
  const path = join(dataDirectory, 'master.key')
  return new MasterKeys(readKeys(path) ?? [], { path, onMade })
}

/** Undefined where there is no file. */
function readKeys(path: string): MasterKey[] | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
    return undefined
  }
  const keys = parseMasterKeys(text, path)
  // A file that lost its content is no file that was never made.
  if (keys.length === 0) throw new VaultError(`${path} holds no key; bring back the copy that you kept.`)
  return keys
}

/** `name`: what is read, for the sentence of the `VaultError` that it throws. */
export function parseMasterKeys(text: string, name: string): MasterKey[] {
  const keys = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => {
      const [kid = '', encoded = ''] = item.split(':')
      const key = Buffer.from(encoded, 'base64')
      if (!/^[A-Za-z0-9_-]{1,8}$/.test(kid) || key.length !== 32)
        throw new VaultError(`${name} must be kid:base64, with a kid of 1–8 letters or digits and 32 bytes of key`)
      return { kid, key }
    })
  const repeated = keys.find(({ kid }, index) => keys.findIndex((other) => other.kid === kid) !== index)
  if (repeated !== undefined)
    throw new VaultError(`${name} names "${repeated.kid}" twice; each key has a kid of its own`)
  return keys
}

function firstOf(keys: readonly MasterKey[]): MasterKey {
  const [first] = keys
  if (first === undefined) throw new VaultError('there is no master key')
  return first
}

/** Its kid is none of theirs. */
function newMasterKey(others: readonly MasterKey[]): MasterKey {
  const kid = `k${randomBytes(3).toString('hex')}`
  return others.some((other) => other.kid === kid) ? newMasterKey(others) : { kid, key: randomBytes(32) }
}

function write({ kid, key }: MasterKey): string {
  return `${kid}:${key.toString('base64')}`
}
