/** Mails over a real SMTP server that takes them, refuses, defers, drops the line or is away; and what each row says of it. */
import fc from 'fast-check'
import ICAL from 'ical.js'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Transaction } from '../../../src/adapters/storage/database/database.ts'
import { reviveMail } from '../../../src/adapters/storage/mails/attempts.ts'
import { claimMail, renewMail } from '../../../src/adapters/storage/mails/claim.ts'
import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { openCalendar } from '../../support/calendars/calendarProgram.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { mailsOf as listMailsOf, sendMailsOf } from '../../support/mails.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { type ReceivedMail, startSmtp, type TestSmtp } from '../../support/smtp.ts'

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
/** Each test's own: an address gets three confirmations an hour. */
let guest = ''
beforeEach(async () => {
  host = await makeHost(server, `host${++hosts}@host.example`, 'Europe/Berlin')
  guest = `gil${hosts}@guest.example`
  smtp.refuse(undefined)
  smtp.received.length = 0
  start += 86_400
})

const bookIt = (id: string, from: number, body: object = {}) =>
  book(server, id, from, { body: { guest: { name: 'Gil Guest', email: guest }, ...body } })
const appId = () => server.clientId as AppId
const mailsOf = (bookingId: string) => listMailsOf(server, bookingId)
const show = async (id: string) => (await server.request('GET', `/v3/mails/${id}`)).body.data

const sendAll = (bookingId: string) => sendMailsOf(server, bookingId)

const to = (recipient: string): ReceivedMail => {
  const found = smtp.received.filter((mail) => mail.recipient === recipient)
  expect(found.length, `mails to ${recipient}`).toBe(1)
  return found[0] as ReceivedMail
}

function eventOf(mail: ReceivedMail) {
  const calendar = new ICAL.Component(ICAL.parse(mail.calendar ?? ''))
  const event = calendar.getFirstSubcomponent('vevent')
  const text = (name: string) => String(event?.getFirstPropertyValue(name) ?? '')
  return { method: String(calendar.getFirstPropertyValue('method')), event, text }
}

const links = {
  rescheduling_url: 'https://book.example/move/:booking_ref',
  cancellation_url: 'https://book.example/cancel?b=:booking_ref',
  organizer_confirmation_url: 'https://book.example/confirm/:booking_ref',
}

