/** Backups that older programs wrote. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { createTestDatabase } from '../../../test/support/postgres.ts'
import { backUp } from './backup.ts'
import { Database } from './database/database.ts'
import { restore } from './restore.ts'
import { MasterKeys } from './secrets/masterKeys.ts'
import { Vault } from './secrets/vault.ts'

const vault = new Vault(new MasterKeys([{ kid: 'k1', key: Buffer.alloc(32, 1) }]))

async function openDatabase(): Promise<Database> {
  const { connection, drop } = await createTestDatabase()
  const database = new Database({ connection, poolSize: 2 })
  onTestFinished(async () => {
    await database.close()
    await drop()
  })
  return database
}

/** As it was before the migration `first`, with what it lacked then. */
function age(file: string, first: string, lacking: Readonly<Record<string, readonly string[]>>): void {
  const [head = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
  const header = JSON.parse(head)
  header.migrations = header.migrations.filter((name: string) => name < first)
  for (const [table, columns] of Object.entries(lacking))
    header.columns[table] = header.columns[table].filter((column: string) => !columns.includes(column))
  writeFileSync(file, [JSON.stringify(header), ...lines, ''].join('\n'))
}

it('restores what was written under an older schema as an upgrade would have left it', async () => {
  const [source, target] = [await openDatabase(), await openDatabase()]
  const [appId, grantId] = [randomUUID(), randomUUID()]
  await source.pool.query(`
    begin; set local app.id = '${appId}';
    insert into openslot.applications (app_id, code, name) values ('${appId}', 'abcdef01', 'One');
    insert into openslot.grants (app_id, id, provider, email) values ('${appId}', '${grantId}', 'caldav', 'ada@host.example');
    insert into openslot.calendars (app_id, grant_id, id, name, timezone) values
      ('${appId}', '${grantId}', 'two', 'Two', 'UTC'), ('${appId}', '${grantId}', 'one', 'One', 'Europe/Paris'),
      ('${appId}', '${grantId}', 'ours', 'Ours', 'UTC');
    insert into openslot.mirrors (app_id, grant_id, calendar_id, reason, token, true_at) values
      ('${appId}', '${grantId}', 'two', E'an event cannot be read\\nDentist', 'then', now()),
      ('${appId}', '${grantId}', 'one', 'it does not answer', 'then', now());
    insert into openslot.configurations (app_id, id, grant_id, document) values ('${appId}', '${appId}', '${appId}', '{}');
    insert into openslot.bookings (app_id, id, configuration_id, organizer_salt, guest_salt, state, during, organizer_email, guest_email, event_id, body)
      values ('${appId}', '${appId}', '${appId}', sha256(''), sha256(''), 'booked', tstzrange(now(), now() + interval '1 hour'),
        'h@host.example', 'g@guest.example', 'event', '{"service": {"placements": [{"key": {"grantId": "${grantId}", "calendarId": "one"}}]}}');
    commit`)
  const directory = mkdtempSync(join(tmpdir(), 'openslot-restore-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'all')
  await backUp(source, file, () => {})
  age(file, '0012', { mirrors: ['about'] })
  await restore({ database: target, vault }, file, () => {})

  const { rows: mirrors } = await target.pool.query(
    'select calendar_id, reason, about, token from openslot.mirrors order by 1',
  )
  expect(mirrors).toEqual([
    { calendar_id: 'one', reason: 'it does not answer', about: null, token: 'then' },
    { calendar_id: 'two', reason: 'an event cannot be read', about: 'Dentist', token: null },
  ])
  const { rows: calendars } = await target.pool.query('select id, timezone from openslot.calendars order by 1')
  expect(calendars).toEqual([
    { id: 'one', timezone: 'Europe/Paris' },
    { id: 'ours', timezone: 'UTC' },
    { id: 'two', timezone: null },
  ])
  const { rows: hosted } = await target.pool.query('select grant_id, booking_id from openslot.hosted_bookings')
  expect(hosted).toEqual([{ grant_id: grantId, booking_id: appId }])
})
