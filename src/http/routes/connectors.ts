// Routes of connectors.
import Type from 'typebox'

import { callerOf } from '../../core/account/principal.ts'
import { success } from '../../core/result.ts'
import { offsetMembers, offsetQuery } from '../../wire/common.ts'
import * as wire from '../../wire/connectors.ts'
import { type Method, route } from '../route.ts'

const tag = 'Connectors'
const path = '/v3/connectors'

/** The SDK sends PUT where the documents say PATCH. */
function changeRoute(method: Method) {
  return route({
    method,
    path: `${path}/:provider`,
    guard: 'key',
    tag,
    summary: 'Change a connector',
    params: wire.connectorParams,
    body: wire.connectorChangeBody,
    data: wire.connectorData,
    async handle({ principal, params, body, operations }) {
      const changed = await operations.changeConnector(callerOf(principal), params.provider, (before) =>
        wire.changeConnector(before, body),
      )
      return changed.ok ? success({ data: wire.connectorToJson(changed.value) }) : changed
    },
  })
}

export const connectorRoutes = [
  route({
    method: 'GET',
    path,
    guard: 'key',
    tag,
    summary: 'Connectors',
    query: Type.Object(offsetQuery),
    data: Type.Array(wire.connectorData),
    beside: offsetMembers,
    async handle({ principal, query, operations }) {
      const page = { limit: query.limit ?? 10, offset: query.offset ?? 0 }
      const listed = await operations.listConnectors(callerOf(principal).appId, page)
      return listed.ok ? success({ data: listed.value.map(wire.connectorToJson), beside: page }) : listed
    },
  }),
  route({
    method: 'POST',
    path,
    guard: 'key',
    tag,
    summary: 'Register at a provider',
    status: 201,
    body: wire.connectorBody,
    data: wire.connectorData,
    async handle({ principal, body, operations }) {
      const command = wire.readConnector(body)
      if (!command.ok) return command
      const created = await operations.createConnector(callerOf(principal), command.value)
      return created.ok ? success({ data: wire.connectorToJson(created.value) }) : created
    },
  }),
  route({
    method: 'GET',
    path: `${path}/:provider`,
    guard: 'key',
    tag,
    summary: 'One connector',
    params: wire.connectorParams,
    data: wire.connectorData,
    async handle({ principal, params, operations }) {
      const shown = await operations.showConnector(callerOf(principal).appId, params.provider)
      return shown.ok ? success({ data: wire.connectorToJson(shown.value) }) : shown
    },
  }),
  changeRoute('PATCH'),
  changeRoute('PUT'),
  route({
    method: 'DELETE',
    path: `${path}/:provider`,
    guard: 'key',
    tag,
    summary: 'Remove a connector',
    params: wire.connectorParams,
    async handle({ principal, params, operations }) {
      const deleted = await operations.deleteConnector(callerOf(principal), params.provider)
      return deleted.ok ? success({}) : deleted
    },
  }),
]
