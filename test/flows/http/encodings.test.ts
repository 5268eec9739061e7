/** What is not UTF-8 is refused: read as if it were, its letters would be lost for good. */
import { beforeAll, expect, it } from 'vitest'

import { makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { rawRequest } from '../../support/rawHttp.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let booking: string
let grant: string
beforeAll(async () => {
  server = await startTestServer()
  const host = await makeHost(server, 'ana@host.example')
  grant = `/v3/grants/${host.grantId}`
  booking = `/v3/scheduling/bookings?configuration_id=${await makeConfiguration(server, [host])}`
})

const start = nearFuture()
const bodyOf = (name: string, at: number) =>
  JSON.stringify({ start_time: at, end_time: at + 1_800, guest: { name, email: 'jose@guest.example' } })

async function send(method: string, path: string, type?: string, body?: Uint8Array) {
  const headers = {
    authorization: `Bearer ${server.apiKey}`,
    ...(type === undefined ? {} : { 'content-type': type }),
  }
  const { status, text } = await rawRequest(server.url, {
    method,
    path,
    headers,
    ...(body === undefined ? {} : { body }),
  })
  return { status, body: JSON.parse(text) }
}

const name = 'José Müller'
const json = 'application/json'
it.each([
  ['in Latin-1 that says so', 415, `${json}; charset=iso-8859-1`, Buffer.from(bodyOf(name, start), 'latin1')],
  ['in UTF-16', 415, `${json}; charset="utf-16le"`, Buffer.from(bodyOf(name, start), 'utf16le')],
  ['in Latin-1 that does not say so', 400, json, Buffer.from(bodyOf(name, start), 'latin1')],
  ['in Latin-1 that claims to be UTF-8', 400, `${json};charset=UTF-8`, Buffer.from(bodyOf(name, start), 'latin1')],
  [
    'with a surrogate as three bytes',
    400,
    json,
    Buffer.from(bodyOf('?', start).replace('?', '\xed\xa0\x80'), 'latin1'),
  ],
])('a booking %s is refused with %i', async (_, status, type, body) => {
  const refused = await send('POST', booking, type, body)
  expect(refused).toMatchObject({
    status,
    body: {
      request_id: expect.any(String),
      error: { type: 'invalid_request_error', message: expect.stringContaining('UTF-8') },
    },
  })
})

it.each([json, `${json}; charset=utf-8`, `${json};charset="UTF8"`])(
  'a booking as %s keeps its letters',
  async (type) => {
    const at = start + [json, `${json}; charset=utf-8`].indexOf(type) * 1_800 + 1_800
    const booked = await send('POST', booking, type, Buffer.from(bodyOf(`${name} 木村 🗓`, at)))
    const event = await send('GET', `${grant}/events/${booked.body.data.event_id}?calendar_id=primary`)
    expect(event.body.data.participants).toContainEqual(expect.objectContaining({ name: `${name} 木村 🗓` }))
  },
)

it.each(['title=%FF', 'title=M%FCller', 'title=%C3', 'title=%zz', 'title=100%'])(
  'a query with %s is refused',
  async (query) => {
    const refused = await send('GET', `${grant}/events?calendar_id=primary&${query}`)
    expect(refused).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error' } } })
    expect((await send('GET', `${grant}/events?calendar_id=primary&title=M%C3%BCller%20100%25`)).status).toBe(200)
  },
)

it('a path that is not UTF-8 is refused', async () => {
  const refused = await send('GET', '/v3/grants/M%FCller/calendars')
  expect(refused).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error' } } })
})

const form = 'application/x-www-form-urlencoded'
it.each([
  ['escapes of Latin-1', 400, form, Buffer.from('client_id=M%FCller')],
  ['bytes of Latin-1', 400, form, Buffer.from('client_id=Müller', 'latin1')],
  ['another charset', 415, `${form}; charset=windows-1252`, Buffer.from('client_id=a')],
])('a form of %s is refused as OAuth does', async (_, status, type, body) => {
  const refused = await send('POST', '/v3/connect/token', type, body)
  expect(refused.body).toMatchObject({
    error: 'invalid_request',
    error_description: expect.stringContaining('UTF-8'),
    error_code: status,
  })
})
