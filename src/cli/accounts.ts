// Commands on applications and their keys, and the one that makes a first application with something to book.
import { type Command, type Invocation, UsageError } from './command.ts'
import { unwrap, withApp } from './withApp.ts'

const isoOf = (instant: number | null) => (instant === null ? null : new Date(instant).toISOString())
const text = (value: string | boolean | undefined) => (typeof value === 'string' ? value : undefined)

/** The zone in which the demo host is at work: this machine's. */
export function localTimezone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

const bootstrapCommand: Command = {
  name: 'bootstrap',
  meaning: 'Make, or find again, a demo application with a key, a host and something to book',
  options: { 'api-key': { type: 'string', value: 'KEY', meaning: 'set the key yourself, at least 16 characters' } },
  run: ({ config, options }) =>
    withApp(config, async (operations) => {
      const made = unwrap(await operations.bootstrap({ apiKey: text(options['api-key']), timezone: localTimezone() }))
      const json = {
        base_url: config.baseUrl,
        api_key: made.apiKey,
        client_id: made.clientId,
        grant_id: made.grantId,
        configuration_id: made.configurationId,
        booking_url: `${config.baseUrl}/${made.clientId}/${made.slug}`,
      }
      const lines = Object.entries({ ...json, api_key: made.apiKey ?? '(made before; keys are shown once)' })
      return { json, text: lines.map(([name, value]) => `${name.padEnd(17)} ${value}`).join('\n') }
    }),
}

const createApplicationCommand: Command = {
  name: 'applications create',
  meaning: 'Make an application with its first key',
  options: { name: { type: 'string', value: 'NAME', meaning: 'what it is called' } },
  required: ['name'],
  run: ({ config, options }) =>
    withApp(config, async (operations) => {
      const { application, apiKey, keyId } = unwrap(await operations.createApplication(text(options.name) ?? ''))
      return {
        json: {
          application_id: application.id,
          client_id: application.id,
          name: application.name,
          api_key: apiKey,
          key_id: keyId,
        },
        text: `Application ${application.name}, client_id ${application.id}\nAPI key (shown only now): ${apiKey}`,
      }
    }),
}

const listApplicationsCommand: Command = {
  name: 'applications list',
  isAboutData: true,
  meaning: 'List the applications, oldest first',
  run: ({ config }) =>
    withApp(config, async (operations) => {
      const applications = unwrap(await operations.listApplications())
      return {
        json: applications.map(({ id, name, createdAt }) => ({
          application_id: id,
          client_id: id,
          name,
          created_at: isoOf(createdAt),
        })),
        text: applications.map(({ id, name }) => `${id}  ${name}`).join('\n') || 'There is no application yet.',
      }
    }),
}

const createKeyCommand: Command = {
  name: 'keys create',
  meaning: 'Make an API key',
  options: {
    name: { type: 'string', value: 'NAME', meaning: 'what it is for' },
    app: { type: 'string', value: 'ID', meaning: 'the application; the oldest one where absent' },
    'expires-days': { type: 'string', value: 'DAYS', meaning: 'how long it works; for good where absent' },
  },
  required: ['name'],
  run: async ({ config, options }) => {
    const expiresDays = readDays(options)
    return withApp(config, async (operations) => {
      const made = unwrap(
        await operations.createKey({ name: text(options.name) ?? '', applicationId: text(options.app), expiresDays }),
      )
      return {
        json: {
          api_key: made.apiKey,
          key_id: made.keyId,
          application_id: made.application.id,
          client_id: made.application.id,
        },
        text: `Key ${made.keyId} of application ${made.application.name} (${made.application.id})\nAPI key (shown only now): ${made.apiKey}`,
      }
    })
  },
}

function readDays(options: Invocation['options']): number | undefined {
  const value = text(options['expires-days'])
  if (value === undefined) return undefined
  const days = Number(value)
  if (!Number.isInteger(days) || days < 1 || days > 36_500)
    throw new UsageError('--expires-days must be a whole number from 1 to 36500.')
  return days
}

const listKeysCommand: Command = {
  name: 'keys list',
  isAboutData: true,
  meaning: 'List the keys of all applications; a key itself is never shown again',
  run: ({ config }) =>
    withApp(config, async (operations) => {
      const keys = unwrap(await operations.listKeys())
      const state = (key: (typeof keys)[number]) =>
        key.revokedAt !== null
          ? 'revoked'
          : key.expiresAt !== null && key.expiresAt <= Date.now()
            ? 'expired'
            : 'active'
      return {
        json: keys.map((key) => ({
          key_id: key.id,
          application_id: key.application.id,
          name: key.name,
          last_four: key.lastFour,
          state: state(key),
          created_at: isoOf(key.createdAt),
          expires_at: isoOf(key.expiresAt),
          revoked_at: isoOf(key.revokedAt),
          last_used_at: isoOf(key.lastUsedAt),
        })),
        text:
          keys
            .map((key) => `${key.id}  …${key.lastFour}  ${state(key)}  ${key.name}  (${key.application.name})`)
            .join('\n') || 'There is no key yet.',
      }
    }),
}

const revokeKeyCommand: Command = {
  name: 'keys revoke',
  isAboutData: true,
  meaning: 'Revoke a key, effective at once',
  operands: ['ID'],
  run: ({ config, operands }) =>
    withApp(config, async (operations) => {
      const id = operands.ID ?? ''
      const revoked = await operations.revokeKey(id)
      if (!revoked.ok && revoked.problem.kind === 'notFound')
        throw new Error(`There is no key ${id}; "openslot keys list" shows them.`)
      unwrap(revoked)
      return { json: { key_id: id, revoked: true }, text: `Key ${id} is revoked.` }
    }),
}

export const accountCommands: readonly Command[] = [
  bootstrapCommand,
  createApplicationCommand,
  listApplicationsCommand,
  createKeyCommand,
  listKeysCommand,
  revokeKeyCommand,
]
