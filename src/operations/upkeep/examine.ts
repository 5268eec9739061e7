// Looks for what could be wrong with an installation. Changes nothing.
import type { Database } from '../../adapters/storage/database.ts'
import {
  canRewriteAudit,
  countOldHeld,
  findUnguardedTables,
  listAppIds,
  readFacts,
} from '../../adapters/storage/maintenance.ts'
import { compareMigrations, serverRole } from '../../adapters/storage/migrations.ts'
import { countStandings } from '../../adapters/storage/mirrorHealth.ts'
import { countReconciliations } from '../../adapters/storage/reconciliations.ts'
import { VaultError } from '../../adapters/storage/sealing.ts'
import type { Vault } from '../../adapters/storage/vault.ts'
import type { Instant } from '../../core/time/instant.ts'

/** One thing that was looked at. `message` says what was found, and what to do where it is not good. */
export type Finding = { readonly name: string; readonly isGood: boolean; readonly message: string }

export type ExamineTools = {
  /** With the rights of the owner. */
  readonly database: Database
  /** Undefined where there is no master key yet. */
  readonly vault: Vault | undefined
  readonly now: () => Instant
}

const clockToleranceMs = 2_000

/** In a sensible order to read; without a schema only what can be said then. Throws where the database cannot be reached. */
export async function examine({ database, vault, now }: ExamineTools): Promise<Finding[]> {
  const facts = await readFacts(database, serverRole)
  const aheadMs = now() - facts.now
  const findings: Finding[] = [
    {
      name: 'database',
      isGood: facts.version >= 150_000,
      message: `PostgreSQL ${Math.floor(facts.version / 10_000)}.${facts.version % 10_000} answers${facts.version >= 150_000 ? '' : '; 15 or newer is needed'}`,
    },
    {
      name: 'clock',
      isGood: Math.abs(aheadMs) <= clockToleranceMs,
      message: `this machine's clock and the database's differ by ${Math.abs(aheadMs)} ms${Math.abs(aheadMs) <= clockToleranceMs ? '' : '; set both by NTP'}`,
    },
  ]
  if (!facts.hasSchema)
    return [
      ...findings,
      { name: 'migrations', isGood: false, message: 'the database is empty; "openslot migrate" or a start fills it' },
    ]
  findings.push(await examineMigrations(database))
  findings.push(await examineRole(database, facts))
  findings.push(await examineKeys(database, vault))
  findings.push(await examineHeld(database))
  findings.push(await examineCalendars(database))
  return findings
}

async function examineMigrations(database: Database): Promise<Finding> {
  const { missing, unknown } = await compareMigrations(database)
  const isGood = missing.length === 0 && unknown.length === 0
  if (unknown.length > 0)
    return { name: 'migrations', isGood, message: `a newer OpenSlot wrote this database (${unknown.join(', ')})` }
  return {
    name: 'migrations',
    isGood,
    message: isGood ? 'the schema is current' : `missing: ${missing.join(', ')}; run "openslot migrate"`,
  }
}

async function examineRole(database: Database, facts: Awaited<ReturnType<typeof readFacts>>): Promise<Finding> {
  const name = 'row security'
  const unguarded = await findUnguardedTables(database)
  if (unguarded.length > 0) return { name, isGood: false, message: `it is switched off for ${unguarded.join(', ')}` }
  if (!facts.hasServerRole)
    return facts.loginIgnoresRowSecurity
      ? {
          name,
          isGood: false,
          message: `the role ${serverRole} is missing and ${facts.login} ignores row security; run "openslot migrate" as a login that may make roles`,
        }
      : {
          name,
          isGood: true,
          message: `it binds ${facts.login}, who owns the tables; as ${facts.login} may not make roles, the audit log is not append-only`,
        }
  if (facts.serverRoleIgnoresRowSecurity)
    return {
      name,
      isGood: false,
      message: `${serverRole} is allowed to ignore it; alter role ${serverRole} nosuperuser nobypassrls`,
    }
  if (await canRewriteAudit(database, serverRole))
    return { name, isGood: false, message: `${serverRole} may change the audit log; run "openslot migrate"` }
  return { name, isGood: true, message: `it binds ${serverRole}, who may only add to the audit log` }
}

async function examineKeys(database: Database, vault: Vault | undefined): Promise<Finding> {
  const name = 'master key'
  if (vault === undefined)
    return {
      name,
      isGood: false,
      message: 'there is none: set MASTER_KEY, or bring back DATA_DIR/master.key; the first start makes one',
    }
  const appIds = await listAppIds(database)
  try {
    for (const appId of appIds) await database.read(appId, (transaction) => vault.check(transaction))
  } catch (error) {
    if (error instanceof VaultError) return { name, isGood: false, message: error.message }
    throw error
  }
  return {
    name,
    isGood: true,
    message: `it opens the secrets of ${appIds.length} application${appIds.length === 1 ? '' : 's'}`,
  }
}

async function examineHeld(database: Database): Promise<Finding> {
  let held = 0
  for (const appId of await listAppIds(database)) held += await database.read(appId, countOldHeld)
  const message =
    held === 0
      ? 'none is held for over a minute'
      : `${held} held for over a minute; is a worker running (ROLE=all or worker)?`
  return { name: 'held bookings', isGood: held === 0, message }
}

/** Calendars at providers, and what was found between them and the bookings on them. */
async function examineCalendars(database: Database): Promise<Finding> {
  const standings = new Map<string, number>()
  const found = new Map<string, number>()
  const add = (counts: Map<string, number>, name: string, count: number) =>
    counts.set(name, (counts.get(name) ?? 0) + count)
  for (const appId of await listAppIds(database)) {
    for (const { health, count } of await countStandings(database, appId)) add(standings, health, count)
    for (const { found: what, outcome, count } of await countReconciliations(database, appId))
      add(found, `${what} ${outcome}`, count)
  }
  const told = (counts: Map<string, number>) => [...counts].map(([name, count]) => `${count} ${name}`).join(', ')
  if (standings.size === 0) return { name: 'calendars', isGood: true, message: 'none is at a provider' }
  const isGood = [...standings.keys()].every((health) => health === 'ok') && !found.has('missing reported')
  const message = `${told(standings)}${found.size === 0 ? '' : `; by hand or lost: ${told(found)}`}`
  return {
    name: 'calendars',
    isGood,
    message: isGood ? message : `${message}; GET /v3/grants/{id}/calendars says why`,
  }
}
