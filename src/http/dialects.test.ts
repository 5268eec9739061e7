import { describe, expect, it } from 'vitest'

import { inDialectOf } from './dialects.ts'

const missing = 'requested object not found'
const often = 'Too many requests, please try again shortly.'

describe('what is wrong', () => {
  it.each([
    ['/v3/applications/redirect-uris/x', 'not_found_error', missing, 'api.not_found_error', 'Resource not found.'],
    ['/v3/grants/x', 'not_found_error', missing, 'grant.not_found', 'Grant not found.'],
    ['/v3/grants/x/?select=id', 'not_found_error', missing, 'grant.not_found', 'Grant not found.'],
    ['/v3/grants', 'rate_limit_error', often, 'api.rate_limit_error', 'Rate limit error.'],
    ['/v3/connectors/google?limit=1', 'unauthorized', 'Unauthorized', 'api.authentication_error', 'Unauthorized'],
    ['/v3/connect/custom', 'invalid_request_error', 'provider: x', 'api.invalid_request_error', 'provider: x'],
    [
      '/v3/webhooks',
      'invalid_request_error',
      'error parsing request body',
      'api.invalid_request_payload',
      'Invalid JSON payload format.',
    ],
    ['/v3/grants/x?select=id', 'internal_error', 'Internal', 'api.internal_error', 'Internal'],
  ])('at %s, %s "%s" is called %s "%s"', (url, type, message, name, sentence) => {
    expect(inDialectOf(url, { type, message })).toEqual({ type: name, message: sentence })
  })

  it.each([
    ['/v3/webhooks/x', '70000', 'destination.id.not.found : record not found'],
    ['/v3/grants/x/events?calendar_id=y', 'not_found_error', missing],
    ['/v3/grants/x/events', 'invalid_request_error', 'error parsing request body'],
    ['/v3/calendars/availability', 'unauthorized', 'Unauthorized'],
    ['/v3/scheduling/bookings', 'rate_limit_error', often],
  ])('at %s, %s "%s" has no other name', (url, type, message) => {
    expect(inDialectOf(url, { type, message })).toEqual({ type, message })
  })
})
