/** Calendars behind accounts elsewhere, from sign-in to booking: what a tower answers decides, the clock is real. */
import { beforeEach, describe, expect, it } from 'vitest'

import { sql } from '../../../src/adapters/storage/database/sql.ts'
import { success } from '../../../src/core/result.ts'
import { fakeAccounts } from '../../support/calendars/fakeAccounts.ts'
import {
  bookAt,
  configure,
  connect,
  milliseconds,
  type RemoteHost,
  slotsFrom,
  until,
} from '../../support/calendars/remoteHosts.ts'
import { book, nearFuture } from '../../support/hosts.ts'
import { startTestServer } from '../../support/server.ts'

const fake = fakeAccounts()
let relocate: typeof fake.tower.relocate = async () => success(undefined)
const tower: typeof fake.tower = { ...fake.tower, relocate: (call) => relocate(call) }
const server = await startTestServer({ towers: { caldav: tower } }, { CALENDAR_SYNC_SECONDS: '1' })
const nine = nearFuture()
const half = nine + 1800

let count = 0
let user: string
let host: RemoteHost
beforeEach(async () => {
  fake.heal()
  user = `ana${++count}@host.example`
  fake.add(user, 'secret-7781', ['work', 'private'])
  host = await connect(server, 'caldav', { username: user, password: 'secret-7781' })
})

const mine = async (path: string) => (await server.request('GET', path)).body.data

describe('connecting an account', () => {
  it('signs in before the grant is answered, lists its calendars, and shows no credential anywhere', async () => {
    expect(host.calendars).toEqual(['private', 'work'])
    const grant = await mine(`/v3/grants/${host.grantId}`)
    expect(grant).toMatchObject({ provider: 'caldav', email: user, grant_status: 'valid' })
    expect(JSON.stringify(grant)).not.toContain('7781')
    const stored = await server.app.database.transaction(grant.application_id ?? server.clientId, (transaction) =>
      transaction.query<{ all: string }>(
        sql`select to_jsonb(g)::text || encode(secret_sealed, 'escape') as all from openslot.grants g where app_id = ${server.clientId}`,
      ),
    )
    expect(stored.length).toBeGreaterThan(0)
    expect(stored.filter(({ all }) => all.includes('7781'))).toEqual([])
  })

  it('keeps nothing of an account that does not open, and names the wrong setting', async () => {
    const refused = await server.request('POST', '/v3/connect/custom', {
      body: { provider: 'caldav', settings: { username: 'nobody@host.example', password: 'x' } },
    })
    expect(refused.status).toBe(400)
    expect(refused.body.error.message).toContain('settings.password')
    fake.add('empty@host.example', 'x', [])
    const empty = await server.request('POST', '/v3/connect/custom', {
      body: { provider: 'caldav', settings: { username: 'empty@host.example', password: 'x' } },
    })
    expect(empty.status).toBe(400)
    expect(empty.body.error.message).toContain('no calendar')
    const grants = await mine('/v3/grants?limit=200')
    expect(grants.filter(({ email }: { email: string }) => /nobody|empty/.test(email))).toEqual([])
  })

  it('keeps a calendar of which the provider cannot tell how it is, and takes what it tells of the others', async () => {
    fake.hide(user, 'private')
    fake.rename(user, 'work', 'office')
    expect((await connect(server, 'caldav', { username: user, password: 'secret-7781' })).calendars).toEqual([
      'office',
      'private',
    ])
  })

  it('a second time is the same grant with the new password', async () => {
    fake.changePassword(user, 'fresh-9912')
    const again = await connect(server, 'caldav', { username: user, password: 'fresh-9912' })
    expect(again.grantId).toBe(host.grantId)
    expect(await slotsFrom(server, await configure(server, host), nine)).toEqual([nine, half])
  })
})

