/** What is thrown away or blanked when it is old enough, with a clock that the test moves. */
import { beforeEach, describe, expect, it } from 'vitest'

import { dayMs, type Instant, instant, plus } from '../../src/core/time/instant.ts'
import { readBackup } from '../support/backups.ts'
import { book, makeConfiguration, makeHost, nearFuture } from '../support/hosts.ts'
import { startTestServer } from '../support/server.ts'

let clock: () => Instant
const server = await startTestServer({ now: () => clock() }, { ROLE: 'web' })
beforeEach(() => {
  clock = () => instant(Date.now())
})
const standStill = (at: Instant) => {
  clock = () => at
}
const query = async (text: string, values: readonly unknown[] = []) =>
  (await server.app.database.pool.query(text, [...values])).rows
const sweep = async () => {
  const swept = await server.app.operations.sweep()
  if (!swept.ok) throw new Error(swept.problem.message)
  return swept.value
}

const canaries = ['Canary', 'canary', 'Kanarie', 'feathers']
const fields = { topic: { label: 'Topic', type: 'text', required: false } }

describe('what guests said of themselves', () => {
  it('is blanked a year after the end of the booking, here and on our own calendars, and the booking stays', async () => {
    const host = await makeHost(server, 'ada@host.example')
    const configuration = await makeConfiguration(server, [host], {
      event: { title: '${invitee} about ${topic}', description: 'With ${invitee_email}', location: '${topic}' },
      scheduler: { additional_fields: fields },
    })
    const start = nearFuture()
    const body = {
      guest: { name: 'Canary Bird', email: 'canary@guest.example' },
      additional_guests: [{ email: 'canary2@guest.example', name: 'Kanarie' }],
      additional_fields: { topic: 'feathers' },
    }
    const bookIt = async (at: number) =>
      (await book(server, configuration, at, { body })).body.data.booking_id as string
    const kept = await bookIt(start)
    const cancelled = await bookIt(start + 1_800)
    const path = (id: string) => `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`
    const called = await server.request('DELETE', path(cancelled), { body: { cancellation_reason: 'feathers hurt' } })
    expect(called.status).toBe(200)
    const later = await bookIt(start + 86_400)
    const list = async () =>
      (await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings`)).body.data.toReversed()
    const [keptBefore, cancelledBefore, laterBefore] = await list()
    expect(keptBefore).toMatchObject({ title: 'Canary Bird about feathers', description: 'With canary@guest.example' })

    const end = instant((start + 1_800) * 1_000)
    standStill(plus(end, 365 * dayMs))
    expect(await sweep()).toMatchObject({ blanked: 0 })
    standStill(plus(end, 365 * dayMs + 1_800_001))
    expect(await sweep()).toMatchObject({ blanked: 2 })

    const blank = {
      title: 'Intro call',
      description: '',
      location: '',
      guest: { name: '', email: '' },
      additional_guests: [],
      additional_fields: {},
      cancellation_reason: '',
    }
    const after = await list()
    expect(after).toEqual([
      { ...keptBefore, ...blank, version: keptBefore.version + 1 },
      { ...cancelledBefore, ...blank, version: cancelledBefore.version + 1 },
      laterBefore,
    ])
    expect((await server.request('GET', path(kept))).body.data).toMatchObject({ booking_id: kept, status: 'booked' })
    const events = `/v3/grants/${host.grantId}/events`
    const event = async (id: string) =>
      (await server.request('GET', `${events}/${id}?calendar_id=${host.calendarId}`)).body.data
    expect(await event(keptBefore.event_id)).toMatchObject({
      title: 'Intro call',
      description: '',
      location: '',
      busy: true,
      participants: [expect.objectContaining({ email: host.email })],
      when: expect.objectContaining({ start_time: start, end_time: start + 1_800 }),
    })
    expect((await event(laterBefore.event_id)).participants.length).toBe(3)

    expect(await sweep()).toMatchObject({ blanked: 0 })
    expect(await list()).toEqual(after)
    // What is written anew is blanked anew, when its time has come; and then nothing here knows of anyone.
    const again = start + 366 * 86_400 + 7 * 86_400
    const moved = await server.request('PATCH', path(kept), {
      body: { ...body, start_time: again, end_time: again + 1_800 },
    })
    expect(moved.status, JSON.stringify(moved.body)).toBe(200)
    standStill(instant((again + 366 * 86_400) * 1_000))
    expect(await sweep()).toMatchObject({ blanked: 2 })
    expect((await list()).map(({ booking_id }: { booking_id: string }) => booking_id)).toEqual([kept, cancelled, later])
    const everything = await readBackup(server)
    expect(everything).toContain(later)
    for (const canary of canaries) expect(everything).not.toContain(canary)
  })

  it('stays where a change of the booking is not settled, or was made within the time that mails are kept', async () => {
    const host = await makeHost(server, 'ben@host.example')
    const configuration = await makeConfiguration(server, [host])
    const start = nearFuture()
    const made = await book(server, configuration, start)
    const id = made.body.data.booking_id
    const end = instant((start + 1_800) * 1_000)
    standStill(plus(end, 366 * dayMs))
    const blankedWhen = async (change: string, values: readonly unknown[] = []) => {
      await query(`update openslot.bookings set ${change} where id = '${id}'`, values)
      return (await sweep()).blanked
    }
    expect(await blankedWhen(`change = '{"kind": "confirm"}'`)).toBe(0)
    expect(await blankedWhen('change = null, updated_at = $1', [new Date(clock() - 29 * dayMs)])).toBe(0)
    expect(await blankedWhen('updated_at = $1', [new Date(clock() - 31 * dayMs)])).toBe(1)
  })
})

describe('a heap', () => {
  const pile = (count: number) =>
    query(
      `insert into openslot.webhook_events (app_id, id, trigger, object_id, number, body, created_at)
       select $1, gen_random_uuid(), 'booking.created', gen_random_uuid()::text, 1, '{}', now() - interval '31 days'
       from generate_series(1, ${count})`,
      [server.clientId],
    )
  const left = async () =>
    (
      await query(`select count(*) as count from openslot.webhook_events where created_at < now() - interval '30 days'`)
    )[0].count

  it('of old notifications and old bookings goes in one sweep, in as many parts as it takes', async () => {
    const host = await makeHost(server, 'cyd@host.example')
    const made = await book(server, await makeConfiguration(server, [host]), nearFuture())
    await query(
      `insert into openslot.bookings (app_id, id, configuration_id, organizer_salt, guest_salt, state, during, organizer_email, guest_email,
         event_id, body, updated_at)
       select app_id, gen_random_uuid(), configuration_id, organizer_salt, guest_salt, 'booked',
         tstzrange(now() - interval '400 days', now() - interval '399 days'), organizer_email, guest_email, gen_random_uuid()::text, body,
         now() - interval '399 days'
       from openslot.bookings, generate_series(1, 2_100) where id = $1`,
      [made.body.data.booking_id],
    )
    await pile(2_100)
    // However long it takes here.
    standStill(clock())
    expect(await sweep()).toMatchObject({ deleted: 2_100, blanked: 2_100 })
    expect(await left()).toBe(0)
  })

  it('that takes long leaves the rest to the next sweep, so that a server can stop', async () => {
    await pile(2_100)
    const begun = Date.now()
    let asked = 0
    // Each part takes six seconds.
    clock = () => instant(begun + 6_000 * asked++)
    expect(await sweep()).toMatchObject({ deleted: 2_000 })
    standStill(instant(begun))
    expect(await sweep()).toMatchObject({ deleted: 100 })
  })
})

describe('the addresses of callers', () => {
  const addresses = async () =>
    (await query('select address from openslot.audit_log where app_id = $1 order by id', [server.clientId])).map(
      ({ address }) => address,
    )
  const change = () => server.request('PATCH', '/v3/applications', { body: { branding: { name: 'Acme' } } })
  const age = (days: number) =>
    query("update openslot.audit_log set at = now() - $1 * interval '1 day' where address is not null", [days])

  it('are taken out of the audit log when they are as old as guests’ data may be, and the log stays', async () => {
    await change()
    const before = await addresses()
    const named = before.filter((address) => address !== null)
    expect(named.at(-1)).toBe('127.0.0.1')
    await age(364)
    await query('update openslot.applications set audit_blanked_until = null')
    expect((await sweep()).blanked).toBe(0)
    expect(await addresses()).toEqual(before)
    standStill(plus(instant(Date.now()), 2 * dayMs))
    expect((await sweep()).blanked).toBe(named.length)
    expect(await addresses()).toEqual(before.map(() => null))

    // What is younger than the point up to which the log is blank is looked at in its turn.
    await change()
    await age(362)
    expect((await sweep()).blanked).toBe(0)
    standStill(plus(instant(Date.now()), 4 * dayMs))
    expect((await sweep()).blanked).toBe(1)
  })

  it('stay for 30 days whatever the server may be made to ask for', async () => {
    await change()
    await age(29)
    const blank = async () =>
      (await query(`select openslot.blank_audit_addresses($1, '-infinity', 'infinity', 10)`, [server.clientId]))[0]
    expect(await blank()).toEqual({ blank_audit_addresses: 0 })
    await age(31)
    expect(await blank()).toEqual({ blank_audit_addresses: 1 })
  })
})
