// One line of the route table at work: who is asking, what is asked, how often, and the answer within its time.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { Grant } from '../core/account/grant.ts'
import type { Principal } from '../core/account/principal.ts'
import { invalidRequest, type Problem, tookTooLong } from '../core/problem.ts'
import { failure, type Result } from '../core/result.ts'
import type { Operations } from '../operations/operations.ts'
import { readList, selected } from '../wire/common.ts'
import { answerJson, answerProblem, successBody } from './answers.ts'
import { admit, grantOf, isGuess } from './auth.ts'
import { isPercentUtf8 } from './bodies.ts'
import { isBooking } from './bookingLimits.ts'
import { clientAddress } from './clientAddress.ts'
import { describeRoute } from './describeRoute.ts'
import { findKeyProblem } from './idempotencyKey.ts'
import { bodyLimitBytes, findExcess } from './limits.ts'
import { findPageProblem } from './pageCheck.ts'
import type { ProofOfWork } from './proofOfWork.ts'
import type { Limiter } from './rateLimit.ts'
import type { Answer, Route } from './route.ts'
import { compileCheck } from './validation.ts'

/** A success of a documented route as it leaves; `isSelection` where only some of its data was asked for. */
export type Answered = {
  readonly route: Route
  readonly status: number
  readonly body: unknown
  readonly isSelection: boolean
}

export type RouteOptions = {
  readonly operations: Operations
  readonly limiter: Limiter
  readonly proofOfWork: ProofOfWork
  /** From the moment the whole request is here; milliseconds. */
  readonly handlerLimitMs: number
  /** Tests check what it sees against the schemas and the vendor's contract. */
  readonly onAnswer?: (answered: Answered) => void
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal
    grant: Grant | undefined
    startedAt: number
  }
}

export function addRoute(server: FastifyInstance, route: Route, options: RouteOptions): void {
  const { operations, limiter } = options
  const findProblem = compileChecks(route)
  const work = async (request: FastifyRequest): Promise<Result<Answer>> => {
    if (route.guard === 'grant') {
      const { grant_id } = request.params as { grant_id: string }
      const grant = await grantOf(operations, request.principal, grant_id)
      if (!grant.ok) return grant
      request.grant = grant.value
    }
    const { principal, params, query, body } = request
    const asked = { route, principal, address: principal.address ?? clientAddress(request), params, query, body }
    if (isBooking(route)) {
      const problem = await findPageProblem(options, asked)
      if (problem !== undefined) return failure(problem)
    }
    const limited = await limiter.beforeWork(asked)
    if (!limited.ok) return limited
    const result = await route.handle({
      params,
      query,
      body,
      principal,
      requestId: request.id,
      headers: request.headers,
      operations,
      grant: request.grant,
    } as never)
    if (result.ok) await limiter.afterWork(asked, result.value)
    else if (isWrongSecret(route, result.problem)) {
      const allowed = await limiter.signInFailed(clientAddress(request))
      if (!allowed.ok) return allowed
    }
    return result
  }
  server.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.bodyLimit ?? bodyLimitBytes,
    schema: describeRoute(route),
    // The checks are our own, made from the same schemas; answers are JSON text already.
    validatorCompiler: () => () => true,
    serializerCompiler: () => (body) => JSON.stringify(body),
    onRequest: (request, reply) => letIn(request, reply, route, options),
    handler: async (request, reply) => {
      const problem = findKeyProblem(request.headers) ?? findProblem(request)
      if (problem !== undefined) return answerProblem(request, reply, problem)
      const result = await within(options.handlerLimitMs, work(request))
      if (!result.ok) return answerProblem(request, reply, result.problem)
      const status = route.status ?? 200
      const answer = narrowed(result.value, request.query as { readonly select?: readonly string[] })
      const body = successBody(request.id, answer)
      options.onAnswer?.({ route, status, body: JSON.parse(body), isSelection: answer !== result.value })
      if (result.value.headers !== undefined) reply.headers(result.value.headers)
      return answerJson(reply, status, body)
    },
  })
}

function narrowed(answer: Answer, { select }: { readonly select?: readonly string[] }): Answer {
  const wanted = readList(select)
  if (wanted === undefined) return answer
  const data = answer.dataJson === undefined ? answer.data : JSON.parse(answer.dataJson)
  if (typeof data !== 'object' || data === null) return answer
  return { ...answer, dataJson: undefined, data: selected(data, wanted) }
}

/** The credential of a route without a guard stands in its query or body, so only its handler can refuse it. */
function isWrongSecret({ guard }: Route, { kind }: Problem): boolean {
  return guard === 'public' && kind === 'unauthorized'
}

/** Before any body is read. */
async function letIn(
  request: FastifyRequest,
  reply: FastifyReply,
  route: Route,
  { operations, limiter }: RouteOptions,
) {
  const { authorization } = request.headers
  const admitted = await admit(operations, route.guard, authorization)
  if (!admitted.ok) {
    const { kind } = admitted.problem
    const isCounted = (kind === 'unauthorized' || kind === 'invalidSession') && isGuess(authorization)
    const allowed = isCounted ? await limiter.signInFailed(clientAddress(request)) : admitted
    return answerProblem(request, reply, allowed.ok ? admitted.problem : allowed.problem)
  }
  const address = clientAddress(request)
  request.principal = { ...admitted.value, address }
  const allowedHere = await limiter.beforeRoute(route, request.principal, address)
  if (!allowedHere.ok) return answerProblem(request, reply, allowedHere.problem)
}

/** The first problem of a request's parts, in the order path, query, body. */
function compileChecks(route: Route): (request: FastifyRequest) => Problem | undefined {
  const checks = (['params', 'query', 'body'] as const).map((part) => {
    const schema = route[part]
    return { part, check: schema === undefined ? undefined : compileCheck(schema, part) }
  })
  return (request) => {
    const { url } = request
    if (!isPercentUtf8(url)) return invalidRequest('the query is not percent-encoded UTF-8')
    for (const { part, check } of checks) {
      const value = request[part]
      const excess = findExcess(value, part === 'body' ? '' : part)
      if (excess !== undefined) return excess
      if (part === 'body' && value === undefined && check !== undefined) {
        // A body may be left out where null would do.
        if (check(null) === undefined) continue
        return invalidRequest('Empty request body')
      }
      const problem = check?.(value)
      if (problem !== undefined) return problem
    }
    return undefined
  }
}

/** What goes on after its time is not waited for; its writes stand or fall by themselves. */
async function within(limitMs: number, work: Promise<Result<Answer>>): Promise<Result<Answer>> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<Result<Answer>>((resolve) => {
    timer = setTimeout(() => resolve(failure(tookTooLong)), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
