/** Who may do what, where it is told, and what was agreed on: each change of it is in the audit log, or did not happen. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'

import { serverRole } from '../../../src/adapters/storage/migrations/migrations.ts'
import type { AppId } from '../../../src/core/ids.ts'
import type { Route } from '../../../src/http/route.ts'
import { groupEventRoutes } from '../../../src/http/routes/groupEvents.ts'
import { routes } from '../../../src/http/routes/routes.ts'
import { type Example, exampleOf, makeWorld, nameOf, pathOf } from '../../support/everyRoute.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { startTestServer } from '../../support/server.ts'

/** What asks, or tries out, and changes nothing; and what its owner does to calendars all day, of which notifications tell. */
const notAudited = [
  /^POST \/v3\/(grants\/:grant_id\/)?calendars\/(free-busy|availability)$/,
  /^POST \/v3\/webhooks\/(mock-payload|send-test-event)$/,
  / \/v3\/grants\/:grant_id\/(calendars|events)(\/:|$)/,
  /^POST \/v3\/grants\/:grant_id\/events\/:event_id\/send-rsvp$/,
  // Half an hour's use of one configuration, by whoever holds a key; what is done with it names it.
  / \/v3\/scheduling\/sessions/,
  /^POST \/v3\/mails\/:mail_id\/send$/,
  ...groupEventRoutes.map((route) => new RegExp(`^${nameOf(route).replace(/[/]/g, '\\/')}$`)),
]

const database = await createTestDatabase()
afterAll(() => database.drop())
const owner = new pg.Client(database.connection)
await owner.connect()
afterAll(() => owner.end())
// The worker has its part in the world and none in what follows, where every row counts.
const maker = await startTestServer({ connection: database.connection })
const world = await makeWorld(maker, maker, 'google')
await maker.close()
const server = await startTestServer({ connection: database.connection }, { ROLE: 'web', LOG_LEVEL: 'silent' })
const asked = (method: string, path: string, options = {}) =>
  server.request(method, path, { token: world.apiKey, ...options })
const receiver = (await asked('GET', '/v3/webhooks')).body.data[0].webhook_url as string

const audited = routes
  .filter((route) => route.method !== 'GET' && !notAudited.some((pattern) => pattern.test(nameOf(route))))
  .sort((a, b) => rank(a.method, a.path) - rank(b.method, b.path))

/** Those that destroy come last, and the grant, on which all else hangs, at the very end. */
function rank(method: string, path: string): number {
  if (method !== 'DELETE') return path === '/v3/connect/revoke' ? 1 : 0
  return path === '/v3/grants/:grant_id' ? 4 : path.includes('booking') ? 2 : 3
}

/** Where the example changes nothing, or stands in the way of what comes after it. */
const instead: Readonly<Record<string, () => Example>> = {
  'POST /v3/connect/revoke': () => ({ query: { token: world.accessToken } }),
  'POST /v3/webhooks': () => ({ body: { webhook_url: receiver, trigger_types: ['booking.created'] } }),
  'PUT /v3/scheduling/bookings/:booking_id': () => ({
    query: { configuration_id: world.ids.configuration_id },
    body: { salt: world.salt, status: 'confirmed' },
  }),
}

async function ask(route: Route): Promise<number> {
  const { query, body } = instead[nameOf(route)]?.() ?? exampleOf(route, world)
  const path = pathOf(route, world.ids, query)
  return (await asked(route.method, path, body === undefined ? {} : { body })).status
}

/** Every row of ours, by its table. */
async function readRows(): Promise<Record<string, string[]>> {
  const { rows: tables } = await owner.query(
    "select table_name as name from information_schema.tables where table_schema = 'openslot' and table_type = 'BASE TABLE'",
  )
  const found: Record<string, string[]> = {}
  for (const { name } of tables) {
    const { rows } = await owner.query(`select row::text as line from openslot.${name} as row order by 1`)
    found[name] = rows.map(({ line }) => line)
  }
  return found
}

beforeAll(async () => {
  // A configuration that is in use is not deleted.
  const ended = await asked('DELETE', `/v3/scheduling/sessions/${world.ids.session_id}`)
  expect(ended.status).toBe(200)
})

it('no request changes anything without its row', async () => {
  // Noted again only once a minute has passed.
  await owner.query('update openslot.api_keys set last_used_at = now()')
  await owner.query(`revoke insert on openslot.audit_log from ${serverRole}`)
  const before = await readRows()
  const statuses = new Map<string, number>()
  for (const route of audited) statuses.set(nameOf(route), await ask(route))
  const after = await readRows()
  await owner.query(`grant insert on openslot.audit_log to ${serverRole}`)
  expect([...statuses].filter(([, status]) => status !== 500)).toEqual([])
  expect(statuses.size).toBeGreaterThan(25)
  expect(after).toEqual(before)
})

type Row = { readonly action: string; readonly actor: string; readonly address: string | null }

/** What is in the log since there were so many rows in it. */
async function readAudit(since = 0): Promise<Row[]> {
  const { rows } = await owner.query(
    'select action, actor, address from openslot.audit_log where app_id = $1 order by id',
    [world.ids.client_id],
  )
  return rows.slice(since)
}

it('each change by a request leaves its row, which says who it was and from where', async () => {
  const actions = new Set<string>()
  for (const route of audited) {
    const { length } = await readAudit()
    expect(await ask(route), nameOf(route)).toBeLessThan(300)
    const made = await readAudit(length)
    const actor = route.path === '/v3/connect/revoke' ? `grant:${world.ids.grant_id}` : expect.stringMatching(/^key:/)
    expect(made, nameOf(route)).toEqual([{ action: expect.any(String), actor, address: '127.0.0.1' }])
    actions.add(made[0]?.action ?? '')
  }
  expect([...actions].sort()).toEqual(
    [
      ...['create', 'reschedule', 'confirm', 'cancel'].map((kind) => `booking.${kind}`),
      ...['create', 'update', 'delete'].map((kind) => `configuration.${kind}`),
      ...['grant', 'connector', 'callbackUri', 'webhook'].flatMap((noun) =>
        ['created', 'updated', 'deleted'].map((kind) => `${noun}.${kind}`),
      ),
      ...['application.updated', 'token.issued', 'token.revoked', 'webhook.secretRotated', 'webhook.replayed'],
    ].sort(),
  )
})

it('so does what a person at the terminal takes out, makes or ends', async () => {
  const { operations } = server.app
  const appId = world.ids.client_id as AppId
  const { length } = await readAudit()
  const made = await operations.createKey({ name: 'extra', applicationId: appId })
  if (!made.ok) throw new Error(made.problem.message)
  await operations.revokeKey(made.value.keyId)
  await operations.exportGuest({ appId, email: 'gil@guest.example' })
  await operations.eraseGuest({ appId, email: 'gil@guest.example' })
  const directory = mkdtempSync(join(tmpdir(), 'openslot-audited-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  await operations.backUp({ file: join(directory, 'backup'), onRows: () => {} })
  const rows = await readAudit(length)
  expect(rows.map(({ action }) => action)).toEqual([
    ...['key.created', 'key.revoked', 'guest.export', 'guest.erase', 'backup.made'],
  ])
  expect(rows.filter(({ actor, address }) => actor !== 'cli' || address !== null)).toEqual([])
})