describe('offers and bookings', () => {
  it('a booking appears on the calendar, moves and vanishes with it', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    const bookingId = await bookAt(server, id, nine)
    const [event] = fake.events(user, 'work')
    expect(event).toMatchObject({ when: milliseconds(nine), placed: { title: 'Intro call' } })
    expect(await slotsFrom(server, id, nine)).toEqual([half])

    const moved = await server.request('PATCH', `/v3/scheduling/bookings/${bookingId}`, {
      body: { start_time: half, end_time: half + 1800 },
    })
    expect(moved.status).toBe(200)
    expect(fake.events(user, 'work')).toMatchObject([{ when: milliseconds(half) }])
    expect(await slotsFrom(server, id, nine)).toEqual([nine])

    await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })
    expect(fake.events(user, 'work')).toEqual([])
    expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
  })

  it('what is put there by hand is no longer offered after a poll, and refused at once', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
    fake.put(user, 'work', 'dentist', milliseconds(nine))
    expect((await book(server, id, nine)).status).toBe(400)
    await until(
      () => slotsFrom(server, id, nine),
      (slots) => expect(slots).toEqual([half]),
    )
    fake.delete(user, 'work', 'dentist')
    await until(
      () => slotsFrom(server, id, nine),
      (slots) => expect(slots).toEqual([nine, half]),
    )
  })

  it.each(['work', 'private'])(
    'what comes to %s between the look and the place is found by the look back',
    async (where) => {
      const id = await configure(server, host, { read: ['work', 'private'], write: 'work' })
      fake.once('place', () => fake.put(user, where, 'late', milliseconds(nine)))
      const refused = await book(server, id, nine)
      expect(refused.status).toBe(400)
      expect(refused.body.error.type).toBe('timeslot_not_available')
      expect(fake.events(user, 'work').filter(({ placed }) => placed !== undefined)).toEqual([])
    },
  )

  it('an answer that is lost leaves one event and one answer', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    fake.once('place', 'loseAnswer')
    expect((await book(server, id, nine)).status).toBe(504)
    expect(fake.events(user, 'work')).toEqual([])
    await bookAt(server, id, nine)
    expect(fake.events(user, 'work')).toHaveLength(1)
  })

  it('offers ask nobody while the mirror is fresh, and a poll without news takes one call', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    await until(
      () => slotsFrom(server, id, nine),
      (slots) => expect(slots).toEqual([nine, half]),
    )
    fake.takeCalls(user)
    for (let round = 0; round < 5; round++) await slotsFrom(server, id, nine + round * 3600)
    expect(fake.takeCalls(user).filter((call) => call !== 'readChanges')).toEqual([])
  })

  it('a lost token is followed by reading everything', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    await slotsFrom(server, id, nine)
    fake.put(user, 'work', 'a', milliseconds(nine))
    fake.forgetTokens()
    fake.delete(user, 'work', 'a')
    fake.put(user, 'work', 'b', milliseconds(half))
    await until(
      () => slotsFrom(server, id, nine),
      (slots) => expect(slots).toEqual([nine]),
    )
  })
})

describe('invitations', () => {
  it('are in our mail for exactly those whom the calendar did not invite', async () => {
    const id = await configure(server, host, { read: ['work'], write: 'work' })
    fake.invites = (email) => email === 'gil@guest.example'
    const bookingId = await bookAt(server, id, nine, {
      body: { additional_guests: [{ name: 'Kim', email: 'kim@guest.example' }] },
    })
    fake.invites = () => false
    const invited = async () => {
      const rows = await server.app.database.query<{ to: string; method: string | null }>(sql`
        select recipient as to, body #>> '{invitation,method}' as method from openslot.deliveries
        where app_id = ${server.clientId} and kind = 'mail' and booking_id = ${bookingId.length === 36 ? bookingId : null}::uuid
        order by id`)
      return rows.map(({ to, method }) => `${to} ${method}`)
    }
    expect(await invited()).toEqual(
      expect.arrayContaining(['gil@guest.example null', 'kim@guest.example REQUEST', `${user} REQUEST`]),
    )
    await server.request('DELETE', `/v3/scheduling/bookings/${bookingId}`, { body: {} })
    expect((await invited()).filter((one) => one.endsWith('CANCEL')).toSorted()).toEqual(
      [`${user} CANCEL`, 'kim@guest.example CANCEL'].toSorted(),
    )
  })
})

describe('an account that fails is looked for at other places', () => {
  const settings = async () => {
    const [row] = await server.app.database.transaction(server.clientId as never, (transaction) =>
      transaction.query<{ settings: object }>(
        sql`select settings from openslot.grants where app_id = ${server.clientId} and id = ${host.grantId}`,
      ),
    )
    return row?.settings
  }
  const lookedFor = async (meanwhile: () => Promise<unknown>) => {
    const ended = Promise.withResolvers<void>()
    relocate = async ({ account }) => {
      if (account.grantId !== host.grantId) return success(undefined)
      await meanwhile()
      ended.resolve()
      return success({ ...account.settings, home: '/moved' })
    }
    fake.breakDown()
    await ended.promise
    fake.heal()
    // The call that was answered with the new place has come to its end once the calendars are read again.
    await until(
      async () => mine(`/v3/grants/${host.grantId}/calendars/work`),
      (calendar) => expect(calendar.sync).toMatchObject({ status: 'ok', read_at: expect.any(Number) }),
    )
  }

  it('and what was found is kept', async () => {
    await lookedFor(async () => {})
    await until(settings, (kept) => expect(kept).toEqual({ home: '/moved' }))
  })

  it('but not over what its owner said meanwhile, who connected it anew', async () => {
    await lookedFor(() => {
      fake.heal()
      return connect(server, 'caldav', { username: user, password: 'secret-7781', timezone: 'Asia/Tokyo' })
    })
    expect(await settings()).toEqual({ home: '/', timezone: 'Asia/Tokyo' })
  })
})