describe('a booking', () => {
  it('is told to guest, additional guests and host, moved and cancelled, as one event with one UID', async () => {
    const id = await makeConfiguration(server, [host], { scheduler: links })
    const made = await bookIt(id, start, {
      timezone: 'America/New_York',
      email_language: 'fr',
      additional_guests: [{ email: 'zoe@guest.example', name: 'Zoë' }],
    })
    const { booking_id, booking_ref } = made.body.data
    expect(await sendAll(booking_id)).toEqual(['sent', 'sent', 'sent'])

    const told = to(guest)
    expect(told.from).toEqual({ name: 'Front Desk', address: 'desk@book.example' })
    expect(told.replyTo).toEqual([{ name: host.email.split('@')[0], address: host.email }])
    expect(told.subject).toMatch(/^Réservation confirmée: Intro call · /)
    expect(told.text).toContain('(America/New_York)')
    expect(told.text).toContain(`https://book.example/move/${encodeURIComponent(booking_ref)}`)
    expect(told.html).toContain(`href="https://book.example/cancel?b=${encodeURIComponent(booking_ref)}"`)
    expect(to('zoe@guest.example').text).not.toContain('https://book.example')
    const organizer = to(host.email)
    expect(organizer.subject).toMatch(/^Booking Confirmed: Intro call/)
    expect(organizer.text).toContain(`Gil Guest (${guest})`)
    expect(organizer.text).toContain('Time zone: Coordinated Universal Time (UTC)')

    const first = eventOf(told)
    expect(first.method).toBe('REQUEST')
    expect(told.raw).toMatch(/content-type: text\/calendar; charset=utf-8; method=REQUEST/i)
    expect(first.text('description')).toContain(`https://book.example/move/${encodeURIComponent(booking_ref)}`)
    // Colleagues read a host's calendar, not a host's mails.
    expect(organizer.text).toContain('https://book.example/move/')
    expect(eventOf(organizer).text('description')).toBe('')
    expect(first.text('organizer')).toBe('mailto:desk@book.example')
    expect(first.event?.getAllProperties('attendee').map((property) => String(property.getFirstValue()))).toEqual([
      `mailto:${guest}`,
      'mailto:zoe@guest.example',
      `mailto:${host.email}`,
    ])
    expect(first.event?.getFirstPropertyValue('dtstart')).toMatchObject({ zone: ICAL.Timezone.utcTimezone })

    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
    const body = { start_time: start + 7_200, end_time: start + 9_000, additional_guests: [] }
    const seen = [first]
    smtp.received.length = 0
    expect((await server.request('PATCH', path, { token: null, body })).status).toBe(200)
    await sendAll(booking_id)
    seen.push(eventOf(to(guest)))
    expect(to(guest).text).toMatch(/Auparavant: /)
    // Who is not brought along any more is told, and their calendar forgets it.
    expect(eventOf(to('zoe@guest.example'))).toMatchObject({ method: 'CANCEL' })
    expect(eventOf(to('zoe@guest.example')).text('uid')).toBe(first.text('uid'))
    expect(to('zoe@guest.example').subject).toMatch(/^Réservation annulée/)

    smtp.received.length = 0
    await server.request('DELETE', path, { token: null, body: { cancellation_reason: 'Ill; sorry,\nnext week' } })
    await sendAll(booking_id)
    seen.push(eventOf(to(guest)))
    expect(to(host.email).text).toContain('Ill; sorry,')
    expect(smtp.received.length).toBe(2)

    expect(seen.map(({ method }) => method)).toEqual(['REQUEST', 'REQUEST', 'CANCEL'])
    expect(new Set(seen.map(({ text }) => text('uid'))).size).toBe(1)
    const sequences = seen.map(({ text }) => Number(text('sequence')))
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
    expect(new Set(sequences).size).toBe(3)
    expect(seen.map(({ text }) => text('status'))).toEqual(['CONFIRMED', 'CONFIRMED', 'CANCELLED'])
  })

  it('that waits asks the organizer and invites nobody until it is confirmed', async () => {
    const id = await makeConfiguration(server, [host], {
      event: { booking_type: 'organizer-confirmation' },
      scheduler: links,
    })
    const { booking_id, booking_ref } = (await bookIt(id, start)).body.data
    await sendAll(booking_id)
    const listed = await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${id}`)
    const reference = listed.body.data[0].organizer_booking_ref as string
    expect(reference).not.toBe(booking_ref)
    expect(to(host.email).text).toContain(`https://book.example/confirm/${encodeURIComponent(reference)}`)
    expect(to(guest).raw).not.toContain(reference)
    expect(smtp.received.map(({ calendar }) => calendar)).toEqual([undefined, undefined])
    expect((await mailsOf(booking_id)).map(({ kind }) => kind)).toEqual(['confirmation_request', 'request_received'])
  })

  it('tells nobody where mails are disabled', async () => {
    const id = await makeConfiguration(server, [host], { event: { disable_emails: true } })
    const { booking_id } = (await bookIt(id, start)).body.data
    expect(await mailsOf(booking_id)).toEqual([])
  })

  it('says the same when it is sent late, whatever happened since', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (await bookIt(id, start)).body.data
    const [mail] = await mailsOf(booking_id)
    const before = await show(mail?.id ?? '')
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
    await server.request('PATCH', path, { token: null, body: { start_time: start + 3_600, end_time: start + 5_400 } })
    await server.request('PUT', `/v3/grants/${host.grantId}/scheduling/configurations/${id}`, {
      body: { event_booking: { title: 'Another name', timezone: 'Asia/Tokyo' } },
    })
    const after = await show(mail?.id ?? '')
    expect([after.text, after.html, after.invitation, after.subject, after.message_id]).toEqual([
      before.text,
      before.html,
      before.invitation,
      before.subject,
      before.message_id,
    ])
  })
})

