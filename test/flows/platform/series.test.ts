/** Series that are read whole, by clients that unfold them on their own, and series by the hour. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { makeHost, type TestHost } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at field by field.
type Json = any

const at = (text: string) => Date.parse(text) / 1_000
const hourFrom = (start: string) => ({ start_time: at(start), end_time: at(start) + 3_600 })

let server: TestServer
let host: TestHost
let events: string
let count = 0
beforeAll(async () => {
  server = await startTestServer()
})
beforeEach(async () => {
  count += 1
  host = await makeHost(server, `series${count}@example.test`, 'Europe/Berlin')
  events = `/v3/grants/${host.grantId}/events`
})

async function create(when: object, ...recurrence: string[]): Promise<string> {
  const made = await server.request('POST', `${events}?calendar_id=primary`, {
    body: { title: 'Weekly', when, recurrence },
  })
  expect(made.body).toHaveProperty('data.id')
  return made.body.data.id
}

const one = (id: string) => `${events}/${id}?calendar_id=primary`
const read = async (query: string): Promise<Json[]> =>
  (await server.request('GET', `${events}${query}`)).body.data.map(({ id, status, master_event_id, when }: Json) => ({
    id,
    status,
    master_event_id,
    start: when.start_time,
  }))

describe('a series that is read whole', () => {
  const first = at('2027-06-01T08:00Z')
  const week = 7 * 86_400
  const span = `start=${first}&end=${first + 4 * week}`
  let id: string
  let second: string
  beforeEach(async () => {
    id = await create(hourFrom('2027-06-01T08:00Z'), 'RRULE:FREQ=WEEKLY;COUNT=3')
    second = `${id}_20270608T080000Z`
  })

  const ways: [string, () => string][] = [
    ['imported', () => '/import?calendar_id=primary'],
    ['imported for a span', () => `/import?calendar_id=primary&${span}`],
    ['listed', () => `?calendar_id=primary&${span}&expand_recurring=false`],
    ['found by its iCalendar id', () => `?calendar_id=primary&ical_uid=${encodeURIComponent(`${id}@openslot`)}`],
  ]
  it.each(ways)('%s, tells which occurrence was deleted', async (_, query) => {
    await server.request('DELETE', one(second))
    expect(await read(query())).toEqual([
      { id, status: 'confirmed', start: first },
      { id: second, status: 'cancelled', master_event_id: id, start: first + week },
    ])
  })

  it.each(ways.slice(1, 3))('%s, tells that an occurrence was moved out of the span', async (_, query) => {
    const away = { start_time: first + 20 * week, end_time: first + 20 * week + 3_600 }
    await server.request('PUT', one(second), { body: { when: away } })
    expect(await read(query())).toContainEqual({
      id: second,
      status: 'confirmed',
      master_event_id: id,
      start: away.start_time,
    })
    expect((await read(`?calendar_id=primary&${span}`)).map(({ start }) => start)).toEqual([first, first + 2 * week])
  })

  it('tells who asks for what has changed that an occurrence was moved out of the span, though its series has not', async () => {
    await server.app.database.pool.query(
      `update openslot.events set updated_at = updated_at - interval '2 hours' where id = $1`,
      [id],
    )
    const away = { start_time: first + 20 * week, end_time: first + 20 * week + 3_600 }
    await server.request('PUT', one(second), { body: { when: away } })
    const since = Math.floor(Date.now() / 1_000) - 3_600
    const changed = await read(`?calendar_id=primary&${span}&expand_recurring=false&updated_after=${since}`)
    expect(changed).toEqual([{ id: second, status: 'confirmed', master_event_id: id, start: away.start_time }])
  })

  it.each([
    ['an hour', () => create(hourFrom('2027-06-01T08:00Z'), 'RRULE:FREQ=WEEKLY;COUNT=3'), '2027-06-08T08:00Z', 30],
    ['a day', () => create({ date: '2027-06-01' }, 'RRULE:FREQ=WEEKLY;COUNT=3'), '2027-06-07T22:00Z', 23 * 60],
  ] as const)(
    'tells of what was moved away from a span into which only the end of %s reached',
    async (_, make, start, minutes) => {
      const series = await make()
      const stamp = start.replaceAll(/[-:]/g, '').replace('Z', '00Z')
      const away = { start_time: first + 20 * week, end_time: first + 20 * week + 3_600 }
      const moved = await server.request('PUT', one(`${series}_${stamp}`), { body: { when: away } })
      expect(moved.status).toBe(200)
      const ids = async (from: number, way: string) =>
        (await read(`${way}&calendar_id=primary&start=${from}&end=${from + 12 * 3_600}`)).map((event) => event.id)
      for (const way of ['?expand_recurring=false', '/import?']) {
        expect(await ids(at(start) + minutes * 60, way), way).toContain(`${series}_${stamp}`)
        expect(await ids(at(start) + 25 * 3_600, way), way).not.toContain(`${series}_${stamp}`)
      }
      expect(await ids(at(start) + minutes * 60, '?')).not.toContain(`${series}_${stamp}`)
    },
  )

  it('does not show a deleted occurrence to who asked for occurrences', async () => {
    await server.request('DELETE', one(second))
    expect((await read(`?calendar_id=primary&${span}`)).map(({ start }) => start)).toEqual([first, first + 2 * week])
  })

  it('takes no answer to an occurrence that was deleted', async () => {
    await server.request('DELETE', one(second))
    const answered = await server.request('POST', `${events}/${second}/send-rsvp?calendar_id=primary`, {
      body: { status: 'yes' },
    })
    expect(answered.status).toBe(404)
  })
})

it('a span that ends where it starts holds what takes place at that moment', async () => {
  const id = await create(hourFrom('2027-06-01T08:00Z'), 'RRULE:FREQ=WEEKLY;COUNT=3')
  const single = await create(hourFrom('2027-06-01T08:00Z'))
  const moments = { '07:59:59': 0, '08:00': 2, '08:30': 2, '09:00': 0 }
  for (const [time, expected] of Object.entries(moments)) {
    const moment = at(`2027-06-01T${time}Z`)
    const span = `calendar_id=primary&start=${moment}&end=${moment}`
    const listed = await read(`?${span}`)
    expect(listed, time).toHaveLength(expected)
    if (expected > 0)
      expect(listed.map((event) => event.id).toSorted()).toEqual([`${id}_20270601T080000Z`, single].toSorted())
    expect((await read(`/import?${span}`)).map((event) => event.id).includes(single), time).toBe(expected > 0)
  }
})

describe('a series by the hour', () => {
  it.each([
    ['when the clocks skip an hour', '2027-03-27T22:00Z', [22, 23, 24, 25, 26]],
    ['when an hour comes twice', '2027-10-30T22:00Z', [22, 23, 24, 26, 27]],
  ])('has each start once, %s', async (_, start, hours) => {
    const zone = 'Europe/Berlin'
    const id = await create({ ...hourFrom(start), start_timezone: zone, end_timezone: zone }, 'RRULE:FREQ=HOURLY')
    const midnight = at(`${start.slice(0, 10)}T00:00Z`)
    const listed = await read(`?calendar_id=primary&start=${at(start)}&end=${midnight + 28 * 3_600 - 1}`)
    const starts = listed.map((event) => (event.start - midnight) / 3_600)
    expect(starts.slice(0, hours.length)).toEqual(hours)
    expect(new Set(listed.map((event) => event.id)).size).toBe(listed.length)
    expect(listed.every((event) => event.master_event_id === id)).toBe(true)
  })

  it.each(['FREQ=HOURLY;COUNT=30', 'FREQ=DAILY;BYHOUR=9,17;COUNT=4', 'FREQ=DAILY;BYMINUTE=0,30'])(
    'is none of whole days: %s',
    async (rule) => {
      const recurrence = [`RRULE:${rule}`]
      const body = { when: { date: '2027-06-01' }, recurrence }
      const made = await server.request('POST', `${events}?calendar_id=primary`, { body })
      expect([made.status, made.body.error?.message]).toEqual([400, expect.stringMatching(/^recurrence: /)])
      const id = await create({ date: '2027-06-01' }, 'RRULE:FREQ=DAILY;COUNT=2')
      expect((await server.request('PUT', one(id), { body: { recurrence } })).status).toBe(400)
      const timed = await create(hourFrom('2027-06-01T09:00Z'), ...recurrence)
      expect((await server.request('PUT', one(timed), { body: { when: { date: '2027-06-01' } } })).status).toBe(400)
    },
  )
})
