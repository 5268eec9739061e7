import fastify from 'fastify'
import { afterAll, describe, expect, it } from 'vitest'

import { answerThrown } from './answers.ts'

const server = fastify()
server.setErrorHandler((error, request, reply) => answerThrown(error as Error, request, reply))
server.get('/*', () => {
  throw new Error('a secret of the inside')
})
afterAll(() => server.close())

describe('what was thrown', () => {
  it.each(['/v3/connect/token', '/v3/connect/revoke?token=x', '/v3/connect/tokeninfo'])(
    'is told at %s in the words of OAuth, which its callers read',
    async (url) => {
      const reply = await server.inject({ method: 'GET', url })
      expect([reply.statusCode, reply.json()]).toEqual([
        500,
        {
          error: 'server_error',
          error_description: 'Internal error, contact administrator.',
          error_uri: '',
          error_code: 500,
        },
      ])
    },
  )

  it.each([
    ['/v3/connect/custom', 'api.internal_error'],
    ['/v3/scheduling/bookings', 'internal_error'],
  ])('is told at %s in the envelope, as %s', async (url, type) => {
    const reply = await server.inject({ method: 'GET', url })
    expect([reply.statusCode, reply.json()]).toEqual([
      500,
      {
        request_id: expect.any(String),
        error: { type, message: 'Internal error, contact administrator.' },
      },
    ])
  })
})
