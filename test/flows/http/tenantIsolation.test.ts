/** Whoever asks for another application's objects hears what they would hear of objects that do not exist. */
import { beforeAll, describe, expect, it } from 'vitest'

import type { Guard, Route } from '../../../src/http/route.ts'
import { groupEventRoutes } from '../../../src/http/routes/groupEvents.ts'
import { routes } from '../../../src/http/routes/routes.ts'
import { exampleOf, type Ids, makeWorld, nameOf, pathOf, type World } from '../../support/everyRoute.ts'
import { participant } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let a: World
let b: World
/** Ids of A with another end: of the same shape, with the same application code in front, and of nothing. */
let missing: Ids

beforeAll(async () => {
  server = await startTestServer()
  a = await makeWorld(server, server, 'google')
  b = await makeWorld(server, await server.otherApplication(), 'microsoft')
  missing = Object.fromEntries(
    Object.entries(a.ids).map(([name, id]) => [name, name === 'provider' ? 'icloud' : withOtherEnd(id)]),
  ) as Ids
})

function withOtherEnd(id: string): string {
  const last = id.slice(-4)
  const other = [...last].map((character) => (character === '7' ? '8' : '7')).join('')
  return `${id.slice(0, -4)}${other}`
}

/** How a caller of application B may come to a route of this guard. */
function callersOf(guard: Guard): readonly string[] {
  const { apiKey, accessToken, ids } = b
  if (guard === 'key') return [apiKey]
  if (guard === 'grant' || guard === 'keyOrToken') return [apiKey, accessToken]
  return guard === 'scheduler' ? [apiKey, ids.session_id] : []
}

const idNames = (route: Route): (keyof Ids)[] =>
  [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name as keyof Ids)

/** Everything of an answer that a caller can see, without what differs between two requests for the same thing. */
async function ask(
  route: Route,
  token: string,
  ids: Ids,
  query: Readonly<Record<string, string>>,
  body: object | undefined,
) {
  const reply = await server.request(route.method, pathOf(route, ids, query), {
    token,
    // The length of compressed text differs with the request id.
    headers: { 'accept-encoding': 'identity' },
    ...(body === undefined ? {} : { body }),
  })
  const { 'x-request-id': _id, date: _date, ...headers } = Object.fromEntries(reply.headers)
  const text = JSON.stringify({ ...reply.body, request_id: undefined })
  return { status: reply.status, headers, text }
}

function withIds(query: Readonly<Record<string, string>>, ids: Ids): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, ids[name as keyof Ids] ?? value]))
}

/** An answer with the ids that were asked for taken out, so that an echo of the caller's own words does not count. */
function without<T extends { readonly text: string; readonly headers: object }>(answer: T, ids: Ids) {
  const text = Object.values(ids).reduce((rest, id) => rest.replaceAll(id, 'ID'), answer.text)
  return { ...answer, text }
}

