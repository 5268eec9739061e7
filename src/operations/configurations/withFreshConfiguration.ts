// Runs what needs the hosts of a configuration, and once more when what was kept of it turned out to be out of date.
import type { Database } from '../../adapters/storage/database/database.ts'
import { failure, type Result } from '../../core/result.ts'
import { forgetConfiguration, type LoadedConfiguration } from './loadConfiguration.ts'

/** What was kept in memory is out of date: the message is what the guest reads where it is so again at once. */
export class StaleConfiguration extends Error {
  override readonly name = 'StaleConfiguration'
}

export const calendarGone = 'A calendar of this configuration does not exist any more'
export const changedAgain = 'The configuration is being changed; try again'

/**
 * `load` is asked for what is kept (`kept`) first, and for what is (`live`) after `work` threw `StaleConfiguration`.
 * Problems: those of `load` and `work`; `calendarUnavailable` where it threw that again.
 */
export async function withFreshConfiguration<T>(
  database: Database,
  load: (which: 'kept' | 'live') => Promise<Result<LoadedConfiguration>>,
  work: (loaded: LoadedConfiguration) => Promise<Result<T>>,
): Promise<Result<T>> {
  for (let isFirst = true; ; isFirst = false) {
    const loaded = await load(isFirst ? 'kept' : 'live')
    if (!loaded.ok) return loaded
    try {
      return await work(loaded.value)
    } catch (error) {
      if (!(error instanceof StaleConfiguration)) throw error
      if (!isFirst) return failure({ kind: 'calendarUnavailable', message: error.message })
      forgetConfiguration(database, loaded.value.configuration.id)
    }
  }
}
