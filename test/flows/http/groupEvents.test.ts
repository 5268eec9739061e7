/** Group events are not served yet, which everyone whom their routes let in is told. */
import { beforeAll, describe, expect, it } from 'vitest'

import { makeConfiguration, makeHost, type TestHost } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let host: TestHost
let configurationId: string
let accessToken: string
let session: string

beforeAll(async () => {
  server = await startTestServer()
  host = await makeHost(server, 'ada@host.example')
  configurationId = await makeConfiguration(server, [host])
  const issued = await server.request('POST', '/v3/connect/token', {
    body: {
      grant_type: 'client_credentials',
      client_id: server.clientId,
      client_secret: server.apiKey,
      grant_id: host.grantId,
    },
  })
  accessToken = issued.body.access_token
  const made = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: configurationId } })
  session = made.body.data.session_id
})

/** Where each is asked, behind the configuration's path, and what the components send. */
const onGrants = [
  ['GET', '/group-events?calendar_id=primary&start_time=1893492000&end_time=1893495600&show_all=true', undefined],
  ['POST', '/group-events', { title: 'Yoga', calendar_id: 'primary', capacity: 12 }],
  ['PUT', '/group-events/g1', { title: 'Yoga' }],
  ['PATCH', '/group-events/g1', { title: 'Yoga' }],
  ['DELETE', '/group-events/g1?calendar_id=primary', undefined],
  ['POST', '/import-group-events?calendar_id=primary', [{ calendar_id: 'primary', event_id: 'e1' }]],
] as const

async function ask(method: string, path: string, token: string | null, body?: unknown) {
  const reply = await server.request(method, path, { token, ...(body === undefined ? {} : { body }) })
  return { path, status: reply.status, error: reply.body.error }
}
const refusal = { type: 'invalid_request_error', message: 'group events are not served yet' }

describe('group events', () => {
  it('of a grant are refused to its key and its token in words, and to others as ever', async () => {
    for (const [method, end, body] of onGrants) {
      const pathOf = (grant: string) => `/v3/grants/${grant}/scheduling/configurations/${configurationId}${end}`
      for (const [grant, token] of [
        [host.grantId, server.apiKey],
        ['me', accessToken],
      ] as const)
        expect(await ask(method, pathOf(grant), token, body)).toEqual({
          path: pathOf(grant),
          status: 400,
          error: refusal,
        })
      for (const token of [null, session])
        expect(await ask(method, pathOf(host.grantId), token, body)).toMatchObject({ status: 401 })
    }
  })

  it('are imported by key, which is refused in words, and by nobody else', async () => {
    const path = `/v3/scheduling/configurations/${configurationId}/import-group-events`
    const body = [{ calendar_id: 'primary', event_id: 'e1' }]
    expect(await ask('POST', path, server.apiKey, body)).toEqual({ path, status: 400, error: refusal })
    for (const token of [null, session, accessToken])
      expect(await ask('POST', path, token, body)).toMatchObject({ status: 401 })
  })

  it('are looked at by guests, with a session, a key or neither, and refused in words', async () => {
    const path = `/v3/scheduling/configurations/${configurationId}/group-events/validate-timeslot`
    const body = { calendar_id: 'primary', event_id: 'e1', start_time: 1_893_492_000, end_time: 1_893_495_600 }
    for (const token of [null, session, server.apiKey])
      expect(await ask('POST', path, token, body)).toEqual({ path, status: 400, error: refusal })
  })
})
