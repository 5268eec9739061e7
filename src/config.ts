// The server's settings: read from the environment once, checked, with every default written here.
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'

import ipaddr from 'ipaddr.js'

export type Role = 'all' | 'web' | 'worker'

export type Config = {
  readonly port: number
  readonly host: string
  /** Where guests and webhooks reach this server, without a trailing slash; absent: made of host and port. */
  readonly baseUrl: string
  readonly dataDirectory: string
  /** Absent: the embedded PostgreSQL under `dataDirectory`. */
  readonly databaseUrl: string | undefined
  /** Keys that seal secrets, as `kid:base64` separated by commas; absent: kept in `dataDirectory/master.key`. */
  readonly masterKey: string | undefined
  readonly logLevel: LogLevel
  /** Private networks that webhooks may reach, as CIDR. */
  readonly allowPrivateNetwork: readonly string[]
  /** Private networks where calendar servers may stand, as CIDR. */
  readonly allowPrivateCalendars: readonly string[]
  readonly rateLimit: 'on' | 'shared' | 'off'
  /** Addresses whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: readonly string[]
  readonly role: Role
  readonly syncing: SyncConfig
  /** After a booking's end: so long names, addresses and answers of its guests are kept. */
  readonly guestDataDays: number
  readonly mail: MailConfig
}

/** Of calendars elsewhere. */
export type SyncConfig = { readonly everySeconds: number; readonly maxAgeSeconds: number }

