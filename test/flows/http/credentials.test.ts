/** Who asks is known before anything of what they sent is read, and for as long as was said. */
import { describe, expect, it } from 'vitest'

import { routes } from '../../../src/http/routes/routes.ts'
import { makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { rawRequest } from '../../support/rawHttp.ts'
import { startTestServer } from '../../support/server.ts'

const server = await startTestServer()
const host = await makeHost(server, 'ada@host.example')
const configurationId = await makeConfiguration(server, [host], { top: { requires_session_auth: true } })
const start = nearFuture()

describe('a body', () => {
  const guarded = routes.filter(({ method, guard }) => method !== 'GET' && guard !== 'public' && guard !== 'scheduler')

  it.each([
    ['is no JSON', '{"a":'],
    ['is larger than any may be', JSON.stringify({ a: 'a'.repeat(2_000_000) })],
  ])('that %s is no matter before who sends it is known', async (_, body) => {
    expect(guarded.length).toBeGreaterThan(30)
    for (const { method, path } of guarded) {
      const reply = await rawRequest(server.url, {
        method,
        path: path.replace(/:\w+/g, 'x'),
        headers: { 'content-type': 'application/json', authorization: 'Bearer bad' },
        body,
      })
      expect([method, path, reply.status]).toEqual([method, path, 401])
    }
  })
})

describe('a session', () => {
  const open = (body: object) =>
    server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: configurationId, ...body } })
  const slots = `/v3/scheduling/availability?start_time=${start}&end_time=${start + 3_600}`
  const statusWith = async (token: string) => (await server.request('GET', slots, { token })).status
  const letPass = (seconds: number) =>
    server.app.database.pool.query('update openslot.sessions set expires_at = expires_at - make_interval(secs => $1)', [
      seconds,
    ])

  it.each([
    [{}, 5],
    [{ time_to_live: 1 }, 1],
    [{ time_to_live: 30 }, 30],
  ])('that asks for %j is good for %i minutes', async (asked, minutes) => {
    const token = (await open(asked)).body.data.session_id as string
    expect(await statusWith(token)).toBe(200)
    await letPass(minutes * 60 - 30)
    expect(await statusWith(token)).toBe(200)
    await letPass(30)
    expect(await statusWith(token)).toBe(401)
  })

  it('is good for half an hour at most', async () => {
    expect((await open({ time_to_live: 31 })).status).toBe(400)
  })
})
