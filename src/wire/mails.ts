// Mails as JSON, for the key holder: what was written to whom, and what became of it.
import Type from 'typebox'

import type { Mail } from '../core/booking/mail.ts'
import { mailKinds } from '../core/booking/mail.ts'
import { type Instant, toUnixSeconds } from '../core/time/instant.ts'
import { type Notice, noticeKinds } from '../core/webhook/notice.ts'
import { limitOf, nullable } from './common.ts'

export const mailStates = ['waiting', 'sent', 'failed', 'held_back', 'kept'] as const
export type MailStateJson = (typeof mailStates)[number]

const state = Type.Enum([...mailStates], {
  description: '`kept`: there was no mail server to send through. `held_back`: the address had enough within the hour.',
})

export const mailListItem = Type.Object({
  id: Type.String(),
  object: Type.Enum(['mail']),
  booking_id: nullable(Type.String()),
  webhook_id: nullable(Type.String({ description: 'The webhook that a mail about its failing is about' })),
  grant_id: nullable(Type.String({ description: 'The account that a mail about its refused credentials is about' })),
  kind: Type.Enum([...mailKinds, ...noticeKinds].map(kindToJson)),
  to: Type.Object({ email: Type.String(), name: Type.String() }),
  role: Type.Enum(['guest', 'additional_guest', 'host', 'organizer', 'operator']),
  language: Type.String(),
  timezone: Type.String(),
  subject: Type.String(),
  state,
  attempts: Type.Integer(),
  last_error: nullable(Type.String()),
  created_at: Type.Integer(),
  finished_at: nullable(Type.Integer()),
  next_attempt_at: nullable(Type.Integer()),
})

export const mailData = Type.Object({
  ...mailListItem.properties,
  message_id: Type.String(),
  from: Type.Object({ email: Type.String(), name: Type.String() }),
  reply_to: Type.Object({ email: Type.String(), name: Type.String() }),
  text: Type.String(),
  html: Type.String(),
  invitation: nullable(Type.String({ description: 'The iCalendar text that rides on the mail' })),
  tries: Type.Array(
    Type.Object({
      at: Type.Integer(),
      duration_ms: Type.Integer(),
      outcome: Type.String(),
      answer: Type.String(),
    }),
  ),
})

export const mailListQuery = Type.Object({
  limit: Type.Optional(limitOf(200, 50)),
  page_token: Type.Optional(Type.String({ maxLength: 1024, description: 'The next_cursor of the page before' })),
  state: Type.Optional(state),
  recipient: Type.Optional(Type.String({ maxLength: 320 })),
  booking_id: Type.Optional(Type.String({ maxLength: 36 })),
})

/** What storage knows of a mail. */
type KeptMail = {
  readonly id: string
  readonly mail: Mail | Notice
  readonly state: 'waiting' | 'sent' | 'failed' | 'heldBack' | 'kept'
  readonly attempts: number
  readonly lastError: string | null
  readonly createdAt: Instant
  readonly finishedAt: Instant | null
  readonly dueAt: Instant | null
}

type Written = {
  readonly messageId: string
  readonly from: Mail['to']
  readonly replyTo: Mail['to']
  readonly to: Mail['to']
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly invitation: { readonly text: string } | undefined
}

type Attempt = {
  readonly at: Instant
  readonly durationMs: number
  readonly outcome: string
  readonly answer: string
}

export function mailToListItem(row: KeptMail, { to, subject }: Pick<Written, 'to' | 'subject'>) {
  const { mail } = row
  const seconds = (at: Instant | null) => (at === null ? null : toUnixSeconds(at))
  return {
    id: row.id,
    object: 'mail',
    booking_id: mail.role === 'operator' ? null : mail.bookingId,
    webhook_id: 'endpoint' in mail ? mail.endpoint.id : null,
    grant_id: 'account' in mail ? mail.account.id : null,
    kind: kindToJson(mail.kind),
    to: { email: to.email, name: to.name },
    role: mail.role === 'additionalGuest' ? 'additional_guest' : mail.role,
    language: mail.language,
    timezone: mail.timezone,
    subject,
    state: (row.state === 'heldBack' ? 'held_back' : row.state) as MailStateJson,
    attempts: row.attempts,
    last_error: row.lastError,
    created_at: toUnixSeconds(row.createdAt),
    finished_at: seconds(row.finishedAt),
    next_attempt_at: row.state === 'waiting' ? seconds(row.dueAt) : null,
  }
}

export function mailToJson(row: KeptMail, written: Written, tries: readonly Attempt[]) {
  const person = ({ email, name }: Mail['to']) => ({ email, name })
  return {
    ...mailToListItem(row, written),
    message_id: written.messageId,
    from: person(written.from),
    reply_to: person(written.replyTo),
    text: written.text,
    html: written.html,
    invitation: written.invitation?.text ?? null,
    tries: tries.map(({ at, durationMs, outcome, answer }) => ({
      at: toUnixSeconds(at),
      duration_ms: durationMs,
      outcome,
      answer,
    })),
  }
}

export function readMailState(name: MailStateJson | undefined): KeptMail['state'] | undefined {
  return name === 'held_back' ? 'heldBack' : name
}

function kindToJson(kind: (Mail | Notice)['kind']): string {
  return kind.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
