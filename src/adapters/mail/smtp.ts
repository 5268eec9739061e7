// Sends mails through the operator's SMTP server: pooled connections, TLS, DKIM.
import { createTransport } from 'nodemailer'

import type { Address, Mailer, MailOutcome, Message } from './mailer.ts'

export type SmtpOptions = {
  /** `smtp://user:password@host:port` or `smtps://…`; `?tls.rejectUnauthorized=false` and the like are nodemailer's. */
  readonly url: string
  readonly from: Address
  /** `key`: PEM. Signs for the domain of `from`. */
  readonly dkim?: { readonly selector: string; readonly key: string } | undefined
}

const wholeLimitMs = 60_000

/** Connects at the first mail, so a server that is away at the start stops nothing. */
export function sendBySmtp({ url, from, dkim }: SmtpOptions): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 2,
    // What is not sent now is a row that is due again; the pool need not try by itself.
    maxRequeues: 0,
    requireTLS: needsTls(url),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    dnsTimeout: 5_000,
    // Nothing in a mail is a file or an address for us to open.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(dkim === undefined
      ? {}
      : { dkim: { domainName: domainOf(from.email), keySelector: dkim.selector, privateKey: dkim.key } }),
  })
  return {
    from,
    isSending: true,
    async send(message) {
      try {
        const { response } = await transport.sendMail({
          ...toNodemailer(message),
          signal: AbortSignal.timeout(wholeLimitMs),
        })
        return { kind: 'sent', answer: response }
      } catch (error) {
        return outcomeOf(error as SmtpError)
      }
    },
    close: async () => transport.close(),
  }
}

/** Addresses are given as objects: no name or address is ever parsed as a header. */
function toNodemailer(message: Message) {
  const address = ({ name, email }: Address) => ({ name, address: email })
  const { invitation } = message
  return {
    messageId: `<${message.messageId}>`,
    references: [`<${message.thread}>`],
    from: address(message.from),
    replyTo: address(message.replyTo),
    to: address(message.to),
    subject: message.subject,
    text: message.text,
    html: message.html,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'Content-Language': message.language,
    },
    ...(invitation === undefined
      ? {}
      : { icalEvent: { method: invitation.method, filename: 'invite.ics', content: invitation.text } }),
  }
}

type SmtpError = Error & { readonly code?: string; readonly command?: string; readonly responseCode?: number }

/**
 * For good is only a 5xx about this recipient or this message (RFC 5321 §4.2.1). A server that refuses our login or our
 * sender's address refuses every mail until the operator mends it, so those wait.
 */
function outcomeOf({ message, code = '', command = '', responseCode = 0 }: SmtpError): MailOutcome {
  const isAboutThis = command === 'RCPT TO' || command === 'DATA'
  const isNoAddress = code === 'EENVELOPE' && command === 'API' && !message.startsWith('Invalid sender')
  return { kind: isNoAddress || (responseCode >= 500 && isAboutThis) ? 'refused' : 'deferred', answer: message }
}

/** A password goes over the network only encrypted, unless the address says otherwise or the server is this machine. */
function needsTls(url: string): boolean {
  const { username, hostname, searchParams } = new URL(url)
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return username !== '' && !isHere && searchParams.get('ignoreTLS') !== 'true'
}

function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1)
}
