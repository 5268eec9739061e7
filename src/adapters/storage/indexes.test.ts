/** What row security makes of indexes: whatever might tell something of a hidden row is asked after it, and of no index. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts'
import type { AppId } from '../../core/ids.ts'
import { instant } from '../../core/time/instant.ts'
import { insertApplication } from './accounts.ts'
import { Database, type Transaction } from './database/database.ts'
import type { Sql } from './database/sql.ts'
import { findGrant, findGrantsByEmail } from './grants.ts'
import { blankGuestData } from './guestData.ts'
import { findHostGrants } from './hosts.ts'
import { serverRole } from './migrations/migrations.ts'

let test: TestDatabase
let database: Database
let appId: AppId

beforeAll(async () => {
  test = await createTestDatabase()
  database = new Database({ connection: { ...test.connection, user: serverRole }, poolSize: 2, role: serverRole })
  appId = (await insertApplication(database, 'one')).id
  const owner = new Database({ connection: test.connection, poolSize: 1 })
  await owner.pool.query(`
    begin; set local app.id = '${appId}';
    insert into openslot.configurations (app_id, id, grant_id, document) values ('${appId}', '${appId}', '${appId}', '{}');
    insert into openslot.grants (app_id, id, provider, email)
      select '${appId}', gen_random_uuid(), 'virtual-calendar', 'Host' || n || '@host.example' from generate_series(1, 3000) as n;
    insert into openslot.bookings (app_id, id, configuration_id, organizer_salt, guest_salt, state, during, organizer_email, guest_email,
        event_id, body)
      select '${appId}', gen_random_uuid(), '${appId}', sha256(''), sha256(''), 'booked',
        tstzrange(now() - n * interval '1 hour', now() - n * interval '1 hour' + interval '30 minutes'), 'h@host.example', 'g@guest.example',
        'event' || n, '{}' from generate_series(1, 3000) as n;
    commit`)
  await owner.pool.query('analyze openslot.grants, openslot.bookings')
  await owner.close()
})
afterAll(async () => {
  await database.close()
  await test.drop()
})

/** The plan of the first statement that `work` asks, for the role and under the row security of a server. */
function planOf(work: (transaction: Transaction) => Promise<unknown>): Promise<string> {
  return database.transaction(appId, async (transaction) => {
    let plan = ''
    const query = async <Row>({ text, ...statement }: Sql): Promise<Row[]> => {
      const explained: Sql = { ...statement, text: `explain (costs off) ${text}` }
      const lines = await transaction.query<{ 'QUERY PLAN': string }>(explained)
      if (plan === '') plan = lines.map((line) => line['QUERY PLAN']).join('\n')
      return []
    }
    await work({ appId, query } as Transaction)
    return plan
  })
}

it('finds hosts by their address, whatever its case, without reading every account', async () => {
  const emails = ['host7@HOST.example', 'host8@host.example']
  for (const plan of [
    await planOf((transaction) => findHostGrants(transaction, emails, [])),
    await planOf((transaction) => findGrantsByEmail(transaction, emails)),
    await planOf((transaction) => findGrant(transaction, { by: 'email', value: emails[0] ?? '' })),
  ]) {
    expect(plan).toMatch(/Index Cond: .*email_lower = /)
    expect(plan).not.toContain('Seq Scan on grants')
  }
})

it('finds bookings that are long over without reading every booking', async () => {
  const before = instant(Date.now() - 120 * 86_400_000)
  const plan = await planOf((transaction) =>
    blankGuestData(transaction, { endedBefore: before, unchangedSince: before }),
  )
  expect(plan).toMatch(/Index Cond: .*ends_at < /)
})

it('has no index on an expression where row security would keep it from being used', async () => {
  const { rows } = await database.pool.query(`
    select index.indexrelid::regclass::text as name from pg_index as index join pg_class as class on class.oid = index.indrelid
    where class.relnamespace = 'openslot'::regnamespace and class.relrowsecurity and index.indexprs is not null`)
  expect(rows).toEqual([])
})
