// Reads a backup into an empty database: all of it, or nothing.
import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { PoolClient } from 'pg'

import { type AppId, isUuid } from '../../core/ids.ts'
import {
  type BackupHeader,
  type BackupLine,
  backedUpTables,
  backupFormat,
  readColumns,
  standardStream,
} from './backup.ts'
import type { Database, Queryable } from './database/database.ts'
import { newId } from './database/ids.ts'
import type { Sql } from './database/sql.ts'
import { catchUpRows } from './migrations/migrations.ts'
import { VaultError } from './secrets/sealing.ts'
import type { Vault } from './secrets/vault.ts'

/** Why a backup cannot be restored here, in a sentence. Nothing was written. */
export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused'
}

const rowsAtOnce = 200

/**
 * Restores `file` in one transaction, ids and versions as they were; answers the number of rows. Every application gets a line in its
 * audit log. Throws `RestoreRefused` for a database that is not empty, a file that is none or is cut short, one of a newer program,
 * and where a master key is missing that its secrets are sealed under.
 */
export async function restore(
  { database, vault }: { readonly database: Database; readonly vault: Vault },
  file: string,
  onRows: (count: number) => void,
): Promise<number> {
  const lines = readLines(file)
  const header = await readHeader(lines)
  const client = await database.pool.connect()
  let failure: Error | undefined
  try {
    await client.query('begin; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0')
    await refuseUnlessEmpty(client)
    const columns = await checkColumns(client, header)
    const { count, appIds } = await importLines(client, { lines, columns, onRows })
    await catchUpRows(client, header.migrations)
    for (const appId of appIds) await closeApplication(client, vault, appId, header)
    await client.query('commit')
    return count
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    await lines.return(undefined)
    // A connection in the middle of a transaction is closed, and what it wrote is gone.
    client.release(failure)
  }
}

async function* readLines(file: string): AsyncGenerator<string, undefined> {
  const bytes = file === standardStream ? process.stdin : createReadStream(file)
  const text = new TextDecoder('utf-8', { ignoreBOM: true })
  try {
    // Not `readline`: U+2028 and U+2029 end its lines too, and stand raw in JSON.
    let rest = ''
    for await (const piece of unpacked(bytes)) {
      const lines = `${rest}${text.decode(piece, { stream: true })}`.split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    if (rest !== '') yield rest
  } catch (cause) {
    const { code = '', syscall } = cause as { code?: string; syscall?: string }
    if (code === 'ENOENT') throw new RestoreRefused(`There is no file ${file}.`)
    if (syscall !== undefined) throw new RestoreRefused(`${file} cannot be read (${code}).`)
    throw new RestoreRefused(`${file === standardStream ? 'What came' : file} is damaged or cut short.`, { cause })
  } finally {
    bytes.destroy()
  }
  return undefined
}

/** Decompressed where it begins as gzip does. */
async function* unpacked(bytes: Readable): AsyncGenerator<Buffer> {
  const pieces: AsyncIterator<Buffer> = bytes[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    head = Buffer.concat([head, next.value])
    if (head.length >= 2) break
  }
  const whole = async function* () {
    yield head
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) yield* whole()
  // Its own failures come out of what is read; those of `whole` are passed on by the pipeline.
  else yield* pipeline(Readable.from(whole()), createGunzip(), () => {})
}

async function readHeader(lines: AsyncGenerator<string, undefined>): Promise<BackupHeader> {
  const first = await lines.next()
  let header: Partial<BackupHeader> = {}
  try {
    header = JSON.parse(first.value ?? '')
  } catch {
    // Not JSON at all: the same answer as for other JSON.
  }
  if (
    header.backup !== 'openslot' ||
    typeof header.format !== 'number' ||
    header.columns === undefined ||
    !Array.isArray(header.migrations)
  )
    throw new RestoreRefused('This file is not a backup of OpenSlot.')
  if (header.format > backupFormat)
    throw new RestoreRefused('This backup was written by a newer OpenSlot; restore it with that version.')
  return header as BackupHeader
}

async function refuseUnlessEmpty(client: PoolClient): Promise<void> {
  // Nobody makes an application until this is done.
  await client.query('lock table openslot.applications in share row exclusive mode')
  const { rowCount } = await client.query(
    'select from openslot.applications union all select from openslot.audit_log limit 1',
  )
  if (rowCount !== 0) throw new RestoreRefused('The database is not empty: restore works only into an empty one.')
}

/** Columns to write, by table. What the file has and this schema lacks was made by a newer program. */
async function checkColumns(client: PoolClient, header: BackupHeader): Promise<ReadonlyMap<string, readonly string[]>> {
  const ours = await readColumns(client)
  for (const [table, columns] of Object.entries(header.columns))
    for (const column of columns)
      if (!ours[table]?.includes(column))
        throw new RestoreRefused(
          `This backup was written by a newer OpenSlot (it has ${table}.${column}); restore it with that version.`,
        )
  return new Map(backedUpTables.map((table) => [table, header.columns[table] ?? []]))
}

type Import = {
  readonly lines: AsyncGenerator<string, undefined>
  readonly columns: ReadonlyMap<string, readonly string[]>
  readonly onRows: (count: number) => void
}

async function importLines(
  client: PoolClient,
  { lines, columns, onRows }: Import,
): Promise<{ count: number; appIds: Set<AppId> }> {
  const appIds = new Set<AppId>()
  let count = 0
  let end: number | undefined
  let batch: { table: string; appId: AppId; lines: string[] } | undefined
  let current: AppId | undefined
  const flush = async () => {
    if (batch === undefined) return
    if (batch.appId !== current) await client.query(`select set_config('app.id', $1, true)`, [batch.appId])
    current = batch.appId
    await insertRows(client, batch.table, columns.get(batch.table) ?? [], batch.lines)
    batch = undefined
    onRows(count)
  }
  for await (const text of lines) {
    const line = parseLine(text)
    if (end !== undefined) throw new RestoreRefused('This backup goes on after its end; it was changed.')
    if ('end' in line) end = line.end
    else if ('job' in line) {
      await flush()
      await addJob(client, line.job)
      count++
    } else {
      const appId = line.row.app_id as AppId
      if (!columns.has(line.table) || typeof appId !== 'string' || !isUuid(appId))
        throw new RestoreRefused('This backup has a line that is no row of a known table.')
      if (
        batch !== undefined &&
        (batch.table !== line.table || batch.appId !== appId || batch.lines.length >= rowsAtOnce)
      )
        await flush()
      batch ??= { table: line.table, appId, lines: [] }
      batch.lines.push(text)
      appIds.add(appId)
      count++
    }
  }
  await flush()
  if (end !== count)
    throw new RestoreRefused('This backup is cut short: its last line is missing or counts other rows.')
  return { count, appIds }
}

function parseLine(text: string): BackupLine {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RestoreRefused('This backup has a line that is not JSON.', { cause })
  }
}

