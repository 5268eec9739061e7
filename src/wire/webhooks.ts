// Webhook endpoints and what is sent to them, as JSON.
import Type, { type Static } from 'typebox'

import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { toUnixSeconds } from '../core/time/instant.ts'
import type { Notification } from '../core/webhook/delivery.ts'
import { type Endpoint, foreignTriggers, ownTriggers, type Trigger } from '../core/webhook/endpoint.ts'
import { optional } from './common.ts'

const triggerSchema = Type.Enum([...ownTriggers, ...foreignTriggers])
const email = Type.String({
  minLength: 3,
  maxLength: 320,
  pattern: '^[^\\s@]+@[^\\s@]+$',
  errorMessage: 'must be a mail address',
})
const url = Type.String({ maxLength: 2048 })
const fields = {
  description: optional(Type.String({ maxLength: 1024 })),
  notification_email_addresses: optional(Type.Array(email, { maxItems: 10 })),
  compressed_delivery: optional(Type.Boolean()),
}
const triggers = Type.Array(triggerSchema, { minItems: 1, maxItems: 100 })

export const endpointBody = Type.Object({ webhook_url: url, trigger_types: triggers, ...fields })
export const endpointChangeBody = Type.Object({
  webhook_url: optional(url),
  trigger_types: optional(Type.Array(triggerSchema, { maxItems: 100 })),
  ...fields,
  status: optional(Type.Enum(['active', 'pause'])),
})
export const endpointParams = Type.Object({ webhook_id: Type.String() })
export const mockBody = Type.Object({ trigger_type: triggerSchema })
export const testBody = Type.Object({ trigger_type: triggerSchema, webhook_url: url })

const listed = {
  id: Type.String(),
  description: Type.String(),
  trigger_types: Type.Array(Type.String()),
  webhook_url: Type.String(),
  status: Type.Enum(['active', 'pause', 'failing', 'failed']),
  notification_email_addresses: Type.Array(Type.String()),
  compressed_delivery: Type.Boolean(),
  status_updated_at: Type.Integer(),
  created_at: Type.Integer(),
  updated_at: Type.Integer(),
}
export const endpointData = Type.Object(listed)
export const endpointWithSecretData = Type.Object({ ...listed, webhook_secret: Type.String() })

export function endpointToJson(endpoint: Endpoint): Static<typeof endpointData> {
  return {
    id: endpoint.id,
    description: endpoint.description,
    trigger_types: [...endpoint.triggers],
    webhook_url: endpoint.url,
    status: endpoint.status,
    notification_email_addresses: [...endpoint.notificationEmails],
    compressed_delivery: endpoint.isCompressed,
    status_updated_at: toUnixSeconds(endpoint.statusUpdatedAt),
    created_at: toUnixSeconds(endpoint.createdAt),
    updated_at: toUnixSeconds(endpoint.updatedAt),
  }
}

export type EndpointContent = Pick<Endpoint, 'url' | 'description' | 'triggers' | 'notificationEmails' | 'isCompressed'>

/** `body` laid over `before`: what is missing or empty keeps its value. Problems: `invalidRequest`. */
export function readEndpoint(body: Static<typeof endpointChangeBody>, before?: Endpoint): Result<EndpointContent> {
  const address = body.webhook_url || before?.url
  if (address === undefined) return failure(invalidRequest('is required', 'webhook_url'))
  const asked = body.trigger_types?.length ? body.trigger_types : undefined
  return success({
    url: address,
    description: body.description || (before?.description ?? ''),
    triggers: [...new Set(asked ?? before?.triggers ?? [])],
    notificationEmails: body.notification_email_addresses?.length
      ? body.notification_email_addresses
      : (before?.notificationEmails ?? []),
    isCompressed: body.compressed_delivery ?? before?.isCompressed ?? false,
  })
}

export type WebhookBody = {
  readonly specversion: '1.0'
  readonly type: string
  readonly source: string
  readonly id: string
  readonly time: number
  readonly sequence: number
  readonly webhook_delivery_attempt?: number
  readonly data: { readonly application_id: string; readonly grant_id?: string; readonly object: object }
}

/**
 * The CloudEvents envelope. `attempt` counts from 1 and is left out in the feed. `sequence`, our addition, is the place
 * of the notification among those of the same object: receivers put what came in another order right by it.
 */
export function notificationToJson(applicationId: string, notification: Notification, attempt?: number): WebhookBody {
  const { trigger } = notification
  return {
    specversion: '1.0',
    type: trigger,
    source: sourceOf(trigger),
    id: notification.id,
    time: toUnixSeconds(notification.happenedAt),
    sequence: notification.number,
    ...(attempt === undefined ? {} : { webhook_delivery_attempt: attempt }),
    data: {
      application_id: applicationId,
      ...(trigger.startsWith('booking.') && notification.grantId !== undefined
        ? { grant_id: notification.grantId }
        : {}),
      object: notification.object,
    },
  }
}

function sourceOf(trigger: string): string {
  if (trigger.startsWith('booking.')) return '/nylas/passthru'
  if (trigger.startsWith('grant.')) return '/nylas/system'
  return `/virtual-calendar/${trigger.split('.')[0]}s/realtime`
}

