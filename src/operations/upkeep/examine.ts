// Looks for what could be wrong with an installation. Changes nothing.
import type { Database } from '../../adapters/storage/database/database.ts'
import {
  canRewriteAudit,
  countOldHeld,
  type DatabaseFacts,
  findUnguardedTables,
  listAppIds,
  readFacts,
  readWorkerSilence,
} from '../../adapters/storage/database/maintenance.ts'
import { compareMigrations, serverRole } from '../../adapters/storage/migrations/migrations.ts'
import { countStandings } from '../../adapters/storage/mirrorHealth.ts'
import { countReconciliations } from '../../adapters/storage/reconciliations.ts'
import { VaultError } from '../../adapters/storage/secrets/sealing.ts'
import type { Vault } from '../../adapters/storage/secrets/vault.ts'
import type { Instant } from '../../core/time/instant.ts'

/** What can be looked at, in a sensible order to read. */
export const examined = [
  'database',
  'clock',
  'migrations',
  'row security',
  'master key',
  'worker',
  'held bookings',
  'calendars',
] as const

/** One thing that was looked at. `message` says what was found, and what to do where it is not good. */
export type Finding = { readonly name: string; readonly isGood: boolean; readonly message: string }

export type ExamineTools = {
  /** With the rights of the owner. */
  readonly database: Database
  /** Throws `VaultError` where the master keys cannot be read. */
  readonly openVault: () => Vault
  readonly now: () => Instant
}

const clockToleranceMs = 2_000
/** What recurs does so every minute. */
const workerPatienceSeconds = 300

/** Only what `isWanted`; without a schema that is said in any case. Throws where the database cannot be reached. */
export async function examine(
  { database, openVault, now }: ExamineTools,
  isWanted: (name: (typeof examined)[number]) => boolean = () => true,
): Promise<Finding[]> {
  const facts = await readFacts(database, serverRole)
  const looks: Record<(typeof examined)[number], () => Finding | Promise<Finding>> = {
    database: () => examineVersion(facts),
    clock: () => examineClock(facts, now()),
    migrations: () => examineMigrations(database),
    'row security': () => examineRole(database, facts),
    'master key': () => examineKeys(database, openVault),
    worker: () => examineWorker(database),
    'held bookings': () => examineHeld(database),
    calendars: () => examineCalendars(database),
  }
  const findings: Finding[] = []
  for (const name of examined) {
    if (name === 'migrations' && !facts.hasSchema)
      return [
        ...findings,
        { name, isGood: false, message: 'the database is empty; "openslot migrate" or a start fills it' },
      ]
    if (isWanted(name)) findings.push(await looks[name]())
  }
  return findings
}

function examineVersion({ version }: DatabaseFacts): Finding {
  const isGood = version >= 150_000
  const message = `PostgreSQL ${Math.floor(version / 10_000)}.${version % 10_000} answers${isGood ? '' : '; 15 or newer is needed'}`
  return { name: 'database', isGood, message }
}

function examineClock(facts: DatabaseFacts, now: Instant): Finding {
  const apartMs = Math.abs(now - facts.now)
  const isGood = apartMs <= clockToleranceMs
  return {
    name: 'clock',
    isGood,
    message: `this machine's clock and the database's differ by ${apartMs} ms${isGood ? '' : '; set both by NTP'}`,
  }
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

async function examineRole(database: Database, facts: DatabaseFacts): Promise<Finding> {
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

async function examineKeys(database: Database, openVault: ExamineTools['openVault']): Promise<Finding> {
  const name = 'master key'
  const appIds = await listAppIds(database)
  try {
    const vault = openVault()
    for (const appId of appIds) await database.read(appId, (transaction) => vault.check(transaction))
    if (!vault.hasMasterKey)
      return { name, isGood: false, message: 'there is none yet: the first start makes one, or set MASTER_KEY' }
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

/** Whether any worker of this installation does its rounds. */
async function examineWorker(database: Database): Promise<Finding> {
  const name = 'worker'
  const silentSeconds = await readWorkerSilence(database)
  if (silentSeconds === undefined) return { name, isGood: true, message: 'none has run yet' }
  if (silentSeconds <= workerPatienceSeconds) return { name, isGood: true, message: 'it does its rounds' }
  const silence =
    silentSeconds < 7_200 ? `${Math.floor(silentSeconds / 60)} minutes` : `${Math.floor(silentSeconds / 3_600)} hours`
  return {
    name,
    isGood: false,
    message: `none has done its rounds for ${silence}; is one running (ROLE=all or worker)?`,
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
