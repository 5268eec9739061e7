// Seals what must be readable again, so that a stolen dump opens nothing: envelope encryption with AES-256-GCM.
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { AppId } from '../../core/ids.ts'
import { Database, type Transaction } from './database.ts'
import { sql } from './sql.ts'

export type MasterKey = { readonly kid: string; readonly key: Buffer }

/** Where a sealed value stands. It is authenticated with the value, so a value moved elsewhere does not open. */
export type Place = { readonly appId: AppId; readonly table: string; readonly row: string; readonly column: string }

/** The sealed value was changed, moved, or sealed under a key that is not here. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
}

const formatVersion = 1
const kidBytes = 8
const nonceBytes = 12
const tagBytes = 16

/** A place where a new key can be put in front of the others while servers run; they read it again when they miss a key. */
export type KeyFile = { read(): Promise<readonly MasterKey[]>; addFirst(): Promise<readonly MasterKey[]> }

export class Vault {
  #masterKeys: readonly MasterKey[]
  readonly #file: KeyFile | undefined
  readonly #dataKeys = new Map<AppId, Buffer>()

  /** The first key seals, all open. Throws for an empty list: nothing is ever kept in plain text. */
  constructor(masterKeys: readonly MasterKey[], file?: KeyFile) {
    if (masterKeys.length === 0) throw new VaultError('no master key')
    this.#masterKeys = masterKeys
    this.#file = file
  }

  /** Makes a key that seals from now on; the others still open. Answers its kid. Throws `VaultError` where the keys are in MASTER_KEY. */
  async addMasterKey(): Promise<string> {
    if (this.#file === undefined)
      throw new VaultError(
        'The keys are in MASTER_KEY: put a new one in front of them there, restart every server, and run rotate-keys.',
      )
    this.#masterKeys = await this.#file.addFirst()
    return this.#first().kid
  }

  /** Throws `VaultError` unless the application's data key opens; an application without secrets has none. */
  async check(transaction: Transaction): Promise<void> {
    const [row] = await transaction.query<{ sealed: Buffer; kid: string }>(sql`
      select sealed, kid from openslot.data_keys where app_id = ${transaction.appId}`)
    if (row !== undefined) await this.#openDataKey(transaction.appId, row)
  }

  /** `version ‖ kid ‖ nonce ‖ ciphertext ‖ tag`, under the application's own data key. */
  async seal(transaction: Transaction, place: Place, text: string): Promise<Buffer> {
    return seal(
      await this.#dataKey(transaction, transaction.appId),
      'data',
      additionalData(place),
      Buffer.from(text, 'utf8'),
    )
  }

  /** `from`: where the data key is read if it is not known yet. Throws `VaultError`. */
  async open(from: Transaction | Database, place: Place, sealed: Buffer): Promise<string> {
    return open(await this.#dataKey(from, place.appId), additionalData(place), sealed).toString('utf8')
  }

  /** Seals the data keys of `appId` again under the first master key; repeating it changes nothing. */
  async rotate(transaction: Transaction): Promise<boolean> {
    const [row] = await transaction.query<{ sealed: Buffer; kid: string }>(sql`
      select sealed, kid from openslot.data_keys where app_id = ${transaction.appId} for update`)
    const current = this.#first()
    if (row === undefined || row.kid === current.kid) return false
    const key = await this.#openDataKey(transaction.appId, row)
    await transaction.query(sql`
      update openslot.data_keys set kid = ${current.kid}, sealed = ${seal(current.key, current.kid, dataKeyPlace(transaction.appId), key)}
      where app_id = ${transaction.appId}`)
    return true
  }

  async #dataKey(from: Transaction | Database, appId: AppId): Promise<Buffer> {
    const kept = this.#dataKeys.get(appId)
    if (kept !== undefined) return kept
    return from instanceof Database
      ? from.transaction(appId, (transaction) => this.#readDataKey(transaction))
      : this.#readDataKey(from)
  }

  /** Made where the application has none yet. */
  async #readDataKey(transaction: Transaction): Promise<Buffer> {
    const { appId } = transaction
    const current = this.#first()
    const made = seal(current.key, current.kid, dataKeyPlace(appId), randomBytes(32))
    await transaction.query(sql`
      insert into openslot.data_keys (app_id, sealed, kid) values (${appId}, ${made}, ${current.kid}) on conflict do nothing`)
    const [row] = await transaction.query<{ sealed: Buffer; kid: string }>(sql`
      select sealed, kid from openslot.data_keys where app_id = ${appId}`)
    if (row === undefined) throw new VaultError('the data key vanished')
    const key = await this.#openDataKey(appId, row)
    // A transaction that rolls back takes a new data key with it, so only one that stood before is kept.
    if (!row.sealed.equals(made)) this.#dataKeys.set(appId, key)
    return key
  }

  #first(): MasterKey {
    const [first] = this.#masterKeys
    if (first === undefined) throw new VaultError('no master key')
    return first
  }

