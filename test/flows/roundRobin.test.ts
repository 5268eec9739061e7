/** Whose turn it is: order, fairness over many bookings, hosts who are away or new, and moves from one host to another. */
import { beforeEach, describe, expect, it } from 'vitest'

import { chooseParticipant, fairHalf, queue } from '../../src/core/availability/assignment.ts'
import { decodeReference, encodeSalt } from '../../src/core/booking/reference.ts'
import { type Instant, instant } from '../../src/core/time/instant.ts'
import { book, makeConfiguration, makeHost, nearFuture, participant, type TestHost } from '../support/hosts.ts'
import { findFaults, readLedger } from '../support/ledger.ts'
import { mailsOf } from '../support/mails.ts'
import { startTestServer } from '../support/server.ts'

const server = await startTestServer()
const start = nearFuture()
let hosts: TestHost[]
let round = 0

beforeEach(async () => {
  round++
  hosts = []
  for (const name of ['ada', 'bob', 'cy']) hosts.push(await makeHost(server, `${name}${round}@host.example`))
})

const emailOf = (name: string) => `${name}${round}@host.example`

function configure(method: 'max-fairness' | 'max-availability', people: readonly TestHost[] = hosts): Promise<string> {
  return makeConfiguration(server, people, {
    rules: { availability_method: method },
    participants: people.map(({ email }) => participant(email)),
  })
}

const slots = async (id: string, query = '') =>
  (
    await server.request(
      'GET',
      `/v3/scheduling/availability?configuration_id=${id}&start_time=${start}&end_time=${start + 7200}${query}`,
      { token: null },
    )
  ).body.data

async function bookedHost(id: string, from: number, asked?: string): Promise<string> {
  const made = await book(server, id, from, asked === undefined ? {} : { body: { participants: [{ email: asked }] } })
  expect(made.status).toBe(200)
  return made.body.data.organizer.email
}

const cancel = (id: string, booking: string) =>
  server.request('DELETE', `/v3/scheduling/bookings/${booking}?configuration_id=${id}`, { token: null, body: {} })

/** An appointment of the host's own, as long as the slot. */
const busy = (host: TestHost, from: number) =>
  server.request('POST', `/v3/grants/${host.grantId}/events?calendar_id=primary`, {
    body: { title: 'Away', when: { start_time: from, end_time: from + 1800 } },
  })

