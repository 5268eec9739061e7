import { beforeEach, describe, expect, it } from 'vitest'

import type { Principal } from '../core/account/principal.ts'
import { encodeReference } from '../core/booking/reference.ts'
import type { AppId, BookingId, ConfigurationId } from '../core/ids.ts'
import { type BookingAsked, type BookingLimits, limitBookings } from './bookingLimits.ts'
import { countInMemory } from './counters.ts'
import type { Route } from './route.ts'

const configurationId = '00000000-0000-4000-8000-000000000001' as ConfigurationId
const bookingId = '00000000-0000-4000-8000-000000000002' as BookingId
const appId = '00000000-0000-4000-8000-000000000003' as AppId
const answer = { data: { booking_ref: encodeReference({ configurationId, bookingId, salt: new Uint8Array(16) }) } }
const anyone: Principal = { kind: 'anyone' }
const session: Principal = { kind: 'session', appId, configurationId }
const key: Principal = { kind: 'key', appId, keyId: 'key' }
const holder: Principal = { kind: 'booking', appId, configurationId, bookingId, holder: 'guest' }

let limits: BookingLimits
beforeEach(() => {
  limits = limitBookings(countInMemory)
})

type What = {
  readonly principal?: Principal
  readonly network?: string
  readonly booking?: string
  readonly people?: number
  readonly guest?: string
}
let guests = 0
const asked = (method: string, what: What = {}): BookingAsked => {
  const {
    principal = anyone,
    network = '192.0.2.1',
    booking = bookingId,
    people = 0,
    guest = `${guests++}@x.example`,
  } = what
  return {
    route: { method, path: `/v3/scheduling/bookings${method === 'POST' ? '' : '/:booking_id'}` } as Route,
    principal,
    network,
    params: { booking_id: booking },
    query: principal.kind === 'anyone' ? { configuration_id: configurationId } : {},
    body: { guest: { email: guest }, additional_guests: Array.from({ length: people }, () => ({})) },
  }
}
/** How many of `count` get through, each of them done. */
async function countDone(count: number, method: string, what: (index: number) => What = () => ({})): Promise<number> {
  for (let done = 0; done < count; done++) {
    const one = asked(method, what(done))
    if (!(await limits.beforeWork(one)).ok) return done
    await limits.afterWork(one, answer)
  }
  return count
}

describe('a network', () => {
  it.each([
    ['PATCH', 20],
    ['PUT', 20],
    ['DELETE', 20],
  ])('tries %s %i times a minute, of whatever bookings, and books no less for it', async (method, limit) => {
    expect(await countDone(limit + 1, method, (index) => ({ booking: `${index}` }))).toBe(limit)
    expect((await limits.beforeWork(asked('POST'))).ok).toBe(true)
    expect((await limits.beforeWork(asked(method, { network: '192.0.2.2' }))).ok).toBe(true)
  })

  it('gets no further with the links of bookings', async () => {
    expect(await countDone(21, 'DELETE', () => ({ principal: holder }))).toBe(20)
  })

  it('names a hundred additional guests an hour, and books and moves without any after that', async () => {
    expect(await countDone(11, 'POST', () => ({ people: 10 }))).toBe(10)
    const refused = await limits.beforeWork(asked('PATCH', { people: 1 }))
    expect(refused).toMatchObject({
      problem: { kind: 'rateLimited', message: expect.stringContaining('additional_guests') },
    })
    expect((await limits.beforeWork(asked('PATCH', {}))).ok).toBe(true)
    expect((await limits.beforeWork(asked('PATCH', { people: 1, network: '192.0.2.2' }))).ok).toBe(true)
  })
})

describe('a configuration', () => {
  it('writes to 500 additional guests an hour, whoever names them, but for its key', async () => {
    expect(await countDone(51, 'POST', () => ({ principal: session, people: 10 }))).toBe(50)
    expect((await limits.beforeWork(asked('POST', { people: 1 }))).ok).toBe(false)
    expect((await limits.beforeWork(asked('POST'))).ok).toBe(true)
    expect((await limits.beforeWork(asked('PATCH', { principal: key, people: 10 }))).ok).toBe(true)
  })

  it('has its bookings moved 300 times an hour', async () => {
    const move = (index: number) => ({ principal: session, booking: `${index}` })
    expect(await countDone(301, 'PATCH', move)).toBe(300)
    expect((await limits.beforeWork(asked('POST', { principal: session }))).ok).toBe(true)
    expect((await limits.beforeWork(asked('DELETE', { principal: session }))).ok).toBe(true)
  })
})

describe('a booking', () => {
  it('is moved ten times an hour, and called off after that', async () => {
    expect(await countDone(11, 'PATCH', (index) => ({ principal: session, network: `${index}` }))).toBe(10)
    const spelled = asked('PATCH', { booking: bookingId.toUpperCase(), network: '192.0.2.9' })
    expect((await limits.beforeWork(spelled)).ok).toBe(false)
    expect((await limits.beforeWork(asked('DELETE'))).ok).toBe(true)
    expect((await limits.beforeWork(asked('PATCH', { booking: 'another' }))).ok).toBe(true)
  })

  it('is moved as often as its key holder likes', async () => {
    expect(await countDone(400, 'PATCH', () => ({ principal: key, people: 10 }))).toBe(400)
  })

  it('has no moves counted that came to nothing, or were the same request again', async () => {
    for (let count = 0; count < 30; count++) {
      const again = asked('PATCH', { principal: session, people: 10 })
      expect((await limits.beforeWork(again)).ok).toBe(true)
      if (count % 2 === 0) await limits.afterWork(again, { ...answer, changedNothing: true })
    }
  })
})
