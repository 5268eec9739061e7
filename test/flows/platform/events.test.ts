import { beforeAll, describe, expect, it } from 'vitest'

import { makeHost, type TestHost } from '../../support/hosts.ts'
import { type Reply, startTestServer, type TestServer } from '../../support/server.ts'

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at field by field.
type Json = any

let server: TestServer
let host: TestHost
let events: string
const at = (text: string) => Date.parse(text) / 1_000
const timespan = (start: string, end: string, zone?: string) => ({
  start_time: at(start),
  end_time: at(end),
  ...(zone === undefined ? {} : { start_timezone: zone, end_timezone: zone }),
})

beforeAll(async () => {
  server = await startTestServer()
  host = await makeHost(server, 'events@example.test', 'Europe/Paris')
  events = `/v3/grants/${host.grantId}/events`
})

let nextHost = 0
async function freshCalendar(timezone = 'Europe/Paris'): Promise<TestHost> {
  nextHost += 1
  return makeHost(server, `events${nextHost}@example.test`, timezone)
}

const create = (path: string, body: object, calendar = 'primary') =>
  server.request('POST', `${path}?calendar_id=${calendar}`, { body })
const list = async (owner: TestHost, query: string) =>
  server.request('GET', `/v3/grants/${owner.grantId}/events?calendar_id=primary&${query}`)
const freeBusy = async (owner: TestHost, start: string, end: string) => {
  const reply = await server.request('POST', `/v3/grants/${owner.grantId}/calendars/free-busy`, {
    body: { start_time: at(start), end_time: at(end), emails: [owner.email] },
  })
  return reply.body.data[0].time_slots.map((slot: { start_time: number; end_time: number }) => [
    slot.start_time,
    slot.end_time,
  ])
}

