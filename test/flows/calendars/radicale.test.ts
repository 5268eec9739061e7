/** The whole way on a real server: connect, offer, book, and what its owner does there with another calendar program. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { ask, type CaldavServer, type CaldavUser, eventText, putByHand } from '../../support/calendars/caldavServer.ts'
import { startRadicale } from '../../support/calendars/radicale.ts'
import {
  bookAt,
  configure,
  connect,
  type RemoteHost,
  readBooking,
  slotsFrom,
  sync,
  until,
} from '../../support/calendars/remoteHosts.ts'
import { book, makeConfiguration, makeHost, nearFuture, participant } from '../../support/hosts.ts'
import { startTestServer } from '../../support/server.ts'

// No worker polls: the test says when, but for the one that waits for it.
const server = await startTestServer({}, { ROLE: 'web' })
const nine = nearFuture()
const half = nine + 1800

let radicale: CaldavServer
let ana: CaldavUser
let host: RemoteHost
let id: string
beforeAll(async () => {
  radicale = await startRadicale(['ana', 'ben'])
  ana = radicale.users[0] as CaldavUser
  host = await connect(server, 'caldav', {
    server_url: radicale.url,
    username: ana.username,
    password: ana.password,
    email: ana.email,
    timezone: 'Europe/Paris',
  })
  id = await configure(server, host)
}, 120_000)
afterAll(() => radicale?.stop())

const utc = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/[-:]|\.000/g, '')
const timed = (from: number) => [`DTSTART:${utc(from)}`, `DTEND:${utc(from + 1800)}`]
const poll = () => sync(server, host, host.calendars[0] ?? '')
const own = async (user = ana) => {
  const listed = await ask(user, 'PROPFIND', user.calendar, {
    headers: { depth: '1' },
    body: '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>',
  })
  const names = [...listed.text.matchAll(/main\/([0-9a-f]{32})\.ics/g)].map((found) => found[1] ?? '')
  return [...new Set(names)]
}
const read = async (name: string) => (await ask(ana, 'GET', `${ana.calendar}${name}.ics`)).text

it('signs in, and says what is wrong where it cannot', async () => {
  expect(host.calendars).toHaveLength(1)
  const refusal = async (settings: object) => {
    const reply = await server.request('POST', '/v3/connect/custom', { body: { provider: 'caldav', settings } })
    expect(reply.status).toBe(400)
    return reply.body.error.message as string
  }
  const { username, password, email } = ana
  const right = { server_url: radicale.url, username, password, email }
  expect(await refusal({ ...right, password: 'wrong' })).toContain('settings.password')
  expect(await refusal({ ...right, server_url: 'http://127.0.0.1:1/' })).toContain('settings.server_url')
  expect(await refusal({ ...right, timezone: 'Mars/Olympus' })).toContain('settings.timezone')
  expect(await refusal({ ...right, email: undefined })).toContain('settings.email')
  expect(await refusal({ username: 'ana', password: 'x' })).toContain('settings.server_url')
})

it('reads what is busy, also whole days and series in the zone of the account', async () => {
  expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
  await putByHand(ana, 'dentist', eventText('dentist', timed(nine)))
  expect((await book(server, id, nine)).status).toBe(400)
  await poll()
  expect(await slotsFrom(server, id, nine)).toEqual([half])
  await ask(ana, 'DELETE', `${ana.calendar}dentist.ics`)
  const day = utc(nine).slice(0, 8)
  await putByHand(ana, 'holiday', eventText('holiday', [`DTSTART;VALUE=DATE:${day}`]))
  await poll()
  expect(await slotsFrom(server, id, nine)).toEqual([])
  await ask(ana, 'DELETE', `${ana.calendar}holiday.ics`)
  const weekAgo = nine - 7 * 86_400
  await putByHand(ana, 'weekly', eventText('weekly', [...timed(weekAgo), 'RRULE:FREQ=WEEKLY;COUNT=3']))
  await poll()
  expect(await slotsFrom(server, id, nine)).toEqual([half])
  await ask(ana, 'DELETE', `${ana.calendar}weekly.ics`)
  await poll()
  expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
})

it('books, moves and cancels there', async () => {
  const bookingId = await bookAt(server, id, nine)
  const [name = ''] = await own()
  expect(await read(name)).toMatch(/SUMMARY:Intro call/)
  expect(await slotsFrom(server, id, nine)).toEqual([half])
  const moved = await server.request('PATCH', `/v3/scheduling/bookings/${bookingId}`, {
    body: { start_time: half, end_time: half + 1800 },
  })
  expect(moved.status).toBe(200)
  expect(await own()).toEqual([name])
  expect(await slotsFrom(server, id, nine)).toEqual([nine])
  await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })
  expect(await own()).toEqual([])
  expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
})

it('follows the hand of the owner: moved there, and then deleted', async () => {
  const bookingId = await bookAt(server, id, nine)
  await poll()
  const [name = ''] = await own()
  const text = await read(name)
  const dragged = text
    .replace(/DTSTART[^\r\n]*/, `DTSTART:${utc(half)}`)
    .replace(/DTEND[^\r\n]*/, `DTEND:${utc(half + 1800)}`)
  await putByHand(ana, name, dragged)
  await poll()
  await until(
    () => slotsFrom(server, id, nine),
    (slots) => expect(slots).toEqual([nine]),
  )
  expect((await readBooking(server, bookingId)).status).toBe('booked')
  expect(await own()).toEqual([name])

  await poll()
  await ask(ana, 'DELETE', `${ana.calendar}${name}.ics`)
  await poll()
  await until(
    () => readBooking(server, bookingId),
    (booking) => expect(booking.status).toBe('cancelled'),
  )
  expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
})

