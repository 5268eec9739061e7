// Routes of mails, beyond the vendor's wire: what was written to whom, and what became of it.
import Type from 'typebox'

import { callerOf } from '../../core/account/principal.ts'
import type { BookingId } from '../../core/ids.ts'
import { success } from '../../core/result.ts'
import * as wire from '../../wire/mails.ts'
import { route } from '../route.ts'

const tag = 'Mails'
const path = '/v3/mails'
const params = Type.Object({ mail_id: Type.String() })

export const mailRoutes = [
  route({
    method: 'GET',
    path,
    guard: 'key',
    tag,
    summary: 'Mails, newest first',
    description: 'Mails are kept with what became of them, also where no mail server is set.',
    query: wire.mailListQuery,
    data: Type.Array(wire.mailListItem),
    isList: true,
    async handle({ principal, query, operations }) {
      const listed = await operations.listMails(callerOf(principal).appId, {
        limit: query.limit ?? 50,
        after: query.page_token || undefined,
        state: wire.readMailState(query.state as wire.MailStateJson | undefined),
        recipient: query.recipient || undefined,
        bookingId: (query.booking_id || undefined) as BookingId | undefined,
      })
      return listed.ok ? success({ data: listed.value.mails, nextCursor: listed.value.nextCursor }) : listed
    },
  }),
  route({
    method: 'GET',
    path: `${path}/:mail_id`,
    guard: 'key',
    tag,
    summary: 'One mail, with its texts, its invitation and every attempt to send it',
    params,
    data: wire.mailData,
    async handle({ principal, params, operations }) {
      const found = await operations.showMail(callerOf(principal).appId, params.mail_id)
      return found.ok ? success({ data: found.value }) : found
    },
  }),
  route({
    method: 'POST',
    path: `${path}/:mail_id/send`,
    guard: 'key',
    tag,
    summary: 'Send a mail again',
    description:
      'One that was kept, failed, held back or sent already; it says the same as it did. 400 without a mail server.',
    params,
    async handle({ principal, params, operations }) {
      const sent = await operations.sendMailAgain(callerOf(principal).appId, params.mail_id)
      return sent.ok ? success({}) : sent
    },
  }),
]
