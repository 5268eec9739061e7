/** Two processes on one database, each behind the same proxy: what one allows, the other does not allow again. */
import { afterAll, describe, expect, it } from 'vitest'

import { makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { startTestServer } from '../../support/server.ts'

const { connection, drop } = await createTestDatabase()
const start = () => startTestServer({ connection }, { RATE_LIMIT: 'shared', TRUSTED_PROXIES: '127.0.0.1', ROLE: 'web' })
const servers = [await start(), await start()] as const
const [first] = servers
afterAll(async () => {
  for (const server of servers) await server.close()
  await drop()
})
const configurationId = await makeConfiguration(first, [await makeHost(first, 'ada@host.example')])
const soon = nearFuture()
const query = async (text: string) => (await first.app.database.pool.query(text)).rows

/** One after the other, by turns. */
async function statusesOf(
  count: number,
  ask: (server: (typeof servers)[number], index: number) => Promise<{ status: number }>,
): Promise<number[]> {
  const statuses: number[] = []
  for (let index = 0; index < count; index++) statuses.push((await ask(servers[index % 2 === 0 ? 0 : 1], index)).status)
  return statuses
}
let slot = 0
const span = () => {
  slot += 1
  return { start_time: soon + slot * 1_800, end_time: soon + (slot + 1) * 1_800 }
}
const path = (id = '') => `/v3/scheduling/bookings${id}?configuration_id=${configurationId}`
const bookAt = (server: (typeof servers)[number], address: string, email: string) =>
  server.request('POST', path(), {
    token: null,
    headers: { 'x-forwarded-for': address },
    body: { ...span(), guest: { name: 'Gil', email } },
  })

describe('two processes on one database', () => {
  it('let an address fail to sign in 20 times a minute, and a good key in all the same', async () => {
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    const statuses = await statusesOf(22, (server) => server.request('GET', '/v3/grants', { token: 'bad', headers }))
    expect(statuses).toEqual([...Array(20).fill(401), 429, 429])
    expect((await servers[1].request('GET', '/v3/grants', { headers })).status).toBe(200)
  })

  it('let an address book ten times a minute', async () => {
    const statuses = await statusesOf(12, (server, index) => bookAt(server, '192.0.2.2', `g${index}@guest.example`))
    expect(statuses).toEqual([...Array(10).fill(200), 429, 429])
  })

  it('let a guest be booked for five times an hour', async () => {
    const statuses = await statusesOf(7, (server, index) =>
      bookAt(server, `192.0.2.${10 + index}`, 'same@guest.example'),
    )
    expect(statuses).toEqual([...Array(5).fill(200), 429, 429])
  })

  it('keep no address and no name of a guest for it, and nothing for longer than an hour', async () => {
    const kept = JSON.stringify(
      await query(`select counter, encode(key_hash, 'escape') as key from openslot.rate_counts`),
    )
    expect(kept).toContain('bookings of a guest')
    expect(kept).not.toMatch(/192\.0\.2|guest\.example/)
    await query(`update openslot.rate_counts set ends_at = ends_at - interval '1 hour'`)
    expect((await bookAt(servers[1], '192.0.2.30', 'same@guest.example')).status).toBe(200)
    const [before] = await query('select count(*)::int as count from openslot.rate_counts where ends_at > now()')
    expect((await first.app.operations.sweep()).ok).toBe(true)
    expect(await query('select count(*)::int as count from openslot.rate_counts')).toEqual([before])
  })

  it('go on, each with its own counts, where the database does not count', async () => {
    const holder = await first.app.database.pool.connect()
    try {
      await holder.query('begin')
      await holder.query('lock table openslot.rate_counts in access exclusive mode')
      const headers = { 'x-forwarded-for': '192.0.2.40' }
      const ask = () => first.request('GET', '/v3/grants', { token: 'bad', headers })
      const statuses = await Promise.all(Array.from({ length: 21 }, ask))
      expect(statuses.map(({ status }) => status).sort()).toEqual([...Array(20).fill(401), 429])
    } finally {
      await holder.query('rollback')
      holder.release()
    }
  }, 60_000)
})
