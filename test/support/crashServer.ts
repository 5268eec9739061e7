/**
 * A program for tests: a whole server on the database it is told, with calendars that count as remote. It says its address
 * as a line of JSON and stops at SIGTERM; told so, it kills itself without warning at the given call of a calendar.
 */
import { pino } from 'pino'
import type { Connection } from '../../src/adapters/storage/database/connection.ts'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { faultyCalendars, type Step } from './calendars/faultyCalendars.ts'

export type CrashOrders = {
  readonly connection: Connection
  /** Laid over settings that are good for tests. */
  readonly environment?: Readonly<Record<string, string>>
  /** The call of `step`, after `skipped` others, before which or after which the process dies. Absent: local calendars, no death. */
  readonly die?: { readonly step: Step; readonly skipped?: number; readonly when: 'before' | 'after' }
}

const orders = JSON.parse(process.argv[2] ?? '') as CrashOrders
const calendars = faultyCalendars()
const app = await buildApp(
  loadConfig({
    PORT: '0',
    MASTER_KEY: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'error',
    ROLE: 'web',
    // Calendar servers of the tests are on this machine.
    ALLOW_PRIVATE_CALENDARS: '127.0.0.0/8',
    ...orders.environment,
  }),
  {
    logger: pino({ level: 'error' }),
    connection: orders.connection,
    ...(orders.die === undefined ? {} : { providers: calendars.providers }),
  },
)
const { address } = await app.start()
if (orders.die !== undefined) {
  const { step, skipped = 0, when } = orders.die
  void calendars
    .once(step, when === 'before' ? 'hangBefore' : 'hangAfter', skipped)
    .then(() => process.kill(process.pid, 'SIGKILL'))
}
console.log(JSON.stringify({ address }))
process.once('SIGTERM', () => void app.close())
