/** For tests that walk the whole route table: one application with one of everything, and a good request for each route. */

import { afterAll } from 'vitest'

import { decodeReference, encodeSalt } from '../../src/core/booking/reference.ts'
import type { Route } from '../../src/http/route.ts'
import { book, configurationBody, makeConfiguration, makeHost, nearFuture, type TestHost } from './hosts.ts'
import { startReceiver } from './receiver.ts'
import type { TestServer } from './server.ts'

/** One of everything that an application can have. Ids by the names that paths, queries and bodies give them. */
export type World = {
  readonly apiKey: string
  readonly accessToken: string
  readonly host: TestHost
  readonly ids: {
    readonly grant_id: string
    readonly calendar_id: string
    readonly event_id: string
    readonly configuration_id: string
    readonly slug: string
    readonly client_id: string
    readonly booking_id: string
    readonly session_id: string
    readonly id: string
    readonly provider: string
    readonly v2_scheduler_slug: string
    readonly webhook_id: string
    readonly delivery_id: string
    readonly mail_id: string
  }
  /** Opens the booking that waits for its organizer. */
  readonly salt: string
  /** Unix seconds; from here on the host is free but for what this world holds. */
  readonly start: number
}

export type Ids = World['ids']
export type Example = { readonly query?: Readonly<Record<string, string>>; readonly body?: object }

/** `provider` is the connector that this application has and others have not. */
export async function makeWorld(
  server: Pick<TestServer, 'request'>,
  { apiKey, clientId }: { readonly apiKey: string; readonly clientId: string },
  provider: string,
): Promise<World> {
  const asked: TestServer['request'] = (method, path, options = {}) =>
    server.request(method, path, { token: apiKey, ...options })
  const own = { request: asked } as TestServer
  const made = async (method: string, path: string, body: object, token = apiKey) => {
    const reply = await asked(method, path, { body, token })
    if (reply.status > 201) throw new Error(`${method} ${path}: ${JSON.stringify(reply.body)}`)
    return reply.body
  }
  const start = nearFuture()
  const name = clientId.slice(-8)
  const host = await makeHost(own, `host-${name}@host.example`)
  const grant = `/v3/grants/${host.grantId}`
  const second = await made('POST', `${grant}/calendars`, { name: 'Second', timezone: 'Europe/Berlin' })
  const event = await made('POST', `${grant}/events?calendar_id=${second.data.id}`, exampleEvent(start))
  const slug = `slug-${name}`
  const configurationId = await makeConfiguration(own, [host], {
    top: { slug },
    event: { booking_type: 'organizer-confirmation' },
  })
  const booked = await book(own, configurationId, start + 7 * 86_400)
  if (booked.status !== 200) throw new Error(JSON.stringify(booked.body))
  const listed = await asked('GET', `${grant}/scheduling/bookings`)
  const reference = decodeReference(listed.body.data[0].organizer_booking_ref as string)
  const uri = await made('POST', '/v3/applications/redirect-uris', {
    url: 'https://app.example/callback',
    platform: 'web',
  })
  await made('POST', '/v3/connectors', exampleConnector(provider))
  const receiver = await startReceiver()
  afterAll(() => receiver.close())
  const webhook = await made('POST', '/v3/webhooks', { webhook_url: receiver.url, trigger_types: ['booking.pending'] })
  await made('POST', `/v3/webhooks/${webhook.data.id}/replay`, { start_time: 1 })
  await receiver.waitFor(1)
  const deliveries = await asked('GET', `/v3/webhooks/${webhook.data.id}/deliveries`)
  const deliveryId = deliveries.body.data[0].id as string
  const mails = await asked('GET', '/v3/mails')
  const session = await made('POST', '/v3/scheduling/sessions', { configuration_id: configurationId })
  const token = await made('POST', '/v3/connect/token', {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: apiKey,
    grant_id: host.grantId,
  })
  return {
    apiKey,
    accessToken: token.access_token,
    host,
    ids: {
      grant_id: host.grantId,
      calendar_id: second.data.id,
      event_id: event.data.id,
      configuration_id: configurationId,
      slug,
      client_id: clientId,
      booking_id: booked.body.data.booking_id,
      session_id: session.data.session_id,
      id: uri.data.id,
      provider,
      v2_scheduler_slug: slug,
      webhook_id: webhook.data.id,
      delivery_id: deliveryId,
      mail_id: mails.body.data[0].id,
    },
    salt: encodeSalt(reference?.salt ?? new Uint8Array()),
    start,
  }
}

