/** The server under measurement, on the database it is told, with eight hosts open round the clock and a ninth with working hours, a configuration for each. */
import { pino } from 'pino'

import { insertApplication, insertKey } from '../src/adapters/storage/accounts.ts'
import type { Connection } from '../src/adapters/storage/connection.ts'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'

const connection = JSON.parse(process.argv[2] ?? '') as Connection
const config = loadConfig({
  PORT: '0',
  MASTER_KEY: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
  RATE_LIMIT: 'off',
  ALLOW_PRIVATE_NETWORK: '127.0.0.0/8',
  LOG_LEVEL: 'warn',
})
const app = await buildApp(config, { connection, logger: pino({ level: 'error' }) })
const { address = '' } = await app.start()
const application = await insertApplication(app.database, 'bench')
const { token } = await insertKey(app.database, application, { name: 'bench' })

const call = async (method: string, path: string, body: object) => {
  const response = await fetch(`${address}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as { data: { id: string } }
  if (!response.ok) throw new Error(JSON.stringify(answer))
  return answer.data.id
}

const configurations: string[] = []
const calendars: { grantId: string; calendarId: string }[] = []
for (let host = 0; host < 9; host++) {
  const email = `host${host}@bench.example`
  const grantId = await call('POST', '/v3/connect/custom', { provider: 'virtual-calendar', settings: { email } })
  calendars.push({
    grantId,
    calendarId: await call('POST', `/v3/grants/${grantId}/calendars`, { name: 'Primary', timezone: 'UTC' }),
  })
  configurations.push(
    await call('POST', `/v3/grants/${grantId}/scheduling/configurations`, {
      name: 'Bench',
      participants: [
        { email, is_organizer: true, availability: { calendar_ids: ['primary'] }, booking: { calendar_id: 'primary' } },
      ],
      availability: {
        duration_minutes: 30,
        interval_minutes: 30,
        availability_rules: {
          default_open_hours: host === 8 ? [{ days: [1, 2, 3, 4, 5], start: '9:00', end: '17:00' }] : [],
        },
      },
      event_booking: { title: 'Bench', timezone: 'Europe/Berlin' },
      scheduler: { min_booking_notice: 0, available_days_in_future: 3_650 },
    }),
  )
}
process.stdout.write(`${JSON.stringify({ url: address, appId: application.id, configurations, calendars })}\n`)
process.on('SIGTERM', () => void app.close())
