/** The server under measurement, on the database it is told, with an application and its key. */
import { pino } from 'pino'

import { insertApplication, insertKey } from '../src/adapters/storage/accounts.ts'
import type { Connection } from '../src/adapters/storage/database/connection.ts'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'

const connection = JSON.parse(process.argv[2] ?? '') as Connection
const config = loadConfig({
  PORT: '0',
  MASTER_KEY: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
  RATE_LIMIT: 'off',
  ALLOW_PRIVATE_NETWORK: '127.0.0.0/8',
  ALLOW_PRIVATE_CALENDARS: '127.0.0.0/8',
  LOG_LEVEL: 'warn',
})
const app = await buildApp(config, { connection, logger: pino({ level: 'error' }) })
const { address = '' } = await app.start()
const application = await insertApplication(app.database, 'bench')
const { token } = await insertKey(app.database, application, { name: 'bench' })

process.stdout.write(`${JSON.stringify({ url: address, token })}\n`)
process.on('SIGTERM', () => void app.close())
