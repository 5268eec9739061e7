// The composition root: opens the database, makes the providers, binds the operations, and closes what it opened.
import { createHmac } from 'node:crypto'
import type { Logger } from 'pino'

import { accountCalendars } from './adapters/calendars/accountCalendars.ts'
import type { AccountProvider } from './adapters/calendars/accountProvider.ts'
import { caldavAccounts } from './adapters/calendars/caldav/provider.ts'
import type { CalendarProviders } from './adapters/calendars/calendarProvider.ts'
import { virtualCalendars } from './adapters/calendars/virtual/provider.ts'
import { createLogger } from './adapters/logging/logger.ts'
import { keepMails } from './adapters/mail/kept.ts'
import type { Mailer } from './adapters/mail/mailer.ts'
import { createSafeFetch, type SafeFetchOptions } from './adapters/net/safeFetch.ts'
import type { Connection } from './adapters/storage/database/connection.ts'
import { Database, isAway } from './adapters/storage/database/database.ts'
import { startEmbeddedPostgres } from './adapters/storage/embedded/embedded.ts'
import { migrate, serverRole } from './adapters/storage/migrations/migrations.ts'
import { loadMasterKeys, type MasterKey, type MasterKeys } from './adapters/storage/secrets/masterKeys.ts'
import { checkMasterKeys, Vault } from './adapters/storage/secrets/vault.ts'
import { type Config, isLoopback, type MailConfig } from './config.ts'
import type { GrantProvider } from './core/account/grant.ts'
import { type Instant, instant } from './core/time/instant.ts'
import type { Answered } from './http/addRoute.ts'
import type { TimeLimits } from './http/limits.ts'
import { createProofOfWork } from './http/proofOfWork.ts'
import { createLimiter, noLimits } from './http/rateLimit.ts'
import { buildServer } from './http/server.ts'
import { pagesFolder } from './installation.ts'
import { accountDesk } from './operations/accounts/accountDesk.ts'
import { bindOperations, type Operations } from './operations/operations.ts'
import { examine, type Finding } from './operations/upkeep/examine.ts'
import { startWorker } from './worker/worker.ts'

/** What reaches the accounts of each provider. */
type Towers = Partial<Record<GrantProvider, AccountProvider>>

/** What tests put in the place of the real thing. */
export type Overrides = {
  readonly network?: Partial<SafeFetchOptions>
  readonly now?: () => Instant
  readonly connection?: Connection
  readonly towers?: Towers
  readonly providers?: (real: CalendarProviders) => CalendarProviders
  readonly onStatement?: (text: string) => void
  readonly onAnswer?: (answered: Answered) => void
  readonly logger?: Logger
  readonly timeLimits?: Partial<TimeLimits>
}

export type App = {
  readonly operations: Operations
  readonly database: Database
  readonly logger: Logger
  /** Answers requests, runs jobs, or both, by the role; answers the address where it listens. */
  start(): Promise<{ address: string | undefined }>
  close(): Promise<void>
}

