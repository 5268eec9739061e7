import { randomBytes } from 'node:crypto'

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts'
import type { AppId } from '../../../core/ids.ts'
import { failure } from '../../../core/result.ts'
import { insertApplication } from '../accounts.ts'
import { Database, type Transaction } from '../database/database.ts'
import { type Sql, sql } from '../database/sql.ts'
import { loadMasterKeys, type MasterKey, MasterKeys } from './masterKeys.ts'
import { checkMasterKeys, Vault } from './vault.ts'

type Row = { sealed: Buffer; kid: string }

/** The table of data keys of one application, and nothing else. */
function oneApplication(row?: Row) {
  const table = { row }
  const query = async ({ text, values }: Sql): Promise<unknown[]> => {
    if (text.includes('insert into')) table.row ??= { sealed: values[1] as Buffer, kid: values[2] as string }
    else if (text.trim().startsWith('update')) table.row = { kid: values[0] as string, sealed: values[1] as Buffer }
    return table.row === undefined ? [] : [table.row]
  }
  return {
    table,
    transaction: { appId: '01900000-0000-7000-8000-000000000001' as AppId, query } as unknown as Transaction,
  }
}

const key = (kid: string): MasterKey => ({ kid, key: randomBytes(32) })
const vaultOf = (keys: MasterKey[]) => new Vault(new MasterKeys(keys))
const { transaction } = oneApplication()
const place = { appId: transaction.appId, table: 'connectors', row: 'google', column: 'secret_sealed' }

describe('a sealed value', () => {
  const vault = vaultOf([key('a')])

  it('opens where it was sealed', async () => {
    expect(await vault.open(transaction, place, await vault.seal(transaction, place, 'héllo'))).toBe('héllo')
  })

  it.each(['table', 'row', 'column', 'appId'])('does not open under another %s', async (part) => {
    const sealed = await vault.seal(transaction, place, 'secret')
    await expect(vault.open(transaction, { ...place, [part]: 'other' }, sealed)).rejects.toThrow('does not open here')
  })

  it('does not open with any byte flipped, but for the name of its key', async () => {
    const sealed = await vault.seal(transaction, place, 'secret')
    for (let index = 0; index < sealed.length; index++) {
      if (index >= 1 && index <= 8) continue
      const changed = Buffer.from(sealed)
      changed[index] = (changed[index] ?? 0) ^ 1
      await expect(vault.open(transaction, place, changed)).rejects.toThrow()
    }
    await expect(vault.open(transaction, place, sealed.subarray(0, 20))).rejects.toThrow('not a sealed value')
  })

  it('never has a nonce twice', async () => {
    const nonces = new Set<string>()
    for (let index = 0; index < 100_000; index++)
      nonces.add((await vault.seal(transaction, place, '')).subarray(9, 21).toString('latin1'))
    expect(nonces.size).toBe(100_000)
  })
})

describe('master keys', () => {
  it('open what an earlier first key sealed; rotating seals it under the first, once', async () => {
    const [old, fresh] = [key('old'), key('new')]
    const application = oneApplication()
    const sealed = await vaultOf([old]).seal(application.transaction, place, 'secret')
    const both = vaultOf([fresh, old])
    expect(await both.open(application.transaction, place, sealed)).toBe('secret')
    expect(await both.rotate(application.transaction)).toBe(true)
    expect(application.table.row?.kid).toBe('new')
    expect(await both.rotate(application.transaction)).toBe(false)
    expect(await vaultOf([fresh]).open(application.transaction, place, sealed)).toBe('secret')
    await expect(vaultOf([old]).open(application.transaction, place, sealed)).rejects.toThrow(
      'sealed under master key "new"',
    )
  })

  it('of the same name but other bytes do not open', async () => {
    const application = oneApplication()
    await vaultOf([key('same')]).seal(application.transaction, place, 'secret')
    await expect(vaultOf([key('same')]).check(application.transaction)).rejects.toThrow(
      'do not open with master key "same": they are sealed under another key of that name',
    )
  })

  it('open under whatever name they stand: what two keys of one name have sealed can be told apart and sealed anew', async () => {
    const [one, other] = [key('same'), key('same')]
    const applications = [one, other].map((masterKey) => ({ masterKey, application: oneApplication() }))
    const renamed = vaultOf([{ ...other, kid: 'other' }, one])
    for (const { masterKey, application } of applications) {
      const sealed = await vaultOf([masterKey]).seal(application.transaction, place, 'secret')
      await renamed.check(application.transaction)
      expect(await renamed.rotate(application.transaction)).toBe(true)
      expect(await renamed.rotate(application.transaction)).toBe(false)
      expect(application.table.row?.kid).toBe('other')
      expect(await vaultOf([{ ...other, kid: 'other' }]).open(application.transaction, place, sealed)).toBe('secret')
    }
  })

  it('that are first under the name of another one seal again what that one has sealed', async () => {
    const [old, fresh] = [key('k1'), key('k1')]
    const application = oneApplication()
    const sealed = await vaultOf([old]).seal(application.transaction, place, 'secret')
    expect(await vaultOf([fresh, { ...old, kid: 'old' }]).rotate(application.transaction)).toBe(true)
    expect(await vaultOf([fresh]).open(application.transaction, place, sealed)).toBe('secret')
  })
})

