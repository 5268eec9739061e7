// Seals what must be readable again, so that a stolen dump opens nothing: envelope encryption with AES-256-GCM.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { AppId } from '../../core/ids.ts'
import type { Database, Transaction } from './database.ts'
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

export class Vault {
  readonly #masterKeys: readonly MasterKey[]
  readonly #dataKeys = new Map<AppId, Buffer>()

  /** The first key seals, all open. Throws for an empty list: nothing is ever kept in plain text. */
  constructor(masterKeys: readonly MasterKey[]) {
    if (masterKeys.length === 0) throw new VaultError('no master key')
    this.#masterKeys = masterKeys
  }

  /** `version ‖ kid ‖ nonce ‖ ciphertext ‖ tag`, under the application's own data key. */
  async seal(transaction: Transaction, place: Place, text: string): Promise<Buffer> {
    return seal(await this.#dataKey(transaction), 'data', additionalData(place), Buffer.from(text, 'utf8'))
  }

  /** Throws `VaultError`. */
  async open(transaction: Transaction, place: Place, sealed: Buffer): Promise<string> {
    return open(await this.#dataKey(transaction), additionalData(place), sealed).toString('utf8')
  }

  /** Seals the data keys of `appId` again under the first master key; repeating it changes nothing. */
  async rotate(transaction: Transaction): Promise<boolean> {
    const [row] = await transaction.query<{ sealed: Buffer; kid: string }>(sql`
      select sealed, kid from openslot.data_keys where app_id = ${transaction.appId} for update`)
    const current = this.#first()
    if (row === undefined || row.kid === current.kid) return false
    const key = open(this.#masterKey(row.kid).key, dataKeyPlace(transaction.appId), row.sealed)
    await transaction.query(sql`
      update openslot.data_keys set kid = ${current.kid}, sealed = ${seal(current.key, current.kid, dataKeyPlace(transaction.appId), key)}
      where app_id = ${transaction.appId}`)
    return true
  }

  async #dataKey(transaction: Transaction): Promise<Buffer> {
    const { appId } = transaction
    const kept = this.#dataKeys.get(appId)
    if (kept !== undefined) return kept
    const current = this.#first()
    const made = seal(current.key, current.kid, dataKeyPlace(appId), randomBytes(32))
    await transaction.query(sql`
      insert into openslot.data_keys (app_id, sealed, kid) values (${appId}, ${made}, ${current.kid}) on conflict do nothing`)
    const [row] = await transaction.query<{ sealed: Buffer; kid: string }>(sql`
      select sealed, kid from openslot.data_keys where app_id = ${appId}`)
    if (row === undefined) throw new VaultError('the data key vanished')
    const key = open(this.#masterKey(row.kid).key, dataKeyPlace(appId), row.sealed)
    // A transaction that rolls back takes a new data key with it, so only one that stood before is kept.
    if (!row.sealed.equals(made)) this.#dataKeys.set(appId, key)
    return key
  }

  #first(): MasterKey {
    const [first] = this.#masterKeys
    if (first === undefined) throw new VaultError('no master key')
    return first
  }

  #masterKey(kid: string): MasterKey {
    const found = this.#masterKeys.find((candidate) => candidate.kid === kid)
    if (found === undefined) throw new VaultError(`secrets are sealed under master key "${kid}", which is not in MASTER_KEY`)
    return found
  }
}

/**
 * Refuses a start whose keys cannot open what is stored, naming the missing key.
 * Row security hides other applications, so it asks each application in turn.
 */
export async function checkMasterKeys(database: Database, masterKeys: readonly MasterKey[]): Promise<void> {
  for (const { appId } of await database.query<{ appId: AppId }>(sql`select app_id as "appId" from openslot.applications`)) {
    const [row] = await database.transaction(appId, (transaction) =>
      transaction.query<{ kid: string }>(sql`select kid from openslot.data_keys where app_id = ${appId}`),
    )
    if (row !== undefined && !masterKeys.some(({ kid }) => kid === row.kid))
      throw new VaultError(`Secrets in the database are sealed under master key "${row.kid}", which MASTER_KEY and the data directory lack.`)
  }
}

/** Reads `kid:base64` pairs; without them the key file of the data directory, which is made at the first start. */
export async function loadMasterKeys(
  setting: string | undefined,
  dataDirectory: string,
): Promise<{ keys: readonly MasterKey[]; madeFile: string | undefined }> {
  if (setting !== undefined) return { keys: parseMasterKeys(setting), madeFile: undefined }
  const file = join(dataDirectory, 'master.key')
  try {
    return { keys: parseMasterKeys(await readFile(file, 'utf8')), madeFile: undefined }
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
  }
  await mkdir(dataDirectory, { recursive: true })
  const text = `k${randomBytes(3).toString('hex')}:${randomBytes(32).toString('base64')}\n`
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    // Another process that starts at the same time was faster: its key is the key.
    if ((error as { code?: string }).code !== 'EEXIST') throw error
    return { keys: parseMasterKeys(await readFile(file, 'utf8')), madeFile: undefined }
  }
  await chmod(file, 0o600)
  return { keys: parseMasterKeys(text), madeFile: file }
}

/** Throws `VaultError` with a sentence for the operator. */
export function parseMasterKeys(text: string): MasterKey[] {
  return text
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
  if (sealed.length < start + nonceBytes + tagBytes || sealed[0] !== formatVersion) throw new VaultError('not a sealed value')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(start, start + nonceBytes))
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(start + nonceBytes, sealed.length - tagBytes)), decipher.final()])
  } catch (error) {
    throw new VaultError('a sealed value does not open here', { cause: error })
  }
}