/** Everything but the doors: what commands at the terminal work with. Migrates under a lock. */
export async function buildApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const logger = overrides.logger ?? createLogger(config.logLevel)
  const closers: (() => Promise<void>)[] = []
  const close = () => closeAll(closers)
  try {
    const { admin, server } = await openDatabase(config, overrides, logger, closers)
    const { applied, hasServerRole } = await migrate(admin)
    if (applied.length > 0) logger.info({ applied }, 'database migrated')
    const database = new Database({
      connection: hasServerRole ? server : admin,
      poolSize: 16,
      ...(hasServerRole ? { role: serverRole } : {}),
      ...(overrides.onStatement === undefined ? {} : { onStatement: overrides.onStatement }),
    })
    closers.push(() => database.close())

    const masterKeys = loadMasterKeys(config.masterKey, config.dataDirectory, (file) =>
      logger.warn({ file }, 'made a master key; back it up apart from the database'),
    )
    const vault = new Vault(masterKeys)
    await checkMasterKeys(database, vault)

    const mailer = await openMailer(config.mail)
    closers.push(() => mailer.close())
    if ([...config.allowPrivateNetwork, ...config.allowPrivateCalendars].some(isLoopback))
      logger.warn({}, 'outbound calls may reach this machine itself: for development only')
    const safeFetch = createSafeFetch({ allowPrivateNetwork: config.allowPrivateNetwork, ...overrides.network })
    // Not the webhooks' list: who may name a receiver shall not reach the network that a calendar server stands in.
    const calendarFetch = createSafeFetch({ allowPrivateNetwork: config.allowPrivateCalendars, ...overrides.network })
    closers.push(async () => void (await Promise.all([safeFetch.close(), calendarFetch.close()])))
    const now = overrides.now ?? (() => instant(Date.now()))
    const caldav = (serverUrl?: string) =>
      caldavAccounts({ safeFetch: calendarFetch, now, ...(serverUrl === undefined ? {} : { serverUrl }) })
    const towers: Towers = { icloud: caldav('https://caldav.icloud.com/'), caldav: caldav(), ...overrides.towers }
    const desk = accountDesk({ database, vault, mailer, now })
    const accounts = new Map(
      Object.entries(towers).map(([provider, tower]) => [provider, accountCalendars(tower, desk)]),
    )
    const real: CalendarProviders = (provider) =>
      provider === 'virtual-calendar' ? virtualCalendars : accounts.get(provider)
    const operations = bindOperations({
      safeFetch,
      database,
      onUnavailable: sayNowAndThen((error) => logger.error({ err: error }, 'the database cannot be used')),
      accountProviders: (provider) => towers[provider],
      syncing: config.syncing,
      guestDataDays: config.guestDataDays,
      mailer,
      providers: overrides.providers?.(real) ?? real,
      vault,
      now,
      baseUrl: config.baseUrl,
    })

    const start = async () => {
      masterKeys.prepare()
      if (config.role !== 'web') {
        const worker = await startWorker({ pool: database.pool, isAway, operations, logger })
        closers.push(() => worker.stop())
      }
      if (config.role === 'worker') return { address: undefined }
      const http = await buildServer({
        operations,
        logger,
        limiter:
          config.rateLimit === 'off' ? noLimits : createLimiter(config.rateLimit === 'shared' ? operations : undefined),
        proofOfWork: createProofOfWork(() => proofKeys(masterKeys), now),
        trustedProxies: config.trustedProxies,
        baseUrl: config.baseUrl,
        pagesFolder,
        now,
        ...(overrides.timeLimits === undefined ? {} : { timeLimits: overrides.timeLimits }),
        ...(overrides.onAnswer === undefined ? {} : { onAnswer: overrides.onAnswer }),
      })
      closers.push(() => http.close())
      return { address: await http.listen({ port: config.port, host: config.host }) }
    }
    return { operations, database, logger, start, close }
  } catch (error) {
    await close().catch((failure: unknown) => logger.error({ err: failure }, 'closing failed'))
    throw error
  }
}

const silenceMs = 10_000

/** A database that is away fails every request alike: its reason is said once in ten seconds. */
function sayNowAndThen(say: (error: Error) => void): (error: Error) => void {
  let saidAt = Number.NEGATIVE_INFINITY
  return (error) => {
    if (performance.now() - saidAt < silenceMs) return
    saidAt = performance.now()
    say(error)
  }
}

/** The same in every process with the same master keys, so that one may check what another has asked for. */
function proofKeys(masterKeys: MasterKeys): [string, ...string[]] {
  const derive = ({ key }: MasterKey) => createHmac('sha256', key).update('proof of work').digest('hex')
  const [first, ...others] = masterKeys.all()
  return [derive(first), ...others.map(derive)]
}

async function openMailer({ smtpUrl, from, dkim }: MailConfig): Promise<Mailer> {
  if (smtpUrl === undefined) return keepMails(from)
  const { sendBySmtp } = await import('./adapters/mail/smtp.ts')
  return sendBySmtp({ url: smtpUrl, from, dkim })
}

/** How the installation stands, for `doctor`: migrates nothing, makes no key. Throws where the database cannot be reached. */
export async function examineInstallation(config: Config, isWanted: (name: string) => boolean): Promise<Finding[]> {
  const closers: (() => Promise<void>)[] = []
  try {
    const { admin } = await openDatabase(config, {}, createLogger(config.logLevel), closers)
    const database = new Database({ connection: admin, poolSize: 2 })
    closers.push(() => database.close())
    const openVault = () => new Vault(loadMasterKeys(config.masterKey, config.dataDirectory, () => {}))
    return await examine({ database, openVault, now: () => instant(Date.now()) }, isWanted)
  } finally {
    await closeAll(closers)
  }
}

/** The last opened first, and each whatever the others do; throws what the first of them that failed has thrown. */
async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  while (closers.length > 0)
    try {
      await closers.pop()?.()
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 0) throw failures[0]
}

async function openDatabase(config: Config, overrides: Overrides, logger: Logger, closers: (() => Promise<void>)[]) {
  if (overrides.connection !== undefined) return { admin: overrides.connection, server: overrides.connection }
  if (config.databaseUrl !== undefined)
    return { admin: { url: config.databaseUrl }, server: { url: config.databaseUrl } }
  const postgres = await startEmbeddedPostgres({
    dataDirectory: config.dataDirectory,
    log: (message, details) => logger.info(details ?? {}, message),
    onDown: () => logger.error('the embedded PostgreSQL is away; it is being restarted'),
    onUp: () => logger.info('the embedded PostgreSQL is back'),
  })
  closers.push(() => postgres.stop())
  return { admin: postgres.connection, server: { ...postgres.connection, user: serverRole } }
}