export const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`

/** The path with `ids` in the place of its parameters, and `query` behind it. */
export function pathOf(
  route: Pick<Route, 'path'>,
  ids: Readonly<Record<string, string>>,
  query: Readonly<Record<string, string>> = {},
): string {
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(ids[name] ?? ''))
  const text = new URLSearchParams(query).toString()
  return text === '' ? path : `${path}?${text}`
}

/** Throws for a route that nobody has given an example: it would otherwise go untested. */
export function exampleOf(route: Pick<Route, 'method' | 'path'>, world: World): Example {
  const make = examples[nameOf(route)]
  if (make === undefined) throw new Error(`test/support/everyRoute.ts has no example for ${nameOf(route)}`)
  return make(world)
}

const nothing = (): Example => ({})
const onCalendar = ({ ids }: World) => ({ calendar_id: ids.calendar_id })
const ofConfiguration = ({ ids }: World) => ({ configuration_id: ids.configuration_id })
const span = ({ start }: World) => ({ start_time: String(start), end_time: String(start + 86_400) })
const grant = '/v3/grants/:grant_id'
const configurations = `${grant}/scheduling/configurations`
const groupEvents = `${configurations}/:configuration_id/group-events`
const bookings = '/v3/scheduling/bookings'

const examples: Readonly<Record<string, (world: World) => Example>> = {
  'GET /healthz': nothing,
  'GET /v3/applications': nothing,
  'PATCH /v3/applications': () => ({
    body: {
      branding: { name: 'Acme', icon_url: 'https://acme.example/i.png', website_url: null, description: 'We' },
      hosted_authentication: { alignment: 'left', spacing: 5, title: 'Hello', color_primary: '#112233' },
    },
  }),
  'GET /v3/applications/redirect-uris': nothing,
  'POST /v3/applications/redirect-uris': () => ({ body: exampleUri }),
  'GET /v3/applications/redirect-uris/:id': nothing,
  'PATCH /v3/applications/redirect-uris/:id': () => ({ body: exampleUri }),
  'DELETE /v3/applications/redirect-uris/:id': nothing,
  'GET /v3/connectors': () => ({ query: { limit: '5', offset: '0' } }),
  'POST /v3/connectors': () => ({ body: exampleConnector('icloud') }),
  'GET /v3/connectors/:provider': nothing,
  'PATCH /v3/connectors/:provider': () => ({
    body: { name: 'new', settings: { client_id: 'x', client_secret: 'y' }, scope: ['a'] },
  }),
  'PUT /v3/connectors/:provider': () => ({ body: { name: 'new' } }),
  'DELETE /v3/connectors/:provider': nothing,
  'POST /v3/connect/custom': () => ({
    body: { provider: 'virtual-calendar', settings: { email: 'new@host.example' }, name: 'New', state: 's', scope: [] },
  }),
  'GET /v3/connect/auth': () => ({ query: { client_id: 'x', redirect_uri: 'https://app.example/callback' } }),
  'POST /v3/connect/token': ({ apiKey, ids }) => ({
    body: { grant_type: 'client_credentials', client_id: ids.client_id, client_secret: apiKey, grant_id: ids.grant_id },
  }),
  'POST /v3/connect/revoke': () => ({ query: { token: 'unknown' } }),
  'GET /v3/connect/tokeninfo': ({ accessToken }) => ({ query: { access_token: accessToken } }),
  'GET /v3/grants': () => ({
    query: {
      limit: '5',
      offset: '0',
      sort_by: 'created_at',
      order_by: 'asc',
      since: '1',
      before: '4000000000',
      email: 'a@b.example',
      grant_status: 'valid',
      provider: 'virtual-calendar',
    },
  }),
  'GET /v3/grants/me': nothing,
  [`GET ${grant}`]: nothing,
  [`PATCH ${grant}`]: () => ({ body: { settings: { color: 'red' }, scope: ['a'], name: 'Ada' } }),
  [`PUT ${grant}`]: () => ({ body: { settings: { color: 'red' }, scope: ['a'] } }),
  [`DELETE ${grant}`]: nothing,
  [`POST ${grant}/calendars/free-busy`]: ({ start, host }) => ({
    body: { start_time: start, end_time: start + 86_400, emails: [host.email] },
  }),
  'POST /v3/calendars/availability': ({ start, host }) => ({
    body: {
      start_time: start,
      end_time: start + 86_400,
      duration_minutes: 30,
      interval_minutes: 30,
      round_to: 15,
      participants: [
        {
          email: host.email,
          calendar_ids: ['primary'],
          open_hours: [exampleHours],
          specific_time_availability: [exampleDate],
        },
      ],
      availability_rules: {
        availability_method: 'collective',
        buffer: { before: 5, after: 5 },
        default_open_hours: [exampleHours],
      },
    },
  }),
  [`GET ${grant}/calendars`]: () => ({ query: { limit: '5', select: 'id,name', metadata_pair: 'key1:a' } }),
  [`POST ${grant}/calendars`]: () => ({ body: exampleCalendar }),
  [`GET ${grant}/calendars/:calendar_id`]: () => ({ query: { select: 'id' } }),
  [`PUT ${grant}/calendars/:calendar_id`]: () => ({ body: exampleCalendar }),
  [`PATCH ${grant}/calendars/:calendar_id`]: () => ({ body: { ...exampleCalendar, hex_color: '#0099ee' } }),
  [`DELETE ${grant}/calendars/:calendar_id`]: nothing,
  [`GET ${grant}/events`]: (world) => ({
    query: {
      ...onCalendar(world),
      limit: '5',
      start: String(world.start),
      end: String(world.start + 86_400),
      expand_recurring: 'true',
    },
  }),
  [`GET ${grant}/events/import`]: (world) => ({
    query: { ...onCalendar(world), limit: '5', start: String(world.start), end: String(world.start + 86_400) },
  }),
  [`POST ${grant}/events`]: (world) => ({
    query: { ...onCalendar(world), notify_participants: 'false' },
    body: exampleEvent(world.start),
  }),
  [`GET ${grant}/events/:event_id`]: (world) => ({ query: onCalendar(world) }),
  [`PUT ${grant}/events/:event_id`]: (world) => ({ query: onCalendar(world), body: exampleEvent(world.start) }),
  [`PATCH ${grant}/events/:event_id`]: (world) => ({
    query: onCalendar(world),
    body: { title: 'Renamed', metadata: { key1: 'b' } },
  }),
  [`DELETE ${grant}/events/:event_id`]: (world) => ({ query: onCalendar(world) }),
  [`POST ${grant}/events/:event_id/send-rsvp`]: (world) => ({ query: onCalendar(world), body: { status: 'yes' } }),
  [`POST ${configurations}`]: ({ host }) => ({ body: exampleConfiguration(host) }),
  [`GET ${configurations}`]: () => ({ query: { limit: '5' } }),
  [`GET ${configurations}/:configuration_id`]: nothing,
  [`PUT ${configurations}/:configuration_id`]: ({ host }) => ({ body: exampleConfiguration(host) }),
  [`PATCH ${configurations}/:configuration_id`]: () => ({ body: { name: 'Renamed' } }),
  [`DELETE ${configurations}/:configuration_id`]: nothing,
  [`GET ${groupEvents}`]: (world) => ({ query: { ...onCalendar(world), ...span(world) } }),
  [`POST ${groupEvents}`]: nothing,
  [`PUT ${groupEvents}/:event_id`]: nothing,
  [`PATCH ${groupEvents}/:event_id`]: nothing,
  [`DELETE ${groupEvents}/:event_id`]: nothing,
  [`POST ${configurations}/:configuration_id/import-group-events`]: nothing,
  'POST /v3/scheduling/configurations/:configuration_id/import-group-events': nothing,
  'POST /v3/scheduling/configurations/:configuration_id/group-events/validate-timeslot': nothing,
  [`GET ${grant}/scheduling/bookings`]: (world) => ({
    query: {
      ...ofConfiguration(world),
      limit: '5',
      status: 'pending',
      start: '1',
      end: '4000000000',
      guest_email: 'gil@guest.example',
      event_id: 'x',
    },
  }),
  'POST /v3/scheduling/sessions': (world) => ({ body: { ...ofConfiguration(world), time_to_live: 5 } }),
  'DELETE /v3/scheduling/sessions/:session_id': nothing,
  'GET /v3/scheduling/availability': (world) => ({ query: { ...ofConfiguration(world), ...span(world) } }),
  [`POST ${bookings}`]: (world) => ({ query: ofConfiguration(world), body: exampleBooking(world.start) }),
  [`GET ${bookings}/:booking_id`]: (world) => ({ query: ofConfiguration(world) }),
  [`PATCH ${bookings}/:booking_id`]: (world) => ({
    query: ofConfiguration(world),
    body: { start_time: world.start + 3_600, end_time: world.start + 5_400 },
  }),
  [`PUT ${bookings}/:booking_id`]: (world) => ({
    query: ofConfiguration(world),
    body: { salt: world.salt, status: 'cancelled', cancellation_reason: 'No' },
  }),
  [`DELETE ${bookings}/:booking_id`]: (world) => ({
    query: ofConfiguration(world),
    body: { cancellation_reason: 'No' },
  }),
  'GET /v3/scheduling/ui-settings': (world) => ({ query: ofConfiguration(world) }),
  'GET /v3/scheduling/should-redirect/:v2_scheduler_slug': nothing,
  'POST /v3/webhooks': () => ({ body: exampleWebhook }),
  'GET /v3/webhooks': nothing,
  'GET /v3/webhooks/ip-addresses': nothing,
  'POST /v3/webhooks/mock-payload': () => ({ body: { trigger_type: 'booking.created' } }),
  'POST /v3/webhooks/send-test-event': () => ({
    body: { trigger_type: 'booking.created', webhook_url: exampleWebhook.webhook_url },
  }),
  'POST /v3/webhooks/rotate-secret/:webhook_id': nothing,
  'GET /v3/webhooks/:webhook_id': nothing,
  'PUT /v3/webhooks/:webhook_id': () => ({ body: { description: 'Renamed', compressed_delivery: true } }),
  'DELETE /v3/webhooks/:webhook_id': nothing,
  'GET /v3/webhooks/:webhook_id/deliveries': () => ({ query: { limit: '5', status: 'delivered' } }),
  'POST /v3/webhooks/:webhook_id/deliveries/:delivery_id/replay': nothing,
  'POST /v3/webhooks/:webhook_id/replay': () => ({ body: { start_time: 1, end_time: 4_000_000_000 } }),
  [`GET ${bookings}/:booking_id/deliveries`]: () => ({ query: { limit: '5' } }),
  'GET /v3/mails': () => ({ query: { limit: '5' } }),
  'GET /v3/mails/:mail_id': nothing,
  'POST /v3/mails/:mail_id/send': nothing,
  'GET /v3/audit': () => ({ query: { limit: '5', action: 'booking.create', actor: 'anyone' } }),
  'GET /v3/events-feed': () => ({ query: { limit: '5', trigger_types: 'booking.created' } }),
}

const exampleWebhook = {
  webhook_url: 'http://10.0.0.1:8080/hook',
  trigger_types: ['booking.created'],
  description: 'Example',
  notification_email_addresses: ['ops@app.example'],
  compressed_delivery: false,
}
const exampleUri = { url: 'https://app.example/other', platform: 'web', settings: { origin: 'https://app.example' } }
const exampleHours = {
  days: [0, 1, 2, 3, 4, 5, 6],
  start: '0:00',
  end: '23:59',
  timezone: 'Europe/Berlin',
  exdates: ['2030-01-01'],
}
const exampleDate = { date: '2030-01-02', start: '10:00', end: '12:00', timezone: 'UTC' }
const exampleCalendar = {
  name: 'Other',
  description: 'One',
  location: 'Here',
  timezone: 'Asia/Kathmandu',
  metadata: { key1: 'a' },
}

function exampleConnector(provider: string): object {
  return { provider, name: provider, settings: { client_id: 'client', client_secret: 'hidden' }, scope: ['calendar'] }
}

function exampleEvent(start: number): object {
  return {
    title: 'Lunch',
    description: 'Together',
    location: 'Here',
    busy: true,
    when: {
      start_time: start - 86_400,
      end_time: start - 82_800,
      start_timezone: 'Europe/Berlin',
      end_timezone: 'Europe/Berlin',
    },
    participants: [{ email: 'pat@people.example', name: 'Pat', status: 'noreply' }],
    resources: [{ email: 'room@people.example', name: 'Room' }],
    reminders: { use_default: false, overrides: [{ reminder_minutes: 10, reminder_method: 'email' }] },
    recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'],
    visibility: 'private',
    metadata: { key1: 'a' },
    hide_participants: false,
    capacity: 3,
  }
}

function exampleConfiguration(host: TestHost): object {
  return configurationBody([host], {
    participants: [
      {
        email: host.email,
        name: 'Host',
        is_organizer: true,
        timezone: 'Europe/Berlin',
        availability: { calendar_ids: ['primary'], open_hours: [exampleHours] },
        booking: { calendar_id: 'primary' },
        specific_time_availability: [exampleDate],
      },
    ],
    availability: { interval_minutes: 30, round_to: 15 },
    rules: { availability_method: 'collective', buffer: { before: 5, after: 5 }, default_open_hours: [exampleHours] },
    event: {
      description: 'One',
      location: 'Here',
      booking_type: 'booking',
      hide_participants: false,
      reminders: [{ type: 'email', minutes_before_event: 10, recipient: 'all', email_subject: 'Soon' }],
    },
    scheduler: {
      min_cancellation_notice: 0,
      cancellation_policy: 'None',
      cancellation_url: 'https://app.example/cancel/:booking_ref',
      additional_fields: {
        topic: { label: 'Topic', type: 'text', required: false, default: '', pattern: '^a*$', order: 1 },
      },
    },
    top: { requires_session_auth: false, appearance: { color: '#112233' } },
  })
}

function exampleBooking(start: number): object {
  return {
    start_time: start,
    end_time: start + 1_800,
    guest: { name: 'Gil Guest', email: 'gil@guest.example' },
    participants: [],
    timezone: 'Europe/Paris',
    email_language: 'fr',
    additional_guests: [{ email: 'more@guest.example', name: 'More' }],
    additional_fields: { topic: 'aaa' },
  }
}
