import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import type { AppId } from '../../core/ids.ts'
import type { Transaction } from './database.ts'
import type { Sql } from './sql.ts'
import { loadMasterKeys, type MasterKey, parseMasterKeys, Vault } from './vault.ts'

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
const { transaction } = oneApplication()
const place = { appId: transaction.appId, table: 'connectors', row: 'google', column: 'secret_sealed' }

describe('a sealed value', () => {
  const vault = new Vault([key('a')])

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
    const sealed = await new Vault([old]).seal(application.transaction, place, 'secret')
    const both = new Vault([fresh, old])
    expect(await both.open(application.transaction, place, sealed)).toBe('secret')
    expect(await both.rotate(application.transaction)).toBe(true)
    expect(application.table.row?.kid).toBe('new')
    expect(await both.rotate(application.transaction)).toBe(false)
    expect(await new Vault([fresh]).open(application.transaction, place, sealed)).toBe('secret')
    await expect(new Vault([old]).open(application.transaction, place, sealed)).rejects.toThrow(
      'sealed under master key "new"',
    )
  })

  it('of the same name but other bytes do not open', async () => {
    const application = oneApplication()
    await new Vault([key('same')]).seal(application.transaction, place, 'secret')
    await expect(new Vault([key('same')]).check(application.transaction)).rejects.toThrow('does not open here')
  })

  it('are never none', () => {
    expect(() => new Vault([])).toThrow('no master key')
  })

  it.each(['', 'nokid', 'a:short', `way-too-long-kid:${Buffer.alloc(32).toString('base64')}`])(
    'are refused as %j',
    (text) => {
      if (text === '') expect(parseMasterKeys(text)).toEqual([])
      else expect(() => parseMasterKeys(text)).toThrow('MASTER_KEY must be kid:base64')
    },
  )

  it('of one name are refused, because nobody could tell which is meant', () => {
    const one = `a:${Buffer.alloc(32).toString('base64')}`
    expect(() => parseMasterKeys(`${one},${one}`)).toThrow('names "a" twice')
  })
})

describe('the key file', () => {
  const directory = async () => {
    const path = await mkdtemp(join(tmpdir(), 'openslot-keys-'))
    onTestFinished(() => rm(path, { recursive: true }))
    return path
  }

  it('is made once, for its owner alone, even when ten processes start together', async () => {
    const path = await directory()
    const loaded = await Promise.all(Array.from({ length: 10 }, () => loadMasterKeys(undefined, path)))
    expect(new Set(loaded.map(({ keys }) => keys[0]?.key.toString('hex'))).size).toBe(1)
    expect(loaded.filter(({ madeFile }) => madeFile !== undefined)).toHaveLength(1)
    expect((await stat(join(path, 'master.key'))).mode & 0o777).toBe(0o600)
  })

  it('takes a new first key that a running server then finds by itself', async () => {
    const path = await directory()
    const [running, command] = await Promise.all([loadMasterKeys(undefined, path), loadMasterKeys(undefined, path)])
    const application = oneApplication()
    const server = new Vault(running.keys, running.file)
    const rotating = new Vault(command.keys, command.file)
    const sealed = await rotating.seal(application.transaction, place, 'secret')
    const kid = await rotating.addMasterKey()
    expect(await rotating.rotate(application.transaction)).toBe(true)
    expect(await server.open(application.transaction, place, sealed)).toBe('secret')
    expect(await readFile(join(path, 'master.key'), 'utf8')).toMatch(new RegExp(`^${kid}:\\S+,k\\S+\\n$`))
  })
})
