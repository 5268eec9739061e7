// What is known of one guest, handed out or erased because they ask for it (GDPR, articles 15 and 17).
import { writeMessage } from '../../adapters/mail/messages.ts'
import { recordAudit } from '../../adapters/storage/audit.ts'
import { type Erased, eraseGuest as eraseRows, listBookingsOfGuest } from '../../adapters/storage/guestData.ts'
import { listMails } from '../../adapters/storage/mails/lists.ts'
import type { MailRow } from '../../adapters/storage/mails/rows.ts'
import { terminal } from '../../core/account/principal.ts'
import type { AppId } from '../../core/ids.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { bookingToGuest } from '../../wire/guests.ts'
import { mailToListItem } from '../../wire/mails.ts'
import type { Tools } from '../tools.ts'

type GuestCommand = { readonly appId: AppId; readonly email: string }

/** More are not looked for: what is kept of mails goes after thirty days. */
const mostMails = 10_000

/** Bookings oldest first, mails to them newest first. Problems: `invalidRequest`. */
export async function exportGuest(
  { database, mailer, baseUrl }: Pick<Tools, 'database' | 'mailer' | 'baseUrl'>,
  { appId, email }: GuestCommand,
): Promise<Result<{ email: string; bookings: object[]; mails: object[] }>> {
  if (!email.includes('@')) return failure(notAnAddress)
  return database.transaction(appId, async (transaction) => {
    const bookings = await listBookingsOfGuest(transaction, email)
    const mails = await listMails(transaction, { recipient: email, limit: mostMails, after: undefined })
    // Of whom, the log must not say: it outlives what is kept of them.
    const detail = { bookings: bookings.length, mails: mails.length }
    await recordAudit(transaction, { actor: terminal, action: 'guest.export', target: 'guest', detail })
    return success({
      email,
      bookings: bookings.map((booking) => bookingToGuest(booking, email)),
      // Who is also a host is handed what they were told as a guest.
      mails: mails.filter(isToGuest).map((row) => {
        const message = writeMessage(row.mail, { ...row, from: mailer.from, baseUrl })
        const { booking_id, ...item } = mailToListItem(row, message)
        // Whoever was only brought along is not handed what opens the booking.
        const named = row.mail.role === 'additionalGuest' ? {} : { booking_id }
        return { ...item, ...named, text: message.text }
      }),
    })
  })
}

/** Bookings that still stand are left as they are, and named. Problems: `invalidRequest`. */
export async function eraseGuest(
  { database, now }: Pick<Tools, 'database' | 'now'>,
  { appId, email }: GuestCommand,
): Promise<Result<Erased>> {
  if (!email.includes('@')) return failure(notAnAddress)
  return database.transaction(appId, async (transaction) => {
    const erased = await eraseRows(transaction, email, now())
    const { standing, ...detail } = erased
    // Whom, the log must not say: that is what was asked for.
    await recordAudit(transaction, { actor: terminal, action: 'guest.erase', target: 'guest', detail })
    return success(erased)
  })
}

function isToGuest({ mail: { role } }: MailRow): boolean {
  return role === 'guest' || role === 'additionalGuest'
}

const notAnAddress = invalidRequest('is not an e-mail address', 'ADDRESS')
