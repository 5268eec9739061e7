// What is mailed to the owner of an account when its provider refuses the credentials, as a snapshot written with the turn.
import { isMailAddress } from '../booking/mail.ts'
import type { Instant } from '../time/instant.ts'
import type { Grant } from './grant.ts'

/** In English, times in UTC: an account has no language. */
export type AccountNotice = {
  readonly kind: 'accountExpired'
  readonly to: { readonly name: string; readonly email: string }
  readonly role: 'operator'
  readonly language: 'en'
  readonly timezone: 'UTC'
  readonly account: Pick<Grant, 'id' | 'email' | 'provider'> & { readonly reason: string }
  readonly at: Instant
}

/** One, or none where the account's email is no address. */
export function accountNoticesOf({ id, email, name, provider }: Grant, reason: string, at: Instant): AccountNotice[] {
  if (!isMailAddress(email)) return []
  return [
    {
      kind: 'accountExpired',
      to: { name: name ?? '', email },
      role: 'operator',
      language: 'en',
      timezone: 'UTC',
      account: { id, email, provider, reason },
      at,
    },
  ]
}
