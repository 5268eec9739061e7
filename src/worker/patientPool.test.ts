import { Logger, run } from 'graphile-worker'
import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'

import { createTestDatabase } from '../../test/support/postgres.ts'
import { isAway } from '../adapters/storage/database/database.ts'
import { patientPool } from './patientPool.ts'

it('a connection that breaks while a job is marked as done, or as failed, ends nothing: it is marked when the database is back', async () => {
  const test = await createTestDatabase()
  const pool = new pg.Pool({ ...test.connection, max: 4 })
  pool.on('error', () => {})
  let broken = 0
  // As pg fails what it can no longer write.
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...asked: unknown[]) => Promise<unknown>
    client.query = ((...asked: unknown[]) => {
      const { name = '' } = (asked[0] ?? {}) as { name?: string }
      if (!/^(complete|fail)_job/.test(name) || broken >= 2) return query(...asked)
      broken++
      return Promise.reject(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    }) as typeof client.query
  })
  const patient = patientPool(pool, isAway)
  const runner = await run({
    pgPool: patient.pool,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    taskList: {
      works: async () => {},
      fails: async () => {
        throw new Error('it fails')
      },
    },
  })
  onTestFinished(async () => {
    await runner.stop()
    patient.leave()
    await pool.end()
    await test.drop()
  })
  await runner.addJob('works', {})
  await runner.addJob('fails', {}, { maxAttempts: 2 })
  const waiting = async () =>
    (await pool.query('select attempts, last_error, locked_at from graphile_worker._private_jobs')).rows
  await vi.waitFor(
    async () => expect(await waiting()).toEqual([{ attempts: 1, last_error: 'it fails', locked_at: null }]),
    { timeout: 30_000, interval: 100 },
  )
  expect(broken).toBe(2)
}, 60_000)

it('what is wrong with a statement is said as it is, and after leaving nothing answers', async () => {
  const wrong = Object.assign(new Error('syntax'), { code: '42601' })
  const pool = { connect: () => Promise.reject(wrong) } as unknown as pg.Pool
  const patient = patientPool(pool, isAway)
  await expect(patient.pool.connect()).rejects.toBe(wrong)
  const settled = vi.fn()
  const last = patient.pool.connect()
  patient.leave()
  void last.finally(settled)
  void patient.pool.connect().finally(settled)
  await new Promise(setImmediate)
  expect(settled).not.toHaveBeenCalled()
})
