import { beforeAll, describe, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { makeHost } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})

const connect = (email: string, more: object = {}) =>
  server.request('POST', '/v3/connect/custom', { body: { provider: 'virtual-calendar', settings: { email }, ...more } })
const tokenFor = async (grantId: string) => {
  const reply = await server.request('POST', '/v3/connect/token', {
    token: null,
    body: {
      grant_type: 'client_credentials',
      client_id: server.clientId,
      client_secret: server.apiKey,
      grant_id: grantId,
    },
  })
  return reply.body.access_token as string
}

describe('the application', () => {
  it('shows itself to its key, and takes branding', async () => {
    const shown = await server.request('GET', '/v3/applications')
    expect(shown.body.data).toMatchObject({
      application_id: server.clientId,
      environment: 'production',
      branding: { name: 'test' },
      callback_uris: [],
    })
    const changed = await server.request('PATCH', '/v3/applications', {
      body: { branding: { name: 'Desk', website_url: 'https://desk.example' } },
    })
    expect(changed.body).toMatchObject({
      success: true,
      request_id: expect.any(String),
      data: { branding: { name: 'Desk' } },
    })
  })

  it('keeps callback URIs', async () => {
    const path = '/v3/applications/redirect-uris'
    const made = await server.request('POST', path, { body: { url: 'https://app.example/cb' } })
    expect(made.status).toBe(200)
    expect(made.body.data).toMatchObject({ url: 'https://app.example/cb', platform: 'web' })
    const own = `${path}/${made.body.data.id}`
    expect(
      (
        await server.request('PATCH', own, {
          body: { url: 'http://localhost:3000/cb', platform: 'js', settings: { origin: 'http://localhost:3000' } },
        })
      ).body.data,
    ).toMatchObject({ id: made.body.data.id, platform: 'js' })
    expect((await server.request('GET', own)).body.data.url).toBe('http://localhost:3000/cb')
    expect((await server.request('GET', path)).body).toMatchObject({ success: true, data: [{ id: made.body.data.id }] })
    expect((await server.request('DELETE', own)).body).toEqual({ request_id: expect.any(String) })
    expect((await server.request('GET', own)).status).toBe(404)
  })

  it.each([
    { url: 'http://app.example/cb' },
    { url: 'javascript:alert(1)' },
    { url: 'javascript://x', platform: 'ios', settings: { bundle_id: 'x' } },
    { url: 'x' },
    {},
    { url: 'https://a.b', platform: 'js' },
  ])('refuses %j as a callback', async (body) => {
    expect((await server.request('POST', '/v3/applications/redirect-uris', { body })).status).toBe(400)
  })
})

describe('connectors', () => {
  it('never say their secret again, in an answer or in the database', async () => {
    const secret = 'very-secret-value'
    const settings = { client_id: 'abc', client_secret: secret, tenant: 'common' }
    const made = await server.request('POST', '/v3/connectors', {
      body: { provider: 'microsoft', settings, scope: ['Calendars.ReadWrite'] },
    })
    expect(made.status).toBe(201)
    expect(made.body.data).toEqual({
      name: 'microsoft',
      provider: 'microsoft',
      settings: { client_id: 'abc', tenant: 'common' },
      scope: ['Calendars.ReadWrite'],
    })
    for (const method of ['PATCH', 'PUT'])
      expect(
        (
          await server.request(method, '/v3/connectors/microsoft', {
            body: { settings: { client_id: 'def', client_secret: secret } },
          })
        ).body.data.settings,
      ).toEqual({ client_id: 'def' })
    const all = await server.request('GET', '/v3/connectors')
    expect(all.body).toMatchObject({ limit: 10, offset: 0, data: [{ provider: 'microsoft' }] })
    expect(JSON.stringify([made.body, all.body])).not.toContain(secret)
    const rows = await server.app.database.transaction(server.clientId as never, (transaction) =>
      transaction.query<{ sealed: Buffer; rest: string }>(
        sql`select secret_sealed as sealed, row_to_json(connectors)::text as rest from openslot.connectors where app_id = ${server.clientId}`,
      ),
    )
    expect(rows[0]?.sealed.length).toBeGreaterThan(secret.length)
    expect(rows[0]?.rest).not.toContain(secret)
    expect((await server.request('POST', '/v3/connectors', { body: { provider: 'microsoft', settings } })).status).toBe(
      400,
    )
    expect((await server.request('DELETE', '/v3/connectors/microsoft')).status).toBe(200)
    expect((await server.request('GET', '/v3/connectors/microsoft')).status).toBe(404)
  })

  it('ask for credentials where the provider does', async () => {
    expect(
      (await server.request('POST', '/v3/connectors', { body: { provider: 'google', settings: { client_id: 'x' } } }))
        .body.error.message,
    ).toContain('settings.client_secret')
    expect((await server.request('POST', '/v3/connectors', { body: { provider: 'virtual-calendar' } })).status).toBe(
      201,
    )
    expect((await server.request('POST', '/v3/connectors', { body: { provider: 'unheard-of' } })).status).toBe(400)
  })

  it('keep the name of a credential, and the scopes of Exchange', async () => {
    const scopes = ['ews.calendar']
    const made = await server.request('POST', '/v3/connectors', { body: { provider: 'ews', scopes } })
    expect(made.body.data).toMatchObject({ scope: scopes })
    expect(made.body.data).not.toHaveProperty('active_credential_id')
    const change = (body: object) => server.request('PATCH', '/v3/connectors/ews', { body })
    expect((await change({ active_credential_id: 'one' })).body.data).toMatchObject({ active_credential_id: 'one' })
    expect((await change({ name: 'Offices' })).body.data).toMatchObject({ active_credential_id: 'one', scope: scopes })
    expect((await change({ active_credential_id: '' })).body.data).not.toHaveProperty('active_credential_id')
  })
})

