/** What a server has opened is closed at its end, whatever goes wrong on the way. */
import { expect, it } from 'vitest'

import { startTestServer } from '../support/server.ts'

it('one part that cannot be closed is told of, and keeps no other open', async () => {
  // No network at all, past the check of the settings: the door to other servers cannot be opened, nor closed after that.
  const network = { allowPrivateNetwork: ['999.1.1.1'] }
  const server = await startTestServer({ network }, { LOG_LEVEL: 'fatal' })
  const body = { webhook_url: 'https://hooks.example/', trigger_types: ['booking.created'] }
  expect((await server.request('POST', '/v3/webhooks', { body })).status).toBe(500)
  await expect(server.app.close()).rejects.toThrow('neither IPv6 nor IPv4')
  expect(server.app.database.pool.ended).toBe(true)
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow('fetch failed')
})
