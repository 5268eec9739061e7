// How fast notifications reach a receiver on the same machine: server, worker, database and receiver on its cores.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import { insertApplication, insertKey } from '../src/adapters/storage/accounts.ts'
import { Database } from '../src/adapters/storage/database/database.ts'
import { newId } from '../src/adapters/storage/database/ids.ts'
import { startEmbeddedPostgres } from '../src/adapters/storage/embedded/embedded.ts'
import { serverRole } from '../src/adapters/storage/migrations/migrations.ts'
import { recordNotification } from '../src/adapters/storage/outbox.ts'
import type { BenchRow } from './engine.ts'
import { median, serve } from './support.ts'

const burst = 3_000
const gentle = 300
const gentleGapMs = 10

/** Takes about half a minute. */
export async function benchWebhooks(): Promise<BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'openslot-bench-'))
  const postgres = await startEmbeddedPostgres({ dataDirectory: directory, log: () => {} })
  const arrivedAt = new Map<string, number>()
  const receiver = createServer((request, response) => {
    const word = new URL(request.url ?? '/', 'http://receiver').searchParams.get('challenge')
    if (word === null) {
      const id = String(request.headers['webhook-id'])
      if (!arrivedAt.has(id)) arrivedAt.set(id, performance.now())
    }
    request.resume()
    response.end(word ?? '')
  })
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done))
  const served = await serve<{ url: string }>('./serveOpenSlot.ts', JSON.stringify(postgres.connection))
  const database = new Database({ connection: postgres.connection, poolSize: 8, role: serverRole })
  try {
    const application = await insertApplication(database, 'webhooks')
    const { token } = await insertKey(database, application, { name: 'webhooks' })
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
    const call = async (path: string, body: object) => {
      const response = await fetch(`${served.told.url}/v3/webhooks${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(await response.text())
      return ((await response.json()) as { data: { id: string } }).data
    }
    const made = await call('', { webhook_url: url, trigger_types: ['booking.created'] })

    /** Answers the notification's id and when it was committed. */
    const commit = async () => {
      const id = newId()
      await database.transaction(application.id, (transaction) =>
        recordNotification(transaction, { id, trigger: 'booking.created', objectId: id, grantId: id, body }),
      )
      return { id, at: performance.now() }
    }
    const arrived = async (count: number) => {
      const until = performance.now() + 60_000
      while (arrivedAt.size < count) {
        if (performance.now() > until) throw new Error(`${arrivedAt.size} of ${count} webhooks came`)
        await wait(5)
      }
    }

    await Promise.all(Array.from({ length: 50 }, commit))
    await arrived(50)
    arrivedAt.clear()
    const begun = performance.now()
    let left = burst
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (left-- > 0) await commit()
      }),
    )
    const committedRate = burst / ((performance.now() - begun) / 1_000)
    await arrived(burst)
    const rate = burst / ((Math.max(...arrivedAt.values()) - begun) / 1_000)

    // The same without anybody committing meanwhile: all of it once more, from the table.
    arrivedAt.clear()
    const replayed = performance.now()
    await call(`/${made.id}/replay`, { start_time: 1 })
    await arrived(burst)
    const sendRate = burst / ((Math.max(...arrivedAt.values()) - replayed) / 1_000)
    await wait(1_000)

    arrivedAt.clear()
    const committed: { id: string; at: number }[] = []
    for (let index = 0; index < gentle; index++) {
      committed.push(await commit())
      await wait(gentleGapMs)
    }
    await arrived(gentle)
    const latency = median(committed.map(({ id, at }) => (arrivedAt.get(id) ?? Number.NaN) - at))
    return [
      {
        name: `webhooks, ${burst} that wait`,
        value: sendRate,
        unit: 'webhooks/s',
        target: '≥ 500',
        ok: sendRate >= 500,
      },
      {
        name: `webhooks, ${burst} while they are committed`,
        value: rate,
        unit: 'webhooks/s',
        ceiling: `commits alone ${Math.round(committedRate)}/s`,
        target: '',
        ok: true,
      },
      { name: 'webhooks, commit to receipt, p50', value: latency, unit: 'ms', target: '≤ 50', ok: latency <= 50 },
    ]
  } finally {
    await database.close()
    await served.stop()
    receiver.closeAllConnections()
    receiver.close()
    await postgres.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

const body = {
  booking_id: 'b',
  configuration_id: 'c',
  booking_info: { title: 'Bench', participants: [{ email: 'ada@host.example', name: 'Ada' }], additional_fields: null },
}
