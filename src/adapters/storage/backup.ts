// Everything in the database as one file of JSON lines, as it stood at one moment.
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { PoolClient } from 'pg'

import type { AppId } from '../../core/ids.ts'
import type { Database } from './database/database.ts'
import { flushDirectory } from './durableFiles.ts'

/** Counted up when older programs could no longer read what a newer one writes. */
export const backupFormat = 1

/** Every table of the schema but the list of migrations and what is over within the hour; parents before their children. */
export const backedUpTables = [
  'applications',
  'api_keys',
  'data_keys',
  'callback_uris',
  'connectors',
  'grants',
  'access_tokens',
  'calendars',
  'mirrors',
  'mirror_items',
  'events',
  'configurations',
  'sessions',
  'bookings',
  'hosted_bookings',
  'slot_claims',
  'reconciliations',
  'webhook_endpoints',
  'webhook_events',
  'deliveries',
  'mail_attempts',
  'reminders',
  'delivery_attempts',
  'idempotency_keys',
  'audit_log',
] as const

/** The file's first line. Columns by table, so that a later schema with more of them can still read it. */
export type BackupHeader = {
  readonly backup: 'openslot'
  readonly format: number
  readonly madeAt: string
  readonly migrations: readonly string[]
  readonly columns: Readonly<Record<string, readonly string[]>>
}

/** Every line but the first: a row of a table, a job that waits, or, as the last one, how many lines there were. */
export type BackupLine =
  | { readonly table: string; readonly row: { readonly app_id?: unknown } }
  | { readonly job: object }
  | { readonly end: number }

const rowsAtOnce = 500

/** In place of a file: what is written goes to stdout, and what is read comes from stdin. */
export const standardStream = '-'

/**
 * Writes `file` (compressed where its name ends in .gz), readable by its owner only. It appears under its name when it is whole.
 * Secrets in it are sealed as they are in the database; the master key is not in it. Answers the number of rows.
 */
export async function backUp(database: Database, file: string, onRows: (count: number) => void): Promise<number> {
  const client = await database.pool.connect()
  let failure: Error | undefined
  let rows = 0
  const count = (soFar: number) => {
    rows = soFar
    onRows(soFar)
  }
  try {
    const lines = Readable.from(exportLines(client, count))
    if (file === standardStream) await pipeline(lines, process.stdout, { end: false })
    else await writeWhole(file, lines)
    return rows
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    // A connection left in the middle of a transaction is not used again.
    client.release(failure)
  }
}

async function writeWhole(file: string, lines: Readable): Promise<void> {
  const draft = `${file}.tmp`
  await rm(draft, { force: true })
  try {
    const handle = await open(draft, 'wx', 0o600)
    const target = handle.createWriteStream({ flush: true })
    if (file.endsWith('.gz')) await pipeline(lines, createGzip(), target)
    else await pipeline(lines, target)
    await rename(draft, file)
    flushDirectory(dirname(file))
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

async function* exportLines(client: PoolClient, onRows: (count: number) => void): AsyncGenerator<string> {
  await client.query('begin isolation level repeatable read read only')
  await client.query('set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0')
  const header: BackupHeader = {
    backup: 'openslot',
    format: backupFormat,
    madeAt: new Date().toISOString(),
    migrations: (await client.query<{ name: string }>('select name from openslot.migrations order by name')).rows.map(
      ({ name }) => name,
    ),
    columns: await readColumns(client),
  }
  yield `${JSON.stringify(header)}\n`
  let count = 0
  for (const appId of await listAppIds(client)) {
    // Row security shows one application at a time, whoever asks.
    await client.query(`set local app.id = '${appId}'`)
    for (const query of exportQueries(appId)) {
      await client.query(`declare export_rows no scroll cursor for ${query}`)
      for (;;) {
        const { rows } = await client.query<{ line: string }>(`fetch ${rowsAtOnce} from export_rows`)
        if (rows.length === 0) break
        count += rows.length
        onRows(count)
        yield `${rows.map(({ line }) => line).join('\n')}\n`
      }
      await client.query('close export_rows')
    }
  }
  await client.query('commit')
  yield `${JSON.stringify({ end: count } satisfies BackupLine)}\n`
}

function exportQueries(appId: AppId): string[] {
  const tables = backedUpTables.map(
    (table) =>
      `select json_build_object('table', '${table}', 'row', to_jsonb(t))::text as line from openslot.${table} t where app_id = '${appId}'`,
  )
  // Only jobs of ours: another program may keep its own in the same schema. Whether one runs right now is not kept.
  const jobs = `
    select json_build_object('job', json_build_object('identifier', task.identifier, 'payload', job.payload, 'queue', queue.queue_name,
      'runAt', job.run_at, 'maxAttempts', job.max_attempts, 'key', job.key, 'priority', job.priority))::text as line
    from graphile_worker._private_jobs job
    join graphile_worker._private_tasks task on task.id = job.task_id
    left join graphile_worker._private_job_queues queue on queue.id = job.job_queue_id
    where job.payload ->> 'appId' = '${appId}' and job.attempts < job.max_attempts`
  return [...tables, jobs]
}

async function listAppIds(client: PoolClient): Promise<AppId[]> {
  const { rows } = await client.query<{ id: AppId }>(`
    select app_id as id from openslot.applications union select app_id from openslot.audit_log order by id`)
  return rows.map(({ id }) => id)
}

/** What can be written: generated columns make themselves. */
export async function readColumns(client: PoolClient): Promise<Record<string, string[]>> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(`
    select table_name as table, array_agg(column_name::text order by ordinal_position) as columns
    from information_schema.columns where table_schema = 'openslot' and is_generated = 'NEVER' and table_name <> 'migrations'
    group by table_name`)
  return Object.fromEntries(rows.map(({ table, columns }) => [table, columns]))
}
