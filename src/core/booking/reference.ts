// The booking reference: configuration id, booking id and a salt in one opaque text that stands in a person's link.
import { type BookingId, type ConfigurationId, isUuid } from '../ids.ts'

const idBytes = 16

export type ReferenceParts = {
  readonly configurationId: ConfigurationId
  readonly bookingId: BookingId
  readonly salt: Uint8Array
}

/** Standard Base64 of 16 + 16 bytes of ids in text order, then the salt; padded only where the length asks for it. */
export function encodeReference({ configurationId, bookingId, salt }: ReferenceParts): string {
  const bytes = new Uint8Array(2 * idBytes + salt.length)
  bytes.set(uuidBytes(configurationId))
  bytes.set(uuidBytes(bookingId), idBytes)
  bytes.set(salt, 2 * idBytes)
  return bytes.toBase64()
}

/** Reads either alphabet, percent-encoded or not, padded or not, and a `+` that a form turned into a space. */
export function decodeReference(text: string): ReferenceParts | undefined {
  let plain = text
  try {
    plain = decodeURIComponent(text)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
  }
  const bytes = decodeBase64(plain.replaceAll(' ', '+'))
  if (bytes === undefined || bytes.length < 2 * idBytes) return undefined
  const configurationId = bytesToUuid(bytes.subarray(0, idBytes))
  const bookingId = bytesToUuid(bytes.subarray(idBytes, 2 * idBytes))
  return {
    configurationId: configurationId as ConfigurationId,
    bookingId: bookingId as BookingId,
    salt: bytes.subarray(2 * idBytes),
  }
}

/** The salt as a confirmation sends it: URL-safe Base64 without padding. */
export function encodeSalt(salt: Uint8Array): string {
  return salt.toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** Undefined where `text` is not Base64 of either alphabet. */
export function decodeSalt(text: string): Uint8Array | undefined {
  return decodeBase64(text)
}

/** `:booking_ref` in a link template, replaced and escaped; empty for an empty template. */
export function fillLink(template: string, reference: string): string {
  return template.replaceAll(':booking_ref', encodeURIComponent(reference))
}

function decodeBase64(text: string): Uint8Array | undefined {
  const plain = text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/={1,2}$/, '')
  if (!/^[A-Za-z0-9+/]*$/.test(plain)) return undefined
  try {
    // Strict: bits left over that are not zero would give one capability several spellings.
    return Uint8Array.fromBase64(plain.padEnd(Math.ceil(plain.length / 4) * 4, '='), { lastChunkHandling: 'strict' })
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function uuidBytes(id: string): Uint8Array {
  if (!isUuid(id)) throw new RangeError('not a UUID')
  return Uint8Array.fromHex(id.replaceAll('-', ''))
}

function bytesToUuid(bytes: Uint8Array): string {
  const hex = bytes.toHex()
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
