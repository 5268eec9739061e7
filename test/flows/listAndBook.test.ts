/** What is listed can be booked, and nothing else: one engine behind both, over HTTP, with a clock that stands still. */
import { beforeEach, describe, expect, it } from 'vitest'

import { type Instant, instant } from '../../src/core/time/instant.ts'
import { book, makeConfiguration, makeHost, participant, type TestHost } from '../support/hosts.ts'
import { findFaults, readLedger } from '../support/ledger.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** Monday 2 March 2026, 08:00 UTC; some tests move it. */
const monday = Date.UTC(2026, 2, 2, 8)
let clock: Instant = instant(monday)
const { connection } = await createTestDatabase()
const server = await startTestServer({ connection, now: () => clock })
const elsewhere = await startTestServer({ connection, now: () => clock })
const unavailable = 'The selected timeslot is unavailable'

let host: TestHost
let count = 0
beforeEach(async () => {
  clock = instant(monday)
  host = await makeHost(server, `host${++count}@host.example`)
})

const at = (day: number, hour: number, minute = 0) => Date.UTC(2026, 2, day, hour, minute) / 1_000
const hours = (start: string, end: string, more: object = {}) => ({
  default_open_hours: [{ days: [0, 1, 2, 3, 4, 5, 6], start, end, ...more }],
})

async function list(
  id: string,
  from: number,
  until: number,
  more = '',
  through: TestServer = server,
): Promise<number[]> {
  const answer = await through.request(
    'GET',
    `/v3/scheduling/availability?configuration_id=${id}&start_time=${from}&end_time=${until}${more}`,
    { token: null },
  )
  expect(answer.body.error).toBeUndefined()
  return answer.body.data.time_slots.map(({ start_time }: { start_time: number }) => start_time)
}

/** 200, or the message of the refusal. */
async function tryBooking(id: string, from: number, minutes = 30): Promise<number | string> {
  const made = await book(server, id, from, { minutes })
  return made.status === 200 ? 200 : made.body.error.message
}

async function cancelAll(id: string): Promise<void> {
  const listed = await server.request(
    'GET',
    `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${id}&status=booked&limit=200`,
  )
  for (const { booking_id } of listed.body.data)
    await server.request('DELETE', `/v3/scheduling/bookings/${booking_id}`, { body: {} })
}

const placeEvent = (from: number, until: number, more: object = {}) =>
  server.request('POST', `/v3/grants/${host.grantId}/events?calendar_id=primary`, {
    body: { title: 'Own', when: { start_time: from, end_time: until }, ...more },
  })

