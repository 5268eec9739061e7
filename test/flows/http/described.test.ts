/** What the server answers is what its description says, to the letter: every route of the table, good requests and bad ones. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, it } from 'vitest'

import type { Route } from '../../../src/http/route.ts'
import { routes } from '../../../src/http/routes/routes.ts'
import { closed } from '../../support/closedSchema.ts'
import { exampleOf, makeWorld, nameOf, pathOf, type World } from '../../support/everyRoute.ts'
import { type Reply, startTestServer, type TestServer } from '../../support/server.ts'

type Content = Readonly<Record<string, { readonly schema: object }>>
type Parameter = { readonly name: string; readonly in: string }
type Operation = {
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly parameters?: readonly Parameter[]
  readonly security: readonly Readonly<Record<string, unknown>>[]
}

let server: TestServer
let world: World
let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })

beforeAll(async () => {
  server = await startTestServer()
  world = await makeWorld(server, server, 'google')
  paths = (await server.request('GET', '/openapi.json', { token: null })).body.paths
})

function operationOf({ method, path }: Pick<Route, 'method' | 'path'>): Operation {
  const operation = paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
  if (operation === undefined) throw new Error(`${method} ${path} is not described`)
  return operation
}

/** What differs between an answer and its description; `status` by itself where there is none for it. */
function differences(route: Route, { status, body }: Reply): string[] {
  const { responses } = operationOf(route)
  const described = responses[status] ?? responses[`${String(status)[0]}XX`]
  const schema = described?.content?.['application/json']?.schema
  if (schema === undefined) return [`${status} is not described`]
  const check = ajv.compile(closed(schema) as object)
  if (check(body)) return []
  return (check.errors ?? []).map(
    ({ instancePath, message, params }) => `${status} ${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  )
}

function credentialOf({ guard, callers }: Route): string | null {
  if (guard === 'public' || guard === 'scheduler') return null
  return (callers ?? guard) === 'token' ? world.accessToken : world.apiKey
}

/**
 * A whole answer: what only some fields were asked of is not held against all of them. Every request has a parameter that
 * nobody knows, and has it twice.
 */
function ask(route: Route, token = credentialOf(route)): Promise<Reply> {
  const { query: { select: _, ...query } = {}, body } = exampleOf(route, world)
  const path = pathOf(route, world.ids, { ...query, 'theirs[]': '1' })
  return server.request(route.method, `${path}&theirs[]=2`, {
    token,
    ...(body === undefined ? {} : { body }),
  })
}

/** Those that destroy come last, so that the others find something to work on. */
const ordered = [...routes].sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'))
const named = (list: readonly Route[]) => list.map((route): [string, Route] => [nameOf(route), route])

describe('refused, by its description,', () => {
  it.each(named(ordered.filter(({ guard }) => guard !== 'public')))('%s: a bad credential', async (_, route) => {
    const refused = await ask(route, 'bad')
    expect([refused.status, differences(route, refused)]).toEqual([401, []])
  })

  it.each(named(ordered.filter(({ body }) => body !== undefined)))('%s: a body of another kind', async (_, route) => {
    const refused = await server.request(route.method, pathOf(route, world.ids, exampleOf(route, world).query), {
      token: credentialOf(route),
      body: [1],
    })
    expect([refused.status, differences(route, refused)]).toEqual([400, []])
  })

  it.each(named(ordered.filter(({ path }) => path.includes(':'))))(
    '%s: an object that is not there',
    async (_, route) => {
      const ids = Object.fromEntries(Object.keys(world.ids).map((name) => [name, 'missing']))
      const { query = {}, body } = exampleOf(route, world)
      const refused = await server.request(route.method, pathOf(route, ids, query), {
        token: credentialOf(route),
        ...(body === undefined ? {} : { body }),
      })
      expect(refused.status).toBeGreaterThanOrEqual(400)
      expect(differences(route, refused)).toEqual([])
    },
  )

  it('a token that is not known, as OAuth says it', async () => {
    for (const path of ['/v3/connect/revoke', '/v3/connect/tokeninfo', '/v3/connect/token']) {
      const route = routes.find((one) => one.path === path)
      if (route === undefined) throw new Error(path)
      const query = path.endsWith('revoke') ? '?token=x' : path.endsWith('tokeninfo') ? '?access_token=x' : ''
      const body = { grant_type: 'client_credentials', client_id: 'x', client_secret: 'y', grant_id: 'z' }
      const refused = await server.request(route.method, path + query, {
        token: null,
        ...(path.endsWith('token') ? { body } : {}),
      })
      expect([path, refused.status, differences(route, refused)]).toEqual([path, 400, []])
    }
  })
})

describe('answered, by its description,', () => {
  it.each(named(ordered))('%s', async (_, route) => {
    const answered = await ask(route)
    expect([answered.status < 500, differences(route, answered)]).toEqual([true, []])
    expect(JSON.stringify(answered.body)).not.toContain('theirs')
    if (route.isServed === false) {
      expect(answered.status).toBe(400)
      expect(Object.keys(operationOf(route).responses).filter((status) => /^2/.test(status))).toEqual([])
    }
  })
})

describe('the description', () => {
  it('tells which bodies may be left out', () => {
    const optional = routes.filter((route) => operationOf(route).requestBody?.required === false).map(nameOf)
    expect(optional).toEqual([
      'DELETE /v3/scheduling/bookings/:booking_id',
      'POST /v3/webhooks/rotate-secret/:webhook_id',
      'POST /v3/webhooks/:webhook_id/deliveries/:delivery_id/replay',
    ])
  })

  it('has the headers of booking writes as parameters', () => {
    const writes = routes.filter(({ method, path }) => method !== 'GET' && /^\/v3\/scheduling\/bookings/.test(path))
    expect(writes.length).toBe(4)
    for (const route of writes) {
      const headers = (operationOf(route).parameters ?? []).filter((one) => one.in === 'header').map(({ name }) => name)
      expect([nameOf(route), headers]).toEqual([nameOf(route), ['Idempotency-Key', 'Prefer']])
    }
  })

  it('names forms where they are taken, and every status that tells a caller to wait', () => {
    const token = operationOf({ method: 'POST', path: '/v3/connect/token' })
    expect(Object.keys(token.requestBody?.content ?? {})).toEqual([
      'application/json',
      'application/x-www-form-urlencoded',
    ])
    for (const route of routes)
      expect(Object.keys(operationOf(route).responses)).toEqual(expect.arrayContaining(['429', '503']))
    expect(operationOf({ method: 'POST', path: '/v3/scheduling/bookings' }).responses).toHaveProperty('504')
  })

  it('says that the configuration of a call may be missing, in words of its own', async () => {
    const missing = `configuration_id=${world.ids.configuration_id.slice(0, -4)}ffff`
    const times = `start_time=${world.start}&end_time=${world.start + 86_400}`
    for (const [method, path, query] of [
      ['GET', '/v3/scheduling/availability', `?${missing}&${times}`],
      ['GET', '/v3/scheduling/ui-settings', `?${missing}`],
      ['POST', '/v3/scheduling/bookings', `?${missing}`],
    ] as const) {
      const route = routes.find((one) => one.method === method && one.path === path)
      const body = route && exampleOf(route, world).body
      const refused = await server.request(method, `${path}${query}`, { token: null, ...(body ? { body } : {}) })
      expect([path, refused.status]).toEqual([path, 404])
      expect(operationOf({ method, path }).responses).toHaveProperty('404')
    }
    expect(operationOf({ method: 'POST', path: '/v3/scheduling/sessions' }).responses).toHaveProperty('404')
  })

  it('tells the range of a number that may also be text', () => {
    const { parameters = [] } = operationOf({ method: 'GET', path: '/v3/scheduling/availability' })
    expect(parameters.find(({ name }) => name === 'start_time')).toMatchObject({
      schema: { type: ['integer', 'string'], minimum: 0, maximum: 253_402_300_799, pattern: expect.any(String) },
    })
  })
})