it('invites by our own mail, because this server invites nobody', async () => {
  const bookingId = await bookAt(server, id, nine)
  await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })
  const rows = await server.app.database.query<{ to: string; method: string | null }>(sql`
    select recipient as to, body #>> '{invitation,method}' as method from openslot.deliveries
    where app_id = ${server.clientId} and kind = 'mail' and booking_id = ${bookingId} order by id`)
  expect(rows.filter(({ to }) => to === 'gil@guest.example').map(({ method }) => method)).toEqual(['REQUEST', 'CANCEL'])
})

it('two guests who want the same slot at the same time get one booking and one event', async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, () => book(server, id, half)))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400, 400, 400])
  expect(await own()).toHaveLength(1)
})

it('keeps the event of a booking whose account is connected under another name too, and again after it was taken away', async () => {
  const ben = radicale.users[1] as CaldavUser
  const { username, password } = ben
  const sign = (server_url: string, email = ben.email) =>
    connect(server, 'caldav', { server_url, username, password, email, timezone: 'Europe/Paris' })
  const first = await sign(radicale.url)
  const keeper = await makeHost(server, 'keeper@host.example')
  const calendar = first.calendars[0] ?? ''
  const ofBen = await makeConfiguration(server, [keeper], {
    participants: [
      participant(first.email, {
        isOrganizer: true,
        availability: { calendar_ids: [calendar] },
        booking: { calendar_id: calendar },
      }),
    ],
  })
  const bookingId = await bookAt(server, ofBen, nine)
  const second = await sign(radicale.url.replace('127.0.0.1', 'localhost'), 'ben@elsewhere.example')
  expect(second.grantId).not.toBe(first.grantId)
  await sync(server, second, second.calendars[0] ?? '')
  expect(await own(ben)).toHaveLength(1)

  await server.request('DELETE', `/v3/grants/${first.grantId}`)
  const again = await sign(radicale.url)
  expect((await book(server, ofBen, nine)).status).toBe(400)
  await sync(server, again, calendar)
  expect(await own(ben)).toHaveLength(1)
  expect(await slotsFrom(server, ofBen, nine)).toEqual([half])
  const moved = await server.request('PATCH', `/v3/scheduling/bookings/${bookingId}`, {
    body: { start_time: half, end_time: half + 1800 },
  })
  expect(moved.status).toBe(200)
  await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })
  expect(await own(ben)).toEqual([])
})
