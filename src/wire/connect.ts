// Tokens and sign-in as JSON: the OAuth words, without an envelope.
import Type, { type Static } from 'typebox'

import type { Grant } from '../core/account/grant.ts'
import { type Instant, toUnixSeconds } from '../core/time/instant.ts'
import { optional } from './common.ts'

const text = optional(Type.String({ maxLength: 4096 }))

export const tokenBody = Type.Object({
  grant_type: Type.String({ maxLength: 255 }),
  client_id: text,
  client_secret: text,
  grant_id: text,
})

export const tokenAnswer = Type.Object({
  access_token: Type.String(),
  expires_in: Type.Integer(),
  token_type: Type.String(),
  scope: Type.String(),
  grant_id: Type.String(),
  email: Type.String(),
  provider: Type.String(),
})

export function tokenToJson(token: string, grant: Grant): Static<typeof tokenAnswer> {
  return {
    access_token: token,
    expires_in: 3_600,
    token_type: 'Bearer',
    scope: grant.scope.join(' '),
    grant_id: grant.id,
    email: grant.email,
    provider: grant.provider,
  }
}

export const tokenInformationData = Type.Object({
  iss: Type.String(),
  aud: Type.String(),
  sub: Type.String(),
  email: Type.String(),
  iat: Type.Integer(),
  exp: Type.Integer(),
})

type Information = {
  readonly appId: string
  readonly grant: Grant
  readonly createdAt: Instant
  readonly expiresAt: Instant
  readonly issuer: string
}

export function tokenInformationToJson({
  appId,
  grant,
  createdAt,
  expiresAt,
  issuer,
}: Information): Static<typeof tokenInformationData> {
  return {
    iss: issuer,
    aud: appId,
    sub: grant.id,
    email: grant.email,
    iat: toUnixSeconds(createdAt),
    exp: toUnixSeconds(expiresAt),
  }
}
