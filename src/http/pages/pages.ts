// The pages that guests and organizers open: HTML with its data in it, and the scripts and styles behind it.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { notFound, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { type Instant, toUnixSeconds } from '../../core/time/instant.ts'
import type { Operations } from '../../operations/operations.ts'
import type { PageData } from '../../wire/pages.ts'
import { answerProblem } from '../answers.ts'
import { clientAddress } from '../clientAddress.ts'
import { accepts } from '../compression.ts'
import { findExcess } from '../limits.ts'
import type { Limiter } from '../rateLimit.ts'
import { type Asset, type BuiltPages, readBuiltPages } from './builtPages.ts'
import { chooseLanguage } from './language.ts'
import { pagePolicy, writeShell } from './shell.ts'

export type PagesOptions = {
  readonly operations: Operations
  readonly limiter: Limiter
  /** Where the build left the pages. */
  readonly pagesFolder: string
  readonly now: () => Instant
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

const uuid = '[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}'
const hidden = { schema: { hide: true } as object }
const notBuilt: Problem = {
  kind: 'unavailable',
  message: 'The pages of this server are not built; start it with "npm start", or run "npm run build".',
  retryAfterSeconds: 60,
}

/**
 * `GET` only, and none of it changes anything. Returns what a person is shown who asks for something that is not there.
 */
export function servePages(server: FastifyInstance, options: PagesOptions): Handler {
  const { operations, limiter, pagesFolder } = options
  // Half a megabyte that a server of the API alone never needs.
  let built: BuiltPages | undefined
  const read = () => (built ??= readBuiltPages(pagesFolder))

  const show = async (
    request: FastifyRequest,
    reply: FastifyReply,
    open: () => Promise<Result<PageData>>,
    findFrames: () => Promise<Result<readonly string[]>>,
  ): Promise<FastifyReply> => {
    const pages = read()
    if (pages === undefined) return answerProblem(request, reply, notBuilt)
    const answer = (status: number, page: PageData, frames: readonly string[]) =>
      send(request, reply, { built: pages, now: toUnixSeconds(options.now()) }, status, page, frames)
    const allowed = await limiter.beforePage(clientAddress(request))
    if (!allowed.ok) {
      reply.header('retry-after', String(allowed.problem.retryAfterSeconds ?? 60))
      return answer(429, { kind: 'busy' }, [])
    }
    // Of what cannot be stored there is nothing.
    const isText = findExcess(request.params, 'path') === undefined
    const [opened, found] = isText ? await Promise.all([open(), findFrames()]) : [failure(notFound), failure(notFound)]
    const frames = found.ok ? found.value : []
    if (opened.ok) return answer(200, opened.value, frames)
    const { kind } = opened.problem
    if (kind === 'unavailable') return answer(503, { kind: 'busy' }, frames)
    return answer(404, { kind: 'missing' }, frames)
  }

  server.get(`/:client_id(^${uuid}$)/:slug`, hidden, (request, reply) => {
    const { client_id, slug } = request.params as { client_id: string; slug: string }
    const query = { client_id, slug: tidy(slug) }
    return show(
      request,
      reply,
      () => operations.openBookingPage(query),
      () => operations.findFrameOrigins(query),
    )
  })
  // Where `should-redirect` leads. Relative, so that it holds behind a proxy that serves this server under a path of its own.
  server.get(`/scheduler/:client_id(^${uuid}$)/:slug`, hidden, (request, reply) => {
    const { client_id, slug } = request.params as { client_id: string; slug: string }
    const at = request.url.indexOf('?')
    const query = at < 0 ? '' : request.url.slice(at)
    return reply.redirect(`../../${client_id}/${encodeURIComponent(tidy(slug))}${query}`)
  })
  server.get('/book/:configuration_id', hidden, (request, reply) => {
    const { configuration_id } = request.params as { configuration_id: string }
    const query = { configuration_id: tidy(configuration_id) }
    return show(
      request,
      reply,
      () => operations.openBookingPage(query),
      () => operations.findFrameOrigins(query),
    )
  })
  // The rest of the path, because some mail programs turn an escaped slash back into a slash.
  for (const kind of ['reschedule', 'cancel', 'confirmation'] as const)
    server.get(`/${kind}/*`, hidden, (request, reply) => {
      const reference = tidy((request.params as { '*': string })['*'])
      return show(
        request,
        reply,
        () => operations.openLinkPage(kind, reference),
        // Guests follow these links inside of the frame; an organizer opens theirs from a mail.
        async () => (kind === 'confirmation' ? success([]) : operations.findFrameOrigins({ reference })),
      )
    })
  server.get('/assets/:name', hidden, (request, reply) => {
    const { name } = request.params as { name: string }
    const asset = read()?.assets.get(name)
    if (asset === undefined) return reply.callNotFound()
    // The name changes with the content.
    return sendAsset(request, reply, asset, 'public, max-age=31536000, immutable')
  })
  server.get('/logo/:configuration_id', hidden, async (request, reply) => {
    const { configuration_id } = request.params as { configuration_id: string }
    const logo = await operations.readLogo(configuration_id)
    if (!logo.ok) return answerProblem(request, reply, logo.problem)
    return reply
      .type(logo.value.type)
      .header('cache-control', 'public, max-age=3600')
      .send(Buffer.from(logo.value.bytes.buffer, logo.value.bytes.byteOffset, logo.value.bytes.byteLength))
  })
  server.get('/embed.js', hidden, (request, reply) => {
    const asset = read()?.embed
    if (asset === undefined) return answerProblem(request, reply, notBuilt)
    // Its name stays, so other sites have a change within the hour.
    reply.header('access-control-allow-origin', '*').header('cross-origin-resource-policy', 'cross-origin')
    return sendAsset(request, reply, asset, 'public, max-age=3600')
  })
  const nobody = async () => success([])
  server.get('/', hidden, (request, reply) =>
    wantsPage(request)
      ? show(request, reply, async () => success({ kind: 'start' }), nobody)
      : answerProblem(request, reply, notFound),
  )
  return (request, reply) => show(request, reply, async () => failure(notFound), nobody)
}

/** A person in front of a browser, outside of the API. */
export function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  return (
    (method === 'GET' || method === 'HEAD') && !url.startsWith('/v3/') && String(headers.accept).includes('text/html')
  )
}

