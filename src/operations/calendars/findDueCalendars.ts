// Which calendars elsewhere are to be asked now: each is given to one process at a time.
import { claimDueMirror, listDueMirrors, type MirrorName } from '../../adapters/storage/mirrors.ts'
import { type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/** Longer than any sync may take; one whose process died is due again then. */
const leaseSeconds = 120

export async function findDueCalendars(
  { database }: Pick<Tools, 'database'>,
  limit: number,
): Promise<Result<readonly MirrorName[]>> {
  const due = await listDueMirrors(database, limit)
  const claims = await Promise.all(due.map((name) => claimDueMirror(database, name, leaseSeconds)))
  return success(due.filter((_, index) => claims[index]))
}
