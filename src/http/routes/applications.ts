// Routes of the caller's own application and its callback URIs.
import Type from 'typebox'

import { callerOf } from '../../core/account/principal.ts'
import { success } from '../../core/result.ts'
import * as wire from '../../wire/applications.ts'
import { route } from '../route.ts'

const tag = 'Applications'
const path = '/v3/applications'
const urisPath = `${path}/redirect-uris`
const successMember = { success: Type.Boolean() }

export const applicationRoutes = [
  route({
    method: 'GET',
    path,
    guard: 'key',
    tag,
    summary: 'The application of the API key',
    data: wire.applicationData,
    async handle({ principal, operations }) {
      const shown = await operations.showApplication(callerOf(principal).appId)
      return shown.ok
        ? success({ data: wire.applicationToJson(shown.value.application, shown.value.callbackUris) })
        : shown
    },
  }),
  route({
    method: 'PATCH',
    path,
    guard: 'key',
    tag,
    summary: 'Change branding and the sign-in page',
    body: wire.applicationChangeBody,
    data: wire.applicationData,
    beside: successMember,
    async handle({ principal, body, operations }) {
      const changed = await operations.changeApplication(callerOf(principal), (settings) =>
        wire.changeApplicationSettings(settings, body),
      )
      if (!changed.ok) return changed
      return success({
        data: wire.applicationToJson(changed.value.application, changed.value.callbackUris),
        beside: { success: true },
      })
    },
  }),
  route({
    method: 'GET',
    path: urisPath,
    guard: 'key',
    tag,
    summary: 'Callback URIs',
    data: Type.Array(wire.callbackUriData),
    beside: successMember,
    async handle({ principal, operations }) {
      const listed = await operations.listCallbackUris(callerOf(principal).appId)
      return listed.ok ? success({ data: listed.value.map(wire.callbackUriToJson), beside: { success: true } }) : listed
    },
  }),
  route({
    method: 'POST',
    path: urisPath,
    guard: 'key',
    tag,
    summary: 'Allow a callback URI',
    body: wire.callbackUriBody,
    data: wire.callbackUriData,
    async handle({ principal, body, operations }) {
      const uri = wire.readCallbackUri(body)
      if (!uri.ok) return uri
      const created = await operations.createCallbackUri(callerOf(principal), uri.value)
      return created.ok ? success({ data: wire.callbackUriToJson(created.value) }) : created
    },
  }),
  route({
    method: 'GET',
    path: `${urisPath}/:id`,
    guard: 'key',
    tag,
    summary: 'One callback URI',
    params: wire.callbackUriParams,
    data: wire.callbackUriData,
    async handle({ principal, params, operations }) {
      const shown = await operations.showCallbackUri(callerOf(principal).appId, params.id)
      return shown.ok ? success({ data: wire.callbackUriToJson(shown.value) }) : shown
    },
  }),
  route({
    method: 'PATCH',
    path: `${urisPath}/:id`,
    guard: 'key',
    tag,
    summary: 'Change a callback URI',
    params: wire.callbackUriParams,
    body: wire.callbackUriChangeBody,
    data: wire.callbackUriData,
    async handle({ principal, params, body, operations }) {
      const changed = await operations.changeCallbackUri(callerOf(principal), params.id, (before) =>
        wire.readCallbackUri(body, before),
      )
      return changed.ok ? success({ data: wire.callbackUriToJson(changed.value) }) : changed
    },
  }),
  route({
    method: 'DELETE',
    path: `${urisPath}/:id`,
    guard: 'key',
    tag,
    summary: 'Forbid a callback URI',
    params: wire.callbackUriParams,
    async handle({ principal, params, operations }) {
      const deleted = await operations.deleteCallbackUri(callerOf(principal), params.id)
      return deleted.ok ? success({}) : deleted
    },
  }),
]
