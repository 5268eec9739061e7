import { beforeAll, describe, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { book, makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { type Reply, startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})

let next = 0
const makeOwner = () => makeHost(server, `owner${next++}@example.test`, 'UTC')
const at = (text: string) => Date.parse(text) / 1_000

describe('calendars', () => {
  it('of an account are at most ten, the first is primary and stays', async () => {
    const owner = await makeOwner()
    const path = `/v3/grants/${owner.grantId}/calendars`
    const made = await server.request('POST', path, {
      body: {
        name: 'Desk',
        description: 'By the window',
        location: 'Floor 2',
        timezone: 'Europe/Madrid',
        metadata: { key1: 'x' },
      },
    })
    expect(made.status).toBe(200)
    expect(made.body.data).toMatchObject({
      name: 'Desk',
      description: 'By the window',
      timezone: 'Europe/Madrid',
      is_primary: false,
      read_only: false,
      metadata: { key1: 'x' },
    })
    const rest = await Promise.all(
      Array.from({ length: 12 }, (_, index) => server.request('POST', path, { body: { name: `C${index}` } })),
    )
    expect(rest.map(({ status }) => status).toSorted()).toEqual([...Array(8).fill(200), ...Array(4).fill(400)])
    expect((await server.request('GET', `${path}/primary`)).body.data).toMatchObject({
      id: owner.calendarId,
      is_primary: true,
    })
    expect((await server.request('DELETE', `${path}/primary`)).status).toBe(400)
    expect((await server.request('DELETE', `${path}/${made.body.data.id}`)).body).toEqual({
      request_id: expect.any(String),
    })
    expect((await server.request('GET', `${path}/${made.body.data.id}`)).status).toBe(404)
    const seen: string[] = []
    let token = ''
    do {
      const page = await server.request('GET', `${path}?limit=4${token}`)
      seen.push(...page.body.data.map((calendar: { id: string }) => calendar.id))
      token = page.body.next_cursor ? `&page_token=${page.body.next_cursor}` : ''
    } while (token !== '')
    expect([seen.length, new Set(seen).size]).toEqual([9, 9])
  })

  it('change what is named and keep the rest; a colour or metadata alone is nobody’s news', async () => {
    const owner = await makeOwner()
    const path = `/v3/grants/${owner.grantId}/calendars/primary`
    const changed = await server.request('PUT', path, { body: { hex_color: '#00ff00', metadata: { key2: 'b' } } })
    expect(changed.body.data).toMatchObject({
      id: owner.calendarId,
      name: 'Primary',
      hex_color: '#00ff00',
      metadata: { key2: 'b' },
    })
    await server.request('PUT', path, { body: { metadata: { key1: 'a' } } })
    expect(
      (await server.request('GET', `/v3/grants/${owner.grantId}/calendars?metadata_pair=key1:a`)).body.data,
    ).toHaveLength(1)
    expect(
      (await server.request('GET', `/v3/grants/${owner.grantId}/calendars?metadata_pair=key2:b`)).body.data,
    ).toEqual([])
    const rows = await server.app.database.query<{ trigger: string }>(sql`
      select trigger from openslot.webhook_events where app_id = ${server.clientId} and object_id = ${owner.calendarId} order by number`)
    expect(rows.map(({ trigger }) => trigger)).toEqual(['calendar.created'])
    for (const news of [{ description: 'Desk' }, { location: 'Room 5' }, { timezone: 'Asia/Tokyo' }, { name: 'Mine' }])
      await server.request('PUT', path, { body: news })
    const [told] = await server.app.database.query<{ count: number }>(sql`
      select count(*)::int as count from openslot.webhook_events
      where app_id = ${server.clientId} and object_id = ${owner.calendarId} and trigger = 'calendar.updated'`)
    expect(told?.count).toBe(4)
  })

  it.each([
    {},
    { name: '' },
    { name: 5 },
    { name: 'x', timezone: 'Mars/Base' },
    { name: 'x', timezone: '+02:00' },
    { name: 'x\0' },
    { name: 'x', metadata: [] },
  ])('are not made of %j', async (body) => {
    const owner = await makeOwner()
    expect((await server.request('POST', `/v3/grants/${owner.grantId}/calendars`, { body })).status).toBe(400)
  })

  it('answer only the fields that are selected', async () => {
    const owner = await makeOwner()
    expect((await server.request('GET', `/v3/grants/${owner.grantId}/calendars?select=id,name`)).body.data).toEqual([
      { id: owner.calendarId, name: 'Primary' },
    ])
  })
})

describe('free/busy', () => {
  it('speaks for each mailbox, merged and cut at the window, and counts what is booked', async () => {
    const owner = await makeOwner()
    const start = nearFuture()
    const path = `/v3/grants/${owner.grantId}/events?calendar_id=primary`
    await server.request('POST', path, { body: { when: { start_time: start - 1_800, end_time: start + 1_800 } } })
    await server.request('POST', path, { body: { when: { start_time: start + 1_800, end_time: start + 3_600 } } })
    const configuration = await makeConfiguration(server, [owner])
    expect((await book(server, configuration, start + 7_200)).status).toBe(200)
    const reply = await server.request('POST', `/v3/grants/${owner.grantId}/calendars/free-busy`, {
      body: { start_time: start, end_time: start + 14_400, emails: [owner.email.toUpperCase(), 'nobody@example.test'] },
    })
    expect([reply.status, reply.body.data]).toEqual([
      200,
      [
        {
          email: owner.email.toUpperCase(),
          object: 'free_busy',
          time_slots: [
            { start_time: start, end_time: start + 3_600, status: 'busy', object: 'time_slot' },
            { start_time: start + 7_200, end_time: start + 9_000, status: 'busy', object: 'time_slot' },
          ],
        },
        { email: 'nobody@example.test', object: 'error', error: expect.stringContaining('nobody@example.test') },
      ],
    ])
  })

  it.each([
    { emails: [] },
    { emails: Array(51).fill('a@b.c') },
    { end_time: 1 },
    { end_time: 1_782_864_000 + 93 * 86_400 },
    { start_time: 'x' },
  ])('refuses %j', async (change) => {
    const owner = await makeOwner()
    const body = { start_time: 1_782_864_000, end_time: 1_782_950_400, emails: [owner.email], ...change }
    expect((await server.request('POST', `/v3/grants/${owner.grantId}/calendars/free-busy`, { body })).status).toBe(400)
  })
})

describe('availability of calendars', () => {
  const question = (participants: object[], more: object = {}) => ({
    start_time: at('2026-07-01T09:00Z'),
    end_time: at('2026-07-01T12:00Z'),
    duration_minutes: 60,
    participants,
    ...more,
  })
  const ask = (body: object) => server.request('POST', '/v3/calendars/availability', { body })
  const starts = (reply: Reply) =>
    reply.body.data.time_slots.map((slot: { start_time: number }) =>
      new Date(slot.start_time * 1_000).toISOString().slice(11, 16),
    )

  it('is the time in which all, or any, are free, on a grid from the start of the window', async () => {
    const [ana, bob] = [await makeOwner(), await makeOwner()]
    await server.request('POST', `/v3/grants/${ana.grantId}/events?calendar_id=primary`, {
      body: { when: { start_time: at('2026-07-01T10:00Z'), end_time: at('2026-07-01T11:00Z') } },
    })
    const people = [{ email: ana.email }, { email: bob.email.toUpperCase(), calendar_ids: [bob.calendarId] }]
    const collective = await ask(question(people, { availability_rules: { availability_method: 'collective' } }))
    expect(starts(collective)).toEqual(['09:00', '11:00'])
    expect(collective.body.data).not.toHaveProperty('order')
    expect(collective.body.data.time_slots[0].emails).toEqual([ana.email, bob.email])
    const any = await ask(question(people))
    expect(starts(any)).toEqual(['09:00', '10:00', '11:00'])
    expect(any.body.data.order).toEqual([ana.email, bob.email])
    const buffered = await ask(
      question([{ grant_id: ana.grantId }], {
        availability_rules: { buffer: { before: 30, after: 0 } },
        interval_minutes: 30,
        round_to: 30,
      }),
    )
    expect(starts(buffered)).toEqual(['11:00'])
    const text = await ask(
      question([{ email: ana.email }], {
        start_time: String(at('2026-07-01T09:00Z')),
        duration_minutes: '60',
        round_to_30_minutes: true,
      }),
    )
    expect(starts(text)).toEqual(['09:00', '11:00'])
  })

  it('takes turns by the events of the group, under either name of the field', async () => {
    const [ana, bob] = [await makeOwner(), await makeOwner()]
    await server.request('POST', `/v3/grants/${ana.grantId}/events?calendar_id=primary`, {
      body: {
        when: { start_time: at('2026-06-01T10:00Z'), end_time: at('2026-06-01T11:00Z') },
        metadata: { key5: 'team' },
      },
    })
    for (const name of ['round_robin_group_id', 'round_robin_event_id']) {
      const reply = await ask(
        question([{ email: ana.email }, { email: bob.email }], {
          availability_rules: { availability_method: 'max-fairness', [name]: 'team' },
        }),
      )
      expect(reply.body.data.order).toEqual([bob.email])
    }
    // As of a configuration's own bookings: it counts when each was given, not when it takes place.
    await server.request('POST', `/v3/grants/${bob.grantId}/events?calendar_id=primary`, {
      body: {
        when: { start_time: at('2026-05-01T10:00Z'), end_time: at('2026-05-01T11:00Z') },
        metadata: { key5: 'team' },
      },
    })
    const rules = { availability_method: 'max-availability', round_robin_group_id: 'team' }
    const turns = await ask(question([{ email: ana.email }, { email: bob.email }], { availability_rules: rules }))
    expect(turns.body.data.order).toEqual([ana.email, bob.email])
  })

  it('stays in open hours, and on dates of its own', async () => {
    const ana = await makeOwner()
    const hours = [
      { days: [0, 1, 2, 3, 4, 5, 6], timezone: 'Europe/Paris', start: '12:00', end: '13:00', exdates: [], value: null },
    ]
    expect(starts(await ask(question([{ email: ana.email, open_hours: hours }])))).toEqual(['10:00'])
    expect(
      starts(await ask(question([{ email: ana.email }], { availability_rules: { default_open_hours: hours } }))),
    ).toEqual(['10:00'])
    const specific = [{ date: '2026-07-01', start: '09:00', end: '10:00', timezone: 'UTC' }]
    expect(
      starts(
        await ask(
          question([{ email: ana.email, specific_time_availability: specific, only_specific_time_availability: true }]),
        ),
      ),
    ).toEqual(['09:00'])
  })

  it.each([
    [{ duration_minutes: 7 }, 'duration_minutes'],
    [{ duration_minutes: 0 }, 'duration_minutes'],
    [{ interval_minutes: 12 }, 'interval_minutes'],
    [{ round_to: 7 }, 'round_to'],
    [{ round_to: 65 }, 'round_to'],
    [{ availability_rules: { buffer: { before: 125 } } }, 'before'],
    [{ availability_rules: { buffer: { before: 7 } } }, 'before'],
    [{ availability_rules: { buffer: { before: -5 } } }, 'before'],
    [{ end_time: at('2026-07-01T09:00Z') }, 'end_time'],
    [{ end_time: at('2026-07-01T08:00Z') }, 'end_time'],
    [{ end_time: at('2027-07-01T08:00Z') }, 'end_time'],
    [{ participants: [] }, 'participants'],
    [{ participants: Array.from({ length: 51 }, (_, index) => ({ email: `p${index}@x.y` })) }, 'participants'],
    [{ participants: [{ email: 'nobody@example.test' }] }, 'participants[0].email'],
    [{ participants: [{}] }, 'participants[0].email'],
    [{ participants: [{ grant_id: 'nothing' }] }, 'participants[0].grant_id'],
    [
      { availability_rules: { default_open_hours: [{ days: [7], timezone: 'UTC', start: '9:00', end: '17:00' }] } },
      'days',
    ],
    [
      {
        availability_rules: { default_open_hours: [{ days: [1], timezone: 'Mars/Base', start: '9:00', end: '17:00' }] },
      },
      'timezone',
    ],
    [
      { availability_rules: { default_open_hours: [{ days: [1], timezone: 'UTC', start: '17:00', end: '9:00' }] } },
      'end',
    ],
    [{ availability_rules: { availability_method: 'fastest' } }, 'availability_method'],
  ])('refuses %j and names %s', async (change, named) => {
    const owner = await makeOwner()
    const refused = await ask(question([{ email: owner.email }], change))
    expect([refused.status, refused.body.error.type]).toEqual([400, 'invalid_request_error'])
    expect(refused.body.error.message).toContain(named)
  })

  it('refuses the same person twice, and a calendar that is not there', async () => {
    const ana = await makeOwner()
    expect((await ask(question([{ email: ana.email }, { grant_id: ana.grantId }]))).body.error.message).toContain(
      'participants[1]',
    )
    expect(
      (await ask(question([{ email: ana.email, calendar_ids: ['primary', 'nothing'] }]))).body.error.message,
    ).toContain('calendar_ids')
  })
})
