// Sends one mail, and writes what became of it. Run by the worker; safe to repeat.
import { writeMessage } from '../../adapters/mail/messages.ts'
import { finishAttempt } from '../../adapters/storage/mails/attempts.ts'
import { claimMail, renewMail } from '../../adapters/storage/mails/claim.ts'
import type { AppId } from '../../core/ids.ts'
import { type Result, success } from '../../core/result.ts'
import { hourMs, minuteMs, secondMs } from '../../core/time/instant.ts'
import type { Tools } from '../tools.ts'

/** After the first attempt, the second, …: three days in all. A mail about a meeting that is over helps nobody. */
const waitsMs = [
  10 * secondMs,
  minuteMs,
  5 * minuteMs,
  15 * minuteMs,
  30 * minuteMs,
  hourMs,
  2 * hourMs,
  4 * hourMs,
  ...Array.from({ length: 8 }, () => 8 * hourMs),
]

export type SendMailCommand = { readonly appId: AppId; readonly mailId: string }

/** Well before the half minute is over for which a mail is taken: a server may take a whole one to answer. */
const renewEveryMs = 10 * secondMs

/**
 * `nothing to do`: sent, given up or held back, or another process is at it. A process that dies between sending and
 * writing it down leaves a mail that is sent again after half a minute, under the same Message-ID.
 */
export async function sendMail(
  { database, mailer, now, baseUrl }: Pick<Tools, 'database' | 'mailer' | 'now' | 'baseUrl'>,
  { appId, mailId }: SendMailCommand,
): Promise<Result<'sent' | 'refused' | 'deferred' | 'kept' | 'nothing to do'>> {
  const claimed = await database.transaction(appId, (transaction) => claimMail(transaction, mailId))
  if (claimed === undefined) return success('nothing to do')
  const startedAt = now()
  const { mail, eventId } = claimed
  const message = writeMessage(mail, { id: mailId, eventId, from: mailer.from, baseUrl })
  const outcome = await whileRenewed(
    () => database.transaction(appId, (transaction) => renewMail(transaction, mailId, claimed.begunAt)),
    () => mailer.send(message),
  )
  await database.transaction(appId, (transaction) =>
    finishAttempt(transaction, mailId, {
      outcome: outcome.kind,
      answer: outcome.kind === 'kept' ? 'there is no mail server to send through' : outcome.answer,
      durationMs: now() - startedAt,
      retryAfterMs: outcome.kind === 'deferred' ? waitsMs[claimed.attempts - 1] : undefined,
    }),
  )
  return success(outcome.kind)
}

/** Where the database is away nobody else can take the mail either; it is asked again ten seconds later. */
async function whileRenewed<T>(renew: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  const beat = setInterval(() => void renew().catch(() => {}), renewEveryMs)
  try {
    return await work()
  } finally {
    clearInterval(beat)
  }
}
