/** What a close reading of the server once found wrong, each as it was found. */
import { beforeAll, describe, expect, it } from 'vitest'

import {
  book,
  configurationBody,
  makeConfiguration,
  makeHost,
  nearFuture,
  participant,
  type TestHost,
} from '../support/hosts.ts'
import { findFaults, readLedger } from '../support/ledger.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let ada: TestHost
let ben: TestHost
const start = nearFuture()

beforeAll(async () => {
  server = await startTestServer()
  ada = await makeHost(server, 'ada@host.example')
  ben = await makeHost(server, 'ben@host.example')
})

const create = (body: object) => server.request('POST', `/v3/grants/${ada.grantId}/scheduling/configurations`, { body })

describe('a guest who names participants', () => {
  it('cannot book time that no calendar carries', async () => {
    const { booking: _, ...readOnly } = participant(ada.email, { isOrganizer: true }) as { booking: object }
    const id = await makeConfiguration(server, [ada, ben], { participants: [readOnly, participant(ben.email)] })
    const answers = [1, 2, 3].map(() => book(server, id, start, { body: { participants: [{ email: ada.email }] } }))
    expect((await Promise.all(answers)).map(({ status }) => status).sort()).toEqual([200, 400, 400])
    expect(findFaults(await readLedger(server.app))).toEqual([])
  })

  it('may name someone who is only told, and everyone with a calendar serves', async () => {
    const told = { email: 'friend@elsewhere.example', name: 'Friend' }
    const id = await makeConfiguration(server, [ada], {
      participants: [participant(ada.email, { isOrganizer: true }), told],
    })
    const at = start + 86_400
    const body = { participants: [{ email: told.email }] }
    expect((await book(server, id, at, { body })).status).toBe(200)
    expect((await book(server, id, at, { body })).status).toBe(400)
  })
})

describe('a booking whose host has lost the grant', () => {
  it('can still be read, shown and called off, and frees the time of the others', async () => {
    const cy = await makeHost(server, 'cy@host.example')
    const id = await makeConfiguration(server, [ada, cy])
    const at = start + 2 * 86_400
    const { booking_id } = (await book(server, id, at)).body.data
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
    // A new version, so that nothing is kept of its hosts.
    expect(
      (
        await server.request('PUT', `/v3/grants/${ada.grantId}/scheduling/configurations/${id}`, {
          body: { name: 'Changed' },
        })
      ).status,
    ).toBe(200)
    expect((await server.request('DELETE', `/v3/grants/${cy.grantId}`)).status).toBe(200)

    expect((await server.request('GET', path, { token: null })).body.data.status).toBe('booked')
    expect(
      (
        await server.request('GET', `/v3/scheduling/ui-settings?configuration_id=${id}&booking_id=${booking_id}`, {
          token: null,
        })
      ).status,
    ).toBe(200)
    const slots = () =>
      server.request(
        'GET',
        `/v3/scheduling/availability?configuration_id=${id}&start_time=${at}&end_time=${at + 1800}`,
        { token: null },
      )
    expect([await slots(), await slots()].map(({ status, body }) => [status, body.error.message])).toEqual(
      Array(2).fill([400, expect.stringContaining('Failed to find a valid Grant')]),
    )
    expect((await server.request('DELETE', path, { token: null })).status).toBe(200)
    const alone = await makeConfiguration(server, [ada])
    expect((await book(server, alone, at)).status).toBe(200)
  })
})

it('the key holder calls off a private booking inside of the notice by naming the booking alone', async () => {
  const id = await makeConfiguration(server, [ada], {
    scheduler: { min_cancellation_notice: 525_600 },
    top: { requires_session_auth: true },
  })
  const session = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
  const token = session.body.data.session_id
  const at = start + 8 * 86_400
  const made = await server.request('POST', '/v3/scheduling/bookings', {
    token,
    body: { start_time: at, end_time: at + 1800, guest: { name: 'Gil', email: 'gil@guest.example' } },
  })
  const path = `/v3/scheduling/bookings/${made.body.data.booking_id}`
  expect((await server.request('DELETE', path, { token })).body.error.message).toContain('within 525600 minutes')
  expect((await server.request('DELETE', path)).status).toBe(200)
})

