/** The id of a booking opens it: whoever is not its guest finds neither that nor a reference in what they are sent or may look at. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { decodeReference } from '../../../src/core/booking/reference.ts'
import { ask, type CaldavServer } from '../../support/calendars/caldavServer.ts'
import { startRadicale } from '../../support/calendars/radicale.ts'
import { bookAt, configure, connect, until } from '../../support/calendars/remoteHosts.ts'
import { book, makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { type ReceivedMail, startSmtp, type TestSmtp } from '../../support/smtp.ts'

let smtp: TestSmtp
let radicale: CaldavServer
let server: TestServer
beforeAll(async () => {
  ;[smtp, radicale] = await Promise.all([startSmtp(), startRadicale(['hana'])])
  server = await startTestServer({}, { SMTP_URL: smtp.url, MAIL_FROM: 'Front Desk <desk@book.example>' })
}, 300_000)
afterAll(async () => {
  await server?.close()
  await Promise.all([smtp?.close(), radicale?.stop()])
})

async function mailsTo(recipient: string, count: number): Promise<readonly ReceivedMail[]> {
  const mails = () => smtp.received.filter((mail) => mail.recipient === recipient)
  await until(
    async () => mails().length,
    (received) => expect(received).toBe(count),
  )
  return mails()
}

/** As it came over the wire, and as programs read it: nothing hides behind an encoding. */
const textOf = ({ raw, text, html, calendar, calendarFile }: ReceivedMail) =>
  [raw, text, html, calendar, calendarFile].join('\n').replace(/\r?\n[ \t]/g, '')

/** Whatever may be an id, with dashes or without, or a reference: those are drawn so that they need no escaping. */
function keysIn(text: string): string[] {
  const hex = text.match(/[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}/gi) ?? []
  const ids = hex.map((id) => id.replaceAll('-', '').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'))
  const references = text.match(/[A-Za-z0-9_-]{43,200}/g) ?? []
  return [...new Set([...hex, ...ids, ...references])]
}

async function opens(configuration: string, key: string): Promise<boolean> {
  const query = `configuration_id=${configuration}`
  const answers = await Promise.all([
    server.request('GET', `/v3/scheduling/bookings/${key}?${query}`, { token: null }),
    server.request('GET', `/v3/scheduling/ui-settings?${query}&booking_id=${key}`, { token: null }),
    server.request('GET', `/v3/scheduling/bookings/${decodeReference(key)?.bookingId}`, { token: key }),
  ])
  return answers.some(({ status }) => status === 200)
}

async function openersIn(configuration: string, texts: readonly string[]): Promise<string[]> {
  const keys = keysIn(texts.join('\n'))
  expect(keys.length).toBeGreaterThan(0)
  const found = await Promise.all(keys.map(async (key) => ((await opens(configuration, key)) ? [key] : [])))
  return found.flat()
}

it('an additional guest, and whoever sees the calendar, cannot open the booking; its guest can', async () => {
  const [user] = radicale.users
  if (user === undefined) throw new Error('nobody has a calendar')
  const { username, password, email } = user
  const host = await connect(server, 'caldav', { server_url: radicale.url, username, password, email })
  const configuration = await configure(server, host)
  const from = nearFuture()
  const booking = await bookAt(server, configuration, from, {
    body: {
      guest: { name: 'Gil', email: 'gil@guest.example' },
      additional_guests: [{ name: 'Eve', email: 'eve@guest.example' }],
    },
  })
  const readCalendar = async () => {
    const { text } = await ask(user, 'REPORT', new URL(host.calendars[0] ?? '', user.calendar).href, {
      headers: { depth: '1' },
      body: `<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`,
    })
    return text.replace(/\r?\n[ \t]/g, '')
  }
  const onCalendar = [await readCalendar()]
  expect(onCalendar[0]).toContain('SUMMARY:Intro call')
  expect(await openersIn(configuration, (await mailsTo('gil@guest.example', 1)).map(textOf))).not.toEqual([])

  const path = `/v3/scheduling/bookings/${booking}?configuration_id=${configuration}`
  const body = { start_time: from + 7_200, end_time: from + 9_000 }
  expect((await server.request('PATCH', path, { token: null, body })).status).toBe(200)
  await mailsTo('eve@guest.example', 2)
  onCalendar.push(await readCalendar())
  const mails = await mailsTo('eve@guest.example', 2)
  expect(mails.map(({ references }) => references)).toEqual(Array(2).fill(mails[0]?.references))
  expect(await openersIn(configuration, mails.map(textOf))).toEqual([])
  expect(await openersIn(configuration, onCalendar)).toEqual([])

  expect((await server.request('DELETE', path, { token: null, body: {} })).status).toBe(200)
  const uids = (await mailsTo('eve@guest.example', 3)).map(({ calendar = '' }) => /^UID:(.*)$/m.exec(calendar)?.[1])
  expect(new Set(uids).size).toBe(1)
  expect(onCalendar.join()).toContain(uids[0]?.trim())
})

it('a booking whose event has its own id, as older servers gave it, keeps the UID and the thread that calendars and mailboxes know', async () => {
  const host = await makeHost(server, 'old@host.example')
  const configuration = await makeConfiguration(server, [host])
  const start = nearFuture()
  const made = await book(server, configuration, start, {
    body: { guest: { name: 'Ole', email: 'ole@guest.example' } },
  })
  const { booking_id, event_id } = made.body.data
  const old = booking_id.replaceAll('-', '')
  const { pool } = server.app.database
  await pool.query('update openslot.bookings set event_id = $1 where event_id = $2', [old, event_id])
  await pool.query('update openslot.events set id = $1, ical_uid = $2 where id = $3', [
    old,
    `${booking_id}@openslot`,
    event_id,
  ])
  await mailsTo('ole@guest.example', 1)
  const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${configuration}`
  const body = { start_time: start + 7_200, end_time: start + 9_000 }
  const moved = await server.request('PATCH', path, { token: null, body })
  expect(moved.body.data).toMatchObject({ event_id: old, ical_uid: `${booking_id}@openslot` })
  const mail = (await mailsTo('ole@guest.example', 2))[1]
  expect(mail?.references).toBe(`<booking-${booking_id}@book.example>`)
  expect(mail?.calendar).toMatch(new RegExp(`^UID:${booking_id}@openslot\\r?$`, 'm'))
  const events = await server.request('GET', `/v3/grants/${host.grantId}/events?calendar_id=primary`)
  expect(events.body.data).toMatchObject([{ id: old, when: body }])
})
