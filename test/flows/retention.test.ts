/** What is thrown away when it is old enough, with a clock that the test moves. */
import { beforeEach, describe, expect, it } from 'vitest'

import { type Instant, instant } from '../../src/core/time/instant.ts'
import { startTestServer } from '../support/server.ts'

let clock: () => Instant
const server = await startTestServer({ now: () => clock() }, { ROLE: 'web' })
beforeEach(() => {
  clock = () => instant(Date.now())
})
const standStill = (at: Instant) => {
  clock = () => at
}
const query = async (text: string, values: readonly unknown[] = []) =>
  (await server.app.database.pool.query(text, [...values])).rows
const sweep = async () => {
  const swept = await server.app.operations.sweep()
  if (!swept.ok) throw new Error(swept.problem.message)
  return swept.value
}

describe('a heap', () => {
  const pile = (count: number) =>
    query(
      `insert into openslot.webhook_events (app_id, id, trigger, object_id, number, body, created_at)
       select $1, gen_random_uuid(), 'booking.created', gen_random_uuid()::text, 1, '{}', now() - interval '31 days'
       from generate_series(1, ${count})`,
      [server.clientId],
    )
  const left = async () =>
    (
      await query(`select count(*) as count from openslot.webhook_events where created_at < now() - interval '30 days'`)
    )[0].count

  it('of old notifications goes in one sweep, in as many parts as it takes', async () => {
    await pile(2_100)
    expect(await sweep()).toMatchObject({ deleted: 2_100 })
    expect(await left()).toBe(0)
  })

  it('that takes long leaves the rest to the next sweep, so that a server can stop', async () => {
    await pile(2_100)
    const begun = Date.now()
    let asked = 0
    // Each part takes six seconds.
    clock = () => instant(begun + 6_000 * asked++)
    expect(await sweep()).toMatchObject({ deleted: 2_000 })
    standStill(instant(begun))
    expect(await sweep()).toMatchObject({ deleted: 100 })
  })
})
