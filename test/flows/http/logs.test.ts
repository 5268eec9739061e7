/** Secrets and people are planted everywhere a request can carry them; no log line and no refusal may hold one. */
import { beforeAll, describe, expect, it } from 'vitest'

import { createLogger } from '../../../src/adapters/logging/logger.ts'
import { decodeReference, encodeSalt } from '../../../src/core/booking/reference.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { book, makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { type Reply, startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
const lines: string[] = []
/** While this is set, the server's clock throws it: a failure that nobody foresaw, in the middle of a request. */
let surprise: Error | undefined

beforeAll(async () => {
  server = await startTestServer({
    logger: createLogger('trace', { write: (line) => void lines.push(line) }),
    now: () => {
      if (surprise !== undefined) throw surprise
      return instant(Date.now())
    },
  })
})

describe('the log', () => {
  it('of the whole life of a booking, and of everything refused on the way, holds no secret and nobody', async () => {
    const start = nearFuture()
    const canaries: string[] = [
      'canaryGuestName',
      'canaryAnswer',
      'canaryReason',
      'canary@guest.example',
      'canaryhost@host.example',
      server.apiKey,
    ]
    const refusals: Reply[] = []
    const note = (reply: Reply) => {
      if (reply.status >= 400) refusals.push(reply)
      return reply
    }
    const host = await makeHost(server, 'canaryhost@host.example')
    const id = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    const session = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
    const token = await server.request('POST', '/v3/connect/token', {
      body: {
        grant_type: 'client_credentials',
        client_id: server.clientId,
        client_secret: server.apiKey,
        grant_id: host.grantId,
      },
    })
    canaries.push(session.body.data.session_id, token.body.access_token)
    const guest = { name: 'canaryGuestName', email: 'canary@guest.example' }
    const body = { guest, additional_fields: { topic: 'canaryAnswer' } }
    const made = await book(server, id, start, { body, headers: { 'idempotency-key': 'canaryIdempotency' } })
    expect(made.status).toBe(200)
    const { booking_id, booking_ref } = made.body.data
    const listed = await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings`)
    const organizerRef = listed.body.data[0].organizer_booking_ref as string
    const salt = encodeSalt(decodeReference(organizerRef)?.salt ?? new Uint8Array())
    canaries.push(booking_ref, organizerRef, salt, 'canaryIdempotency')
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`

    note(await book(server, id, start, { body }))
    note(await server.request('PUT', path, { token: null, body: { salt: 'AAAAcanarySaltAAAA', status: 'confirmed' } }))
    note(
      await server.request('PUT', path, { token: session.body.data.session_id, body: { salt, status: 'confirmed' } }),
    )
    note(await server.request('PUT', path, { token: null, body: { salt, status: 'confirmed' } }))
    note(
      await server.request(
        'GET',
        `/v3/scheduling/ui-settings?booking_ref=${encodeURIComponent(booking_ref)}&salt=${salt}`,
        { token: null },
      ),
    )
    note(await server.request('GET', '/v3/applications', { token: 'canaryBearerToken' }))
    note(
      await server.request('GET', '/v3/applications', {
        token: null,
        headers: { authorization: 'Basic canaryBasic', cookie: 'a=canaryCookie' },
      }),
    )
    note(
      await server.request('GET', `/v3/connect/tokeninfo?access_token=${token.body.access_token.slice(0, -1)}x`, {
        token: null,
      }),
    )
    note(await server.request('GET', `/v3/grants/canaryhost@host.example/nowhere?token=canaryQuery`))
    note(await server.request('DELETE', path, { token: null, body: { cancellation_reason: 'canaryReason' } }))
    canaries.push(
      'canarySalt',
      'canaryBearerToken',
      'canaryBasic',
      'canaryCookie',
      'canaryQuery',
      token.body.access_token.slice(14, 40),
    )

    surprise = Object.assign(
      new Error(
        `no room for canary@guest.example: Bearer canaryThrown ${server.apiKey} postgres://u:canaryPassword@h/d`,
      ),
      {
        detail: 'Failing row contains (canaryRow).',
        request: { headers: { authorization: 'canaryNested' }, refresh_token: 'canaryRefresh' },
        code: 'XX000',
      },
    )
    const failed = note(await book(server, id, start + 86_400, { body }))
    surprise = undefined
    canaries.push('canaryThrown', 'canaryPassword', 'canaryRow', 'canaryNested', 'canaryRefresh')
    expect(failed.status).toBe(500)
    expect(failed.body).toEqual({
      request_id: failed.headers.get('x-request-id'),
      error: { type: 'internal_error', message: expect.any(String) },
    })

    expect(refusals.length).toBeGreaterThanOrEqual(7)
    const log = lines.join('')
    const answers = JSON.stringify(refusals.map(({ body: text, headers }) => [text, Object.fromEntries(headers)]))
    expect(log).toContain(failed.body.request_id)
    for (const line of lines) expect((line.match(/"reqId":/g) ?? []).length, line).toBeLessThan(2)
    for (const canary of canaries) {
      expect(canary.length).toBeGreaterThan(5)
      expect(log.includes(canary) ? canary : undefined, 'in the log').toBeUndefined()
      expect(answers.includes(canary) ? canary : undefined, 'in a refusal').toBeUndefined()
    }
    expect(log).not.toMatch(/@(guest|host)\.example/i)
    expect(log).toMatch(/mail:[0-9a-f]{12}/)
  })

  it('is one line of JSON for each answer, which names the request, the route and no id of anybody', async () => {
    lines.length = 0
    const replies = await Promise.all([
      server.request('GET', '/v3/applications'),
      server.request('GET', '/v3/grants/00000000-0000-4000-8000-000000000000/calendars'),
      server.request('GET', '/nowhere/00000000-0000-4000-8000-000000000000'),
      server.request('GET', '/v3/scheduling/ui-settings?configuration_id=00000000-0000-4000-8000-000000000000', {
        token: null,
      }),
    ])
    const told = lines.map((line) => {
      expect(line.endsWith('\n')).toBe(true)
      return JSON.parse(line) as { reqId?: string; msg: string; status?: number; route?: string }
    })
    for (const { body, headers, status } of replies) {
      expect(body.request_id).toBe(headers.get('x-request-id'))
      const mine = told.filter(({ reqId, msg }) => reqId === body.request_id && msg === 'answered')
      expect(mine).toHaveLength(1)
      expect(lines.filter((line) => line.split(`"reqId":"${body.request_id}"`).length > 2)).toEqual([])
      expect(mine[0]).toMatchObject({ status, route: expect.any(String) })
    }
    expect(lines.join('')).not.toContain('00000000-0000-4000-8000-000000000000')
  })
})