describe('fields of a configuration', () => {
  it.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'may be called %s: it is asked for, and no answer is made up',
    async (key) => {
      const id = await makeConfiguration(server, [ada], {
        event: { title: `Call \${${key}}` },
        scheduler: { additional_fields: { [key]: { label: key, type: 'text', required: true } } },
      })
      const at = start + 3 * 86_400
      const missing = await book(server, id, at)
      expect([missing.status, missing.body.error.message]).toEqual([400, `additional_fields.${key}: is required`])
      const given = await book(server, id, at, { body: { additional_fields: { [key]: 'yes' } } })
      expect(given.body.data.title).toBe('Call yes')
      await server.request('DELETE', `/v3/scheduling/bookings/${given.body.data.booking_id}?configuration_id=${id}`, {
        token: null,
      })
    },
  )

  it('have patterns that can be read, dates that exist, links that are links', async () => {
    const field = (pattern: string) =>
      configurationBody([ada], { scheduler: { additional_fields: { code: { label: 'Code', type: 'text', pattern } } } })
    expect((await create(field('((('))).body.error.message).toContain('scheduler.additional_fields.code.pattern')
    expect((await create(field('^(?=.*a).*$'))).status).toBe(200)
    const dated = await create(
      configurationBody([ada], {
        participants: [
          participant(ada.email, { specific_time_availability: [{ date: '2030-02-30', start: '9:00', end: '10:00' }] }),
        ],
      }),
    )
    expect([dated.status, dated.body.error.message]).toEqual([
      400,
      expect.stringContaining('participants[0].specific_time_availability[0].date'),
    ])
    const excluded = await create(
      configurationBody([ada], {
        rules: { default_open_hours: [{ days: [1], start: '9:00', end: '10:00', exdates: ['2030-02-29'] }] },
      }),
    )
    expect(excluded.body.error.message).toContain('default_open_hours[0].exdates')
    const link = await create(
      configurationBody([ada], {
        event: { conferencing: { provider: 'WebEx', details: { url: 'javascript:alert(1)' } } },
      }),
    )
    expect([link.status, link.body.error.message]).toEqual([
      400,
      expect.stringContaining('event_booking.conferencing.details.url'),
    ])
  })

  it.each([
    ['details.url', { details: { password: 'x' } }],
    ['details.pin', { details: { url: 'https://meet.example/1', pin: { of: 'another kind' } } }],
    ['details.phone[0]', { details: { url: 'https://meet.example/1', phone: [49] } }],
    ['autocreate.conf_grant_id', { autocreate: { conf_grant_id: 1 } }],
  ])('lead to a conference that can be: %s', async (field, said) => {
    const made = await create(
      configurationBody([ada], { event: { conferencing: { provider: 'Google Meet', ...said } } }),
    )
    expect([made.status, made.body.error.message]).toEqual([
      400,
      expect.stringContaining(`event_booking.conferencing.${field}: `),
    ])
    const event = await server.request('POST', `/v3/grants/${ada.grantId}/events?calendar_id=primary`, {
      body: { when: { time: start }, conferencing: { provider: 'Google Meet', ...said } },
    })
    expect([event.status, event.body.error.message]).toEqual([400, expect.stringContaining(`conferencing.${field}: `)])
  })

  it('may be empty where the editor leaves them empty', async () => {
    const made = await create({
      ...configurationBody([ada], {
        event: {
          timezone: null,
          booking_type: null,
          conferencing: { provider: 'WebEx', details: { url: 'https://meet.example/1' }, autocreate: null },
          reminders: [{ type: 'email', minutes_before_event: 30, recipient: null }],
        },
        rules: { round_robin_group_id: null, availability_method: null, tentative_as_busy: null },
      }),
      slug: '',
      participants: [{ ...participant(ada.email), name: null, timezone: null, grant_id: null }],
    })
    expect([made.status, made.body.data.slug]).toEqual([200, null])
    const session = { configuration_id: made.body.data.id, slug: null, time_to_live: null }
    expect((await server.request('POST', '/v3/scheduling/sessions', { body: session })).status).toBe(200)
  })

  it('of a group are refused with the reason, not with what else it lacks', async () => {
    const made = await create({ type: 'group', name: 'Yoga', group_booking: { calendar_id: 'primary' } })
    expect([made.status, made.body.error.message]).toEqual([
      400,
      expect.stringMatching(/^type: group configurations are not served yet/),
    ])
  })
})

