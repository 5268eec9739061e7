/** Reminders: at their time, once, moved and removed with the booking, and never late. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import type { AppId, BookingId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { startSmtp, type TestSmtp } from '../../support/smtp.ts'

let database: TestDatabase
let server: TestServer
let host: TestHost
let clock: number | undefined
let start = nearFuture()

beforeAll(async () => {
  database = await createTestDatabase()
  server = await startTestServer(
    { connection: database.connection, now: () => instant(clock ?? Date.now()) },
    { ROLE: 'web' },
  )
})
afterAll(async () => {
  await server.close()
  await database.drop()
})

let hosts = 0
beforeEach(async () => {
  clock = undefined
  start += 86_400
  host = await makeHost(server, `host${++hosts}@host.example`)
})

const query = async (text: string, ...values: unknown[]) => (await server.app.database.pool.query(text, values)).rows
const jobs = (id: string) =>
  query(
    `select key, extract(epoch from run_at)::int as at from graphile_worker.jobs where key like 'reminder:' || $1 || ':%' order by key`,
    id,
  )
const states = async (id: string) =>
  (await query('select state from openslot.reminders where booking_id = $1 order by number', id)).map(
    ({ state }) => state,
  )
const remind = async (id: string, number = 0) => {
  const told = await server.app.operations.sendReminder({
    appId: server.clientId as AppId,
    bookingId: id as BookingId,
    number,
  })
  return told.ok ? told.value : told.problem.message
}
const told = (id: string) =>
  query(
    `select trigger, body from openslot.webhook_events where object_id = $1 and trigger = 'booking.reminder' order by number`,
    id,
  )
const mails = async (id: string) =>
  (await server.request('GET', `/v3/mails?booking_id=${id}`)).body.data.filter(
    ({ kind }: { kind: string }) => kind === 'reminder',
  ) as { subject: string; to: { email: string } }[]

const hour = { type: 'email', minutes_before_event: 60, recipient: 'guest', email_subject: 'See you soon' }
const day = { type: 'webhook', minutes_before_event: 1_440 }
async function bookWith(reminders: object[], from = start, event: object = {}) {
  const configuration = await makeConfiguration(server, [host], { event: { reminders, ...event } })
  const made = await book(server, configuration, from)
  expect(made.status, JSON.stringify(made.body)).toBe(200)
  return { configuration, id: made.body.data.booking_id as string }
}

describe('reminders', () => {
  it('wait for their time, move with the booking and go with it', async () => {
    const { configuration, id } = await bookWith([hour, day])
    const keys = [`reminder:${id}:0`, `reminder:${id}:1`]
    expect(await jobs(id)).toEqual([
      { key: keys[0], at: start - 3_600 },
      { key: keys[1], at: start - 86_400 },
    ])
    expect(await remind(id)).toBe('nothing to do')

    const path = `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`
    const body = { start_time: start + 7_200, end_time: start + 9_000 }
    expect((await server.request('PATCH', path, { token: null, body })).status).toBe(200)
    expect((await jobs(id)).map(({ at }) => at)).toEqual([start + 3_600, start + 7_200 - 86_400])
    // The job of the old time, had a worker held it already: not due any more.
    clock = (start - 3_600) * 1_000
    expect(await remind(id)).toBe('nothing to do')

    clock = undefined
    expect((await server.request('DELETE', path, { token: null })).status).toBe(200)
    expect(await jobs(id)).toEqual([])
    expect(await states(id)).toEqual(['cancelled', 'cancelled'])
    clock = (start + 3_600) * 1_000
    expect([await remind(id), await told(id), await mails(id)]).toEqual(['nothing to do', [], []])
  })

  it('by webhook tell what is documented, once, though several run at the same time', async () => {
    const { configuration, id } = await bookWith([day])
    clock = (start - 86_400) * 1_000
    const outcomes = await Promise.all([remind(id), remind(id), remind(id)])
    expect(outcomes.toSorted()).toEqual(['done', 'nothing to do', 'nothing to do'])
    const [event, ...more] = await told(id)
    expect(more).toEqual([])
    expect(Object.keys(event?.body).toSorted()).toEqual(['booking_id', 'booking_info', 'configuration_id'])
    expect(event?.body).toMatchObject({
      booking_id: id,
      configuration_id: configuration,
      booking_info: {
        time_until_event: 86_400,
        organizer_email: host.email,
        provider: 'virtual-calendar',
        start_time: start,
      },
    })
    expect(await mails(id)).toEqual([])
    // Numbers of a booking's notifications go on after it.
    const path = `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`
    expect((await server.request('DELETE', path, { token: null })).status).toBe(200)
  })

  it('by mail go to whom they are meant for, under the subject that is set, though other mails are disabled', async () => {
    for (const [recipient, expected] of [
      ['guest', ['gil@guest.example', 'zoe@guest.example']],
      ['host', [host.email]],
      ['all', ['gil@guest.example', host.email, 'zoe@guest.example']],
    ] as const) {
      const configuration = await makeConfiguration(server, [host], {
        event: { reminders: [{ ...hour, recipient }], disable_emails: true },
      })
      const made = await book(server, configuration, start, {
        body: { additional_guests: [{ email: 'zoe@guest.example' }] },
      })
      const { booking_id: id } = made.body.data
      clock = (start - 3_600) * 1_000
      expect(await remind(id)).toBe('done')
      clock = undefined
      expect((await mails(id)).map(({ to }) => to.email).toSorted()).toEqual(expected.toSorted())
      expect((await mails(id)).map(({ subject }) => subject)).toEqual(expected.map(() => 'See you soon'))
      expect(await told(id)).toEqual([])
      start += 1_800
    }
  })

  it('that are past when the booking is made are skipped, and so are those that a move makes past', async () => {
    const { configuration, id } = await bookWith([{ ...day, minutes_before_event: 100_000 }, hour])
    expect(await states(id)).toEqual(['skipped', 'waiting'])
    expect((await jobs(id)).map(({ key }) => key)).toEqual([`reminder:${id}:1`])
    clock = (start - 3_000) * 1_000
    const path = `/v3/scheduling/bookings/${id}?configuration_id=${configuration}`
    const body = { start_time: start - 1_800, end_time: start }
    const moved = await server.request('PATCH', path, { token: null, body })
    expect(moved.status).toBe(200)
    expect(await states(id)).toEqual(['skipped', 'skipped'])
    expect(await jobs(id)).toEqual([])
  })

  describe('of a configuration that changed', () => {
    const change = async (configuration: string, reminders: object[]) => {
      const path = `/v3/grants/${host.grantId}/scheduling/configurations/${configuration}`
      const body = { event_booking: { title: 'Intro call', timezone: 'UTC', reminders } }
      expect((await server.request('PUT', path, { body })).status).toBe(200)
    }
    /** The runs that are ordered for the configuration, as the worker does them. */
    const arrange = async (configuration: string) => {
      let runs = 0
      for (;;) {
        const [job] = await query(
          `select id, payload from graphile_worker._private_jobs where payload ->> 'configurationId' = $1 order by id`,
          configuration,
        )
        if (job === undefined) return runs
        await query('select graphile_worker.complete_jobs(array[$1::bigint])', job.id)
        expect(await server.app.operations.arrangeReminders(job.payload)).toEqual({ ok: true, value: undefined })
        runs++
      }
    }
    const half = { type: 'webhook', minutes_before_event: 30 }

    it('that were removed are not sent, whether the worker came in between or not', async () => {
      const { configuration, id } = await bookWith([hour, day])
      await change(configuration, [day])
      clock = (start - 3_600) * 1_000
      expect(await remind(id, 0)).toBe('cancelled')
      expect(await mails(id)).toEqual([])
      clock = undefined
      await change(configuration, [])
      expect(await arrange(configuration)).toBe(2)
      expect(await states(id)).toEqual(['cancelled', 'cancelled'])
      expect([await told(id), await mails(id)]).toEqual([[], []])
    })

    it('that were added come for bookings that stand, whatever stood in their place before, and nothing is sent twice', async () => {
      const { configuration, id } = await bookWith([day, hour])
      clock = (start - 86_400) * 1_000
      expect(await remind(id, 0)).toBe('done')
      await change(configuration, [half, { ...day, minutes_before_event: 2_000 }, day])
      expect(await arrange(configuration)).toBe(1)
      // In place of what was sent, one that is to come; one that is past; and the one that was sent.
      expect(await states(id)).toEqual(['waiting', 'skipped', 'skipped'])
      expect(await jobs(id)).toEqual([{ key: `reminder:${id}:0`, at: start - 1_800 }])
      clock = (start - 1_800) * 1_000
      expect(await remind(id, 0)).toBe('done')
      expect(await told(id)).toHaveLength(2)
    })

    it('go out under the subject that is set by then', async () => {
      const { configuration, id } = await bookWith([hour])
      await change(configuration, [{ ...hour, email_subject: 'Until soon' }])
      clock = (start - 3_600) * 1_000
      expect(await remind(id)).toBe('done')
      expect((await mails(id)).map(({ subject }) => subject)).toEqual(['Until soon'])
    })

    it('come for each of more bookings than one run sees to, and for none that is called off or over', async () => {
      const { configuration, id } = await bookWith([])
      await query(
        `insert into openslot.bookings (app_id, id, configuration_id, organizer_salt, guest_salt, state, during, organizer_email,
           guest_email, event_id, body)
         select app_id, gen_random_uuid(), configuration_id, organizer_salt, guest_salt,
           case when place <= 205 then 'booked' else 'cancelled' end, during, organizer_email, guest_email,
           gen_random_uuid()::text, body
         from openslot.bookings, generate_series(1, 210) as place where id = $1`,
        id,
      )
      await change(configuration, [half])
      expect(await arrange(configuration)).toBe(2)
      const [row] = await query(
        `select count(*)::int as count from openslot.reminders where state = 'waiting' and booking_id in
           (select id from openslot.bookings where configuration_id = $1 and state = 'booked')`,
        configuration,
      )
      expect(row).toEqual({ count: 206 })
      clock = (start + 60) * 1_000
      await change(configuration, [half, hour])
      expect(await arrange(configuration)).toBe(1)
      const [all] = await query(
        'select count(*)::int as count from openslot.reminders join openslot.bookings on id = booking_id where configuration_id = $1',
        configuration,
      )
      expect(all).toEqual({ count: 206 })
    })

    it('otherwise than in them order nothing', async () => {
      const { configuration } = await bookWith([hour])
      await change(configuration, [hour])
      expect(await arrange(configuration)).toBe(0)
    })
  })

  it('that are more than 15 minutes late are dropped and counted', async () => {
    const { id } = await bookWith([hour, day])
    clock = (start - 3_600 + 15 * 60) * 1_000
    expect(await remind(id, 0)).toBe('done')
    clock = (start - 86_400 + 15 * 60) * 1_000 + 1
    expect(await remind(id, 1)).toBe('late')
    expect(await told(id)).toEqual([])
    expect(await states(id)).toEqual(['done', 'late'])
  })

  it('of a request begin with its confirmation', async () => {
    const { id } = await bookWith([hour], start, { booking_type: 'organizer-confirmation' })
    expect(await jobs(id)).toEqual([])
    expect(await states(id)).toEqual([])
  })

  it('are counted back from the instant, so a clock change between shifts nothing', async () => {
    // 2027-03-28: New clocks in Berlin at 01:00 UTC. The meeting is at 09:00 there, 07:00 UTC.
    const meeting = Date.UTC(2027, 2, 28, 7) / 1_000
    clock = (meeting - 5 * 86_400) * 1_000
    const { id } = await bookWith([day], meeting, { timezone: 'Europe/Berlin' })
    expect(await jobs(id)).toEqual([{ key: `reminder:${id}:0`, at: meeting - 86_400 }])
  })

  it('whose worker died are taken up by the sweep', async () => {
    const { id } = await bookWith([day])
    await query(`update openslot.reminders set due_at = now() - interval '2 minutes' where booking_id = $1`, id)
    await query(`delete from graphile_worker._private_jobs where key = 'reminder:' || $1 || ':0'`, id)
    await server.app.operations.sweep()
    expect(await jobs(id)).toMatchObject([{ key: `reminder:${id}:0` }])
  })
})