describe('the queue', () => {
  it('has who was never booked first, by name, and then who was booked longest ago', async () => {
    const id = await configure('max-availability')
    expect((await slots(id)).order).toEqual(hosts.map(({ email }) => email))
    expect(await bookedHost(id, start)).toBe(emailOf('ada'))
    expect((await slots(id)).order).toEqual([emailOf('bob'), emailOf('cy'), emailOf('ada')])
    // Times of meetings do not matter, only when they were given.
    expect(await bookedHost(id, start + 5_400)).toBe(emailOf('bob'))
    expect(await bookedHost(id, start + 1_800)).toBe(emailOf('cy'))
    expect((await slots(id)).order).toEqual([emailOf('ada'), emailOf('bob'), emailOf('cy')])
  })

  it('goes on when a host is spelled in other capital letters, and a move to them is none', async () => {
    const id = await configure('max-availability')
    const made = await book(server, id, start)
    expect(made.body.data.organizer.email).toBe(emailOf('ada'))
    expect(await bookedHost(id, start + 1_800)).toBe(emailOf('bob'))
    const order = hosts.map(({ email }, place) => (place < 2 ? email.toUpperCase() : email))
    const changed = await server.request('PUT', `/v3/grants/${hosts[0]?.grantId}/scheduling/configurations/${id}`, {
      body: { participants: order.map((email) => participant(email)) },
    })
    expect(changed.status).toBe(200)
    expect((await slots(id)).order).toEqual([order[2], order[0], order[1]])
    const body = { start_time: start + 3_600, end_time: start + 5_400 }
    const path = `/v3/scheduling/bookings/${made.body.data.booking_id}?configuration_id=${id}`
    const moved = await server.request('PATCH', path, { token: null, body })
    expect(moved.body.data.organizer.email).toBe(order[0])
    expect((await slots(id)).order).toEqual([order[2], order[0], order[1]])
    expect(await bookedHost(id, start)).toBe(order[2])
    expect(await bookedHost(id, start + 1_800)).toBe(order[0])
  })

  it('passes over a host who is away, who is first again afterwards', async () => {
    const id = await configure('max-availability')
    expect((await busy(hosts[0] as TestHost, start)).status).toBe(200)
    const slot = (await slots(id)).time_slots.find((item: { start_time: number }) => item.start_time === start)
    expect(slot.emails.toSorted()).toEqual([emailOf('bob'), emailOf('cy')])
    expect(await bookedHost(id, start)).toBe(emailOf('bob'))
    expect(await bookedHost(id, start + 1_800)).toBe(emailOf('ada'))
  })

  it('goes on without a host whose account is gone, and has them first when they are back', async () => {
    const id = await configure('max-availability')
    const [ada, bob, cy] = hosts as [TestHost, TestHost, TestHost]
    expect(await bookedHost(id, start)).toBe(ada.email)
    expect((await server.request('DELETE', `/v3/grants/${bob.grantId}`)).status).toBe(200)
    expect((await slots(id)).order).toEqual([cy.email, ada.email])
    const second = await book(server, id, start + 1_800)
    expect(second.body.data.organizer.email).toBe(cy.email)
    await makeHost(server, bob.email)
    expect((await slots(id)).order).toEqual([bob.email, ada.email, cy.email])
    const third = await book(server, id, start + 3_600)
    expect(third.body.data.organizer.email).toBe(bob.email)
    for (const { body } of [second, third]) await cancel(id, body.data.booking_id)
    // Where all are needed nobody can be left out.
    const together = await makeConfiguration(server, hosts.slice(0, 2))
    await server.request(
      'DELETE',
      `/v3/grants/${(await server.request('GET', `/v3/grants/${bob.email}`)).body.data.id}`,
    )
    const refused = await book(server, together, start + 7_200)
    expect([refused.status, refused.body.error.message]).toEqual([
      400,
      `participants[1].email: Failed to find a valid Grant for ${bob.email}`,
    ])
    // Nor where nobody is left.
    const alone = await configure('max-availability', [ada, cy])
    await server.request('DELETE', `/v3/grants/${cy.grantId}`)
    expect((await slots(alone)).order).toEqual([ada.email])
  })

  it('has a host who joins first', async () => {
    const id = await configure('max-availability', hosts.slice(0, 2))
    for (const at of [0, 1]) await bookedHost(id, start + 1_800 * at)
    const changed = await server.request('PATCH', `/v3/grants/${hosts[0]?.grantId}/scheduling/configurations/${id}`, {
      body: { participants: hosts.map(({ email }) => participant(email)) },
    })
    expect(changed.status).toBe(200)
    expect((await slots(id)).order[0]).toBe(emailOf('cy'))
    expect(await bookedHost(id, start + 3_600)).toBe(emailOf('cy'))
  })

  it('does not count bookings that were cancelled', async () => {
    const id = await configure('max-availability')
    const made = await book(server, id, start)
    expect(made.body.data.organizer.email).toBe(emailOf('ada'))
    await cancel(id, made.body.data.booking_id)
    expect((await slots(id)).order[0]).toBe(emailOf('ada'))
  })

  it("is each configuration's own", async () => {
    const [one, other] = [await configure('max-availability'), await configure('max-availability')]
    expect(await bookedHost(one, start)).toBe(emailOf('ada'))
    expect((await slots(other)).order[0]).toBe(emailOf('ada'))
  })

  it('is cut to its fair half by max-fairness, unless that half has no slot at all', async () => {
    const id = await configure('max-fairness')
    expect(await bookedHost(id, start)).toBe(emailOf('ada'))
    const fair = await slots(id)
    expect(fair.order).toEqual([emailOf('bob'), emailOf('cy')])
    expect(fair.time_slots.flatMap(({ emails }: { emails: string[] }) => emails)).not.toContain(emailOf('ada'))
    for (const host of hosts.slice(1)) for (let at = 0; at < 4; at++) await busy(host, start + 1_800 * at)
    expect((await slots(id)).time_slots.map(({ emails }: { emails: string[] }) => emails)).toEqual([
      [emailOf('ada')],
      [emailOf('ada')],
      [emailOf('ada')],
    ])
  })
})

describe('a guest who names a host', () => {
  it('gets that host, and the next guest does not', async () => {
    const id = await configure('max-availability')
    expect(await bookedHost(id, start, emailOf('cy').toUpperCase())).toBe(emailOf('cy'))
    expect(await bookedHost(id, start + 1_800)).toBe(emailOf('ada'))
    const listed = await server.request(
      'GET',
      `/v3/grants/${hosts[0]?.grantId}/scheduling/bookings?configuration_id=${id}`,
    )
    expect(listed.body.data.map(({ assignment }: { assignment: object }) => assignment)).toMatchObject([
      {
        method: 'max-availability',
        chosen: emailOf('ada'),
        reason: 'next',
        queue: [emailOf('ada'), emailOf('bob'), emailOf('cy')],
      },
      { chosen: emailOf('cy'), reason: 'asked' },
    ])
  })

  it('who is taken is told so in the words that make the page try the next one', async () => {
    const id = await configure('max-availability')
    await bookedHost(id, start, emailOf('cy'))
    const refused = await book(server, id, start, { body: { participants: [{ email: emailOf('cy') }] } })
    expect([refused.status, refused.body.error.message]).toEqual([400, 'The selected timeslot is unavailable'])
    expect(await bookedHost(id, start, emailOf('bob'))).toBe(emailOf('bob'))
  })

  it('who is no participant is told which field is wrong', async () => {
    const id = await configure('max-availability')
    const refused = await book(server, id, start, { body: { participants: [{ email: 'eve@host.example' }] } })
    expect([refused.status, refused.body.error.message]).toEqual([
      400,
      'participants[0].email: is not a participant of this configuration',
    ])
  })
})

