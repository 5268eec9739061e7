import { expect, it } from 'vitest'

import type { Database } from '../../adapters/storage/database/database.ts'
import type { Problem } from '../../core/problem.ts'
import { success } from '../../core/result.ts'
import type { LoadedConfiguration } from './loadConfiguration.ts'
import { calendarGone, changedAgain, StaleConfiguration, withFreshConfiguration } from './withFreshConfiguration.ts'

/** What is answered by work that finds `problem` so often, and what was asked for before each try. */
async function run(problem: Problem, times: number, mayTryAgain?: () => boolean) {
  const asked: string[] = []
  const answer = await withFreshConfiguration(
    {} as Database,
    async (which) => {
      asked.push(which)
      return success({ configuration: { id: 'c' } } as unknown as LoadedConfiguration)
    },
    async () => {
      if (asked.length <= times) throw new StaleConfiguration(problem)
      return success('booked')
    },
    mayTryAgain,
  )
  return { answer, asked: asked.join() }
}

it('reads anew what was kept, and again while the configuration is saved in a row', async () => {
  expect(await run(changedAgain, 0)).toEqual({ answer: success('booked'), asked: 'kept' })
  expect(await run(calendarGone, 1)).toEqual({ answer: success('booked'), asked: 'kept,live' })
  expect(await run(changedAgain, 4)).toEqual({ answer: success('booked'), asked: 'kept,live,live,live,live' })
})

it('gives up at once where a calendar is gone, and in the end where saving never ends: then it says when to come again', async () => {
  expect(await run(calendarGone, 9)).toEqual({ answer: { ok: false, problem: calendarGone }, asked: 'kept,live' })
  const { answer } = await run(changedAgain, 9)
  expect(answer).toMatchObject({ ok: false, problem: { kind: 'unavailable', retryAfterSeconds: 1 } })
})

it('does not begin anew where no time is left for that', async () => {
  let tries = 0
  const answer = { ok: false, problem: changedAgain }
  expect(await run(changedAgain, 9, () => ++tries < 3)).toEqual({ answer, asked: 'kept,live,live' })
})

it('lets through what is no staleness', async () => {
  const broken = withFreshConfiguration(
    {} as Database,
    async () => success({ configuration: { id: 'c' } } as unknown as LoadedConfiguration),
    async () => {
      throw new TypeError('broken')
    },
  )
  await expect(broken).rejects.toThrow('broken')
})
