// Runs what needs the hosts of a configuration, and again when what was known of it turned out to be out of date.
import type { Database } from '../../adapters/storage/database/database.ts'
import type { Problem } from '../../core/problem.ts'
import { failure, type Result } from '../../core/result.ts'
import { forgetConfiguration, type LoadedConfiguration } from './loadConfiguration.ts'

/** What was known is out of date. `problem` is the answer where reading it anew does not help. */
export class StaleConfiguration extends Error {
  override readonly name = 'StaleConfiguration'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

/** Once what is kept was forgotten, this is how it stands. */
export const calendarGone: Problem = {
  kind: 'calendarUnavailable',
  message: 'A calendar of this configuration does not exist any more',
}
/** Each save makes another version, so whoever saves in a row must not turn guests away. */
export const changedAgain: Problem = {
  kind: 'unavailable',
  message: 'The configuration is being changed; try again',
  retryAfterSeconds: 1,
}

const mostTries = (problem: Problem) => (problem === changedAgain ? 6 : 2)

/**
 * `load` is asked for what is kept (`kept`) first, and for what is (`live`) after `work` threw `StaleConfiguration`,
 * where `mayTryAgain` says that there is time for that.
 * Problems: those of `load` and `work`; `calendarUnavailable` and `unavailable` where it threw that again and again.
 */
export async function withFreshConfiguration<T>(
  database: Database,
  load: (which: 'kept' | 'live') => Promise<Result<LoadedConfiguration>>,
  work: (loaded: LoadedConfiguration) => Promise<Result<T>>,
  mayTryAgain: () => boolean = () => true,
): Promise<Result<T>> {
  for (let tries = 1; ; tries++) {
    const loaded = await load(tries === 1 ? 'kept' : 'live')
    if (!loaded.ok) return loaded
    try {
      return await work(loaded.value)
    } catch (error) {
      if (!(error instanceof StaleConfiguration)) throw error
      if (tries >= mostTries(error.problem) || !mayTryAgain()) return failure(error.problem)
      forgetConfiguration(database, loaded.value.configuration.id)
    }
  }
}
