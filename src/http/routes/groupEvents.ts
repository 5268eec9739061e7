// Group events: the doors that the wire has for them, none of which opens yet.
import Type from 'typebox'

import { invalidRequest } from '../../core/problem.ts'
import { failure } from '../../core/result.ts'
import { type Guard, type Method, type Route, route } from '../route.ts'

const ofGrant = '/v3/grants/:grant_id/scheduling/configurations/:configuration_id'
const ofScheduler = '/v3/scheduling/configurations/:configuration_id'

/** They answer a clear 400, where a 404 would send the caller looking for a wrong id. */
export const groupEventRoutes: readonly Route[] = [
  notServed('GET', `${ofGrant}/group-events`, 'grant', 'List group events'),
  notServed('POST', `${ofGrant}/group-events`, 'grant', 'Make a group event'),
  notServed('PUT', `${ofGrant}/group-events/:event_id`, 'grant', 'Change a group event'),
  notServed('PATCH', `${ofGrant}/group-events/:event_id`, 'grant', 'Change a group event'),
  notServed('DELETE', `${ofGrant}/group-events/:event_id`, 'grant', 'Delete a group event'),
  // The editor asks on the path of its grant, others with a key on the other one.
  notServed('POST', `${ofGrant}/import-group-events`, 'grant', 'Import group events'),
  notServed('POST', `${ofScheduler}/import-group-events`, 'key', 'Import group events'),
  // A guest's page asks before it books.
  notServed('POST', `${ofScheduler}/group-events/validate-timeslot`, 'scheduler', 'Is a group event as shown?'),
]

function notServed(method: Method, path: string, guard: Guard, summary: string): Route {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  return route({
    method,
    path,
    guard,
    tag: 'Group events',
    summary: `${summary} (not yet)`,
    isServed: false,
    params: Type.Object(Object.fromEntries(names.map((name) => [name, Type.String()]))),
    handle: async () => failure(invalidRequest('group events are not served yet')),
  })
}
