// Hrefs of a CalDAV server ↔ the ids by which calendars and their objects are known here.
import type { CalendarId } from '../../../core/ids.ts'

/**
 * The same for however a server writes it: absolute or relative, encoded in one way or another. A path where it stands on
 * the host of `home`, else a whole URL. Undefined for what is no address.
 */
export function placeOf(href: string, base: string, home: string): string | undefined {
  const url = URL.parse(href, base)
  if (url === null) return undefined
  const path = url.pathname.split('/').map(encodeAlike).join('/')
  return url.origin === new URL(home).origin ? path : `${url.origin}${path}`
}

/** Always ends with a slash, as collections do. */
export function calendarIdOf(href: string, base: string, home: string): CalendarId | undefined {
  return placeOf(href, base, home)?.replace(/\/?$/, '/') as CalendarId | undefined
}

export function urlOf(place: string, home: string): string {
  return new URL(place, home).href
}

function encodeAlike(segment: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(segment))
  } catch (error) {
    // A percent sign that encodes nothing.
    if (error instanceof URIError) return encodeURIComponent(segment)
    throw error
  }
}
