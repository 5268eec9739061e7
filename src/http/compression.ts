// Answers as gzip for those who accept it. Of our own, because the plugin for it asks each answer whether it is one of the
// platform's fetch, and with that loads it: 12 MB in every process, the plugin among them.
import { gzip } from 'node:zlib'

import { negotiate } from '@fastify/accept-negotiator'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Shorter ones gain nothing. Characters. */
const threshold = 200

/** Without the header anything may be sent; plain is what everyone reads (RFC 9110 §12.5.3). */
export function accepts(request: FastifyRequest, encoding: string): boolean {
  const accepted = request.headers['accept-encoding']
  // As text: the header may be repeated.
  return accepted !== undefined && negotiate(String(accepted).toLowerCase(), [encoding, 'identity']) === encoding
}

/** Texts only: what is sent as bytes was compressed when it was built, or cannot be. */
export function compressAnswers(server: FastifyInstance): void {
  server.addHook('onSend', (request, reply, payload: unknown, done) => {
    if (typeof payload !== 'string' || payload.length < threshold || reply.hasHeader('content-encoding'))
      return done(null, payload)
    reply.header('vary', withAcceptEncoding(reply.getHeader('vary')))
    if (!accepts(request, 'gzip')) return done(null, payload)
    reply.header('content-encoding', 'gzip').removeHeader('content-length')
    gzip(payload, done)
  })
}

/** A cache must not give one reader what another accepts (RFC 9110 §12.5.5). */
function withAcceptEncoding(vary: unknown): string {
  const names = (vary === undefined ? [] : [vary].flat()).join(', ')
  if (names === '*' || /(^|,)\s*accept-encoding\s*(,|$)/i.test(names)) return names
  return names === '' ? 'accept-encoding' : `${names}, accept-encoding`
}
