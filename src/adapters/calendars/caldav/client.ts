// One account at one CalDAV server: requests with its credentials, and what their failures mean.
import { getDomain } from 'tldts'

import type { Problem } from '../../../core/problem.ts'
import type { NoAnswer, SafeFetch, SafeRequest } from '../../net/safeFetch.ts'
import { type Multistatus, readMultistatus } from './davXml.ts'
import { answerDigest, type Challenge, digestOf, readChallenges } from './digest.ts'

export type Credentials = { readonly username: string; readonly password: string }

export type DavRequest = {
  readonly method: SafeRequest['method']
  readonly url: string
  readonly depth?: 0 | 1
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export type DavAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** Where the answer came from, after redirects: what its hrefs are relative to. */
  readonly url: string
}

/** Why a request has no answer: the call's own reasons, or a redirect to a place that shall not see the password. */
export type DavFailure = NoAnswer | 'sentElsewhere'

export type DavClient = {
  /** Follows redirects with credentials to the same registrable domain only, and never from https to http. */
  send(request: DavRequest): Promise<DavAnswer | DavFailure>
  /** Whether credentials may go to `url`. */
  mayTrust(url: string): boolean
}

/** N5: 20 MB for a calendar's answer. */
const answerLimitBytes = 20 * 1024 * 1024
/** N3. */
const mostRedirects = 3
/** A report over a big calendar takes servers a while; the call's own signal ends it earlier. Nothing else is waited for so long. */
const patienceForReportMs = 55_000

/** `origin`: the URL that the owner typed, whose registrable domain is trusted with the password. */
export function openClient(
  safeFetch: SafeFetch,
  { username, password }: Credentials,
  origin: string,
  signal: AbortSignal,
): DavClient {
  let digest: { challenge: Challenge; count: number } | undefined

  const authorization = (method: string, url: URL): string => {
    if (digest === undefined) return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    digest.count += 1
    return answerDigest(digest.challenge, {
      method,
      uri: `${url.pathname}${url.search}`,
      username,
      password,
      count: digest.count,
    })
  }

  const once = (request: DavRequest, url: string) =>
    safeFetch.fetch(url, {
      method: request.method,
      signal,
      ...(isAboutMany(request) ? { patienceMs: patienceForReportMs } : {}),
      bodyLimitBytes: answerLimitBytes,
      headers: {
        authorization: authorization(request.method, new URL(url)),
        'user-agent': 'OpenSlot',
        ...(request.depth === undefined ? {} : { depth: String(request.depth) }),
        ...(request.body === undefined ? {} : { 'content-type': 'application/xml; charset=utf-8' }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: Buffer.from(request.body) }),
    })

  const mayTrust = (url: string) => mayShare(origin, url)
  return {
    mayTrust,
    async send(request) {
      let { url } = request
      let isSecondTry = false
      for (let redirects = 0; ; ) {
        if (!mayTrust(url)) return 'sentElsewhere'
        const answer = await once(request, url)
        if (typeof answer === 'string') return answer
        const { status, headers } = answer
        const challenge =
          status === 401 && !isSecondTry
            ? digestOf(usable(readChallenges(headers['www-authenticate'] ?? '')))
            : undefined
        if (challenge !== undefined) {
          // Also for a nonce that has become stale.
          digest = { challenge, count: 0 }
          isSecondTry = true
          continue
        }
        const next = [301, 302, 307, 308].includes(status) ? URL.parse(headers.location ?? '', url) : null
        if (next === null || redirects >= mostRedirects)
          return { status, headers, text: new TextDecoder().decode(answer.body), url }
        redirects += 1
        url = next.href
      }
    },
  }
}

/** Reports, and lists of what stands in a calendar. */
function isAboutMany({ method, depth }: DavRequest): boolean {
  return method === 'REPORT' || depth === 1
}

/** Basic is what was sent: where a server offers it, the password is wrong, and no other scheme makes it right. */
function usable(challenges: readonly Challenge[]): readonly Challenge[] {
  return challenges.some(({ scheme }) => scheme === 'basic') ? [] : challenges
}

function mayShare(origin: string, target: string): boolean {
  const from = URL.parse(origin)
  const to = URL.parse(target)
  if (from === null || to === null) return false
  if (to.protocol !== 'https:' && from.protocol !== to.protocol) return false
  if (from.hostname === to.hostname) return true
  // Names under a suffix that strangers share (`co.uk`, `github.io`) are not one owner's.
  const domain = getDomain(from.hostname, { allowPrivateDomains: true })
  return domain !== null && domain === getDomain(to.hostname, { allowPrivateDomains: true })
}

/** The answer as a multistatus, or why it is none. A 401 is `grantExpired`. */
export async function askForMultistatus(
  client: DavClient,
  request: DavRequest,
): Promise<
  | (Multistatus & { readonly url: string; readonly headers: DavAnswer['headers'] })
  | { readonly problem: Problem; readonly status?: number; readonly text?: string }
> {
  const answer = await client.send(request)
  if (typeof answer === 'string') return { problem: problemOf(answer) }
  if (answer.status !== 207) return { problem: problemOf(answer), status: answer.status, text: answer.text }
  const read = await readMultistatus(answer.text)
  if (read === undefined) return { problem: unavailable('answered in a way that cannot be read'), status: 207 }
  return { ...read, url: answer.url, headers: answer.headers }
}

/** What a failure means for whoever asked; no address and no secret in it. */
export function problemOf(failed: DavAnswer | DavFailure): Problem {
  switch (failed) {
    case 'notAllowed':
      return unavailable('has an address that this server may not call')
    case 'sentElsewhere':
      return unavailable('sends us to another address, which is not trusted with the password')
    case 'couldNotConnect':
      return unavailable('could not be reached')
    case 'timedOut':
      return unavailable('did not answer in time')
    case 'brokeOff':
      return unavailable('broke off its answer')
    case 'tooLarge':
      return unavailable('answered with more than can be read')
  }
  const { status, headers } = failed
  if (status === 401)
    return {
      kind: 'grantExpired',
      message: 'The calendar server refused the password; the account must be connected anew.',
    }
  if (status === 403) return unavailable('refused access')
  if (status === 404 || status === 410) return unavailable('has no such calendar any more')
  if (status === 507) return unavailable('has no room left')
  const retryAfterSeconds = readRetryAfter(headers['retry-after'])
  if (status === 429 || status === 503)
    return { ...unavailable('asked us to wait'), retryAfterSeconds: retryAfterSeconds ?? 30 }
  return unavailable(`failed (${status})`)
}

export function unavailable(what: string): Problem {
  return { kind: 'calendarUnavailable', message: `The calendar server ${what}.` }
}

/** Seconds; a date would need a clock, and means: some while. At most an hour. */
function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  return Math.min(3_600, /^\d{1,6}$/.test(header.trim()) ? Number(header) : 60)
}
