/** Series that mean harm: recurring all day long, or never. They are refused, and what stands already blocks nobody. */
import { beforeAll, describe, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { makeConfiguration, makeHost, type TestHost } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let nextHost = 0
const never = 'RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=WE'
const allDayLong = 'RRULE:FREQ=HOURLY;BYMINUTE=0,15,30,45'
const thursday = Date.UTC(2026, 10, 26, 9) / 1_000
const daySeconds = 86_400
type Found = { readonly id: string; readonly when: { readonly start_time: number } }

beforeAll(async () => {
  server = await startTestServer({ now: () => instant(thursday * 1_000) })
})

const freshHost = () => makeHost(server, `dense${nextHost++}@example.test`)
const pathOf = (host: TestHost) => `/v3/grants/${host.grantId}/events`
const event = (recurrence: readonly string[], title = 'x') => ({
  title,
  when: { start_time: thursday, end_time: thursday + 60 },
  recurrence,
})
const create = (host: TestHost, recurrence: readonly string[]) =>
  server.request('POST', `${pathOf(host)}?calendar_id=primary`, { body: event(recurrence) })
const list = (host: TestHost, query: string) =>
  server.request('GET', `${pathOf(host)}?calendar_id=primary&limit=50&${query}`)

/** A series with `recurrence` as an older server took it. */
async function plant(host: TestHost, recurrence: string, copies = 1): Promise<string> {
  const { id } = (await create(host, ['RRULE:FREQ=DAILY'])).body.data
  await server.app.database.query(
    sql`update openslot.events set body = jsonb_set(body, '{recurrence}', ${JSON.stringify([recurrence])}::jsonb) where id = ${id}`,
  )
  await server.app.database.query(sql`
    insert into openslot.events (app_id, grant_id, calendar_id, id, ical_uid, status, busy, during, recurring, metadata, body)
    select app_id, grant_id, calendar_id, id || number, ical_uid || number, status, busy, during, recurring, metadata, body
    from openslot.events, generate_series(2, ${copies}) as number where id = ${id}`)
  return id
}

describe('a series', () => {
  it.each([
    ['RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30'],
    ['RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=WE;UNTIL=99991231'],
    [allDayLong],
    ['RRULE:FREQ=YEARLY;BYDAY=MO;BYHOUR=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,15,30,40,50'],
  ])('by %s is refused where it is written', async (rule) => {
    const host = await freshHost()
    const refused = await create(host, [rule])
    expect(refused.status).toBe(400)
    expect(refused.body.error.message).toMatch(/^recurrence: .*(never takes place|48 times a day)/)
    const { id } = (await create(host, ['RRULE:FREQ=DAILY'])).body.data
    const changed = await server.request('PUT', `${pathOf(host)}/${id}?calendar_id=primary`, {
      body: { recurrence: [rule] },
    })
    expect(changed.status).toBe(400)
    expect(changed.body.error.message).toContain('recurrence')
  })

  it('of every half hour is taken', async () => {
    expect((await create(await freshHost(), ['RRULE:FREQ=HOURLY;BYMINUTE=0,30'])).status).toBe(200)
  })

  it('that stands already can be changed in all but that', async () => {
    const host = await freshHost()
    const id = await plant(host, allDayLong)
    const changed = await server.request('PUT', `${pathOf(host)}/${id}?calendar_id=primary`, { body: { title: 'New' } })
    expect(changed.body.data).toMatchObject({ title: 'New', recurrence: [allDayLong] })
  })
})

describe('a list of events', () => {
  it('is told to ask for less where it reaches further than a series can be followed', async () => {
    const host = await freshHost()
    await plant(host, never)
    for (const how of ['', '&expand_recurring=false']) {
      const near = await list(host, `start=${thursday + daySeconds}&end=${thursday + 92 * daySeconds}${how}`)
      expect(near.body.data).toEqual([])
      const far = await list(host, `start=${thursday + daySeconds}&end=253402300799${how}`)
      expect(far.status).toBe(400)
      expect(far.body.error.message).toMatch(/^end: reaches further/)
    }
  })

  it('of very many dense series comes page by page, in order and whole', async () => {
    const host = await freshHost()
    await plant(host, allDayLong, 120)
    const seen: [number, string][] = []
    let query = `start=${thursday}&end=253402300799`
    for (let page = 0; page < 4; page += 1) {
      const reply = await list(host, query)
      seen.push(...reply.body.data.map((found: Found) => [found.when.start_time, found.id]))
      query = `start=${thursday}&end=253402300799&page_token=${encodeURIComponent(reply.body.next_cursor)}`
    }
    expect(seen).toHaveLength(200)
    expect(new Set(seen.map(([, id]) => id)).size).toBe(200)
    expect(seen.map(([time]) => time)).toEqual([...Array(120).fill(thursday), ...Array(80).fill(thursday + 900)])
    expect(seen).toEqual(seen.toSorted((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1)))
  })

  it('knows of more where the last series looked at filled the page', async () => {
    const host = await freshHost()
    await plant(host, allDayLong, 10)
    const reply = await list(host, `start=${thursday}&end=${thursday + daySeconds}`)
    expect(reply.body.data).toHaveLength(50)
    expect(reply.body.next_cursor).toEqual(expect.any(String))
  })
})

describe('a calendar with more series than can be worked out', () => {
  it('is never free: not for guests, not for free/busy, and not for a booking', async () => {
    const host = await freshHost()
    const configurationId = await makeConfiguration(server, [host])
    await plant(host, allDayLong, 60)
    const asked = `configuration_id=${configurationId}&start_time=${thursday}&end_time=${thursday + 92 * daySeconds}`
    const slots = await server.request('GET', `/v3/scheduling/availability?${asked}`, { token: null })
    expect(slots.status).toBe(504)
    expect(slots.body.error.provider_error.code).toBe('calendar_unavailable')
    const busy = await server.request('POST', `/v3/grants/${host.grantId}/calendars/free-busy`, {
      body: { start_time: thursday, end_time: thursday + 92 * daySeconds, emails: [host.email] },
    })
    expect(busy.body.data[0]).toMatchObject({ object: 'error', error: expect.stringMatching(/fewer days/) })
    const together = await server.request('POST', '/v3/calendars/availability', {
      body: {
        start_time: thursday,
        end_time: thursday + 92 * daySeconds,
        duration_minutes: 30,
        participants: [{ email: host.email, calendar_ids: ['primary'] }],
      },
    })
    expect(together.status).toBe(504)
  })

  it('is told of for fewer days', async () => {
    const host = await freshHost()
    await plant(host, allDayLong, 60)
    const busy = await server.request('POST', `/v3/grants/${host.grantId}/calendars/free-busy`, {
      body: { start_time: thursday, end_time: thursday + 3_600, emails: [host.email] },
    })
    expect(busy.body.data[0].time_slots).toHaveLength(4)
  })
})
