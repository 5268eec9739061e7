/** What a guest may ask for: all that is known of them, and that it be erased. */
import { expect, it } from 'vitest'
import type { AppId } from '../../src/core/ids.ts'
import { dayMs, type Instant, instant, plus } from '../../src/core/time/instant.ts'
import { readBackup } from '../support/backups.ts'
import { book, makeConfiguration, makeHost, nearFuture } from '../support/hosts.ts'
import { startTestServer } from '../support/server.ts'

// biome-ignore lint/suspicious/noExplicitAny: JSON off the wire.
type Row = any

let clock: () => Instant = () => instant(Date.now())
const server = await startTestServer({ now: () => clock() }, { ROLE: 'web' })
const appId = server.clientId as AppId
const { exportGuest, eraseGuest } = server.app.operations

const canary = { name: 'Canary Bird', email: 'Canary@guest.example' }
const fields = { topic: { label: 'Topic', type: 'text', required: false } }
const host = await makeHost(server, 'ada@host.example')
const configuration = await makeConfiguration(server, [host], {
  event: { title: '${invitee} about ${topic}', description: 'With ${invitee_email}' },
  scheduler: { additional_fields: fields },
})
const start = nearFuture()
const bookAt = async (at: number, body: object) => {
  const made = await book(server, configuration, at, { body, headers: { 'idempotency-key': `at ${at}` } })
  expect(made.status, JSON.stringify(made.body)).toBe(200)
  return made.body.data as { booking_id: string; event_id: string }
}
const theirs = await bookAt(start, { guest: canary, additional_fields: { topic: 'feathers' } })
const called = await bookAt(start + 1_800, { guest: canary, additional_fields: { topic: 'feathers' } })
await server.request('DELETE', `/v3/scheduling/bookings/${called.booking_id}?configuration_id=${configuration}`, {
  body: { cancellation_reason: 'feathers hurt' },
})
// As it stands while a calendar has not let the event go.
await server.app.database.pool.query(`update openslot.bookings set change = $2 where id = $1`, [
  called.booking_id,
  {
    kind: 'cancel',
    by: 'guest',
    reason: 'feathers hurt',
    from: 'booked',
    // An earlier version kept all of a move that it overtook.
    overtook: { kind: 'reschedule', details: { guest: canary, additionalFields: { topic: 'feathers' } } },
  },
])
// And where it overtook one that was to bring them in.
const { booking_id: leftBehind } = await bookAt(start + 10_800, { guest: { name: 'Ivy', email: 'ivy@guest.example' } })
await server.request('DELETE', `/v3/scheduling/bookings/${leftBehind}?configuration_id=${configuration}`, { body: {} })
const overtaken = { guest: { name: 'Ivy', email: 'ivy@guest.example' }, additionalGuests: [canary] }
await server.app.database.pool.query(`update openslot.bookings set change = $2 where id = $1`, [
  leftBehind,
  { kind: 'cancel', by: 'guest', reason: '', from: 'booked', overtook: { kind: 'reschedule', details: overtaken } },
])
const others = await bookAt(start + 3_600, {
  guest: { name: 'Gil Guest', email: 'gil@guest.example' },
  additional_guests: [
    { name: 'Kanarie', email: 'canary@guest.example' },
    { name: 'Dan', email: 'dan@guest.example' },
  ],
})
const coming = await bookAt(start + 30 * 86_400, { guest: canary })
const handedOn = await bookAt(start + 9_000, { guest: canary })
const taken = await server.request(
  'PATCH',
  `/v3/scheduling/bookings/${handedOn.booking_id}?configuration_id=${configuration}`,
  {
    body: { start_time: start + 9_000, end_time: start + 10_800, guest: { name: 'Fay', email: 'fay@guest.example' } },
  },
)
const strangers = await bookAt(start + 5_400, { guest: { name: 'Eve', email: 'eve@guest.example' } })

