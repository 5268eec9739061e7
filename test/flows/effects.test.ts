/**
 * What follows from a change is the change's own affair: the same webhooks, mails and reminders, each exactly once, whoever
 * made it and by whichever door, and also where a process died in the middle and a worker finished it (pitfall 29).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventIdOf } from '../../src/adapters/storage/database/ids.ts'
import type { Principal } from '../../src/core/account/principal.ts'
import { icalUidOf } from '../../src/core/booking/booking.ts'
import { decodeReference, encodeSalt } from '../../src/core/booking/reference.ts'
import type { AppId, BookingId } from '../../src/core/ids.ts'
import { type FaultyCalendars, faultyCalendars, type Step } from '../support/calendars/faultyCalendars.ts'
import { bookingTriggers, makeEndpoint, work } from '../support/endpoints.ts'
import { makeConfiguration, makeHost, nearFuture, type TestHost } from '../support/hosts.ts'
import { leaseIsOver } from '../support/leases.ts'
import { mailsOf, sendMailsOf } from '../support/mails.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { startSmtp, type TestSmtp } from '../support/smtp.ts'

const start = nearFuture()
const hour = 3_600
const calendars: FaultyCalendars = faultyCalendars()
let database: TestDatabase
let receiver: Receiver
let smtp: TestSmtp
let server: TestServer
/** On the same database, with calendars that count as remote, so that a change is held before it is settled. */
let mortal: TestServer
let host: TestHost
/** Booked at once, and after the organizer's word. */
let configurations: { readonly booking: string; readonly request: string }

beforeAll(async () => {
  ;[database, receiver, smtp] = await Promise.all([createTestDatabase(), startReceiver(), startSmtp()])
  // No worker of their own: the tests do its work when they want it.
  const environment = { ROLE: 'web', SMTP_URL: smtp.url, MAIL_FROM: 'desk@book.example' }
  server = await startTestServer({ connection: database.connection }, environment)
  mortal = await startTestServer({ connection: database.connection, providers: calendars.providers }, environment)
  host = await makeHost(server, 'ada@host.example')
  const second = await makeHost(server, 'bob@host.example')
  const reminders = [
    { type: 'email', minutes_before_event: 60, recipient: 'all' },
    { type: 'webhook', minutes_before_event: 1_440 },
  ]
  const scheduler = {
    rescheduling_url: 'https://app.example/r/:booking_ref',
    cancellation_url: 'https://app.example/c/:booking_ref',
    organizer_confirmation_url: 'https://app.example/o/:booking_ref',
  }
  const make = (booking_type: string) =>
    makeConfiguration(server, [host, second], { scheduler, event: { booking_type, reminders } })
  configurations = { booking: await make('booking'), request: await make('organizer-confirmation') }
  await makeEndpoint(server, receiver.url, [...bookingTriggers, 'event.created', 'event.updated', 'event.deleted'])
})
afterAll(async () => {
  await server?.close()
  await mortal?.close()
  await Promise.all([receiver?.close(), smtp?.close()])
  await database?.drop()
})

type Kind = keyof typeof configurations
type Booked = { readonly id: string; readonly guestReference: string; readonly organizerReference: string }
/** One booking of its own for each cell of the table. */
type Cell = { readonly kind: Kind; readonly from: number; readonly guest: string; booked?: Booked }

let cells = 0
const newCell = (kind: Kind): Cell => ({
  kind,
  from: start + 2 * hour * cells,
  guest: `gil${++cells}@guest.example`,
})
const wishOf = ({ from, guest }: Cell) => ({
  start_time: from,
  end_time: from + 1_800,
  timezone: 'America/New_York',
  email_language: 'fr',
  guest: { name: 'Gil Guest', email: guest },
  additional_guests: [{ name: 'Zoë', email: `with-${guest}` }],
})
const moved = ({ from }: Cell) => ({ start_time: from + hour, end_time: from + hour + 1_800 })

