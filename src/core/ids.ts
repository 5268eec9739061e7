// Ids: branded strings, so that one kind is never taken for another.

export type AppId = string & { readonly kind: 'app' }
export type GrantId = string & { readonly kind: 'grant' }
export type CalendarId = string & { readonly kind: 'calendar' }
export type ConfigurationId = string & { readonly kind: 'configuration' }
export type BookingId = string & { readonly kind: 'booking' }
export type EventId = string & { readonly kind: 'event' }

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function isUuid(text: string): boolean {
  return uuidPattern.test(text)
}
