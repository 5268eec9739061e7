// Routes of grants.
import Type from 'typebox'

import { callerOf } from '../../core/account/principal.ts'
import { success } from '../../core/result.ts'
import { grantParams, offsetMembers } from '../../wire/common.ts'
import * as wire from '../../wire/grants.ts'
import { type Method, route } from '../route.ts'

const tag = 'Grants'
const path = '/v3/grants'

function changeRoute(method: Method) {
  return route({
    method,
    path: `${path}/:grant_id`,
    guard: 'key',
    tag,
    summary: 'Change a grant',
    params: grantParams,
    body: wire.grantChangeBody,
    data: wire.grantData,
    async handle({ principal, params, body, operations }) {
      const grant = await operations.resolveGrant(principal, params.grant_id)
      if (!grant.ok) return grant
      const changed = await operations.changeGrant(callerOf(principal), grant.value, body)
      return changed.ok ? success({ data: wire.grantToJson(changed.value) }) : changed
    },
  })
}

export const grantRoutes = [
  route({
    method: 'GET',
    path,
    guard: 'key',
    tag,
    summary: 'Grants',
    query: wire.grantListQuery,
    data: Type.Array(wire.grantData),
    beside: offsetMembers,
    async handle({ principal, query, operations }) {
      const filter = wire.readGrantList(query)
      const listed = await operations.listGrants(callerOf(principal).appId, filter)
      return listed.ok
        ? success({ data: listed.value.map(wire.grantToJson), beside: { limit: filter.limit, offset: filter.offset } })
        : listed
    },
  }),
  route({
    method: 'GET',
    path: `${path}/me`,
    guard: 'keyOrToken',
    callers: 'token',
    tag,
    summary: 'The grant of the access token',
    data: wire.grantData,
    async handle({ principal, operations }) {
      const grant = await operations.resolveGrant(principal, 'me')
      return grant.ok ? success({ data: wire.grantToJson(grant.value) }) : grant
    },
  }),
  route({
    method: 'GET',
    path: `${path}/:grant_id`,
    guard: 'key',
    tag,
    summary: 'One grant',
    params: grantParams,
    data: wire.grantData,
    async handle({ principal, params, operations }) {
      const grant = await operations.resolveGrant(principal, params.grant_id)
      return grant.ok ? success({ data: wire.grantToJson(grant.value) }) : grant
    },
  }),
  changeRoute('PATCH'),
  changeRoute('PUT'),
  route({
    method: 'DELETE',
    path: `${path}/:grant_id`,
    guard: 'key',
    tag,
    summary: 'Remove a grant for good',
    params: grantParams,
    async handle({ principal, params, operations }) {
      const grant = await operations.resolveGrant(principal, params.grant_id)
      if (!grant.ok) return grant
      const removed = await operations.removeGrant(callerOf(principal), grant.value)
      return removed.ok ? success({}) : removed
    },
  }),
]
