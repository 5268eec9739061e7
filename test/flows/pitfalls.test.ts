/** Known ways in which schedulers fail that no other test stands for: back doors, series, zone names. */
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'

import { decodeReference, encodeSalt } from '../../src/core/booking/reference.ts'
import { instant } from '../../src/core/time/instant.ts'
import { isTimezone } from '../../src/core/time/zone.ts'
import { routes } from '../../src/http/routes/routes.ts'
import { exampleOf, makeWorld, nameOf, pathOf } from '../support/everyRoute.ts'
import { book, makeConfiguration, makeHost, type TestHost } from '../support/hosts.ts'
import { readLedger } from '../support/ledger.ts'
import { startTestServer } from '../support/server.ts'

/** Sunday 10 March 2030, 08:00 UTC. */
const server = await startTestServer({ now: () => instant(Date.UTC(2030, 2, 10, 8)) })
/** For the world of all routes, which lies in the near future. */
const today = await startTestServer()
const at = (month: number, day: number, hour: number, minute = 0) =>
  Date.UTC(2030, month - 1, day, hour, minute) / 1_000
const gone = {
  status: 400,
  error: { type: 'timeslot_not_available', message: 'The selected timeslot is unavailable' },
}

let host: TestHost
let count = 0
beforeEach(async () => {
  host = await makeHost(server, `host${++count}@host.example`)
})

const eventPath = (id = '') => `/v3/grants/${host.grantId}/events${id && `/${id}`}?calendar_id=primary`
const halfHour = (from: number) => ({ start_time: from, end_time: from + 1_800 })

async function putEvent(body: object): Promise<string> {
  const made = await server.request('POST', eventPath(), { body: { title: 'Own', ...body } })
  expect(made.body.error).toBeUndefined()
  return made.body.data.id
}

async function tryToBook(id: string, from: number) {
  const { status, body } = await book(server, id, from)
  return { status, error: body.error }
}

async function listed(id: string, from: number, until: number): Promise<number[]> {
  const { body } = await server.request(
    'GET',
    `/v3/scheduling/availability?configuration_id=${id}&start_time=${from}&end_time=${until}`,
    { token: null },
  )
  return body.data.time_slots.map(({ start_time }: { start_time: number }) => start_time)
}