async function findBooked({ kind, from }: Cell): Promise<Booked> {
  const path = `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${configurations[kind]}&limit=200`
  const { data } = (await server.request('GET', path)).body
  const found = data.find(({ start_time }: { start_time: number }) => start_time === from)
  if (found === undefined) throw new Error('the booking is not there')
  return {
    id: found.booking_id,
    guestReference: found.booking_ref,
    organizerReference: found.organizer_booking_ref,
  }
}

function bookedOf({ booked }: Cell): Booked {
  if (booked === undefined) throw new Error('nothing is booked yet')
  return booked
}
const saltOf = (reference: string) => encodeSalt(decodeReference(reference)?.salt ?? new Uint8Array())

/** With what a request comes. */
const credentials = {
  'the key': async () => server.apiKey,
  'a session': async ({ kind }: Cell) => {
    const body = { configuration_id: configurations[kind] }
    return (await server.request('POST', '/v3/scheduling/sessions', { body })).body.data.session_id as string
  },
  'no credential': async () => null,
  "the guest's link": async (cell: Cell) => bookedOf(cell).guestReference,
  "the organizer's link": async (cell: Cell) => bookedOf(cell).organizerReference,
} satisfies Record<string, (cell: Cell) => Promise<string | null>>
type Credential = keyof typeof credentials

async function ask(by: Credential, method: string, cell: Cell, body: object): Promise<void> {
  const isOpen = by === 'the key' || by === 'no credential'
  const id = cell.booked === undefined ? '' : `/${cell.booked.id}`
  const query = isOpen ? `?configuration_id=${configurations[cell.kind]}` : ''
  const token = await credentials[by](cell)
  const reply = await server.request(method, `/v3/scheduling/bookings${id}${query}`, { token, body })
  expect(reply.status, JSON.stringify(reply.body)).toBe(200)
}

type Action = (cell: Cell) => Promise<void>
const create =
  (by: Credential): Action =>
  (cell) =>
    ask(by, 'POST', cell, wishOf(cell))
const reschedule =
  (by: Credential): Action =>
  (cell) =>
    ask(by, 'PATCH', cell, moved(cell))
const cancel =
  (by: Credential): Action =>
  (cell) =>
    ask(by, 'DELETE', cell, { cancellation_reason: 'Ill today' })
const answer =
  (by: Credential, status: 'confirmed' | 'cancelled'): Action =>
  (cell) => {
    const salt = saltOf(bookedOf(cell).organizerReference)
    const word = status === 'cancelled' ? { cancellation_reason: 'Ill today' } : {}
    return ask(by, 'PUT', cell, { salt, status, ...word })
  }

const anyone = { kind: 'anyone' } as const satisfies Principal
/** What every command of a guest without a credential says beside its own. */
const stranger = ({ kind }: Cell) => ({
  principal: anyone,
  query: { configuration_id: configurations[kind] },
  idempotencyKey: undefined,
})

/** The process dies at a call of the calendar, after the change is held; two workers take it up at once. */
function recovered(step: Step, fault: 'hangBefore' | 'hangAfter', change: (cell: Cell) => Promise<unknown>): Action {
  return async (cell) => {
    const died = calendars.once(step, fault)
    void change(cell)
    await died
    const { rows } = await server.app.database.pool.query<{ id: BookingId }>(
      'select id from openslot.bookings where change is not null',
    )
    expect(rows.length).toBe(1)
    const bookingId = rows[0]?.id as BookingId
    const recover = () =>
      mortal.app.operations.recoverBooking({ appId: server.clientId as AppId, bookingId, ...leaseIsOver })
    await Promise.all([recover(), recover()])
    expect(await recover()).toEqual({ ok: true, value: 'nothing to do' })
  }
}
const dyingCreate = (cell: Cell) =>
  mortal.app.operations.createBooking({ ...stranger(cell), body: wishOf(cell) as never })
