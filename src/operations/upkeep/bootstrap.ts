// Makes, or finds again, what a first booking needs: an application with a key, a host with a calendar, a configuration.
import {
  type Application,
  findKeyBySecret,
  insertApplication,
  insertKey,
  listApplications,
  listKeys,
} from '../../adapters/storage/accounts.ts'
import { recordAudit } from '../../adapters/storage/audit.ts'
import { findConfigurationIdBySlug } from '../../adapters/storage/configurations.ts'
import type { Database } from '../../adapters/storage/database/database.ts'
import { newAppId, readToken } from '../../adapters/storage/database/ids.ts'
import { lockBootstrap } from '../../adapters/storage/database/maintenance.ts'
import { findGrant } from '../../adapters/storage/grants.ts'
import type { Grant } from '../../core/account/grant.ts'
import { terminal } from '../../core/account/principal.ts'
import type { ConfigurationId } from '../../core/ids.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { ConfigurationDocument } from '../../wire/configurations.ts'
import { connectGrant } from '../accounts/grants.ts'
import { createCalendar, showCalendar } from '../calendars/calendars.ts'
import { createConfiguration } from '../configurations/configurations.ts'
import type { Tools } from '../tools.ts'

export type BootstrapCommand = {
  /** At least 16 characters; absent: a random one, unless the application has a key that works. */
  readonly apiKey?: string | undefined
  /** Where the demo host is at work; kept from the first time. */
  readonly timezone: string
}

export type Bootstrapped = {
  readonly clientId: string
  readonly grantId: string
  readonly configurationId: ConfigurationId
  readonly slug: string
  /** Null when none was made now: keys are shown once. */
  readonly apiKey: string | null
}

const demo = { name: 'Demo', email: 'host@demo.example', slug: 'demo' }

/**
 * Any number of times, also two at once: one waits for the other and finds what it made.
 * Problems: `invalidRequest` for a key that is too short, revoked, or another application's.
 */
export async function bootstrap(
  tools: Pick<Tools, 'database' | 'syncing' | 'now'>,
  command: BootstrapCommand,
): Promise<Result<Bootstrapped>> {
  const { apiKey } = command
  if (apiKey !== undefined && !/^[\x21-\x7e]{16,255}$/.test(apiKey))
    return failure(invalidRequest('must be 16 to 255 printable characters without spaces', '--api-key'))
  const { database } = tools
  // This transaction holds the lock and nothing else; each step has its own.
  return database.transaction(newAppId(), async (lock) => {
    await lockBootstrap(lock)
    const application = await findOrMakeApplication(database)
    const key = await findOrMakeKey(tools, application, apiKey)
    if (!key.ok) return key
    const grant = await findOrMakeGrant(tools, application)
    if (!grant.ok) return grant
    const calendar = await findOrMakeCalendar(tools, grant.value, command.timezone)
    if (!calendar.ok) return calendar
    const configurationId = await findOrMakeConfiguration(tools, grant.value, calendar.value.timezone)
    if (!configurationId.ok) return configurationId
    return success({
      clientId: application.id,
      grantId: grant.value.id,
      configurationId: configurationId.value,
      slug: demo.slug,
      apiKey: key.value,
    })
  })
}

async function findOrMakeApplication(database: Database): Promise<Application> {
  const found = (await listApplications(database)).find(({ name }) => name === demo.name)
  if (found !== undefined) return found
  return database.transaction(newAppId(), async (transaction) => {
    const made = await insertApplication(transaction, demo.name, transaction.appId)
    await recordAudit(transaction, { actor: terminal, action: 'application.created', target: made.id })
    return made
  })
}

/** The key, or null where it was there before. */
async function findOrMakeKey(
  { database, now }: Pick<Tools, 'database' | 'syncing' | 'now'>,
  application: Application,
  secret: string | undefined,
): Promise<Result<string | null>> {
  if (secret === undefined) {
    const keys = await listKeys(database, application.id)
    if (keys.some((key) => key.revokedAt === null && (key.expiresAt ?? Number.POSITIVE_INFINITY) > now()))
      return success(null)
  } else {
    const found = await findKeyBySecret(database, secret)
    if (found !== undefined && found.appId !== application.id)
      return failure(invalidRequest('belongs to another application', '--api-key'))
    if (found !== undefined)
      return found.isActive ? success(null) : failure(invalidRequest('was revoked, or has expired', '--api-key'))
    // It would be looked for in the application that its code names.
    const shaped = readToken(secret)
    if (shaped !== undefined && (shaped.kind !== 'key' || shaped.code !== application.code))
      return failure(invalidRequest('must not look like a key that OpenSlot made elsewhere (osk_…)', '--api-key'))
  }
  return database.transaction(application.id, async (transaction) => {
    const { id, token } = await insertKey(transaction, application, { name: 'bootstrap', secret })
    await recordAudit(transaction, { actor: terminal, action: 'key.created', target: id })
    return success(token)
  })
}

async function findOrMakeGrant(tools: Pick<Tools, 'database'>, application: Application): Promise<Result<Grant>> {
  const found = await tools.database.read(application.id, (transaction) =>
    findGrant(transaction, { by: 'email', value: demo.email }),
  )
  if (found !== undefined) return success(found)
  const caller = { appId: application.id, actor: terminal }
  return connectGrant(tools, caller, {
    provider: 'virtual-calendar',
    email: demo.email,
    name: 'Demo Host',
    state: undefined,
  })
}

async function findOrMakeCalendar(tools: Pick<Tools, 'database' | 'syncing'>, grant: Grant, timezone: string) {
  const found = await showCalendar(tools, grant, 'primary')
  return found.ok ? found : createCalendar(tools, grant, { name: 'Calendar', timezone, details: { metadata: {} } })
}

async function findOrMakeConfiguration(
  tools: Pick<Tools, 'database'>,
  grant: Grant,
  timezone: string,
): Promise<Result<ConfigurationId>> {
  const found = await findConfigurationIdBySlug(tools.database, grant.appId, demo.slug)
  if (found !== undefined) return success(found)
  const made = await createConfiguration(
    tools,
    { kind: 'terminal', appId: grant.appId },
    grant,
    demoConfiguration(timezone),
  )
  return made.ok ? success((made.value as { id: ConfigurationId }).id) : made
}

/** Weekdays from nine to five, half an hour, an hour's notice. */
function demoConfiguration(timezone: string): ConfigurationDocument {
  return {
    name: 'Demo meeting',
    slug: demo.slug,
    requires_session_auth: false,
    participants: [
      {
        name: 'Demo Host',
        email: demo.email,
        is_organizer: true,
        availability: { calendar_ids: ['primary'] },
        booking: { calendar_id: 'primary' },
      },
    ],
    availability: {
      duration_minutes: 30,
      availability_rules: { default_open_hours: [{ days: [1, 2, 3, 4, 5], start: '9:00', end: '17:00', timezone }] },
    },
    event_booking: { title: 'Demo meeting', timezone },
    scheduler: { min_booking_notice: 60, available_days_in_future: 30 },
  }
}
