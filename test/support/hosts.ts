/** Hosts on virtual calendars and configurations with them, made over the API as an application would. */
import type { TestServer } from './server.ts'

export type TestHost = { readonly email: string; readonly grantId: string; readonly calendarId: string }

/** A virtual account with its primary calendar. */
export async function makeHost(server: TestServer, email: string, timezone = 'UTC'): Promise<TestHost> {
  const grant = await server.request('POST', '/v3/connect/custom', {
    body: { provider: 'virtual-calendar', settings: { email } },
  })
  if (grant.status !== 201) throw new Error(JSON.stringify(grant.body))
  const grantId = grant.body.data.id as string
  const calendar = await server.request('POST', `/v3/grants/${grantId}/calendars`, {
    body: { name: 'Primary', timezone },
  })
  if (calendar.status !== 200) throw new Error(JSON.stringify(calendar.body))
  return { email, grantId, calendarId: calendar.body.data.id as string }
}

type ConfigurationOptions = {
  readonly participants?: readonly object[]
  readonly availability?: object
  readonly rules?: object
  readonly event?: object
  readonly scheduler?: object
  readonly top?: object
}

/** A public 30-minute configuration, open round the clock without notice, unless told otherwise. */
export function configurationBody(hosts: readonly TestHost[], options: ConfigurationOptions = {}): object {
  return {
    name: 'Intro call',
    participants:
      options.participants ?? hosts.map(({ email }, index) => participant(email, { isOrganizer: index === 0 })),
    availability: { duration_minutes: 30, ...options.availability, availability_rules: { ...options.rules } },
    event_booking: { title: 'Intro call', timezone: 'UTC', ...options.event },
    scheduler: { min_booking_notice: 0, available_days_in_future: 365, ...options.scheduler },
    ...options.top,
  }
}

export function participant(
  email: string,
  { isOrganizer = false, ...more }: { isOrganizer?: boolean; [key: string]: unknown } = {},
): object {
  return {
    email,
    name: email.split('@')[0],
    is_organizer: isOrganizer,
    availability: { calendar_ids: ['primary'] },
    booking: { calendar_id: 'primary' },
    ...more,
  }
}

/** The id of the new configuration. */
export async function makeConfiguration(
  server: TestServer,
  hosts: readonly TestHost[],
  options: ConfigurationOptions = {},
): Promise<string> {
  const made = await server.request('POST', `/v3/grants/${hosts[0]?.grantId}/scheduling/configurations`, {
    body: configurationBody(hosts, options),
  })
  if (made.status !== 200) throw new Error(JSON.stringify(made.body))
  return made.body.data.id as string
}

/** Books as a guest without any credential. */
export function book(
  server: Pick<TestServer, 'request'>,
  configurationId: string,
  start: number,
  more: { readonly body?: object; readonly headers?: Record<string, string>; readonly minutes?: number } = {},
) {
  return server.request('POST', `/v3/scheduling/bookings?configuration_id=${configurationId}`, {
    token: null,
    ...(more.headers === undefined ? {} : { headers: more.headers }),
    body: {
      start_time: start,
      end_time: start + (more.minutes ?? 30) * 60,
      guest: { name: 'Gil Guest', email: 'gil@guest.example' },
      ...more.body,
    },
  })
}

/** Of the kind that the holder of a grant has, who is no application. */
export async function accessTokenOf(server: TestServer, grantId: string): Promise<string> {
  const client = { client_id: server.clientId, client_secret: server.apiKey }
  const body = { grant_type: 'client_credentials', ...client, grant_id: grantId }
  const issued = await server.request('POST', '/v3/connect/token', { token: null, body })
  return issued.body.access_token
}

/** 09:00 UTC on the day after tomorrow, in Unix seconds: far enough for every notice, and on every grid. */
export function nearFuture(): number {
  return (Math.floor(Date.now() / 86_400_000) + 2) * 86_400 + 9 * 3_600
}