describe('in the database', () => {
  let testDatabase: TestDatabase
  let database: Database
  let appId: AppId

  beforeAll(async () => {
    testDatabase = await createTestDatabase()
    database = new Database({ connection: testDatabase.connection, poolSize: 6 })
  })
  afterAll(async () => {
    await database.close()
    await testDatabase.drop()
  })

  /** An application, and the keys of a data directory of its own as a server and a command hold them. */
  async function setUp() {
    const directory = mkdtempSync(join(tmpdir(), 'openslot-keys-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'master.key')
    const { id } = await insertApplication(database, 'test')
    appId = id
    const open = () => new Vault(loadMasterKeys(undefined, directory, () => {}))
    return { file, open, appId }
  }
  const sealFor = (vault: Vault) => (transaction: Transaction) =>
    vault.seal(transaction, { ...place, appId: transaction.appId }, 'secret')
  const kidOf = async (id: AppId) => {
    const [row] = await database.read(id, (transaction) =>
      transaction.query<{ kid: string }>(sql`select kid from openslot.data_keys where app_id = ${id}`),
    )
    return row?.kid
  }
  const waiting = async () =>
    (
      await database.pool.query(
        `select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`,
      )
    ).rowCount

  it('a key that was made in a transaction that rolled back seals nothing later, however often it was used there', async () => {
    const { open } = await setUp()
    const server = open()
    await database.transaction(appId, async (transaction) => {
      for (let times = 0; times < 3; times++) await sealFor(server)(transaction)
      return failure({ kind: 'conflict', message: 'no' })
    })
    expect(await kidOf(appId)).toBeUndefined()
    const sealed = await database.transaction(appId, sealFor(server))
    expect(await open().open(database, { ...place, appId }, sealed)).toBe('secret')
  })

  it('two that seal first at the same time share one key', async () => {
    const { open } = await setUp()
    const vaults = [open(), open()]
    const values = await Promise.all(vaults.map((vault) => database.transaction(appId, sealFor(vault))))
    for (const sealed of values) expect(await open().open(database, { ...place, appId }, sealed)).toBe('secret')
  })

  it('a server that runs seals under the new key, and goes on where the old one was taken out of the file', async () => {
    const { file, open } = await setUp()
    const [server, command] = [open(), open()]
    const first = { appId, sealed: await database.transaction(appId, sealFor(server)) }
    await setUp()
    const kid = await command.addMasterKey(database)
    const second = { appId, sealed: await database.transaction(appId, sealFor(server)) }
    expect(await kidOf(second.appId)).toBe(kid)
    expect(await kidOf(first.appId)).not.toBe(kid)

    // Too early: the first application has not been sealed again.
    writeFileSync(file, readFileSync(file, 'utf8').split(',')[0] ?? '')
    await setUp()
    const third = { appId, sealed: await database.transaction(appId, sealFor(server)) }
    expect(await kidOf(third.appId)).toBe(kid)
    for (const { appId, sealed } of [first, second, third])
      expect(await server.open(database, { ...place, appId }, sealed)).toBe('secret')
    await expect(database.read(first.appId, (transaction) => open().check(transaction))).rejects.toThrow(
      'which MASTER_KEY',
    )
    expect(await database.transaction(first.appId, (transaction) => server.rotate(transaction))).toBe(true)
    for (const { appId, sealed } of [first, second, third])
      expect(await open().open(database, { ...place, appId }, sealed)).toBe('secret')
  })

  it('a new key waits for who is about to seal under the old one, so that sealing again leaves nothing out', async () => {
    const { open } = await setUp()
    const [server, command] = [open(), open()]
    let added: Promise<string> | undefined
    await database.transaction(appId, async (transaction) => {
      await sealFor(server)(transaction)
      added = command.addMasterKey(database)
      await expect.poll(waiting).toBe(1)
    })
    const kid = await added
    expect(await kidOf(appId)).not.toBe(kid)
    expect(await database.transaction(appId, (transaction) => command.rotate(transaction))).toBe(true)
    expect(await kidOf(appId)).toBe(kid)
  })

  it('nothing is sealed under a key that stands in no file', async () => {
    const { file, open } = await setUp()
    const server = open()
    await database.transaction(appId, sealFor(server))
    rmSync(file)
    await setUp()
    await expect(database.transaction(appId, sealFor(server))).rejects.toThrow('is gone; bring it back')
    expect(await kidOf(appId)).toBeUndefined()
  })

  it('a check of all applications names a key that is missing, and one that only has the name', async () => {
    const { open } = await setUp()
    const own = new Database({ connection: testDatabase.connection, poolSize: 1 })
    await own.query(sql`delete from openslot.data_keys`)
    await database.transaction(appId, sealFor(vaultOf([key('a')])))
    await expect(checkMasterKeys(own, vaultOf([key('a')]))).rejects.toThrow('another key of that name')
    await expect(checkMasterKeys(own, open())).rejects.toThrow('sealed under master key "a", which')
    await own.close()
  })
})
