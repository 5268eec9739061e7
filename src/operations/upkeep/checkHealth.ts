// Is the database there?
import { sql } from '../../adapters/storage/database/sql.ts'
import { type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/** Problems: `unavailable`. */
export async function checkHealth({ database }: Pick<Tools, 'database'>): Promise<Result<undefined>> {
  await database.query(sql`select 1 as up`)
  return success(undefined)
}
