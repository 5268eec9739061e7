// What is mailed to those who run a receiver when it stops answering, as a snapshot written with the turn.
import type { AccountNotice } from '../account/accountNotice.ts'
import { isMailAddress } from '../booking/mail.ts'
import type { Instant } from '../time/instant.ts'
import type { Endpoint, EndpointStatus } from './endpoint.ts'

/** One mail to one address, in English, times in UTC: an endpoint has no language. */
export type EndpointNotice = {
  readonly kind: 'endpointFailing' | 'endpointFailed'
  readonly to: { readonly name: string; readonly email: string }
  readonly role: 'operator'
  readonly language: 'en'
  readonly timezone: 'UTC'
  readonly endpoint: Pick<Endpoint, 'id' | 'url' | 'description'>
  readonly at: Instant
}

/** A mail that is about no booking. */
export type Notice = EndpointNotice | AccountNotice

export const noticeKinds = ['endpointFailing', 'endpointFailed', 'accountExpired'] as const

/** For `status` that the endpoint has just turned to; recovery is told to nobody. Each address once, whatever its case. */
export function noticesOf(
  { id, url, description, notificationEmails }: Endpoint,
  status: EndpointStatus,
  at: Instant,
): EndpointNotice[] {
  if (status !== 'failing' && status !== 'failed') return []
  const addresses = new Map(notificationEmails.map((email) => [email.toLowerCase(), email]))
  return [...addresses.values()].filter(isMailAddress).map((email) => ({
    kind: status === 'failing' ? 'endpointFailing' : 'endpointFailed',
    to: { name: '', email },
    role: 'operator',
    language: 'en',
    timezone: 'UTC',
    // Without the query, which may hold the receiver's own secret.
    endpoint: { id, url: url.replace(/[?#].*/s, ''), description },
    at,
  }))
}
