// What every mailer keeps: take a message that is written, and say what became of it.

export type Address = { readonly name: string; readonly email: string }

/** A message to one person, ready to go. */
export type Message = {
  /** Without angle brackets. The same at each attempt, so that receivers can fold repeats. */
  readonly messageId: string
  /** The id that all mails of one booking point to: clients show them as one conversation. */
  readonly thread: string
  readonly from: Address
  readonly replyTo: Address
  readonly to: Address
  /** One line. */
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly language: string
  readonly invitation: { readonly method: 'REQUEST' | 'CANCEL'; readonly text: string } | undefined
}

export type MailOutcome =
  | { readonly kind: 'sent'; readonly answer: string }
  /** The receiving side said no for good: trying again would be rude. */
  | { readonly kind: 'refused'; readonly answer: string }
  /** Not now: away, busy, misconfigured, or cut off before it answered. */
  | { readonly kind: 'deferred'; readonly answer: string }
  /** No server to send through: it stays here, to be read. */
  | { readonly kind: 'kept' }

export interface Mailer {
  /** Who mails are from; invitations name it as their organizer. */
  readonly from: Address
  /** False where mails are only kept. */
  readonly isSending: boolean
  /** Never throws for what a server or a network does. Ends within 60 s. */
  send(message: Message): Promise<MailOutcome>
  close(): Promise<void>
}
