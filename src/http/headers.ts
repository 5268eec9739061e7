// Headers that every answer carries, and which of them browsers on other sites may read.
import type { FastifyReply } from 'fastify'

import { routes } from './routes/routes.ts'

const always = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'permissions-policy': '',
  'cross-origin-opener-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const

/** One object for the life of the server: it is laid on every answer. */
export function securityHeaders(baseUrl: string): Readonly<Record<string, string>> {
  return baseUrl.startsWith('https:') ? { ...always, 'strict-transport-security': 'max-age=31536000' } : always
}

const exposedHeaders = ['x-request-id', 'retry-after', 'idempotent-response']

/** What guests' pages call, and what the editor calls for its access token and that token's grant; nothing else. */
export const browserPaths = new RegExp(
  `^(?:${[
    ...routes.filter(({ guard }) => guard === 'scheduler').map(({ path }) => path.replace(/:\w+/g, '[^/?]+')),
    '/v3/grants/me(?:/[^?]*)?',
    '/v3/connect/token(?:info)?',
  ].join('|')})/?(?:\\?|$)`,
)

function isForBrowsers(url: string): boolean {
  return browserPaths.test(url)
}

/**
 * No credentials mode, so any origin may call. The headers that a preflight asks for are all allowed,
 * because `*` does not cover `authorization`.
 */
export function corsOptions(url: string) {
  return isForBrowsers(url)
    ? {
        origin: '*',
        methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        exposedHeaders,
        maxAge: 600,
        strictPreflight: false,
      }
    : { origin: false, strictPreflight: false }
}

/** For answers that are given before any hook has run: a page must be able to read those as well. */
export function layHeaders(reply: FastifyReply, baseUrl: string): void {
  reply.headers(securityHeaders(baseUrl))
  if (isForBrowsers(reply.request.raw.url ?? ''))
    reply.headers({ 'access-control-allow-origin': '*', 'access-control-expose-headers': exposedHeaders.join(', ') })
}
