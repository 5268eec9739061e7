// Who is asking.
import type { AppId, BookingId, ConfigurationId, GrantId } from '../ids.ts'

/**
 * The application comes from the credential, never from a body, a query or a path. `address`: whence the request came,
 * behind trusted proxies; absent where there is no request.
 */
export type Principal = Credential & { readonly address?: string | undefined }

type Credential =
  | { readonly kind: 'key'; readonly appId: AppId; readonly keyId: string }
  | { readonly kind: 'token'; readonly appId: AppId; readonly grantId: GrantId }
  | { readonly kind: 'session'; readonly appId: AppId; readonly configurationId: ConfigurationId }
  /** Who holds a reference of one booking, from a link: the right to that booking, and to nothing else. */
  | {
      readonly kind: 'booking'
      readonly appId: AppId
      readonly configurationId: ConfigurationId
      readonly bookingId: BookingId
      /** Whose link it is: hosts have another than the guest. */
      readonly holder: 'guest' | 'organizer'
    }
  /** A command at the server's own terminal; no request ever is. */
  | { readonly kind: 'terminal'; readonly appId: AppId }
  | { readonly kind: 'anyone' }

/** Who did it, for the audit log; never a secret. */
export type Actor = {
  readonly name: string
  /** Whence the request came; absent for what the server, its worker or a person at its terminal did. */
  readonly address?: string | undefined
}

export function actorOf(principal: Principal): Actor {
  return { name: nameOf(principal), address: principal.address }
}

function nameOf(principal: Principal): string {
  switch (principal.kind) {
    case 'key':
      return `key:${principal.keyId}`
    case 'token':
      return `grant:${principal.grantId}`
    case 'session':
      return 'session'
    case 'booking':
      return principal.holder === 'guest' ? `booking:${principal.bookingId}` : `organizer:${principal.bookingId}`
    case 'terminal':
      return 'cli'
    case 'anyone':
      return 'anyone'
  }
}

/** A command at the server's own terminal. */
export const terminal: Actor = { name: 'cli' }
/** What the server does by itself. */
export const worker: Actor = { name: 'worker' }
/** What the server did because the owner of a calendar had changed an event of a booking there. */
export const calendarOwner: Actor = { name: 'calendar' }

/** On whose word a booking is made or changed. Whoever shows nothing else is a guest. */
export type Asker = 'application' | 'organizer' | 'guest'

export function askerOf(principal: Principal): Asker {
  if (principal.kind === 'key') return 'application'
  return principal.kind === 'booking' ? principal.holder : 'guest'
}

/** Someone with a credential: their application, and who they are for the audit log. */
export type Caller = { readonly appId: AppId; readonly actor: Actor }

/** Throws for `anyone`: only routes whose guard asks for a credential call it. */
export function callerOf(principal: Principal): Caller {
  if (principal.kind === 'anyone') throw new Error('a route without a credential has no caller')
  return { appId: principal.appId, actor: actorOf(principal) }
}
