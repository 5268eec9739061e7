// The permission that an owner gave at a provider, and the calendars behind it.
import type { AppId, CalendarId, GrantId } from '../ids.ts'
import type { Instant } from '../time/instant.ts'

export const grantProviders = [
  'virtual-calendar',
  'google',
  'microsoft',
  'icloud',
  /** Beyond the wire: any other CalDAV server. */
  'caldav',
  'ews',
  'imap',
  'yahoo',
  'zoom',
  'nylas',
] as const
export type GrantProvider = (typeof grantProviders)[number]

export type Grant = {
  readonly appId: AppId
  readonly id: GrantId
  readonly provider: GrantProvider
  /** Unique in the application, whatever the case; for a virtual calendar any text. */
  readonly email: string
  readonly name: string | undefined
  readonly status: 'valid' | 'invalid'
  readonly scope: readonly string[]
  readonly settings: Readonly<Record<string, unknown>>
  readonly state: string | undefined
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

/** Whether `email` is an address of the account: the one it is known by here, or one that its provider names for it. */
export function isAddressOf({ email: own, settings }: Pick<Grant, 'email' | 'settings'>, email: string): boolean {
  const named: readonly unknown[] = Array.isArray(settings.addresses) ? settings.addresses : []
  return [own, ...named].some((one) => typeof one === 'string' && one.toLowerCase() === email.toLowerCase())
}

/** Which calendar: calendars are named only together with their grant. */
export type CalendarKey = { readonly grantId: GrantId; readonly calendarId: CalendarId }
