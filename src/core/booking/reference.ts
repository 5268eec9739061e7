// The booking reference: configuration id, booking id and a salt in one opaque text that stands in a person's link.
import { type BookingId, type ConfigurationId, isUuid } from '../ids.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const idBytes = 16

export type ReferenceParts = {
  readonly configurationId: ConfigurationId
  readonly bookingId: BookingId
  readonly salt: Uint8Array
}

/** Standard Base64 of 16 + 16 bytes of ids in text order, then the salt; padded only where the length asks for it. */
export function encodeReference({ configurationId, bookingId, salt }: ReferenceParts): string {
  return encodeBase64(Uint8Array.from([...uuidBytes(configurationId), ...uuidBytes(bookingId), ...salt]))
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
  return encodeBase64(salt).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Undefined where `text` is not Base64 of either alphabet. */
export function decodeSalt(text: string): Uint8Array | undefined {
  return decodeBase64(text)
}

/** `:booking_ref` in a link template, replaced and escaped; empty for an empty template. */
export function fillLink(template: string, reference: string): string {
  return template.replaceAll(':booking_ref', encodeURIComponent(reference))
}

function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3)
    const bits = (first << 16) | (second << 8) | third
    const left = bytes.length - at
    text += `${alphabet[bits >> 18]}${alphabet[(bits >> 12) & 63]}`
    text += left > 1 ? alphabet[(bits >> 6) & 63] : '='
    text += left > 2 ? alphabet[bits & 63] : '='
  }
  return text
}

function decodeBase64(text: string): Uint8Array | undefined {
  const plain = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  if (plain.length % 4 === 1) return undefined
  const bytes: number[] = []
  let bits = 0
  let count = 0
  for (const character of plain) {
    const value = alphabet.indexOf(character)
    if (value < 0) return undefined
    bits = ((bits << 6) | value) & 0xff_ffff
    count += 6
    if (count >= 8) {
      count -= 8
      bytes.push((bits >> count) & 0xff)
    }
  }
  // Bits left over that are not zero would give one capability several spellings.
  return (bits & ((1 << count) - 1)) === 0 ? Uint8Array.from(bytes) : undefined
}

function uuidBytes(id: string): number[] {
  if (!isUuid(id)) throw new RangeError('not a UUID')
  return (id.replaceAll('-', '').match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
}

function bytesToUuid(bytes: Uint8Array): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
