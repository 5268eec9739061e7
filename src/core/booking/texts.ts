// Titles and descriptions with the guest's words in them.
import type { Configuration } from '../configuration/configuration.ts'
import type { Person } from './booking.ts'

export const pendingPrefix = '[PENDING] '

export function withoutPendingPrefix(title: string): string {
  return title.startsWith(pendingPrefix) ? title.slice(pendingPrefix.length) : title
}

/** In UTF-16 units: no more than events of the API take. */
export const titleLimit = 1_024
export const descriptionLimit = 8_192

const token = /\$\{([^{}]{1,255})\}/g

export type Filling = {
  readonly configuration: Pick<Configuration, 'durationMinutes' | 'additionalFields'>
  readonly guest: Person
  readonly additionalFields: Readonly<Record<string, string>>
  /** In UTF-16 units. */
  readonly limit: number
}

/**
 * `template` with `${invitee}`, `${invitee_email}`, `${duration}` (minutes) and the keys or labels of additional fields
 * replaced; unknown tokens stay as they are. What guests wrote is taken as text: tokens in it are not replaced again. Where the
 * whole would be longer than `limit`, the longest of what is filled in is cut, and the organizer's own words stay.
 */
export function fillTokens(template: string, { limit, ...said }: Filling): string {
  const known = knownTokens(said)
  const lengths: number[] = []
  let own = template.length
  for (const [whole, name = ''] of template.matchAll(token)) {
    const value = known.get(name.trim())
    if (value === undefined) continue
    own -= whole.length
    lengths.push(value.length)
  }
  const most = mostOfEach(lengths, limit - own)
  return template.replace(token, (whole, name: string) => {
    const value = known.get(name.trim())
    return value === undefined ? whole : shortened(value, most)
  })
}

function knownTokens({ configuration, guest, additionalFields }: Omit<Filling, 'limit'>): ReadonlyMap<string, string> {
  const known = new Map<string, string>()
  for (const [key, field] of Object.entries(configuration.additionalFields)) {
    const value = Object.hasOwn(additionalFields, key) ? additionalFields[key] : undefined
    if (value === undefined) continue
    known.set(field.label, value)
    known.set(key, value)
  }
  known.set('invitee', guest.name)
  known.set('invitee_email', guest.email)
  known.set('duration', String(configuration.durationMinutes))
  return known
}

/** The most that each may have so that all fit into `room`: what is shorter leaves its share to the others. */
function mostOfEach(lengths: readonly number[], room: number): number {
  let left = room
  for (const [index, length] of lengths.toSorted((a, b) => a - b).entries()) {
    const share = Math.floor(left / (lengths.length - index))
    if (length > share) return Math.max(0, share)
    left -= length
  }
  return Number.POSITIVE_INFINITY
}

/** Of at most `length`, with an ellipsis where something is missing; cut between what a reader takes for characters. */
function shortened(text: string, length: number): string {
  if (text.length <= length) return text
  if (length === 0) return ''
  const end = new Intl.Segmenter().segment(text).containing(length - 1)?.index ?? 0
  return `${text.slice(0, end)}…`
}

/** `template` as it can be read before anyone has booked: what only a booking can fill in is left open. */
export function beforehand(template: string, { durationMinutes }: Pick<Configuration, 'durationMinutes'>): string {
  return template.replace(token, (_, name: string) => (name.trim() === 'duration' ? String(durationMinutes) : '…'))
}

/**
 * One line: control characters and direction overrides in a title could forge what stands around it. Never cut inside of a
 * character: half a surrogate pair cannot be stored.
 */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim()
    .slice(0, titleLimit)
    .replace(/\p{Cs}$/u, '')
}
