// Which calendars elsewhere are to be asked now: each is given to one process at a time.
import { type DueMirror, takeDueMirrors } from '../../adapters/storage/mirrors.ts'
import { type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/** Longer than any sync may take; one whose process died is due again then. */
const leaseSeconds = 120

/** `failing`: how many at most of those that could not be read the last time, within `limit`. */
export async function findDueCalendars(
  { database }: Pick<Tools, 'database'>,
  places: { readonly limit: number; readonly failing: number },
): Promise<Result<readonly DueMirror[]>> {
  return success(await takeDueMirrors(database, { ...places, leaseSeconds }))
}