const dyingMove = (cell: Cell) =>
  mortal.app.operations.rescheduleBooking({
    ...stranger(cell),
    bookingId: bookedOf(cell).id,
    body: moved(cell) as never,
  })
const dyingAnswer = (status: 'confirmed' | 'cancelled') => (cell: Cell) =>
  mortal.app.operations.confirmBooking({
    ...stranger(cell),
    bookingId: bookedOf(cell).id,
    salt: saltOf(bookedOf(cell).organizerReference),
    status,
    reason: status === 'cancelled' ? 'Ill today' : '',
  })
const dyingCancel = (cell: Cell) =>
  mortal.app.operations.cancelBooking({ ...stranger(cell), bookingId: bookedOf(cell).id, reason: 'Ill today' })

const eventPath = (cell: Cell) =>
  `/v3/grants/${host.grantId}/events/${eventIdOf(bookedOf(cell).id as BookingId)}?calendar_id=${host.calendarId}`
const moveEvent: Action = async (cell) => {
  const { when } = (await server.request('GET', eventPath(cell))).body.data
  const put = await server.request('PUT', eventPath(cell), { body: { when: { ...when, ...moved(cell) } } })
  expect(put.status, JSON.stringify(put.body)).toBe(200)
}
const deleteEvent: Action = async (cell) => {
  expect((await server.request('DELETE', eventPath(cell))).status).toBe(200)
}

const everyone = (kind: string) =>
  ['additional_guest', 'guest', 'host', 'organizer'].map((role) => `${kind} to ${role}`)
const asked = ['confirmation_request to organizer', 'request_received to guest']

type Transition = {
  readonly kind: Kind
  /** What the booking has gone through before, by nobody in particular. */
  readonly before: readonly Action[]
  readonly routes: Readonly<Record<string, Action>>
  readonly trigger: string
  /** Of the event on the calendar of each host. */
  readonly eventTrigger: string
  readonly mails: readonly string[]
  /** Of the two reminders afterwards: state, and seconds before the time that was first asked for. */
  readonly reminders: readonly (readonly [state: string, secondsBefore: number])[]
}

const publicly = { create: create('no credential'), confirm: answer('no credential', 'confirmed') }
const waiting = (shift = 0) => [['waiting', hour - shift] as const, ['waiting', 24 * hour - shift] as const]
const gone = [['cancelled', hour] as const, ['cancelled', 24 * hour] as const]
const declining = {
  'PUT with the key': answer('the key', 'cancelled'),
  'PUT with a session': answer('a session', 'cancelled'),
  'PUT without a credential': answer('no credential', 'cancelled'),
  "PUT with the organizer's link": answer("the organizer's link", 'cancelled'),
  'DELETE with the key': cancel('the key'),
  'a worker after a crash': recovered('remove', 'hangBefore', dyingAnswer('cancelled')),
}
const cancelling = {
  'a session': cancel('a session'),
  'no credential': cancel('no credential'),
  "the guest's link": cancel("the guest's link"),
  'its event deleted from the calendar': deleteEvent,
  'a worker after a crash before the event goes': recovered('remove', 'hangBefore', dyingCancel),
  'a worker after a crash when the event is gone': recovered('remove', 'hangAfter', dyingCancel),
}
const moving = {
  'the key': reschedule('the key'),
  'a session': reschedule('a session'),
  'no credential': reschedule('no credential'),
  "the guest's link": reschedule("the guest's link"),
  'its event moved on the calendar': moveEvent,
  'a worker after a crash before the event moves': recovered('place', 'hangBefore', dyingMove),
  'a worker after a crash when the event has moved': recovered('place', 'hangAfter', dyingMove),
}
const creating = {
  'the key': create('the key'),
  'a session': create('a session'),
  'no credential': create('no credential'),
  'a worker after a crash before the event stands': recovered('place', 'hangBefore', dyingCreate),
  'a worker after a crash when the event stands': recovered('place', 'hangAfter', dyingCreate),
}

