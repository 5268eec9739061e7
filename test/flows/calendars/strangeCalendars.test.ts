/** Calendars of a real server with what nobody expects in them: each is read for what it is, or says that it cannot be. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { ask, type CaldavServer, type CaldavUser, eventText, putByHand } from '../../support/calendars/caldavServer.ts'
import { startRadicale } from '../../support/calendars/radicale.ts'
import { configure, connect, type RemoteHost, slotsFrom, sync } from '../../support/calendars/remoteHosts.ts'
import { book, nearFuture } from '../../support/hosts.ts'
import { startTestServer } from '../../support/server.ts'

// No worker polls: the test says when.
const server = await startTestServer({}, { ROLE: 'web' })
const nine = nearFuture()
const half = nine + 1800

let radicale: CaldavServer
const users = ['ana', 'ben', 'cyd', 'dan', 'eve']
beforeAll(async () => {
  radicale = await startRadicale(users)
}, 120_000)
afterAll(() => radicale?.stop())

/** A user of the server, whom no other test touches, connected. */
async function connectUser(name: string, timezone?: string): Promise<{ user: CaldavUser; host: RemoteHost }> {
  const user = radicale.users[users.indexOf(name)] as CaldavUser
  return { user, host: await connectAgain(user, timezone) }
}
function connectAgain({ username, password, email }: CaldavUser, timezone?: string): Promise<RemoteHost> {
  const zone = timezone === undefined ? {} : { timezone }
  return connect(server, 'caldav', { server_url: radicale.url, username, password, email, ...zone })
}
const read = (host: RemoteHost) => sync(server, host, host.calendars[0] ?? '')
const utc = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/[-:]|\.000/g, '')

it('an event until the end of all days is busy for as far as anybody asks, whatever the zone', async () => {
  const { user, host } = await connectUser('ana', 'America/Los_Angeles')
  const id = await configure(server, host)
  // In winter the wall shows eight hours less there.
  const start = `DTSTART;TZID=America/Los_Angeles:${utc(half - 8 * 3600).slice(0, -1)}`
  await putByHand(user, 'ever', eventText('ever', [start, 'DTEND;TZID=America/Los_Angeles:99991231T235959']))
  await read(host)
  expect(await slotsFrom(server, id, nine, 3)).toEqual([nine])
})

const day = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10).replaceAll('-', '')
const allDay = (from: number) => [`DTSTART;VALUE=DATE:${day(from)}`, `DTEND;VALUE=DATE:${day(from + 86_400)}`]
const midnight = Math.floor(nine / 86_400) * 86_400
/** Six in the evening of that day in Los Angeles, which is the next day in UTC. */
const evening = midnight + 86_400 + 2 * 3600
const openInLosAngeles = {
  timezone: 'America/Los_Angeles',
  open_hours: [{ days: [0, 1, 2, 3, 4, 5, 6], start: '09:00', end: '23:00', timezone: 'America/Los_Angeles' }],
}

it('a whole day counts wherever on earth it may be, where nobody knows the zone of the calendar', async () => {
  const { user, host } = await connectUser('ben')
  const id = await configure(server, host, { availability: openInLosAngeles })
  await putByHand(user, 'day', eventText('day', allDay(nine)))
  await read(host)
  // The day ends last where the wall shows twelve hours less than UTC.
  const end = midnight + 36 * 3600
  expect(await slotsFrom(server, id, evening)).toEqual([])
  expect((await book(server, id, evening)).body.error.message).toBe('The selected timeslot is unavailable')
  expect(await slotsFrom(server, id, end - 3600, 12)).toContain(midnight + 41 * 3600)
  const shown = await server.request('GET', `/v3/grants/${host.grantId}/calendars`)
  expect(shown.body.data[0].timezone).toBe('UTC')
})

it('its zone is what the object says then, or what somebody says of the calendar, UTC too', async () => {
  const { user, host } = await connectUser('cyd')
  const id = await configure(server, host, { availability: openInLosAngeles })
  const [calendar = ''] = host.calendars
  const text = eventText('day', allDay(nine))
  await putByHand(user, 'day', text.replace('BEGIN:VEVENT', 'X-WR-TIMEZONE:Asia/Tokyo\r\nBEGIN:VEVENT'))
  await read(host)
  expect(await slotsFrom(server, id, evening, 2)).toContain(evening)
  await putByHand(user, 'day', text)
  await read(host)
  expect(await slotsFrom(server, id, evening, 5)).toEqual([])
  const path = `/v3/grants/${host.grantId}/calendars/${encodeURIComponent(calendar)}`
  await server.request('PUT', path, { body: { metadata: { color: 'red' } } })
  await read(host)
  expect(await slotsFrom(server, id, evening, 4)).toEqual([])
  await server.request('PUT', path, { body: { timezone: 'UTC' } })
  await read(host)
  expect(await slotsFrom(server, id, evening, 1)).toEqual([evening, evening + 1800])
})

it('a zone that its owner names later, or the provider changes, counts with the next reading', async () => {
  const { user, host } = await connectUser('dan', 'UTC')
  const id = await configure(server, host, { availability: openInLosAngeles })
  await putByHand(user, 'day', eventText('day', allDay(nine)))
  await read(host)
  expect(await slotsFrom(server, id, evening)).toEqual([evening, evening + 1800])
  await connectAgain(user, 'America/Los_Angeles')
  await read(host)
  expect(await slotsFrom(server, id, evening, 2)).toEqual([])

  const patched = await ask(user, 'PROPPATCH', user.calendar, {
    body: `<D:propertyupdate xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop><C:calendar-timezone>BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//By Hand//EN
BEGIN:VTIMEZONE
TZID:Asia/Tokyo
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0900
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE
END:VCALENDAR</C:calendar-timezone></D:prop></D:set></D:propertyupdate>`,
  })
  expect(patched.status).toBe(207)
  // As once a day.
  await server.app.database.query(sql`
    update openslot.mirrors set read_at = now() - interval '25 hours'
    where app_id = ${server.clientId} and grant_id = ${host.grantId}`)
  await read(host)
  await read(host)
  expect(await slotsFrom(server, id, evening, 3)).toContain(evening)
})

it('an event that cannot be read is named to its owner, and to nobody else', async () => {
  const { user, host } = await connectUser('eve', 'UTC')
  const id = await configure(server, host)
  const lines = [`DTSTART:${utc(nine)}`, 'DURATION:PT1H', 'RRULE:FREQ=MINUTELY']
  await putByHand(user, 'odd', eventText('odd', lines).replace('SUMMARY:By hand', 'SUMMARY:Divorce lawyer'))
  await expect(read(host)).rejects.toThrow('cannot be read')
  const { sync: standing } = (await server.request('GET', `/v3/grants/${host.grantId}/calendars`)).body.data[0]
  expect(standing).toMatchObject({
    status: 'failing',
    reason: expect.stringMatching(/^The calendar has an event that/),
  })
  const date = new Date(nine * 1000).toISOString().slice(0, 10)
  expect(standing.reason).toContain(`It is named "Divorce lawyer" and begins on ${date}.`)
  await server.app.database.query(sql`
    update openslot.mirrors set true_at = null where app_id = ${server.clientId} and grant_id = ${host.grantId}`)
  const offered = await slotsFrom(server, id, nine)
  const booked = await book(server, id, nine)
  for (const told of [offered, booked.body.error.message]) {
    expect(told).toContain('The calendar has an event that cannot be read')
    expect(told).not.toMatch(/lawyer|begins/)
  }
})