/** PostgreSQL reads the rows itself, so that no number or instant loses a digit on the way. */
async function insertRows(
  client: PoolClient,
  table: string,
  columns: readonly string[],
  lines: readonly string[],
): Promise<void> {
  const list = columns.map((column) => `"${column}"`).join(', ')
  await client.query(
    `insert into openslot.${table} (${list})
     select ${columns.map((column) => `r."${column}"`).join(', ')}
     from unnest($1::text[]) as line, jsonb_populate_record(null::openslot.${table}, line::jsonb -> 'row') as r`,
    [lines],
  )
}

async function addJob(client: PoolClient, job: object): Promise<void> {
  await client.query(
    `select graphile_worker.add_job(job ->> 'identifier', job -> 'payload', queue_name => job ->> 'queue', run_at => (job ->> 'runAt')::timestamptz,
       max_attempts => (job ->> 'maxAttempts')::int, job_key => job ->> 'key', priority => (job ->> 'priority')::int)
     from (select $1::json as job) as given`,
    [JSON.stringify(job)],
  )
}

async function closeApplication(
  client: PoolClient,
  vault: Vault,
  appId: AppId,
  { madeAt }: BackupHeader,
): Promise<void> {
  await client.query(`select set_config('app.id', $1, true)`, [appId])
  const query: Queryable['query'] = async <Row extends object>({ text, values }: Sql) =>
    (await client.query<Row>(text, values as unknown[])).rows
  try {
    await vault.check({ appId, query })
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    throw new RestoreRefused(
      `${error.message} Put the key that this backup was made with into MASTER_KEY or DATA_DIR/master.key and restore again.`,
    )
  }
  await client.query(
    `insert into openslot.audit_log (app_id, id, actor, action, target, detail) values ($1::uuid, $2, 'cli', 'backup.restored', $1::uuid::text, $3)`,
    [appId, newId(), JSON.stringify({ madeAt })],
  )
}
