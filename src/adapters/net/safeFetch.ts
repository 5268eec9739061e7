// The one door to addresses that others name: refuses private networks after DNS, and bounds what an answer may cost.
import { type LookupAddress, lookup } from 'node:dns'
import type { LookupFunction, Socket } from 'node:net'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'

import type { Agent, buildConnector } from 'undici'

import { addressCheck, isOpenPort } from './addresses.ts'

/**
 * Why there is no answer. Coarse on purpose: a closed, a filtered, a private and an unknown address are all
 * `couldNotConnect`, so that nobody learns from us what stands in our network.
 */
export type NoAnswer = 'notAllowed' | 'couldNotConnect' | 'timedOut' | 'brokeOff' | 'tooLarge'

export type SafeAnswer = {
  readonly status: number
  /** In small letters; of repeated ones the first, but for lists, which are joined. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** More would have come than was read. */
  readonly isCut: boolean
}

export type SafeRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'PROPFIND' | 'REPORT' | 'MOVE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Bytes of the answer that are read, counted after decompression; 64 KB where absent. */
  readonly bodyLimitBytes?: number
  /** `cut`: a longer answer ends there, and nothing is decompressed. `refuse`, where absent: it is no answer at all. */
  readonly whenLonger?: 'cut' | 'refuse'
  /** Ends the call before its time. */
  readonly signal?: AbortSignal
  /** How long the first byte and the whole may take, where the usual limits are too short for what is asked. */
  readonly patienceMs?: number
  /** How many redirects to follow: none where absent, three at most. Each is checked anew. */
  readonly redirects?: number
}

export type SafeFetch = {
  fetch(url: string, request: SafeRequest): Promise<SafeAnswer | NoAnswer>
  /** Could it ever be called? Says nothing of its address: that is looked at when it is called. */
  isAllowed(url: string): boolean
  close(): Promise<void>
}

export type SafeFetchOptions = {
  /** Networks that may be called besides the public ones; `http` is for those only. */
  readonly allowPrivateNetwork: readonly string[]
  /** Every address of a name. Tests answer what they like. */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>
  readonly limits?: Partial<CallLimits>
}

/** Milliseconds. */
export type CallLimits = {
  readonly dnsMs: number
  readonly connectMs: number
  readonly firstByteMs: number
  readonly wholeMs: number
}

const callLimits: CallLimits = { dnsMs: 3_000, connectMs: 5_000, firstByteMs: 10_000, wholeMs: 15_000 }
const headerLimitBytes = 16 * 1024
const bodyLimitBytes = 64 * 1024
const mostRedirects = 3

/** The connection was refused by this guard; never shown to anyone. */
class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

type Undici = typeof import('undici')
type Door = { readonly agent: Agent; readonly request: Undici['request'] }

export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  const limits = { ...callLimits, ...options.limits }
  // Loaded with the first call that goes out: a server that calls nobody need not carry it.
  let opened: Promise<Door> | undefined
  const open = async (): Promise<Door> => {
    const undici = await import('undici')
    const agent = new undici.Agent({
      connect: guardedConnector(undici, options, limits),
      headersTimeout: limits.firstByteMs,
      bodyTimeout: limits.wholeMs,
      maxHeaderSize: headerLimitBytes,
      pipelining: 1,
    })
    return { agent, request: undici.request }
  }
  const mayUseHttp = options.allowPrivateNetwork.length > 0
  const isAllowed = (text: string) => {
    const url = URL.parse(text)
    if (url === null || url.username !== '' || url.password !== '' || url.hostname === '') return false
    return (url.protocol === 'https:' || (url.protocol === 'http:' && mayUseHttp)) && isOpenPort(url.port)
  }
  return {
    isAllowed,
    close: async () => (await opened)?.agent.destroy(),
    async fetch(text, asked) {
      let url = text
      let current = asked
      const late = AbortSignal.timeout(asked.patienceMs ?? limits.wholeMs)
      const signal = asked.signal === undefined ? late : AbortSignal.any([late, asked.signal])
      for (let left = Math.min(asked.redirects ?? 0, mostRedirects); ; left--) {
        if (!isAllowed(url)) return 'notAllowed'
        opened ??= open()
        const answer = await once(await opened, url, current, signal)
        if (typeof answer === 'string' || left <= 0 || !isRedirect(answer)) return answer
        const next = URL.parse(answer.headers.location ?? '', url)
        if (next === null) return answer
        current = redirected(current, answer.status, next.origin === new URL(url).origin)
        url = next.href
      }
    },
  }
}

async function once(
  { agent, request }: Door,
  url: string,
  asked: SafeRequest,
  signal: AbortSignal,
): Promise<SafeAnswer | NoAnswer> {
  let isConnected = false
  try {
    const response = await request(url, {
      dispatcher: agent,
      method: asked.method,
      signal,
      headers: { ...asked.headers },
      ...(asked.patienceMs === undefined ? {} : { headersTimeout: asked.patienceMs, bodyTimeout: asked.patienceMs }),
      ...(asked.body === undefined ? {} : { body: asked.body }),
    })
    isConnected = true
    const limit = asked.bodyLimitBytes ?? bodyLimitBytes
    const { bytes, isCut } = await readBody(response.body, limit)
    const headers = Object.fromEntries(
      Object.entries(response.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name.toLowerCase(), oneValue(name.toLowerCase(), value)]],
      ),
    )
    if (asked.whenLonger === 'cut') return { status: response.statusCode, headers, body: bytes, isCut }
    if (isCut) return 'tooLarge'
    const body = await decompressed(bytes, headers['content-encoding'], limit)
    return body === undefined ? 'tooLarge' : { status: response.statusCode, headers, body, isCut }
  } catch (error) {
    return meaningOf(error, isConnected)
  }
}

