import pg from 'pg'
import { afterAll, expect, test } from 'vitest'

import { createTestDatabase } from './postgres.ts'

const databases = await Promise.all([createTestDatabase(), createTestDatabase()])
afterAll(() => Promise.all(databases.map((database) => database.drop())))

async function ask(index: 0 | 1, statement: string): Promise<unknown[]> {
  const client = new pg.Client(databases[index].connection)
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

test('a test database is migrated and flushes its commits', async () => {
  expect(await ask(0, 'select count(*) > 0 as migrated from openslot.migrations')).toEqual([{ migrated: true }])
  expect(await ask(0, 'show fsync')).toEqual([{ fsync: 'on' }])
})

test('what one test database holds, another does not', async () => {
  await ask(0, 'create table only_here (id int)')
  await expect(ask(1, 'select * from only_here')).rejects.toThrow('does not exist')
})
