/**
 * Thousands of requests that the API's own description allows, or nearly: never a 5xx, never no answer, every refusal says
 * where, and what is answered keeps the description (the test server answers 500 where it does not).
 * FUZZ_RUNS: how many for each route; SEED: the first draw.
 */
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'

import type { Route } from '../../../src/http/route.ts'
import { routes } from '../../../src/http/routes/routes.ts'
import { exampleOf, makeWorld, nameOf, pathOf, type World } from '../../support/everyRoute.ts'
import { queryOf, type Schema, valuesOf } from '../../support/requestsBySchema.ts'
import { type Reply, startTestServer, type TestServer } from '../../support/server.ts'

const runs = Number(process.env.FUZZ_RUNS ?? '8')
const seed = Number(process.env.SEED ?? '119')

type Operation = {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly schema: Schema
    readonly required?: boolean
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}
type Drawn = { readonly route: Route; readonly query: [string, string][]; readonly body: unknown }

let server: TestServer
let world: World
let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>

beforeAll(async () => {
  server = await startTestServer()
  world = await makeWorld(server, server, 'google')
  paths = (await server.request('GET', '/openapi.json', { token: null })).body.paths
})

/** What is deleted is never there, or the rest would have nothing to work on. */
function idsFor({ method, path }: Route): Readonly<Record<string, string>> {
  const last = [...path.matchAll(/:(\w+)/g)].at(-1)?.[1]
  return method === 'DELETE' && last !== undefined
    ? { ...world.ids, [last]: '01a10000-0000-4000-8000-000000000000' }
    : world.ids
}

function drawsOf(route: Route, at: number): Drawn[] {
  const operation = paths[route.path.replace(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()] ?? {}
  const { query: example = {}, body: exampleBody } = exampleOf(route, world)
  const parameters = (operation.parameters ?? []).filter((one) => one.in === 'query')
  const asked: Schema = {
    type: 'object',
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
  }
  const schema = operation.requestBody?.content['application/json']?.schema
  const request = fc.record({
    query: valuesOf(asked, example),
    body: schema === undefined ? fc.constant(undefined) : valuesOf(schema, exampleBody),
  })
  return fc.sample(request, { seed: seed + at, numRuns: runs }).map(({ query, body }) => ({
    route,
    query: queryOf(query as Readonly<Record<string, unknown>>),
    body,
  }))
}

function credentialOf({ guard, path }: Route): string | null {
  if (guard === 'public' || guard === 'scheduler') return null
  return path === '/v3/grants/me' ? world.accessToken : world.apiKey
}

async function ask({ route, query, body }: Drawn): Promise<Reply> {
  const text = new URLSearchParams(query).toString()
  return server.request(route.method, `${pathOf(route, idsFor(route))}${text === '' ? '' : `?${text}`}`, {
    token: credentialOf(route),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

/** Refusals of what was asked as a whole, where no member is to blame. */
const asAWhole =
  /timeslot|not served yet|not supported yet|changed by another request|Token expired|already cancelled|, not pending|no mail server|at most 10 |request body|JSON payload|the body must be/

function namesAField(message: string): boolean {
  return /^[\w-]+([.[][^:]*)?: ./.test(message) || /\b[a-z]+_[a-z_]+\b/.test(message) || asAWhole.test(message)
}

function faultOf({ status, body }: Reply): string | undefined {
  if (status >= 500) return `status ${status}: ${JSON.stringify(body)}`
  if (status < 300) return undefined
  const message: unknown = body?.error?.message ?? body?.error_description
  if (typeof message !== 'string' || message === '') return `no message: ${JSON.stringify(body)}`
  return status === 400 && !namesAField(message) ? `does not say where: ${message}` : undefined
}

describe('what the description allows, or nearly', () => {
  it('is answered or refused by every route, and the refusal says where', async () => {
    // Those that destroy come last, so that the others find something to work on.
    const ordered = [...routes].sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'))
    const all = ordered.flatMap(drawsOf)
    const faults: string[] = []
    const taken = new Map<string, number>()
    const rest = all.values()
    const lane = async () => {
      for (const drawn of rest) {
        const reply = await ask(drawn)
        if (reply.status < 300) taken.set(nameOf(drawn.route), (taken.get(nameOf(drawn.route)) ?? 0) + 1)
        const fault = faultOf(reply)
        if (fault !== undefined)
          faults.push(
            `${nameOf(drawn.route)} ${JSON.stringify({ query: drawn.query, body: drawn.body }).slice(0, 2_000)}: ${fault}`,
          )
      }
    }
    await Promise.all(Array.from({ length: 6 }, lane))
    expect(faults).toEqual([])
    // Otherwise it would be about refusals alone.
    const answered = [...taken.values()].reduce((sum, count) => sum + count, 0)
    expect(answered).toBeGreaterThan(all.length / 4)
  }, 3_600_000)
})