it('booked, moved twice and cancelled is one entry and then none in a calendar program, in whatever order and however often the mails come', async () => {
  const id = await makeConfiguration(server, [host])
  const { booking_id } = (await bookIt(id, start)).body.data
  await sendAll(booking_id)
  const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
  for (const hours of [2, 4]) {
    const body = { start_time: start + hours * 3_600, end_time: start + hours * 3_600 + 1_800 }
    expect((await server.request('PATCH', path, { token: null, body })).status).toBe(200)
    await sendAll(booking_id)
  }
  expect((await server.request('DELETE', path, { token: null })).status).toBe(200)
  await sendAll(booking_id)
  for (const reader of [guest, host.email]) {
    const files = smtp.received
      .filter(({ recipient }) => recipient === reader)
      .map(({ calendarFile = '', from }) => ({ text: calendarFile, from: from?.address ?? '' }))
    expect(files.length).toBe(4)
    const seen: (number | undefined)[] = []
    const program = openCalendar(reader)
    for (const { text, from } of files) {
      program.take(text, from)
      seen.push(program.entries()[0]?.startSeconds)
      expect(program.entries().length).toBeLessThanOrEqual(1)
    }
    expect(seen).toEqual([start, start + 2 * 3_600, start + 4 * 3_600, undefined])
    const repeated = fc.shuffledSubarray([...files, ...files], { minLength: 8 })
    fc.assert(
      fc.property(repeated, (mails) => {
        const late = openCalendar(reader)
        for (const { text, from } of mails) late.take(text, from)
        expect(late.entries()).toEqual([])
      }),
    )
    const withoutEnd = fc.shuffledSubarray(files.slice(0, 3), { minLength: 3 })
    fc.assert(
      fc.property(withoutEnd, (mails) => {
        const late = openCalendar(reader)
        for (const { text, from } of mails) late.take(text, from)
        expect(late.entries().map(({ startSeconds }) => startSeconds)).toEqual([start + 4 * 3_600])
      }),
    )
  }
})

describe('what a guest writes', () => {
  it('stays text: no header, no markup, no line of the invitation comes of it', async () => {
    const id = await makeConfiguration(server, [host], {
      event: { title: 'Chat with ${invitee}', description: 'About ${topic}' },
      scheduler: { additional_fields: { topic: { label: 'Topic', type: 'multi_line_text' } } },
    })
    const made = await book(server, id, start, {
      body: {
        guest: { name: 'Eve\r\nBcc: victim@x.example\r\n\r\n<b>x</b>', email: 'eve@guest.example' },
        additional_fields: { topic: '<img src=x onerror=alert(1)>\r\nATTENDEE:mailto:victim@x.example\r\nEND:VEVENT' },
      },
    })
    await sendAll(made.body.data.booking_id)
    expect(smtp.received.map(({ recipient }) => recipient)).toEqual(['eve@guest.example', host.email])
    for (const mail of smtp.received) {
      expect(mail.bcc).toBeUndefined()
      expect(mail.subject).toMatch(/^Booking Confirmed: Intro call · [^<>\r\n]*$/)
      expect(mail.html).not.toMatch(/<img|<b>/)
      const { event, text } = eventOf(mail)
      expect(event?.getAllProperties('attendee').length).toBe(2)
      expect(text('description')).toContain('ATTENDEE:mailto:victim')
      expect(mail.calendarFile?.replaceAll('\r\n', '\n')).toBe(mail.calendar)
      for (const line of mail.calendarFile?.split('\r\n') ?? []) {
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
        expect(line).not.toMatch(/[\r\n]/)
      }
    }
  })
})