describe('grants', () => {
  it('of one email are one grant, whatever its case', async () => {
    const first = await connect('Desk-24')
    expect(first.status).toBe(201)
    expect(first.body.data).toMatchObject({
      provider: 'virtual-calendar',
      email: 'Desk-24',
      grant_status: 'valid',
      scope: [],
    })
    const again = await connect('desk-24', { scope: ['calendar'], name: 'Desk' })
    expect(again.body.data.id).toBe(first.body.data.id)
  })

  it.each([
    [{ provider: 'google', settings: { refresh_token: 'x' } }, 'cannot be connected yet'],
    [{ provider: 'virtual-calendar', settings: {} }, 'settings.email'],
    [{ provider: 'virtual-calendar' }, 'settings'],
    [{ provider: 'virtual-calendar', settings: { email: 'a\0' } }, 'U+0000'],
    [{ provider: 'fax', settings: {} }, 'provider'],
  ])('cannot be made of %j', async (body, named) => {
    const refused = await server.request('POST', '/v3/connect/custom', { body })
    expect(refused.status).toBe(400)
    expect(refused.body.error.message).toContain(named)
  })

  it('are found under every spelling, with what must be escaped', async () => {
    const email = 'kim/1#2+x@example.test'
    const { id } = (await connect(email)).body.data
    const token = await tokenFor(id)
    for (const spelling of [id, id.toUpperCase(), `grant:${id}`, email, `email:${email}`, email.toUpperCase()]) {
      const path = `/v3/grants/${encodeURIComponent(spelling)}`
      expect((await server.request('GET', path)).body.data?.id).toBe(id)
      expect((await server.request('GET', `${path}/calendars`)).status).toBe(200)
      expect((await server.request('GET', `${path}/calendars`, { token })).status).toBe(200)
    }
    await server.app.database.transaction(server.clientId as never, (transaction) =>
      transaction.query(
        sql`update openslot.grants set external_id = 'ext 1' where app_id = ${server.clientId} and id = ${id}`,
      ),
    )
    expect((await server.request('GET', '/v3/grants/external:ext%201')).body.data.id).toBe(id)
    expect((await server.request('GET', '/v3/grants/me', { token })).body.data.id).toBe(id)
    expect((await server.request('GET', '/v3/grants/me/calendars', { token })).status).toBe(200)
    expect((await server.request('GET', '/v3/grants/me')).status).toBe(400)
    expect((await server.request('GET', '/v3/grants/me/calendars')).status).toBe(400)
  })

  it('are listed, filtered, changed and removed with their tokens and configurations', async () => {
    const host = await makeHost(server, 'listed@example.test')
    const listed = await server.request(
      'GET',
      '/v3/grants?email=LISTED@example.test&provider=virtual-calendar&sort_by=createdAt',
    )
    expect(listed.body).toMatchObject({ limit: 10, offset: 0, data: [{ id: host.grantId }] })
    expect((await server.request('GET', '/v3/grants?limit=1&offset=1')).body.data).toHaveLength(1)
    expect((await server.request('GET', '/v3/grants?limit=-1')).status).toBe(400)
    const changed = await server.request('PATCH', `/v3/grants/${host.grantId}`, {
      body: { scope: ['a'], settings: { colour: 'red' } },
    })
    expect(changed.body.data).toMatchObject({ scope: ['a'], settings: { colour: 'red', email: 'listed@example.test' } })
    const token = await tokenFor(host.grantId)
    const made = await server.request('POST', `/v3/grants/${host.grantId}/scheduling/configurations`, {
      body: {
        participants: [
          {
            email: host.email,
            is_organizer: true,
            availability: { calendar_ids: ['primary'] },
            booking: { calendar_id: 'primary' },
          },
        ],
        availability: { duration_minutes: 30 },
        event_booking: { title: 'T' },
      },
    })
    expect(made.status).toBe(200)
    expect((await server.request('DELETE', `/v3/grants/${host.grantId}`)).body).toEqual({
      request_id: expect.any(String),
    })
    expect((await server.request('GET', `/v3/grants/${host.grantId}`)).status).toBe(404)
    expect((await server.request('GET', '/v3/grants/me', { token })).status).toBe(401)
    const query = `configuration_id=${made.body.data.id}&start_time=1&end_time=2`
    expect((await server.request('GET', `/v3/scheduling/availability?${query}`, { token: null })).status).toBe(404)
    expect((await connect('listed@example.test')).body.data.id).not.toBe(host.grantId)
  })

  it('write what happened into the outbox and the audit log', async () => {
    const { id } = (await connect('outbox@example.test')).body.data
    await connect('outbox@example.test')
    await server.request('DELETE', `/v3/grants/${id}`)
    const rows = await server.app.database.query<{ trigger: string; number: number; code: number }>(sql`
      select trigger, number, (body ->> 'code')::int as code from openslot.webhook_events where app_id = ${server.clientId} and object_id = ${id} order by number`)
    expect(rows).toEqual([
      { trigger: 'grant.created', number: 1, code: 25_012 },
      { trigger: 'grant.updated', number: 2, code: 25_027 },
      { trigger: 'grant.deleted', number: 3, code: 25_013 },
    ])
    const audit = await server.app.database.query<{ action: string; actor: string }>(sql`
      select action, actor from openslot.audit_log where app_id = ${server.clientId} and target = ${id} order by at, id`)
    expect(audit.map(({ action }) => action)).toEqual(['grant.created', 'grant.updated', 'grant.deleted'])
    expect(audit[0]?.actor).toMatch(/^key:/)
  })
})

