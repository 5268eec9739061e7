// Keeps what must be readable again, so that a stolen dump opens nothing: each application has a key, which the master keys seal.
import { randomBytes } from 'node:crypto'

import type { AppId } from '../../../core/ids.ts'
import { Database, type Transaction } from '../database/database.ts'
import { listAppIds } from '../database/maintenance.ts'
import { sql } from '../database/sql.ts'
import type { MasterKey, MasterKeys } from './masterKeys.ts'
import { open, type Place, seal, VaultError } from './sealing.ts'

type SealedKey = { readonly sealed: Buffer; readonly kid: string }

/** Any number that nothing else in this database locks. */
const keyLock = 7_203_483

export class Vault {
  readonly #masterKeys: MasterKeys
  readonly #dataKeys = new Map<AppId, Buffer>()

  constructor(masterKeys: MasterKeys) {
    this.#masterKeys = masterKeys
  }

  /** False before anything was sealed, where no key is set. */
  get hasMasterKey(): boolean {
    return !this.#masterKeys.isEmpty
  }

  /**
   * Makes a key that seals from now on; the others still open. Answers its kid. Whatever was sealed before under another key
   * stands in the database when this returns, and nothing is after it. Throws `VaultError` where the keys are in MASTER_KEY.
   */
  addMasterKey(database: Database): Promise<string> {
    return aloneWithKeys(database, () => this.#masterKeys.addFirst().kid)
  }

  /** Throws `VaultError` unless the application's data key opens; an application without secrets has none. */
  async check(transaction: Transaction): Promise<void> {
    const row = await readSealedKey(transaction)
    if (row !== undefined) this.#openDataKey(transaction.appId, row)
  }

  /** Under the application's own data key, which is made where it has none yet. */
  async seal(transaction: Transaction, place: Place, text: string): Promise<Buffer> {
    const { appId } = transaction
    const key =
      this.#dataKeys.get(appId) ?? (await this.#readDataKey(transaction)) ?? (await this.#makeDataKey(transaction))
    return seal(key, 'data', place, Buffer.from(text, 'utf8'))
  }

  /** `from`: where the data key is read if it is not known yet. Throws `VaultError`. */
  async open(from: Transaction | Database, place: Place, sealed: Buffer): Promise<string> {
    const { appId } = place
    const read = (transaction: Transaction) => this.#readDataKey(transaction)
    const key =
      this.#dataKeys.get(appId) ?? (await (from instanceof Database ? from.transaction(appId, read) : read(from)))
    if (key === undefined) throw new VaultError('the application has no key, so nothing of it is sealed')
    return open(key, place, sealed).toString('utf8')
  }

  /** Seals the data key of the application again under the first master key; repeating it changes nothing. */
  async rotate(transaction: Transaction): Promise<boolean> {
    const { appId } = transaction
    const [row] = await transaction.query<SealedKey>(sql`
      select sealed, kid from openslot.data_keys where app_id = ${appId} for update`)
    if (row === undefined) return false
    const { dataKey, masterKey } = this.#openDataKey(appId, row)
    const first = this.#masterKeys.first()
    if (row.kid === first.kid && masterKey.key.equals(first.key)) return false
    await transaction.query(sql`
      update openslot.data_keys set kid = ${first.kid}, sealed = ${seal(first.key, first.kid, dataKeyPlace(appId), dataKey)}
      where app_id = ${appId}`)
    return true
  }

  async #readDataKey(transaction: Transaction): Promise<Buffer | undefined> {
    const row = await readSealedKey(transaction)
    if (row === undefined) return undefined
    const { dataKey } = this.#openDataKey(transaction.appId, row)
    if (!row.isOwn) this.#dataKeys.set(transaction.appId, dataKey)
    return dataKey
  }

  async #makeDataKey(transaction: Transaction): Promise<Buffer> {
    const { appId } = transaction
    // Until this commits nobody changes what the first key is, so none is sealed under one that was just replaced.
    await transaction.query(sql`select pg_advisory_xact_lock_shared(${keyLock})`)
    const first = this.#masterKeys.first()
    await transaction.query(sql`
      insert into openslot.data_keys (app_id, sealed, kid)
      values (${appId}, ${seal(first.key, first.kid, dataKeyPlace(appId), randomBytes(32))}, ${first.kid}) on conflict do nothing`)
    // Another transaction may have been faster.
    const row = await readSealedKey(transaction)
    if (row === undefined) throw new VaultError('the data key vanished')
    return this.#openDataKey(appId, row).dataKey
  }

  /** Kids are only names: what the key of that name does not open, another one may. */
  #openDataKey(appId: AppId, row: SealedKey): { dataKey: Buffer; masterKey: MasterKey } {
    const opened =
      this.#tryToOpen(appId, row) ?? (this.#masterKeys.readAgain() ? this.#tryToOpen(appId, row) : undefined)
    if (opened !== undefined) return opened
    throw new VaultError(this.#masterKeys.has(row.kid) ? otherKey(row.kid) : missingKey(row.kid))
  }

  #tryToOpen(appId: AppId, { kid, sealed }: SealedKey) {
    for (const masterKey of this.#masterKeys.toOpen(kid))
      try {
        return { dataKey: open(masterKey.key, dataKeyPlace(appId), sealed), masterKey }
      } catch (error) {
        if (!(error instanceof VaultError)) throw error
      }
    return undefined
  }
}

/**
 * Refuses a start whose keys do not open what is stored: throws `VaultError` with a sentence that says which key is missing.
 * Row security hides other applications, so it asks each application in turn.
 */
export async function checkMasterKeys(database: Database, vault: Vault): Promise<void> {
  for (const appId of await listAppIds(database)) await database.read(appId, (transaction) => vault.check(transaction))
}

/** `isOwn`: this very transaction has written it, so a rollback takes it along. */
async function readSealedKey(transaction: Transaction): Promise<(SealedKey & { isOwn: boolean }) | undefined> {
  const [row] = await transaction.query<SealedKey & { isOwn: boolean }>(sql`
    select sealed, kid, coalesce(xmin = pg_current_xact_id_if_assigned()::xid, false) as "isOwn"
    from openslot.data_keys where app_id = ${transaction.appId}`)
  return row
}

/** While nobody makes a data key or a master key. A process that dies lets go. */
async function aloneWithKeys<T>(database: Database, work: () => T): Promise<T> {
  const client = await database.pool.connect()
  let failure: Error | undefined
  try {
    await client.query('begin; set local lock_timeout = 0; set local statement_timeout = 0')
    await client.query('select pg_advisory_xact_lock($1)', [keyLock])
    const value = work()
    await client.query('commit')
    return value
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    // A connection in the middle of a transaction is closed, and the lock with it.
    client.release(failure)
  }
}

function missingKey(kid: string): string {
  return `Secrets in the database are sealed under master key "${kid}", which MASTER_KEY and the data directory lack.`
}

function otherKey(kid: string): string {
  return (
    `Secrets in the database do not open with master key "${kid}": they are sealed under another key of that name. ` +
    'Bring that one back; the one that is here may stand behind it under another name.'
  )
}

function dataKeyPlace(appId: AppId): Place {
  return { appId, table: 'data_keys', row: appId, column: 'sealed' }
}
