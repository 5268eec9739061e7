// The door that requests open: limits and headers for all of them, then the route table.
import { randomUUID } from 'node:crypto'

import fastifyCors from '@fastify/cors'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, LogController } from 'fastify'

import { invalidRequest, notFound } from '../core/problem.ts'
import { addRoute, type RouteOptions } from './addRoute.ts'
import { answerBrokenRequest, answerProblem, answerThrown } from './answers.ts'
import { acceptBodies } from './bodies.ts'
import { trustOf } from './clientAddress.ts'
import { compressAnswers } from './compression.ts'
import { describeApi } from './describe.ts'
import { corsOptions, layHeaders, securityHeaders } from './headers.ts'
import { bodyLimitBytes, headerLimitBytes, type TimeLimits, timeLimits, urlLimitBytes } from './limits.ts'
import { type PagesOptions, servePages, wantsPage } from './pages/pages.ts'
import { isOAuthPath } from './problems.ts'
import { routes } from './routes/routes.ts'

export type ServerOptions = Omit<RouteOptions, 'handlerLimitMs'> &
  Pick<PagesOptions, 'pagesFolder' | 'now'> & {
    readonly logger: FastifyBaseLogger
    readonly trustedProxies: readonly string[]
    readonly baseUrl: string
    /** Shorter ones, so that tests need not wait. */
    readonly timeLimits?: Partial<TimeLimits>
  }

/** A server with every route of the table, not yet listening. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { baseUrl, trustedProxies } = options
  const times = { ...timeLimits, ...options.timeLimits }
  const server = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    trustProxy: trustedProxies.length === 0 ? false : trustOf(trustedProxies),
    bodyLimit: bodyLimitBytes,
    requestTimeout: times.requestMs,
    keepAliveTimeout: times.keepAliveMs,
    maxRequestsPerSocket: 1_000,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    http: {
      headersTimeout: times.headersMs,
      connectionsCheckingInterval: times.checkEveryMs,
      maxHeaderSize: headerLimitBytes,
      // `refuseUnread` does, in the envelope.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: 1_024, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => {
      const early = reply as FastifyReply
      layHeaders(early, baseUrl)
      early.header('x-request-id', request.id)
      return answerThrown(error, request, early)
    },
    clientErrorHandler: answerBrokenRequest,
  })
  server.decorateRequest('grant', undefined)
  server.decorateRequest('startedAt', 0)
  server.decorateRequest('principal')
  const headers = securityHeaders(baseUrl)
  let isClosing = false
  server.addHook('preClose', async () => {
    isClosing = true
  })
  // Otherwise the connection of a request that was in flight would be kept alive, and the stop wait for it.
  server.addHook('onSend', (_, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close')
    done(null, payload)
  })
  server.addHook('onRequest', async (request, reply) => {
    request.startedAt = performance.now()
    reply.headers(headers).header('x-request-id', request.id)
  })
  await server.register(fastifyCors, {
    hook: 'onRequest',
    delegator: (request, done) => done(null, corsOptions(request.url ?? '')),
  })
  compressAnswers(server)
  refuseUnread(server)
  logAnswers(server)
  acceptBodies(server)
  server.setErrorHandler((error, request, reply) => answerThrown(error as Error, request, reply))

  await describeApi(server, baseUrl)
  for (const route of routes) addRoute(server, route, { ...options, handlerLimitMs: times.handlerMs })
  const showMissing = servePages(server, options)
  server.setNotFoundHandler((request, reply) =>
    wantsPage(request)
      ? showMissing(request, reply)
      : answerProblem(request, reply, isOAuthPath(request.url) ? noSuchMethod : notFound),
  )
  return server
}

/** OAuth has no word for a path that is there and a method that is not; its word for what is missing blames the grant. */
const noSuchMethod = invalidRequest('there is no such method here')

/** What is wrong whatever the route, before any body is read. */
function refuseUnread(server: FastifyInstance): void {
  // RFC 9110 §10.1.1 lets a server pass over what it does not know; Node would answer without a body.
  server.server.on('checkExpectation', (request, response) => server.server.emit('request', request, response))
  server.addHook('onRequest', async (request, reply) => {
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
      return answerProblem(request, reply, invalidRequest('the Host header is required'))
    if (request.url.length > urlLimitBytes)
      return answerProblem(request, reply, {
        kind: 'payloadTooLarge',
        message: `the URL is longer than ${urlLimitBytes} bytes`,
      })
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
      return answerProblem(request, reply, {
        kind: 'unsupportedMediaType',
        message: 'Content-Encoding is not accepted; send the body as it is',
      })
  })
}

/**
 * One line for each answer; the request's own logger adds its id.
 * The route's pattern stands for the path, whose ids and queries may be secrets.
 */
function logAnswers(server: FastifyInstance): void {
  server.addHook('onResponse', async (request, reply) => {
    const line = {
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round((performance.now() - request.startedAt) * 10) / 10,
    }
    if (reply.statusCode >= 500) request.log.warn(line, 'answered')
    else request.log.info(line, 'answered')
  })
}