describe('access tokens', () => {
  it('open one grant, tell what they are, and end when revoked', async () => {
    const own = await makeHost(server, 'own@example.test')
    const other = await makeHost(server, 'other@example.test')
    const token = await tokenFor(own.email)
    const missing = await server.request('GET', '/v3/grants/nobody@example.test/calendars', { token })
    const foreign = await server.request('GET', `/v3/grants/${other.grantId}/calendars`, { token })
    expect([foreign.status, foreign.body.error]).toEqual([missing.status, missing.body.error])
    expect(foreign.status).toBe(404)
    expect((await server.request('GET', '/v3/grants', { token })).status).toBe(401)
    const information = await server.request('GET', `/v3/connect/tokeninfo?access_token=${token}`)
    expect(information.body.data).toMatchObject({ sub: own.grantId, email: own.email, aud: server.clientId })
    expect(information.body.data.exp - information.body.data.iat).toBe(3_600)
    const revoked = await server.request('POST', `/v3/connect/revoke?token=${token}`)
    expect([revoked.status, revoked.body]).toEqual([200, { request_id: expect.any(String) }])
    expect((await server.request('GET', '/v3/grants/me', { token })).status).toBe(401)
    expect((await server.request('POST', `/v3/connect/revoke?token=${token}`)).body).toMatchObject({
      error: 'invalid_token',
      error_code: 400,
    })
  })

  it('are given for a form too', async () => {
    await connect('form@example.test')
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: server.clientId,
      client_secret: server.apiKey,
      grant_id: 'form@example.test',
    })
    const reply = await fetch(`${server.url}/v3/connect/token`, { method: 'POST', body: form })
    expect([reply.status, await reply.json()]).toMatchObject([
      200,
      { token_type: 'Bearer', expires_in: 3_600, email: 'form@example.test' },
    ])
  })

  it.each([
    [{ grant_type: 'authorization_code' }, 'unsupported_grant_type'],
    [{ grant_type: 'refresh_token' }, 'unsupported_grant_type'],
    [{ grant_type: 'password' }, 'unsupported_grant_type'],
    [{}, 'invalid_request'],
    [{ grant_type: 'client_credentials' }, 'invalid_request'],
    [
      { grant_type: 'client_credentials', client_id: 'x', client_secret: 'wrong-secret-wrong-secret', grant_id: 'y' },
      'invalid_client',
    ],
  ])('are refused for %j in OAuth words', async (body, error) => {
    const refused = await server.request('POST', '/v3/connect/token', { token: null, body })
    expect([refused.status, refused.body]).toEqual([
      400,
      { error, error_description: expect.any(String), error_uri: '', error_code: 400 },
    ])
  })

  it('are refused for a grant that is missing, and for another application’s key', async () => {
    const other = await server.otherApplication()
    const body = {
      grant_type: 'client_credentials',
      client_id: server.clientId,
      client_secret: server.apiKey,
      grant_id: 'nobody@example.test',
    }
    expect((await server.request('POST', '/v3/connect/token', { body })).body.error).toBe('invalid_grant')
    expect(
      (await server.request('POST', '/v3/connect/token', { body: { ...body, client_secret: other.apiKey } })).body
        .error,
    ).toBe('invalid_client')
  })
})

