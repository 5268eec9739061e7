// Which calendars elsewhere are to be asked now: each is given to one process at a time.
import { claimDueMirrors, type MirrorName } from '../../adapters/storage/mirrors.ts'
import { type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/** Longer than any sync may take; one whose process died is due again then. */
const leaseSeconds = 120

export async function findDueCalendars(
  { database }: Pick<Tools, 'database'>,
  limit: number,
): Promise<Result<readonly MirrorName[]>> {
  return success(await claimDueMirrors(database, limit, leaseSeconds))
}
