// Where PostgreSQL is, and how the way there is kept safe.
import type { ClientConfig } from 'pg'

/** An address, or the socket directory of the embedded one. */
export type Connection =
  | { readonly url: string }
  | { readonly host: string; readonly port: number; readonly user: string; readonly database: string }

const loopback = /^(localhost|127(\.\d+){3}|\[?::1\]?|)$/

/**
 * What the driver needs. A server on another machine is spoken to over TLS with its certificate verified, unless the
 * address itself names an `sslmode`: an address that says nothing must not mean a password in the clear.
 */
export function toClientConfig(connection: Connection): ClientConfig {
  if (!('url' in connection)) return connection
  const url = URL.parse(connection.url)
  const isSettled =
    url === null || url.searchParams.has('sslmode') || url.searchParams.has('ssl') || url.searchParams.has('host')
  if (isSettled || loopback.test(url.hostname)) return { connectionString: connection.url }
  return { connectionString: connection.url, ssl: { rejectUnauthorized: true } }
}
