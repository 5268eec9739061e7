/** Every statement that touches our tables names its application; the few that cannot are listed here, with the reason. */
import { beforeAll, describe, expect, it } from 'vitest'

import { groupEventRoutes } from '../../../src/http/routes/groupEvents.ts'
import { routes } from '../../../src/http/routes/routes.ts'
import { exampleOf, makeWorld, nameOf, pathOf, type World } from '../../support/everyRoute.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

const statements = new Set<string>()
let server: TestServer
let world: World
const statuses: Record<string, number> = {}

/** What finds the application in the first place. */
const findsTheApplication = [
  /^select app_id as id from openslot\.applications where code = \$1$/,
  /^select app_id as "appId" from openslot\.api_keys where secret_hash = \$1 limit 1$/,
  // At the start: whose data keys have to open.
  /^select app_id as "appId" from openslot\.applications order by created_at, app_id$/,
  // The worker's look for what is due, in whichever application.
  /^select app_id as "appId" from openslot\.webhook_events where fanned_out_at is null union select app_id from openslot\.deliveries where kind = 'webhook' and state = 'ready'/,
  /^with due as materialized \( select app_id, grant_id, calendar_id from \( select .* from openslot\.mirrors where due_at <= now\(\)\) as waiting/,
]

beforeAll(async () => {
  server = await startTestServer({ onStatement: (text) => statements.add(text.replace(/\s+/g, ' ').trim()) })
  world = await makeWorld(server, server, 'google')
  const ordered = [...routes].sort((a, b) => rank(a.method, a.path) - rank(b.method, b.path))
  for (const route of ordered) {
    const { query, body } = exampleOf(route, world)
    const token =
      route.path === '/v3/grants/me'
        ? world.accessToken
        : route.guard === 'scheduler'
          ? world.ids.session_id
          : world.apiKey
    const reply = await server.request(route.method, pathOf(route, world.ids, query), {
      token,
      ...(body === undefined ? {} : { body }),
    })
    statuses[nameOf(route)] = reply.status
  }
  for (const path of [
    '/v3/applications',
    `/v3/scheduling/ui-settings?slug=${world.ids.slug}&client_id=${world.ids.client_id}`,
  ])
    await server.request('GET', path, { token: path.includes('slug') ? null : 'a-key-made-by-hand-0123456789' })
})

/** Those that destroy come last, and the grant, on which all else hangs, at the very end. */
function rank(method: string, path: string): number {
  if (method !== 'DELETE') return 0
  return path === '/v3/grants/:grant_id' ? 3 : path.includes('booking') ? 1 : 2
}

describe('every statement', () => {
  it('was seen: all routes were asked, and most said yes', () => {
    const notServed = groupEventRoutes.map(nameOf)
    const refused = Object.entries(statuses).filter(([name, status]) => status >= 400 && !notServed.includes(name))
    expect(refused.filter(([, status]) => status >= 500)).toEqual([])
    expect(refused.length, JSON.stringify(refused)).toBeLessThan(12)
    expect(statements.size).toBeGreaterThan(60)
  })

  it('names the application for each of our tables that it names', () => {
    const wrong: string[] = []
    for (const text of statements) {
      if (findsTheApplication.some((pattern) => pattern.test(text))) continue
      const tables = [...text.matchAll(/\b(?:from|join|update|into)\s+openslot\.(\w+)/gi)]
      if (tables.length === 0) continue
      const scopes = [...text.matchAll(/\bapp_id\b/g)].length
      const isBound =
        /\bapp_id = (\$\d+|any\(\$\d+)/.test(text) ||
        /insert into openslot\.\w+ (?:as \w+ )?\((?:[^)]*, )?app_id\b/.test(text)
      // Each table needs a condition or a column of its own: a join that forgets one would read across applications.
      if (!isBound || scopes < tables.length) wrong.push(text)
    }
    expect(wrong).toEqual([])
  })

  it('names our tables in full, so that no search path decides what is read', () => {
    const bare = [...statements].filter((text) =>
      /\b(from|join|update|into)\s+(applications|api_keys|sessions|grants|calendars|events|bookings|configurations|claims|connectors)\b/i.test(
        text,
      ),
    )
    expect(bare).toEqual([])
  })

  it('comes as text with parameters: no value of a request stands in it', () => {
    const values = [
      world.host.email,
      world.ids.grant_id,
      world.ids.booking_id,
      world.ids.slug,
      'Gil Guest',
      'gil@guest.example',
      'Renamed',
    ]
    for (const text of statements) for (const value of values) expect(text).not.toContain(value)
  })
})
