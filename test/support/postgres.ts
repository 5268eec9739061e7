/** Gives each test file a database of its own, cloned from a migrated template, on one real PostgreSQL for the whole run. */

import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import pg from 'pg'
import { inject } from 'vitest'
import type { TestProject } from 'vitest/node'

import {
  type EmbeddedPostgres,
  type PostgresConnection,
  startEmbeddedPostgres,
} from '../../src/adapters/storage/embedded/embedded.ts'
import { readPostmasterPid } from '../../src/adapters/storage/embedded/process.ts'
import { migrate } from '../../src/adapters/storage/migrations/migrations.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresDirectory: string
  }
}

/** A database that no other test sees. `drop` ends its connections and removes it. */
export type TestDatabase = { readonly connection: PostgresConnection; drop(): Promise<void> }

const template = 'openslot_template'
/** Any number that nothing else in the database `postgres` locks. */
const templateLock = 7_310_579_022

let ownDirectory: string | undefined
let ownServer: Promise<EmbeddedPostgres> | undefined

/** Vitest's global set-up: names the folder. PostgreSQL starts at the first test that asks, so that a run without storage does not wait. */
export function setup(project: TestProject): void {
  const directory = mkdtempSync(join(tmpdir(), 'openslot-postgres-'))
  // mkdtemp closes the folder to the user that PostgreSQL runs as when the tests run as root.
  if (process.getuid?.() === 0) chmodSync(directory, 0o711)
  project.provide('postgresDirectory', directory)
  ownDirectory = directory
}

/** Vitest's global tear-down: whichever worker started PostgreSQL, here it is stopped and its folder removed. */
export async function teardown(): Promise<void> {
  if (ownDirectory === undefined) return
  if (existsSync(join(ownDirectory, 'postgres'))) {
    const server = await startEmbeddedPostgres({ dataDirectory: ownDirectory, log: () => {} })
    await server.stop()
    // A worker that still runs holds on to it, so it was left to that; without its folder it would stay for good.
    const left = () => readPostmasterPid(join(ownDirectory ?? '', 'postgres'))
    const pid = left()
    if (pid !== undefined) process.kill(pid, 'SIGQUIT')
    while (left() !== undefined) await delay(10)
  }
  rmSync(ownDirectory, { recursive: true, force: true })
}

/**
 * A fresh database with the real migrations. Commits are flushed to disk as in production. `small`: the letters that it can
 * make small; those of ASCII alone where somebody's PostgreSQL was made in the C locale.
 */
export async function createTestDatabase({ small = 'all' }: { small?: 'all' | 'ascii' } = {}): Promise<TestDatabase> {
  ownServer ??= startEmbeddedPostgres({
    dataDirectory: inject('postgresDirectory'),
    log: () => {},
    // One pool for each test file that runs at the same time.
    settings: { max_connections: '200' },
  })
  const { connection } = await ownServer
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await asAdministrator(connection, async (client) => {
    if (small === 'ascii') {
      await client.query(`create database ${name} template template0 locale_provider libc locale 'C'`)
      return
    }
    await client.query('select pg_advisory_lock($1)', [templateLock])
    await makeTemplate(client, connection)
    await client.query(`create database ${name} template ${template}`)
  })
  if (small === 'ascii') await migrate({ ...connection, database: name })
  return {
    connection: { ...connection, database: name },
    drop: () =>
      asAdministrator(connection, async (client) => {
        await client.query(`drop database if exists ${name} with (force)`)
      }),
  }
}

async function makeTemplate(client: pg.Client, connection: PostgresConnection): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [template])
  if (rowCount !== 0) return
  const draft = `${template}_draft`
  await client.query(`drop database if exists ${draft} with (force)`)
  await client.query(`create database ${draft}`)
  await migrate({ ...connection, database: draft })
  await client.query(`alter database ${draft} rename to ${template}`)
}

async function asAdministrator(
  connection: PostgresConnection,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ ...connection, database: 'postgres' })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
