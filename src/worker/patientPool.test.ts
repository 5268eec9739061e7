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
      const failure = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
      const heed = asked.at(-1)
      if (typeof heed !== 'function') return Promise.reject(failure)
      process.nextTick(heed, failure)
    }) as typeof client.query
  })
  const patient = patientPool(pool, { isAway, pauseMs: 20 })
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

/** A pool that cannot be reached while `code` is there. */
function poolThatGoesAway(connection: pg.PoolConfig): { pool: pg.Pool; away: { code?: string } } {
  const pool = new pg.Pool({ ...connection, max: 4 })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const away: { code?: string } = {}
  const connect = pool.connect.bind(pool) as (heed?: unknown) => unknown
  pool.connect = ((heed?: (error: Error) => void) => {
    if (away.code === undefined) return connect(heed)
    const failure = Object.assign(new Error('away'), { code: away.code })
    if (heed === undefined) return Promise.reject(failure)
    process.nextTick(heed, failure)
  }) as typeof pool.connect
  return { pool, away }
}

it.each(['ECONNREFUSED', 'ETIMEDOUT', '57P03'])(
  'while the database is away (%s) the queue keeps asking for jobs, works when it is back, and can be stopped',
  async (code) => {
    const test = await createTestDatabase()
    const { pool, away } = poolThatGoesAway(test.connection)
    const patient = patientPool(pool, { isAway, pauseMs: 20 })
    const done = vi.fn()
    const runner = await run({
      pgPool: patient.pool,
      noHandleSignals: true,
      concurrency: 1,
      logger: new Logger(() => () => {}),
      taskList: {
        works: async () => {
          done()
        },
      },
      parsedCronItems: [],
      preset: { worker: { pollInterval: 20, minResetLockedInterval: 20, maxResetLockedInterval: 40 } },
    })
    const refused = vi.fn()
    const leftLocked = vi.fn()
    runner.events.on('worker:getJob:error', refused)
    runner.events.on('resetLocked:failure', leftLocked)
    const isAskedInVain = async () => {
      const [asked, reset] = [refused.mock.calls.length, leftLocked.mock.calls.length]
      await vi.waitFor(
        () => {
          expect(refused.mock.calls.length).toBeGreaterThan(asked + 5)
          expect(leftLocked.mock.calls.length).toBeGreaterThan(reset)
        },
        { timeout: 10_000 },
      )
    }
    await runner.addJob('works', {})
    await vi.waitFor(() => expect(done).toHaveBeenCalledTimes(1), { timeout: 10_000 })
    away.code = code
    await isAskedInVain()
    delete away.code
    await runner.addJob('works', {})
    await vi.waitFor(() => expect(done).toHaveBeenCalledTimes(2), { timeout: 10_000 })
    away.code = code
    await isAskedInVain()
    patient.stop()
    await runner.stop()
    patient.leave()
    delete away.code
    await pool.end()
    await test.drop()
  },
  30_000,
)

it('the clock of the queue hears that the database was away when it is back, and when the queue is to stop', async () => {
  const failure = Object.assign(new Error('away'), { code: 'ECONNREFUSED' })
  const query = vi.fn<(asked: string) => Promise<unknown>>(() => Promise.reject(failure))
  const patient = patientPool({ query } as unknown as pg.Pool, { isAway, pauseMs: 20 })
  const heard = vi.fn()
  const ask = () => void patient.pool.query('insert').catch(heard)
  const isPatient = () => vi.waitFor(() => expect(query).toHaveBeenLastCalledWith('select'), { timeout: 10_000 })
  ask()
  await isPatient()
  expect(heard).not.toHaveBeenCalled()
  query.mockResolvedValueOnce({})
  await vi.waitFor(() => expect(heard.mock.calls).toEqual([[failure]]), { timeout: 10_000 })
  ask()
  await isPatient()
  expect(heard).toHaveBeenCalledTimes(1)
  patient.stop()
  await vi.waitFor(() => expect(heard.mock.calls).toEqual([[failure], [failure]]), { timeout: 10_000 })
})

it('what is wrong with a statement is said as it is, and after leaving no mark is waited for', async () => {
  const wrong = Object.assign(new Error('syntax'), { code: '42601' })
  const pool = { connect: () => Promise.reject(wrong), query: () => Promise.reject(wrong) } as unknown as pg.Pool
  const patient = patientPool(pool, { isAway, pauseMs: 20 })
  const client = await patient.pool.connect()
  const mark = { name: 'complete_job/graphile_worker', text: '' }
  await expect(client.query('')).rejects.toBe(wrong)
  await expect(client.query(mark)).rejects.toBe(wrong)
  const settled = vi.fn()
  patient.leave()
  void client.query(mark).finally(settled)
  await new Promise(setImmediate)
  expect(settled).not.toHaveBeenCalled()
})
