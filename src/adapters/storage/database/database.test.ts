import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts'
import type { AppId } from '../../../core/ids.ts'
import { failure, success } from '../../../core/result.ts'
import { insertApplication } from '../accounts.ts'
import { recordAudit } from '../audit.ts'
import { migrate, serverRole } from '../migrations/migrations.ts'
import { ConstraintViolation, Database, DatabaseUnavailable } from './database.ts'
import { newId } from './ids.ts'
import { sql, together } from './sql.ts'

let test: TestDatabase
let database: Database
let appId: AppId

beforeAll(async () => {
  test = await createTestDatabase()
  database = new Database({ connection: { ...test.connection, user: serverRole }, poolSize: 4, role: serverRole })
  appId = (await insertApplication(database, 'one')).id
  await database.transaction(appId, (transaction) =>
    transaction.query(
      sql`insert into openslot.grants (app_id, id, provider, email) values (${appId}, ${newId()}, 'virtual-calendar', 'a@b.example')`,
    ),
  )
})
afterAll(async () => {
  await database.close()
  await test.drop()
})

const countGrants = sql`select count(*) as count from openslot.grants`

describe('row security', () => {
  it('shows nothing without an application, and nothing to another one', async () => {
    expect(await database.query(countGrants)).toEqual([{ count: 0 }])
    expect(await database.transaction(newId() as AppId, (transaction) => transaction.query(countGrants))).toEqual([
      { count: 0 },
    ])
    expect(await database.transaction(appId, (transaction) => transaction.query(countGrants))).toEqual([{ count: 1 }])
  })

  it('does not linger on the connection after the transaction', async () => {
    const single = new Database({ connection: { ...test.connection, user: serverRole }, poolSize: 1, role: serverRole })
    await single.transaction(appId, (transaction) => transaction.query(countGrants))
    expect(await single.query(countGrants)).toEqual([{ count: 0 }])
    await single.close()
  })

  it('lets nobody write for another application', async () => {
    const write = database.transaction(appId, (transaction) =>
      transaction.query(
        sql`insert into openslot.connectors (app_id, provider, name) values (${newId()}, 'google', 'x')`,
      ),
    )
    await expect(write).rejects.toThrow('row-level security')
  })
})

describe('the audit log', () => {
  it.each([
    sql`update openslot.audit_log set actor = 'nobody'`,
    sql`delete from openslot.audit_log`,
    sql`truncate openslot.audit_log`,
  ])('can be added to, not changed: $text', async (statement) => {
    await database.transaction(appId, (transaction) =>
      recordAudit(transaction, { actor: { name: 'test' }, action: 'x.made', target: 'x' }),
    )
    await expect(database.transaction(appId, (transaction) => transaction.query(statement))).rejects.toThrow(
      'permission denied',
    )
  })
})

describe('a transaction', () => {
  const rename = (name: string) => sql`update openslot.applications set name = ${name} where app_id = ${appId}`
  const readName = () => database.query(sql`select name from openslot.applications where app_id = ${appId}`)

  it('that answers a problem is rolled back', async () => {
    await database.transaction(appId, async (transaction) => {
      await transaction.query(rename('two'))
      return failure({ kind: 'conflict', message: 'no' })
    })
    expect(await readName()).toEqual([{ name: 'one' }])
  })

  it('that throws is rolled back, and the connection serves on', async () => {
    const broken = database.transaction(appId, async (transaction) => {
      await transaction.query(rename('two'))
      throw new Error('stop')
    })
    await expect(broken).rejects.toThrow('stop')
    expect(await readName()).toEqual([{ name: 'one' }])
  })

  it('stands once its last statement went with the commit, and not at all where that statement fails', async () => {
    const key = (name: string) => sql`
      insert into openslot.connectors (app_id, provider, name) values (${appId}, 'google', ${name}) returning provider`
    await database.transaction(appId, (transaction) => transaction.commitWith(together([key('first')])))
    const again = database.transaction(appId, async (transaction) => {
      await transaction.query(rename('two'))
      await transaction.commitWith(together([key('second')]))
    })
    await expect(again).rejects.toMatchObject({ name: 'ConstraintViolation', constraint: 'connectors_pkey' })
    expect(await readName()).toEqual([{ name: 'one' }])
    const kept = await database.transaction(appId, (transaction) =>
      transaction.query(sql`select name from openslot.connectors where app_id = ${appId} and provider = 'google'`),
    )
    expect(kept).toEqual([{ name: 'first' }])
  })

  it('that loses to a deadlock is tried again from its start', async () => {
    let attempts = 0
    const value = await database.transaction(appId, async () => {
      attempts++
      if (attempts < 3) throw Object.assign(new Error('deadlock'), { code: '40P01' })
      return success(attempts)
    })
    expect(value).toEqual(success(3))
    const always = database.transaction(appId, async () => {
      throw Object.assign(new Error('deadlock'), { code: '40P01' })
    })
    await expect(always).rejects.toThrow(DatabaseUnavailable)
  })

  it('that hits a constraint names it', async () => {
    const again = database.query(
      sql`insert into openslot.applications (app_id, code, name) values (${appId}, '00000000', 'x')`,
    )
    await expect(again).rejects.toMatchObject({ constraint: 'applications_pkey' })
    await expect(again).rejects.toBeInstanceOf(ConstraintViolation)
  })
})