describe('a mail server', () => {
  it('that refuses one of three recipients for good costs that one mail, and its row says why', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (
      await bookIt(id, start, { additional_guests: [{ email: 'gone@guest.example', name: 'Gone' }] })
    ).body.data
    smtp.refuse((recipient) => recipient.startsWith('gone@'))
    expect((await sendAll(booking_id)).toSorted()).toEqual(['refused', 'sent', 'sent'])
    const mails = await mailsOf(booking_id)
    expect(mails.map(({ state, to: { email } }) => [email, state])).toEqual([
      [guest, 'sent'],
      ['gone@guest.example', 'failed'],
      [host.email, 'sent'],
    ])
    expect(mails[1]?.last_error).toContain('550')
    expect((await show(mails[1]?.id ?? '')).tries).toMatchObject([{ outcome: 'refused' }])
  })

  it('that is away, then defers, then drops the line after the message gets it in the end, under one Message-ID', async () => {
    const id = await makeConfiguration(server, [host], { event: { disable_emails: false } })
    await smtp.goAway()
    const { booking_id } = (await bookIt(id, start)).body.data
    expect(await sendAll(booking_id)).toEqual(['deferred', 'deferred'])
    await smtp.comeBack()
    smtp.refuse(() => true, { code: 451, text: 'greylisted, come again' })
    expect(await sendAll(booking_id)).toEqual(['deferred', 'deferred'])
    smtp.refuse(undefined)
    smtp.dropAfterData(2)
    expect(await sendAll(booking_id)).toEqual(['deferred', 'deferred'])
    expect(await sendAll(booking_id)).toEqual(['sent', 'sent'])
    expect(await sendAll(booking_id)).toEqual([])

    const [mail] = await mailsOf(booking_id)
    expect(mail).toMatchObject({ state: 'sent', attempts: 4, last_error: null })
    const { tries, message_id } = await show(mail?.id ?? '')
    expect(tries.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'deferred',
      'deferred',
      'deferred',
      'sent',
    ])
    expect(tries[0].answer).toContain('ECONNREFUSED')
    expect(tries[1].answer).toContain('451')
    const copies = smtp.received.filter(({ recipient }) => recipient === guest)
    expect(copies.map(({ messageId }) => messageId)).toEqual([`<${message_id}>`, `<${message_id}>`])
  })

  it('that comes back after the booking was moved or cancelled gets the last word alone, for guest and host alike', async () => {
    const reminders = [{ type: 'email', minutes_before_event: 5, recipient: 'guest' }]
    const id = await makeConfiguration(server, [host], { event: { reminders } })
    const { booking_id } = (await bookIt(id, start)).body.data
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
    smtp.refuse(() => true, { code: 451, text: 'greylisted, come again' })
    expect(await sendAll(booking_id)).toEqual(['deferred', 'deferred'])
    const body = { start_time: start + 3_600, end_time: start + 5_400 }
    expect((await server.request('PATCH', path, { token: null, body })).status).toBe(200)
    expect(await sendAll(booking_id)).toEqual(['nothing to do', 'nothing to do', 'deferred', 'deferred'])
    // A reminder says nothing newer, and nothing after a cancellation.
    await server.app.database.pool.query(
      `update openslot.reminders set due_at = now() - interval '1 minute' where booking_id = $1`,
      [booking_id],
    )
    await server.app.operations.sendReminder({ appId: appId(), bookingId: booking_id as BookingId, number: 0 })
    expect(await sendAll(booking_id)).toEqual(['deferred', 'deferred', 'deferred'])
    expect((await server.request('DELETE', path, { token: null })).status).toBe(200)
    smtp.refuse(undefined)
    expect((await sendAll(booking_id)).toSorted()).toEqual([
      ...Array.from({ length: 3 }, () => 'nothing to do'),
      'sent',
      'sent',
    ])
    for (const reader of [guest, host.email]) expect(eventOf(to(reader)).method).toBe('CANCEL')
    const told = await mailsOf(booking_id)
    expect(told.filter(({ state }) => state === 'held_back').map(({ last_error }) => last_error)).toEqual(
      Array.from({ length: 5 }, () => 'held back: a newer mail about this booking says more'),
    )
    // Whoever runs the server may still have it sent.
    smtp.received.length = 0
    expect((await server.request('POST', `/v3/mails/${told[0]?.id}/send`)).status).toBe(200)
    expect(await sendAll(booking_id)).toEqual(['sent'])
    expect(eventOf(to(guest)).method).toBe('REQUEST')
  })

  it('that comes back after the booking was moved and then changed tells of the move too, with all that was changed', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (await bookIt(id, start)).body.data
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
    await sendAll(booking_id)
    smtp.received.length = 0
    smtp.refuse(() => true, { code: 451, text: 'greylisted, come again' })
    const moved = { start_time: start + 3_600, end_time: start + 5_400 }
    expect((await server.request('PATCH', path, { token: null, body: moved })).status).toBe(200)
    expect(await sendAll(booking_id)).toEqual(['deferred', 'deferred'])
    const renamed = { ...moved, guest: { name: 'Gil Grown', email: guest } }
    expect((await server.request('PATCH', path, { token: null, body: renamed })).status).toBe(200)
    expect((await mailsOf(booking_id)).slice(4).map(({ kind }) => kind)).toEqual(['changed', 'changed'])
    smtp.refuse(undefined)
    expect(await sendAll(booking_id)).toEqual(['nothing to do', 'nothing to do', 'sent', 'sent'])
    for (const reader of [guest, host.email]) {
      expect(to(reader).subject).toMatch(/^Booking Rescheduled: /)
      expect(to(reader).text).toMatch(/Before: /)
    }
    expect(to(host.email).text).toContain('Gil Grown')
    // What was said is what is kept.
    expect((await mailsOf(booking_id)).slice(4).map(({ kind }) => kind)).toEqual(['rescheduled', 'rescheduled'])
  })

  it('is asked again later, and at last not any more', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (await bookIt(id, start)).body.data
    const [mail] = await mailsOf(booking_id)
    smtp.refuse(() => true, { code: 450, text: 'not now' })
    const waits: number[] = []
    for (let attempt = 1; attempt <= 17; attempt++) {
      await server.app.database.pool.query(`update openslot.deliveries set mail_due_at = now() where id = $1`, [
        mail?.id,
      ])
      await server.app.operations.sendMail({ appId: appId(), mailId: mail?.id ?? '' })
      const job = await server.app.database.pool.query(
        `select extract(epoch from run_at - now())::float8 as wait from graphile_worker.jobs where key = $1`,
        [`mail:${mail?.id}`],
      )
      waits.push(job.rows[0]?.wait ?? 0)
      if ((await mailsOf(booking_id))[0]?.state !== 'waiting') break
    }
    expect(waits.length).toBe(17)
    expect(waits[0]).toBeLessThan(12)
    expect(waits[8]).toBeGreaterThan(7 * 3_600)
    expect((await mailsOf(booking_id))[0]).toMatchObject({ state: 'failed', attempts: 17 })
    smtp.refuse(undefined)
    expect((await server.request('POST', `/v3/mails/${mail?.id}/send`)).status).toBe(200)
    expect(await sendAll(booking_id)).toContain('sent')
  })
})

