/** Hosts whose calendars are elsewhere, and what tests wait for of them. */
import { expect, vi } from 'vitest'

import type { AppId, CalendarId, GrantId } from '../../../src/core/ids.ts'
import { book, makeConfiguration, participant } from '../hosts.ts'
import type { TestServer } from '../server.ts'

export type RemoteHost = { readonly email: string; readonly grantId: string; readonly calendars: readonly string[] }

/** Connects an account; throws unless it opens. */
export async function connect(
  server: Pick<TestServer, 'request'>,
  provider: 'icloud' | 'caldav',
  settings: Readonly<Record<string, string>>,
): Promise<RemoteHost> {
  const grant = await server.request('POST', '/v3/connect/custom', { body: { provider, settings } })
  if (grant.status !== 201) throw new Error(JSON.stringify(grant.body))
  const { id, email } = grant.body.data
  const listed = await server.request('GET', `/v3/grants/${id}/calendars`)
  return { email, grantId: id, calendars: listed.body.data.map((calendar: { id: string }) => calendar.id) }
}

/** A configuration of one host, by default reading and writing the first calendar. */
export function configure(
  server: TestServer,
  host: RemoteHost,
  {
    read = host.calendars.slice(0, 1),
    write = host.calendars[0],
    availability = {},
    ...more
  }: {
    readonly read?: readonly string[]
    readonly write?: string | undefined
    /** More of the participant's `availability`. */
    readonly availability?: object
    readonly event?: object
    readonly scheduler?: object
  } = {},
): Promise<string> {
  return makeConfiguration(server, [{ ...host, calendarId: host.calendars[0] ?? '' }], {
    ...more,
    participants: [
      participant(host.email, {
        isOrganizer: true,
        availability: { calendar_ids: read, ...availability },
        booking: { calendar_id: write },
      }),
    ],
  })
}

/** Starts of the slots of one hour from `from`, in Unix seconds; or the message of the refusal. */
export async function slotsFrom(
  server: Pick<TestServer, 'request'>,
  id: string,
  from: number,
  hours = 1,
): Promise<number[] | string> {
  const answer = await server.request(
    'GET',
    `/v3/scheduling/availability?configuration_id=${id}&start_time=${from}&end_time=${from + hours * 3600}`,
    { token: null },
  )
  return answer.status === 200
    ? answer.body.data.time_slots.map((slot: { start_time: number }) => slot.start_time)
    : answer.body.error.message
}

/** The id of a booking that was made. */
export async function bookAt(
  server: Pick<TestServer, 'request'>,
  id: string,
  from: number,
  more: Parameters<typeof book>[3] = {},
): Promise<string> {
  const made = await book(server, id, from, more)
  expect(made.body).toMatchObject({ data: { status: 'booked' } })
  return made.body.data.booking_id as string
}

/** As its key holder sees it. */
export async function readBooking(server: Pick<TestServer, 'request'>, bookingId: string) {
  const read = await server.request('GET', `/v3/scheduling/bookings/${bookingId}`)
  return read.body.data
}

/** One calendar is read now, as its poll would. */
export async function sync(
  { app, clientId }: Pick<TestServer, 'app' | 'clientId'>,
  { grantId }: Pick<RemoteHost, 'grantId'>,
  calendarId: string,
): Promise<void> {
  const key = { grantId: grantId as GrantId, calendarId: calendarId as CalendarId }
  const synced = await app.operations.syncCalendar({ appId: clientId as AppId, key, urgency: 'inBackground' })
  if (!synced.ok) throw new Error(synced.problem.message)
}

/** Waits until `read` answers what is expected. */
export function until<T>(read: () => Promise<T>, check: (value: T) => void): Promise<void> {
  return vi.waitFor(async () => check(await read()), { timeout: 20_000, interval: 50 })
}

export function milliseconds(from: number, minutes = 30) {
  return { start: from * 1000, end: (from + minutes * 60) * 1000 } as never
}
