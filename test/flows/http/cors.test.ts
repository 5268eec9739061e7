/** Pages of other sites may call what guests and editors need, and nothing that asks for a key. */
import { beforeAll, describe, expect, it } from 'vitest'

import { routes } from '../../../src/http/routes/routes.ts'
import { type RawReply, rawRequest } from '../../support/rawHttp.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})

const origin = 'https://shop.example'
const asked = [
  'authorization',
  'content-type',
  'x-source',
  'x-nylas-web-elements-version',
  'x-nylas-application-public-id',
  'idempotency-key',
]

/** What guests' pages call, and every path of a grant and its token as the editor spells it. */
const forBrowsers = [
  ...new Set(
    routes
      .filter(
        ({ path, guard }) =>
          guard === 'scheduler' || guard === 'grant' || /^\/v3\/(grants\/me|connect\/token(info)?)$/.test(path),
      )
      .map(({ path }) => path.replace('/:grant_id', '/me').replace(/:\w+/g, 'x')),
  ),
]
const forKeys = [
  ...new Set(
    routes
      .filter(({ path, guard }) => guard !== 'scheduler' && !/^\/v3\/(grants\/me|connect\/token(info)?)$/.test(path))
      .map(({ path }) => path.replace(/:\w+/g, 'x')),
  ),
]

const preflight = (path: string, method: string) =>
  rawRequest(server.url, {
    method: 'OPTIONS',
    path,
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': asked.join(',') },
  })
const corsHeaders = ({ headers }: RawReply) => Object.keys(headers).filter((name) => name.startsWith('access-control-'))

describe('a preflight', () => {
  it('is answered without a credential on every path that components and editors call', async () => {
    expect(forBrowsers.length).toBeGreaterThan(15)
    for (const path of forBrowsers)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const reply = await preflight(path, method)
        expect(reply.status, path).toBe(204)
        expect(reply.headers['access-control-allow-origin'], path).toBe('*')
        expect(String(reply.headers['access-control-allow-methods']), path).toContain(method)
        const allowed = String(reply.headers['access-control-allow-headers'])
          .toLowerCase()
          .split(/\s*,\s*/)
        for (const name of asked) expect(allowed, path).toContain(name)
        expect(reply.headers).not.toHaveProperty('access-control-allow-credentials')
      }
  })

  it('is refused where a key is asked for', async () => {
    expect(forKeys.length).toBeGreaterThan(15)
    expect(forKeys).toEqual(
      expect.arrayContaining([
        '/v3/scheduling/sessions',
        '/v3/scheduling/sessions/x',
        '/v3/scheduling/should-redirect/x',
        '/v3/grants/x/scheduling/configurations',
      ]),
    )
    for (const path of forKeys) {
      const reply = await preflight(path, 'GET')
      expect({ path, cors: corsHeaders(reply) }).toEqual({ path, cors: [] })
      // OAuth knows no 404.
      expect(reply.status, path).toBe(path === '/v3/connect/revoke' ? 400 : 404)
    }
  })
})

describe('an answer', () => {
  it('can be read by the page, also when it is a refusal', async () => {
    const cases = [
      ['GET', '/v3/scheduling/ui-settings', 400],
      [
        'GET',
        '/v3/scheduling/availability?configuration_id=00000000-0000-4000-8000-000000000000&start_time=1&end_time=2',
        404,
      ],
      ['GET', '/v3/scheduling/bookings/%', 400],
      ['GET', '/v3/scheduling/ui-settings/', 400],
      ['PATCH', '/v3/scheduling/ui-settings', 404],
      ['GET', '/v3/grants/me', 401],
      ['GET', `/v3/scheduling/ui-settings?slug=${'a'.repeat(9_000)}`, 413],
    ] as const
    for (const [method, path, status] of cases) {
      const reply = await rawRequest(server.url, { method, path, headers: { origin } })
      expect({ path: path.slice(0, 60), status: reply.status }).toEqual({ path: path.slice(0, 60), status })
      expect(reply.headers['access-control-allow-origin'], path).toBe('*')
      expect(String(reply.headers['access-control-expose-headers']), path).toContain('x-request-id')
    }
    const session = await rawRequest(server.url, {
      method: 'GET',
      path: '/v3/scheduling/ui-settings',
      headers: { origin, authorization: 'Bearer gone' },
    })
    expect(JSON.parse(session.text).error.type).toBe('invalid_session')
    expect(session.headers['access-control-allow-origin']).toBe('*')
  })

  it('of a key route is closed to pages, and so is one of no route', async () => {
    for (const path of [...forKeys, '/v3/scheduling/nowhere', '/v3/scheduling/bookings/x/nowhere']) {
      const reply = await rawRequest(server.url, {
        method: 'GET',
        path,
        headers: { origin, authorization: `Bearer ${server.apiKey}` },
      })
      expect({ path, cors: corsHeaders(reply) }).toEqual({ path, cors: [] })
    }
  })
})
