/** Webhook endpoints of a test server, made over the API, and the clock that drives what is sent to them. */
import type { AppId } from '../../src/core/ids.ts'
import type { EndpointId } from '../../src/core/webhook/endpoint.ts'
import type { TestServer } from './server.ts'

export type TestEndpoint = { readonly id: string; readonly secret: string }

export async function makeEndpoint(
  server: Pick<TestServer, 'request'>,
  url: string,
  triggers: readonly string[],
  more: object = {},
): Promise<TestEndpoint> {
  const made = await server.request('POST', '/v3/webhooks', {
    body: { webhook_url: url, trigger_types: triggers, ...more },
  })
  if (made.status !== 200) throw new Error(JSON.stringify(made.body))
  return { id: made.body.data.id, secret: made.body.data.webhook_secret }
}

export const bookingTriggers = [
  'booking.created',
  'booking.pending',
  'booking.rescheduled',
  'booking.cancelled',
  'booking.reminder',
] as const

/** Does what a worker would do now, to the end: for servers without one. */
export async function work({ app, clientId }: TestServer, appId = clientId): Promise<void> {
  const shared = await app.operations.fanOutNotifications(appId as AppId)
  if (!shared.ok) throw new Error(shared.problem.message)
  const { rows } = await app.database.pool.query<{ id: string }>(
    `select distinct endpoint_id as id from openslot.deliveries where app_id = $1 and kind = 'webhook' and state = 'ready'`,
    [appId],
  )
  for (const { id } of rows) {
    const sent = await app.operations.deliverWebhooks({ appId: appId as AppId, endpointId: id as EndpointId })
    if (!sent.ok) throw new Error(sent.problem.message)
  }
}