describe('events', () => {
  it('come back as they were sent, with the kind of time, and under the real calendar', async () => {
    const body = {
      title: 'Fitting',
      description: 'Bring shoes',
      location: 'Room 4',
      when: timespan('2026-07-01T09:00Z', '2026-07-01T09:30Z', 'Europe/Madrid'),
      participants: [{ email: 'guest@example.test', name: 'Guest' }],
      busy: true,
      conferencing: { provider: 'Zoom Meeting', details: { url: 'https://zoom.example/1', password: 'x' } },
      reminders: { use_default: false, overrides: [{ reminder_minutes: '[20]', reminder_method: 'popup' }] },
      visibility: 'private',
      capacity: 4,
      hide_participants: true,
      metadata: { key5: 'fitting-team', colour: 'red' },
      unknown_field: { anything: true },
    }
    const made = await create(events, body)
    expect(made.status).toBe(200)
    const { unknown_field: _, ...sent } = body
    expect(made.body.data).toMatchObject({
      ...sent,
      object: 'event',
      grant_id: host.grantId,
      calendar_id: host.calendarId,
      status: 'confirmed',
      read_only: false,
      when: { object: 'timespan', ...body.when },
      participants: [{ email: 'guest@example.test', name: 'Guest', status: 'noreply' }],
      reminders: { use_default: false, overrides: [{ reminder_minutes: 20, reminder_method: 'popup' }] },
      organizer: { email: host.email },
    })
    const read = await server.request('GET', `${events}/${made.body.data.id}?calendar_id=${host.calendarId}`)
    expect(read.body.data).toEqual(made.body.data)
    expect(made.headers.get('x-request-id')).toBe(made.body.request_id)
  })

  it.each([
    [{ time: at('2026-07-01T09:00Z'), timezone: 'UTC' }, 'time'],
    [timespan('2026-07-01T09:00Z', '2026-07-01T10:00Z'), 'timespan'],
    [{ date: '2026-07-01' }, 'date'],
    [{ start_date: '2026-07-01', end_date: '2026-07-02' }, 'datespan'],
    [{ start_time: String(at('2026-07-01T09:00Z')), end_time: String(at('2026-07-01T10:00Z')) }, 'timespan'],
    [{ object: 'date', date: '2026-07-01' }, 'date'],
  ])('take %j and answer its kind, %s', async (when, kind) => {
    const made = await create(events, { when })
    expect(made.body.data.when.object).toBe(kind)
  })

  it('keep what a change leaves out, replace what it names, and take away what is null', async () => {
    const made = await create(events, {
      title: 'Before',
      location: 'Here',
      when: timespan('2026-07-02T09:00Z', '2026-07-02T10:00Z'),
      metadata: { key1: 'a', key2: 'b' },
      conferencing: { provider: 'Microsoft Teams', details: { url: 'https://teams.example/1' } },
    })
    const path = `${events}/${made.body.data.id}?calendar_id=primary`
    const changed = await server.request('PUT', path, {
      body: { title: 'After', metadata: { key3: 'c' }, location: null, conferencing: {} },
    })
    expect(changed.status).toBe(200)
    expect(changed.body.data).toMatchObject({ title: 'After', metadata: { key3: 'c' }, when: made.body.data.when })
    expect(changed.body.data).not.toHaveProperty('location')
    expect(changed.body.data).not.toHaveProperty('conferencing')
  })

  it('are gone after they are deleted', async () => {
    const made = await create(events, { when: { date: '2026-07-03' } })
    const path = `${events}/${made.body.data.id}?calendar_id=primary`
    expect((await server.request('DELETE', path)).body).toEqual({ request_id: expect.any(String) })
    expect((await server.request('GET', path)).status).toBe(404)
    expect((await server.request('DELETE', path)).status).toBe(404)
  })

  it('keep nobody from being booked when free, when a moment, or when the owner declines', async () => {
    const owner = await freshCalendar()
    const path = `/v3/grants/${owner.grantId}/events`
    const when = timespan('2026-07-04T09:00Z', '2026-07-04T10:00Z')
    await create(path, { when, busy: false })
    await create(path, { when: { time: at('2026-07-04T12:00Z') } })
    const invited = await create(path, { when, participants: [{ email: owner.email.toUpperCase() }] })
    expect(await freeBusy(owner, '2026-07-04T00:00Z', '2026-07-05T00:00Z')).toEqual([[when.start_time, when.end_time]])
    const rsvp = await server.request('POST', `${path}/${invited.body.data.id}/send-rsvp?calendar_id=primary`, {
      body: { status: 'no' },
    })
    expect(rsvp.body.data).toEqual({})
    expect(await freeBusy(owner, '2026-07-04T00:00Z', '2026-07-05T00:00Z')).toEqual([])
  })

  it.each([
    [{}, 'when'],
    [{ when: {} }, 'when'],
    [{ when: { date: '2026-07-01', time: 1 } }, 'when'],
    [{ when: timespan('2026-07-01T10:00Z', '2026-07-01T09:00Z') }, 'when.end_time'],
    [{ when: timespan('2026-07-01T09:00Z', '2026-07-01T09:00Z') }, 'when.end_time'],
    [{ when: { start_time: 1 } }, 'when.end_time'],
    [{ when: { start_time: -5, end_time: 10 } }, 'when.start_time'],
    [{ when: { start_time: 1.5, end_time: 10 } }, 'when.start_time'],
    [{ when: { start_time: 1, end_time: 1e300 } }, 'when.end_time'],
    [{ when: timespan('2026-07-01T09:00Z', '2026-07-01T10:00Z', 'Mars/Base') }, 'when.start_timezone'],
    [{ when: { date: '2026-02-30' } }, 'when.date'],
    [{ when: { start_date: '2026-07-02', end_date: '2026-07-01' } }, 'when.end_date'],
    [{ when: { date: '2026-07-01' }, title: 'a\0b' }, 'title'],
    [{ when: { date: '2026-07-01' }, title: 'x'.repeat(1_025) }, 'title'],
    [{ when: { date: '2026-07-01' }, title: '\ud800' }, 'title'],
    [
      {
        when: { date: '2026-07-01' },
        participants: Array.from({ length: 51 }, (_, index) => ({ email: `p${index}@example.test` })),
      },
      'participants',
    ],
    [{ when: { date: '2026-07-01' }, participants: [{ name: 'nobody' }] }, 'participants[0].email'],
    [{ when: { date: '2026-07-01' }, recurrence: ['RRULE:FREQ=SECONDLY'] }, 'recurrence'],
    [{ when: { date: '2026-07-01' }, recurrence: ['RRULE:FREQ=DAILY;COUNT=5;BYMONTH=2;BYMONTHDAY=30'] }, 'recurrence'],
    [{ when: { date: '2026-07-01' }, recurrence: ['DTSTART:20260101T000000Z'] }, 'recurrence'],
    [
      {
        when: { date: '2026-07-01' },
        metadata: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])),
      },
      'metadata',
    ],
    [{ when: { date: '2026-07-01' }, metadata: { ['k'.repeat(41)]: 'v' } }, 'metadata'],
    [{ when: { date: '2026-07-01' }, metadata: { key1: { nested: true } } }, 'metadata'],
    [{ when: { date: '2026-07-01' }, metadata: { key1: 'v'.repeat(501) } }, 'metadata'],
    [
      {
        when: { date: '2026-07-01' },
        conferencing: { provider: 'Google Meet', autocreate: {}, details: { url: 'x' } },
      },
      'conferencing',
    ],
    [{ when: { date: '2026-07-01' }, conferencing: { provider: 'Google Meet', autocreate: {} } }, 'conferencing'],
    ['{"when":{"date":"2026-07-01"},"__proto__":{"x":1}}', 'error parsing request body'],
    ['{"when":', 'error parsing request body'],
    ['[]', 'body'],
    ['"text"', 'body'],
    [{ when: null }, 'when'],
  ])('refuse %j and name %s', async (body, named) => {
    const refused = await create(events, body as object)
    expect(refused.status).toBe(400)
    expect(refused.body.error.type).toBe('invalid_request_error')
    expect(refused.body.error.message).toContain(named)
  })

  it('need a calendar that exists', async () => {
    expect(
      (await server.request('POST', events, { body: { when: { date: '2026-07-01' } } })).body.error.message,
    ).toContain('calendar_id')
    expect((await create(events, { when: { date: '2026-07-01' } }, 'no%2Fsuch%23calendar')).status).toBe(404)
    expect((await server.request('GET', `${events}/a%2Fb%231%40c?calendar_id=primary`)).status).toBe(404)
  })
})