describe('a reading', () => {
  it('shows what its application has, at once with the commit, and leaves nothing on the connection', async () => {
    const single = new Database({ connection: { ...test.connection, user: serverRole }, poolSize: 1, role: serverRole })
    const read = await single.read(appId, (transaction) =>
      Promise.all([transaction.query(countGrants), transaction.query(sql`select current_user::text as name`)]),
    )
    expect(read).toEqual([[{ count: 1 }], [{ name: serverRole }]])
    expect(await single.query(countGrants)).toEqual([{ count: 0 }])
    await single.close()
  })

  it('asks nothing after it has waited: it would be outside of its transaction', async () => {
    const late = database.read(appId, async (transaction) => {
      await transaction.query(countGrants)
      return transaction.query(countGrants)
    })
    await expect(late).rejects.toThrow('at once')
    expect(await database.read(appId, (transaction) => transaction.query(countGrants))).toEqual([{ count: 1 }])
  })

  it('says what failed, and its connection serves on', async () => {
    const single = new Database({ connection: test.connection, poolSize: 1 })
    const broken = single.read(appId, (transaction) =>
      Promise.all([transaction.query(sql`select * from nowhere`), transaction.query(sql`select 1 as one`)]),
    )
    await expect(broken).rejects.toThrow('nowhere')
    expect(await single.read(appId, (transaction) => transaction.query(sql`select 1 as one`))).toEqual([{ one: 1 }])
    await single.close()
  })

  it('is asked again where its connection broke', async () => {
    const single = new Database({ connection: test.connection, poolSize: 1 })
    let attempts = 0
    const read = await single.read(appId, (transaction) => {
      attempts++
      if (attempts > 1) return transaction.query(sql`select 1 as one`)
      return transaction.query(sql`select pg_terminate_backend(pg_backend_pid())`)
    })
    expect(read).toEqual([{ one: 1 }])
    expect(attempts).toBe(2)
    await single.close()
  })
})

it('a database that is away is told apart from a statement that is wrong', async () => {
  const away = new Database({ connection: { url: 'postgres://nobody@127.0.0.1:1/x' }, poolSize: 1 })
  await expect(away.query(sql`select 1`)).rejects.toThrow(DatabaseUnavailable)
  await away.close()
  await expect(database.query(sql`select * from nowhere`)).rejects.toThrow('does not exist')
})

it('a statement whose time is up is not wrong, and not tried again: the database is busy', async () => {
  let attempts = 0
  const slow = database.transaction(appId, async (transaction) => {
    attempts++
    await transaction.query(sql`set local statement_timeout = 20`)
    await transaction.query(sql`select pg_sleep(60)`)
  })
  await expect(slow).rejects.toThrow(DatabaseUnavailable)
  expect(attempts).toBe(1)
})

it('a database without room is not wrong, and not tried again', async () => {
  let attempts = 0
  const full = database.transaction(appId, (transaction) => {
    attempts++
    return transaction.query(
      sql`do $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$`,
    )
  })
  await expect(full).rejects.toMatchObject({ name: 'DatabaseUnavailable', cause: { message: 'could not extend file' } })
  expect(attempts).toBe(1)
})

it('the server role works with the job queue, although it does not own it', async () => {
  await database.transaction(appId, (transaction) =>
    transaction.query(sql`select graphile_worker.add_job('x', '{}'::json)`),
  )
  expect(await database.query(sql`select count(*) as count from graphile_worker.jobs`)).toEqual([{ count: 1 }])
})

describe('migrate', () => {
  it('has nothing to do the second time', async () => {
    expect(await migrate(test.connection)).toEqual({ applied: [], hasServerRole: true })
  })

  it('succeeds for everyone who starts together on an empty database', async () => {
    const name = `empty_${newId().replaceAll('-', '')}`
    const owner = new Database({ connection: test.connection, poolSize: 1 })
    await owner.pool.query(`create database ${name}`)
    const outcomes = await Promise.all([1, 2, 3].map(() => migrate({ ...test.connection, database: name })))
    expect(outcomes.flatMap(({ applied }) => applied)).toEqual([...new Set(outcomes.flatMap(({ applied }) => applied))])
    expect(outcomes.every(({ hasServerRole }) => hasServerRole)).toBe(true)
    await owner.pool.query(`drop database ${name} with (force)`)
    await owner.close()
  })

  it('refuses a database that a newer program wrote', async () => {
    const owner = new Database({ connection: test.connection, poolSize: 1 })
    await owner.pool.query(`insert into openslot.migrations (name) values ('9999 later')`)
    await expect(migrate(test.connection)).rejects.toThrow('This database was written by a newer OpenSlot (9999 later)')
    await owner.pool.query(`delete from openslot.migrations where name = '9999 later'`)
    await owner.close()
  })
})
