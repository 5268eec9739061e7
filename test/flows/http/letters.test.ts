/** Addresses and words beyond ASCII are found as they are written, however the database was made; in other letters where it knows them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { book, makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

describe.each(['all', 'ascii'] as const)('a database that knows the small letters of %s', (small) => {
  let database: TestDatabase
  let server: TestServer
  const name = 'Übungsraum 17'
  beforeAll(async () => {
    database = await createTestDatabase({ small })
    server = await startTestServer({ connection: database.connection }, { ROLE: 'web' })
  })
  afterAll(async () => {
    await server.close()
    await database.drop()
  })
  const found = async (path: string) => {
    const { status, body } = await server.request('GET', path)
    expect(status).toBe(200)
    return (body.data as unknown[]).length
  }

  it('finds a grant, and books for it', async () => {
    const host = await makeHost(server, name)
    const other = encodeURIComponent(name.toUpperCase())
    const here = encodeURIComponent(name)
    expect((await server.request('GET', `/v3/grants/${here}`)).status).toBe(200)
    expect(await found(`/v3/grants?email=${here}`)).toBe(1)
    // The same letters in another size, where the database can tell: "Ü" is the same in both, the rest is ASCII.
    expect(await found(`/v3/grants?email=${other}`)).toBe(1)
    expect(await found(`/v3/grants?email=${encodeURIComponent(name.toLowerCase())}`)).toBe(small === 'all' ? 1 : 0)
    const start = nearFuture()
    const free = await server.request('POST', `/v3/grants/${here}/calendars/free-busy`, {
      body: { start_time: start, end_time: start + 3_600, emails: [name] },
    })
    expect(free.body.data[0]).toMatchObject({ object: 'free_busy', time_slots: [] })
    const configuration = await makeConfiguration(server, [host])
    const guest = { name: 'Änne', email: 'ÄNNE@guest.example' }
    const booked = await book(server, configuration, start, { body: { guest } })
    expect(booked.status).toBe(200)
    const path = `/v3/grants/${here}/scheduling/bookings?guest_email=`
    expect(await found(path + encodeURIComponent(guest.email))).toBe(1)
  })

  it('finds events by their words and people', async () => {
    const event = {
      title: 'ÄRZTE und Öle',
      location: 'MÜNCHEN',
      when: { start_time: nearFuture(), end_time: nearFuture() + 60 },
      participants: [{ email: 'Ärzte@guest.example' }],
    }
    const here = `/v3/grants/${encodeURIComponent(name)}/events?calendar_id=primary`
    expect((await server.request('POST', here, { body: event })).status).toBe(200)
    for (const query of ['title=ÄRZTE', 'title=öle Ärzte', 'location=MÜNCHEN', 'attendees=Ärzte@guest.example']) {
      const isAsWritten = query !== 'title=öle Ärzte'
      expect([query, await found(`${here}&${encodeURI(query)}`)]).toEqual([
        query,
        isAsWritten || small === 'all' ? 1 : 0,
      ])
    }
  })
})
