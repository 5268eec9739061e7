// Sends one webhook, and asks a receiver whether a URL is its own.
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import type { NoAnswer, SafeFetch } from '../net/safeFetch.ts'
import { signatureHeaders } from './signature.ts'

const compress = promisify(gzip)

export type WebhookMessage = {
  /** The notification's id: the same at every attempt. */
  readonly id: string
  readonly url: string
  /** The current one first; the one before it while it still counts. */
  readonly secrets: readonly string[]
  readonly body: object
  readonly isCompressed: boolean
  /** Unix seconds of this attempt. */
  readonly atSeconds: number
}

/** How an attempt ended. `error` is a plain sentence for the log, undefined where the receiver took it. */
export type Outcome = {
  readonly status: number | undefined
  readonly error: string | undefined
  /** As the receiver asked, uncut; from a number of seconds or a date. */
  readonly retryAfter: string | undefined
}

const sentences: Readonly<Record<NoAnswer, string>> = {
  notAllowed: 'the address may not be called',
  couldNotConnect: 'could not connect',
  timedOut: 'no answer in time',
  brokeOff: 'the connection broke off',
  tooLarge: 'the answer was too large',
}

/** One POST, no redirects; any 2xx is a success. The answer's body is thrown away. */
export async function sendWebhook(door: Pick<SafeFetch, 'fetch'>, message: WebhookMessage): Promise<Outcome> {
  const text = Buffer.from(JSON.stringify(message.body))
  const body = message.isCompressed ? await compress(text) : text
  const answer = await door.fetch(message.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'OpenSlot',
      ...(message.isCompressed ? { 'content-encoding': 'gzip' } : {}),
      ...signatureHeaders(message.secrets, { id: message.id, atSeconds: message.atSeconds, body }),
    },
    body,
    whenLonger: 'cut',
  })
  if (typeof answer === 'string') return { status: undefined, error: sentences[answer], retryAfter: undefined }
  const isTaken = answer.status >= 200 && answer.status < 300
  return {
    status: answer.status,
    error: isTaken ? undefined : `answered ${answer.status}`,
    retryAfter: answer.headers['retry-after'],
  }
}

/** Undefined where the receiver sent the challenge back, byte for byte, with status 200; else a sentence. */
export async function challenge(door: Pick<SafeFetch, 'fetch'>, url: string): Promise<string | undefined> {
  const word = randomBytes(24).toString('base64url')
  const asked = new URL(url)
  // Put behind what is there, as it is there: `searchParams` would spell the rest of the query anew.
  asked.search = `${asked.search === '' ? '?' : `${asked.search}&`}challenge=${word}`
  const answer = await door.fetch(asked.href, {
    method: 'GET',
    headers: { 'user-agent': 'OpenSlot' },
    whenLonger: 'cut',
  })
  if (typeof answer === 'string') return sentences[answer]
  if (answer.status !== 200) return `status is not ok, got ${answer.status}`
  return Buffer.from(answer.body).toString('latin1') === word ? undefined : 'the answer is not the challenge'
}
