/** Whatever comes in, what goes out is an answer: in the envelope, in time, never 5xx, and with nothing of the inside in it. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Route } from '../../../src/http/route.ts'
import { routes } from '../../../src/http/routes/routes.ts'
import { exampleOf, makeWorld, nameOf, pathOf, type World } from '../../support/everyRoute.ts'
import { configurationBody } from '../../support/hosts.ts'
import { dripBytes, type RawReply, type RawRequest, rawRequest } from '../../support/rawHttp.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let world: World
let cases = 0

beforeAll(async () => {
  server = await startTestServer()
  world = await makeWorld(server, server, 'google')
})
afterAll(() => expect(cases).toBeGreaterThan(1_500))

const limitMs = 15_000
/** Stack lines, SQL, paths of files, names and versions of what we are made of. */
const leaks =
  /\bat .+:\d+:\d+|node_modules|\/src\/|\.ts\b|select .+ from|insert into|openslot\.\w+|pg_|postgres|syntax error at|constraint|violates|fastify|FST_|ajv|node\.js|\bundefined\b|\[object |v\d+\.\d+\.\d+/i

/** Those that destroy come last, so that the others find something to work on. */
const ordered = [...routes].sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'))

function credentialOf(route: Route): Readonly<Record<string, string>> {
  if (route.guard === 'public' || route.guard === 'scheduler') return {}
  return { authorization: `Bearer ${route.path === '/v3/grants/me' ? world.accessToken : world.apiKey}` }
}

/** What is deleted is never there, or the rest of the corpus would have nothing to work on. */
function idsFor(route: Route): Readonly<Record<string, string>> {
  const last = [...route.path.matchAll(/:(\w+)/g)].at(-1)?.[1]
  return route.method === 'DELETE' && last !== undefined
    ? { ...world.ids, [last]: '01a10000-0000-4000-8000-000000000000' }
    : world.ids
}

async function send(route: Route, request: Partial<RawRequest>): Promise<RawReply> {
  const { query = {}, body } = exampleOf(route, world)
  cases += 1
  return rawRequest(
    server.url,
    {
      method: route.method,
      path: pathOf(route, idsFor(route), query),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...request,
      headers: {
        ...credentialOf(route),
        ...(body === undefined && request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
    },
    limitMs,
  )
}

/** Several at once, so that nobody waits for the others' turn at the database; answers the faults, in no order. */
async function faultsOf<Case>(
  all: readonly Case[],
  find: (one: Case) => Promise<string | undefined>,
): Promise<string[]> {
  const faults: string[] = []
  const rest = all.values()
  const lane = async () => {
    for (const one of rest) {
      const fault = await find(one)
      if (fault !== undefined) faults.push(fault)
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
  return faults
}

/** A part of `all` that is another one for each `turn`: together, the routes meet them all. */
function shareOf<Value>(all: readonly Value[], count: number, turn: number): Value[] {
  return Array.from({ length: Math.min(count, all.length) }, (_, at) => all[(turn * count + at) % all.length] as Value)
}

/** The problem, if the answer is not one of ours; undefined where all is well. */
function faultOf(reply: RawReply, path: string): string | undefined {
  if (reply.status < 200 || reply.status > 499) return `status ${reply.status}: ${reply.text.slice(0, 300)}`
  let body: Record<string, unknown>
  try {
    body = JSON.parse(reply.text)
  } catch {
    return `not JSON: ${reply.text.slice(0, 300)}`
  }
  if (reply.status < 300) return undefined
  if (leaks.test(reply.text)) return `leaks: ${reply.text.slice(0, 300)}`
  if (/^\/v3\/connect\/(token|revoke|tokeninfo)/.test(path))
    return typeof body.error === 'string' ? undefined : `not OAuth: ${reply.text}`
  const error = body.error as { type?: unknown; message?: unknown } | undefined
  const isEnvelope =
    typeof body.request_id === 'string' &&
    body.request_id === reply.headers['x-request-id'] &&
    typeof error?.type === 'string' &&
    typeof error.message === 'string' &&
    error.message !== ''
  return isEnvelope ? undefined : `not the envelope: ${reply.text.slice(0, 300)}`
}

const deep = (levels: number, opening: string, closing: string) => opening.repeat(levels) + closing.repeat(levels)
/** JSON texts, not values: some of them no `JSON.stringify` would write. */
const badValues = [
  'null',
  'true',
  '-1',
  '1.5',
  '0',
  '1e308',
  '9007199254740993',
  '123456789012345678901234567890',
  '"NaN"',
  '"-5"',
  '""',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\udc00x"',
  `"${'x'.repeat(11 * 1024)}"`,
  '[]',
  '{}',
  '[null]',
  '[{}]',
  '{"wrong":"type"}',
  `[${'1,'.repeat(500)}1]`,
  deep(40, '[', ']'),
  `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '"Mars/Phobos"',
  '"\\u202eevil\\r\\nBcc: x@y.z"',
  '"\'; drop table bookings; --"',
  '"${7*7}{{7*7}}"',
  '"2026-02-30"',
  '"25:61"',
  '[[1,2],[3]]',
  '"RRULE:FREQ=SECONDLY;INTERVAL=0"',
]

/** Every place in `value`, outermost first. */
function placesIn(value: unknown, place: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [place]
  return [
    place,
    ...Object.entries(value).flatMap(([key, item]) =>
      placesIn(item, [...place, Array.isArray(value) ? Number(key) : key]),
    ),
  ]
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

function valueAt(value: unknown, place: readonly (string | number)[]): unknown {
  return place.reduce((holder, step) => (holder as Record<string | number, unknown>)[step], value)
}

/** `value` as JSON with the text `replacement` at `place`, or without what stands there. */
function withAt(value: unknown, place: readonly (string | number)[], replacement: string | undefined): string {
  const mark = '@@here@@'
  const copy = JSON.parse(JSON.stringify({ root: value })) as Record<string | number, unknown>
  let holder = copy
  const path = ['root', ...place]
  for (const step of path.slice(0, -1)) holder = holder[step] as Record<string | number, unknown>
  const last = path.at(-1) ?? 'root'
  if (replacement === undefined) delete holder[last]
  else holder[last] = mark
  return (JSON.stringify(copy.root) ?? '').replace(`"${mark}"`, () => replacement ?? '')
}

describe('every body', () => {
  it('wrong in any of its places, is refused with the name of the field, or understood', async () => {
    let refused = 0
    let named = 0
    const all = ordered.flatMap((route, index) => {
      const { body } = exampleOf(route, world)
      if (body === undefined) return []
      const places = placesIn(body)
      const stride = Math.max(1, Math.floor((places.length * badValues.length) / 90))
      // Each route begins elsewhere, so that together they meet every value in every kind of place.
      return places
        .flatMap((place) => [...badValues, undefined].map((bad) => ({ route, body, place, bad })))
        .filter((_, at) => (at + index * 7) % stride === 0)
    })
    const faults = await faultsOf(all, async ({ route, body, place, bad }) => {
      const reply = await send(route, { body: withAt(body, place, bad) })
      const what = `${nameOf(route)} ${place.join('.')} = ${bad?.slice(0, 60)}`
      const fault = faultOf(reply, route.path)
      if (fault !== undefined) return `${what}: ${fault}`
      const isPlain =
        reply.status === 400 &&
        place.length > 0 &&
        !isUnderConnect(route) &&
        bad === '{"wrong":"type"}' &&
        !isObject(valueAt(body, place))
      if (!isPlain) return undefined
      refused += 1
      if (reply.text.includes(String(place[0]))) named += 1
      else if (!reply.text.includes('has at most'))
        return `${what}: does not name the field: ${reply.text.slice(0, 200)}`
      return undefined
    })
    expect(faults).toEqual([])
    expect(refused).toBeGreaterThan(30)
    expect(named).toBeGreaterThan(refused * 0.9)
  }, 240_000)

  it('that is not a JSON object at all is refused', async () => {
    const malformed = [
      '{',
      '{"a":1,}',
      'nul',
      '\ufeff{}',
      "{'a':1}",
      '{"a":1}{"b":2}',
      '<xml/>',
      'a=b',
      '{"__proto__":null}',
      deep(20_000, '[', ']'),
      '{"a":"\u0000"}',
      '\u0000',
    ]
    const ofAnotherKind = ['', '[]', '"x"', '1', 'null']
    const all = ordered
      .filter((one) => exampleOf(one, world).body !== undefined)
      // What is no JSON never comes to the route, so each meets some of it.
      .flatMap((route, index) => [...ofAnotherKind, ...shareOf(malformed, 4, index)].map((body) => ({ route, body })))
    const faults = await faultsOf(all, async ({ route, body }) => {
      const fault = faultOf(await send(route, { body }), route.path)
      return fault && `${nameOf(route)} ${JSON.stringify(body.slice(0, 40))}: ${fault}`
    })
    expect(faults).toEqual([])
  }, 240_000)

  it('that holds more than is asked for, of any kind and in any of its objects, is taken, and so is what comes after', async () => {
    const strange = { toString: 1, valueOf: null, constructor: { name: [] }, toJSON: 'x', length: -1 }
    const maps = ['metadata', 'appearance', 'additional_fields']
    const withMore = (value: unknown, name = ''): unknown => {
      if (Array.isArray(value)) return value.map((item) => withMore(item))
      if (!isObject(value)) return value
      const members = Object.entries(value as object).map(([key, item]) => [key, withMore(item, key)])
      // What is in a map is asked for, whatever it is called.
      return { ...Object.fromEntries(members), ...(maps.includes(name) ? {} : { strange }) }
    }
    let taken = 0
    const all = ordered.filter((one) => exampleOf(one, world).body !== undefined)
    // Twice, since the second meets what the first has left.
    for (const _ of [1, 2]) {
      const faults = await faultsOf(all, async (route) => {
        const body = JSON.stringify(withMore(exampleOf(route, world).body))
        const reply = await send(route, { body })
        if (reply.status < 300) taken += 1
        const fault = faultOf(reply, route.path)
        return fault && `${nameOf(route)}: ${fault}`
      })
      expect(faults).toEqual([])
    }
    expect(taken).toBeGreaterThan(all.length)
  }, 240_000)

  it('of another type, packed, or too large is refused, and the connection goes on', async () => {
    const faults: string[] = []
    for (const route of ordered.filter((one) => exampleOf(one, world).body !== undefined)) {
      for (const [type, allowed] of [
        ['text/plain', [415]],
        ['application/xml', [415]],
        ['multipart/form-data; boundary=x', [415]],
        ['application/x-www-form-urlencoded', [400, 415]],
        ['nonsense', [415]],
      ] as const) {
        const reply = await send(route, { headers: { 'content-type': type } })
        const fault =
          faultOf(reply, route.path) ??
          ((allowed as readonly number[]).includes(reply.status) || isUnderConnect(route)
            ? undefined
            : `status ${reply.status}`)
        if (fault !== undefined) faults.push(`${nameOf(route)} as ${type}: ${fault}`)
      }
      const packed = await send(route, { headers: { 'content-encoding': 'gzip' } })
      if (packed.status !== 415 || faultOf(packed, route.path) !== undefined)
        faults.push(`${nameOf(route)} packed: ${packed.status}`)
    }
    const large = JSON.stringify({ name: 'x'.repeat(10 * 1024 * 1024) })
    for (const route of ordered.filter((one) => exampleOf(one, world).body !== undefined)) {
      // The server may close while we still send; what counts is that it answers, or hangs up, at once.
      const reply = await send(route, { body: large, headers: { connection: 'close' } }).catch(
        (error: { code?: string }) => error.code,
      )
      if (reply !== 'ECONNRESET' && reply !== 'EPIPE' && (typeof reply !== 'object' || reply.status !== 413))
        faults.push(`${nameOf(route)} with 10 MB: ${JSON.stringify(reply)?.slice(0, 200)}`)
    }
    expect(faults).toEqual([])
    expect((await server.request('GET', '/healthz')).status).toBe(200)
  }, 240_000)
})

const isUnderConnect = ({ path }: Pick<Route, 'path'>) => path.startsWith('/v3/connect/')

describe('every query', () => {
  const values = [
    '',
    'NaN',
    '-1',
    '1e99',
    '1.5',
    '99999999999999999999',
    '%00',
    'a%00b',
    '%ED%A0%80',
    '%ff',
    '%',
    '%zz',
    'x'.repeat(4_000),
    'Mars%2FPhobos',
    'true',
    '[]',
    '%7B%7D',
    "'%20or%201=1--",
    '%F0%9F%98%80',
    'null',
  ]

  it('wrong in any of its parameters is refused or passed over', async () => {
    const extras = [
      '__proto__=x',
      'constructor[prototype][a]=x',
      'a[b]=c',
      'limit=1&limit=2',
      'configuration_id=a&configuration_id=b',
      '=',
      '&&&',
      '?',
      '__proto__[a]=1',
      `${'a=1&'.repeat(1_000)}`,
    ]
    const all = ordered.flatMap((route, index) => {
      const { query = {} } = exampleOf(route, world)
      const names = new Set([
        ...Object.keys((route.query as { properties?: object } | undefined)?.properties ?? {}),
        ...Object.keys(query),
      ])
      const path = pathOf(route, idsFor(route))
      const wrong = [...names].flatMap((name) => {
        const rest = new URLSearchParams(Object.entries(query).filter(([other]) => other !== name)).toString()
        // `select` is the same everywhere, and any text is good in it.
        const some = name === 'select' ? shareOf(values, 3, index) : values
        return some.map((value) => ({ route, path: `${path}?${name}=${value}&${rest}` }))
      })
      const asked = pathOf(route, idsFor(route), query)
      const more = shareOf(extras, 4, index).map((extra) => ({
        route,
        path: `${asked}${asked === path ? '?' : '&'}${extra}`,
      }))
      return [...wrong, ...more]
    })
    const faults = await faultsOf(all, async ({ route, path }) => {
      const fault = faultOf(await send(route, { path }), route.path)
      return fault && `${route.method} ${path.slice(0, 200)}: ${fault}`
    })
    expect(faults).toEqual([])
  }, 240_000)
})

describe('every path', () => {
  it('wrong in any of its parts is refused', async () => {
    const parts = [
      '%',
      '%00',
      '%ff',
      '%ED%A0%80',
      '%zz',
      '..%2f..%2fetc%2fpasswd',
      'a'.repeat(2_000),
      '%F0%9F%98%80',
      '__proto__',
      'constructor',
      'null',
      '%20',
      "'%3B--",
      '-1',
      '%0d%0aX: y',
      '*',
      'me',
      '%2e%2e',
      'a@b',
      ' '.replace(' ', '+'),
    ]
    const all = ordered.flatMap((route) =>
      [...route.path.matchAll(/:\w+/g)].flatMap(([whole]) =>
        parts
          // `me` and DELETE would be right.
          .filter((part) => part !== 'me' || route.method !== 'DELETE')
          .map((part) => {
            const marked = { path: route.path.replace(whole, '@@') }
            const path = pathOf(marked, idsFor(route), exampleOf(route, world).query).replace('@@', () => part)
            return { route, path: path.replaceAll(' ', '%20') }
          }),
      ),
    )
    const faults = await faultsOf(all, async ({ route, path }) => {
      const fault = faultOf(await send(route, { path }), route.path)
      return fault && `${route.method} ${path.slice(0, 120)}: ${fault}`
    })
    expect(faults).toEqual([])
  }, 240_000)

  it('that nobody serves, methods that nobody knows, and floods are refused', async () => {
    const faults: string[] = []
    const note = (what: string, reply: RawReply, status: readonly number[]) => {
      cases += 1
      const fault =
        faultOf(reply, what.replace(/^[A-Z]+ /, '')) ??
        (status.includes(reply.status) ? undefined : `status ${reply.status}`)
      if (fault !== undefined) faults.push(`${what}: ${fault}`)
    }
    for (const path of [
      '/',
      '//',
      '/v3',
      '/v3/',
      '/v3/grants//calendars',
      '/v3/../etc/passwd',
      '/%2e%2e/',
      '/.git/config',
      '/healthz/..',
      '/docs/../../package.json',
      '/docs/js/../../x',
      '*',
    ])
      note(path, await rawRequest(server.url, { method: 'GET', path }, limitMs), [200, 400, 401, 404])
    for (const method of ['PROPFIND', 'SEARCH', 'LOCK', 'TRACE', 'PURGE', 'OPTIONS'])
      for (const path of ['/healthz', '/v3/grants', '/nowhere'])
        note(`${method} ${path}`, await rawRequest(server.url, { method, path }, limitMs), [404])
    for (const route of routes) {
      const free = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].find(
        (method) => !routes.some((other) => other.method === method && samePath(other.path, route.path)),
      )
      if (free !== undefined)
        note(
          `${free} ${route.path}`,
          await rawRequest(server.url, { method: free, path: pathOf(route, idsFor(route)) }, limitMs),
          isUnderConnect(route) ? [400, 404] : [401, 404],
        )
    }
    note(
      '9 KB',
      await rawRequest(server.url, { method: 'GET', path: `/v3/grants?email=${'a'.repeat(9 * 1024)}` }, limitMs),
      [413],
    )
    const flood = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`x-${index}`, 'aaaaaaaaaaaaaaaa']))
    note(
      'many headers',
      await rawRequest(server.url, { method: 'GET', path: '/healthz', headers: flood }, limitMs),
      [431],
    )
    note(
      'one large header',
      await rawRequest(
        server.url,
        { method: 'GET', path: '/healthz', headers: { authorization: `Bearer ${'a'.repeat(17 * 1024)}` } },
        limitMs,
      ),
      [431],
    )
    expect(faults).toEqual([])
  }, 240_000)
})

const samePath = (a: string, b: string) =>
  a.replace(/:\w+/g, 'x') === b.replace(/:\w+/g, 'x') || a === '/v3/grants/me' || b === '/v3/grants/me'

describe('every header', () => {
  it('that is a key for repeats is refused alike by every route when it is too long, and taken at its longest', async () => {
    const tooLong = 'Idempotency-Key must be 256 characters or fewer.'
    const isRefused = async (route: Route, length: number) => {
      const reply = await send(route, { headers: { 'idempotency-key': 'k'.repeat(length) } })
      return reply.text.includes(tooLong) && reply.status === 400
    }
    for (const route of ordered)
      expect([nameOf(route), await isRefused(route, 257), await isRefused(route, 256)]).toEqual([
        nameOf(route),
        true,
        false,
      ])
  }, 240_000)

  it('that we read may hold anything', async () => {
    const texts = [
      '',
      ' ',
      'Bearer',
      'Bearer ',
      'Bearer a b',
      'Basic eDp5',
      'x'.repeat(5_000),
      '\u00e9\u00ff',
      ',,,',
      'null',
      `Bearer ${'a'.repeat(4_000)}`,
    ]
    const all = ordered.flatMap((route, index) => [
      ...texts.map((text) => ({ route, name: 'authorization', text })),
      // These are read before the route is known, or alike for all.
      ...['idempotency-key', 'prefer', 'accept', 'accept-encoding', 'origin', 'if-none-match', 'x-forwarded-for'].map(
        (name, at) => ({ route, name, text: texts[(index + at) % texts.length] ?? '' }),
      ),
    ])
    const faults = await faultsOf(all, async ({ route, name, text }) => {
      const fault = faultOf(await send(route, { headers: { [name]: text } }), route.path)
      return fault && `${nameOf(route)} ${name}: ${text.slice(0, 20)}: ${fault}`
    })
    expect(faults).toEqual([])
  }, 240_000)
})

describe('a request that HTTP itself forbids', () => {
  const say = (text: string) => dripBytes(server.url, [text], 10, limitMs)
  const envelope = (text: string) => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))

  it.each([
    ['without Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
    [
      'with two lengths',
      'POST /v3/webhooks HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['with U+0000 in a header', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n'],
    ['in another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s is refused in the envelope', async (_, text) => {
    const reply = await say(text)
    expect(reply).toMatch(/^HTTP\/1\.1 400 /)
    expect(envelope(reply)).toEqual({
      request_id: expect.any(String),
      error: { type: 'invalid_request_error', message: expect.any(String) },
    })
  })

  it('is no request of an older HTTP, nor one that expects what nobody knows', async () => {
    for (const text of [
      'GET /healthz HTTP/1.0\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nConnection: close\r\n\r\n',
    ])
      expect(await say(text)).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"status":"up"\}$/)
  })
})

describe('a booking', () => {
  const bookings = () => `/v3/scheduling/bookings?configuration_id=${world.ids.configuration_id}`
  const guest = { name: 'Gil', email: 'gil@guest.example' }
  const people = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ email: `p${index}@people.example`, name: 'P' }))

  it('that cannot be is refused with what is wrong', async () => {
    // The corpus may have changed or removed its configuration; this one is fresh.
    world = { ...world, ids: { ...world.ids, ...(await freshConfiguration()) } }
    const { start } = world
    const day = 86_400
    const wrong: [object, RegExp][] = [
      [{ start_time: start, end_time: start - 1_800, guest }, /end_time|timeslot/],
      [{ start_time: start, end_time: start, guest }, /end_time|timeslot/],
      [{ start_time: start + 30 * day, end_time: start + 30 * day + 3_600, guest }, /timeslot/],
      [{ start_time: 1_000_000_000, end_time: 1_000_001_800, guest }, /timeslot/],
      [{ start_time: start + 30 * day + 7, end_time: start + 30 * day + 1_807, guest }, /timeslot/],
      [{ start_time: 253_402_298_000, end_time: 253_402_299_800, guest }, /timeslot/],
      [{ start_time: -1_800, end_time: 0, guest }, /start_time/],
      [{ start_time: 'soon', end_time: 'later', guest }, /start_time/],
      [{ start_time: start, end_time: start + 1_800 }, /guest/],
      [{ start_time: start, end_time: start + 1_800, guest: { name: 'Gil', email: 'nobody' } }, /guest\.email/],
      [{ start_time: start, end_time: start + 1_800, guest: { name: '', email: guest.email } }, /guest\.name/],
      [
        { start_time: start, end_time: start + 1_800, guest: { name: 'x'.repeat(256), email: guest.email } },
        /guest\.name/,
      ],
      [{ start_time: start, end_time: start + 1_800, guest, timezone: 'Mars/Phobos' }, /timezone/],
      [{ start_time: start, end_time: start + 1_800, guest, participants: people(51) }, /participants/],
      [{ start_time: start, end_time: start + 1_800, guest, additional_guests: people(11) }, /additional_guests/],
      [
        {
          start_time: start,
          end_time: start + 1_800,
          guest,
          additional_fields: Object.fromEntries(people(51).map(({ email }) => [email, 'x'])),
        },
        /additional_fields/,
      ],
    ]
    for (const [body, expected] of wrong) {
      const reply = await server.request('POST', bookings(), { token: null, body })
      cases += 1
      expect({ body, status: reply.status, text: JSON.stringify(reply.body) }).toEqual({
        body,
        status: 400,
        text: expect.stringMatching(expected),
      })
    }
  })

  it('may not be offered by a configuration that cannot be', async () => {
    const path = `/v3/grants/${world.ids.grant_id}/scheduling/configurations`
    const many = Array.from({ length: 51 }, () => ({
      email: world.host.email,
      availability: { calendar_ids: ['primary'] },
    }))
    const wrong: [object, RegExp][] = [
      [configurationBody([world.host], { event: { timezone: 'Mars/Phobos' } }), /timezone/],
      [configurationBody([world.host], { participants: many }), /participants/],
      [configurationBody([world.host], { availability: { duration_minutes: -5 } }), /duration_minutes/],
      [configurationBody([world.host], { scheduler: { cancellation_url: 'javascript:alert(1)' } }), /cancellation_url/],
      [
        configurationBody([world.host], { scheduler: { confirmation_redirect_url: 'data:text/html,x' } }),
        /confirmation_redirect_url/,
      ],
      [
        configurationBody([world.host], {
          rules: { default_open_hours: [{ days: [1], start: '17:00', end: '9:00', timezone: 'UTC' }] },
        }),
        /default_open_hours/,
      ],
    ]
    for (const [body, expected] of wrong) {
      const reply = await server.request('POST', path, { body })
      cases += 1
      expect({ status: reply.status, text: JSON.stringify(reply.body) }).toEqual({
        status: 400,
        text: expect.stringMatching(expected),
      })
    }
  })

  async function freshConfiguration() {
    const again = await makeWorld(server, await server.otherApplication(), 'google')
    return { configuration_id: again.ids.configuration_id }
  }
})

describe('every schema', () => {
  it('takes any JSON in any of its fields, and answers', async () => {
    const withBodies = routes.filter((route) => route.method !== 'DELETE' && exampleOf(route, world).body !== undefined)
    const anyField = (route: Route) => {
      const { body = {} } = exampleOf(route, world)
      const names = Object.keys((route.body as { properties?: object } | undefined)?.properties ?? {})
      const good = body as Readonly<Record<string, unknown>>
      return fc.record(
        Object.fromEntries(
          names.map((name) => [
            name,
            good[name] === undefined
              ? fc.jsonValue()
              : fc.oneof({ weight: 3, arbitrary: fc.constant(good[name]) }, fc.jsonValue()),
          ]),
        ),
        { requiredKeys: [] },
      )
    }
    for (const route of withBodies)
      await fc.assert(
        fc.asyncProperty(anyField(route), async (body) => {
          const fault = faultOf(await send(route, { body: JSON.stringify(body) }), route.path)
          expect(fault === undefined ? undefined : `${nameOf(route)} ${JSON.stringify(body)}: ${fault}`).toBeUndefined()
        }),
        { numRuns: 15 },
      )
  }, 240_000)

  it('leaves the prototype of everything alone', () => {
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
  })
})
