// The mailer of a server without `SMTP_URL`: nothing is sent, nothing is lost.
import type { Address, Mailer } from './mailer.ts'

export function keepMails(from: Address): Mailer {
  return { from, isSending: false, send: async () => ({ kind: 'kept' }), close: async () => {} }
}