describe('the list and the booking agree', () => {
  it.each([
    ['plainly', {}],
    [
      'with buffers and a fine grid',
      { availability: { interval_minutes: 15 }, rules: { buffer: { before: 15, after: 30 } } },
    ],
    ['with a coarse rounding', { availability: { duration_minutes: 45, interval_minutes: 15, round_to: 30 } }],
    [
      'with a duration that divides nothing',
      { availability: { duration_minutes: 50, interval_minutes: 25, round_to: 5 } },
    ],
    ['in a zone off the hour', { event: { timezone: 'Asia/Kathmandu' }, availability: { interval_minutes: 30 } }],
  ])('%s: each instant of the grid is booked if it was listed, and refused if not (pitfall 11)', async (_, options) => {
    const id = await makeConfiguration(server, [host], {
      ...options,
      rules: { ...hours('09:00', '13:00'), ...('rules' in options ? options.rules : {}) },
    })
    const minutes =
      ('availability' in options
        ? (options.availability as { duration_minutes?: number }).duration_minutes
        : undefined) ?? 30
    await placeEvent(at(3, 10), at(3, 10, 20))
    await placeEvent(at(3, 5), at(3, 5, 45))
    const [from, until] = [at(3, 2), at(3, 15)]
    const listed = await list(id, from, until)
    expect(listed.length).toBeGreaterThan(3)
    const wrong: string[] = []
    for (let start = from; start < until; start += 300) {
      const outcome = await tryBooking(id, start, minutes)
      const expected = listed.includes(start) ? 200 : unavailable
      if (outcome !== expected) wrong.push(`${new Date(start * 1_000).toISOString()} ${outcome} instead of ${expected}`)
      if (outcome === 200) await cancelAll(id)
    }
    expect(wrong).toEqual([])
    expect(findFaults(await readLedger(server.app))).toEqual([])
  })

  it('on what is past, too soon, too far, too long and half a minute off', async () => {
    const id = await makeConfiguration(server, [host], {
      scheduler: { min_booking_notice: 60, available_days_in_future: 7 },
    })
    const now = monday / 1_000
    expect((await list(id, now - 86_400, now + 86_400))[0]).toBe(now + 3_600)
    expect(await tryBooking(id, now - 3_600)).toBe(unavailable)
    expect(await tryBooking(id, now + 1_800)).toBe(unavailable)
    expect(await tryBooking(id, at(9, 23, 30))).toBe(200)
    expect(await tryBooking(id, at(10, 0))).toBe(unavailable)
    expect((await list(id, at(9, 0), at(12, 0))).at(-1)).toBe(at(9, 23))
    expect(await tryBooking(id, at(3, 9), 60)).toMatch(new RegExp(`^${unavailable}`))
    expect(await tryBooking(id, at(3, 9) + 30)).toBe(unavailable)
    expect(await tryBooking(id, at(3, 9), -30)).toBe('end_time: must be later than start_time')
  })

  it('on the very minute at which the notice ends, also when the clock passes it on an open page (pitfall 14)', async () => {
    const id = await makeConfiguration(server, [host], { scheduler: { min_booking_notice: 120 } })
    const slot = at(2, 10)
    clock = instant((slot - 7_200) * 1_000)
    expect(await list(id, slot, slot + 1_800)).toEqual([slot])
    clock = instant((slot - 7_200) * 1_000 + 1)
    expect(await list(id, slot, slot + 1_800)).toEqual([])
    expect(await tryBooking(id, slot)).toBe(unavailable)
    clock = instant((slot - 7_200) * 1_000)
    expect(await tryBooking(id, slot)).toBe(200)
  })

  it('on a new day that comes into reach at midnight, although nothing was written', async () => {
    const id = await makeConfiguration(server, [host], {
      scheduler: { available_days_in_future: 7 },
      rules: hours('09:00', '10:00'),
    })
    expect(await list(id, at(10, 0), at(11, 0))).toEqual([])
    clock = instant(at(3, 0) * 1_000)
    expect(await list(id, at(10, 0), at(11, 0))).toEqual([at(10, 9), at(10, 9, 30)])
  })
})

describe('buffers', () => {
  it('are kept around an event that ends before the window of the question (pitfall 11)', async () => {
    const id = await makeConfiguration(server, [host], { rules: { buffer: { before: 0, after: 30 } } })
    await placeEvent(at(3, 9), at(3, 10))
    expect(await list(id, at(3, 10), at(3, 11))).toEqual([at(3, 10, 30)])
    expect(await tryBooking(id, at(3, 10))).toBe(unavailable)
  })

  it.each([
    ['before', { before: 30, after: 0 }, [8, 8.5, 11, 11.5]],
    ['after', { before: 0, after: 30 }, [8, 8.5, 9, 11.5]],
    ['on both sides', { before: 30, after: 30 }, [8, 8.5, 11.5]],
  ])('%s widen what exists: an event, and a booking (pitfall 12)', async (side, buffer, free) => {
    const expected = free.map((hour) => at(3, Math.floor(hour), (hour % 1) * 60))
    const id = await makeConfiguration(server, [host], { rules: { ...hours('08:00', '12:00'), buffer } })
    await placeEvent(at(3, 9, 30), at(3, 11))
    expect([side, await list(id, at(3, 8), at(3, 12))]).toEqual([side, expected])
    const other = await makeConfiguration(server, [host], {
      availability: { duration_minutes: 90, interval_minutes: 30 },
    })
    expect((await book(server, other, at(4, 9, 30), { minutes: 90 })).status).toBe(200)
    expect(await list(id, at(4, 8), at(4, 12))).toEqual(expected.map((start) => start + 86_400))
  })

  it('may reach beyond the open hours (pitfall 12)', async () => {
    const id = await makeConfiguration(server, [host], {
      rules: { ...hours('09:00', '10:00'), buffer: { before: 60, after: 60 } },
    })
    expect(await list(id, at(3, 8), at(3, 12))).toEqual([at(3, 9), at(3, 9, 30)])
  })
})

