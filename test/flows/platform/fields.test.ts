/** Null means what leaving out means, and nothing that is asked for is taken and then passed over. */
import { beforeAll, describe, expect, it } from 'vitest'

import { configurationBody, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let host: TestHost
let grant: string
let configurations: string
beforeAll(async () => {
  server = await startTestServer()
  host = await makeHost(server, 'ana@host.example')
  grant = `/v3/grants/${host.grantId}`
  configurations = `${grant}/scheduling/configurations`
})

const start = nearFuture()
const times = { start_time: start, end_time: start + 1_800 }

describe('null', () => {
  it.each([
    [{ ...times, time: null, date: null, start_date: null, end_date: null, timezone: null }, 'timespan'],
    [{ date: '2027-06-01', start_time: null, end_time: null, time: null }, 'date'],
    [{ start_date: '2027-06-01', end_date: '2027-06-02', start_time: null, date: null }, 'datespan'],
    [{ time: start, start_time: null, end_time: null }, 'time'],
  ])('in the time of an event, %j, stands for what is left out', async (when, kind) => {
    const made = await server.request('POST', `${grant}/events?calendar_id=primary`, {
      body: {
        when,
        conferencing: { provider: null, details: null, autocreate: null },
        reminders: { use_default: false, overrides: [{ reminder_minutes: 10, reminder_method: null }] },
      },
    })
    expect(made.body.data).toMatchObject({
      when: { object: kind },
      reminders: { overrides: [{ reminder_minutes: 10 }] },
    })
    expect(made.body.data).not.toHaveProperty('conferencing')
  })

  it('is no second kind of time, and no time at all', async () => {
    const when = { time: null, start_time: null, end_time: null, date: null, start_date: null, end_date: null }
    const refused = await server.request('POST', `${grant}/events?calendar_id=primary`, { body: { when } })
    expect(refused.body.error.message).toMatch(/^when: must have exactly one/)
  })

  it('is taken by free/busy, grants, tokens and calendars', async () => {
    const emails = [host.email]
    const asked = { body: { ...times, emails, tentative_as_busy: null } }
    expect((await server.request('POST', `${grant}/calendars/free-busy`, asked)).status).toBe(200)
    const changed = await server.request('PATCH', grant, { body: { settings: null, scope: null, name: null } })
    expect(changed.body.data).toMatchObject({ email: host.email, settings: { email: host.email } })
    const renamed = await server.request('PUT', `${grant}/calendars/primary`, {
      body: { name: null, location: 'Room 1' },
    })
    expect(renamed.body.data).toMatchObject({ name: expect.stringMatching(/./), location: 'Room 1' })
  })

  it('as the name of a configuration is the name of its organizer, and so is an empty one', async () => {
    for (const name of [null, '', undefined]) {
      const body = configurationBody([host], { top: { name } })
      const made = await server.request('POST', configurations, { body })
      const settings = await server.request('GET', `/v3/scheduling/ui-settings?configuration_id=${made.body.data.id}`)
      expect([made.body.data.name, settings.body.data.name]).toEqual(['ana', 'ana'])
    }
  })

  it('in a configuration stands for the default, and in a change for what is there', async () => {
    const body = configurationBody([host], {
      event: { conferencing: { provider: null, autocreate: null, details: null } },
      scheduler: { additional_fields: { topic: { label: 'Topic', type: 'text', required: null, order: null } } },
      rules: { buffer: { before: null, after: null } },
    })
    const made = await server.request('POST', configurations, { body })
    expect(made.body.data).toMatchObject({ availability: { availability_rules: { buffer: { before: 0, after: 0 } } } })
    const changed = await server.request('PUT', `${configurations}/${made.body.data.id}`, {
      body: { name: 'Other', participants: null, availability: null, event_booking: null },
    })
    expect(changed.body.data).toEqual({ ...made.body.data, name: 'Other' })
  })
})

describe('what cannot have an effect is refused', () => {
  it('a conference of which nobody says where it is, or that it is to be made', async () => {
    const body = configurationBody([host], { event: { conferencing: { provider: 'Zoom Meeting' } } })
    const refused = await server.request('POST', configurations, { body })
    expect([refused.status, refused.body.error?.message]).toEqual([
      400,
      'event_booking.conferencing: has neither autocreate nor details; give one of them',
    ])
  })

  const meet = { url: 'https://meet.example/1' }
  it.each([
    [{ provider: 'Jitsi', details: meet }, /provider: must be one of Google Meet, .*, GoToMeeting$/],
    [{ provider: 'zoom meeting', details: meet }, /provider: must be one of/],
    [{ provider: 'WebEx', autocreate: {} }, /provider: must be one of .* for a conference that is to be made$/],
    [{ provider: 'Zoom Meeting', autocreate: {} }, /autocreate\.conf_grant_id: is required/],
    [{ provider: 'Zoom Meeting', autocreate: { conf_grant_id: null } }, /autocreate\.conf_grant_id: is required/],
    [
      { provider: 'Google Meet', details: { ...meet, phone: ['1', '2'] } },
      /details\.phone: must be one number at most/,
    ],
  ])('a conference %j, of an event as of a configuration', async (conferencing, sentence) => {
    const made = await server.request('POST', configurations, {
      body: configurationBody([host], { event: { conferencing } }),
    })
    const event = await server.request('POST', `${grant}/events?calendar_id=primary`, {
      body: { when: times, conferencing },
    })
    for (const refused of [made, event])
      expect([refused.status, refused.body.error?.message]).toEqual([400, expect.stringMatching(sentence)])
  })

  it.each([
    { provider: 'Skype for Business', details: meet },
    { provider: 'Google Meet', details: { ...meet, phone: ['1'] } },
    { provider: 'WebEx', details: { ...meet, phone: ['1', '2'] }, autocreate: null },
    { provider: 'Zoom Meeting', autocreate: { conf_grant_id: 'x' } },
    { provider: 'Microsoft Teams', autocreate: {}, details: null },
    { provider: '' },
    {},
  ])('no conference that can be: %j', async (conferencing) => {
    const body = configurationBody([host], { event: { conferencing } })
    const made = await server.request('POST', configurations, { body })
    expect([made.status, made.body.data?.event_booking.conferencing]).toEqual([200, conferencing])
  })

  it('a participant of an event named twice', async () => {
    const invited = ['a@b.example', 'c@d.example', 'A@b.example'].map((email) => ({ email }))
    const refused = await server.request('POST', `${grant}/events?calendar_id=primary`, {
      body: { when: times, participants: invited },
    })
    expect([refused.status, refused.body.error?.message]).toEqual([
      400,
      'participants[2].email: is the same as participants[0].email',
    ])
  })

  it('reminders of an event beside those of its calendar', async () => {
    const remind = (reminders: object) =>
      server.request('POST', `${grant}/events?calendar_id=primary`, { body: { when: times, reminders } })
    const refused = await remind({ use_default: true, overrides: [{ reminder_minutes: 5 }] })
    expect([refused.status, refused.body.error?.message]).toEqual([
      400,
      'reminders.overrides: must be empty where use_default is true',
    ])
    expect((await remind({ use_default: true, overrides: [] })).status).toBe(200)
    expect((await remind({ overrides: [{ reminder_minutes: 5 }] })).body.data.reminders.use_default).toBe(false)
  })

  it('kinds of events and of notifications that nobody knows', async () => {
    const listed = (query: string) => server.request('GET', `${grant}/events?calendar_id=primary&${query}`)
    for (const query of ['event_type=holiday', 'event_type=default,holiday', 'event_type=default&event_type=Default'])
      expect([query, (await listed(query)).body.error?.message]).toEqual([
        query,
        'event_type: must be one of default, outOfOffice, focusTime, workingLocation',
      ])
    for (const query of ['event_type=focusTime', 'event_type=', 'event_type=workingLocation&event_type=outOfOffice'])
      expect([query, (await listed(query)).status]).toEqual([query, 200])
    const feed = await server.request('GET', '/v3/events-feed?trigger_types=grant.created,grant.renamed')
    expect([feed.status, feed.body.error?.message]).toEqual([400, 'trigger_types: "grant.renamed" is not a trigger'])
    expect((await server.request('GET', '/v3/events-feed?trigger_types=')).body.data).not.toEqual([])
  })

  it('what is nearly an id, as the configuration of bookings', async () => {
    const listed = (id: string) => server.request('GET', `${grant}/scheduling/bookings?configuration_id=${id}`)
    for (const id of ['bde9b---b7ca6eadb065c5-5e-0ba8f9aab-', '0'.repeat(36), 'x']) {
      const { status, body } = await listed(id)
      expect([id, status, body.error?.message]).toEqual([id, 400, 'configuration_id: must be a UUID'])
    }
    expect((await listed('BDE9B000-B7CA-6EAD-B065-C55E0BA8F9AA')).body.data).toEqual([])
  })

  it('an id that is longer than any', async () => {
    const asked = (length: number) => server.request('GET', `${grant}/calendars/${'x'.repeat(length)}`)
    expect((await asked(1_024)).status).toBe(404)
    const refused = await asked(1_025)
    expect([refused.status, refused.body.error?.message]).toEqual([400, 'a part of the path is longer than any id'])
  })

  it('another address for a virtual account', async () => {
    const refused = await server.request('PATCH', grant, { body: { settings: { email: 'other@host.example' } } })
    expect([refused.status, refused.body.error?.message]).toEqual([400, expect.stringMatching(/^settings.email: /)])
    const kept = await server.request('PATCH', grant, { body: { settings: { email: host.email, colour: 'red' } } })
    expect(kept.body.data.settings).toEqual({ email: host.email, colour: 'red' })
  })
})

describe('a body', () => {
  it('that is empty is called so, in the words of the path', async () => {
    for (const [path, type] of [
      [grant, 'api.invalid_request_error'],
      [`${grant}/calendars/primary`, 'invalid_request_error'],
    ]) {
      const { status, body } = await server.request('PUT', path ?? '')
      expect([status, body.error]).toEqual([400, { type, message: 'Empty request body' }])
    }
    expect((await server.request('GET', '/v3/grants/missing')).body.error).toEqual({
      type: 'grant.not_found',
      message: 'Grant not found.',
    })
    expect((await server.request('POST', '/v3/webhooks', { body: '{' })).body.error).toEqual({
      type: 'api.invalid_request_payload',
      message: 'Invalid JSON payload format.',
    })
    expect((await server.request('GET', '/v3/applications', { token: 'x' })).body.error.type).toBe(
      'api.authentication_error',
    )
  })
})

describe('what nobody knows', () => {
  it('of the methods of a path of OAuth is no fault of a grant', async () => {
    const refused = await server.request('PUT', '/v3/connect/token', { body: {} })
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_request'])
  })

  it('stays in a configuration, and is dropped from an application', async () => {
    const body = configurationBody([host], { scheduler: { theirs: 1 }, event: { theirs: { deep: 1 } } })
    const made = await server.request('POST', configurations, { body })
    expect(made.body.data).toMatchObject({ scheduler: { theirs: 1 }, event_booking: { theirs: { deep: 1 } } })
    const changed = await server.request('PATCH', '/v3/applications', {
      body: { branding: { name: 'Acme', theirs: 1 }, hosted_authentication: { title: 'Hello', theirs: 1 } },
    })
    expect(changed.body.data).toMatchObject({ branding: { name: 'Acme' }, hosted_authentication: { title: 'Hello' } })
    expect(JSON.stringify(changed.body)).not.toContain('theirs')
  })
})

describe('grants', () => {
  it.each(['ip=192.0.2.1', 'account_id=a', 'account_ids=a,b', 'workspace_id=w'])('by %s are none', async (query) => {
    expect((await server.request('GET', '/v3/grants')).body.data).not.toEqual([])
    expect((await server.request('GET', `/v3/grants?${query}`)).body).toMatchObject({ data: [], limit: 10, offset: 0 })
  })
})

describe('a filter', () => {
  it('that names nobody asks for nobody, and one that nobody knows is none', async () => {
    const events = `${grant}/events?calendar_id=primary&start=${start}&end=${start + 1_800}`
    const all = (await server.request('GET', events)).body.data
    expect(all.length).toBeGreaterThan(0)
    expect((await server.request('GET', `${events}&attendees=`)).body.data).toEqual(all)
    const paired = await server.request('GET', `${grant}/events?calendar_id=primary&metadata_pair=key1:x&theirs=1`)
    expect([paired.status, paired.body.data]).toEqual([200, []])
  })
})

describe('select', () => {
  it('may be repeated, as the SDK sends lists', async () => {
    const listed = await server.request('GET', '/v3/grants?select=id&select=email,%20name')
    expect(Object.keys(listed.body.data[0]).toSorted()).toEqual(['email', 'id'])
    const whole = await server.request('GET', '/v3/grants?select=&select=,')
    expect(whole.body.data).toEqual((await server.request('GET', '/v3/grants')).body.data)
  })

  it('names the fields of every answer', async () => {
    await server.request('POST', '/v3/connectors', { body: { provider: 'virtual-calendar', name: 'Rooms' } })
    const uris = '/v3/applications/redirect-uris'
    const uri = (await server.request('POST', uris, { body: { url: 'https://app.example/cb' } })).body.data
    const id = (await server.request('POST', configurations, { body: configurationBody([host]) })).body.data.id
    const slots = `/v3/scheduling/availability?configuration_id=${id}&start_time=${start}&end_time=${start + 3_600}`
    const cases: [string, string][] = [
      ['/v3/grants?', 'id,email'],
      [`${grant}?`, 'email'],
      ['/v3/connectors?', 'name'],
      ['/v3/connectors/virtual-calendar?', 'provider'],
      ['/v3/applications?', 'application_id,region'],
      [`${uris}?`, 'url'],
      [`${uris}/${uri.id}?`, 'url,id'],
      [`${configurations}?`, 'id'],
      [`${slots}&`, 'time_slots'],
      ['/v3/webhooks?', 'id'],
      [`${grant}/calendars?`, 'name,id'],
    ]
    for (const [path, names] of cases) {
      const { status, body } = await server.request('GET', `${path}select=${names}`)
      expect([path, status]).toEqual([path, 200])
      expect(body.request_id).toEqual(expect.any(String))
      for (const item of Array.isArray(body.data) ? body.data : [body.data])
        expect([path, Object.keys(item).toSorted()]).toEqual([path, names.split(',').toSorted()])
    }
    const changed = await server.request('PATCH', `${grant}?select=name`, { body: { name: 'Ana' } })
    expect(changed.body.data).toEqual({ name: 'Ana' })
  })
})
