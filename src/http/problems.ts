// Problem → status and error body: the one place that knows both.
import type { Problem, ProblemKind } from '../core/problem.ts'

type Status = { readonly status: number; readonly type: string }

/** Types as the official components and SDKs know them. */
const statuses: Readonly<Record<ProblemKind, Status>> = {
  invalidRequest: { status: 400, type: 'invalid_request_error' },
  unauthorized: { status: 401, type: 'unauthorized' },
  invalidSession: { status: 401, type: 'invalid_session' },
  forbidden: { status: 403, type: 'forbidden' },
  notFound: { status: 404, type: 'not_found_error' },
  slotUnavailable: { status: 400, type: 'timeslot_not_available' },
  slotTaken: { status: 400, type: 'timeslot_not_available' },
  conflict: { status: 409, type: 'invalid_request_error' },
  calendarUnavailable: { status: 504, type: 'provider_error' },
  grantExpired: { status: 401, type: 'provider_error' },
  invalidIdempotencyKey: { status: 400, type: 'api.invalid_idempotency_key' },
  idempotencyMismatch: { status: 409, type: 'api.invalid_idempotent_request' },
  idempotencyInProgress: { status: 409, type: 'api.concurrent_idempotent_request' },
  endpointNotFound: { status: 400, type: '70000' },
  endpointUnverified: { status: 400, type: '70005' },
  payloadTooLarge: { status: 413, type: 'invalid_request_error' },
  unsupportedMediaType: { status: 415, type: 'invalid_request_error' },
  proofRequired: { status: 428, type: 'proof_required' },
  rateLimited: { status: 429, type: 'rate_limit_error' },
  unavailable: { status: 503, type: 'service_unavailable' },
}

const providerCodes = { calendarUnavailable: 'calendar_unavailable', grantExpired: 'grant_expired' } as const

export type ErrorBody = {
  request_id: string
  error: {
    type: string
    message: string
    challenge?: object
    provider_error?: { code: string; message: string; error: { message: string } }
  }
}

/**
 * Status and body of `problem`. `conflictStatus` is 409 for callers who asked for it by `Prefer: conflict-status=409`:
 * the wire knows no 409 for a lost race, so 400 is what the others get.
 */
export function errorAnswer(
  problem: Problem,
  requestId: string,
  conflictStatus: 400 | 409,
): { status: number; body: ErrorBody } {
  const { status, type } = statuses[problem.kind]
  const isLostRace = problem.kind === 'slotTaken' || problem.kind === 'slotUnavailable' || problem.kind === 'conflict'
  const message =
    problem.field !== undefined && !problem.message.startsWith(problem.field)
      ? `${problem.field}: ${problem.message}`
      : problem.message
  return {
    status: isLostRace ? conflictStatus : status,
    body: {
      request_id: requestId,
      error: {
        type,
        message,
        ...(problem.challenge === undefined ? {} : { challenge: problem.challenge }),
        // Browsers read the nested form, SDKs the flat one.
        ...(problem.kind === 'calendarUnavailable' || problem.kind === 'grantExpired'
          ? { provider_error: { code: providerCodes[problem.kind], message, error: { message } } }
          : {}),
      },
    },
  }
}

/** RFC 6749 §5.2, with the code that the SDKs read. */
export type OAuthErrorBody = { error: string; error_description: string; error_uri: string; error_code: number }

/** Paths whose errors the SDKs read in OAuth's own shape. */
export function isOAuthPath(url: string): boolean {
  return /^\/v3\/connect\/(token|revoke|tokeninfo)(\/|\?|$)/.test(url)
}

/** What is wrong with the request or its credential is 400 there, whatever it is; the rest keeps its status. */
export function oauthAnswer(problem: Problem, url: string): { status: number; body: OAuthErrorBody } {
  const { status } = statuses[problem.kind]
  const isRefused = status === 400 || status === 401 || status === 404
  return {
    status: isRefused ? 400 : status,
    body: oauthBody(oauthError(problem, url), oauthSentence(problem), isRefused ? 400 : status),
  }
}

function oauthSentence({ field, message }: Problem): string {
  if (field === undefined) return message
  return message === 'is required' ? `Missing required parameter: ${field}` : `${field}: ${message}`
}

export function oauthBody(error: string, description: string, code: number): OAuthErrorBody {
  return { error, error_description: description, error_uri: '', error_code: code }
}

function oauthError({ kind, field, message }: Problem, url: string): string {
  if (kind === 'unauthorized') return /^\/v3\/connect\/token(\?|\/|$)/.test(url) ? 'invalid_client' : 'invalid_token'
  if (kind === 'notFound') return 'invalid_grant'
  if (kind === 'invalidRequest' && field === 'grant_type' && message !== 'is required') return 'unsupported_grant_type'
  return kind === 'unavailable' || kind === 'rateLimited' ? 'temporarily_unavailable' : 'invalid_request'
}
