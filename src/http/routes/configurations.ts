// `/v3/grants/{grant_id}/scheduling/configurations`: what can be booked.
import Type from 'typebox'

import type { ConfigurationId } from '../../core/ids.ts'
import { success } from '../../core/result.ts'
import { fromUnixSeconds } from '../../core/time/instant.ts'
import { bookingListItem } from '../../wire/bookings.ts'
import { configurationBody, configurationChangeBody, configurationData } from '../../wire/configurations.ts'
import { unixSeconds, whole } from '../../wire/whole.ts'
import { configurationBodyLimitBytes } from '../limits.ts'
import { type Route, route } from '../route.ts'

const base = '/v3/grants/:grant_id/scheduling'
const tag = 'Configurations'
const grantParams = Type.Object({ grant_id: Type.String() })
const params = Type.Object({ grant_id: Type.String(), configuration_id: Type.String() })
const page = {
  limit: Type.Optional(whole({ minimum: 1, maximum: 200 })),
  page_token: Type.Optional(Type.String({ maxLength: 1024 })),
}

export const configurationRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: `${base}/configurations`,
    guard: 'grant',
    tag,
    summary: 'Make a configuration',
    params: grantParams,
    body: configurationBody,
    bodyLimit: configurationBodyLimitBytes,
    data: configurationData,
    handle: async ({ operations, principal, grant, body }) => {
      const made = await operations.createConfiguration(principal, grant, body)
      return made.ok ? success({ data: made.value }) : made
    },
  }),
  route({
    method: 'GET',
    path: `${base}/configurations`,
    guard: 'grant',
    tag,
    summary: 'List configurations',
    params: grantParams,
    query: Type.Object(page),
    data: Type.Array(configurationData),
    isList: true,
    handle: async ({ operations, grant, query }) => {
      const listed = await operations.readConfigurations(grant, {
        limit: query.limit ?? 50,
        after: query.page_token || undefined,
      })
      return listed.ok ? success({ data: listed.value.configurations, nextCursor: listed.value.nextCursor }) : listed
    },
  }),
  route({
    method: 'GET',
    path: `${base}/configurations/:configuration_id`,
    guard: 'grant',
    tag,
    summary: 'Read a configuration',
    params,
    data: configurationData,
    handle: async ({ operations, grant, params: { configuration_id } }) => {
      const found = await operations.readConfigurationDocument(grant, configuration_id)
      return found.ok ? success({ data: found.value }) : found
    },
  }),
  ...(['PUT', 'PATCH'] as const).map((method) =>
    route({
      method,
      path: `${base}/configurations/:configuration_id`,
      guard: 'grant',
      tag,
      summary: 'Change a configuration',
      description:
        'Members left out keep their value; members present replace theirs whole. PUT and PATCH are the same.',
      params,
      body: configurationChangeBody,
      bodyLimit: configurationBodyLimitBytes,
      data: configurationData,
      handle: async ({ operations, principal, grant, params: { configuration_id }, body }) => {
        const changed = await operations.changeConfiguration(principal, grant, configuration_id, body)
        return changed.ok ? success({ data: changed.value }) : changed
      },
    }),
  ),
  route({
    method: 'DELETE',
    path: `${base}/configurations/:configuration_id`,
    guard: 'grant',
    tag,
    summary: 'Delete a configuration',
    description: 'Refused while sessions for it are active. Its bookings stay and can still be cancelled.',
    params,
    handle: async ({ operations, principal, grant, params: { configuration_id } }) => {
      const deleted = await operations.deleteConfiguration(principal, grant, configuration_id)
      return deleted.ok ? success({}) : deleted
    },
  }),
  route({
    method: 'GET',
    path: `${base}/bookings`,
    guard: 'grant',
    tag: 'Bookings',
    summary: 'List the bookings of a grant',
    description:
      'Beyond the wire, for the key holder: times, guest, calendar, event and both references, newest first.',
    params: grantParams,
    query: Type.Object({
      ...page,
      configuration_id: Type.Optional(
        Type.String({
          format: 'uuid',
          pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
          errorMessage: 'must be a UUID',
        }),
      ),
      status: Type.Optional(Type.Enum(['booked', 'pending', 'cancelled'])),
      start: Type.Optional(unixSeconds('Bookings that end after this')),
      end: Type.Optional(unixSeconds('Bookings that start before this')),
      guest_email: Type.Optional(Type.String({ maxLength: 320 })),
      event_id: Type.Optional(Type.String({ maxLength: 1024 })),
    }),
    data: Type.Array(bookingListItem),
    isList: true,
    handle: async ({ operations, grant, query }) => {
      const { configuration_id, status, start, end, guest_email, event_id } = query
      const listed = await operations.readBookings(grant, {
        limit: query.limit ?? 50,
        after: query.page_token || undefined,
        configurationId: configuration_id as ConfigurationId | undefined,
        status: status as 'booked' | 'pending' | 'cancelled' | undefined,
        guestEmail: guest_email,
        eventId: event_id,
        ...(start === undefined && end === undefined
          ? {}
          : { span: { start: fromUnixSeconds(start ?? 0), end: fromUnixSeconds(end ?? 253_402_300_799) } }),
      })
      return listed.ok ? success({ data: listed.value.bookings, nextCursor: listed.value.nextCursor }) : listed
    },
  }),
]
