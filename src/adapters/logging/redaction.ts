// Takes secrets and people out of a log line: by the name of a field, and by the looks of a text.
import { createHmac, randomBytes } from 'node:crypto'

const removed = '[redacted]'
const secretName = /authorization|cookie|token|secret|password|salt|booking_?ref|reference|api_?key|master_?key/i
/** PostgreSQL puts the values of a row that it refuses into these. */
const rowNames = new Set(['detail', 'where', 'internalQuery', 'parameters'])
/** Lines without any of this hold nothing to take out, which spares most of them the work. */
const suspicion =
  /bearer|basic |(?:osk|oss|oat)_[0-9a-f]{8}_|eyJ|:\/\/|@|%(?:25)*40|"code"|"detail"|"where"|"internalQuery"|"parameters"|invalid input syntax|authorization|cookie|token|secret|password|salt|booking_?ref|reference|api_?key|master_?key/i

/** The line as it was, or with `[redacted]` in the place of secrets and a hash in the place of mail addresses. */
export function redactLine(line: string): string {
  if (!suspicion.test(line)) return line
  return `${JSON.stringify(redact(JSON.parse(line)))}\n`
}

function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value)
  if (Array.isArray(value)) return value.map(redact)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redactText(name), isSecret(name, item) ? removed : redact(item)]),
  )
}

function isSecret(name: string, value: unknown): boolean {
  // Codes of errors (23505, ECONNRESET) help; codes of sign-ins open a door.
  if (name === 'code') return typeof value !== 'string' || !/^[A-Z0-9_]{2,40}$/.test(value)
  return rowNames.has(name) || secretName.test(name)
}

function redactText(text: string): string {
  return (
    text
      .replace(/\b(bearer|basic) +[^\s"',]+/gi, `$1 ${removed}`)
      .replace(/\b(?:osk|oss|oat)_[0-9a-f]{8}_[0-9A-Za-z]+/g, removed)
      .replace(/\beyJ[\w-]+(?:\.[\w-]*){0,4}/g, removed)
      .replace(/:\/\/[^\s/@"]+@/g, `://${removed}@`)
      .replace(/([?&](?:booking_?ref|access_token|id_token|token|code|salt|api_key)=)[^&\s"]+/gi, `$1${removed}`)
      .replace(/(invalid input (?:syntax|value) for [^:]{1,80}: ).*/gs, `$1${removed}`)
      // Paths of calendars hold addresses, encoded once or more.
      .replace(/[^\s"'<>(),;:=/@]{1,64}(?:@|%(?:25)*40)[^\s"'<>(),;:=/@]{1,255}/gi, hashAddress)
  )
}

/** Addresses can be told apart within one run of the server, and not be guessed from a list. */
const runKey = randomBytes(32)

function hashAddress(address: string): string {
  if (address.startsWith(removed)) return address
  const plain = address.replace(/%(?:25)*40/i, '@').toLowerCase()
  return `mail:${createHmac('sha256', runKey).update(plain).digest('hex').slice(0, 12)}`
}