it('a worker that is stopped at its last mail leaves no job behind that it has done', async () => {
  const smtp = await startSmtp()
  for (let times = 0; times < 3; times++) {
    const environment = { SMTP_URL: smtp.url, MAIL_FROM: 'desk@book.example', ROLE: 'all' }
    const worker = await startTestServer({ connection: database.connection }, environment)
    const own = await makeHost(worker, `stopped${times}@host.example`)
    await book(worker, await makeConfiguration(worker, [own]), start)
    await vi.waitFor(() => expect(smtp.received.length).toBe(2 * times + 2), { timeout: 20_000, interval: 5 })
    await worker.close()
    expect(await query(`select key from graphile_worker.jobs where task_identifier = 'sendMail'`)).toEqual([])
  }
  await smtp.close()
})

describe('two workers on one database', () => {
  let smtp: TestSmtp
  const workers: TestServer[] = []
  beforeAll(async () => {
    smtp = await startSmtp()
  })
  afterAll(async () => {
    for (const worker of workers) await worker.close()
    await smtp.close()
  })

  it('send each mail and each reminder once, and a restart between changes nothing', async () => {
    const environment = { SMTP_URL: smtp.url, MAIL_FROM: 'desk@book.example', ROLE: 'all' }
    const begin = async () => {
      const worker = await startTestServer({ connection: database.connection }, environment)
      workers.push(worker)
      return worker
    }
    const first = await begin()
    const own = await makeHost(first, 'workers@host.example')
    const configuration = await makeConfiguration(first, [own], {
      event: { reminders: [{ ...hour, recipient: 'all' }] },
    })
    const made = await book(first, configuration, start)
    const id = made.body.data.booking_id as string
    await vi.waitFor(() => expect(smtp.received.length).toBe(2), 20_000)

    // The time comes while no worker runs; then two start.
    await first.close()
    await query(`update openslot.reminders set due_at = now() - interval '1 minute' where booking_id = $1`, id)
    await query(`update graphile_worker._private_jobs set run_at = now() where key = 'reminder:' || $1 || ':0'`, id)
    await begin()
    await begin()
    await vi.waitFor(() => expect(smtp.received.length).toBe(4), 20_000)
    const due = `select key from graphile_worker.jobs where task_identifier in ('sendMail', 'sendReminder') and run_at <= now()`
    await vi.waitFor(async () => expect(await query(due)).toEqual([]), 20_000)
    expect(smtp.received.map(({ recipient, subject }) => `${recipient} ${subject?.split(':')[0]}`).toSorted()).toEqual([
      'gil@guest.example Booking Confirmed',
      'gil@guest.example See you soon',
      'workers@host.example Booking Confirmed',
      'workers@host.example See you soon',
    ])
  })
})
