// The API in its own words: OpenAPI 3.1 from the schemas that the routes use, and a page to try it.
import { createHash } from 'node:crypto'

import fastifySwagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'

import { optionalBody } from './describeRoute.ts'

const description =
  'A booking server on the wire of the Nylas v3 Scheduler API. Times are Unix seconds; zones are IANA names. ' +
  'Send `Idempotency-Key` with every booking write, of at most 256 characters; other requests remember none. ' +
  'Send `Prefer: conflict-status=409` to get 409 instead of 400 when a slot is gone.'

/** Must run before the routes are added. Serves `/openapi.json` and `/docs`. */
export async function describeApi(server: FastifyInstance, baseUrl: string): Promise<void> {
  await server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'OpenSlot', version: '3', license: { name: 'MIT', identifier: 'MIT' }, description },
      servers: [{ url: baseUrl }],
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: the whole application' },
          accessToken: { type: 'http', scheme: 'bearer', description: 'An access token: one grant' },
          session: {
            type: 'http',
            scheme: 'bearer',
            description: 'A scheduler session: one configuration, for minutes',
          },
          bookingReference: {
            type: 'http',
            scheme: 'bearer',
            description: 'The `booking_ref` of a booking: that booking, and the configuration it was made with',
          },
        },
      },
    },
  })
  // Nothing changes once the routes stand, so the text is made once, at the first question.
  let text: string | undefined
  server.get('/openapi.json', { schema: { hide: true } as object }, async (_request, reply) => {
    text ??= JSON.stringify(withOptionalBodies(server.swagger()))
    return reply.type('application/json; charset=utf-8').send(text)
  })
  for (const path of ['/docs', '/docs/*'])
    server.get(path, { schema: { hide: true } as object }, async (request, reply) => {
      referencePage ??= openReferencePage()
      const page = await (await referencePage).inject({ method: 'GET', url: request.url })
      if (page.statusCode === 404) return reply.callNotFound()
      reply.code(page.statusCode)
      for (const name of ['content-type', 'location'] as const) {
        const value = page.headers[name]
        if (value !== undefined) reply.header(name, value)
      }
      if (request.url.startsWith('/docs/js/')) reply.header('cache-control', 'public, max-age=3600')
      else reply.header('content-security-policy', policyFor(page.body))
      return reply.send(page.rawPayload)
    })
}

/** The generator takes every body for required; `describeRoute` marks those that are not. */
function withOptionalBodies(document: object): object {
  const { paths = {} } = document as { readonly paths?: Readonly<Record<string, Readonly<Record<string, object>>>> }
  for (const operation of Object.values(paths).flatMap(Object.values)) {
    const { requestBody } = operation as { readonly requestBody?: { required?: boolean } }
    if (optionalBody in operation && requestBody !== undefined) requestBody.required = false
    delete (operation as { [optionalBody]?: true })[optionalBody]
  }
  return document
}

/** The page and its script are 20 MB in memory, so they are loaded when somebody first looks. */
let referencePage: Promise<FastifyInstance> | undefined

async function openReferencePage(): Promise<FastifyInstance> {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const page = fastify()
  await page.register(scalar, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      title: 'OpenSlot API',
      pageTitle: 'OpenSlot API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      // Calls go from the page to this server and nowhere else.
      proxyUrl: '',
      agent: { disabled: true },
      mcp: { disabled: true },
      showDeveloperTools: 'never',
    } as object,
  })
  return page
}

/**
 * Lets the page run its own scripts, each inline one by its hash, and talk to this server only.
 * The reference page writes style elements as it goes, so styles may be inline; styles cannot call anyone.
 */
function policyFor(page: string): string {
  const hashes = [...page.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  )
  return [
    "default-src 'none'",
    ["script-src 'self'", ...hashes].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
