/** What row security makes of indexes: whatever might tell something of a hidden row is asked after it, and of no index. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts'
import type { AppId, BookingId, CalendarId, EventId, GrantId } from '../../core/ids.ts'
import { instant } from '../../core/time/instant.ts'
import { insertApplication } from './accounts.ts'
import { listAudit } from './audit.ts'
import { listBookings } from './bookingList.ts'
import { Database, type Transaction } from './database/database.ts'
import { countOldHeld } from './database/maintenance.ts'
import type { Sql } from './database/sql.ts'
import { findEvent } from './events.ts'
import { findGrant, findGrantsByEmail } from './grants.ts'
import { blankGuestData } from './guestData.ts'
import { findHostGrants } from './hosts.ts'
import { listMails } from './mails/lists.ts'
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
    insert into openslot.calendars (app_id, grant_id, id, name) select app_id, id, 'c', '' from openslot.grants;
    insert into openslot.events (app_id, grant_id, calendar_id, id, ical_uid, during, body)
      select app_id, id, 'c', 'event' || email, '', tstzrange(now(), now() + interval '1 hour'), '{}' from openslot.grants;
    insert into openslot.hosted_bookings (app_id, grant_id, created_at, booking_id)
      select app_id, gen_random_uuid(), created_at, id from openslot.bookings;
    insert into openslot.webhook_events (app_id, id, trigger, object_id, number, body)
      select app_id, id, 'booking.created', id::text, 1, '{}' from openslot.bookings;
    insert into openslot.deliveries (app_id, id, event_id, kind, booking_id, state)
      select app_id, gen_random_uuid(), case when n = 1 then id end, 'mail', id, 'done' from openslot.bookings, generate_series(1, 2) as n;
    insert into openslot.audit_log (app_id, id, at, actor, action, target)
      select app_id, id, now() - random() * interval '90 days', 'anyone', 'booking.create', id::text from openslot.bookings;
    commit`)
  await owner.pool.query('analyze')
  await owner.close()
})
afterAll(async () => {
  await database.close()
  await test.drop()
})

/** The plan of the first statement that `work` asks, for the role and under the row security of a server. */
async function planOf(work: (transaction: Transaction) => Promise<unknown>): Promise<string> {
  return (await plansOf(work))[0] ?? ''
}

/** Of each; `answer` is what the first one answers. */
function plansOf(
  work: (transaction: Transaction) => Promise<unknown>,
  answer: readonly object[] = [],
): Promise<string[]> {
  return database.transaction(appId, async (transaction) => {
    const plans: string[] = []
    const query = async <Row>({ text, ...statement }: Sql): Promise<Row[]> => {
      const explained: Sql = { ...statement, text: `explain (costs off) ${text}` }
      const lines = await transaction.query<{ 'QUERY PLAN': string }>(explained)
      plans.push(lines.map((line) => line['QUERY PLAN']).join('\n'))
      return (plans.length === 1 ? answer : []) as Row[]
    }
    await work({ appId, query } as Transaction)
    return plans
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

it('lists the bookings of a grant by its configurations and by what stands on its calendars', async () => {
  const plan = await planOf((transaction) =>
    listBookings(transaction, appId as string as GrantId, { limit: 50, after: undefined }),
  )
  expect(plan).toContain('Index Cond: ((app_id = ')
  expect(plan).toMatch(/using bookings_configuration on bookings/)
  expect(plan).toMatch(/hosted_bookings_pkey on hosted_bookings/)
  expect(plan).not.toContain('Seq Scan on bookings')
})

it('finds what belongs to one booking without reading what belongs to others', async () => {
  const bookingId = appId as string as BookingId
  const mails = await planOf((transaction) => listMails(transaction, { bookingId, limit: 50 }))
  expect(mails).toMatch(/Index Cond: .*object_id = /)
  expect(mails).toContain('deliveries_mails_alone')
  expect(mails).not.toContain('Seq Scan on deliveries')
  const audit = await planOf((transaction) => listAudit(transaction, { target: bookingId, limit: 50 }))
  expect(audit).toContain('audit_log_seldom')
  expect(audit).toMatch(/Index Cond: .*at >= .*at <= /)
  expect(audit).not.toContain('Seq Scan on audit_log')
  const held = await planOf(countOldHeld)
  expect(held).toContain('bookings_unsettled')
})

it('finds one event by its id, and not among all of its calendar', async () => {
  const key = { grantId: appId as string as GrantId, calendarId: 'c' as CalendarId }
  const plan = await planOf((transaction) => findEvent(transaction, appId, key, 'event7' as EventId))
  expect(plan).toContain('events_pkey')
})

it('blanks bookings by ids that it knows', async () => {
  const at = instant(Date.now())
  const [, bookings = ''] = await plansOf(
    (transaction) => blankGuestData(transaction, { endedBefore: at, unchangedSince: at }),
    [{ id: appId }],
  )
  expect(bookings).toMatch(/Index Cond: .*id = ANY/)
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
