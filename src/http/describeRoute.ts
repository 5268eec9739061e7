// One line of the route table as the API's description has it: who may call, what is asked, and every kind of answer.
import { isOAuthPath } from './problems.ts'
import type { Guard, Route } from './route.ts'

/** Marks an operation whose body may be left out. */
export const optionalBody = 'x-optional-body'

const securityOf: Readonly<Record<Guard, readonly object[]>> = {
  key: [{ apiKey: [] }],
  grant: [{ apiKey: [] }, { accessToken: [] }],
  keyOrToken: [{ apiKey: [] }, { accessToken: [] }],
  token: [{ accessToken: [] }],
  scheduler: [{ session: [] }, { bookingReference: [] }, { apiKey: [] }, {}],
  public: [{}],
}

const bookings = '/v3/scheduling/bookings'
const sessions = '/v3/scheduling/sessions'

/** The schemas of a route in the form that the API description is generated from. */
export function describeRoute(route: Route): object {
  const { body } = route
  return {
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: securityOf[route.callers ?? route.guard],
    ...(route.params === undefined ? {} : { params: route.params }),
    ...(route.query === undefined ? {} : { querystring: route.query }),
    ...(body === undefined ? {} : { body }),
    ...(body !== undefined && '~optional' in body ? { [optionalBody]: true } : {}),
    ...(route.takesForms ? { consumes: ['application/json', 'application/x-www-form-urlencoded'] } : {}),
    ...(isBookingWrite(route) ? { headers: bookingHeaders } : {}),
    response: {
      ...(route.isServed === false ? {} : { [route.status ?? 200]: successOf(route) }),
      ...refusalsOf(route),
    },
  }
}

function successOf(route: Route): object {
  const { data } = route
  const envelope = {
    type: 'object',
    required: ['request_id', ...(data === undefined || '~optional' in data ? [] : ['data'])],
    properties: {
      request_id: { type: 'string' },
      ...(data === undefined ? {} : { data }),
      ...(route.isList ? { next_cursor: { type: ['string', 'null'] } } : {}),
      ...route.beside,
    },
  }
  return { description: 'Done', ...(route.bare ?? envelope) }
}

function isBookingWrite({ method, path }: Route): boolean {
  return method !== 'GET' && (path === bookings || path === `${bookings}/:booking_id`)
}

const bookingHeaders = {
  type: 'object',
  properties: {
    'Idempotency-Key': {
      type: 'string',
      maxLength: 256,
      description: 'Makes a repeat safe: the same key with the same body gets the first answer again',
    },
    Prefer: {
      type: 'string',
      description:
        '`conflict-status=409`: a time that is gone, or a booking that changed meanwhile, answers 409, not 400',
    },
  },
}

/** By status, each with the shape of its body; `4xx` and `5xx` stand for the rest. */
function refusalsOf(route: Route): object {
  const shape = isOAuthPath(route.path) ? oauthErrorSchema : errorSchema
  const asksCalendars = /\/scheduling\/(availability|bookings|ui-settings)|\/calendars\/(availability|free-busy)/.test(
    route.path,
  )
  const isGuarded = route.guard !== 'public'
  return {
    400: { ...shape, description: 'The request cannot be right as it is' },
    ...(isGuarded ? { 401: { ...shape, description: 'No credential that is good here' } } : {}),
    ...(namesObject(route) ? { 404: { ...shape, description: 'There is no such object for this caller' } } : {}),
    429: { ...shape, description: 'Too often; `Retry-After` says when to come again' },
    '4xx': { ...shape, description: 'Refused' },
    503: { ...shape, description: 'Not possible for the moment; `Retry-After` says when to try again' },
    ...(asksCalendars
      ? { 504: { ...shape, description: 'A calendar that is needed cannot be read; `provider_error` says why' } }
      : {}),
    '5xx': { ...shape, description: 'Failed' },
  }
}

/** A part of the path, or the configuration that a scheduler call means. */
function namesObject({ path, params, guard }: Route): boolean {
  return guard === 'scheduler' || path === sessions || (params !== undefined && !isOAuthPath(path))
}

const errorSchema = {
  type: 'object',
  required: ['request_id', 'error'],
  properties: {
    request_id: { type: 'string' },
    error: {
      type: 'object',
      required: ['type', 'message'],
      properties: {
        type: { type: 'string' },
        message: { type: 'string' },
        challenge: { type: 'object', description: 'With status 428: what is to be solved first' },
        provider_error: {
          type: 'object',
          properties: {
            code: { type: 'string' },
            message: { type: 'string' },
            error: { type: 'object', properties: { message: { type: 'string' } } },
          },
        },
      },
    },
  },
}

const oauthErrorSchema = {
  type: 'object',
  required: ['error', 'error_description', 'error_uri', 'error_code'],
  properties: {
    error: { type: 'string' },
    error_description: { type: 'string' },
    error_uri: { type: 'string' },
    error_code: { type: 'integer' },
  },
}
