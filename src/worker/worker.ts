// The door that the clock opens: graphile-worker runs tasks, each of which calls one operation.
import { Logger as JobLogger, parseCronItems, type RunnerOptions, run } from 'graphile-worker'
import type { Pool } from 'pg'

import type { Operations } from '../operations/operations.ts'
import { patientPool } from './patientPool.ts'
import { Polling } from './polling.ts'
import { schedule } from './schedule.ts'
import { Sendings } from './sendings.ts'
import { mailTasks, tasks, wakeAll } from './tasks.ts'

export type WorkerOptions = {
  readonly pool: Pool
  /** Of which failures of the pool another try, later, may do. */
  readonly isAway: (error: unknown) => boolean
  readonly operations: Operations
  readonly logger: { error(details: object, message: string): void; warn(details: object, message: string): void }
}

/** Runs until `stop`, which lets running jobs end. */
export async function startWorker({
  pool,
  isAway,
  operations,
  logger,
}: WorkerOptions): Promise<{ stop(): Promise<void> }> {
  const sendings = new Sendings(operations, logger)
  const patient = patientPool(pool, { isAway })
  const shared: RunnerOptions = {
    pgPool: patient.pool,
    pollInterval: 1_000,
    noHandleSignals: true,
    logger: new JobLogger(() => (level, message, meta) => {
      if (level === 'error') logger.error({ meta }, message)
      else if (level === 'warning') logger.warn({ meta }, message)
    }),
  }
  const runners = [
    await run({
      ...shared,
      concurrency: 8,
      taskList: tasks(operations, sendings),
      parsedCronItems: parseCronItems([...schedule]),
    }),
    await run({ ...shared, concurrency: 2, taskList: mailTasks(operations), parsedCronItems: [] }),
  ]
  const polling = new Polling(operations, logger)
  polling.start()
  // What a process that died left behind does not wait for the clock.
  void wakeAll(operations.findUnsent(), sendings).catch((error: unknown) =>
    logger.error({ err: error }, 'looking for unsent webhooks failed'),
  )
  return {
    stop: async () => {
      patient.stop()
      await Promise.all([polling.stop(), ...runners.map((runner) => runner.stop())])
      await sendings.stop()
      await letLastJobsBeMarkedDone(pool, logger)
      patient.leave()
    },
  }
}

/**
 * The queue does not wait until its last jobs are marked as done: it has asked for connections, and a pool that is closed
 * before it has them never gives them, so the jobs would stay locked for hours. Connections are given in order: when we
 * have had one, they have theirs, and closing the pool waits for whoever has one.
 */
async function letLastJobsBeMarkedDone(pool: Pool, logger: WorkerOptions['logger']): Promise<void> {
  try {
    await pool.query('select')
  } catch (error) {
    // The database is away: nothing can be marked, and what is not is taken up again later.
    logger.warn({ err: error }, 'the last jobs could not be marked as done')
  }
}
