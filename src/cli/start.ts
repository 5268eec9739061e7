// `openslot start`: serves until a signal comes, then lets everything in flight end.
import { waitForDatabase } from '../adapters/storage/database/waitForDatabase.ts'
import { type App, buildApp } from '../app.ts'
import type { Config } from '../config.ts'
import { localTimezone } from './accounts.ts'
import type { Answer, Command } from './command.ts'
import { explain } from './explain.ts'
import { unwrap } from './withApp.ts'

export const startCommand: Command = {
  name: 'start',
  meaning: 'Serve until a signal comes; the first start makes something to book and tells how',
  run: async ({ config, options, progress }) => {
    const signal = nextSignal()
    if (!(await isDatabaseThere(config, progress, signal))) return { json: undefined, text: '' }
    const app = await buildApp(config)
    try {
      const { address } = await app.start()
      const { json, text } = await greet(app, config, address)
      process.stdout.write(options.json === true ? `${JSON.stringify(json)}\n` : `${text}\n`)
      await signal
      return { json: undefined, text: '' }
    } finally {
      await app.close()
    }
  },
}

const databasePatienceMs = 60_000

/** Machines start their services together, and the database may take longer. False where a signal came meanwhile. */
async function isDatabaseThere(
  { databaseUrl }: Config,
  progress: (line: string) => void,
  signal: Promise<void>,
): Promise<boolean> {
  // The embedded one is started by us, and waited for there.
  if (databaseUrl === undefined) return true
  const stop = new AbortController()
  void signal.then(() => stop.abort())
  return waitForDatabase(
    { url: databaseUrl },
    {
      patienceMs: databasePatienceMs,
      onAway: (error) => progress(`openslot: waiting for the database. ${explain(error)}`),
      signal: stop.signal,
    },
  )
}

/** Ctrl-C comes from the terminal, and from npm and the launcher, which have heard it too: within this it is one. */
const echoMs = 1_000

/** The first signal asks for an end; a second one ends the process at once. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    let stoppingSince: number | undefined
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(name, () => {
        if (stoppingSince !== undefined && performance.now() - stoppingSince > echoMs) process.exit(1)
        stoppingSince ??= performance.now()
        resolve()
      })
  })
}

async function greet(app: App, config: Config, address: string | undefined): Promise<Answer> {
  if (address === undefined)
    return { json: { ready: true, address: null }, text: `OpenSlot works on jobs.\n${describeMail(config)}` }
  // Port 0 is a free one, which is known only now.
  const baseUrl = config.port === 0 ? config.baseUrl.replace(/:0$/, `:${new URL(address).port}`) : config.baseUrl
  const ready = {
    json: { ready: true, address, base_url: baseUrl, mail: config.mail.smtpUrl === undefined ? 'kept' : 'sent' },
    text: `OpenSlot is ready at ${address}\n${describeMail(config)}`,
  }
  if (unwrap(await app.operations.listApplications()).length > 0) return ready
  const made = unwrap(await app.operations.bootstrap({ apiKey: undefined, timezone: localTimezone() }))
  const curl = await bookNextSlot(app, made.configurationId, baseUrl)
  return {
    json: {
      ...ready.json,
      api_key: made.apiKey,
      client_id: made.clientId,
      grant_id: made.grantId,
      configuration_id: made.configurationId,
      booking_url: `${baseUrl}/${made.clientId}/${made.slug}`,
      curl,
    },
    text: [
      ready.text,
      '',
      `Book the demo host in the browser: ${baseUrl}/${made.clientId}/${made.slug}`,
      '',
      ...(curl === undefined ? [] : ['Or book the next free slot from here:', '', curl, '']),
      ...(made.apiKey === null ? [] : [`API key (shown only now): ${made.apiKey}`]),
      `Try the API in the browser: ${baseUrl}/docs`,
    ].join('\n'),
  }
}

function describeMail({ mail }: Config): string {
  return mail.smtpUrl === undefined
    ? 'Mails are kept and not sent, because SMTP_URL is not set; "openslot mail list" shows them.'
    : `Mails are sent from ${mail.from.email}.`
}

/** A line to paste; undefined where no slot is free in the days to come. */
async function bookNextSlot(app: App, configurationId: string, baseUrl: string): Promise<string | undefined> {
  const now = Math.floor(Date.now() / 1_000)
  const question = { configuration_id: configurationId, start_time: now, end_time: now + 30 * 86_400 }
  const { time_slots: slots } = JSON.parse(unwrap(await app.operations.findSlots({ kind: 'anyone' }, question))) as {
    time_slots: { start_time: number; end_time: number }[]
  }
  const [slot] = slots
  if (slot === undefined) return undefined
  const body = {
    start_time: slot.start_time,
    end_time: slot.end_time,
    participants: [],
    guest: { name: 'Ada Guest', email: 'ada@guest.example' },
  }
  return `curl --request POST '${baseUrl}/v3/scheduling/bookings?configuration_id=${configurationId}' --header 'Content-Type: application/json' --data '${JSON.stringify(body)}'`
}