export const notificationData = Type.Object({
  specversion: Type.Literal('1.0'),
  type: Type.String(),
  source: Type.String(),
  id: Type.String(),
  time: Type.Integer(),
  sequence: Type.Integer(),
  webhook_delivery_attempt: Type.Optional(Type.Integer({ description: 'From 1; not in the feed' })),
  data: Type.Object({
    application_id: Type.String(),
    grant_id: Type.Optional(Type.String()),
    object: Type.Object({}),
  }),
})

/** A made-up notification of `trigger`, in the shape of a real one. */
export function sampleNotification(applicationId: string, trigger: Trigger, id: string): WebhookBody {
  return {
    specversion: '1.0',
    type: trigger,
    source: sourceOf(trigger),
    id,
    time: 1_900_000_000,
    sequence: 1,
    webhook_delivery_attempt: 1,
    data: {
      application_id: applicationId,
      ...(trigger.startsWith('booking.') ? { grant_id: sampleGrant } : {}),
      object: sampleObject(trigger),
    },
  }
}

const sampleGrant = '00000000-0000-4000-8000-000000000001'
const sampleIds = {
  booking_id: '00000000-0000-4000-8000-000000000002',
  configuration_id: '00000000-0000-4000-8000-000000000003',
}
const sampleReference = 'AAAAAAAAQACAAAAAAAAAAwAAAAAAAEAAgAAAAAAAAALAAAAAAAAAAAAAAAAAAAAA'
const sampleInfo = {
  event_id: '00000000000040008000000000000005',
  start_time: 1_900_000_800,
  end_time: 1_900_002_600,
  participants: [
    { email: 'ada@host.example', name: 'Ada' },
    { email: 'gil@guest.example', name: 'Gil' },
  ],
  additional_fields: { topic: 'pricing' },
  hide_cancellation_options: false,
  hide_rescheduling_options: false,
  participant_rescheduling_url: `https://app.example/reschedule/${sampleReference}`,
  participant_cancellation_url: `https://app.example/cancel/${sampleReference}`,
  host_language: 'en',
  guest_language: 'en',
  title: 'Intro call',
  duration: 30,
  location: '',
  organizer_timezone: 'Europe/Berlin',
  guest_timezone: 'Europe/Paris',
  is_group_event: false,
  organizer_calendar_id: 'primary',
  event_description: '',
  event_html_link: '',
  ical_uid: '00000000-0000-4000-8000-000000000005@openslot',
}
const sampleCalendar = {
  object: 'calendar',
  id: 'calendar-1',
  grant_id: sampleGrant,
  name: 'Work',
  timezone: 'Europe/Berlin',
  is_primary: true,
  is_owned_by_user: true,
  read_only: false,
}
const sampleEvent = {
  object: 'event',
  id: 'event-1',
  grant_id: sampleGrant,
  calendar_id: 'calendar-1',
  title: 'Fitting',
  status: 'confirmed',
  busy: true,
  when: { object: 'timespan', start_time: 1_900_000_800, end_time: 1_900_002_600 },
  participants: [],
  read_only: false,
  created_at: 1_899_990_000,
  updated_at: 1_899_990_000,
}
const sampleGrantObject = {
  grant_id: sampleGrant,
  integration_id: '00000000-0000-4000-8000-000000000004',
  provider: 'virtual-calendar',
  email: 'ada@host.example',
}

function sampleObject(trigger: Trigger): object {
  switch (trigger) {
    case 'booking.created':
      return { ...sampleIds, booking_ref: sampleReference, object: 'booking', booking_info: sampleInfo }
    case 'booking.pending':
      return {
        ...sampleIds,
        booking_ref: sampleReference,
        booking_type: 'organizer-confirmation',
        booking_info: { ...sampleInfo, host_confirmation_url: `https://app.example/confirm/${sampleReference}` },
      }
    case 'booking.rescheduled':
      return {
        ...sampleIds,
        booking_ref: sampleReference,
        object: 'booking',
        booking_info: { ...sampleInfo, old_start_time: 1_899_914_400, old_end_time: 1_899_916_200 },
      }
    case 'booking.cancelled':
      return { ...sampleIds, booking_info: { ...sampleInfo, cancellation_reason: 'Ill today' } }
    case 'booking.reminder':
      return {
        ...sampleIds,
        booking_info: {
          ...sampleInfo,
          time_until_event: 3_600,
          organizer_email: 'ada@host.example',
          provider: 'virtual-calendar',
        },
      }
    case 'calendar.created':
    case 'calendar.updated':
    case 'calendar.deleted':
      return sampleCalendar
    case 'event.created':
    case 'event.updated':
      return sampleEvent
    case 'event.deleted':
      return { object: 'event', id: 'event-1', grant_id: sampleGrant, calendar_id: 'calendar-1' }
    case 'grant.created':
      return { code: 25_012, ...sampleGrantObject, name: 'Ada', scope: [] }
    case 'grant.updated':
      return { code: 25_014, ...sampleGrantObject, reauthentication_flag: false }
    case 'grant.deleted':
      return { code: 25_013, ...sampleGrantObject }
    case 'grant.expired':
      return { code: 25_009, ...sampleGrantObject, grant_updated_at: 1_899_990_000 }
    default:
      return { object: trigger.split('.')[0], id: 'object-1', grant_id: sampleGrant }
  }
}
