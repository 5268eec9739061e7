// What was done in an application, and by whom.
import { type AuditFilter, listAudit } from '../../adapters/storage/audit.ts'
import { type AppId, isUuid } from '../../core/ids.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { auditToJson } from '../../wire/audit.ts'
import type { Tools } from '../tools.ts'

/** Newest first; `nextCursor` is undefined on the last page. Problems: `invalidRequest`. */
export async function readAudit(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
  filter: AuditFilter,
): Promise<Result<{ entries: ReturnType<typeof auditToJson>[]; nextCursor: string | undefined }>> {
  if (filter.after !== undefined && !isUuid(filter.after))
    return failure(invalidRequest('is not a next_cursor of this list', 'page_token'))
  const rows = await database.read(appId, (transaction) =>
    listAudit(transaction, { ...filter, limit: filter.limit + 1 }),
  )
  const page = rows.slice(0, filter.limit)
  return success({
    entries: page.map(auditToJson),
    nextCursor: rows.length > filter.limit ? page.at(-1)?.id : undefined,
  })
}