const list = async () =>
  (await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings`)).body.data.toReversed()
const event = async ({ event_id }: { event_id: string }) =>
  (await server.request('GET', `/v3/grants/${host.grantId}/events/${event_id}?calendar_id=${host.calendarId}`)).body
    .data

it('hands out what is known of a guest by any spelling of the address, and of others only that they were there', async () => {
  const answer = await exportGuest({ appId, email: 'canary@GUEST.example' })
  if (!answer.ok) throw new Error(answer.problem.message)
  const { bookings, mails } = answer.value as { bookings: Row[]; mails: Row[] }
  expect(bookings.map(({ role, booking_id, event_id, status }) => [role, booking_id ?? event_id, status])).toEqual([
    ['guest', theirs.booking_id, 'booked'],
    ['guest', called.booking_id, 'cancelled'],
    ['additional_guest', others.event_id, 'booked'],
    ['guest', coming.booking_id, 'booked'],
  ])
  expect(bookings[0]).toMatchObject({ title: 'Canary Bird about feathers', additional_fields: { topic: 'feathers' } })
  expect(bookings[1]).toMatchObject({ cancellation_reason: 'feathers hurt' })
  expect(bookings[2].additional_guests).toEqual([{ name: 'Kanarie', email: 'canary@guest.example' }])
  expect(JSON.stringify(bookings)).not.toMatch(/gil@|dan@|eve@|booking_ref/)
  expect(JSON.stringify(answer.value)).not.toContain(others.booking_id)
  // Also of the booking in which another has taken their place.
  expect(Object.groupBy(mails, ({ kind }) => kind)).toMatchObject({
    cancelled: { length: 2 },
    confirmed: { length: 5 },
  })
  expect(mails).toHaveLength(7)
  expect(mails.every(({ to, text }) => /^canary@/i.test(to.email) && text.length > 100)).toBe(true)
  expect(await exportGuest({ appId, email: 'nobody' })).toMatchObject({ ok: false, problem: { field: 'ADDRESS' } })
})

it('erases them from what is over, leaves and names what still stands, and then knows nothing of them', async () => {
  expect(taken.status).toBe(200)
  const before = await list()
  clock = () => plus(instant((start + 7_200) * 1_000), dayMs)
  const first = await eraseGuest({ appId, email: canary.email.toLowerCase() })
  expect(first).toMatchObject({ ok: true, value: { blanked: 2, takenOut: 2, standing: [coming.booking_id] } })
  const after = await list()
  const byId = (rows: Row[], { booking_id }: { booking_id: string }) =>
    rows.find((row) => row.booking_id === booking_id)
  expect(byId(after, theirs)).toMatchObject({
    title: 'Intro call',
    description: '',
    guest: { name: '', email: '' },
    additional_fields: {},
    start_time: start,
    status: 'booked',
  })
  expect(byId(after, others)).toEqual({
    ...byId(before, others),
    additional_guests: [{ name: 'Dan', email: 'dan@guest.example' }],
    version: byId(before, others).version + 1,
  })
  expect(byId(after, coming)).toEqual(byId(before, coming))
  expect(byId(after, handedOn)).toEqual(byId(before, handedOn))
  expect(byId(after, strangers)).toEqual(byId(before, strangers))
  const people = async (booking: { event_id: string }) =>
    (await event(booking)).participants.map(({ email }: { email: string }) => email).toSorted()
  expect(await people(theirs)).toEqual(['ada@host.example'])
  expect(await people(others)).toEqual(['ada@host.example', 'dan@guest.example', 'gil@guest.example'])
  expect(await people(strangers)).toEqual(['ada@host.example', 'eve@guest.example'])

  clock = () => plus(instant((start + 31 * 86_400) * 1_000), dayMs)
  const second = await eraseGuest({ appId, email: canary.email })
  expect(second).toMatchObject({ ok: true, value: { blanked: 1, takenOut: 0, standing: [] } })
  const everything = await readBackup(server)
  expect(everything).toContain('eve@guest.example')
  expect(everything).toContain('guest.erase')
  expect(everything).not.toMatch(/canary|kanarie|feathers/i)
  expect(await exportGuest({ appId, email: canary.email })).toMatchObject({
    ok: true,
    value: { bookings: [], mails: [] },
  })
})