const transitions: Readonly<Record<string, Transition>> = {
  'a booking is made': {
    kind: 'booking',
    before: [],
    routes: creating,
    trigger: 'booking.created',
    eventTrigger: 'event.created',
    mails: everyone('confirmed'),
    reminders: waiting(),
  },
  'a request is made': {
    kind: 'request',
    before: [],
    routes: creating,
    trigger: 'booking.pending',
    eventTrigger: 'event.created',
    mails: asked,
    reminders: [],
  },
  'a request is confirmed': {
    kind: 'request',
    before: [publicly.create],
    routes: {
      'the key': answer('the key', 'confirmed'),
      'a session': answer('a session', 'confirmed'),
      'no credential': answer('no credential', 'confirmed'),
      "the organizer's link": answer("the organizer's link", 'confirmed'),
      'a worker after a crash before the event is real': recovered('place', 'hangBefore', dyingAnswer('confirmed')),
      'a worker after a crash when the event is real': recovered('place', 'hangAfter', dyingAnswer('confirmed')),
    },
    trigger: 'booking.created',
    eventTrigger: 'event.updated',
    mails: everyone('confirmed'),
    reminders: waiting(),
  },
  'a request is declined': {
    kind: 'request',
    before: [publicly.create],
    routes: declining,
    trigger: 'booking.cancelled',
    eventTrigger: 'event.deleted',
    mails: ['declined to guest', 'declined to organizer'],
    reminders: [],
  },
  'a request is moved': {
    kind: 'request',
    before: [publicly.create],
    routes: moving,
    trigger: 'booking.rescheduled',
    eventTrigger: 'event.updated',
    mails: ['confirmation_request to organizer', 'request_moved to guest'],
    reminders: [],
  },
  'a request is withdrawn': {
    kind: 'request',
    before: [publicly.create],
    routes: cancelling,
    trigger: 'booking.cancelled',
    eventTrigger: 'event.deleted',
    mails: ['cancelled to guest', 'cancelled to organizer'],
    reminders: [],
  },
  'a booking is moved': {
    kind: 'booking',
    before: [publicly.create],
    routes: moving,
    trigger: 'booking.rescheduled',
    eventTrigger: 'event.updated',
    mails: everyone('rescheduled'),
    reminders: waiting(hour),
  },
  'a booking is cancelled': {
    kind: 'booking',
    before: [publicly.create],
    routes: { 'the key': cancel('the key'), ...cancelling },
    trigger: 'booking.cancelled',
    eventTrigger: 'event.deleted',
    mails: everyone('cancelled'),
    reminders: gone,
  },
  'a confirmed request is moved': {
    kind: 'request',
    before: [publicly.create, publicly.confirm],
    routes: moving,
    trigger: 'booking.rescheduled',
    eventTrigger: 'event.updated',
    mails: everyone('rescheduled'),
    reminders: waiting(hour),
  },
  'a confirmed request is cancelled': {
    kind: 'request',
    before: [publicly.create, publicly.confirm],
    routes: { 'the key': cancel('the key'), ...cancelling },
    trigger: 'booking.cancelled',
    eventTrigger: 'event.deleted',
    mails: everyone('cancelled'),
    reminders: gone,
  },
}

const roles = async (id: string) =>
  (await server.request('GET', `/v3/mails?booking_id=${id}&limit=200`)).body.data as {
    id: string
    kind: string
    role: string
  }[]

/** `data.object` without what must differ between two bookings: ids, references, the guest's address, the instant. */
function comparable(object: object, cell: Cell): object {
  const { id, guestReference, organizerReference } = bookedOf(cell)
  const names: [string, string][] = [
    [guestReference, 'reference'],
    [encodeURIComponent(guestReference), 'reference'],
    [organizerReference, 'organizer reference'],
    [encodeURIComponent(organizerReference), 'organizer reference'],
    [id, 'id'],
    [eventIdOf(id as BookingId), 'event'],
    [icalUidOf(eventIdOf(id as BookingId)), 'UID'],
    [cell.guest, 'guest'],
  ]
  return JSON.parse(JSON.stringify(object), (key, value) => {
    if (typeof value === 'string')
      return names.reduce((text, [name, word]) => text.replaceAll(name, `<${word}>`), value)
    return key.endsWith('_time') ? value - cell.from : value
  })
}

