// Runs what needs the hosts of a configuration, and once more when what was kept of it turned out to be out of date.
import type { Database } from '../../adapters/storage/database.ts'
import { failure, type Result } from '../../core/result.ts'
import { forgetConfiguration, type LoadedConfiguration } from './loadConfiguration.ts'

/** The configuration was changed, or a calendar that it names is gone: what was kept in memory is out of date. */
export class StaleConfiguration extends Error {
  override readonly name = 'StaleConfiguration'
}

/**
 * `load` is asked for what is kept (`kept`) first, and for what is (`live`) after `work` threw `StaleConfiguration`.
 * Problems: those of `load` and `work`; `calendarUnavailable` where a calendar is gone for good.
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
      if (!isFirst)
        return failure({
          kind: 'calendarUnavailable',
          message: 'A calendar of this configuration does not exist any more',
        })
      forgetConfiguration(database, loaded.value.configuration.id)
    }
  }
}
