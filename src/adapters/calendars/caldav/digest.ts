// Digest sign-in (RFC 7616): for servers that take no Basic.
import { createHash, randomBytes } from 'node:crypto'

export type Challenge = { readonly scheme: string; readonly parameters: Readonly<Record<string, string>> }

/** The challenges of `WWW-Authenticate`, in the server's order; schemes in small letters. */
export function readChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  // From the beginning of a word only: from within a long one everything would be tried once more for each of its letters.
  const pattern =
    /(?<![A-Za-z0-9_-])(?:([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([A-Za-z][A-Za-z0-9_-]*)(?=\s|,|$))/g
  for (const [, name, quoted, bare, scheme] of header.matchAll(pattern)) {
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} })
    else if (name !== undefined) {
      const last = challenges.at(-1)
      if (last !== undefined) last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? ''
    }
  }
  return challenges
}

/** The best of the Digest challenges that we can answer: SHA-256 before MD5; undefined without one. */
export function digestOf(challenges: readonly Challenge[]): Challenge | undefined {
  const known = challenges.filter(({ scheme, parameters: { nonce, qop, algorithm } }) => {
    const takesAuth = qop === undefined || qop.split(',').some((word) => word.trim() === 'auth')
    return scheme === 'digest' && nonce !== undefined && takesAuth && hashOf(algorithm) !== undefined
  })
  return known.find(({ parameters }) => hashOf(parameters.algorithm) === 'sha256') ?? known[0]
}

export type DigestRequest = {
  readonly method: string
  /** Path and query, as they go over the wire. */
  readonly uri: string
  readonly username: string
  readonly password: string
  /** How often this nonce has been used, this time included. */
  readonly count: number
}

/** The value of `Authorization`. */
export function answerDigest(
  { parameters }: Challenge,
  { method, uri, username, password, count }: DigestRequest,
  clientNonce: string = randomBytes(16).toString('hex'),
): string {
  const { realm = '', nonce = '', opaque, algorithm, qop } = parameters
  const hash = (text: string) =>
    createHash(hashOf(algorithm) ?? 'md5')
      .update(text)
      .digest('hex')
  const own = hash(`${username}:${realm}:${password}`)
  const secret = /-sess$/i.test(algorithm ?? '') ? hash(`${own}:${nonce}:${clientNonce}`) : own
  const counted = count.toString(16).padStart(8, '0')
  const asked = hash(`${method}:${uri}`)
  const response =
    qop === undefined
      ? hash(`${secret}:${nonce}:${asked}`)
      : hash(`${secret}:${nonce}:${counted}:${clientNonce}:auth:${asked}`)
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
  return `Digest ${[
    `username=${quoted(username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${response}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ...(qop === undefined ? [] : ['qop=auth', `nc=${counted}`, `cnonce="${clientNonce}"`]),
  ].join(', ')}`
}

function hashOf(algorithm = 'MD5'): 'md5' | 'sha256' | undefined {
  if (/^md5(-sess)?$/i.test(algorithm)) return 'md5'
  return /^sha-256(-sess)?$/i.test(algorithm) ? 'sha256' : undefined
}
