// What several processes that answer requests count together, so that a limit is one for all of them.
import { addPoints, type Counted, readPoints } from '../../adapters/storage/rateCounts.ts'
import { type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/** Problems: `unavailable`. */
export async function countTogether(
  { database }: Pick<Tools, 'database'>,
  name: string,
  key: string,
  span: { readonly points: number; readonly seconds: number },
): Promise<Result<Counted>> {
  return success(await addPoints(database, name, key, span))
}

/** Counts nothing. Problems: `unavailable`. */
export async function lookTogether(
  { database }: Pick<Tools, 'database'>,
  name: string,
  key: string,
): Promise<Result<Counted>> {
  return success(await readPoints(database, name, key))
}
