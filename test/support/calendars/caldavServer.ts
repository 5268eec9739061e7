/** What every real CalDAV server of the tests offers, whichever program it is. */

export type CaldavServer = {
  readonly name: string
  /** What a person would type into the form. */
  readonly url: string
  /** Each with an empty calendar. */
  readonly users: readonly CaldavUser[]
  stop(): Promise<void>
}

export type CaldavUser = {
  readonly username: string
  readonly password: string
  readonly email: string
  /** URL of their calendar, with a slash at its end. */
  readonly calendar: string
}

/** A request as a calendar program of the owner would send it. Credentials are always sent. */
export async function ask(
  user: Pick<CaldavUser, 'username' | 'password'>,
  method: string,
  url: string,
  { body, headers = {} }: { readonly body?: string; readonly headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      authorization: `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`,
      ...(body === undefined
        ? {}
        : { 'content-type': body.startsWith('BEGIN:') ? 'text/calendar; charset=utf-8' : 'application/xml' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

/** Puts an event there by hand, and throws where the server does not take it. */
export async function putByHand(user: CaldavUser, name: string, text: string): Promise<void> {
  const { status, text: why } = await ask(user, 'PUT', `${user.calendar}${name}.ics`, { body: text })
  if (status >= 300) throw new Error(`PUT of ${name} answered ${status}: ${why}`)
}

/** iCalendar text of one object with `lines` in its VEVENT. */
export function eventText(uid: string, lines: readonly string[]): string {
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//By Hand//EN',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTAMP:20260101T000000Z',
    'SUMMARY:By hand',
    ...lines,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n')
}
