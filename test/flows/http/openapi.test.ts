/** The API's own description: whole, valid, and shown on a page that asks nobody else for anything. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { beforeAll, describe, expect, it } from 'vitest'

import type { Guard } from '../../../src/http/route.ts'
import { routes } from '../../../src/http/routes/routes.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

type Operation = { readonly security?: readonly Readonly<Record<string, unknown>>[]; readonly responses: object }
type Document = {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

let server: TestServer
let document: Document

beforeAll(async () => {
  server = await startTestServer()
  document = (await server.request('GET', '/openapi.json', { token: null })).body
})

/** Which credentials a guard takes, as the description names them. */
const schemes: Readonly<Record<Guard, readonly string[]>> = {
  key: ['apiKey'],
  grant: ['accessToken', 'apiKey'],
  keyOrToken: ['accessToken', 'apiKey'],
  token: ['accessToken'],
  scheduler: ['', 'apiKey', 'bookingReference', 'session'],
  public: [''],
}

describe('/openapi.json', () => {
  it('is a valid document of OpenAPI 3.1', async () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    const validator = new Validator()
    const result = await validator.validate(structuredClone(document))
    expect(result.errors ?? []).toEqual([])
    expect(result.valid).toBe(true)
    expect(validator.version).toBe('3.1')
  })

  it('has every route of the table, with its guard as its security', () => {
    expect(routes.length).toBeGreaterThan(50)
    for (const route of routes) {
      const operation = document.paths[route.path.replace(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()]
      const name = `${route.method} ${route.path}`
      expect(operation, name).toBeDefined()
      const named = (operation?.security ?? []).map((choice) => Object.keys(choice).join()).sort()
      expect(named, name).toEqual(schemes[route.callers ?? route.guard])
    }
  })

  it('describes nothing that is not a route', () => {
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const known = routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    expect(described.sort()).toEqual(known.sort())
  })
})

describe('every route', () => {
  it('has a guard, and all but the public ones turn away a caller without a good credential', async () => {
    for (const route of routes) {
      expect(Object.keys(schemes), route.path).toContain(route.guard)
      if (route.guard === 'public') continue
      const path = route.path.replace(/:\w+/g, 'x')
      for (const token of route.guard === 'scheduler'
        ? ['bad']
        : [null, 'bad', 'osk_00000000_0000000000000000000000000000000000000000000']) {
        const reply = await server.request(route.method, path, { token })
        expect({ path, token, status: reply.status }).toEqual({ path, token, status: 401 })
        expect(reply.body.error.message, path).toEqual(expect.any(String))
      }
    }
  })

  it('that takes an access token refuses a session, and one that takes a key only refuses both', async () => {
    const sessionLike = 'oss_00000000_0000000000000000000000000000000000000000000'
    for (const route of routes.filter(({ guard }) => guard !== 'public')) {
      const reply = await server.request(route.method, route.path.replace(/:\w+/g, 'x'), { token: sessionLike })
      expect(reply.status, route.path).toBe(401)
    }
  })
})

describe('/docs', () => {
  const read = async (path: string) => {
    const response = await fetch(`${server.url}${path}`)
    return { status: response.status, text: await response.text(), headers: response.headers }
  }

  it('is a page that loads from this server alone', async () => {
    const page = await read('/docs/')
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.text).toContain('/openapi.json')
    expect(page.text).not.toMatch(/https?:\/\//)
    const sources = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(
      ([, source = '']) => new URL(source, `${server.url}/docs/`),
    )
    expect(sources.length).toBeGreaterThan(0)
    for (const source of sources) {
      expect(source.origin).toBe(new URL(server.url).origin)
      const script = await read(source.pathname)
      expect(script.status).toBe(200)
      expect(script.headers.get('content-type')).toContain('javascript')
      expect(script.text.length).toBeGreaterThan(100_000)
    }
  })

  it('may run its own scripts and talk to this server, and nothing else', async () => {
    const page = await read('/docs/')
    const policy = Object.fromEntries(
      (page.headers.get('content-security-policy') ?? '')
        .split('; ')
        .map((rule) => [rule.split(' ')[0] ?? '', rule.split(' ').slice(1)]),
    )
    const inline = [...page.text.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
      ([, script = '']) => script,
    )
    expect(inline.length).toBe(1)
    const hashes = await Promise.all(
      inline.map(
        async (script) =>
          `'sha256-${Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script))).toString('base64')}'`,
      ),
    )
    expect(policy['script-src']).toEqual(["'self'", ...hashes])
    expect(policy['connect-src']).toEqual(["'self'"])
    expect(policy['font-src']).toEqual(["'self'"])
    expect(policy['default-src']).toEqual(["'none'"])
    expect(policy['frame-ancestors']).toEqual(["'none'"])
  })

  it('answers with and without a slash at its end', async () => {
    const reply = await fetch(`${server.url}/docs`)
    expect(reply.status).toBe(200)
    expect(reply.url).toBe(`${server.url}/docs/`)
  })
})