describe('the nights on which clocks change', () => {
  it('in spring has the hours after the gap at their new offset, and no slot in it (pitfall 13)', async () => {
    const id = await makeConfiguration(server, [host], {
      event: { timezone: 'Europe/Berlin' },
      rules: hours('01:00', '04:00'),
    })
    // 29 March 2026: 02:00 becomes 03:00.
    expect(await list(id, at(29, 0), at(29, 4))).toEqual([at(29, 0), at(29, 0, 30), at(29, 1), at(29, 1, 30)])
    expect(await tryBooking(id, at(29, 1))).toBe(200)
  })

  it('in autumn lists no slot twice, and each can be booked (pitfall 13)', async () => {
    clock = instant(Date.UTC(2026, 9, 20))
    const october = (hour: number, minute = 0) => Date.UTC(2026, 9, 25, hour, minute) / 1_000
    const id = await makeConfiguration(server, [host], {
      event: { timezone: 'Europe/Berlin' },
      rules: hours('01:00', '04:00'),
    })
    const listed = await list(id, october(-2), october(6))
    expect(new Set(listed).size).toBe(listed.length)
    expect(listed).toContain(october(-1))
    for (const start of listed) expect(await tryBooking(id, start)).toBe(200)
  })
})

describe('a month', () => {
  it('is the union of its days (pitfall 11)', async () => {
    const id = await makeConfiguration(server, [host], {
      event: { timezone: 'America/New_York' },
      availability: { interval_minutes: 15 },
      rules: { ...hours('09:00', '17:00'), buffer: { before: 10, after: 15 } },
    })
    for (let day = 3; day < 30; day += 3) await placeEvent(at(day, 14, 10), at(day, 15, 25))
    await placeEvent(at(15, 23, 50), at(16, 14))
    const whole = await list(id, at(2, 0), at(30, 0))
    const days: number[] = []
    for (let day = 2; day < 30; day++) days.push(...(await list(id, at(day, 0), at(day + 1, 0))))
    // A slot must lie in its window whole, so one that crosses midnight UTC is in the month alone; here none does.
    expect(days).toEqual(whole)
  })
})

describe('what another server on the same database does', () => {
  it('is in the very next answer of this one: bookings, moves, cancellations and events', async () => {
    const id = await makeConfiguration(server, [host])
    const slots = () => list(id, at(3, 9), at(3, 11))
    const all = [at(3, 9), at(3, 9, 30), at(3, 10), at(3, 10, 30)]
    for (let repeat = 0; repeat < 10; repeat++) {
      expect(await slots()).toEqual(all)
      const made = await book(elsewhere, id, at(3, 9))
      expect(await slots()).toEqual(all.slice(1))
      await elsewhere.request('PATCH', `/v3/scheduling/bookings/${made.body.data.booking_id}?configuration_id=${id}`, {
        token: null,
        body: { start_time: at(3, 10), end_time: at(3, 10, 30) },
      })
      expect(await slots()).toEqual([all[0], all[1], all[3]])
      await elsewhere.request('DELETE', `/v3/scheduling/bookings/${made.body.data.booking_id}?configuration_id=${id}`, {
        token: null,
        body: {},
      })
    }
    expect(await slots()).toEqual(all)
    await placeEvent(at(3, 9), at(3, 10))
    expect(await list(id, at(3, 9), at(3, 11), '', elsewhere)).toEqual(all.slice(2))
  })
})

