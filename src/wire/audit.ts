// The audit log as JSON, for the key holder: who did what, when, and from where.
import Type from 'typebox'

import { type Instant, toUnixSeconds } from '../core/time/instant.ts'
import { limitOf, nullable } from './common.ts'

export const auditEntry = Type.Object({
  id: Type.String(),
  object: Type.Enum(['audit_entry']),
  at: Type.Integer(),
  actor: Type.String({
    description:
      '`key:`, `grant:` (an access token) or `booking:` (a link) with its id, `session`, `anyone`, `cli`, `worker`, or `calendar`: its owner there',
  }),
  address: nullable(
    Type.String({
      description: "Whence the request came; null where none did, and once it is as old as guests' data may be",
    }),
  ),
  action: Type.String({ description: 'As `booking.create`, `key.revoked`' }),
  target: nullable(Type.String({ description: 'The id of what it was done to' })),
  detail: Type.Object({}),
})

export const auditQuery = Type.Object({
  limit: Type.Optional(limitOf(200, 50)),
  page_token: Type.Optional(Type.String({ maxLength: 1024, description: 'The next_cursor of the page before' })),
  action: Type.Optional(Type.String({ maxLength: 255 })),
  actor: Type.Optional(Type.String({ maxLength: 255 })),
  target: Type.Optional(Type.String({ maxLength: 255 })),
})

/** What storage knows of an entry. */
type KeptEntry = {
  readonly id: string
  readonly at: Instant
  readonly actor: string
  readonly address: string | null
  readonly action: string
  readonly target: string | null
  readonly detail: object
}

export function auditToJson({ id, at, actor, address, action, target, detail }: KeptEntry) {
  return { id, object: 'audit_entry', at: toUnixSeconds(at), actor, address, action, target, detail }
}