describe('series', () => {
  const start = timespan('2026-03-24T08:00Z', '2026-03-24T09:00Z', 'Europe/Paris')

  it('are listed one by one on the wall clock of their zone, and once where that is asked', async () => {
    const owner = await freshCalendar()
    const made = await create(`/v3/grants/${owner.grantId}/events`, {
      title: 'Weekly',
      when: start,
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'],
    })
    const { id } = made.body.data
    const span = `start=${at('2026-03-01T00:00Z')}&end=${at('2026-05-01T00:00Z')}`
    const listed = await list(owner, span)
    expect(listed.body.data.map((event: Json) => [event.id, event.when.start_time, event.master_event_id])).toEqual([
      [`${id}_20260324T080000Z`, at('2026-03-24T08:00Z'), id],
      [`${id}_20260331T070000Z`, at('2026-03-31T07:00Z'), id],
      [`${id}_20260407T070000Z`, at('2026-04-07T07:00Z'), id],
    ])
    expect(listed.body.data[0]).not.toHaveProperty('recurrence')
    const whole = await list(owner, `${span}&expand_recurring=false`)
    expect(whole.body.data.map((event: Json) => [event.id, event.recurrence])).toEqual([
      [id, ['RRULE:FREQ=WEEKLY;COUNT=3']],
    ])
    expect(
      (await list(owner, `start=${at('2026-03-25T00:00Z')}&end=${at('2026-03-30T00:00Z')}&expand_recurring=false`)).body
        .data,
    ).toEqual([])
  })

  it('remember changed and cancelled instances (pitfall 19)', async () => {
    const owner = await freshCalendar()
    const path = `/v3/grants/${owner.grantId}/events`
    const { id } = (await create(path, { title: 'Weekly', when: start, recurrence: ['RRULE:FREQ=WEEKLY'] })).body.data
    const second = `${path}/${id}_20260331T070000Z?calendar_id=primary`
    const moved = timespan('2026-04-01T12:00Z', '2026-04-01T13:00Z')
    const changed = await server.request('PUT', second, { body: { title: 'Moved', when: moved } })
    expect(changed.body.data).toMatchObject({ id: `${id}_20260331T070000Z`, title: 'Moved', master_event_id: id })
    const third = `${path}/${id}_20260407T070000Z?calendar_id=primary`
    expect((await server.request('DELETE', third)).status).toBe(200)
    expect((await server.request('DELETE', third)).status).toBe(404)
    const span = `start=${at('2026-03-24T00:00Z')}&end=${at('2026-04-15T00:00Z')}`
    const times = (reply: Reply) =>
      reply.body.data.map((event: Json) => [event.title, event.when.start_time, event.status])
    const expected = [
      ['Weekly', at('2026-03-24T08:00Z'), 'confirmed'],
      ['Moved', at('2026-04-01T12:00Z'), 'confirmed'],
      ['Weekly', at('2026-04-14T07:00Z'), 'confirmed'],
    ]
    expect(times(await list(owner, span))).toEqual(expected)
    expect(times(await list(owner, `${span}&show_cancelled=true`))).toContainEqual([
      'Weekly',
      at('2026-04-07T07:00Z'),
      'cancelled',
    ])
    expect(await freeBusy(owner, '2026-03-24T00:00Z', '2026-04-15T00:00Z')).toEqual(
      expected.map(([, time]) => [time, (time as number) + 3_600]),
    )
    expect((await server.request('GET', `${path}/${id}_20260332T070000Z?calendar_id=primary`)).status).toBe(404)
    expect((await server.request('GET', `${path}/${id}_20260325T080000Z?calendar_id=primary`)).status).toBe(404)

    // A series that moves to another hour forgets the instances that it no longer has.
    await server.request('PUT', `${path}/${id}?calendar_id=primary`, {
      body: { when: timespan('2026-03-24T10:00Z', '2026-03-24T11:00Z', 'Europe/Paris') },
    })
    expect((await list(owner, span)).body.data.map((event: Json) => event.when.start_time)).toEqual([
      at('2026-03-24T10:00Z'),
      at('2026-03-31T09:00Z'),
      at('2026-04-07T09:00Z'),
      at('2026-04-14T09:00Z'),
    ])
    expect((await server.request('DELETE', `${path}/${id}?calendar_id=primary`)).status).toBe(200)
    expect((await list(owner, span)).body.data).toEqual([])
  })

  it('follow their calendar to another time zone where they are whole days', async () => {
    const owner = await freshCalendar('Europe/Paris')
    await create(`/v3/grants/${owner.grantId}/events`, {
      when: { date: '2026-03-28' },
      recurrence: ['RRULE:FREQ=DAILY;COUNT=2'],
    })
    await create(`/v3/grants/${owner.grantId}/events`, { when: { date: '2026-06-01' } })
    await server.request('PUT', `/v3/grants/${owner.grantId}/calendars/primary`, {
      body: { timezone: 'America/New_York' },
    })
    expect(await freeBusy(owner, '2026-03-20T00:00Z', '2026-06-10T00:00Z')).toEqual([
      [at('2026-03-28T04:00Z'), at('2026-03-30T04:00Z')],
      [at('2026-06-01T04:00Z'), at('2026-06-02T04:00Z')],
    ])
  })
})

