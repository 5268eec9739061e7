// Which bodies are read: JSON, forms for the OAuth routes, and nothing at all.
import type { FastifyInstance } from 'fastify'

/** The components send a JSON content type on every call, so an empty body is no body and not bad JSON. */
export function acceptBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  const parseJson = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') done(null, undefined)
    else void parseJson(request, text as string, done)
  })
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, text, done) => {
    if (request.url.startsWith('/v3/connect/')) done(null, Object.fromEntries(new URLSearchParams(text as string)))
    else done(Object.assign(new Error('send JSON'), { statusCode: 415 }))
  })
}
