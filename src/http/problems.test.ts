import { describe, expect, it } from 'vitest'

import { invalidRequest, slotTaken } from '../core/problem.ts'
import { errorAnswer, isOAuthPath, oauthAnswer } from './problems.ts'

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

  it('is told in words of OAuth on its paths only, and there as 400', () => {
    expect(isOAuthPath('/v3/connect/token?x')).toBe(true)
    expect(isOAuthPath('/v3/connect/custom')).toBe(false)
    expect(isOAuthPath('/v3/connect/tokens')).toBe(false)
    expect(oauthAnswer({ kind: 'unauthorized', message: 'No' }, '/v3/connect/token')).toEqual({
      status: 400,
      body: { error: 'invalid_client', error_description: 'No', error_uri: '', error_code: 400 },
    })
    expect(oauthAnswer(invalidRequest('is required', 'code'), '/v3/connect/token').body.error_description).toBe(
      'Missing required parameter: code',
    )
    expect(oauthAnswer({ kind: 'unavailable', message: 'Later' }, '/v3/connect/token').status).toBe(503)
  })
})
