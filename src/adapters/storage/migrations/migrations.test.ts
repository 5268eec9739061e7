/** A migration beside processes of an older version that still serve. */
import { randomUUID } from 'node:crypto'

import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'

import { createTestDatabase } from '../../../../test/support/postgres.ts'
import { migrate } from './migrations.ts'

const [appId, owner, host, bookingId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]

/** A database as it was before bounded reads, and connections of processes that serve from it. */
async function openOlder() {
  const { connection, drop } = await createTestDatabase()
  const [older, another] = [new pg.Client(connection), new pg.Client(connection)]
  await Promise.all([older.connect(), another.connect()])
  onTestFinished(async () => {
    await Promise.all([older.end(), another.end()])
    await drop()
  })
  await older.query(`
    delete from openslot.migrations where name = '0026 bounded reads';
    drop table openslot.hosted_bookings;
    drop index openslot.deliveries_mails_lost, openslot.deliveries_lost, openslot.audit_log_seldom;
    create index deliveries_endpoint on openslot.deliveries (endpoint_id)`)
  return { connection, older, another }
}

/** Until so many wait for a table of this database. */
async function untilWaiting(client: pg.Client, count: number): Promise<void> {
  const waiting = `
    select from pg_locks where not granted and locktype = 'relation'
      and database = (select oid from pg_database where datname = current_database())`
  await vi.waitFor(async () => expect((await client.query(waiting)).rowCount).toBe(count), { timeout: 10_000 })
}

it('a booking that an older process commits meanwhile is in the list of its host', async () => {
  const { connection, older } = await openOlder()
  const body = { service: { placements: [{ key: { grantId: host, calendarId: 'c' } }] } }
  await older.query(`
    begin; set local app.id = '${appId}';
    insert into openslot.applications (app_id, code, name) values ('${appId}', 'abcdef01', 'One');
    insert into openslot.configurations (app_id, id, grant_id, document) values ('${appId}', '${owner}', '${owner}', '{}');
    commit; begin; set local app.id = '${appId}';
    insert into openslot.bookings (app_id, id, configuration_id, organizer_salt, guest_salt, state, during, organizer_email, guest_email, event_id, body)
      values ('${appId}', '${bookingId}', '${owner}', sha256(''), sha256(''), 'booked', tstzrange(now(), now() + interval '1 hour'),
        'h@host.example', 'g@guest.example', 'event', '${JSON.stringify(body)}')`)
  const migrated = migrate(connection)
  await untilWaiting(older, 1)
  await older.query('commit')
  expect((await migrated).applied).toEqual(['0026 bounded reads'])
  const { rows } = await older.query('select grant_id, booking_id from openslot.hosted_bookings')
  expect(rows).toEqual([{ grant_id: host, booking_id: bookingId }])
})

it('a migration that a deadlock with an older process chooses to give way begins again', async () => {
  const { connection, older, another } = await openOlder()
  await another.query('begin; lock table openslot.events in access share mode')
  await older.query(`set deadlock_timeout = '1min'; begin; lock table openslot.deliveries in row exclusive mode`)
  const migrated = migrate(connection)
  await untilWaiting(another, 1)
  const late = older.query('lock table openslot.bookings in row exclusive mode; commit')
  await untilWaiting(another, 2)
  // Now the migration comes to the deliveries, and as the last to wait it is the one that looks.
  await another.query('commit')
  await late
  expect((await migrated).applied).toEqual(['0026 bounded reads'])
})