describe('a reschedule to another host', () => {
  it('moves the event from one calendar to the other, frees the first host, and keeps the booking', async () => {
    const id = await configure('max-availability')
    const [ada, bob] = hosts as [TestHost, TestHost]
    const made = await book(server, id, start)
    const { booking_id, event_id } = made.body.data
    // Its own time counts as free for the one who moves it.
    expect((await slots(id, `&booking_id=${booking_id}`)).time_slots[0].emails).toContain(ada.email)
    const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`, {
      token: null,
      body: { start_time: start + 1_800, end_time: start + 3_600, participants: [{ email: bob.email }] },
    })
    expect(moved.body.data).toMatchObject({ booking_id, organizer: { email: bob.email } })
    const on = (host: TestHost) =>
      server.request('GET', `/v3/grants/${host.grantId}/events/${event_id}?calendar_id=primary`)
    expect((await on(ada)).status).toBe(404)
    expect((await on(bob)).body.data.when).toMatchObject({ start_time: start + 1_800 })
    expect(
      (await slots(id)).time_slots.slice(0, 2).map(({ emails }: { emails: string[] }) => emails.toSorted()),
    ).toEqual([hosts.map(({ email }) => email), [ada.email, emailOf('cy')]])
    expect(await bookedHost(id, start, ada.email)).toBe(ada.email)
    expect(findFaults(await readLedger(server.app))).toEqual([])
    const listed = await server.request('GET', `/v3/grants/${ada.grantId}/scheduling/bookings?configuration_id=${id}`)
    expect(listed.body.data.find((item: { booking_id: string }) => item.booking_id === booking_id)).toMatchObject({
      grant_id: bob.grantId,
      assignment: { chosen: bob.email, reason: 'asked' },
    })
  })

  it('of a request takes the question back from the first, whose link decides nothing any more', async () => {
    const [ada, bob] = hosts as [TestHost, TestHost]
    const id = await makeConfiguration(server, hosts, {
      rules: { availability_method: 'max-availability' },
      participants: hosts.map(({ email }) => participant(email)),
      event: { booking_type: 'organizer-confirmation' },
    })
    const { booking_id } = (await book(server, id, start)).body.data
    const path = `/v3/scheduling/bookings/${booking_id}?configuration_id=${id}`
    const salt = async () => {
      const listed = await server.request('GET', `/v3/grants/${ada.grantId}/scheduling/bookings?configuration_id=${id}`)
      return encodeSalt(decodeReference(listed.body.data[0].organizer_booking_ref)?.salt ?? new Uint8Array())
    }
    const move = async (from: number, more: object = {}) =>
      expect(
        (
          await server.request('PATCH', path, {
            token: null,
            body: { start_time: from, end_time: from + 1_800, ...more },
          })
        ).body.data.status,
      ).toBe('pending')
    const decide = async (with_: string) =>
      (await server.request('PUT', path, { token: null, body: { salt: with_, status: 'confirmed' } })).status
    const first = await salt()
    await move(start + 1_800)
    expect(await salt()).toBe(first)
    await move(start + 3_600, { participants: [{ email: bob.email }] })
    const told = (await mailsOf(server, booking_id)).slice(4).map(({ kind, to }) => `${kind} ${to.email}`)
    expect(told).toContain(`confirmation_request ${bob.email}`)
    expect(told).toContain(`cancelled ${ada.email}`)
    const second = await salt()
    expect(second).not.toBe(first)
    expect([await decide(first), await decide(second)]).toEqual([404, 200])
    expect(findFaults(await readLedger(server.app))).toEqual([])
  })
})

describe('10,000 picks', () => {
  const names = ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example', 'e@x.example']

  function pick(
    times: number,
    method: (order: string[]) => string[],
    people: (at: number) => readonly string[],
  ): Map<string, number> {
    const last = new Map<string, Instant>()
    const counts = new Map<string, number>()
    for (let at = 1; at <= times; at++) {
      const order = queue(
        people(at).map((email) => {
          const lastBookedAt = last.get(email)
          return lastBookedAt === undefined ? { email } : { email, lastBookedAt }
        }),
      )
      const chosen = chooseParticipant(people(at), method(order)) ?? ''
      last.set(chosen, instant(at))
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
    }
    return counts
  }

  it.each([
    ['max-availability', (order: string[]) => order],
    ['max-fairness', fairHalf],
  ] as const)('of %s among five hosts who are always free differ by at most one', (_, method) => {
    const counts = [...pick(10_003, method, () => names).values()]
    expect(counts.length).toBe(5)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  })

  it('go to a host who joins in the middle in turn, not all at once', () => {
    const counts = pick(
      10_000,
      (order) => order,
      (at) => (at <= 5_000 ? names.slice(0, 4) : names),
    )
    expect(counts.get('e@x.example')).toBe(1_000)
  })
})
