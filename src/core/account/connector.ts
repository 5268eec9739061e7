// This installation's own registration at a provider.
import type { Instant } from '../time/instant.ts'
import type { GrantProvider } from './grant.ts'

/** Without its secret, which nobody outside the provider's tower sees again. */
export type Connector = {
  readonly provider: GrantProvider
  readonly name: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly scope: readonly string[]
  /** Of the credentials that it may have beside its own: which is in use. */
  readonly activeCredentialId: string | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
}