describe('moving a booking', () => {
  it('does not stand in its own way, and obeys the same rules as booking (pitfall 9, as far as there are no holds)', async () => {
    const id = await makeConfiguration(server, [host], {
      availability: { interval_minutes: 15 },
      scheduler: { min_booking_notice: 60 },
    })
    const { booking_id } = (await book(server, id, at(3, 9))).body.data
    await book(server, id, at(3, 10))
    expect(await list(id, at(3, 9), at(3, 10))).toEqual([at(3, 9, 30)])
    expect(await list(id, at(3, 9), at(3, 10), `&booking_id=${booking_id}`)).toEqual([
      at(3, 9),
      at(3, 9, 15),
      at(3, 9, 30),
    ])
    const move = async (start: number) => {
      const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`, {
        token: null,
        body: { start_time: start, end_time: start + 1_800 },
      })
      return moved.status === 200 ? 200 : moved.body.error.message
    }
    expect(await move(at(3, 9, 15))).toBe(200)
    expect(await move(at(3, 9, 45))).toBe(unavailable)
    expect(await move(at(2, 8, 30))).toBe(unavailable)
    expect(await move(at(3, 9, 20))).toBe(unavailable)
    expect(findFaults(await readLedger(server.app))).toEqual([])
  })
})

describe('the notice of cancellation', () => {
  it('binds guests to the minute, and not the application', async () => {
    const id = await makeConfiguration(server, [host], { scheduler: { min_cancellation_notice: 120 } })
    const [first, second] = [
      (await book(server, id, at(3, 9))).body.data.booking_id,
      (await book(server, id, at(3, 9, 30))).body.data.booking_id,
    ]
    const cancel = (booking: string, token: string | null) =>
      server.request('DELETE', `/v3/scheduling/bookings/${booking}?configuration_id=${id}`, { token, body: {} })
    clock = instant(at(3, 7) * 1_000 + 1)
    const late = await cancel(first, null)
    expect([late.status, late.body.error.message]).toEqual([
      400,
      'The booking cannot be cancelled within 120 minutes of the event',
    ])
    expect((await cancel(second, null)).status).toBe(200)
    expect((await cancel(first, server.apiKey)).status).toBe(200)
  })
})

describe('what guests write', () => {
  const fields = {
    topic: { label: 'Topic', type: 'dropdown', required: true, options: ['Sales', 'Support'] },
    phone: { label: 'Phone', type: 'phone_number', pattern: '^\\+[0-9]+$' },
    mail: { label: 'Other mail', type: 'email' },
    terms: { label: 'Terms', type: 'checkbox', required: true },
    source: { label: 'Source', type: 'metadata', default: 'website' },
  }
  const good = { topic: 'Sales', terms: 'true' }
  const send = (id: string, answers: object, start = at(3, 9)) =>
    book(server, id, start, { body: { additional_fields: answers } })

  it.each([
    ['a required answer is missing', { terms: 'true' }, 'additional_fields.topic: is required'],
    ['a choice is none', { ...good, topic: 'Gossip' }, 'additional_fields.topic: must be one of Sales, Support'],
    [
      'a pattern is not kept',
      { ...good, phone: '0123' },
      'additional_fields.phone: does not have the form that is asked for',
    ],
    ['a mail address is none', { ...good, mail: 'nobody' }, 'additional_fields.mail: must be a mail address'],
    ['required terms are not accepted', { ...good, terms: 'false' }, 'additional_fields.terms: is required'],
  ])('is refused with the field where %s', async (_, answers, message) => {
    const id = await makeConfiguration(server, [host], { scheduler: { additional_fields: fields } })
    const refused = await send(id, answers)
    expect([refused.status, refused.body.error.message]).toEqual([400, message])
    expect(await list(id, at(3, 9), at(3, 9, 30))).toEqual([at(3, 9)])
  })

  it('is kept, with what the page never shows and what nobody asked for', async () => {
    const id = await makeConfiguration(server, [host], { scheduler: { additional_fields: fields } })
    expect((await send(id, { ...good, terms: true, phone: '+49123', extra: 'more', count: 3 })).status).toBe(200)
    const [listed] = (
      await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings?configuration_id=${id}`)
    ).body.data
    expect(listed.additional_fields).toEqual({
      topic: 'Sales',
      terms: 'true',
      phone: '+49123',
      extra: 'more',
      count: '3',
      source: 'website',
    })
  })

  it('stands in title and description where the configuration says so, and is not read again', async () => {
    const id = await makeConfiguration(server, [host], {
      event: {
        title: '${invitee} on ${topic} (${duration} min, ${unknown})',
        description: '${Topic} by ${invitee_email}',
      },
      scheduler: { additional_fields: { topic: { label: 'Topic', type: 'text' } } },
    })
    const made = await book(server, id, at(3, 9), {
      body: {
        guest: { name: 'Gil\u202e${topic}\nBcc: x', email: 'gil@guest.example' },
        additional_fields: { topic: '${invitee}' },
      },
    })
    expect(made.body.data).toMatchObject({
      title: 'Gil ${topic} Bcc: x on ${invitee} (30 min, ${unknown})',
      description: '${invitee} by gil@guest.example',
    })
  })

  it.each([
    [
      'a zone that is none',
      { timezone: 'Mars/Olympus' },
      'timezone: "Mars/Olympus" is not an IANA time zone, as Europe/Berlin is',
    ],
    ['no guest', { guest: undefined }, 'guest: is required'],
    ['a guest without a name', { guest: { name: '', email: 'a@b.example' } }, 'guest.name'],
    ['a guest without an address', { guest: { name: 'A', email: 'nobody' } }, 'guest.email: must be a mail address'],
    [
      'eleven others',
      { additional_guests: Array.from({ length: 11 }, () => ({ email: 'a@b.example' })) },
      'additional_guests',
    ],
  ])('with %s is refused', async (_, body, message) => {
    const id = await makeConfiguration(server, [host])
    const refused = await book(server, id, at(3, 9), { body })
    expect(refused.status).toBe(400)
    expect(refused.body.error.message).toContain(message)
  })
})

