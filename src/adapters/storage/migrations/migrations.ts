// Brings a database to the schema this server needs, under a lock, so that several processes can start together.
import { Logger, runMigrations as migrateJobQueue } from 'graphile-worker'
import pg from 'pg'

import { type Connection, toClientConfig } from '../database/connection.ts'
import type { Queryable } from '../database/database.ts'
import { sql } from '../database/sql.ts'
import { firstSchema } from './m0001FirstSchema.ts'
import { webhooks, webhooksRows } from './m0002Webhooks.ts'
import { mailsAndReminders, mailsAndRemindersRows } from './m0003MailsAndReminders.ts'
import { notices } from './m0005Notices.ts'
import { calendarMirrors } from './m0008CalendarMirrors.ts'
import { selectiveIndexes } from './m0009SelectiveIndexes.ts'
import { interruptedMails } from './m0010InterruptedMails.ts'
import { unknownTimezones, unknownTimezonesRows } from './m0012UnknownTimezones.ts'
import { guestData } from './m0013GuestData.ts'
import { mirrorReasons, mirrorReasonsRows } from './m0014MirrorReasons.ts'
import { turnsInAnyCase } from './m0015TurnsInAnyCase.ts'
import { keysAndAddresses } from './m0017KeysAndAddresses.ts'
import { rateCounts } from './m0018RateCounts.ts'
import { indexesInUse } from './m0021IndexesInUse.ts'
import { activeCredentials } from './m0023ActiveCredentials.ts'
import { boundedReads, boundedReadsRows } from './m0026BoundedReads.ts'

type Migration = {
  readonly name: string
  readonly statements: string
  /** Those of its statements that change rows which are there: a backup from before brings such rows too. */
  readonly rows?: string
}

/** Append only: a released migration is never edited. */
const migrations: readonly Migration[] = [
  { name: '0001 first schema', statements: firstSchema },
  { name: '0002 webhooks', statements: webhooks, rows: webhooksRows },
  { name: '0003 mails and reminders', statements: mailsAndReminders, rows: mailsAndRemindersRows },
  { name: '0005 notices', statements: notices },
  { name: '0008 calendar mirrors', statements: calendarMirrors },
  { name: '0009 selective indexes', statements: selectiveIndexes },
  { name: '0010 interrupted mails', statements: interruptedMails },
  { name: '0012 unknown time zones', statements: unknownTimezones, rows: unknownTimezonesRows },
  { name: '0013 guest data', statements: guestData },
  { name: '0014 mirror reasons', statements: mirrorReasons, rows: mirrorReasonsRows },
  { name: '0015 turns in any case', statements: turnsInAnyCase },
  { name: '0017 keys and addresses', statements: keysAndAddresses },
  { name: '0018 rate counts', statements: rateCounts },
  { name: '0021 indexes in use', statements: indexesInUse },
  { name: '0023 active credentials', statements: activeCredentials },
  { name: '0026 bounded reads', statements: boundedReads, rows: boundedReadsRows },
]

/** The role that the server takes on: it owns no table, so row security binds it and the audit log is append-only. */
export const serverRole = 'openslot_app'

/** Any number of processes may call this together; each returns when the schema is complete. */
const migrationLock = 7_203_481

/**
 * Applies what is missing, as the owner of the database; answers the names applied, and whether the role exists.
 * Throws what PostgreSQL says, and a plain sentence for a server older than 15 or a schema newer than this program.
 */
export async function migrate(connection: Connection): Promise<{ applied: string[]; hasServerRole: boolean }> {
  const address = toClientConfig(connection)
  const client = new pg.Client({ ...address, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    await refuseOldServer(client)
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    const applied = await applyMissing(client)
    // graphile-worker keeps its tables in a schema of its own and takes its own care of versions.
    await migrateJobQueue({ pgPool: poolOfOne(connection), logger: quietLogger })
    const hasServerRole = await grantServerRole(client)
    return { applied, hasServerRole }
  } finally {
    await client.end()
  }
}

async function refuseOldServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string }>('show server_version_num')
  if (Number(rows[0]?.server_version_num) < 150_000)
    throw new Error('OpenSlot needs PostgreSQL 15 or newer; the server at DATABASE_URL is older.')
}

