// Free/busy of mailboxes as JSON.
import Type, { type Static } from 'typebox'

import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { dayMs, fromUnixSeconds, toUnixSeconds } from '../core/time/instant.ts'
import type { Interval } from '../core/time/interval.ts'
import { optional } from './common.ts'
import { unixSeconds } from './whole.ts'

/** How far one question may reach: three months. */
export const longestSpanDays = 92

export const freeBusyBody = Type.Object({
  start_time: unixSeconds(),
  end_time: unixSeconds(),
  emails: Type.Array(Type.String({ minLength: 1, maxLength: 320 }), { minItems: 1, maxItems: 50 }),
  tentative_as_busy: optional(Type.Boolean()),
})

export const freeBusyData = Type.Array(
  Type.Object({
    email: Type.String(),
    object: Type.Enum(['free_busy', 'error']),
    time_slots: Type.Optional(
      Type.Array(
        Type.Object({
          start_time: Type.Integer(),
          end_time: Type.Integer(),
          status: Type.String(),
          object: Type.Literal('time_slot'),
        }),
      ),
    ),
    error: Type.Optional(Type.String()),
  }),
)

/** Problems: `invalidRequest` for an end that is not after the start, or more than 92 days after it. */
export function readWindow({ start_time, end_time }: { start_time: number; end_time: number }): Result<Interval> {
  const window = { start: fromUnixSeconds(start_time), end: fromUnixSeconds(end_time) }
  if (window.end <= window.start) return failure(invalidRequest('must be later than start_time', 'end_time'))
  if (window.end - window.start > longestSpanDays * dayMs)
    return failure(invalidRequest(`must be at most ${longestSpanDays} days after start_time`, 'end_time'))
  return success(window)
}

/** Of one mailbox: when it is busy, merged and cut at the window, or why that is not known. */
export type MailboxBusy = { readonly email: string } & (
  | { readonly busy: readonly Interval[] }
  | { readonly error: string }
)

export function freeBusyToJson(mailboxes: readonly MailboxBusy[]): Static<typeof freeBusyData> {
  return mailboxes.map((mailbox) =>
    'error' in mailbox
      ? { email: mailbox.email, object: 'error', error: mailbox.error }
      : {
          email: mailbox.email,
          object: 'free_busy',
          time_slots: mailbox.busy.map(({ start, end }) => ({
            start_time: toUnixSeconds(start),
            // A busy time that ends within a second is busy for the whole of it.
            end_time: Math.ceil(end / 1_000),
            status: 'busy',
            object: 'time_slot',
          })),
        },
  )
}
