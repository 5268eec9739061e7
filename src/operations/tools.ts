// What operations work with; each names the few things it uses.
import type { AccountProvider } from '../adapters/calendars/accountProvider.ts'
import type { CalendarProviders } from '../adapters/calendars/calendarProvider.ts'
import type { Mailer } from '../adapters/mail/mailer.ts'
import type { SafeFetch } from '../adapters/net/safeFetch.ts'
import type { Database } from '../adapters/storage/database/database.ts'
import type { Vault } from '../adapters/storage/secrets/vault.ts'
import type { GrantProvider } from '../core/account/grant.ts'
import type { Instant } from '../core/time/instant.ts'

export type Tools = {
  readonly database: Database
  readonly providers: CalendarProviders
  /** The tower behind a provider's accounts; undefined for virtual ones, and for what this server cannot reach (yet). */
  readonly accountProviders: (provider: GrantProvider) => AccountProvider | undefined
  /** Hears why the database could not be used, whenever a caller is told to try again. */
  readonly onUnavailable: (error: Error) => void
  readonly vault: Vault
  readonly mailer: Mailer
  readonly now: () => Instant
  /** How often calendars elsewhere are asked what changed, and how old an answer an offer may rest on. */
  readonly syncing: { readonly everySeconds: number; readonly maxAgeSeconds: number }
  /** How many days after its end what the guests of a booking said is kept. */
  readonly guestDataDays: number
  /** The door to addresses that others name. */
  readonly safeFetch: SafeFetch
  /** The public address of this server, without a trailing slash. */
  readonly baseUrl: string
}
