// New ids and secrets. Randomness enters the server here.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

import type { AppId, BookingId, ConfigurationId } from '../../core/ids.ts'

/** UUIDv7 (RFC 9562 §5.7): sorts by time of making, so new rows stand together in their index. */
export function newId(): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(Date.now(), 0, 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return toUuid(bytes)
}

export function newAppId(): AppId {
  return newId() as AppId
}

/** 8 hex digits: how a request that carries no more than an id finds its application. */
export function newApplicationCode(): string {
  return randomBytes(4).toString('hex')
}

/**
 * A random UUID whose first 32 bits are the application's code. Together with the booking id and the salts it is drawn
 * until the Base64 of a booking reference has neither `+` nor `/`, so that both alphabets agree and no link needs escaping.
 * A code may itself need escaping; then every id of that application does.
 */
export function newConfigurationId(code: string): ConfigurationId {
  const draw = () => {
    const bytes = Buffer.concat([Buffer.from(code, 'hex'), randomBytes(12)])
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    return bytes
  }
  return toUuid(drawUntil(isPlain, draw)) as ConfigurationId
}

/**
 * A booking id and two salts of 128 random bits each, so that the reference is plain in Base64 where that can be had: an
 * id begins with the time, and at some times no draw makes it plain. Then links are escaped.
 * `given` is the id that a repeat of an interrupted request must use again.
 */
export function newBookingIdentity(
  configurationId: ConfigurationId,
  given?: string,
): { id: BookingId; organizerSalt: Buffer; guestSalt: Buffer } {
  const configuration = Buffer.from(configurationId.replaceAll('-', ''), 'hex')
  const headOf = (id: string) => Buffer.concat([configuration, Buffer.from(id.replaceAll('-', ''), 'hex')])
  // Three bytes make four characters, so the last two bytes of the head share theirs with the salt.
  const isPlainHead = (id: string) => isPlain(headOf(id).subarray(0, 30))
  const id = given ?? drawUntil(isPlainHead, newId)
  const salt = () =>
    drawUntil(
      (bytes) => isPlain(Buffer.concat([headOf(id).subarray(30), bytes])),
      () => randomBytes(16),
    )
  return { id: id as BookingId, organizerSalt: salt(), guestSalt: salt() }
}

/** At most this often: about every second draw is good, unless none can be. */
const drawLimit = 40

function drawUntil<T>(isGood: (drawn: T) => boolean, draw: () => T): T {
  let drawn = draw()
  for (let draws = 1; draws < drawLimit && !isGood(drawn); draws++) drawn = draw()
  return drawn
}

function isPlain(bytes: Uint8Array): boolean {
  return !/[+/]/.test(Buffer.from(bytes).toString('base64'))
}

function toUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export type TokenKind = 'key' | 'session' | 'token'
const prefixes: Readonly<Record<TokenKind, string>> = { key: 'osk', session: 'oss', token: 'oat' }
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `<prefix>_<code>_<43 characters>`: 256 random bits in base 62. */
export function newToken(kind: TokenKind, code: string): string {
  let number = BigInt(`0x${randomBytes(32).toString('hex')}`)
  let text = ''
  while (text.length < 43) {
    text = `${alphabet[Number(number % 62n)]}${text}`
    number /= 62n
  }
  return `${prefixes[kind]}_${code}_${text}`
}

/** What kind of token this is and whose, or undefined; says nothing of whether it is good. */
export function readToken(token: string): { kind: TokenKind; code: string } | undefined {
  const match = /^(osk|oss|oat)_([0-9a-f]{8})_[0-9A-Za-z]{16,64}$/.exec(token)
  if (match === null) return undefined
  const kind = (Object.keys(prefixes) as TokenKind[]).find((candidate) => prefixes[candidate] === match[1])
  return kind === undefined ? undefined : { kind, code: match[2] ?? '' }
}

/** Tokens are random, so a fast hash keeps them. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** In a time that tells nothing about where the two differ. */
export function isSameSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