const aroundLinks = ' \t\r\n.,;:!?\'"])}>»”’'

/** Without what stands around a link in a text, which some mail programs take for a part of it. */
function tidy(text: string): string {
  let end = text.length
  while (aroundLinks.includes(text.charAt(end - 1)) && end > 0) end--
  return text.slice(0, end).trimStart()
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, asset: Asset, cacheControl: string): FastifyReply {
  const packed = asset.packed.find(({ encoding }) => accepts(request, encoding))
  reply.type(asset.type).header('vary', 'accept-encoding').header('cache-control', cacheControl)
  if (packed !== undefined) reply.header('content-encoding', packed.encoding)
  return reply.send(packed?.bytes ?? asset.plain)
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { built, now }: { readonly built: BuiltPages; readonly now: number },
  status: number,
  page: PageData,
  frames: readonly string[],
): FastifyReply {
  const { lang, language, color_scheme } = request.query as Readonly<Record<string, unknown>>
  // Either name, and a name that comes twice.
  const named = [lang, language].flat().filter((value) => typeof value === 'string')
  const languages = Object.keys(built.languages)
  const chosen = chooseLanguage(languages, named, request.headers['accept-language'])
  const words = built.languages[chosen]
  if (words === undefined) throw new Error(`the pages were built without ${chosen}`)
  const colorScheme = color_scheme === 'light' || color_scheme === 'dark' ? color_scheme : undefined
  const title = page.kind === 'book' ? page.settings.name : (words.titles[page.kind] ?? '')
  const document = { page, now, language: chosen, languages, words }
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', pagePolicy(["'self'", ...frames].join(' ')))
    .send(writeShell({ built, document, words, title, colorScheme }))
}
