// The door that requests open: ids, limits, who is asking, the route table, and problems turned into answers.
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'

import fastifyCompress from '@fastify/compress'
import fastifyCors from '@fastify/cors'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'

import type { Grant } from '../core/account/grant.ts'
import type { Principal } from '../core/account/principal.ts'
import { invalidRequest, notFound, type Problem } from '../core/problem.ts'
import type { Operations } from '../operations/operations.ts'
import { admit, grantOf } from './auth.ts'
import { describeApi } from './describe.ts'
import { bodyLimitBytes, findExcess, urlLimitBytes } from './limits.ts'
import { errorAnswer, isOAuthPath, oauthAnswer } from './problems.ts'
import type { Limiter } from './rateLimit.ts'
import type { Answer, Route } from './route.ts'
import { routes } from './routes/routes.ts'
import { compileCheck } from './validation.ts'

export type ServerOptions = {
  readonly operations: Operations
  readonly logger: FastifyBaseLogger
  readonly limiter: Limiter
  readonly trustedProxies: readonly string[]
  readonly baseUrl: string
  /** Sees every success of a documented route; tests check it against the schemas and the vendor's contract. */
  readonly onAnswer?: (route: Route, status: number, body: unknown) => void
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal
    grant: Grant | undefined
    startedAt: number
  }
}

/** A server with every route of the table, not yet listening. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const server = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    bodyLimit: bodyLimitBytes,
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
    maxRequestsPerSocket: 1_000,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 5_000, maxHeaderSize: 16 * 1024 },
    routerOptions: { maxParamLength: 1_024, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => answerThrown(error, request, reply as FastifyReply),
    clientErrorHandler: answerBrokenRequest,
  })
  server.decorateRequest('grant', undefined)
  server.decorateRequest('startedAt', 0)
  server.decorateRequest('principal')
  server.addHook('onRequest', async (request, reply) => {
    request.startedAt = performance.now()
    reply.header('x-request-id', request.id)
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
    reply.header('cache-control', 'no-store')
    if (options.baseUrl.startsWith('https:')) reply.header('strict-transport-security', 'max-age=31536000')
  })
  // What browsers call: the scheduler's routes, and what the editor calls for the grant of its access token.
  await server.register(fastifyCors, {
    hook: 'onRequest',
    delegator: (request, done) => done(null, corsOptions(request.url ?? '')),
  })
  await server.register(fastifyCompress, { global: true, threshold: 200, encodings: ['gzip', 'identity'] })
  server.addHook('onRequest', async (request, reply) => {
    if (request.url.length > urlLimitBytes) {
      return answerProblem(request, reply, { kind: 'payloadTooLarge', message: `the URL is longer than ${urlLimitBytes} bytes` })
    }
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity')
      return answerProblem(request, reply, { kind: 'unsupportedMediaType', message: 'Content-Encoding is not accepted; send the body as it is' })
  })
  server.addHook('onResponse', async (request, reply) => {
    const line = {
      reqId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round((performance.now() - request.startedAt) * 10) / 10,
    }
    if (reply.statusCode >= 500) request.log.warn(line, 'answered')
    else request.log.info(line, 'answered')
  })
  acceptBodies(server)
  server.setErrorHandler((error, request, reply) => answerThrown(error as Error, request, reply))
  server.setNotFoundHandler((request, reply) => answerProblem(request, reply, notFound))

  await describeApi(server, options.baseUrl)
  for (const route of routes) addRoute(server, route, options)
  return server
}

function corsOptions(url: string) {
  const isForBrowsers = /^\/v3\/(scheduling\/|grants\/me(\/|$|\?)|connect\/token)/.test(url)
  return isForBrowsers
    ? { origin: '*', methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], exposedHeaders: ['x-request-id', 'retry-after'], maxAge: 600, strictPreflight: false }
    : { origin: false, strictPreflight: false }
}

/** JSON, forms for the OAuth routes, and nothing at all: the components send a JSON content type on every call. */
function acceptBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  const parseJson = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') done(null, undefined)
    else parseJson(request, text as string, done)
  })
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, text, done) => {
    if (!request.url.startsWith('/v3/connect/')) {
      done(Object.assign(new Error('send JSON'), { statusCode: 415 }))
      return
    }
    done(null, Object.fromEntries(new URLSearchParams(text as string)))
  })
}

