// Which calendars elsewhere are to be asked now: each is given to one process at a time.
import { claimDueMirror, type DueMirror, listDueMirrors } from '../../adapters/storage/mirrors.ts'
import { type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/** Longer than any sync may take; one whose process died is due again then. */
const leaseSeconds = 120

/** `failing`: how many at most of those that could not be read the last time, within `limit`. */
export async function findDueCalendars(
  { database }: Pick<Tools, 'database'>,
  places: { readonly limit: number; readonly failing: number },
): Promise<Result<readonly DueMirror[]>> {
  const due = await listDueMirrors(database, places)
  const claims = await Promise.all(due.map((name) => claimDueMirror(database, name, leaseSeconds)))
  return success(due.filter((_, index) => claims[index]))
}
