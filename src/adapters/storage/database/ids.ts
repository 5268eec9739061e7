// New ids and secrets. Randomness enters the server here.
import { createHash, randomFillSync, timingSafeEqual } from 'node:crypto'

import type { AppId, BookingId, ConfigurationId, EventId } from '../../../core/ids.ts'
import type { Instant } from '../../../core/time/instant.ts'

const pool = Buffer.allocUnsafe(4_096)
let poolUsed = pool.length

/** Random bytes of the system's generator, fetched 4 KB at a time: a booking needs some twenty small draws. Never given twice. */
function randomBytes(count: number): Buffer {
  if (poolUsed + count > pool.length) {
    randomFillSync(pool)
    poolUsed = 0
  }
  const bytes = Buffer.from(pool.subarray(poolUsed, poolUsed + count))
  pool.fill(0, poolUsed, poolUsed + count)
  poolUsed += count
  return bytes
}

/** UUIDv7 (RFC 9562 §5.7): sorts by time of making, so new rows stand together in their index. */
export function newId(): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(Date.now(), 0, 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return toUuid(bytes)
}

/** The least id that can be made at `at`: what `newId` made before is less. */
export function firstIdAt(at: Instant): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(Math.max(0, at), 0, 6)
  return toUuid(bytes)
}

export function newAppId(): AppId {
  return newId() as AppId
}

/** 8 hex digits: how a request that carries no more than an id finds its application. Plain, as what begins with it is to be. */
export function newApplicationCode(): string {
  return drawPlain(
    () => randomBytes(4),
    (code) => code,
  ).toString('hex')
}

/**
 * A random UUID whose first 32 bits are the application's code. Configuration ids, booking ids and salts are drawn until
 * the Base64 of a booking reference has neither `+` nor `/`: then both alphabets agree, and no link needs escaping.
 */
export function newConfigurationId(code: string): ConfigurationId {
  const start = Buffer.from(code, 'hex')
  return drawPlain(() => asUuid(Buffer.concat([start, randomBytes(12)])), uuidBytes) as ConfigurationId
}

/** Not a UUIDv7: its time would stand still in the reference, and no draw would change it. */
export function newBookingId(configurationId: ConfigurationId): BookingId {
  const head = lastGroup(uuidBytes(configurationId))
  return drawPlain(
    () => asUuid(randomBytes(16)),
    (id) => Buffer.concat([head, uuidBytes(id)]),
  ) as BookingId
}

/**
 * The same for the same booking, so every step can be repeated, and one-way: who sees the event cannot open the booking. Hex
 * digits only, which every provider accepts as an id given by the client.
 */
export function eventIdOf(id: BookingId): EventId {
  return createHash('sha256').update(`event of booking ${id}`).digest('hex').slice(0, 32) as EventId
}

/** 128 random bits. */
export function newSalt(configurationId: ConfigurationId, bookingId: BookingId): Buffer {
  const head = lastGroup(Buffer.concat([uuidBytes(configurationId), uuidBytes(bookingId)]))
  return drawPlain(
    () => randomBytes(16),
    (salt) => Buffer.concat([head, salt]),
  )
}

/** Base64 writes three bytes as one group, so only those of an unfinished one have a say in what follows. */
function lastGroup(head: Buffer): Buffer {
  return head.subarray(head.length - (head.length % 3))
}

const drawsLimit = 64

/** Each draw succeeds about every other time, unless what stands before it is not plain; then any will do. */
function drawPlain<T>(draw: () => T, bytesOf: (value: T) => Uint8Array): T {
  let value = draw()
  for (let draws = 1; draws < drawsLimit && !isPlain(bytesOf(value)); draws++) value = draw()
  return value
}

function isPlain(bytes: Uint8Array): boolean {
  return !/[+/]/.test(Buffer.from(bytes).toString('base64'))
}

function uuidBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

/** Sets version 4 and variant in 16 bytes. */
function asUuid(bytes: Buffer): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return toUuid(bytes)
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
