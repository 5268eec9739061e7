// How an answer leaves: successes in their envelope, problems and what was thrown as `{request_id, error}`.
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { invalidRequest, type Problem } from '../core/problem.ts'
import { RefusedBody } from './bodies.ts'
import { inDialectOf } from './dialects.ts'
import { replayHeaders } from './idempotencyKey.ts'
import { errorAnswer, isOAuthPath, oauthAnswer, oauthBody } from './problems.ts'
import type { Answer } from './route.ts'

// An `import` of node:http reads everything that it offers, and with that loads the platform's own fetch: 7 MB for a table.
const { STATUS_CODES } = process.getBuiltinModule('node:http')
const json = 'application/json; charset=utf-8'

/** The body of a success as JSON text. `requestId` is a UUID of ours, so it can stand in the text. */
export function successBody(requestId: string, answer: Answer): string {
  if (answer.bare !== undefined) return JSON.stringify(answer.bare)
  const data = member('data', answer.dataJson ?? stringify(answer.data))
  return `{"request_id":"${requestId}"${data}${member('next_cursor', stringify(answer.nextCursor))}${inner(answer.beside)}}`
}

function stringify(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}

function member(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":${text}`
}

function inner(members: object | undefined): string {
  return members === undefined ? '' : `,${JSON.stringify(members).slice(1, -1)}`
}

export function answerJson(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type(json).send(body)
}

/** In the shape that the path's callers read. */
export function answerProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const wants409 = /(^|[,;\s])conflict-status=409([,;\s]|$)/.test(String(request.headers.prefer ?? ''))
  const { status, body } = isOAuthPath(request.url)
    ? oauthAnswer(problem, request.url)
    : errorAt(request.url, problem, request.id, wants409 ? 409 : 400)
  if (problem.isReplay) reply.headers(replayHeaders)
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds))
  return answerJson(reply, status, JSON.stringify(body))
}

function errorAt(url: string, ...told: Parameters<typeof errorAnswer>): ReturnType<typeof errorAnswer> {
  const { status, body } = errorAnswer(...told)
  return { status, body: { ...body, error: { ...body.error, ...inDialectOf(url, body.error) } } }
}

/** What was thrown is either the framework's word on a malformed request, or a bug: logged once, answered 500. */
export function answerThrown(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof RefusedBody) return answerProblem(request, reply, error.problem)
  const status = (error as { statusCode?: number }).statusCode ?? 500
  if (status === 413)
    return answerProblem(request, reply, { kind: 'payloadTooLarge', message: 'the request body is too large' })
  if (status === 415)
    return answerProblem(request, reply, {
      kind: 'unsupportedMediaType',
      message: 'send the body as application/json',
    })
  if (status >= 400 && status < 500) return answerProblem(request, reply, invalidRequest(complaint(error)))
  request.log.error({ err: error }, 'failed')
  const message = 'Internal error, contact administrator.'
  if (isOAuthPath(request.url)) return answerJson(reply, 500, JSON.stringify(oauthBody('server_error', message, 500)))
  const said = inDialectOf(request.url, { type: 'internal_error', message })
  return answerJson(reply, 500, JSON.stringify({ request_id: request.id, error: said }))
}

function complaint({ code }: Error & { code?: string }): string {
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return 'a part of the path is longer than any id'
  return code === 'FST_ERR_BAD_URL' ? 'the path is not a valid URL' : 'error parsing request body'
}

/** Requests so broken that no route sees them: bad header syntax, too slow, too large. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const status = brokenStatuses[error.code ?? ''] ?? 400
  const requestId = randomUUID()
  const body = JSON.stringify({
    request_id: requestId,
    error: { type: 'invalid_request_error', message: STATUS_CODES[status] },
  })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${json}`,
    `Content-Length: ${body.length}`,
    `X-Request-Id: ${requestId}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const brokenStatuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}
