/** A booking follows its event on a virtual calendar too, when the events API moves or deletes it. */
import { beforeEach, describe, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import { bookAt, connect, readBooking, slotsFrom } from '../../support/calendars/remoteHosts.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { findFaults, readLedger } from '../../support/ledger.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
const server = await startTestServer({ towers: { caldav: fake.tower } })
const nine = nearFuture()
const half = nine + 1800

let count = 0
let host: TestHost
let id: string
let bookingId: string
let event: string
beforeEach(async () => {
  host = await makeHost(server, `ana${++count}@host.example`)
  id = await makeConfiguration(server, [host])
  bookingId = await bookAt(server, id, nine)
  const listed = await server.request(
    'GET',
    `/v3/grants/${host.grantId}/events?calendar_id=primary&start=${nine}&end=${half}`,
  )
  event = `/v3/grants/${host.grantId}/events/${listed.body.data[0].id}?calendar_id=primary`
})

const expectOneTruth = async () => expect(findFaults(await readLedger(server.app))).toEqual([])

it('deleted, the booking is called off by the calendar and its time is free', async () => {
  expect((await server.request('DELETE', event)).status).toBe(200)
  expect((await readBooking(server, bookingId)).status).toBe('cancelled')
  expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
  expect((await server.request('DELETE', event)).status).toBe(404)
  await expectOneTruth()
})

it('moved, the booking moves, and what else was changed stays', async () => {
  const changed = await server.request('PUT', event, {
    body: { title: 'Moved by hand', when: { start_time: half, end_time: half + 1800 } },
  })
  expect(changed.body).toMatchObject({ data: { title: 'Moved by hand', when: { start_time: half } } })
  expect(await slotsFrom(server, id, nine)).toEqual([nine])
  const { notifications } = await readLedger(server.app)
  expect(
    notifications.filter((one) => one.bookingId === bookingId.toLowerCase()).map(({ trigger }) => trigger),
  ).toEqual(['booking.created', 'booking.rescheduled'])
})

it('made a whole day, it stays at its hours with the booking when the calendar gets another time zone', async () => {
  const date = new Date(nine * 1000).toISOString().slice(0, 10)
  const midnight = Date.parse(date) / 1000
  expect((await server.request('PUT', event, { body: { when: { date } } })).status).toBe(200)
  const zoned = await server.request('PUT', `/v3/grants/${host.grantId}/calendars/primary`, {
    body: { timezone: 'Pacific/Kiritimati' },
  })
  expect(zoned.status).toBe(200)
  const { when } = (await server.request('GET', event)).body.data
  expect(when).toMatchObject({ start_time: midnight, end_time: midnight + 86_400 })
  const around = await slotsFrom(server, id, midnight - 3600, 26)
  expect(around).toEqual([midnight - 3600, midnight - 1800, midnight + 86_400, midnight + 88_200])
  await expectOneTruth()
})

it('moved onto another booking, it is refused and stays where it is', async () => {
  await bookAt(server, id, half)
  const refused = await server.request('PUT', event, { body: { when: { start_time: half, end_time: half + 1800 } } })
  expect(refused.status).toBe(400)
  expect(refused.body.error.type).toBe('timeslot_not_available')
  await expectOneTruth()
})

it('given another title only, it leaves the booking as it is', async () => {
  expect((await server.request('PUT', event, { body: { title: 'Other' } })).body.data.title).toBe('Other')
  const { bookings } = await readLedger(server.app)
  expect(bookings.find((one) => one.id === bookingId)?.version).toBe(1)
})

it('can be written as it reads, however much its guest had to say', async () => {
  const description = 'About ${topic} and ${topic}. Dial 0800 123.'
  const additional_fields = { topic: { label: 'Topic', type: 'multi_line_text' } }
  const wordy = await makeConfiguration(server, [host], { event: { description }, scheduler: { additional_fields } })
  const made = await book(server, wordy, half, { body: { additional_fields: { topic: 'long '.repeat(1_900) } } })
  expect(made.status).toBe(200)
  const path = `/v3/grants/${host.grantId}/events/${made.body.data.event_id}?calendar_id=primary`
  const { data } = (await server.request('GET', path)).body
  expect(data.description).toMatch(/^About long .*… and long .*…\. Dial 0800 123\.$/)
  const written = await server.request('PUT', path, { body: { title: data.title, description: data.description } })
  expect([written.status, written.body.data?.description]).toEqual([200, data.description])
})

it('given other metadata, it stays the event of the booking: our own keys are kept, and nobody else can write them', async () => {
  const metadata = { key1: 'crm-1', key5: 'theirs', source: 'crm' }
  const changed = await server.request('PUT', event, { body: { metadata } })
  const own = { key5: id, source: 'scheduler', scheduler_last_start: String(nine), scheduler_last_end: String(half) }
  expect(changed.body.data.metadata).toEqual({ ...own, key1: 'crm-1', scheduler_updated_at: expect.any(String) })
  const moved = await server.request('PUT', event, {
    body: { metadata: null, when: { start_time: half, end_time: half + 1800 } },
  })
  expect(moved.body.data.metadata).toMatchObject({ source: 'scheduler', scheduler_last_start: String(half) })
  expect(moved.body.data.metadata).not.toHaveProperty('key1')
  expect(await slotsFrom(server, id, nine)).toEqual([nine])
  expect((await server.request('DELETE', event)).status).toBe(200)
  expect((await readBooking(server, bookingId)).status).toBe('cancelled')
  await expectOneTruth()
})

it('that lost our keys before they were kept is still the event of the booking', async () => {
  await server.app.database.query(sql`
    update openslot.events set metadata = '{"key1": "crm-1"}' where app_id = ${server.clientId} and calendar_id = ${host.calendarId}`)
  expect((await server.request('DELETE', event)).status).toBe(200)
  expect((await readBooking(server, bookingId)).status).toBe('cancelled')
  await expectOneTruth()
})

it.each([
  ['a recurrence that cannot be read', { recurrence: ['garbage'] }, 'recurrence'],
  [
    'a recurrence without end that never comes',
    { recurrence: ['RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2'] },
    '',
  ],
  ['a moment, in which nobody meets', { when: { time: half } }, 'when'],
])('changed to %s, it is refused and nothing has moved', async (_, body, field) => {
  const refused = await server.request('PUT', event, {
    body: { when: { start_time: half, end_time: half + 1800 }, ...body },
  })
  expect([refused.status, refused.body.error?.message]).toEqual([400, expect.stringContaining(field)])
  expect(await slotsFrom(server, id, nine)).toEqual([half])
  const { notifications } = await readLedger(server.app)
  expect(
    notifications.filter((one) => one.bookingId === bookingId.toLowerCase()).map(({ trigger }) => trigger),
  ).toEqual(['booking.created'])
  await expectOneTruth()
})

it('of an account elsewhere is not served, and says so', async () => {
  fake.add('kim@host.example', 'x', ['work'])
  const { grantId } = await connect(server, 'caldav', { username: 'kim@host.example', password: 'x' })
  const paths: [string, string, object?][] = [
    ['GET', `/v3/grants/${grantId}/events?calendar_id=work`],
    ['GET', `/v3/grants/${grantId}/events/x?calendar_id=work`],
    ['POST', `/v3/grants/${grantId}/events?calendar_id=work`, { when: { start_time: nine, end_time: half } }],
    ['PUT', `/v3/grants/${grantId}/events/x?calendar_id=work`, { title: 'x' }],
    ['DELETE', `/v3/grants/${grantId}/events/x?calendar_id=work`],
    ['POST', `/v3/grants/${grantId}/calendars`, { name: 'x' }],
    ['DELETE', `/v3/grants/${grantId}/calendars/work`],
  ]
  for (const [method, path, body] of paths) {
    const reply = await server.request(method, path, body === undefined ? {} : { body })
    expect([path, reply.status, reply.body.error.message]).toEqual([
      path,
      400,
      expect.stringContaining('at the provider'),
    ])
  }
})

describe('made weekly by its owner', () => {
  const week = 7 * 86_400
  const times = (start: number) => ({ start_time: start, end_time: start + 1_800 })
  const stamp = (start: number) => new Date(start * 1_000).toISOString().replace(/[-:]|\.\d+/g, '')
  const occurrence = (start: number) => event.replace('?', `_${stamp(start)}?`)
  const listed = async () => {
    const span = `start=${nine}&end=${nine + 4 * week}`
    const path = `/v3/grants/${host.grantId}/events?calendar_id=primary&${span}`
    const { data } = (await server.request('GET', path)).body
    return data.map(({ when, title }: { when: { start_time: number }; title: string }) => [when.start_time, title])
  }
  let title: string
  beforeEach(async () => {
    const made = await server.request('PUT', event, { body: { recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'] } })
    title = made.body.data.title
    // The third is moved, the fourth deleted.
    await server.request('PUT', occurrence(nine + 2 * week), {
      body: { title: 'Third', when: times(nine + 2 * week + 7_200) },
    })
    await server.request('DELETE', occurrence(nine + 3 * week))
  })
  const others = () => [
    [nine + week, title],
    [nine + 2 * week + 7_200, 'Third'],
  ]

  it('it moves with the occurrence that is the meeting, and the others stay', async () => {
    const moved = await server.request('PUT', occurrence(nine), { body: { title: 'By hand', when: times(half) } })
    expect(moved.body).toMatchObject({ data: { title: 'By hand', when: { start_time: half } } })
    expect(moved.body.data).not.toHaveProperty('recurrence')
    expect(await listed()).toEqual([[half, 'By hand'], ...others()])
    expect(await slotsFrom(server, id, nine)).toEqual([nine])
    await expectOneTruth()
    // What is left of the series is the owner's alone, and the booking goes on following its event.
    expect((await server.request('DELETE', event)).status).toBe(200)
    expect((await readBooking(server, bookingId)).status).toBe('cancelled')
    expect(await listed()).toEqual(others())
    await expectOneTruth()
  })

  it('it is called off with the occurrence that is the meeting, and the others stay', async () => {
    await server.request('PUT', occurrence(nine), { body: { title: 'Renamed' } })
    expect((await server.request('DELETE', occurrence(nine))).status).toBe(200)
    expect((await readBooking(server, bookingId)).status).toBe('cancelled')
    expect(await listed()).toEqual(others())
    expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
    await expectOneTruth()
  })

  it('it stays as it is where its occurrence cannot move, or another one does', async () => {
    await bookAt(server, id, half)
    const refused = await server.request('PUT', occurrence(nine), { body: { when: times(half) } })
    expect(refused.body.error.type).toBe('timeslot_not_available')
    const second = await server.request('PUT', occurrence(nine + week), { body: { when: times(nine + week + 3_600) } })
    expect(second.status).toBe(200)
    expect((await readBooking(server, bookingId)).status).toBe('booked')
    expect((await listed()).map(([start]: [number]) => start)).toEqual([
      nine,
      half,
      nine + week + 3_600,
      nine + 2 * week + 7_200,
    ])
  })

  it('alone in its series, it leaves nothing behind', async () => {
    await server.request('PUT', event, { body: { recurrence: ['RRULE:FREQ=WEEKLY;COUNT=1'] } })
    await server.request('DELETE', occurrence(nine))
    expect((await readBooking(server, bookingId)).status).toBe('cancelled')
    const path = `/v3/grants/${host.grantId}/events/import?calendar_id=primary`
    expect((await server.request('GET', path)).body.data).toEqual([])
  })
})
