// Titles and descriptions with the guest's words in them.
import type { Configuration } from '../configuration/configuration.ts'
import type { Person } from './booking.ts'

export const pendingPrefix = '[PENDING] '

export function withoutPendingPrefix(title: string): string {
  return title.startsWith(pendingPrefix) ? title.slice(pendingPrefix.length) : title
}

const titleLimit = 1024

/**
 * `template` with `${invitee}`, `${invitee_email}`, `${duration}` (minutes) and the keys or labels of additional fields
 * replaced; unknown tokens stay as they are. What guests wrote is taken as text: tokens in it are not replaced again.
 */
export function fillTokens(
  template: string,
  configuration: Pick<Configuration, 'durationMinutes' | 'additionalFields'>,
  guest: Person,
  additionalFields: Readonly<Record<string, string>>,
): string {
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
  return template.replace(/\$\{([^{}]{1,255})\}/g, (token, name: string) => known.get(name.trim()) ?? token)
}

/** `template` as it can be read before anyone has booked: what only a booking can fill in is left open. */
export function beforehand(template: string, { durationMinutes }: Pick<Configuration, 'durationMinutes'>): string {
  return template.replace(/\$\{([^{}]{1,255})\}/g, (_, name: string) =>
    name.trim() === 'duration' ? String(durationMinutes) : '…',
  )
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