/** Headers that are lists wherever they stand (RFC 9110 §5.3). */
const lists = new Set(['allow', 'dav', 'www-authenticate'])

function oneValue(name: string, value: string | string[]): string {
  if (!Array.isArray(value)) return value
  return lists.has(name) ? value.join(', ') : (value[0] ?? '')
}

/** What undici and Node say, in our few words. */
function meaningOf(error: unknown, isConnected: boolean): NoAnswer {
  const { name, code } = error as { name?: string; code?: string }
  if (
    name === 'TimeoutError' ||
    name === 'AbortError' ||
    code === 'UND_ERR_HEADERS_TIMEOUT' ||
    code === 'UND_ERR_BODY_TIMEOUT'
  )
    return 'timedOut'
  if (isConnected || code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE') return 'brokeOff'
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'tooLarge'
  if (name === 'HTTPParserError') return 'brokeOff'
  return 'couldNotConnect'
}

/** At most `limit` bytes; the connection is closed where there is more. */
async function readBody(
  body: AsyncIterable<Buffer> & { destroy(): unknown; on(event: 'error', listener: () => void): unknown },
  limit: number,
): Promise<{ bytes: Buffer; isCut: boolean }> {
  // A stream that is cut off says so once more; nobody listens then.
  body.on('error', () => {})
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length > limit) {
      body.destroy()
      return { bytes: Buffer.concat(chunks).subarray(0, limit), isCut: true }
    }
  }
  return { bytes: Buffer.concat(chunks), isCut: false }
}

const decoders = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const

/** Undefined where more than `limit` bytes come out: a small answer may be a bomb. */
async function decompressed(bytes: Buffer, encoding: string | undefined, limit: number): Promise<Buffer | undefined> {
  const decode = decoders[(encoding ?? '').trim().toLowerCase() as keyof typeof decoders]
  if (decode === undefined || bytes.length === 0) return bytes
  try {
    return await decode(bytes, { maxOutputLength: limit })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') return undefined
    // Not what it says it is: the bytes as they came.
    return bytes
  }
}

function isRedirect({ status, headers }: SafeAnswer): boolean {
  return [301, 302, 303, 307, 308].includes(status) && headers.location !== undefined
}

/** RFC 9110 §15.4: what was a POST is asked again as a GET, but for 307 and 308. Credentials stay at their origin. */
function redirected({ body, ...asked }: SafeRequest, status: number, isSameOrigin: boolean): SafeRequest {
  const kept = Object.entries(asked.headers ?? {}).filter(
    ([name]) => isSameOrigin || !/^(authorization|cookie|proxy-authorization)$/i.test(name),
  )
  const isAskedAgain = status === 303 || ((status === 301 || status === 302) && asked.method === 'POST')
  if (isAskedAgain) return { ...asked, headers: Object.fromEntries(kept), method: 'GET' }
  return { ...asked, headers: Object.fromEntries(kept), ...(body === undefined ? {} : { body }) }
}

/**
 * Looks at the address that is about to be used: names after DNS, where any forbidden answer refuses them all; literal
 * addresses here, because no look-up is asked about them; and the other end once more when the connection stands.
 */
function guardedConnector(
  { buildConnector }: Pick<Undici, 'buildConnector'>,
  options: SafeFetchOptions,
  limits: CallLimits,
): buildConnector.connector {
  const check = addressCheck(options.allowPrivateNetwork)
  const resolve = options.resolve ?? resolveAll
  const mayCall = (address: string, protocol: string) => {
    const why = check(address)
    return why === 'private' || (why === 'public' && protocol === 'https:')
  }
  const connectors = new Map(
    ['http:', 'https:'].map((protocol) => [
      protocol,
      buildConnector({ timeout: limits.connectMs, lookup: guardedLookup(protocol) as never }),
    ]),
  )

  function guardedLookup(protocol: string): LookupFunction {
    return (hostname, lookupOptions, callback) => {
      const answered = within(limits.dnsMs, resolve(hostname)).then((addresses) => {
        if (addresses.length === 0 || !addresses.every(({ address }) => mayCall(address, protocol)))
          throw new AddressRefused(hostname)
        return addresses
      })
      answered.then(
        (addresses) => {
          const [first] = addresses
          if (lookupOptions.all === true) callback(null, [...addresses])
          else callback(null, first?.address ?? '', first?.family)
        },
        (error: NodeJS.ErrnoException) => callback(error, '', 4),
      )
    }
  }

  return (target, callback) => {
    const literal = target.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) !== 0 && !mayCall(literal, target.protocol)) {
      callback(new AddressRefused(literal), null)
      return
    }
    const connect = connectors.get(target.protocol)
    if (connect === undefined) {
      callback(new AddressRefused(target.protocol), null)
      return
    }
    connect(target, (error, socket) => {
      if (error !== null || socket === null) {
        callback(error ?? new AddressRefused(literal), null)
        return
      }
      const { remoteAddress } = socket as Socket
      if (remoteAddress !== undefined && mayCall(remoteAddress, target.protocol)) {
        callback(null, socket)
        return
      }
      socket.destroy()
      callback(new AddressRefused(literal), null)
    })
  }
}

function resolveAll(hostname: string): Promise<readonly LookupAddress[]> {
  return new Promise((done, failed) => {
    lookup(hostname, { all: true }, (error, addresses) => (error === null ? done(addresses) : failed(error)))
  })
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new AddressRefused('DNS took too long')), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
