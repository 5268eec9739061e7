/** A whole server on a database of its own: real HTTP, real PostgreSQL, an application and its key. */
import { pino } from 'pino'
import { afterAll } from 'vitest'

import { insertApplication, insertKey } from '../../src/adapters/storage/accounts.ts'
import { type App, buildApp, type Overrides } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { findViolations } from './contract.ts'
import { createTestDatabase } from './postgres.ts'

export type Reply = { readonly status: number; readonly body: any; readonly headers: Headers }

export type RequestOptions = {
  readonly body?: unknown
  /** A bearer token; null sends none; absent sends the test application's key. */
  readonly token?: string | null
  readonly headers?: Record<string, string>
}

export type TestServer = {
  readonly url: string
  readonly app: App
  readonly apiKey: string
  readonly clientId: string
  request(method: string, path: string, options?: RequestOptions): Promise<Reply>
  /** Another application on the same server, with its key. */
  otherApplication(): Promise<{ apiKey: string; clientId: string }>
  close(): Promise<void>
}

/** Closed by itself after the file's last test. `environment` is laid over the defaults. */
export async function startTestServer(
  overrides: Overrides = {},
  environment: Record<string, string> = {},
): Promise<TestServer> {
  const database = overrides.connection === undefined ? await createTestDatabase() : undefined
  const config = loadConfig({
    PORT: '0',
    BASE_URL: 'http://localhost:3000',
    MASTER_KEY: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'error',
    // Receivers of webhooks and calendar servers listen on this machine, which a server with a public address never calls.
    ...(environment.BASE_URL === undefined
      ? { ALLOW_PRIVATE_NETWORK: '127.0.0.0/8', ALLOW_PRIVATE_CALENDARS: '127.0.0.0/8' }
      : {}),
    ...environment,
  })
  const app = await buildApp(config, {
    onAnswer: (answered) => {
      const violations = findViolations(answered)
      // Thrown into the route, so that the very request which is answered wrongly answers 500, and the log says why.
      if (violations.length > 0) throw new Error(`the answer breaks the contract:\n${violations.join('\n')}`)
    },
    logger: pino({ level: config.logLevel }),
    ...(database === undefined ? {} : { connection: database.connection }),
    ...overrides,
  })
  const { address = '' } = await app.start()
  const makeApplication = async (name: string) => {
    const application = await insertApplication(app.database, name)
    const { token } = await insertKey(app.database, application, { name: 'test' })
    return { apiKey: token, clientId: application.id as string }
  }
  const own = await makeApplication('test')
  let isOpen = true
  const close = async () => {
    if (!isOpen) return
    isOpen = false
    await app.close()
    await database?.drop()
  }
  afterAll(close)
  return {
    url: address,
    app,
    ...own,
    request: (method, path, options = {}) => send(address, method, path, { token: own.apiKey, ...options }),
    otherApplication: () => makeApplication('other'),
    close,
  }
}

async function send(
  url: string,
  method: string,
  path: string,
  { body, token, headers }: RequestOptions,
): Promise<Reply> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === null || token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
}
