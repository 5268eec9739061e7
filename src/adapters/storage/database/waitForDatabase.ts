// Waits for a PostgreSQL that starts at the same time as we do, or a little later.
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'

import { type Connection, toClientConfig } from './connection.ts'
import { isAway } from './database.ts'

export type Waiting = {
  readonly patienceMs: number
  /** Hears what keeps it away: at the first try that fails, and every ten seconds after that. */
  readonly onAway: (error: unknown) => void
  /** Ends the waiting early. */
  readonly signal?: AbortSignal
}

const betweenTriesMs = 500
const betweenReportsMs = 10_000

/**
 * Tries until a connection stands; false where `signal` came first. Throws what the last try said when patience has run out, and
 * at once what time does not mend: a password or user that is not accepted, a database that does not exist.
 */
export async function waitForDatabase(
  connection: Connection,
  { patienceMs, onAway, signal }: Waiting,
): Promise<boolean> {
  const begun = performance.now()
  let reportAt = begun
  while (signal?.aborted !== true) {
    const error = await tryToConnect(connection)
    if (error === undefined) return true
    const now = performance.now()
    if (!isAway(error) || now - begun >= patienceMs) throw error
    if (now >= reportAt) {
      onAway(error)
      reportAt = now + betweenReportsMs
    }
    await wait(betweenTriesMs, undefined, { signal }).catch(() => {
      // The signal came, which the loop asks for.
    })
  }
  return false
}

/** What went wrong; undefined where nothing did. */
async function tryToConnect(connection: Connection): Promise<unknown> {
  const client = new pg.Client({ ...toClientConfig(connection), connectionTimeoutMillis: 5_000 })
  // One that breaks while it is closed says nothing of whether it could be opened.
  client.on('error', () => {})
  try {
    await client.connect()
    return undefined
  } catch (error) {
    return error
  } finally {
    await client.end()
  }
}
