/** What is known of a calendar elsewhere: how old it may be, what is done where it is older, and what lies beyond it. */
import { beforeEach, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import {
  bookAt,
  configure,
  connect,
  milliseconds,
  type RemoteHost,
  slotsFrom,
  sync,
} from '../../support/calendars/remoteHosts.ts'
import { makeConfiguration, nearFuture, participant } from '../../support/hosts.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
// No worker polls: what is known grows old.
const server = await startTestServer({ towers: { caldav: fake.tower } }, { ROLE: 'web', BUSY_MAX_AGE_SECONDS: '300' })
const nine = nearFuture()
const half = nine + 1800

let count = 0
let user: string
let host: RemoteHost
let id: string
beforeEach(async () => {
  user = `ana${++count}@host.example`
  fake.add(user, 'x', ['work'])
  host = await connect(server, 'caldav', { username: user, password: 'x' })
  id = await configure(server, host, { scheduler: { available_days_in_future: 500 } })
  await sync(server, host, 'work')
})

const standing = async () => (await server.request('GET', `/v3/grants/${host.grantId}/calendars/work`)).body.data.sync
const age = async (seconds: number) => {
  const [row] = await server.app.database.query<{ at: number }>(sql`
    update openslot.mirrors set true_at = now() - ${seconds} * interval '1 second'
    where app_id = ${server.clientId} and grant_id = ${host.grantId} returning true_at as at`)
  return Math.floor((row?.at ?? 0) / 1000)
}

it('is as old as it may be, and no more: then it is stale since, and the next guest has it read anew', async () => {
  await age(290)
  fake.takeCalls(user)
  expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
  expect([fake.takeCalls(user), (await standing()).status]).toEqual([[], 'ok'])

  const readAt = await age(420)
  expect(await standing()).toEqual({
    status: 'stale',
    reason: 'It has not been read for a while.',
    since: readAt + 300,
    read_at: readAt,
  })
  fake.put(user, 'work', 'dentist', milliseconds(nine))
  // A span that was not asked for before: the answer of ten seconds ago is kept.
  expect(await slotsFrom(server, id, nine, 2)).toEqual([half, nine + 3_600, nine + 5_400])
  expect(fake.takeCalls(user)).toEqual(['readChanges'])
  expect((await standing()).status).toBe('ok')
})

it('is read anew for each of several calendars by how that one stands', async () => {
  const others = [`refused${count}@host.example`, `old${count}@host.example`] as const
  for (const username of others) fake.add(username, 'x', ['work'])
  const [refused, old] = await Promise.all(
    others.map((username) => connect(server, 'caldav', { username, password: 'x' })),
  )
  const part = (email: string, availability: object = {}) =>
    participant(email, { availability: { calendar_ids: ['work'], ...availability }, booking: { calendar_id: 'work' } })
  const together = await makeConfiguration(server, [{ ...host, calendarId: 'work' }], {
    participants: [
      { ...part(user), is_organizer: true },
      part(others[0], { unreadable_calendars: 'ignore' }),
      part((old as RemoteHost).email),
    ],
  })
  fake.changePassword(others[0], 'changed')
  await expect(sync(server, refused as RemoteHost, 'work')).rejects.toThrow('refused')
  fake.takeCalls(others[1])
  expect(await slotsFrom(server, together, nine)).toEqual([nine, half])
  expect(fake.takeCalls(others[1])).toContain('readChanges')
})

it('is read as a whole where its account is connected anew, whatever the token of before is worth there', async () => {
  fake.put(user, 'work', 'dentist', milliseconds(nine))
  await sync(server, host, 'work')
  expect(await slotsFrom(server, id, nine)).toEqual([half])
  // The account as another server keeps it, which takes the token for one of its own.
  fake.add(user, 'x', ['work'])
  fake.put(user, 'work', 'lunch', milliseconds(half))
  await connect(server, 'caldav', { username: user, password: 'x' })
  // A span that was not asked for before.
  expect(await slotsFrom(server, id, nine, 2)).toEqual([nine, nine + 3_600, nine + 5_400])
})

it('ends somewhere: days beyond it are asked of the calendar itself, while those before are not', async () => {
  const far = nine + 420 * 86_400
  fake.put(user, 'work', 'congress', milliseconds(far))
  fake.takeCalls(user)
  expect(await slotsFrom(server, id, far)).toEqual([far + 1800])
  expect(fake.takeCalls(user)).toContain('freeBusy')
  expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
  expect(fake.takeCalls(user)).toEqual([])
})

it('of a calendar that does not answer is waited for a while, and then its owner cannot be booked', async () => {
  await age(420)
  const answer = fake.hang(user)
  expect(await slotsFrom(server, id, nine)).toBe('The calendar could not be read in time.')
  expect(fake.takeCalls(user)).toContain('readChanges')
  answer()
})

it('that is due is given to one of all who look at the same time', async () => {
  await server.app.database.query(
    sql`update openslot.mirrors set due_at = 'infinity' where app_id = ${server.clientId}`,
  )
  const grants: string[] = [host.grantId]
  for (let index = 0; index < 7; index++) {
    const username = `due${index}@host.example`
    fake.add(username, 'x', ['work'])
    grants.push((await connect(server, 'caldav', { username, password: 'x' })).grantId)
  }
  await server.app.database.query(
    sql`update openslot.mirrors set due_at = now() where app_id = ${server.clientId} and grant_id = any(${grants})`,
  )
  const looks = Array.from({ length: 6 }, () => server.app.operations.findDueCalendars({ limit: 20, failing: 4 }))
  const given = (await Promise.all(looks)).flatMap((found) => (found.ok ? found.value : []))
  expect(given.map(({ grantId }) => grantId).toSorted()).toEqual(grants.toSorted())
})

it('says that it failed where reading broke in a way that nobody expects, and is not free', async () => {
  await age(420)
  fake.once('readChanges', () => {
    throw new RangeError('a fault of the program')
  })
  expect(await slotsFrom(server, id, nine)).toBe('This server failed while it read the calendar.')
  expect(await standing()).toMatchObject({
    status: 'failing',
    reason: 'This server failed while it read the calendar.',
  })
  await sync(server, host, 'work')
  expect(await standing()).toMatchObject({ status: 'ok' })
})

it('remembers that the event of a booking is gone for as long as the booking may follow it, and no longer', async () => {
  const ids = [await bookAt(server, id, nine), await bookAt(server, id, half)]
  const [past] = ids
  const remembered = async () => {
    const rows = await server.app.database.query<{ id: string }>(sql`
      select booking_id as id from openslot.mirror_items where app_id = ${server.clientId} and grant_id = ${host.grantId}`)
    return rows.map((row) => row.id)
  }
  await sync(server, host, 'work')
  expect((await remembered()).toSorted()).toEqual(ids.toSorted())
  await server.app.database.transaction(server.clientId as never, async (transaction) => {
    await transaction.query(sql`
      update openslot.bookings set during = tstzrange(now() - interval '40 days', now() - interval '39 days')
      where app_id = ${server.clientId} and id = ${past}`)
    await transaction.query(sql`
      delete from openslot.slot_claims where app_id = ${server.clientId} and booking_id = ${past}`)
  })
  // Nothing of either is in the next answer; the calendar cannot be asked what became of them.
  for (const event of fake.events(user, 'work')) fake.delete(user, 'work', event.id)
  fake.forgetTokens()
  fake.once('find', 'fail')
  await sync(server, host, 'work')
  expect(await remembered()).toEqual([ids[1]])
})
