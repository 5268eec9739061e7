/** What every answer carries, whatever it says: successes, refusals, pages, and answers given before any route is found. */
import { beforeAll, describe, expect, it } from 'vitest'

import { rawRequest } from '../../support/rawHttp.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let secure: TestServer

beforeAll(async () => {
  server = await startTestServer()
  secure = await startTestServer({}, { BASE_URL: 'https://book.example' })
})

const always = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': '',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
}
const requests = [
  ['GET', '/healthz', 200],
  ['GET', '/openapi.json', 200],
  ['GET', '/docs/', 200],
  ['GET', '/v3/applications', 401],
  ['GET', '/nowhere', 404],
  ['DELETE', '/healthz', 404],
  ['GET', '/v3/grants/%', 400],
  ['GET', `/v3/grants/${'a'.repeat(2_000)}`, undefined],
  ['GET', '/v3/scheduling/availability', 400],
  ['HEAD', '/healthz', 200],
  ['PROPFIND', '/v3/applications', 404],
] as const

describe('every answer', () => {
  it.each(requests)('%s %s carries the headers, and none that tells what runs here', async (method, path, status) => {
    const reply = await rawRequest(server.url, { method, path })
    if (status !== undefined) expect(reply.status).toBe(status)
    expect(reply.headers).toMatchObject(always)
    expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(reply.headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(reply.headers).not.toHaveProperty('server')
    expect(reply.headers).not.toHaveProperty('x-powered-by')
    expect(reply.headers).not.toHaveProperty('strict-transport-security')
    expect(reply.headers).not.toHaveProperty('set-cookie')
  })

  it('names its request in header and body alike', async () => {
    for (const [method, path] of requests) {
      const reply = await rawRequest(server.url, { method, path })
      if (!reply.text.startsWith('{"request_id"')) continue
      expect(JSON.parse(reply.text).request_id, path).toBe(reply.headers['x-request-id'])
    }
  })

  it('never takes its id, or any other address, from the caller', async () => {
    const reply = await rawRequest(server.url, {
      method: 'GET',
      path: '/nowhere',
      headers: { 'x-request-id': 'mine', 'x-forwarded-host': 'evil.example', host: 'evil.example' },
    })
    expect(JSON.stringify(reply)).not.toMatch(/mine|evil/)
    const document = await rawRequest(server.url, {
      method: 'GET',
      path: '/openapi.json',
      headers: { host: 'evil.example' },
    })
    expect(document.text).not.toContain('evil.example')
    expect(JSON.parse(document.text).servers).toEqual([{ url: 'http://localhost:3000' }])
  })

  it('asks browsers to stay with https where the server is reached by it', async () => {
    for (const path of ['/healthz', '/nowhere', '/v3/grants/%', '/docs/']) {
      const reply = await rawRequest(secure.url, { method: 'GET', path })
      expect(reply.headers['strict-transport-security'], path).toMatch(/^max-age=\d{8}/)
    }
  })
})
