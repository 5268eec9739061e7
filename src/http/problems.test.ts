import { describe, expect, it } from 'vitest'

import { invalidRequest, slotTaken } from '../core/problem.ts'
import { errorAnswer, isOAuthPath, oauthAnswer, typeAt } from './problems.ts'

describe('a problem', () => {
  it('puts its field before its sentence', () => {
    expect(errorAnswer(invalidRequest('is required', 'guest.email'), 'r', 400)).toEqual({
      status: 400,
      body: { request_id: 'r', error: { type: 'invalid_request_error', message: 'guest.email: is required' } },
    })
  })

  it('of a lost race is 400 for those who know no 409', () => {
    expect(errorAnswer(slotTaken, 'r', 400).status).toBe(400)
    expect(errorAnswer(slotTaken, 'r', 409).status).toBe(409)
    expect(errorAnswer(slotTaken, 'r', 409).body.error.type).toBe('timeslot_not_available')
  })

  it.each([
    ['/v3/applications', 'not_found_error', 'api.not_found_error'],
    ['/v3/connectors/google?limit=1', 'unauthorized', 'api.authentication_error'],
    ['/v3/connect/custom', 'invalid_request_error', 'api.invalid_request_error'],
    ['/v3/grants', 'rate_limit_error', 'api.rate_limit_error'],
    ['/v3/grants/x?select=id', 'internal_error', 'api.internal_error'],
    ['/v3/webhooks/x', '70000', '70000'],
    ['/v3/grants/x/events?calendar_id=y', 'not_found_error', 'not_found_error'],
    ['/v3/calendars/availability', 'unauthorized', 'unauthorized'],
    ['/v3/scheduling/bookings', 'timeslot_not_available', 'timeslot_not_available'],
  ])('at %s, %s is called %s', (url, type, name) => {
    expect(typeAt(url, type)).toBe(name)
  })

  it('is told in words of OAuth on its paths only, and there as 400', () => {
    expect(isOAuthPath('/v3/connect/token?x')).toBe(true)
    expect(isOAuthPath('/v3/connect/custom')).toBe(false)
    expect(isOAuthPath('/v3/connect/tokens')).toBe(false)
    expect(oauthAnswer({ kind: 'unauthorized', message: 'No' }, '/v3/connect/token')).toEqual({
      status: 400,
      body: { error: 'invalid_client', error_description: 'No', error_uri: '', error_code: 400 },
    })
    expect(oauthAnswer({ kind: 'unavailable', message: 'Later' }, '/v3/connect/token').status).toBe(503)
  })
})