it('more whole days than are held at once follow their calendar to another time zone', async () => {
  const owner = await freshCalendar('Europe/Paris')
  const path = `/v3/grants/${owner.grantId}/events`
  const first = Date.parse('2026-04-01T00:00Z')
  // Two on every third day.
  const days = Array.from({ length: 54 }, (_, index) =>
    new Date(first + Math.floor(index / 2) * 3 * 86_400_000).toISOString().slice(0, 10),
  )
  await Promise.all(days.map((date) => create(path, { when: { date } })))
  await server.request('PUT', `/v3/grants/${owner.grantId}/calendars/primary`, {
    body: { timezone: 'America/New_York' },
  })
  const starts = (await freeBusy(owner, '2026-03-30T00:00Z', '2026-06-25T00:00Z')).map(([start]: number[]) => start)
  expect(starts).toEqual([...new Set(days)].map((date) => at(`${date}T04:00Z`)))
})

describe('what was changed of a series follows it to the calendar’s new time zone', () => {
  const move = (owner: TestHost) =>
    server.request('PUT', `/v3/grants/${owner.grantId}/calendars/primary`, { body: { timezone: 'America/New_York' } })
  const span = `start=${at('2026-03-01T00:00Z')}&end=${at('2026-05-01T00:00Z')}`

  it('where it is of whole days', async () => {
    const owner = await freshCalendar('Europe/Paris')
    const path = `/v3/grants/${owner.grantId}/events`
    await create(path, {
      title: 'Off',
      when: { date: '2026-03-27' },
      recurrence: ['RRULE:FREQ=DAILY;COUNT=4'],
    })
    const days = (await list(owner, span)).body.data
    await server.request('DELETE', `${path}/${days[1].id}?calendar_id=primary`)
    const late = await server.request('PUT', `${path}/${days[1].id}?calendar_id=primary`, { body: { title: 'Back' } })
    expect(late.status).toBe(404)
    await server.request('PUT', `${path}/${days[2].id}?calendar_id=primary`, { body: { title: 'Away' } })
    expect((await move(owner)).status).toBe(200)
    expect((await list(owner, span)).body.data.map((event: Json) => [event.title, event.when.date])).toEqual([
      ['Off', '2026-03-27'],
      ['Away', '2026-03-29'],
      ['Off', '2026-03-30'],
    ])
    expect(await freeBusy(owner, '2026-03-20T00:00Z', '2026-06-10T00:00Z')).toEqual([
      [at('2026-03-27T04:00Z'), at('2026-03-28T04:00Z')],
      [at('2026-03-29T04:00Z'), at('2026-03-31T04:00Z')],
    ])
  })

  it('where it names no zone of its own, over a night when the clocks of one of them change', async () => {
    const owner = await freshCalendar('Europe/Paris')
    const path = `/v3/grants/${owner.grantId}/events`
    await create(path, {
      title: 'Talk',
      when: timespan('2026-03-24T10:00Z', '2026-03-24T11:00Z'),
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'],
    })
    const talks = (await list(owner, span)).body.data
    expect(talks.map((event: Json) => event.when.start_time)).toEqual(
      ['2026-03-24T10:00Z', '2026-03-31T09:00Z', '2026-04-07T09:00Z', '2026-04-14T09:00Z'].map(at),
    )
    await server.request('PUT', `${path}/${talks[1].id}?calendar_id=primary`, { body: { title: 'Long talk' } })
    await server.request('DELETE', `${path}/${talks[2].id}?calendar_id=primary`)
    await server.request('PUT', `${path}/${talks[3].id}?calendar_id=primary`, {
      body: { when: timespan('2026-04-15T15:00Z', '2026-04-15T16:00Z') },
    })
    expect((await move(owner)).status).toBe(200)
    expect((await list(owner, span)).body.data.map((event: Json) => [event.title, event.when.start_time])).toEqual([
      ['Talk', at('2026-03-24T10:00Z')],
      ['Long talk', at('2026-03-31T10:00Z')],
      ['Talk', at('2026-04-15T15:00Z')],
    ])
  })
})