describe('two senders', () => {
  it('at one mail send it once', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (await bookIt(id, start)).body.data
    const [mail] = await mailsOf(booking_id)
    const send = () => server.app.operations.sendMail({ appId: appId(), mailId: mail?.id ?? '' })
    const outcomes = await Promise.all([send(), send(), send()])
    expect(outcomes.map((outcome) => outcome.ok && outcome.value).toSorted()).toEqual([
      'nothing to do',
      'nothing to do',
      'sent',
    ])
  })

  it('at two mails to one person about one booking send them one after the other', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (await bookIt(id, start)).body.data
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
    const body = { start_time: start + 3_600, end_time: start + 5_400 }
    expect((await server.request('PATCH', path, { token: null, body })).status).toBe(200)
    const toGuest = (await mailsOf(booking_id)).filter(({ role }) => role === 'guest')
    const send = (place: number) => server.app.operations.sendMail({ appId: appId(), mailId: toGuest[place]?.id ?? '' })
    expect(await send(1)).toEqual({ ok: true, value: 'nothing to do' })
    const first = send(0)
    await expect.poll(async () => (await mailsOf(booking_id)).some(({ attempts }) => attempts > 0)).toBe(true)
    expect((await Promise.all([first, send(1)])).map((sent) => sent.ok && sent.value)).toEqual([
      'sent',
      'nothing to do',
    ])
    expect(await sendAll(booking_id)).toEqual(['sent', 'sent', 'sent'])
    expect(
      smtp.received.filter(({ recipient }) => recipient === guest).map(({ subject }) => subject?.split(':')[0]),
    ).toEqual(['Booking Confirmed', 'Booking Rescheduled'])
  })

  it('a mail that its server takes long over stays with whoever sends it', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (await bookIt(id, start)).body.data
    const [mail] = await mailsOf(booking_id)
    const send = () => server.app.operations.sendMail({ appId: appId(), mailId: mail?.id ?? '' })
    const query = async (text: string) => (await server.app.database.pool.query(text, [mail?.id])).rows
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    smtp.beforeAnswer = () => {
      begin()
      return answered
    }
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const first = send()
      await begun
      await query(`update openslot.deliveries set mail_due_at = now() + interval '1 second' where id = $1`)
      await vi.advanceTimersByTimeAsync(10_000)
      const renewed = `select from openslot.deliveries where id = $1 and mail_due_at > now() + interval '20 seconds'`
      await expect.poll(async () => (await query(renewed)).length).toBe(1)
      expect(await send()).toEqual({ ok: true, value: 'nothing to do' })
      answer()
      expect(await first).toEqual({ ok: true, value: 'sent' })
      // Nothing is left to be tried, and nothing goes on.
      await vi.advanceTimersByTimeAsync(60_000)
      expect(await query(`select from graphile_worker.jobs where key = 'mail:' || $1`)).toEqual([])
    } finally {
      smtp.beforeAnswer = undefined
      vi.useRealTimers()
    }
  })

  it('a mail that another sends by now is not kept for whoever had it before', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (await bookIt(id, start)).body.data
    const [mail] = await mailsOf(booking_id)
    const { database } = server.app
    const within = <T>(work: (transaction: Transaction) => Promise<T>) => database.transaction(appId(), work)
    const claim = () => within((transaction) => claimMail(transaction, mail?.id ?? ''))
    const renew = (claimed: Awaited<ReturnType<typeof claim>>) =>
      within((transaction) => renewMail(transaction, mail?.id ?? '', claimed?.begunAt ?? ''))
    const query = async (text: string) => (await database.pool.query(text, [mail?.id])).rows
    const leased = () => query('select mail_due_at::text as until from openslot.deliveries where id = $1')
    const before = await claim()
    // Somebody wants it sent anew: that attempt is the first again.
    expect(await within((transaction) => reviveMail(transaction, mail?.id ?? ''))).toBe(true)
    const after = await claim()
    expect([before?.attempts, after?.attempts]).toEqual([1, 1])
    const lease = await leased()
    await renew(before)
    expect(await leased()).toEqual(lease)
    await renew(after)
    expect(await leased()).not.toEqual(lease)
  })

  it('a mail whose sender died is taken up by the sweep once its lease has run out', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id } = (await bookIt(id, start)).body.data
    const [mail] = await mailsOf(booking_id)
    const query = (text: string) => server.app.database.pool.query(text, [mail?.id])
    // As the dead sender left it: claimed, its job locked by a worker that is no more.
    await query(`update openslot.deliveries set attempts = 1, mail_due_at = now() - interval '2 minutes' where id = $1`)
    await query(
      `update graphile_worker._private_jobs set locked_at = now(), locked_by = 'dead' where key = 'mail:' || $1`,
    )
    await server.app.operations.sweep()
    const jobs = await query(`select from graphile_worker.jobs where key = 'mail:' || $1 and locked_at is null`)
    expect(jobs.rowCount).toBe(1)
    expect(await sendAll(booking_id)).toContain('sent')
  })
})