export type MailConfig = {
  /** Absent: mails are kept and not sent. */
  readonly smtpUrl: string | undefined
  readonly from: { readonly name: string; readonly email: string }
  /** `key`: PEM text of a private RSA key. */
  readonly dkim: { readonly selector: string; readonly key: string } | undefined
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
const roles = ['all', 'web', 'worker'] as const

/** Every setting, in the order in which the manual lists them. */
export const settings = [
  { name: 'PORT', fallback: '3000', meaning: 'The TCP port to listen on, 0–65535; 0 takes a free one.' },
  { name: 'HOST', fallback: '127.0.0.1', meaning: 'The address to listen on; `0.0.0.0` for every interface.' },
  {
    name: 'BASE_URL',
    fallback: 'http://localhost:PORT',
    meaning: 'The public address of this server, for links in mails and webhooks. `Host` headers are never believed.',
  },
  {
    name: 'DATA_DIR',
    fallback: './data',
    meaning: 'Where the embedded PostgreSQL and the generated master key live.',
  },
  {
    name: 'DATABASE_URL',
    fallback: '',
    meaning: 'A PostgreSQL 15 or newer, `postgres://user:password@host/database`. Empty: the embedded PostgreSQL.',
  },
  {
    name: 'MASTER_KEY',
    fallback: '',
    meaning:
      'Keys that seal secrets: `kid:base64 of 32 bytes`, several separated by commas; the first seals, all open. ' +
      'Empty: made at the first start in `DATA_DIR/master.key`. Required with `DATABASE_URL` when several machines serve.',
  },
  { name: 'LOG_LEVEL', fallback: 'info', meaning: `One of ${logLevels.join(', ')}.` },
  {
    name: 'ALLOW_PRIVATE_NETWORK',
    fallback: '',
    meaning: 'Private networks that webhooks may reach: addresses or CIDR blocks, separated by commas.',
  },
  {
    name: 'ALLOW_PRIVATE_CALENDARS',
    fallback: '',
    meaning: 'Private networks where calendar servers (CalDAV, Exchange) may stand; written in the same way.',
  },
  {
    name: 'RATE_LIMIT',
    fallback: 'on',
    meaning:
      '`on` counts in this process. `shared` for several processes that answer requests on one database. `off` for load tests only.',
  },
  {
    name: 'TRUSTED_PROXIES',
    fallback: '',
    meaning:
      'Addresses or CIDR blocks of proxies whose `X-Forwarded-For` is believed, separated by commas; never everybody (`0.0.0.0/0`).',
  },
  {
    name: 'SMTP_URL',
    fallback: '',
    meaning:
      'The mail server to send through, `smtp://user:password@host:port` or `smtps://…`. Empty: mails are kept and can be read, and none is sent.',
  },
  {
    name: 'MAIL_FROM',
    fallback: '',
    meaning: 'Who mails are from, `Name <address>` or an address. Required with `SMTP_URL`.',
  },
  {
    name: 'DKIM_SELECTOR',
    fallback: '',
    meaning: "The selector of the DKIM key in the DNS of `MAIL_FROM`'s domain. Empty: mails are not signed here.",
  },
  {
    name: 'DKIM_KEY',
    fallback: '',
    meaning: 'The private DKIM key, RSA: PEM, or the path of a PEM file. Required with `DKIM_SELECTOR`.',
  },
  {
    name: 'CALENDAR_SYNC_SECONDS',
    fallback: '120',
    meaning: 'How often each calendar at a provider is asked what changed, in seconds: 1–86400.',
  },
  {
    name: 'BUSY_MAX_AGE_SECONDS',
    fallback: '300',
    meaning:
      'How old what is known of a calendar may be for slots to be offered by it, in seconds: 1–86400. Older, it is read anew while the guest waits. A booking always asks the calendar itself.',
  },
  {
    name: 'GUEST_DATA_DAYS',
    fallback: '365',
    meaning:
      "How many days after a booking's end its guests' names, addresses, answers and reasons are kept, 30–36500; then they are blanked. So are addresses in the audit log that are as old.",
  },
  { name: 'ROLE', fallback: 'all', meaning: '`web` answers requests, `worker` runs jobs, `all` does both.' },
] as const

type SettingName = (typeof settings)[number]['name']
/** Both ends are included. */
type Span = { readonly from: number; readonly to: number; readonly of: string }
type Environment = Readonly<Record<string, string | undefined>>

/** What is wrong with the settings, one sentence for each, for the person at the terminal. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Throws `ConfigError` naming every setting that cannot be used. */
export function loadConfig(environment: Environment): Config {
  const complaints: string[] = []
  const text = (name: SettingName) => environment[name]?.trim() ?? ''
  const list = (name: SettingName) =>
    text(name)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  const oneOf = <T extends string>(name: SettingName, allowed: readonly T[], fallback: T): T => {
    const value = text(name) === '' ? fallback : text(name)
    const found = allowed.find((candidate) => candidate === value)
    if (found === undefined) complaints.push(`${name} must be one of ${allowed.join(', ')}, not "${value}".`)
    return found ?? fallback
  }

  const port = Number(text('PORT') === '' ? '3000' : text('PORT'))
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    complaints.push('PORT must be a whole number from 0 to 65535.')

  const baseUrl = text('BASE_URL').replace(/\/+$/, '')
  if (baseUrl !== '' && !isWebAddress(baseUrl)) complaints.push('BASE_URL must be an http or https address.')

  const databaseUrl = text('DATABASE_URL')
  if (databaseUrl !== '' && !/^postgres(ql)?:\/\//.test(databaseUrl))
    complaints.push('DATABASE_URL must begin with postgres:// or postgresql://.')

  for (const name of ['ALLOW_PRIVATE_NETWORK', 'ALLOW_PRIVATE_CALENDARS', 'TRUSTED_PROXIES'] as const)
    for (const network of list(name))
      if (!isNetwork(network))
        complaints.push(`${name} lists "${network}", which is neither an address nor a CIDR block.`)
  for (const network of list('TRUSTED_PROXIES'))
    if (/\/0+$/.test(network))
      complaints.push(
        `TRUSTED_PROXIES lists "${network}", which is everybody: then all could give themselves any address. Name the networks of the proxies.`,
      )

  const whole = (name: SettingName, fallback: number, { from, to, of }: Span): number => {
    const value = text(name) === '' ? fallback : Number(text(name))
    if (!Number.isInteger(value) || value < from || value > to)
      complaints.push(`${name} must be a whole number of ${of} from ${from} to ${to}.`)
    return value
  }
  const withinDay = { from: 1, to: 86_400, of: 'seconds' }
  const mail = readMail(text, complaints, baseUrl)
  const host = URL.parse(baseUrl)?.hostname ?? 'localhost'
  for (const name of ['ALLOW_PRIVATE_NETWORK', 'ALLOW_PRIVATE_CALENDARS'] as const)
    if (list(name).some(isLoopback) && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(host))
      complaints.push(
        `${name} lists this machine itself, which is for development; BASE_URL must then be on localhost.`,
      )

  const config: Config = {
    port,
    host: text('HOST') === '' ? '127.0.0.1' : text('HOST'),
    baseUrl: baseUrl === '' ? `http://localhost:${port}` : baseUrl,
    dataDirectory: text('DATA_DIR') === '' ? './data' : text('DATA_DIR'),
    databaseUrl: databaseUrl === '' ? undefined : databaseUrl,
    masterKey: text('MASTER_KEY') === '' ? undefined : text('MASTER_KEY'),
    logLevel: oneOf('LOG_LEVEL', logLevels, 'info'),
    allowPrivateNetwork: list('ALLOW_PRIVATE_NETWORK'),
    allowPrivateCalendars: list('ALLOW_PRIVATE_CALENDARS'),
    rateLimit: oneOf('RATE_LIMIT', ['on', 'shared', 'off'] as const, 'on'),
    trustedProxies: list('TRUSTED_PROXIES'),
    role: oneOf('ROLE', roles, 'all'),
    syncing: {
      everySeconds: whole('CALENDAR_SYNC_SECONDS', 120, withinDay),
      maxAgeSeconds: whole('BUSY_MAX_AGE_SECONDS', 300, withinDay),
    },
    guestDataDays: whole('GUEST_DATA_DAYS', 365, { from: 30, to: 36_500, of: 'days' }),
    mail,
  }
  if (complaints.length > 0) throw new ConfigError(complaints.join('\n'))
  return config
}

function readMail(text: (name: SettingName) => string, complaints: string[], baseUrl: string): MailConfig {
  const smtpUrl = text('SMTP_URL')
  if (smtpUrl !== '' && !isMailServer(smtpUrl))
    complaints.push('SMTP_URL must begin with smtp:// or smtps:// and name a host.')
  const named = /^(?:(.*?)\s*<([^\s@<>"]+@[^\s@<>"]+)>|([^\s@<>"]+@[^\s@<>"]+))$/.exec(text('MAIL_FROM'))
  if (named === null && (smtpUrl !== '' || text('MAIL_FROM') !== ''))
    complaints.push('MAIL_FROM must be an address, or a name followed by an address in angle brackets.')
  const selector = text('DKIM_SELECTOR')
  const key = text('DKIM_KEY')
  if ((selector === '') !== (key === '')) complaints.push('DKIM_SELECTOR and DKIM_KEY must be set together.')
  return {
    smtpUrl: smtpUrl === '' ? undefined : smtpUrl,
    from: {
      name: named === null ? 'OpenSlot' : (named[1] ?? '').replace(/^"(.*)"$/, '$1'),
      email: named?.[2] ?? named?.[3] ?? `no-reply@${URL.parse(baseUrl)?.hostname ?? 'localhost'}`,
    },
    dkim: selector === '' || key === '' ? undefined : { selector, key: readDkimKey(key, complaints) },
  }
}

/** The PEM text that was given, or that stands in the file that was named. Keys of another kind would sign nothing. */
function readDkimKey(given: string, complaints: string[]): string {
  let pem = given
  try {
    if (!given.includes('-----BEGIN ')) pem = readFileSync(given, 'utf8')
  } catch (error) {
    // Not what was given: it may be a key whose first line was lost.
    complaints.push(`DKIM_KEY names a file that cannot be read (${(error as { code?: string }).code}).`)
    return given
  }
  if (!isPrivateRsaKey(pem))
    complaints.push('DKIM_KEY must be a private RSA key as PEM, without a passphrase, or the path of a file with one.')
  return pem
}

function isPrivateRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa'
  } catch {
    // Whatever it says of the text: it is no key that can be used, and the sentence must not repeat what may be one.
    return false
  }
}

function isMailServer(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^smtps?:$/.test(url.protocol) && url.hostname !== ''
}

function isNetwork(text: string): boolean {
  const [, address = '', bits = '0'] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return Number(bits) <= 32
  return ipaddr.IPv6.isValid(address) && Number(bits) <= 128
}

/** Anything else on this machine could be called by whoever names a webhook URL. */
export function isLoopback(network: string): boolean {
  const address = network.replace(/\/.*/s, '')
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'
}

function isWebAddress(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
}