/** Every row of application A, as text. */
async function rowsOfA(): Promise<string> {
  const { pool } = server.app.database
  const tables = await pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns where table_schema = 'openslot' and column_name = 'app_id' order by 1`,
  )
  const parts: string[] = []
  for (const { name } of tables.rows) {
    const rows = await pool.query<{ row: string }>(
      `select (to_jsonb(t) - 'last_used_at')::text as row from openslot.${name} t where app_id = $1 order by 1`,
      [a.ids.client_id],
    )
    parts.push(`${name} ${rows.rows.length}`, ...rows.rows.map(({ row }) => row))
  }
  expect(parts.length).toBeGreaterThan(30)
  return parts.join('\n')
}

describe("another application's object", () => {
  it('answers like a missing one, on every route, by every kind of credential, one id at a time and all at once', async () => {
    const before = await rowsOfA()
    let compared = 0
    for (const route of routes) {
      const { query = {}, body } = exampleOf(route, b)
      const inPath = idNames(route)
      const inQuery = Object.keys(query).filter((name) => name in a.ids) as (keyof Ids)[]
      const inBody = Object.keys(body ?? {}).filter((name) => name in a.ids && name !== 'provider') as (keyof Ids)[]
      const names = [...new Set([...inPath, ...inQuery, ...inBody])]
      // What is kept in memory of an answer to A is nobody else's either.
      if (route.method === 'GET') await ask(route, a.apiKey, a.ids, withIds(query, a.ids), undefined)
      const together = new Set([...names.map((name) => [name]), names].filter(({ length }) => length > 0))
      for (const token of callersOf(route.guard))
        for (const chosen of together) {
          // A session names its own configuration; another one in the query is passed over, so the answer is about B's.
          const isOverruled = token === b.ids.session_id && chosen.every((name) => name === 'configuration_id')
          if (isOverruled && route.method !== 'GET') continue
          const asked = async (source: Ids) => {
            const taken = Object.fromEntries(chosen.map((name) => [name, source[name]]))
            const replaced = (object: object) =>
              Object.fromEntries(Object.entries(object).map(([name, value]) => [name, taken[name] ?? value]))
            return without(
              await ask(
                route,
                token,
                { ...b.ids, ...taken },
                replaced(query) as Record<string, string>,
                body === undefined ? undefined : replaced(body),
              ),
              source,
            )
          }
          const foreign = await asked(a.ids)
          const absent = await asked(missing)
          const what = `${nameOf(route)} with a foreign ${chosen.join(' and ')} by ${token.slice(0, 3)}`
          expect({ what, ...foreign }).toEqual({ what, ...absent })
          // A filter of a list that nothing passes is an empty list.
          const isFilter =
            (route.isList || route.beside) && chosen.every((name) => inQuery.includes(name) && name !== 'calendar_id')
          if (!isOverruled && !isFilter)
            expect({ what, status: foreign.status }).toEqual({
              what,
              status: foreign.status >= 400 ? foreign.status : 404,
            })
          for (const secret of [a.host.email, a.ids.grant_id]) expect(foreign.text, what).not.toContain(secret)
          compared += 1
        }
    }
    expect(compared).toBeGreaterThan(80)
    expect(await rowsOfA()).toBe(before)
  }, 120_000)

  it('is not found by slug and client id of another application, nor by a booking or slug in the query', async () => {
    const session = b.ids.session_id
    for (const ids of [a.ids, missing]) {
      const byKey = await server.request(
        'GET',
        `/v3/scheduling/ui-settings?slug=${ids.slug}&client_id=${a.ids.client_id}`,
        { token: b.apiKey },
      )
      expect(byKey.status).toBe(404)
    }
    const times = `start_time=${b.start}&end_time=${b.start + 3_600}`
    for (const path of ['ui-settings?', `availability?${times}&`]) {
      const [foreign, absent] = await Promise.all(
        [a.ids, missing].map((ids) =>
          server.request('GET', `/v3/scheduling/${path}booking_id=${ids.booking_id}`, { token: session }),
        ),
      )
      expect({ path, status: foreign?.status, error: foreign?.body.error, data: foreign?.body.data }).toEqual({
        path,
        status: absent?.status,
        error: absent?.body.error,
        data: absent?.body.data,
      })
    }
  })

  it('cannot be named in a configuration: not its grant, its mail address, nor its calendar', async () => {
    const bodies = [
      { grant_id: a.ids.grant_id },
      { email: a.host.email },
      { availability: { calendar_ids: [a.ids.calendar_id] } },
      { booking: { calendar_id: a.ids.calendar_id } },
    ]
    const before = await rowsOfA()
    for (const change of bodies) {
      const body = {
        name: 'Stolen',
        participants: [{ ...participant(b.host.email, { isOrganizer: true }), ...change }],
        availability: { duration_minutes: 30 },
        event_booking: { title: 'Stolen', timezone: 'UTC' },
      }
      const configurations = `/v3/grants/${b.ids.grant_id}/scheduling/configurations`
      for (const [method, path] of [
        ['POST', configurations],
        ['PUT', `${configurations}/${b.ids.configuration_id}`],
      ] as const) {
        const reply = await server.request(method, path, { token: b.apiKey, body })
        expect({ method, change, status: reply.status }).toEqual({ method, change, status: 400 })
        expect(reply.body.error.message).toContain('participants[0]')
      }
    }
    expect(await rowsOfA()).toBe(before)
  })

  it('is not asked when people are free', async () => {
    const window = { start_time: a.start, end_time: a.start + 86_400 }
    const asked = async (email: string) => {
      const [busy, free] = await Promise.all([
        server.request('POST', `/v3/grants/${b.ids.grant_id}/calendars/free-busy`, {
          token: b.apiKey,
          body: { ...window, emails: [email] },
        }),
        server.request('POST', '/v3/calendars/availability', {
          token: b.apiKey,
          body: { ...window, duration_minutes: 30, participants: [{ email }] },
        }),
      ])
      return JSON.stringify(
        [busy, free].map(({ status, body }) => ({ status, data: body.data, error: body.error })),
      ).replaceAll(email, 'EMAIL')
    }
    expect(await asked(a.host.email)).toBe(await asked('nobody@host.example'))
  })

  it('of its own application is found by the same requests', async () => {
    const served = routes.filter((route) => !groupEventRoutes.includes(route))
    for (const route of served.filter(({ method, guard }) => method === 'GET' && guard !== 'public')) {
      const { query = {} } = exampleOf(route, b)
      const reply = await server.request('GET', pathOf(route, b.ids, query), {
        token: route.path.endsWith('/me') ? b.accessToken : b.apiKey,
      })
      expect({ route: nameOf(route), status: reply.status, error: reply.body.error }).toEqual({
        route: nameOf(route),
        status: 200,
        error: undefined,
      })
    }
  })
})
