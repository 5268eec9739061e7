// Routes by which accounts are connected, and tokens given out.
import Type from 'typebox'

import { callerOf } from '../../core/account/principal.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, success } from '../../core/result.ts'
import * as wire from '../../wire/connect.ts'
import { customConnectBody, grantData, grantToJson, readSettings } from '../../wire/grants.ts'
import { route } from '../route.ts'

const tag = 'Connect'

export const connectRoutes = [
  route({
    method: 'POST',
    path: '/v3/connect/custom',
    guard: 'key',
    tag,
    summary: 'Connect an account',
    status: 201,
    body: customConnectBody,
    data: grantData,
    async handle({ principal, body, operations }) {
      const { provider, settings } = body
      const read = readSettings(settings)
      if (!read.ok) return read
      const said = { provider, name: body.name ?? undefined, state: body.state ?? undefined }
      const connected =
        provider === 'virtual-calendar'
          ? await operations.connectGrant(callerOf(principal), {
              ...said,
              provider,
              email: settings.email ?? undefined,
            })
          : await operations.connectAccount(callerOf(principal), { ...said, settings: read.value })
      return connected.ok ? success({ data: grantToJson(connected.value) }) : connected
    },
  }),
  route({
    method: 'GET',
    path: '/v3/connect/auth',
    guard: 'public',
    tag,
    summary: 'Sign in at a provider (not yet)',
    isServed: false,
    async handle() {
      return failure(
        invalidRequest(
          'signing in at a provider is not supported yet; connect virtual accounts with POST /v3/connect/custom',
        ),
      )
    },
  }),
  route({
    method: 'POST',
    path: '/v3/connect/token',
    guard: 'public',
    tag,
    summary: 'An access token of one grant for one hour',
    body: wire.tokenBody,
    takesForms: true,
    bare: wire.tokenAnswer,
    async handle({ principal, body, operations }) {
      const issued = await operations.issueToken({
        grantType: body.grant_type,
        clientId: body.client_id ?? undefined,
        clientSecret: body.client_secret ?? undefined,
        grantId: body.grant_id ?? undefined,
        address: principal.address,
      })
      return issued.ok ? success({ bare: wire.tokenToJson(issued.value.token, issued.value.grant) }) : issued
    },
  }),
  route({
    method: 'POST',
    path: '/v3/connect/revoke',
    guard: 'public',
    tag,
    summary: 'Revoke an access token',
    query: Type.Object({ token: Type.String({ maxLength: 4096 }) }),
    async handle({ principal, query, operations }) {
      const revoked = await operations.revokeToken({ token: query.token, address: principal.address })
      return revoked.ok ? success({}) : revoked
    },
  }),
  route({
    method: 'GET',
    path: '/v3/connect/tokeninfo',
    guard: 'public',
    tag,
    summary: 'What an access token stands for',
    query: Type.Object({
      access_token: Type.Optional(Type.String({ maxLength: 4096 })),
      id_token: Type.Optional(Type.String({ maxLength: 4096 })),
    }),
    data: wire.tokenInformationData,
    async handle({ query, operations }) {
      if (query.access_token === undefined && query.id_token === undefined)
        return failure(invalidRequest('Missing required parameter: access_token'))
      // No id token is given out here, so none is good.
      const described = await operations.describeToken(query.access_token ?? '')
      return described.ok ? success({ data: wire.tokenInformationToJson(described.value) }) : described
    },
  }),
]