it('an address gets three confirmations an hour and no more, and the fourth row says so', async () => {
  const id = await makeConfiguration(server, [host])
  const email = 'flooded@guest.example'
  const bookings: string[] = []
  for (let index = 0; index < 4; index++)
    bookings.push(
      (await book(server, id, start + index * 1_800, { body: { guest: { name: 'F', email } } })).body.data.booking_id,
    )
  for (const booking of bookings) await sendAll(booking)
  const ofGuest = (await server.request('GET', `/v3/mails?recipient=${email}`)).body.data
  expect(ofGuest.map(({ state }: { state: string }) => state)).toEqual(['held_back', 'sent', 'sent', 'sent'])
  expect(ofGuest[0].last_error).toMatch(/^held back/)
  expect(smtp.received.filter(({ recipient }) => recipient === email).length).toBe(3)
  // The host, who was not chosen by the guest, is told each time.
  expect(smtp.received.filter(({ recipient }) => recipient === host.email).length).toBe(4)
})

it('an address gets ten mails an hour in all: what moves a booking waits then, and its last word is sent when there is room', async () => {
  const id = await makeConfiguration(server, [host])
  const { booking_id } = (await bookIt(id, start)).body.data
  await sendAll(booking_id)
  const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
  for (let hours = 1; hours <= 12; hours++) {
    const body = { start_time: start + hours * 3_600, end_time: start + hours * 3_600 + 1_800 }
    expect((await server.request('PATCH', path, { token: null, body })).status).toBe(200)
    await sendAll(booking_id)
  }
  const ofGuest = async () => (await server.request('GET', `/v3/mails?recipient=${guest}`)).body.data
  expect((await ofGuest()).map(({ state }: { state: string }) => state)).toEqual([
    'waiting',
    // Tried once more above, when a newer one was there.
    'held_back',
    'held_back',
    ...Array.from({ length: 10 }, () => 'sent'),
  ])
  expect((await ofGuest())[0]).toMatchObject({ attempts: 0, last_error: expect.stringMatching(/^waits/) })
  expect(smtp.received.filter(({ recipient }) => recipient === guest).length).toBe(10)
  expect(smtp.received.filter(({ recipient }) => recipient === host.email).length).toBe(13)

  smtp.received.length = 0
  await server.app.database.pool.query(
    `update openslot.deliveries set finished_at = finished_at - interval '61 minutes' where recipient = $1 and state = 'done'`,
    [guest],
  )
  await sendAll(booking_id)
  expect((await ofGuest()).slice(0, 3).map(({ state }: { state: string }) => state)).toEqual([
    'sent',
    'held_back',
    'held_back',
  ])
  expect(eventOf(to(guest)).event?.getFirstPropertyValue('dtstart')?.toString()).toBe(
    new Date((start + 12 * 3_600) * 1_000).toISOString().replace('.000Z', 'Z'),
  )
})

