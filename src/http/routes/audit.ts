// The audit log, beyond the vendor's wire.
import Type from 'typebox'

import { callerOf } from '../../core/account/principal.ts'
import { success } from '../../core/result.ts'
import * as wire from '../../wire/audit.ts'
import { route } from '../route.ts'

export const auditRoutes = [
  route({
    method: 'GET',
    path: '/v3/audit',
    guard: 'key',
    tag: 'Audit log',
    summary: 'What was done in the application, newest first',
    description: 'It is written with each change and never changed; the addresses of callers are taken out in time.',
    query: wire.auditQuery,
    data: Type.Array(wire.auditEntry),
    isList: true,
    async handle({ principal, query, operations }) {
      const read = await operations.readAudit(callerOf(principal).appId, {
        limit: query.limit ?? 50,
        after: query.page_token || undefined,
        action: query.action || undefined,
        actor: query.actor || undefined,
        target: query.target || undefined,
      })
      return read.ok ? success({ data: read.value.entries, nextCursor: read.value.nextCursor }) : read
    },
  }),
]