describe('a collective meeting', () => {
  it('is offered only when all are free, and stands on every calendar that was named', async () => {
    const other = await makeHost(server, `other${count}@host.example`)
    const id = await makeConfiguration(server, [host, other])
    await server.request('POST', `/v3/grants/${other.grantId}/events?calendar_id=primary`, {
      body: { title: 'Own', when: { start_time: at(3, 9), end_time: at(3, 9, 30) } },
    })
    expect(await list(id, at(3, 9), at(3, 10))).toEqual([at(3, 9, 30)])
    const made = await book(server, id, at(3, 9, 30))
    for (const { grantId } of [host, other])
      expect(
        (await server.request('GET', `/v3/grants/${grantId}/events/${made.body.data.event_id}?calendar_id=primary`))
          .status,
      ).toBe(200)
    const withReader = await makeConfiguration(server, [host], {
      participants: [participant(host.email, { isOrganizer: true }), participant(other.email, { booking: undefined })],
    })
    const [listed] = [await book(server, withReader, at(3, 11))]
    expect(
      (
        await server.request(
          'GET',
          `/v3/grants/${other.grantId}/events/${listed.body.data.event_id}?calendar_id=primary`,
        )
      ).status,
    ).toBe(404)
    expect(findFaults(await readLedger(server.app))).toEqual([])
  })
})
