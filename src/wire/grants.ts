// Grants as JSON.
import Type, { type Static } from 'typebox'

import { type Grant, grantProviders } from '../core/account/grant.ts'
import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { fromUnixSeconds, toUnixSeconds } from '../core/time/instant.ts'
import { isTimezone } from '../core/time/zone.ts'
import { limitOf, offsetQuery, optional } from './common.ts'
import { unixSeconds } from './whole.ts'

export const grantData = Type.Object({
  id: Type.String(),
  provider: Type.String(),
  email: Type.String(),
  name: Type.Optional(Type.String()),
  grant_status: Type.Enum(['valid', 'invalid']),
  scope: Type.Array(Type.String()),
  settings: Type.Optional(Type.Object({})),
  state: Type.Optional(Type.String()),
  blocked: Type.Boolean(),
  created_at: Type.Integer(),
  updated_at: Type.Integer(),
})

/** Settings are answered only as far as they hold no credential: of virtual calendars all, of others none yet. */
export function grantToJson(grant: Grant): Static<typeof grantData> {
  return {
    id: grant.id,
    provider: grant.provider,
    email: grant.email,
    ...(grant.name === undefined ? {} : { name: grant.name }),
    grant_status: grant.status,
    scope: [...grant.scope],
    ...(grant.provider === 'virtual-calendar' ? { settings: { ...grant.settings, email: grant.email } } : {}),
    ...(grant.state === undefined ? {} : { state: grant.state }),
    blocked: false,
    created_at: toUnixSeconds(grant.createdAt),
    updated_at: toUnixSeconds(grant.updatedAt),
  }
}

const notKept = 'No grant here has one, so a list that asks for it is empty'
const unknownHere = Type.Optional(Type.String({ maxLength: 255, description: notKept }))

export const grantListQuery = Type.Object({
  ...offsetQuery,
  limit: Type.Optional(limitOf(200, 10)),
  sort_by: Type.Optional(Type.Enum(['created_at', 'updated_at', 'createdAt', 'updatedAt'])),
  order_by: Type.Optional(Type.Enum(['asc', 'desc'])),
  since: Type.Optional(unixSeconds()),
  before: Type.Optional(unixSeconds()),
  email: Type.Optional(Type.String()),
  grant_status: Type.Optional(Type.Enum(['valid', 'invalid'])),
  provider: Type.Optional(Type.Enum([...grantProviders])),
  ip: unknownHere,
  account_id: unknownHere,
  account_ids: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 50, description: notKept })),
  workspace_id: unknownHere,
})

export function readGrantList(query: Static<typeof grantListQuery>) {
  return {
    limit: query.limit ?? 10,
    offset: query.offset ?? 0,
    sortBy: query.sort_by?.startsWith('updated') ? 'updated_at' : 'created_at',
    orderBy: query.order_by ?? 'desc',
    since: query.since === undefined ? undefined : fromUnixSeconds(query.since),
    before: query.before === undefined ? undefined : fromUnixSeconds(query.before),
    email: query.email,
    status: query.grant_status,
    provider: query.provider,
    isEmpty: [query.ip, query.account_id, query.account_ids, query.workspace_id].some(
      (asked) => String(asked ?? '') !== '',
    ),
  } as const
}

export const customConnectBody = Type.Object({
  provider: Type.Enum([...grantProviders]),
  settings: Type.Object({
    email: optional(Type.String({ minLength: 1, maxLength: 320 })),
    username: optional(Type.String({ minLength: 1, maxLength: 320 })),
    password: optional(Type.String({ minLength: 1, maxLength: 1024 })),
    server_url: optional(Type.String({ minLength: 1, maxLength: 2048 })),
    /** Beyond the wire: the zone of calendars that say none themselves. */
    timezone: optional(Type.String({ minLength: 1, maxLength: 64 })),
  }),
  name: optional(Type.String({ maxLength: 255 })),
  state: optional(Type.String({ maxLength: 256 })),
  scope: optional(Type.Array(Type.String({ maxLength: 255 }))),
})

/** Only what was said, as the towers read it. Problems: `invalidRequest` for a zone that is none, whoever the provider is. */
export function readSettings(
  settings: Static<typeof customConnectBody>['settings'],
): Result<Readonly<Record<string, string>>> {
  const { timezone } = settings
  if (typeof timezone === 'string' && !isTimezone(timezone))
    return failure(invalidRequest(`"${timezone}" is not an IANA time zone, as Europe/Berlin is`, 'settings.timezone'))
  const said = Object.entries(settings).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))
  return success(Object.fromEntries(said) as Readonly<Record<string, string>>)
}

export const grantChangeBody = Type.Object({
  settings: optional(Type.Object({})),
  scope: optional(Type.Array(Type.String({ maxLength: 255 }))),
  name: optional(Type.String({ maxLength: 255 })),
})

const codes = {
  'grant.expired': 25_009,
  'grant.created': 25_012,
  'grant.deleted': 25_013,
  'grant.updated': 25_014,
} as const
const reauthenticationCode = 25_027

/** `data.object` of the grant webhooks. */
export function grantNotification(trigger: keyof typeof codes, grant: Grant, how: 'changed' | 'authenticated'): object {
  const isReauthentication = trigger === 'grant.updated' && how === 'authenticated'
  return {
    code: isReauthentication ? reauthenticationCode : codes[trigger],
    grant_id: grant.id,
    integration_id: grant.appId,
    provider: grant.provider,
    email: grant.email,
    ...(trigger === 'grant.created' ? { name: grant.name ?? '', scope: grant.scope } : {}),
    ...(trigger === 'grant.expired' ? { grant_updated_at: toUnixSeconds(grant.updatedAt) } : {}),
    ...(trigger === 'grant.updated' ? { reauthentication_flag: isReauthentication } : {}),
  }
}
