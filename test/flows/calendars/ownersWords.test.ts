/** What the owner of a virtual calendar made of a booking's event stays when the booking is moved or confirmed. */
import { beforeEach, describe, expect, it } from 'vitest'

import { decodeReference, encodeSalt } from '../../../src/core/booking/reference.ts'
import {
  book,
  configurationBody,
  makeConfiguration,
  makeHost,
  nearFuture,
  participant,
  type TestHost,
} from '../../support/hosts.ts'
import { findFaults, readLedger } from '../../support/ledger.ts'
import { startTestServer } from '../../support/server.ts'

const server = await startTestServer()
const nine = nearFuture()
const half = nine + 1800
const week = 7 * 86_400

let count = 0
let host: TestHost
beforeEach(async () => {
  host = await makeHost(server, `ana${++count}@host.example`)
})

const eventPath = (id: string) => `/v3/grants/${host.grantId}/events/${id}?calendar_id=primary`
const readEvent = async (id: string) => (await server.request('GET', eventPath(id))).body.data
const edit = async (id: string, body: object) =>
  expect((await server.request('PUT', eventPath(id), { body })).body.error).toBeUndefined()
const move = async (configuration: string, booking: string, from: number, more: object = {}) => {
  const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking}?configuration_id=${configuration}`, {
    token: null,
    body: { start_time: from, end_time: from + 1_800, ...more },
  })
  expect(moved.body.error).toBeUndefined()
}
const busyFrom = async (from: number, to: number) => {
  const reply = await server.request('POST', `/v3/grants/${host.grantId}/calendars/free-busy`, {
    body: { start_time: from, end_time: to, emails: [host.email] },
  })
  return reply.body.data[0].time_slots.map(({ start_time }: { start_time: number }) => start_time)
}
const emails = (event: { participants: { email: string }[] }) => event.participants.map(({ email }) => email).toSorted()

describe('moved by its guest', () => {
  it('the event keeps texts, metadata, participants and all else that its owner gave it', async () => {
    const id = await makeConfiguration(server, [host], { event: { title: 'Call with ${invitee}', location: 'Room 1' } })
    const { booking_id, event_id } = (await book(server, id, nine)).body.data
    const added = { email: 'lawyer@host.example', name: 'Lawyer', status: 'yes', comment: 'by phone' }
    const own = {
      title: 'Gil, second try',
      description: 'Bring the contract',
      metadata: { key1: 'crm-1' },
      visibility: 'private',
      reminders: { use_default: false, overrides: [{ reminder_minutes: 20, reminder_method: 'popup' }] },
      conferencing: { provider: 'Zoom Meeting', details: { url: 'https://zoom.example/1' } },
      hide_participants: true,
    }
    const before = await readEvent(event_id)
    await edit(event_id, { ...own, participants: [...before.participants, added] })
    await move(id, booking_id, half, { additional_guests: [{ email: 'eve@guest.example' }] })

    const after = await readEvent(event_id)
    expect(after).toMatchObject({ ...own, location: 'Room 1', when: { start_time: half, end_time: half + 1800 } })
    expect(after.metadata).toMatchObject({ source: 'scheduler', scheduler_last_start: String(half) })
    expect(after.participants).toContainEqual(added)
    expect(emails(after)).toEqual([host.email, 'eve@guest.example', 'gil@guest.example', added.email].toSorted())
    // Whom the booking no longer names leaves; whom the owner added stays.
    await move(id, booking_id, nine, { additional_guests: [] })
    expect(emails(await readEvent(event_id))).toEqual([host.email, 'gil@guest.example', added.email].toSorted())
    expect(findFaults(await readLedger(server.app))).toEqual([])
  })

  it('a text follows where the booking itself says something else by now', async () => {
    const id = await makeConfiguration(server, [host], { event: { title: 'Call with ${invitee}', location: 'Room 1' } })
    const { booking_id, event_id } = (await book(server, id, nine)).body.data
    await edit(event_id, { title: 'Mine', location: 'My place' })
    await move(id, booking_id, half, { guest: { name: 'Giles', email: 'gil@guest.example' } })
    expect(await readEvent(event_id)).toMatchObject({ title: 'Call with Giles', location: 'My place' })
    await server.request('PUT', `/v3/grants/${host.grantId}/scheduling/configurations/${id}`, {
      body: configurationBody([host], { event: { title: 'Call with ${invitee}', location: 'Room 2' } }),
    })
    await move(id, booking_id, nine)
    expect(await readEvent(event_id)).toMatchObject({ title: 'Call with Giles', location: 'Room 2' })
  })

  it('what its owner made weekly stays weekly, from the new time on', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id, event_id } = (await book(server, id, nine)).body.data
    await edit(event_id, { recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] })
    await move(id, booking_id, half)
    expect(await busyFrom(nine, nine + 3 * week)).toEqual([half, half + week, half + 2 * week])
    expect((await readEvent(event_id)).recurrence).toEqual(['RRULE:FREQ=WEEKLY;COUNT=3'])
  })

  it('changed instances of a series that moves go, and do not stand beside their new ones', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id, event_id } = (await book(server, id, nine)).body.data
    await edit(event_id, { recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] })
    const second = new Date((nine + week) * 1_000).toISOString().replace(/[-:]|\.\d+/g, '')
    const instance = `${event_id}_${second}`
    await edit(instance, { when: { start_time: nine + week + 7_200, end_time: nine + week + 9_000 } })
    expect(await busyFrom(nine, nine + 3 * week)).toEqual([nine, nine + week + 7_200, nine + 2 * week])
    await move(id, booking_id, half)
    expect(await busyFrom(nine, nine + 3 * week)).toEqual([half, half + week, half + 2 * week])
  })

  it('a series that leaves out the new time gives way to the booking', async () => {
    const id = await makeConfiguration(server, [host])
    const { booking_id, event_id } = (await book(server, id, nine)).body.data
    const tomorrow = nine + 86_400
    const left = new Date(tomorrow * 1_000).toISOString().replace(/[-:]|\.\d+/g, '')
    await edit(event_id, { recurrence: ['RRULE:FREQ=DAILY;COUNT=3', `EXDATE:${left}`] })
    expect(await busyFrom(nine, nine + week)).toEqual([nine, nine + 2 * 86_400])
    await move(id, booking_id, tomorrow)
    expect(await busyFrom(nine, nine + week)).toEqual([tomorrow])
  })
})

describe('confirmed', () => {
  const pending = async (event: object) => {
    const id = await makeConfiguration(server, [host], { event: { booking_type: 'organizer-confirmation', ...event } })
    const made = (await book(server, id, nine)).body.data
    const confirm = async () => {
      const listed = await server.request(
        'GET',
        `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${id}`,
      )
      const salt = encodeSalt(decodeReference(listed.body.data[0].organizer_booking_ref)?.salt ?? new Uint8Array())
      const path = `/v3/scheduling/bookings/${made.booking_id}?configuration_id=${id}`
      const confirmed = await server.request('PUT', path, { token: null, body: { salt, status: 'confirmed' } })
      expect(confirmed.status).toBe(200)
    }
    return { id, confirm, ...made }
  }

  it('the event keeps the title that its owner gave it, and loses the mark of what is pending', async () => {
    const { event_id, id, booking_id, confirm } = await pending({ title: 'Chat' })
    await edit(event_id, { title: '[PENDING] Chat about the house', metadata: { key1: 'crm-1' } })
    await move(id, booking_id, half)
    expect((await readEvent(event_id)).title).toBe('[PENDING] Chat about the house')
    await confirm()
    const event = await readEvent(event_id)
    expect(event).toMatchObject({ title: 'Chat about the house', metadata: { key1: 'crm-1', source: 'scheduler' } })
    expect(emails(event)).toEqual([host.email, 'gil@guest.example'].toSorted())
  })

  it('untouched, it has the title of the booking', async () => {
    const { event_id, confirm } = await pending({ title: 'Chat' })
    await confirm()
    expect((await readEvent(event_id)).title).toBe('Chat')
  })
})

it('given to another host, the event stands on their calendar as the booking says', async () => {
  const other = await makeHost(server, `bob${count}@host.example`)
  const id = await makeConfiguration(server, [host, other], {
    rules: { availability_method: 'max-availability' },
    participants: [participant(host.email), participant(other.email)],
  })
  const { booking_id, event_id } = (await book(server, id, nine)).body.data
  await edit(event_id, { title: 'Mine' })
  await move(id, booking_id, half, { participants: [{ email: other.email }] })
  const there = await server.request('GET', `/v3/grants/${other.grantId}/events/${event_id}?calendar_id=primary`)
  expect(there.body.data).toMatchObject({ title: 'Intro call', when: { start_time: half } })
  expect((await server.request('GET', eventPath(event_id))).status).toBe(404)
})