async function applyMissing(client: pg.Client): Promise<string[]> {
  await client.query('create schema if not exists openslot')
  await client.query(
    'create table if not exists openslot.migrations (name text primary key, applied_at timestamptz not null default now())',
  )
  const { rows } = await client.query<{ name: string }>('select name from openslot.migrations')
  const done = new Set(rows.map((row) => row.name))
  const unknown = [...done].filter((name) => !migrations.some((migration) => migration.name === name))
  if (unknown.length > 0)
    throw new Error(`This database was written by a newer OpenSlot (${unknown.join(', ')}); start that version.`)
  const applied: string[] = []
  for (const migration of migrations) {
    if (done.has(migration.name)) continue
    await applyInTurn(client, migration)
    applied.push(migration.name)
  }
  return applied
}

const deadlock = '40P01'

/** Processes that still serve hold locks in orders of their own: whoever is chosen to give way begins again, as they do. */
async function applyInTurn(client: pg.Client, { name, statements }: Migration): Promise<void> {
  for (;;)
    try {
      await client.query('begin')
      await client.query(statements)
      await client.query('insert into openslot.migrations (name) values ($1)', [name])
      await client.query('commit')
      return
    } catch (error) {
      if ((error as { code?: string }).code !== deadlock) throw error
      await client.query('rollback')
    }
}

/** Does to rows that were written under a schema with `applied` alone what the later migrations would have done to them. */
export async function catchUpRows(client: pg.ClientBase, applied: readonly string[]): Promise<void> {
  for (const { name, rows } of migrations) if (rows !== undefined && !applied.includes(name)) await client.query(rows)
}

/**
 * Makes the non-owning role and gives it what the server needs. A login that may not make roles serves as itself:
 * row security is forced on the owner too, so the second lock on tenants stands there as well.
 */
async function grantServerRole(client: pg.Client): Promise<boolean> {
  try {
    await client.query(`
      do $$ begin
        if not exists (select from pg_roles where rolname = '${serverRole}') then create role ${serverRole} login; end if;
      exception when duplicate_object or unique_violation then null; end $$`)
    await client.query(`
      grant usage on schema openslot, graphile_worker to ${serverRole};
      grant select, insert, update, delete on all tables in schema openslot, graphile_worker to ${serverRole};
      grant usage, select on all sequences in schema graphile_worker to ${serverRole};
      grant execute on all functions in schema graphile_worker to ${serverRole};
      grant execute on function openslot.blank_audit_addresses to ${serverRole};
      revoke update, delete on openslot.audit_log from ${serverRole};
      revoke insert, update, delete on openslot.migrations from ${serverRole};`)
    await openJobQueue(client)
    await client.query(`begin; set local role ${serverRole}; rollback`)
    return true
  } catch (error) {
    await client.query('rollback').catch(() => {})
    if ((error as { code?: string }).code === '42501') return false
    throw error
  }
}

/** graphile-worker closes its tables to everyone but their owner; the server's role is not the owner, and works with them. */
async function openJobQueue(client: pg.Client): Promise<void> {
  await client.query(`
    do $$ declare name text; begin
      for name in
        select relname from pg_class where relnamespace = 'graphile_worker'::regnamespace and relkind = 'r' and relrowsecurity
          and not exists (select from pg_policy where polrelid = pg_class.oid and polname = 'openslot_server')
      loop
        execute format('create policy openslot_server on graphile_worker.%I to ${serverRole} using (true) with check (true)', name);
      end loop;
    end $$`)
}

/** What a database still lacks, and what it has that this program does not know; both by name. */
export async function compareMigrations(database: Queryable): Promise<{ missing: string[]; unknown: string[] }> {
  const done = await listMigrations(database)
  const known = migrations.map(({ name }) => name)
  return {
    missing: known.filter((name) => !done.includes(name)),
    unknown: done.filter((name) => !known.includes(name)),
  }
}

/** The names of the migrations that were applied, oldest first. */
export async function listMigrations(database: Queryable): Promise<string[]> {
  const rows = await database.query<{ name: string }>(sql`select name from openslot.migrations order by name`)
  return rows.map(({ name }) => name)
}

const quietLogger = new Logger(() => () => {})

function poolOfOne(connection: Connection): pg.Pool {
  const pool = new pg.Pool({
    ...toClientConfig(connection),
    max: 1,
    idleTimeoutMillis: 100,
  })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}