describe('a round robin', () => {
  it('keeps its host through a move that names none, and offers that host', async () => {
    const id = await makeConfiguration(server, [ada, ben], {
      participants: [participant(ada.email), participant(ben.email)],
      rules: { availability_method: 'max-fairness' },
    })
    const at = start + 5 * 86_400
    const made = (await book(server, id, at)).body.data
    const path = `/v3/scheduling/bookings/${made.booking_id}?configuration_id=${id}`
    for (const later of [1, 2, 3]) {
      const moved = await server.request('PATCH', path, {
        token: null,
        body: { start_time: at + later * 1800, end_time: at + (later + 1) * 1800 },
      })
      expect(moved.body.data.organizer.email).toBe(made.organizer.email)
    }
    const offered = await server.request(
      'GET',
      `/v3/scheduling/availability?configuration_id=${id}&booking_id=${made.booking_id}&start_time=${at}&end_time=${at + 86_400}`,
      { token: null },
    )
    expect(offered.body.data.time_slots[0].emails).toContain(made.organizer.email)
    const listed = await server.request('GET', `/v3/grants/${ada.grantId}/scheduling/bookings?configuration_id=${id}`)
    expect(listed.body.data[0].assignment.reason).toBe('kept')
  })

  it('is found from the calendar of the host who serves, not only from the owner of the configuration', async () => {
    const id = await makeConfiguration(server, [ada, ben], {
      participants: [participant(ada.email), participant(ben.email)],
      rules: { availability_method: 'max-availability' },
    })
    const made = await book(server, id, start + 6 * 86_400, { body: { participants: [{ email: ben.email }] } })
    const { event_id, booking_id } = made.body.data
    const listed = await server.request('GET', `/v3/grants/${ben.grantId}/scheduling/bookings?event_id=${event_id}`)
    expect(listed.body.data.map((item: { booking_id: string }) => item.booking_id)).toEqual([booking_id])
  })
})

it('more slots than anyone reads are refused to pages and to key holders, who hear what to ask instead', async () => {
  const people = Array.from({ length: 40 }, (_, index) => ({
    ...participant(`many${index}@host.example`),
    email: `many${index}@host.example`,
    availability: { calendar_ids: ['primary'] },
  }))
  for (const [index] of people.entries()) await makeHost(server, `many${index}@host.example`)
  const id = await makeConfiguration(server, [ada], {
    participants: people,
    availability: { duration_minutes: 5, interval_minutes: 5, round_to: 5 },
    rules: { availability_method: 'max-availability' },
  })
  const ask = (days: number) =>
    server.request(
      'GET',
      `/v3/scheduling/availability?configuration_id=${id}&start_time=${start}&end_time=${start + days * 86_400}`,
      { token: null },
    )
  const refused = await ask(60)
  expect([refused.status, refused.body.error.message]).toEqual([400, expect.stringContaining('ask for fewer days')])
  expect((await ask(7)).status).toBe(200)

  const askCalendars = (days: number) =>
    server.request('POST', '/v3/calendars/availability', {
      body: {
        start_time: start,
        end_time: start + days * 86_400,
        duration_minutes: 5,
        interval_minutes: 5,
        round_to: 5,
        participants: people.map(({ email }) => ({ email })),
      },
    })
  expect((await askCalendars(60)).body.error).toEqual(refused.body.error)
  expect((await askCalendars(7)).status).toBe(200)
})
