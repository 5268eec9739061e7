// What operations work with; each names the few things it uses.
import type { CalendarProviders } from '../adapters/calendars/calendarProvider.ts'
import type { Mailer } from '../adapters/mail/mailer.ts'
import type { SafeFetch } from '../adapters/net/safeFetch.ts'
import type { Database } from '../adapters/storage/database.ts'
import type { Vault } from '../adapters/storage/vault.ts'
import type { Instant } from '../core/time/instant.ts'

export type Tools = {
  readonly database: Database
  readonly providers: CalendarProviders
  readonly vault: Vault
  readonly mailer: Mailer
  readonly now: () => Instant
  /** The door to addresses that others name. */
  readonly safeFetch: SafeFetch
  /** The public address of this server, without a trailing slash. */
  readonly baseUrl: string
}