describe('lists of events', () => {
  it('page through singles and series without a gap or a repeat', async () => {
    const owner = await freshCalendar('UTC')
    const path = `/v3/grants/${owner.grantId}/events`
    await create(path, {
      title: 'S',
      when: timespan('2026-08-01T09:00Z', '2026-08-01T10:00Z'),
      recurrence: ['RRULE:FREQ=DAILY;COUNT=20'],
    })
    for (let day = 1; day <= 9; day++)
      await create(path, { title: `E${day}`, when: timespan(`2026-08-0${day}T09:00Z`, `2026-08-0${day}T09:30Z`) })
    const seen: string[] = []
    let token = ''
    do {
      const page = await list(owner, `start=${at('2026-08-01T00:00Z')}&end=${at('2026-09-01T00:00Z')}&limit=4${token}`)
      expect(page.body.data.length).toBeLessThanOrEqual(4)
      seen.push(...page.body.data.map((event: Json) => event.id))
      token = page.body.next_cursor ? `&page_token=${encodeURIComponent(page.body.next_cursor)}` : ''
    } while (token !== '')
    expect(seen).toHaveLength(29)
    expect(new Set(seen).size).toBe(29)
  })

  it('hold what overlaps the span, and filter by words, busy, metadata and id', async () => {
    const owner = await freshCalendar('UTC')
    const path = `/v3/grants/${owner.grantId}/events`
    const first = await create(path, {
      title: 'Design Review',
      location: 'Room 4',
      when: timespan('2026-08-01T09:00Z', '2026-08-01T10:00Z'),
      metadata: { key1: 'a,b', key2: 'x' },
    })
    await create(path, {
      title: 'Lunch',
      busy: false,
      when: timespan('2026-08-01T11:00Z', '2026-08-01T12:00Z'),
      participants: [{ email: 'Kim@Example.test' }],
    })
    const span = `start=${at('2026-08-01T09:30Z')}&end=${at('2026-08-02T00:00Z')}`
    const titles = async (query: string) => (await list(owner, query)).body.data.map((event: Json) => event.title)
    expect(await titles(span)).toEqual(['Design Review', 'Lunch'])
    expect(await titles(`${span}&title=REVIEW%20des`)).toEqual(['Design Review'])
    expect(await titles(`${span}&location=room`)).toEqual(['Design Review'])
    expect(await titles(`${span}&busy=false`)).toEqual(['Lunch'])
    expect(await titles(`${span}&attendees=kim@example.test&attendees=x@y.z`)).toEqual(['Lunch'])
    expect(await titles('metadata_pair=key1:a,b,key2:x')).toEqual(['Design Review'])
    expect(await titles('metadata_pair=key1:nothing')).toEqual([])
    expect(await titles(`ical_uid=${encodeURIComponent(first.body.data.ical_uid)}`)).toEqual(['Design Review'])
    expect(await titles(`${span}&event_type=outOfOffice`)).toEqual([])
    expect(await titles(`${span}&updated_after=${at('2100-01-01T00:00Z')}`)).toEqual([])
    const imported = await server.request('GET', `${path}/import?calendar_id=primary&limit=500`)
    expect(imported.body.data.map((event: Json) => event.title).toSorted()).toEqual(['Design Review', 'Lunch'])
    expect(imported.body.data[0]).not.toHaveProperty('metadata')
  })

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'start=x',
    'start=20&end=10',
    'page_token=%00',
    'page_token=abc',
    'page_token=WzEsMl0',
    'metadata_pair=key1:a&start=1',
    'metadata_pair=key9:a',
    'metadata_pair=nothing',
    'ical_uid=a&title=b',
    'busy=perhaps',
    'title=%00',
  ])('refuse %s', async (query) => {
    const refused = await list(host, query)
    expect(refused.status).toBe(400)
    expect(refused.body.error.type).toBe('invalid_request_error')
  })
})
