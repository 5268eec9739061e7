/**
 * Invitations as somebody else's calendar server takes them from the mail: one event that moves, and goes.
 * This server takes an older SEQUENCE as well, so what comes late is left to the model of calendar programs.
 */
import ICAL from 'ical.js'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { decodeReference, encodeSalt } from '../../../src/core/booking/reference.ts'
import { type Cyrus, type CyrusUser, startCyrus } from '../../support/calendars/cyrus.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { sendMailsOf } from '../../support/mails.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { type ReceivedMail, startSmtp, type TestSmtp } from '../../support/smtp.ts'

let cyrus: Cyrus
let smtp: TestSmtp
let server: TestServer
let host: TestHost
let start = nearFuture()

beforeAll(async () => {
  ;[cyrus, smtp] = await Promise.all([startCyrus({ users: ['alice', 'bob', 'carl', 'hana'] }), startSmtp()])
  server = await startTestServer({}, { ROLE: 'web', SMTP_URL: smtp.url, MAIL_FROM: 'Front Desk <desk@book.example>' })
  host = await makeHost(server, cyrus.user('hana').email)
}, 300_000)
afterAll(async () => {
  await server?.close()
  await smtp?.close()
  await cyrus?.stop()
})
beforeEach(() => {
  start += 86_400
})

/** Sends what waits, and gives each mail to its addressee's mailbox as it came over the wire. */
async function post(bookingId: string): Promise<ReceivedMail[]> {
  smtp.received.length = 0
  await sendMailsOf(server, bookingId)
  const mails = [...smtp.received]
  for (const mail of mails) await handOver(mail)
  return mails
}

const handOver = ({ recipient, raw }: ReceivedMail) =>
  cyrus.deliver({ from: 'desk@book.example', to: [recipient], raw })

/** The events that a person sees, as the calendar server tells them. */
async function calendarOf(user: CyrusUser) {
  return (await cyrus.readCalendar(user)).map((text) => {
    const event = new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent('vevent')
    const value = (name: string) => event?.getFirstPropertyValue(name)
    const time = (name: string) => (value(name) as ICAL.Time).toUnixTime()
    return {
      uid: String(value('uid')),
      sequence: Number(value('sequence')),
      title: String(value('summary')),
      status: String(value('status')),
      times: [time('dtstart'), time('dtend')],
      organizer: String(value('organizer')),
      attendees: event
        ?.getAllProperties('attendee')
        .map((one) => String(one.getFirstValue()))
        .toSorted(),
    }
  })
}

describe('in the calendars of guest, additional guest and host', () => {
  it('a booking is one event, which moves twice and goes', async () => {
    const people = ['alice', 'bob', 'hana'].map(cyrus.user)
    const configuration = await makeConfiguration(server, [host])
    const made = await book(server, configuration, start, {
      body: {
        guest: { name: 'Alice; "A", Ünder', email: cyrus.user('alice').email },
        additional_guests: [{ email: cyrus.user('bob').email, name: 'Bob' }],
      },
    })
    const id = made.body.data.booking_id as string
    expect((await post(id)).length).toBe(3)
    const [first] = await calendarOf(cyrus.user('alice'))
    expect(first).toMatchObject({
      title: 'Intro call',
      status: 'CONFIRMED',
      times: [start, start + 1_800],
      organizer: 'mailto:desk@book.example',
      attendees: people.map(({ email }) => `mailto:${email}`).toSorted(),
    })
    for (const person of people) expect(await calendarOf(person)).toEqual([first])

    const path = `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`
    let sequence = first?.sequence ?? Number.NaN
    for (const hours of [2, 5]) {
      const times = [start + hours * 3_600, start + hours * 3_600 + 1_800]
      const body = { start_time: times[0], end_time: times[1] }
      expect((await server.request('PATCH', path, { token: null, body })).status).toBe(200)
      await post(id)
      for (const person of people) expect(await calendarOf(person)).toMatchObject([{ uid: first?.uid, times }])
      const moved = (await calendarOf(cyrus.user('alice')))[0]?.sequence ?? Number.NaN
      expect(moved).toBeGreaterThan(sequence)
      sequence = moved
    }

    expect((await server.request('DELETE', path, { token: null })).status).toBe(200)
    const cancellations = await post(id)
    expect(cancellations.length).toBe(3)
    for (const person of people) expect(await calendarOf(person)).toEqual([])
    // Handed over once more, as a mail server may: nothing comes back.
    for (const mail of cancellations) await handOver(mail)
    for (const person of people) expect(await calendarOf(person)).toEqual([])
  })

  it('a mail that comes twice changes nothing', async () => {
    const configuration = await makeConfiguration(server, [host])
    const body = { guest: { name: 'Alice', email: cyrus.user('alice').email } }
    const id = (await book(server, configuration, start, { body })).body.data.booking_id as string
    await post(id)
    const path = `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`
    const times = { start_time: start + 3_600, end_time: start + 5_400 }
    expect((await server.request('PATCH', path, { token: null, body: times })).status).toBe(200)
    const updates = await post(id)
    const before = await calendarOf(cyrus.user('alice'))
    expect(before).toMatchObject([{ times: [times.start_time, times.end_time] }])
    for (const mail of updates) await handOver(mail)
    expect(await calendarOf(cyrus.user('alice'))).toEqual(before)
    expect((await server.request('DELETE', path, { token: null })).status).toBe(200)
    await post(id)
    expect(await calendarOf(cyrus.user('alice'))).toEqual([])
  })

  it('who is not brought along any more loses the event, and the others keep it', async () => {
    const configuration = await makeConfiguration(server, [host])
    const made = await book(server, configuration, start, {
      body: {
        guest: { name: 'Alice', email: cyrus.user('alice').email },
        additional_guests: [{ email: cyrus.user('bob').email, name: 'Bob' }],
      },
    })
    const id = made.body.data.booking_id as string
    await post(id)
    expect((await calendarOf(cyrus.user('bob'))).length).toBe(1)
    const path = `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`
    const body = { start_time: start + 3_600, end_time: start + 5_400, additional_guests: [] }
    expect((await server.request('PATCH', path, { token: null, body })).status).toBe(200)
    await post(id)
    expect(await calendarOf(cyrus.user('bob'))).toEqual([])
    expect(await calendarOf(cyrus.user('alice'))).toMatchObject([{ times: [start + 3_600, start + 5_400] }])
    expect((await server.request('DELETE', path, { token: null })).status).toBe(200)
    await post(id)
    expect(await calendarOf(cyrus.user('hana'))).toEqual([])
  })

  it('a request is no event until it is confirmed, and then one', async () => {
    const configuration = await makeConfiguration(server, [host], {
      event: { booking_type: 'organizer-confirmation' },
    })
    // Nobody of the tests before: an address gets three confirmations an hour.
    const body = { guest: { name: 'Carl', email: cyrus.user('carl').email } }
    const id = (await book(server, configuration, start, { body })).body.data.booking_id as string
    await post(id)
    for (const person of cyrus.users) expect(await calendarOf(person)).toEqual([])
    const listed = await server.request(
      'GET',
      `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${configuration}`,
    )
    const reference = listed.body.data[0].organizer_booking_ref as string
    const salt = encodeSalt(decodeReference(reference)?.salt ?? new Uint8Array())
    const answer = await server.request('PUT', `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`, {
      body: { salt, status: 'confirmed' },
    })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    await post(id)
    for (const name of ['carl', 'hana'])
      expect(await calendarOf(cyrus.user(name))).toMatchObject([{ times: [start, start + 1_800] }])
    expect(await calendarOf(cyrus.user('bob'))).toEqual([])
  })
})