describe.each(Object.entries(transitions))('when %s', (_, transition) => {
  /** Of the first route; every other one has to tell the same. */
  let told: object | undefined

  it.each(Object.entries(transition.routes))('by %s: each webhook, mail and reminder once', async (route, action) => {
    const cell = newCell(transition.kind)
    for (const earlier of transition.before) {
      await earlier(cell)
      cell.booked ??= await findBooked(cell)
    }
    await work(server)
    if (cell.booked !== undefined) await sendMailsOf(server, cell.booked.id)
    const had = new Set((cell.booked === undefined ? [] : await roles(cell.booked.id)).map(({ id }) => id))
    receiver.received.length = 0
    smtp.received.length = 0

    await action(cell)
    cell.booked ??= await findBooked(cell)
    const { id } = cell.booked
    await work(server)
    await work(server)
    await sendMailsOf(server, id)
    await sendMailsOf(server, id)

    const got = receiver.received.map(({ json }) => json)
    const isOfBooking = ({ type }: { type: string }) => type.startsWith('booking.')
    const [notification, ...more] = got.filter(isOfBooking)
    expect(more).toEqual([])
    expect(notification).toMatchObject({ type: transition.trigger, sequence: transition.before.length + 1 })
    const object = notification.data.object
    expect(object.booking_id).toBe(id)
    const isByCalendar = route.startsWith('its event')
    if (transition.trigger === 'booking.cancelled') {
      expect(object.booking_info.cancellation_reason).toBe(isByCalendar ? '' : 'Ill today')
      object.booking_info.cancellation_reason = 'whatever was said'
    }
    told ??= comparable(object, cell)
    expect(comparable(object, cell)).toEqual(told)

    // On the calendars of both hosts. Those that count as remote are told of when they are read.
    const events = got.filter((one) => !isOfBooking(one)).map(({ type }) => type)
    if (!route.startsWith('a worker')) expect(events).toEqual([transition.eventTrigger, transition.eventTrigger])

    const mails = (await roles(id)).filter((mail) => !had.has(mail.id))
    expect(mails.map(({ kind, role }) => `${kind} to ${role}`).toSorted()).toEqual(transition.mails)
    const addresses: Readonly<Record<string, string>> = {
      guest: cell.guest,
      additional_guest: `with-${cell.guest}`,
      organizer: 'ada@host.example',
      host: 'bob@host.example',
    }
    expect(smtp.received.map(({ recipient }) => recipient).toSorted()).toEqual(
      mails.map(({ role }) => addresses[role]).toSorted(),
    )
    expect((await mailsOf(server, id)).filter(({ state }) => state !== 'sent')).toEqual([])

    const reminders = await server.app.database.pool.query<{ state: string; at: number }>(
      `select state, extract(epoch from due_at)::float8 as at from openslot.reminders where booking_id = $1 order by number`,
      [id],
    )
    expect(reminders.rows.map(({ state, at }) => [state, cell.from - at])).toEqual(transition.reminders)
    const jobs = await server.app.database.pool.query<{ key: string; at: number }>(
      `select key, extract(epoch from run_at)::float8 as at from graphile_worker.jobs
       where key like 'reminder:' || $1 || ':%' order by key`,
      [id],
    )
    expect(jobs.rows).toEqual(
      reminders.rows.flatMap(({ state, at }, number) =>
        state === 'waiting' ? [{ key: `reminder:${id}:${number}`, at }] : [],
      ),
    )
  })
})