it('mails are thrown away 30 days after they were written, with or without a notification, and none before', async () => {
  const query = (text: string) => server.app.database.pool.query(text)
  const written: string[] = []
  for (const days of [31, 29]) {
    const id = await makeConfiguration(server, [host], {
      event: { reminders: [{ type: 'email', minutes_before_event: 5, recipient: 'host' }] },
    })
    const { booking_id } = (await bookIt(id, start + written.length * 1_800)).body.data
    await sendAll(booking_id)
    written.push(booking_id)
    // As a reminder writes it: about a booking, and about no notification.
    await query(
      `insert into openslot.deliveries (app_id, id, booking_id, kind, recipient, body, state)
       select app_id, uuidv7(interval '-${days} days'), booking_id, 'mail', recipient, body, 'done' from openslot.deliveries where booking_id = '${booking_id}'`,
    )
    const age = `created_at = now() - interval '${days} days'`
    await query(`update openslot.webhook_events set ${age} where object_id = '${booking_id}'`)
    await query(`update openslot.deliveries set ${age} where booking_id = '${booking_id}'`)
  }
  await server.app.operations.sweep()
  expect((await Promise.all(written.map(mailsOf))).map(({ length }) => length)).toEqual([0, 4])
  const attempts = `select from openslot.mail_attempts where delivery_id not in (select id from openslot.deliveries)`
  expect((await query(attempts)).rowCount).toBe(0)
})

it("another application's mails are not there", async () => {
  const id = await makeConfiguration(server, [host])
  const { booking_id } = (await bookIt(id, start)).body.data
  const [mail] = await mailsOf(booking_id)
  const { apiKey } = await server.otherApplication()
  expect((await server.request('GET', '/v3/mails', { token: apiKey })).body.data).toEqual([])
  for (const [method, path] of [
    ['GET', `/v3/mails/${mail?.id}`],
    ['POST', `/v3/mails/${mail?.id}/send`],
    ['GET', '/v3/mails/no-id'],
  ] as const)
    expect((await server.request(method, path, { token: apiKey })).status).toBe(404)
})
