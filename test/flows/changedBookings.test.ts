/** What becomes of a booking whose configuration, guest or hosts are no longer what they were when it was made. */
import { beforeAll, describe, expect, it } from 'vitest'

import { book, configurationBody, makeConfiguration, makeHost, nearFuture, type TestHost } from '../support/hosts.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let host: TestHost
let start = nearFuture()

beforeAll(async () => {
  server = await startTestServer()
  host = await makeHost(server, 'ada@host.example')
})

/** An hour that no other test of this file uses. */
const freshHour = () => {
  start += 3_600
  return start
}

const move = (configurationId: string, bookingId: string, from: number, more: object = {}) =>
  server.request('PATCH', `/v3/scheduling/bookings/${bookingId}?configuration_id=${configurationId}`, {
    token: null,
    body: { start_time: from, end_time: from + 1_800, ...more },
  })

describe("a guest's long answer in the title", () => {
  const answer = `${'x'.repeat(1_016)}😀 and more`

  it('is cut between characters, when it is given and when it changes', async () => {
    const id = await makeConfiguration(server, [host], {
      event: { title: 'Call: ${topic}' },
      scheduler: { additional_fields: { topic: { label: 'Topic', type: 'text' } } },
    })
    const made = await book(server, id, freshHour(), { body: { additional_fields: { topic: answer } } })
    expect(made.status).toBe(200)
    expect(made.body.data.title).toBe(`Call: ${'x'.repeat(1_016)}…`)
    const { booking_id } = (await book(server, id, freshHour(), { body: { additional_fields: { topic: 'y' } } })).body
      .data
    const moved = await move(id, booking_id, freshHour(), { additional_fields: { topic: answer } })
    expect(moved.status).toBe(200)
    expect(moved.body.data.title).toBe(made.body.data.title)
  })

  it('is refused by name where half a character is all that came', async () => {
    const id = await makeConfiguration(server, [host])
    const at = freshHour()
    const refused = async (body: object) => (await book(server, id, at, { body })).body.error?.message
    const half = '\ud83d'
    expect(await refused({ guest: { name: half, email: 'gil@guest.example' } })).toContain('guest.name')
    expect(await refused({ additional_fields: { topic: half } })).toContain('additional_fields.topic')
    expect(await refused({ additional_fields: { [half]: 'x' } })).toContain('additional_fields')
    const configuration = await server.request('PUT', `/v3/grants/${host.grantId}/scheduling/configurations/${id}`, {
      body: configurationBody([host], { event: { title: half } }),
    })
    expect(configuration.body.error?.message).toContain('event_booking.title')
    expect([configuration.status, (await book(server, id, at)).status]).toEqual([400, 200])
  })
})

describe('a booking whose configuration asks for more by now', () => {
  const topic = { label: 'Topic', type: 'dropdown', required: true, options: ['Cats', 'Dogs'] }
  const company = { label: 'Company', type: 'text', required: true }
  const change = (id: string, additional_fields: object) =>
    server.request('PUT', `/v3/grants/${host.grantId}/scheduling/configurations/${id}`, {
      body: configurationBody([host], { event: { title: 'On ${topic}' }, scheduler: { additional_fields } }),
    })
  const answersOf = async (bookingId: string) =>
    (await server.request('GET', `/v3/grants/${host.grantId}/scheduling/bookings`)).body.data.find(
      ({ booking_id }: { booking_id: string }) => booking_id === bookingId,
    )?.additional_fields

  it('can still be moved, and keeps what was answered; what a move brings is judged', async () => {
    const id = await makeConfiguration(server, [host], {
      event: { title: 'On ${topic}' },
      scheduler: { additional_fields: { topic } },
    })
    const made = await book(server, id, freshHour(), { body: { additional_fields: { topic: 'Cats', more: 'x' } } })
    const { booking_id } = made.body.data
    expect((await change(id, { topic: { ...topic, options: ['Dogs'] }, company })).status).toBe(200)

    const moved = await move(id, booking_id, freshHour())
    expect(moved.body.error).toBeUndefined()
    expect(moved.body.data.title).toBe('On Cats')
    // A page that sends back what stands, and nothing for what was never asked, changes nothing either.
    const again = { additional_fields: { topic: 'Cats', company: '' } }
    expect((await move(id, booking_id, freshHour(), again)).status).toBe(200)
    expect(await answersOf(booking_id)).toEqual({ topic: 'Cats', more: 'x' })

    const refused = await move(id, booking_id, freshHour(), { additional_fields: { topic: 'Birds' } })
    expect([refused.status, refused.body.error.message]).toEqual([400, expect.stringContaining('topic')])
    expect((await move(id, booking_id, freshHour(), { additional_fields: { topic: '' } })).status).toBe(400)
    const answered = await move(id, booking_id, freshHour(), { additional_fields: { topic: 'Dogs', company: 'Acme' } })
    expect(answered.body.data.title).toBe('On Dogs')
    expect(await answersOf(booking_id)).toEqual({ topic: 'Dogs', more: 'x', company: 'Acme' })
  })
})

describe('a collective booking of some of the participants', () => {
  const standsWith = async (hosts: readonly TestHost[], eventId: string) => {
    const found = await Promise.all(
      hosts.map(({ grantId }) => server.request('GET', `/v3/grants/${grantId}/events/${eventId}?calendar_id=primary`)),
    )
    return hosts.filter((_, index) => found[index]?.status === 200).map(({ email }) => email)
  }

  it('stays with those who serve it, unless a move names others', async () => {
    const hosts = [host]
    for (const name of ['ben', 'cy', 'dan']) hosts.push(await makeHost(server, `${name}@some.example`))
    const [ana, ben, cy] = hosts as [TestHost, TestHost, TestHost]
    const id = await makeConfiguration(server, hosts)
    const made = await book(server, id, freshHour(), { body: { participants: [{ email: ben.email }] } })
    const { booking_id, event_id } = made.body.data
    expect(await standsWith(hosts, event_id)).toEqual([ana.email, ben.email])
    expect((await move(id, booking_id, freshHour())).status).toBe(200)
    expect(await standsWith(hosts, event_id)).toEqual([ana.email, ben.email])
    expect((await move(id, booking_id, freshHour(), { participants: [{ email: cy.email }] })).status).toBe(200)
    expect(await standsWith(hosts, event_id)).toEqual([ana.email, cy.email])
  })

  it('goes on without who is no participant any more', async () => {
    const hosts = [host, await makeHost(server, 'eva@some.example'), await makeHost(server, 'fay@some.example')]
    const [ana, eva, fay] = hosts as [TestHost, TestHost, TestHost]
    const id = await makeConfiguration(server, [ana, eva])
    const { booking_id, event_id } = (await book(server, id, freshHour())).body.data
    await server.request('PUT', `/v3/grants/${host.grantId}/scheduling/configurations/${id}`, {
      body: configurationBody([ana, fay]),
    })
    expect((await move(id, booking_id, freshHour())).status).toBe(200)
    expect(await standsWith(hosts, event_id)).toEqual([ana.email])
  })
})
