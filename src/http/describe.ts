// The API in its own words: OpenAPI 3.1 from the schemas that the routes use, and a page to try it.
import fastifySwagger from '@fastify/swagger'
import scalar from '@scalar/fastify-api-reference'
import type { FastifyInstance } from 'fastify'

/** Must run before the routes are added. Serves `/openapi.json` and `/docs`. */
export async function describeApi(server: FastifyInstance, baseUrl: string): Promise<void> {
  await server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'OpenSlot',
        version: '3',
        license: { name: 'MIT', identifier: 'MIT' },
        description:
          'A booking server on the wire of the Nylas v3 Scheduler API. Times are Unix seconds; zones are IANA names. ' +
          'Send `Idempotency-Key` with every booking write, and `Prefer: conflict-status=409` to get 409 instead of 400 when a slot is gone.',
      },
      servers: [{ url: baseUrl }],
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: the whole application' },
          accessToken: { type: 'http', scheme: 'bearer', description: 'An access token: one grant' },
          session: { type: 'http', scheme: 'bearer', description: 'A scheduler session: one configuration, for minutes' },
        },
      },
    },
  })
  server.get('/openapi.json', { schema: { hide: true } as object }, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(JSON.stringify(server.swagger())),
  )
  await server.register(scalar, {
    routePrefix: '/docs',
    configuration: { url: '/openapi.json', title: 'OpenSlot API', withDefaultFonts: false, telemetry: false, hideClientButton: true },
  })
}
