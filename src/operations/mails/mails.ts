// What people see of mails: which there are, what each says, what became of it, and another try.
import { writeMessage } from '../../adapters/mail/messages.ts'
import { reviveMail } from '../../adapters/storage/mails/attempts.ts'
import * as lists from '../../adapters/storage/mails/lists.ts'
import { type AppId, isUuid } from '../../core/ids.ts'
import { invalidRequest, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { mailToJson, mailToListItem } from '../../wire/mails.ts'
import type { Tools } from '../tools.ts'

/** Newest first; `nextCursor` is undefined on the last page. Problems: `invalidRequest`. */
export async function listMails(
  { database, mailer, baseUrl }: Pick<Tools, 'database' | 'mailer' | 'baseUrl'>,
  appId: AppId,
  filter: lists.MailFilter,
): Promise<Result<{ mails: ReturnType<typeof mailToListItem>[]; nextCursor: string | undefined }>> {
  if (filter.after !== undefined && !isUuid(filter.after))
    return failure(invalidRequest('is not a next_cursor of this list', 'page_token'))
  if (filter.bookingId !== undefined && !isUuid(filter.bookingId))
    return failure(invalidRequest('must be a UUID', 'booking_id'))
  const rows = await database.read(appId, (transaction) =>
    lists.listMails(transaction, { ...filter, limit: filter.limit + 1 }),
  )
  const page = rows.slice(0, filter.limit)
  return success({
    mails: page.map((row) => mailToListItem(row, writeMessage(row.mail, { ...row, from: mailer.from, baseUrl }))),
    nextCursor: rows.length > filter.limit ? page.at(-1)?.id : undefined,
  })
}

/** Whole, with its attempts. Problems: `notFound`. */
export async function showMail(
  { database, mailer, baseUrl }: Pick<Tools, 'database' | 'mailer' | 'baseUrl'>,
  appId: AppId,
  id: string,
): Promise<Result<ReturnType<typeof mailToJson>>> {
  const row = isUuid(id) ? await database.read(appId, (transaction) => lists.findMail(transaction, id)) : undefined
  if (row === undefined) return failure(notFound)
  return success(mailToJson(row, writeMessage(row.mail, { ...row, from: mailer.from, baseUrl }), row.tries))
}

/** Due at once, whatever became of it before: kept, failed, held back or sent. Problems: `notFound`, `conflict`. */
export async function sendMailAgain(
  { database, mailer }: Pick<Tools, 'database' | 'mailer'>,
  appId: AppId,
  id: string,
): Promise<Result<void>> {
  if (!mailer.isSending)
    return failure({ kind: 'conflict', message: 'There is no mail server to send through: SMTP_URL is not set' })
  const isThere = isUuid(id) && (await database.transaction(appId, (transaction) => reviveMail(transaction, id)))
  return isThere ? success(undefined) : failure(notFound)
}
