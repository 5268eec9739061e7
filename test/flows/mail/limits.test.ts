/** Which mails are limited, and which are held back because they are no longer true. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { mailsOf, sendMailsOf } from '../../support/mails.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { startSmtp, type TestSmtp } from '../../support/smtp.ts'

let smtp: TestSmtp
let server: TestServer
let host: TestHost
let start = nearFuture()

beforeAll(async () => {
  smtp = await startSmtp()
  // No worker of its own: the tests send what is due when they want it.
  server = await startTestServer({}, { ROLE: 'web', SMTP_URL: smtp.url, MAIL_FROM: 'Front Desk <desk@book.example>' })
})
afterAll(async () => {
  await server.close()
  await smtp.close()
})

let hosts = 0
let guest = ''
beforeEach(async () => {
  host = await makeHost(server, `limits${++hosts}@host.example`)
  guest = `gil${hosts}@guest.example`
  smtp.refuse(undefined)
  smtp.received.length = 0
  start += 86_400
})

const organizerSalt = async (id: string): Promise<string> => {
  const { rows } = await server.app.database.pool.query('select organizer_salt from openslot.bookings where id = $1', [
    id,
  ])
  return rows[0].organizer_salt.toString('base64url')
}
const confirm = async (id: string, configuration: string) =>
  server.request('PUT', `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`, {
    token: null,
    body: { salt: await organizerSalt(id), status: 'confirmed' },
  })
const received = () =>
  smtp.received.filter(({ recipient }) => recipient === guest).map(({ subject }) => subject?.split(':')[0])
const bookIt = async (configuration: string, from: number, token: string | null = null) => {
  const made = await server.request('POST', `/v3/scheduling/bookings?configuration_id=${configuration}`, {
    token,
    body: { start_time: from, end_time: from + 1_800, guest: { name: 'Gil', email: guest } },
  })
  expect(made.status).toBe(200)
  return made.body.data.booking_id as string
}

describe('what the organizer or the application does', () => {
  it('is told however often: of each of four requests that are confirmed within an hour', async () => {
    const id = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation' } })
    const bookings = []
    for (let index = 0; index < 4; index++) bookings.push(await bookIt(id, start + index * 1_800))
    for (const booking of bookings) await sendMailsOf(server, booking)
    // The requests themselves a guest causes, in whose name ever.
    expect(received()).toEqual(Array.from({ length: 3 }, () => 'Booking Request Sent'))
    smtp.received.length = 0
    for (const booking of bookings) {
      expect((await confirm(booking, id)).body.data.status).toBe('booked')
      await sendMailsOf(server, booking)
    }
    expect(received()).toEqual(Array.from({ length: 4 }, () => 'Booking Confirmed'))
  })

  it('neither is limited nor counts: twelve bookings by key, their moves, and then one of a guest', async () => {
    const id = await makeConfiguration(server, [host])
    const bookings = []
    for (let index = 0; index < 12; index++) bookings.push(await bookIt(id, start + index * 1_800, server.apiKey))
    for (const booking of bookings) await sendMailsOf(server, booking)
    expect(received()).toHaveLength(12)
    const [first = ''] = bookings
    const at = start + 20 * 1_800
    const moved = await server.request('PATCH', `/v3/scheduling/bookings/${first}`, {
      body: { start_time: at, end_time: at + 1_800 },
    })
    expect(moved.status).toBe(200)
    expect(await sendMailsOf(server, first)).toEqual(['sent', 'sent'])
    expect(await sendMailsOf(server, await bookIt(id, start + 30 * 1_800))).toEqual(['sent', 'sent'])
    expect(received().slice(-2)).toEqual(['Booking Rescheduled', 'Booking Confirmed'])
  })
})

it('a confirmation that took over one that never arrived is sent, however many the address has had', async () => {
  const id = await makeConfiguration(server, [host])
  const booking = await bookIt(id, start)
  smtp.refuse((recipient) => recipient === guest)
  await sendMailsOf(server, booking)
  smtp.refuse(undefined)
  for (let index = 1; index <= 3; index++) await sendMailsOf(server, await bookIt(id, start + index * 1_800))
  expect(received()).toEqual(Array.from({ length: 3 }, () => 'Booking Confirmed'))
  const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking}?configuration_id=${id}`, {
    token: null,
    body: { start_time: start + 7_200, end_time: start + 9_000 },
  })
  expect(moved.status).toBe(200)
  smtp.refuse((recipient) => recipient === guest, { code: 451, text: 'later' })
  await sendMailsOf(server, booking)
  smtp.refuse(undefined)
  smtp.received.length = 0
  expect(await sendMailsOf(server, booking)).toEqual(['sent'])
  expect(received()).toEqual(['Booking Confirmed'])
})

describe('what its mail server has put off, where no newer mail says better', () => {
  const reminders = [{ type: 'email', minutes_before_event: 60, recipient: 'guest' }]
  const remind = async (booking: string) => {
    await server.app.database.pool.query('update openslot.reminders set due_at = now() where booking_id = $1', [
      booking,
    ])
    const command = { appId: server.clientId as AppId, bookingId: booking as BookingId, number: 0 }
    expect(await server.app.operations.sendReminder(command)).toEqual({ ok: true, value: 'done' })
  }
  const remindInVain = async (configuration: string) => {
    const booking = await bookIt(configuration, start)
    await remind(booking)
    smtp.refuse(() => true, { code: 451, text: 'later' })
    expect(await sendMailsOf(server, booking)).toEqual(['deferred'])
    smtp.refuse(undefined)
    return booking
  }

  it.each([
    ['called off', (path: string) => server.request('DELETE', path, { body: {} }), 'called off'],
    [
      'moved',
      (path: string) => server.request('PATCH', path, { body: { start_time: start + 7_200, end_time: start + 9_000 } }),
      'moved',
    ],
  ] as const)('is not sent of a booking that was %s: a reminder', async (_, change, said) => {
    const id = await makeConfiguration(server, [host], { event: { disable_emails: true, reminders } })
    const booking = await remindInVain(id)
    expect((await change(`/v3/scheduling/bookings/${booking}`)).status).toBe(200)
    expect(await sendMailsOf(server, booking)).toEqual(['nothing to do'])
    expect(await mailsOf(server, booking)).toMatchObject([
      { state: 'held_back', last_error: expect.stringContaining(said) },
    ])
    expect(received()).toEqual([])
  })

  it('is sent of a booking that stands', async () => {
    const id = await makeConfiguration(server, [host], { event: { disable_emails: true, reminders } })
    expect(await sendMailsOf(server, await remindInVain(id))).toEqual(['sent'])
    expect(received()).toEqual(['Reminder'])
  })

  it('is not sent of a booking that was called off silently: a confirmation', async () => {
    const id = await makeConfiguration(server, [host])
    const booking = (await book(server, id, start)).body.data.booking_id as string
    smtp.refuse(() => true, { code: 451, text: 'later' })
    await sendMailsOf(server, booking)
    smtp.refuse(undefined)
    const path = `/v3/grants/${host.grantId}/scheduling/configurations/${id}`
    expect(
      (await server.request('PUT', path, { body: { event_booking: { title: 'Intro call', disable_emails: true } } }))
        .status,
    ).toBe(200)
    expect((await server.request('DELETE', `/v3/scheduling/bookings/${booking}`, { body: {} })).status).toBe(200)
    expect(await sendMailsOf(server, booking)).toEqual(['nothing to do', 'nothing to do'])
    expect(smtp.received).toEqual([])
  })
})