describe('another application', () => {
  it('gets the same answer for what is not its own as for what is not there', async () => {
    const host = await makeHost(server, 'private@example.test')
    const event = await server.request('POST', `/v3/grants/${host.grantId}/events?calendar_id=primary`, {
      body: { when: { date: '2026-07-01' } },
    })
    const uri = await server.request('POST', '/v3/applications/redirect-uris', { body: { url: 'https://own.example' } })
    const token = (await server.otherApplication()).apiKey
    const nothing = '00000000-0000-7000-8000-000000000000'
    const window = { start_time: 1_782_864_000, end_time: 1_782_950_400 }
    const probes: [
      string,
      (grant: string, rest: { calendar: string; event: string; uri: string }) => string,
      object?,
    ][] = [
      ['GET', (grant) => `/v3/grants/${grant}`],
      ['PATCH', (grant) => `/v3/grants/${grant}`, {}],
      ['DELETE', (grant) => `/v3/grants/${grant}`],
      ['GET', (grant) => `/v3/grants/${grant}/calendars`],
      ['POST', (grant) => `/v3/grants/${grant}/calendars`, { name: 'x' }],
      ['GET', (grant, { calendar }) => `/v3/grants/${grant}/calendars/${calendar}`],
      ['PUT', (grant, { calendar }) => `/v3/grants/${grant}/calendars/${calendar}`, { name: 'x' }],
      ['DELETE', (grant, { calendar }) => `/v3/grants/${grant}/calendars/${calendar}`],
      ['GET', (grant, { calendar }) => `/v3/grants/${grant}/events?calendar_id=${calendar}`],
      ['GET', (grant, { calendar }) => `/v3/grants/${grant}/events/import?calendar_id=${calendar}`],
      [
        'POST',
        (grant, { calendar }) => `/v3/grants/${grant}/events?calendar_id=${calendar}`,
        { when: { date: '2026-07-01' } },
      ],
      ['GET', (grant, { calendar, event: id }) => `/v3/grants/${grant}/events/${id}?calendar_id=${calendar}`],
      [
        'PUT',
        (grant, { calendar, event: id }) => `/v3/grants/${grant}/events/${id}?calendar_id=${calendar}`,
        { title: 'x' },
      ],
      ['DELETE', (grant, { calendar, event: id }) => `/v3/grants/${grant}/events/${id}?calendar_id=${calendar}`],
      [
        'POST',
        (grant, { calendar, event: id }) => `/v3/grants/${grant}/events/${id}/send-rsvp?calendar_id=${calendar}`,
        { status: 'yes' },
      ],
      ['POST', (grant) => `/v3/grants/${grant}/calendars/free-busy`, { ...window, emails: ['private@example.test'] }],
      ['GET', (_, { uri: id }) => `/v3/applications/redirect-uris/${id}`],
      ['PATCH', (_, { uri: id }) => `/v3/applications/redirect-uris/${id}`, {}],
      ['DELETE', (_, { uri: id }) => `/v3/applications/redirect-uris/${id}`],
    ]
    for (const [method, path, body] of probes) {
      const answers = [
        await server.request(
          method,
          path(host.grantId, { calendar: host.calendarId, event: event.body.data.id, uri: uri.body.data.id }),
          { token, body },
        ),
        await server.request(method, path(nothing, { calendar: nothing, event: nothing, uri: nothing }), {
          token,
          body,
        }),
      ]
      const [foreign, missing] = answers.map((reply) => {
        const headers = [...reply.headers].filter(([name]) => name !== 'x-request-id' && name !== 'date')
        return { status: reply.status, error: reply.body.error, headers }
      })
      expect(foreign, `${method} ${path('G', { calendar: 'C', event: 'E', uri: 'U' })}`).toEqual(missing)
      expect(foreign?.status).toBe(404)
    }
    const availability = { ...window, duration_minutes: 30, participants: [{ email: 'private@example.test' }] }
    const refused = await server.request('POST', '/v3/calendars/availability', { token, body: availability })
    expect([refused.status, refused.body.error.message]).toEqual([
      400,
      expect.stringContaining('participants[0].email'),
    ])
    expect((await server.request('GET', '/v3/grants', { token })).body.data).toEqual([])
    expect((await server.request('GET', `/v3/grants/${host.grantId}`)).status).toBe(200)
  })
})
