/** A program for tests: a worker on the database it is told, which says so as a line of JSON and stops at SIGTERM. */
import { pino } from 'pino'

import type { Connection } from '../../src/adapters/storage/database/connection.ts'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'

const config = loadConfig({
  MASTER_KEY: `test:${Buffer.alloc(32, 7).toString('base64')}`,
  LOG_LEVEL: 'error',
  ROLE: 'worker',
  ALLOW_PRIVATE_NETWORK: '127.0.0.0/8',
})
const connection = JSON.parse(process.argv[2] ?? '') as Connection
const app = await buildApp(config, { logger: pino({ level: 'error' }), connection })
await app.start()
console.log(JSON.stringify({ isRunning: true }))
process.once('SIGTERM', () => void app.close())
