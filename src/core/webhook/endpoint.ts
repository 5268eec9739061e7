// Endpoints: URLs that asked for webhooks, and how they stand.
import type { Instant } from '../time/instant.ts'

export type EndpointId = string & { readonly kind: 'endpoint' }

/** `failing` goes on being tried; `failed` and `pause` are not, and what happens meanwhile waits for them. */
export type EndpointStatus = 'active' | 'failing' | 'failed' | 'pause'

export type Endpoint = {
  readonly id: EndpointId
  readonly url: string
  readonly description: string
  readonly triggers: readonly string[]
  /** Who is told when it stops answering. */
  readonly notificationEmails: readonly string[]
  readonly isCompressed: boolean
  readonly status: EndpointStatus
  readonly statusUpdatedAt: Instant
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

export const endpointLimit = 10
export const challengeFailuresPerHour = 5
/** Notifications, their deliveries and attempts are kept, and can be replayed, for so long. */
export const keptDays = 30
/** How long the secret before a rotation still signs beside the new one. */
export const secretOverlapHours = 24

/** The triggers that this server knows of. */
export const ownTriggers = [
  'booking.created',
  'booking.pending',
  'booking.rescheduled',
  'booking.cancelled',
  'booking.reminder',
  'calendar.created',
  'calendar.updated',
  'calendar.deleted',
  'event.created',
  'event.updated',
  'event.deleted',
  'grant.created',
  'grant.updated',
  'grant.deleted',
  'grant.expired',
] as const

/** Triggers of mail, contacts and note takers: they may be asked for and never happen here. */
export const foreignTriggers = [
  'grant.imap_sync_completed',
  'message.send_success',
  'message.send_failed',
  'message.bounce_detected',
  'message.created',
  'message.created.cleaned',
  'message.updated',
  'message.deleted',
  'message.opened',
  'message.opened.legacy',
  'message.link_clicked',
  'message.link_clicked.legacy',
  'message.bounced',
  'message.complaint',
  'message.delivered',
  'message.rejected',
  'message.transactional.bounced',
  'message.transactional.complaint',
  'message.transactional.delivered',
  'message.transactional.rejected',
  'thread.replied',
  'thread.replied.legacy',
  'contact.updated',
  'contact.deleted',
  'folder.created',
  'folder.updated',
  'folder.deleted',
  'notetaker.created',
  'notetaker.updated',
  'notetaker.deleted',
  'notetaker.meeting_state',
  'notetaker.media',
] as const

const triggers: ReadonlySet<string> = new Set([...ownTriggers, ...foreignTriggers])

export function isTrigger(name: string): name is Trigger {
  return triggers.has(name)
}

export type Trigger = (typeof ownTriggers)[number] | (typeof foreignTriggers)[number]