function addRoute(server: FastifyInstance, route: Route, options: ServerOptions): void {
  const { operations, limiter } = options
  const checks = (['params', 'query', 'body'] as const).map((part) => {
    const schema = route[part]
    return { part, check: schema === undefined ? undefined : compileCheck(schema, part) }
  })
  server.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.bodyLimit ?? bodyLimitBytes,
    schema: documented(route),
    validatorCompiler: () => () => true,
    serializerCompiler: () => (body) => JSON.stringify(body),
    onRequest: async (request, reply) => {
      const allowed = await limiter.beforeSignIn(request.ip)
      if (!allowed.ok) return answerProblem(request, reply, allowed.problem)
      const admitted = await admit(operations, route.guard, request.headers.authorization)
      if (!admitted.ok) {
        if (admitted.problem.kind === 'unauthorized' || admitted.problem.kind === 'invalidSession')
          await limiter.signInFailed(request.ip)
        return answerProblem(request, reply, admitted.problem)
      }
      request.principal = admitted.value
      const within = await limiter.beforeRoute(route, request.principal, request.ip)
      if (!within.ok) return answerProblem(request, reply, within.problem)
    },
    handler: async (request, reply) => {
      const parts = { params: request.params, query: request.query, body: request.body }
      for (const { part, check } of checks) {
        const value = parts[part]
        const problem =
          findExcess(value, part === 'body' ? '' : part) ??
          (part === 'body' && value === undefined && check !== undefined
            ? invalidRequest('error parsing request body: a JSON object is required')
            : check?.(value))
        if (problem !== undefined) return answerProblem(request, reply, problem)
      }
      if (route.guard === 'grant') {
        const grant = await grantOf(operations, request.principal, (request.params as { grant_id: string }).grant_id)
        if (!grant.ok) return answerProblem(request, reply, grant.problem)
        request.grant = grant.value
      }
      const limited = await limiter.beforeWork(route, request.principal, request.ip, request.body, request.query)
      if (!limited.ok) return answerProblem(request, reply, limited.problem)
      const result = await route.handle({
        ...parts,
        principal: request.principal,
        requestId: request.id,
        headers: request.headers,
        operations,
        grant: request.grant,
      } as never)
      if (!result.ok) return answerProblem(request, reply, result.problem)
      return answerSuccess(request, reply, route, result.value, options)
    },
  })
}

function answerSuccess(
  request: FastifyRequest,
  reply: FastifyReply,
  route: Route,
  answer: Answer,
  { onAnswer }: ServerOptions,
): FastifyReply {
  reply.code(route.status ?? 200).type('application/json; charset=utf-8')
  if (answer.headers !== undefined) reply.headers(answer.headers)
  // `request.id` is a UUID of ours, so it can stand in the text.
  const body =
    answer.bare === undefined
      ? `{"request_id":"${request.id}"${member('data', answer.dataJson ?? stringify(answer.data))}${member('next_cursor', answer.nextCursor === undefined ? undefined : JSON.stringify(answer.nextCursor))}${inner(answer.beside)}}`
      : JSON.stringify(answer.bare)
  onAnswer?.(route, reply.statusCode, JSON.parse(body))
  return reply.send(body)
}

function stringify(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}

function member(name: string, json: string | undefined): string {
  return json === undefined ? '' : `,"${name}":${json}`
}

function inner(members: object | undefined): string {
  return members === undefined ? '' : `,${JSON.stringify(members).slice(1, -1)}`
}

/** The schemas of a route in the form that the API description is generated from. */
function documented(route: Route): object {
  const envelope = {
    type: 'object',
    required: ['request_id'],
    properties: {
      request_id: { type: 'string' },
      ...(route.data === undefined ? {} : { data: route.data }),
      ...(route.isList ? { next_cursor: { type: ['string', 'null'] } } : {}),
      ...route.beside,
    },
  }
  return {
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: { key: [{ apiKey: [] }], grant: [{ apiKey: [] }, { accessToken: [] }], keyOrToken: [{ apiKey: [] }, { accessToken: [] }], token: [{ accessToken: [] }], scheduler: [{ session: [] }, {}], public: [{}] }[route.guard],
    ...(route.params === undefined ? {} : { params: route.params }),
    ...(route.query === undefined ? {} : { querystring: route.query }),
    ...(route.body === undefined ? {} : { body: route.body }),
    response: { [route.status ?? 200]: { description: 'Done', ...(route.bare ?? envelope) }, '4xx': { description: 'Refused', ...errorSchema } },
  }
}

const errorSchema = {
  type: 'object',
  required: ['request_id', 'error'],
  properties: {
    request_id: { type: 'string' },
    error: {
      type: 'object',
      required: ['type', 'message'],
      properties: { type: { type: 'string' }, message: { type: 'string' }, provider_error: { type: 'object' } },
    },
  },
}

function answerProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const wants409 = /(^|[,;\s])conflict-status=409([,;\s]|$)/.test(String(request.headers.prefer ?? ''))
  const { status, body } = isOAuthPath(request.url) ? oauthAnswer(problem, request.url) : errorAnswer(problem, request.id, wants409 ? 409 : 400)
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds))
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body))
}

/** What was thrown is either the framework's word on a malformed request, or a bug: logged once, answered 500. */
function answerThrown(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = (error as { statusCode?: number }).statusCode ?? 500
  if (status === 413) return answerProblem(request, reply, { kind: 'payloadTooLarge', message: 'the request body is too large' })
  if (status === 415)
    return answerProblem(request, reply, { kind: 'unsupportedMediaType', message: 'send the body as application/json' })
  if (status >= 400 && status < 500) return answerProblem(request, reply, invalidRequest('error parsing request body'))
  request.log.error({ reqId: request.id, err: error }, 'failed')
  const body = { request_id: request.id, error: { type: 'internal_error', message: 'Internal error; quote the request id to the operator.' } }
  return reply.code(500).type('application/json; charset=utf-8').send(JSON.stringify(body))
}

/** Requests so broken that no route sees them: bad header syntax, too slow, too large. */
function answerBrokenRequest(error: Error & { code?: string }, socket: import('node:net').Socket): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const body = JSON.stringify({ request_id: randomUUID(), error: { type: 'invalid_request_error', message: STATUS_CODES[status] } })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  )
}
