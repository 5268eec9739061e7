// Routes of webhook endpoints, of what was sent to them, and of the events feed.
import Type from 'typebox'

import { callerOf } from '../../core/account/principal.ts'
import { success } from '../../core/result.ts'
import * as deliveries from '../../wire/deliveries.ts'
import * as wire from '../../wire/webhooks.ts'
import { route } from '../route.ts'

const tag = 'Webhooks'
const path = '/v3/webhooks'

export const webhookRoutes = [
  route({
    method: 'POST',
    path,
    guard: 'key',
    tag,
    summary: 'Ask for webhooks',
    description:
      'The URL is asked first, `GET <webhook_url>?challenge=<word>`, and must answer 200 with the word alone within 10 seconds. ' +
      'Every webhook carries `x-nylas-signature` (hex HMAC-SHA256 of the body, keyed with the secret as text) and the headers of ' +
      'Standard Webhooks. Anything but a 2xx within 10 seconds is tried again, for about three days. ' +
      'Webhooks may come twice and in another order: `id` is the same for the same notification, `sequence` counts those of one object. ' +
      "A booking's status is that of the highest `sequence` of `booking.pending`, `booking.created` and `booking.cancelled`; its time " +
      'that of the highest of any.',
    body: wire.endpointBody,
    data: wire.endpointWithSecretData,
    async handle({ principal, body, operations }) {
      const content = wire.readEndpoint(body)
      if (!content.ok) return content
      const created = await operations.createEndpoint(callerOf(principal), content.value)
      if (!created.ok) return created
      const { endpoint, secret } = created.value
      return success({ data: { ...wire.endpointToJson(endpoint), webhook_secret: secret } })
    },
  }),
  route({
    method: 'GET',
    path,
    guard: 'key',
    tag,
    summary: 'Webhook endpoints',
    data: Type.Array(wire.endpointData),
    async handle({ principal, operations }) {
      const listed = await operations.listEndpoints(callerOf(principal).appId)
      return listed.ok ? success({ data: listed.value.map(wire.endpointToJson) }) : listed
    },
  }),
  route({
    method: 'GET',
    path: `${path}/ip-addresses`,
    guard: 'key',
    tag,
    summary: 'Addresses that webhooks come from',
    description: 'Empty: a server that you run yourself cannot know how it looks from outside.',
    data: Type.Object({ ip_addresses: Type.Array(Type.String()), updated_at: Type.Integer() }),
    handle: async () => success({ data: { ip_addresses: [], updated_at: 0 } }),
  }),
  route({
    method: 'POST',
    path: `${path}/mock-payload`,
    guard: 'key',
    tag,
    summary: 'A sample of what is sent for a trigger',
    body: wire.mockBody,
    data: wire.notificationData,
    async handle({ principal, body, operations }) {
      const made = await operations.mockPayload(callerOf(principal).appId, body.trigger_type)
      return made.ok ? success({ data: made.value }) : made
    },
  }),
  route({
    method: 'POST',
    path: `${path}/send-test-event`,
    guard: 'key',
    tag,
    summary: 'Send a sample to a URL, signed with the secret mock-webhook-secret',
    body: wire.testBody,
    data: Type.String(),
    async handle({ principal, body, operations }) {
      const sent = await operations.sendTestNotification(callerOf(principal), {
        trigger: body.trigger_type,
        url: body.webhook_url,
      })
      return sent.ok ? success({ data: 'success' }) : sent
    },
  }),
  route({
    method: 'POST',
    path: `${path}/rotate-secret/:webhook_id`,
    guard: 'key',
    tag,
    summary: 'Make a new secret',
    description:
      'It signs at once. For 24 hours the old one signs too: as a second signature in `webhook-signature`, and in `x-openslot-previous-signature`.',
    params: wire.endpointParams,
    body: Type.Optional(Type.Union([Type.Object({}), Type.Null()])),
    data: wire.endpointWithSecretData,
    async handle({ principal, params, operations }) {
      const rotated = await operations.rotateEndpointSecret(callerOf(principal), params.webhook_id)
      if (!rotated.ok) return rotated
      const { endpoint, secret } = rotated.value
      return success({ data: { ...wire.endpointToJson(endpoint), webhook_secret: secret } })
    },
  }),
  route({
    method: 'GET',
    path: `${path}/:webhook_id`,
    guard: 'key',
    tag,
    summary: 'One webhook endpoint',
    params: wire.endpointParams,
    data: wire.endpointData,
    async handle({ principal, params, operations }) {
      const shown = await operations.showEndpoint(callerOf(principal).appId, params.webhook_id)
      return shown.ok ? success({ data: wire.endpointToJson(shown.value) }) : shown
    },
  }),
  route({
    method: 'PUT',
    path: `${path}/:webhook_id`,
    guard: 'key',
    tag,
    summary: 'Change, pause or wake a webhook endpoint',
    description:
      'What is left out or empty stays. A new URL, and `active` for one that was not, need an answered challenge. ' +
      'What happened while it slept is sent when it wakes.',
    params: wire.endpointParams,
    body: wire.endpointChangeBody,
    data: wire.endpointData,
    async handle({ principal, params, body, operations }) {
      const changed = await operations.changeEndpoint(callerOf(principal), params.webhook_id, {
        content: (before) => wire.readEndpoint(body, before),
        status: body.status ?? undefined,
      })
      return changed.ok ? success({ data: wire.endpointToJson(changed.value) }) : changed
    },
  }),
  route({
    method: 'DELETE',
    path: `${path}/:webhook_id`,
    guard: 'key',
    tag,
    summary: 'Delete a webhook endpoint',
    params: wire.endpointParams,
    data: Type.Object({ status: Type.Literal('success') }),
    async handle({ principal, params, operations }) {
      const deleted = await operations.deleteEndpoint(callerOf(principal), params.webhook_id)
      return deleted.ok ? success({ data: { status: 'success' } }) : deleted
    },
  }),
  route({
    method: 'GET',
    path: `${path}/:webhook_id/deliveries`,
    guard: 'key',
    tag,
    summary: 'What was sent to an endpoint, with every attempt; newest first',
    description: 'Kept for 30 days.',
    params: wire.endpointParams,
    query: deliveries.deliveryListQuery,
    data: Type.Array(deliveries.deliveryData),
    isList: true,
    async handle({ principal, params, query, operations }) {
      const { appId } = callerOf(principal)
      const listed = await operations.listEndpointDeliveries(appId, params.webhook_id, readPage(query))
      if (!listed.ok) return listed
      return success({ data: listed.value.deliveries.map(deliveries.deliveryToJson), nextCursor: listed.value.next })
    },
  }),
  route({
    method: 'POST',
    path: `${path}/:webhook_id/deliveries/:delivery_id/replay`,
    guard: 'key',
    tag,
    summary: 'Send one notification again, under its old id',
    params: deliveries.deliveryParams,
    body: Type.Optional(Type.Union([Type.Object({}), Type.Null()])),
    data: deliveries.deliveryData,
    async handle({ principal, params, operations }) {
      const replayed = await operations.replayDelivery(callerOf(principal), {
        endpointId: params.webhook_id,
        deliveryId: params.delivery_id,
      })
      return replayed.ok ? success({ data: deliveries.deliveryToJson(replayed.value) }) : replayed
    },
  }),
  route({
    method: 'POST',
    path: `${path}/:webhook_id/replay`,
    guard: 'key',
    tag,
    summary: 'Send all of a span of time again',
    description: 'Also what happened before the endpoint was made, or asked for the trigger.',
    params: wire.endpointParams,
    body: deliveries.replayBody,
    data: Type.Object({ replayed: Type.Integer() }),
    async handle({ principal, params, body, operations }) {
      const range = deliveries.readReplay(body)
      if (!range.ok) return range
      const replayed = await operations.replayRange(callerOf(principal), params.webhook_id, range.value)
      return replayed.ok ? success({ data: { replayed: replayed.value } }) : replayed
    },
  }),
  route({
    method: 'GET',
    path: '/v3/scheduling/bookings/:booking_id/deliveries',
    guard: 'key',
    tag,
    summary: 'What was sent of a booking, with every attempt; newest first',
    params: Type.Object({ booking_id: Type.String() }),
    query: deliveries.deliveryListQuery,
    data: Type.Array(deliveries.deliveryData),
    isList: true,
    async handle({ principal, params, query, operations }) {
      const { appId } = callerOf(principal)
      const listed = await operations.listBookingDeliveries(appId, params.booking_id, readPage(query))
      if (!listed.ok) return listed
      return success({ data: listed.value.deliveries.map(deliveries.deliveryToJson), nextCursor: listed.value.next })
    },
  }),
  route({
    method: 'GET',
    path: '/v3/events-feed',
    guard: 'key',
    tag,
    summary: 'All that happened in the last 30 days, oldest first',
    description:
      'For clients that were away: read from `after`, the id that was read last, until nothing more comes. Each item is what a webhook would carry.',
    query: deliveries.feedQuery,
    data: Type.Array(wire.notificationData),
    isList: true,
    async handle({ principal, query, operations }) {
      const { appId } = callerOf(principal)
      const triggers = deliveries.readFeedTriggers(query)
      if (!triggers.ok) return triggers
      const feed = await operations.readEventsFeed(appId, {
        limit: query.limit ?? 50,
        after: query.after === '' ? undefined : query.after,
        triggers: triggers.value,
        grantId: query.grant_id,
      })
      if (!feed.ok) return feed
      const data = feed.value.map((notification) => wire.notificationToJson(appId, notification))
      return success({ data, nextCursor: data.length === (query.limit ?? 50) ? data.at(-1)?.id : undefined })
    },
  }),
]

function readPage(query: { limit?: number; page_token?: string; status?: string }) {
  return {
    limit: query.limit ?? 50,
    after: query.page_token === '' ? undefined : query.page_token,
    state: deliveries.stateOf(query.status),
  }
}
