// Connectors as JSON. A client secret comes in and never goes out.
import Type, { type Static } from 'typebox'

import type { Connector } from '../core/account/connector.ts'
import { grantProviders } from '../core/account/grant.ts'
import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { optional } from './common.ts'

export const connectorData = Type.Object({
  name: Type.String(),
  provider: Type.String(),
  settings: Type.Optional(Type.Object({})),
  scope: Type.Optional(Type.Array(Type.String())),
  active_credential_id: Type.Optional(Type.String()),
})

const text = optional(Type.String({ maxLength: 1024 }))
const settings = Type.Object({ client_id: text, client_secret: text, tenant: text, topic_name: text })
const scope = optional(Type.Array(Type.String({ maxLength: 255 })))
const active_credential_id = optional(Type.String({ maxLength: 255 }))

export const connectorBody = Type.Object({
  provider: Type.Enum([...grantProviders]),
  name: optional(Type.String({ minLength: 1, maxLength: 255 })),
  settings: optional(settings),
  scope,
  /** What Exchange calls it. */
  scopes: scope,
  active_credential_id,
})

export const connectorChangeBody = Type.Object({
  name: optional(Type.String({ minLength: 1, maxLength: 255 })),
  settings: optional(settings),
  scope,
  active_credential_id,
})

export const connectorParams = Type.Object({ provider: Type.String() })

export function connectorToJson(connector: Connector): Static<typeof connectorData> {
  return {
    name: connector.name,
    provider: connector.provider,
    ...(Object.keys(connector.settings).length === 0 ? {} : { settings: connector.settings }),
    ...(connector.scope.length === 0 ? {} : { scope: [...connector.scope] }),
    ...(connector.activeCredentialId === null ? {} : { active_credential_id: connector.activeCredentialId }),
  }
}

export type ConnectorCommand = Omit<Connector, 'createdAt' | 'updatedAt'> & {
  readonly secret: string | undefined
}

const needCredentials = new Set(['google', 'microsoft', 'zoom', 'yahoo'])

/** Problems: `invalidRequest` where the provider needs a client id and secret. */
export function readConnector(body: Static<typeof connectorBody>): Result<ConnectorCommand> {
  const { secret, settings: plain } = splitSettings(body.settings)
  if (needCredentials.has(body.provider)) {
    if (!plain.client_id) return failure(invalidRequest('is required', 'settings.client_id'))
    if (!secret) return failure(invalidRequest('is required', 'settings.client_secret'))
  }
  return success({
    provider: body.provider,
    name: body.name ?? body.provider,
    settings: plain,
    scope: body.scope ?? body.scopes ?? [],
    activeCredentialId: body.active_credential_id || null,
    secret,
  })
}

/** What is left out keeps its value; settings are replaced whole, but for a secret that is not sent again. */
export function changeConnector(connector: Connector, body: Static<typeof connectorChangeBody>): ConnectorCommand {
  const sent = body.settings === undefined || body.settings === null ? undefined : splitSettings(body.settings)
  return {
    provider: connector.provider,
    name: body.name ?? connector.name,
    settings: sent?.settings ?? connector.settings,
    scope: body.scope ?? connector.scope,
    activeCredentialId: (body.active_credential_id ?? connector.activeCredentialId) || null,
    secret: sent?.secret,
  }
}

function splitSettings(sent: Static<typeof settings> | null | undefined): {
  secret: string | undefined
  settings: Record<string, string>
} {
  const { client_secret, client_id, tenant, topic_name } = sent ?? {}
  const plain = Object.fromEntries(
    Object.entries({ client_id, tenant, topic_name }).flatMap(([key, value]) => (value ? [[key, value]] : [])),
  )
  return { secret: client_secret ?? undefined, settings: plain }
}