async function saltOf(bookingId: string): Promise<string> {
  const { body } = await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings`)
  const own = body.data.find(({ booking_id }: { booking_id: string }) => booking_id === bookingId)
  return encodeSalt(decodeReference(own.organizer_booking_ref)?.salt ?? new Uint8Array())
}

describe('back doors (pitfall 7)', () => {
  const grant = '/v3/grants/:grant_id'
  const bookings = '/v3/scheduling/bookings'
  /** Whoever calls these takes time of somebody else, so they go through the claim. */
  const claiming = [`POST ${bookings}`, `PATCH ${bookings}/:booking_id`, `PUT ${bookings}/:booking_id`]
  /** The owner of a calendar may do with it what they like; a claim keeps its time all the same. */
  const ownAct = [
    `POST ${grant}/events`,
    `PUT ${grant}/events/:event_id`,
    `PATCH ${grant}/events/:event_id`,
    `DELETE ${grant}/events/:event_id`,
    `POST ${grant}/events/:event_id/send-rsvp`,
    `PUT ${grant}/calendars/:calendar_id`,
    `PATCH ${grant}/calendars/:calendar_id`,
    `DELETE ${grant}/calendars/:calendar_id`,
  ]
  const takingNone = [
    'PATCH /v3/applications',
    'POST /v3/applications/redirect-uris',
    'PATCH /v3/applications/redirect-uris/:id',
    'DELETE /v3/applications/redirect-uris/:id',
    'POST /v3/connectors',
    'PATCH /v3/connectors/:provider',
    'PUT /v3/connectors/:provider',
    'DELETE /v3/connectors/:provider',
    'POST /v3/connect/custom',
    'POST /v3/connect/token',
    'POST /v3/connect/revoke',
    `PATCH ${grant}`,
    `PUT ${grant}`,
    `DELETE ${grant}`,
    `POST ${grant}/calendars`,
    `POST ${grant}/calendars/free-busy`,
    'POST /v3/calendars/availability',
    `POST ${grant}/scheduling/configurations`,
    `PUT ${grant}/scheduling/configurations/:configuration_id`,
    `PATCH ${grant}/scheduling/configurations/:configuration_id`,
    `DELETE ${grant}/scheduling/configurations/:configuration_id`,
    'POST /v3/scheduling/sessions',
    'DELETE /v3/scheduling/sessions/:session_id',
    `DELETE ${bookings}/:booking_id`,
    'POST /v3/webhooks',
    'PUT /v3/webhooks/:webhook_id',
    'DELETE /v3/webhooks/:webhook_id',
    'POST /v3/webhooks/mock-payload',
    'POST /v3/webhooks/send-test-event',
    'POST /v3/webhooks/rotate-secret/:webhook_id',
    'POST /v3/webhooks/:webhook_id/deliveries/:delivery_id/replay',
    'POST /v3/webhooks/:webhook_id/replay',
    'POST /v3/mails/:mail_id/send',
  ]
  /** Group events are not there yet; whoever builds them moves their routes into the lists above. */
  const refusing = routes.filter(({ path, method }) => path.includes('group-events') && method !== 'GET')

  it('pitfall 7: it is known of every route that writes whether it can take time', () => {
    // A new route belongs into one of the lists; one that claims needs a case in the test below as well.
    expect([...claiming, ...ownAct, ...takingNone, ...refusing.map(nameOf)].toSorted()).toEqual(
      routes
        .filter(({ method }) => method !== 'GET')
        .map(nameOf)
        .toSorted(),
    )
  })

  it('pitfall 7: no GET takes time or changes anything about bookings, nor does what is not there yet', async () => {
    const world = await makeWorld(today, today, 'google')
    const before = await readLedger(today.app)
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const { query = {} } = exampleOf(route, world)
      await today.request('GET', pathOf(route, world.ids, query))
    }
    for (const route of refusing) {
      const { query = {}, body } = exampleOf(route, world)
      const refused = await today.request(route.method, pathOf(route, world.ids, query), { body })
      expect(refused.status, nameOf(route)).toBe(400)
    }
    expect(await readLedger(today.app)).toEqual(before)
  })

  const from = at(3, 12, 9)
  const takers = {
    'a booking': async () => {
      const taken = await book(server, await makeConfiguration(server, [host]), from)
      expect(taken.status).toBe(200)
    },
    'a request that waits for the organizer': async () => {
      const id = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
      expect((await book(server, id, from)).body.data.status).toBe('pending')
    },
    "the owner's event": async () => {
      await putEvent({ when: halfHour(from) })
    },
    'an event that reaches in by a minute': async () => {
      await putEvent({ when: { start_time: from - 3_600, end_time: from + 60 } })
    },
    'a booking whose event the owner calls free time': async () => {
      const made = await book(server, await makeConfiguration(server, [host]), from)
      const freed = await server.request('PATCH', eventPath(made.body.data.event_id), { body: { busy: false } })
      expect(freed.status).toBe(200)
    },
    'an event that the owner puts on top of a booking': async () => {
      await takers['a booking']()
      await putEvent({ when: halfHour(from) })
    },
  }
  type Taker = keyof typeof takers

  it.each(Object.keys(takers) as Taker[])('pitfall 7: POST bookings is refused over %s', async (taker) => {
    const id = await makeConfiguration(server, [host])
    await takers[taker]()
    expect(await listed(id, from, from + 1_800)).toEqual([])
    expect(await tryToBook(id, from)).toEqual(gone)
  })

  it.each(Object.keys(takers) as Taker[])('pitfall 7: PATCH bookings is refused over %s', async (taker) => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (await book(server, id, at(3, 12, 15))).body.data
    await takers[taker]()
    // Holding the application's key opens no way around the rule.
    for (const token of [null, server.apiKey]) {
      const moved = await server.request('PATCH', `${bookings}/${booking_id}?configuration_id=${id}`, {
        token,
        body: halfHour(from),
      })
      expect({ status: moved.status, error: moved.body.error }).toEqual(gone)
    }
    const kept = await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${id}`)
    expect(kept.body.data).toMatchObject([{ booking_id, start_time: at(3, 12, 15), status: 'booked' }])
  })

  it('pitfall 7: a booking whose event its owner moves or deletes goes along, and leaves its time to others', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id, event_id } = (await book(server, id, from)).body.data
    const list = async () =>
      (await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${id}`)).body.data
    const moved = await server.request('PUT', eventPath(event_id), { body: { when: halfHour(at(3, 13, 9)) } })
    expect(moved.status).toBe(200)
    expect(await list()).toMatchObject([{ booking_id, start_time: at(3, 13, 9), status: 'booked' }])
    expect(await listed(id, from, from + 1_800)).toEqual([from])
    expect(await tryToBook(id, at(3, 13, 9))).toEqual(gone)
    expect((await server.request('DELETE', eventPath(event_id))).status).toBe(200)
    expect(await list()).toMatchObject([{ booking_id, status: 'cancelled' }])
    expect(await listed(id, at(3, 13, 9), at(3, 13, 9, 30))).toEqual([at(3, 13, 9)])
  })

  it('pitfall 7: PUT bookings confirms nobody whose time has gone to another booking', async () => {
    const id = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    const { booking_id, event_id } = (await book(server, id, from)).body.data
    const salt = await saltOf(booking_id)
    // As if an override had let somebody in: the request has lost its claim and its placeholder.
    await server.app.database.pool.query('delete from openslot.slot_claims where booking_id = $1', [booking_id])
    await server.app.database.pool.query('delete from openslot.events where id = $1', [event_id])
    await takers['a booking']()
    const confirmed = await server.request('PUT', `${bookings}/${booking_id}?configuration_id=${id}`, {
      token: null,
      body: { salt, status: 'confirmed' },
    })
    expect(confirmed.status).toBe(400)
    const { bookings: kept, claims } = await readLedger(server.app)
    expect(kept.find((booking) => booking.id === booking_id)?.state).toBe('pending')
    expect(claims.some(({ bookingId }) => bookingId === booking_id)).toBe(false)
  })
})

it('pitfall 16: nothing of the API counts bookings of a day, a week or a month', async () => {
  // Whoever adds such a limit states its zone and its first day of the week, and counts inside the claim transaction.
  const document = JSON.stringify((await server.request('GET', '/openapi.json', { token: null })).body)
  expect(document.match(/"[a-z_]*(per_(day|week|month|participant)|booking_limit|max_bookings)[a-z_]*"/g)).toBeNull()
})

describe('recurring events (pitfall 19)', () => {
  const everyDay = { recurrence: ['RRULE:FREQ=DAILY'] }
  const daily = (from: number) =>
    putEvent({ when: { ...halfHour(from), start_timezone: 'UTC', end_timezone: 'UTC' }, ...everyDay })
  const instance = (series: string, month: number, day: number) =>
    eventPath(`${series}_2030${String(month).padStart(2, '0')}${String(day).padStart(2, '0')}T090000Z`)
  /** The half hours of 09:00 and 14:00 that are free. */
  const free = async (id: string, month: number, day: number) => [
    ...(await listed(id, at(month, day, 9), at(month, day, 9, 30))),
    ...(await listed(id, at(month, day, 14), at(month, day, 14, 30))),
  ]

  it('pitfall 19: a moved occurrence blocks its new time and not its old one, in a series older than the window', async () => {
    const id = await makeConfiguration(server, [host])
    const series = await daily(at(1, 1, 9) - 3 * 365 * 86_400)
    expect(await free(id, 3, 14)).toEqual([at(3, 14, 14)])
    const moved = await server.request('PUT', instance(series, 3, 14), { body: { when: halfHour(at(3, 14, 14)) } })
    expect(moved.status).toBe(200)
    expect(await free(id, 3, 13)).toEqual([at(3, 13, 14)])
    expect(await free(id, 3, 14)).toEqual([at(3, 14, 9)])
    expect(await free(id, 3, 15)).toEqual([at(3, 15, 14)])
    expect(await tryToBook(id, at(3, 14, 14))).toEqual(gone)
    expect(await tryToBook(id, at(3, 15, 9))).toEqual(gone)
    expect((await tryToBook(id, at(3, 14, 9))).status).toBe(200)
  })

  it('pitfall 19: an occurrence may move across the border of a month, either way', async () => {
    const id = await makeConfiguration(server, [host])
    const series = await daily(at(1, 1, 9))
    for (const [month, day, target] of [
      [3, 31, at(4, 2, 14)],
      [5, 1, at(4, 29, 14)],
    ] as const)
      expect(
        (await server.request('PUT', instance(series, month, day), { body: { when: halfHour(target) } })).status,
      ).toBe(200)
    // Each question sees one month only, so what it needs stands outside of its window.
    const nineAndTwo = async (from: number, until: number) =>
      (await listed(id, from, until)).filter((start) => [32_400, 50_400].includes(start % 86_400))
    const march = await nineAndTwo(at(3, 30, 0), at(4, 1, 0))
    expect(march).toEqual([at(3, 30, 14), at(3, 31, 9), at(3, 31, 14)])
    const april = await nineAndTwo(at(4, 1, 0), at(5, 1, 0))
    const afternoons = Array.from({ length: 30 }, (_, index) => at(4, index + 1, 14))
    expect(april).toEqual(afternoons.filter((start) => start !== at(4, 2, 14) && start !== at(4, 29, 14)))
    expect(await nineAndTwo(at(5, 1, 0), at(5, 3, 0))).toEqual([at(5, 1, 9), at(5, 1, 14), at(5, 2, 14)])
    expect(await tryToBook(id, at(4, 29, 14))).toEqual(gone)
    expect((await tryToBook(id, at(5, 1, 9))).status).toBe(200)
  })

  it('pitfall 19: a cancelled occurrence is free, and every other one still blocks', async () => {
    const id = await makeConfiguration(server, [host])
    const series = await daily(at(1, 1, 9))
    expect((await server.request('DELETE', instance(series, 3, 20))).status).toBe(200)
    expect(await free(id, 3, 19)).toEqual([at(3, 19, 14)])
    expect(await free(id, 3, 20)).toEqual([at(3, 20, 9), at(3, 20, 14)])
    expect(await free(id, 3, 21)).toEqual([at(3, 21, 14)])
    expect((await tryToBook(id, at(3, 20, 9))).status).toBe(200)
  })
})

describe('zone names (pitfall 21)', () => {
  type Schema = { readonly [key: string]: unknown }
  type Path = readonly string[]

  /** Paths of the members that are named after a time zone; `0` stands for any item of a list. */
  function zonePaths(schema: unknown, path: Path = []): Path[] {
    if (typeof schema !== 'object' || schema === null) return []
    const { properties = {}, items, anyOf = [], oneOf = [], allOf = [] } = schema as Schema
    return [
      ...Object.entries(properties as Schema).flatMap(([name, inner]) =>
        name.endsWith('timezone') ? [[...path, name]] : zonePaths(inner, [...path, name]),
      ),
      ...zonePaths(items, [...path, '0']),
      ...[anyOf, oneOf, allOf].flatMap((list) => (list as unknown[]).flatMap((inner) => zonePaths(inner, path))),
    ]
  }

  const places = routes.flatMap((route) =>
    (['query', 'body'] as const).flatMap((part) => zonePaths(route[part]).map((path) => ({ route, part, path }))),
  )
  const spell = ({ route, part, path }: (typeof places)[number]) =>
    `${nameOf(route)} ${part === 'query' ? '?' : ''}${path.join('.')}`

  it('pitfall 21: every route that takes a zone was found', () => {
    const hours = 'availability.availability_rules.default_open_hours.0.timezone'
    const inConfiguration = [
      'event_booking.timezone',
      hours,
      'availability.availability_rules.default_specific_time_availability.0.timezone',
      'participants.0.timezone',
      'participants.0.availability.open_hours.0.timezone',
      'participants.0.specific_time_availability.0.timezone',
    ]
    const configurations = '/v3/grants/:grant_id/scheduling/configurations'
    const under = (route: string, paths: readonly string[]) => paths.map((path) => `${route} ${path}`)
    const ofEvent = ['when.timezone', 'when.start_timezone', 'when.end_timezone']
    expect(places.map(spell).toSorted()).toEqual(
      [
        'POST /v3/connect/custom settings.timezone',
        'POST /v3/grants/:grant_id/calendars timezone',
        'PUT /v3/grants/:grant_id/calendars/:calendar_id timezone',
        'PATCH /v3/grants/:grant_id/calendars/:calendar_id timezone',
        ...under('POST /v3/grants/:grant_id/events', ofEvent),
        ...under('PUT /v3/grants/:grant_id/events/:event_id', ofEvent),
        ...under('PATCH /v3/grants/:grant_id/events/:event_id', ofEvent),
        ...under(`POST ${configurations}`, inConfiguration),
        ...under(`PUT ${configurations}/:configuration_id`, inConfiguration),
        ...under(`PATCH ${configurations}/:configuration_id`, inConfiguration),
        'POST /v3/scheduling/bookings timezone',
        'POST /v3/scheduling/bookings ?timezone',
        'PATCH /v3/scheduling/bookings/:booking_id timezone',
        ...under('POST /v3/calendars/availability', [
          'availability_rules.default_open_hours.0.timezone',
          'participants.0.open_hours.0.timezone',
          'participants.0.specific_time_availability.0.timezone',
        ]),
      ].toSorted(),
    )
  })

  /** `whole` with `value` at `path`; what is missing on the way is taken from `spare`. */
  function withValue(whole: unknown, [step, ...rest]: Path, value: unknown, spare: object): unknown {
    if (step === undefined) return value
    if (step === '0') {
      const [first = spare, ...others] = (whole as unknown[] | undefined) ?? []
      return [withValue(first, rest, value, spare), ...others]
    }
    const members = (whole ?? {}) as Schema
    return { ...members, [step]: withValue(members[step], rest, value, spare) }
  }

  const bad = fc.sample(
    fc.oneof(
      fc.string({ minLength: 1, maxLength: 64 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
      fc.constantFrom('Europe/', '/Berlin', 'Europe\\Berlin', 'Europe/Berlin ', 'GMT+99:99', 'Etc/GMT+15', 'null'),
    ),
    { numRuns: 20, seed: 21 },
  )
  const wrong: readonly unknown[] = [
    ...['Mars/Olympus', '+02:00', 'UTC+2', 'Eastern Standard Time', '__proto__', '../../etc/passwd', 'Europe/Berlin\0'],
    ...bad.filter((name) => !isTimezone(name)),
    'a'.repeat(5_000),
    5,
    true,
    [],
    {},
  ]

  it('pitfall 21: no route takes a zone that is none, each names the field, and none breaks', {
    timeout: 120_000,
  }, async () => {
    const { apiKey, clientId } = await today.otherApplication()
    const world = await makeWorld(today, { apiKey, clientId }, 'google')
    const block = { days: [1], date: '2030-04-01', start: '9:00', end: '10:00' }
    const complete = exampleOf({ method: 'POST', path: '/v3/grants/:grant_id/scheduling/configurations' }, world).body
    const spoil = (place: (typeof places)[number], value: unknown) => {
      const { query, body = {} } = exampleOf(place.route, world)
      const request = (path: string, whole: unknown) =>
        today.request(place.route.method, path, { token: apiKey, body: whole })
      if (place.part === 'query') {
        // The body would be asked first.
        const spoiled = { ...query, [place.path.join()]: String(value) }
        return request(pathOf(place.route, world.ids, spoiled), { ...body, timezone: undefined })
      }
      const needed = place.route.path.includes('/configurations')
        ? complete
        : // A change of an event brings its time along, as every client sends it.
          { ...(place.path[0] === 'when' ? { when: halfHour(world.start) } : {}), ...body }
      return request(pathOf(place.route, world.ids, query), withValue(needed, place.path, value, block))
    }
    for (const place of places) {
      const values = wrong.filter((value) => place.part === 'body' || String(value) !== '')
      const replies = await Promise.all(values.map((value) => spoil(place, value)))
      for (const [index, { status, body }] of replies.entries()) {
        const what = `${spell(place)}: ${JSON.stringify(values[index])}`
        expect(status, what).toBe(400)
        expect(body.error.message, what).toContain(place.path.join('.').replaceAll('.0', '[0]'))
      }
    }
    // The very same requests are good ones with a zone in them, under an old name and in any case.
    for (const place of places.filter(({ route }) => route.path !== '/v3/scheduling/bookings'))
      for (const name of ['Asia/Calcutta', 'europe/kiev'])
        expect((await spoil(place, name)).body.error, `${spell(place)}: ${name}`).toBeUndefined()
    const booking = places.find(({ route }) => route.path === '/v3/scheduling/bookings')
    expect(booking && (await spoil(booking, 'Asia/Calcutta')).status).toBe(200)
  })
})
