// Signatures over the exact bytes of a webhook: the one that the wire defines, and those of Standard Webhooks.
import { createHmac, randomBytes } from 'node:crypto'

const prefix = 'whsec_'

/**
 * 256 random bits as `whsec_` and Base64: its UTF-8 bytes are the key of `x-nylas-signature`, what the Base64 stands for
 * is the key of Standard Webhooks, so that receivers of either kind take the same text.
 */
export function newWebhookSecret(): string {
  return `${prefix}${randomBytes(32).toString('base64')}`
}

/** Lower-case hex of HMAC-SHA256 with the secret's text as key. */
export function hexSignature(secret: string, body: Uint8Array): string {
  return createHmac('sha256', secret).update(body).digest('hex')
}

/**
 * The headers that go with `body`. The first secret signs `x-nylas-signature`; in the Standard header every secret does.
 * `atSeconds`: Unix seconds of this attempt. https://github.com/standard-webhooks/standard-webhooks
 */
export function signatureHeaders(
  secrets: readonly string[],
  { id, atSeconds, body }: { readonly id: string; readonly atSeconds: number; readonly body: Uint8Array },
): Record<string, string> {
  const [current = '', previous] = secrets
  return {
    'x-nylas-signature': hexSignature(current, body),
    ...(previous === undefined ? {} : { 'x-openslot-previous-signature': hexSignature(previous, body) }),
    'webhook-id': id,
    'webhook-timestamp': String(atSeconds),
    'webhook-signature': secrets.map((secret) => standardSignature(secret, id, atSeconds, body)).join(' '),
  }
}

function standardSignature(secret: string, id: string, atSeconds: number, body: Uint8Array): string {
  const key = secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : secret
  return `v1,${createHmac('sha256', key).update(`${id}.${atSeconds}.`).update(body).digest('base64')}`
}
