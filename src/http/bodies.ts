// Which bodies are read: JSON, forms for the OAuth routes, and nothing at all; in UTF-8 and nothing else.
import { isUtf8 } from 'node:buffer'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { invalidRequest, type Problem } from '../core/problem.ts'

/** Thrown at the framework, which takes no values; answered as the problem that it carries. */
export class RefusedBody extends Error {
  override readonly name = 'RefusedBody'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

type Done = (error: Error | null, body?: unknown) => void

/** The components send a JSON content type on every call, so an empty body is no body and not bad JSON. */
export function acceptBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  const parseJson = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    const problem = findEncodingProblem(request, bytes)
    if (problem !== undefined) done(new RefusedBody(problem))
    else if (bytes.length === 0) done(null, undefined)
    else void parseJson(request, bytes.toString(), done)
  })
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (request, bytes: Buffer, done) => readForm(request, bytes, done),
  )
}

function readForm(request: FastifyRequest, bytes: Buffer, done: Done): void {
  const problem = request.url.startsWith('/v3/connect/') ? findEncodingProblem(request, bytes) : notJson
  const text = bytes.toString()
  if (problem !== undefined) done(new RefusedBody(problem))
  else if (!isPercentUtf8(text)) done(new RefusedBody(invalidRequest('error parsing request body: it is not UTF-8')))
  else done(null, Object.fromEntries(new URLSearchParams(text)))
}

const notJson: Problem = { kind: 'unsupportedMediaType', message: 'send the body as application/json' }

/** Bytes of another encoding read as UTF-8 would lose their letters for good. */
function findEncodingProblem({ headers }: FastifyRequest, bytes: Buffer): Problem | undefined {
  const charset = /;\s*charset\s*=\s*["']?([^\s;"']+)/i.exec(headers['content-type'] ?? '')?.[1]
  // ASCII is UTF-8 already.
  if (charset !== undefined && !/^(utf-?8|us-ascii|ascii)$/i.test(charset))
    return { kind: 'unsupportedMediaType', message: 'send the body in UTF-8' }
  return isUtf8(bytes) ? undefined : invalidRequest('error parsing request body: it is not UTF-8')
}

/** Whether every `%` of a query or form begins the escape of a byte, and the bytes are UTF-8. */
export function isPercentUtf8(text: string): boolean {
  if (!text.includes('%')) return true
  try {
    decodeURIComponent(text)
    return true
  } catch (error) {
    if (error instanceof URIError) return false
    throw error
  }
}