  async #openDataKey(appId: AppId, row: { readonly sealed: Buffer; readonly kid: string }): Promise<Buffer> {
    const key = this.#find(row.kid) ?? (await this.#findInFile(row.kid))
    if (key === undefined) throw new VaultError(missingKey(row.kid))
    return open(key.key, dataKeyPlace(appId), row.sealed)
  }

  #find(kid: string): MasterKey | undefined {
    return this.#masterKeys.find((candidate) => candidate.kid === kid)
  }

  /** Another process may have added a key since this one started. */
  async #findInFile(kid: string): Promise<MasterKey | undefined> {
    if (this.#file === undefined) return undefined
    this.#masterKeys = await this.#file.read()
    return this.#find(kid)
  }
}

/**
 * Refuses a start whose keys cannot open what is stored, naming the missing key.
 * Row security hides other applications, so it asks each application in turn.
 */
export async function checkMasterKeys(database: Database, masterKeys: readonly MasterKey[]): Promise<void> {
  for (const { appId } of await database.query<{ appId: AppId }>(
    sql`select app_id as "appId" from openslot.applications`,
  )) {
    const [row] = await database.read(appId, (transaction) =>
      transaction.query<{ kid: string }>(sql`select kid from openslot.data_keys where app_id = ${appId}`),
    )
    if (row !== undefined && !masterKeys.some(({ kid }) => kid === row.kid)) throw new VaultError(missingKey(row.kid))
  }
}

function missingKey(kid: string): string {
  return `Secrets in the database are sealed under master key "${kid}", which MASTER_KEY and the data directory lack.`
}

export type LoadedMasterKeys = {
  readonly keys: readonly MasterKey[]
  /** Absent where the keys are in MASTER_KEY. */
  readonly file: KeyFile | undefined
  /** The key file, if it was made just now. */
  readonly madeFile: string | undefined
}

/** Reads `kid:base64` pairs; without them the key file of the data directory, which is made at the first start. */
export async function loadMasterKeys(setting: string | undefined, dataDirectory: string): Promise<LoadedMasterKeys> {
  if (setting !== undefined) return { keys: parseMasterKeys(setting), file: undefined, madeFile: undefined }
  const path = join(dataDirectory, 'master.key')
  const file: KeyFile = {
    read: async () => parseMasterKeys(await readFile(path, 'utf8')),
    addFirst: async () => {
      await replaceFile(path, `${newMasterKey()},${(await readFile(path, 'utf8')).trim()}\n`)
      return file.read()
    },
  }
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  const isMade = await makeFile(path, `${newMasterKey()}\n`)
  return { keys: await file.read(), file, madeFile: isMade ? path : undefined }
}

/** As `loadMasterKeys`, but makes none: undefined where there is no key yet. */
export async function findMasterKeys(
  setting: string | undefined,
  dataDirectory: string,
): Promise<LoadedMasterKeys | undefined> {
  return setting === undefined && !existsSync(join(dataDirectory, 'master.key'))
    ? undefined
    : loadMasterKeys(setting, dataDirectory)
}

function newMasterKey(): string {
  return `k${randomBytes(3).toString('hex')}:${randomBytes(32).toString('base64')}`
}

/** Whole or not at all, so that a process that starts at the same time never reads half a key. False where it is there already. */
async function makeFile(path: string, text: string): Promise<boolean> {
  if (existsSync(path)) return false
  const draft = await writeDraft(path, text)
  try {
    await link(draft, path)
    return true
  } catch (error) {
    // Another process that starts at the same time was faster: its key is the key.
    if ((error as { code?: string }).code !== 'EEXIST') throw error
    return false
  } finally {
    await rm(draft, { force: true })
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  await rename(await writeDraft(path, text), path)
}

async function writeDraft(path: string, text: string): Promise<string> {
  const draft = `${path}.new-${randomUUID()}`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true })
  return draft
}

/** Throws `VaultError` with a sentence for the operator. */
export function parseMasterKeys(text: string): MasterKey[] {
  const keys = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => {
      const [kid = '', encoded = ''] = item.split(':')
      const key = Buffer.from(encoded, 'base64')
      if (!/^[A-Za-z0-9_-]{1,8}$/.test(kid) || key.length !== 32)
        throw new VaultError('MASTER_KEY must be kid:base64, with a kid of 1–8 letters or digits and 32 bytes of key')
      return { kid, key }
    })
  const repeated = keys.find(({ kid }, index) => keys.findIndex((other) => other.kid === kid) !== index)
  if (repeated !== undefined)
    throw new VaultError(`MASTER_KEY names "${repeated.kid}" twice; each key has a kid of its own`)
  return keys
}

function additionalData(place: Place): Buffer {
  return Buffer.from([place.appId, place.table, place.row, place.column].join('\0'))
}

function dataKeyPlace(appId: AppId): Buffer {
  return additionalData({ appId, table: 'data_keys', row: appId, column: 'sealed' })
}

function seal(key: Buffer, kid: string, aad: Buffer, plain: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(aad)
  const head = Buffer.alloc(1 + kidBytes)
  head[0] = formatVersion
  head.write(kid, 1, 'ascii')
  return Buffer.concat([head, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function open(key: Buffer, aad: Buffer, sealed: Buffer): Buffer {
  const start = 1 + kidBytes
  if (sealed.length < start + nonceBytes + tagBytes || sealed[0] !== formatVersion)
    throw new VaultError('not a sealed value')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(start, start + nonceBytes))
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(start + nonceBytes, sealed.length - tagBytes)),
      decipher.final(),
    ])
  } catch (error) {
    throw new VaultError('a sealed value does not open here', { cause: error })
  }
}
