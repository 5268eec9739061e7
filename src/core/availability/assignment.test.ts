import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { instant } from '../time/instant.ts'
import { chooseParticipant, fairHalf, queue } from './assignment.ts'

describe('the queue', () => {
  test('has the never booked first, then who was booked longest ago', () => {
    const participants = [
      { email: 'ana@example.test', lastBookedAt: instant(20) },
      { email: 'dee@example.test' },
      { email: 'ben@example.test', lastBookedAt: instant(10) },
      { email: 'cy@example.test' },
    ]
    expect(queue(participants)).toEqual(['cy@example.test', 'dee@example.test', 'ben@example.test', 'ana@example.test'])
  })

  test('breaks ties alphabetically, whatever the case', () => {
    const lastBookedAt = instant(5)
    expect(
      queue([
        { email: 'Zoe@example.test', lastBookedAt },
        { email: 'Ben@example.test' },
        { email: 'ana@example.test' },
        { email: 'yan@example.test', lastBookedAt },
      ]),
    ).toEqual(['ana@example.test', 'Ben@example.test', 'yan@example.test', 'Zoe@example.test'])
  })

  test('does not depend on the order in which the participants are given', () => {
    const participant = fc.record(
      { email: fc.emailAddress(), lastBookedAt: fc.integer({ min: 0, max: 3 }).map(instant) },
      { requiredKeys: ['email'] },
    )
    fc.assert(
      fc.property(fc.uniqueArray(participant, { selector: ({ email }) => email }), (participants) => {
        expect(queue(participants.toReversed())).toEqual(queue(participants))
      }),
    )
  })

  test('gives 10 000 bookings to all alike when all are free', () => {
    const lastBookedAt = new Map<string, number>()
    const emails = ['a@example.test', 'b@example.test', 'c@example.test']
    const counts = new Map<string, number>()
    for (let booking = 0; booking < 10_000; booking += 1) {
      const order = queue(
        emails.map((email) => {
          const at = lastBookedAt.get(email)
          return at === undefined ? { email } : { email, lastBookedAt: instant(at) }
        }),
      )
      const chosen = chooseParticipant(emails, order) ?? ''
      lastBookedAt.set(chosen, booking)
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
    }
    expect([...counts.values()].toSorted((a, b) => a - b)).toEqual([3_333, 3_333, 3_334])
  })
})

test.each([
  [1, 1],
  [2, 1],
  [3, 2],
  [4, 2],
  [5, 3],
  [0, 0],
])('of %i in the queue the fair half is %i', (count, kept) => {
  const order = Array.from({ length: count }, (_, index) => `p${index}`)
  expect(fairHalf(order)).toEqual(order.slice(0, kept))
})

describe('the choice', () => {
  test('is the first of the queue who is free', () => {
    expect(chooseParticipant(['a@x.test', 'b@x.test'], ['c@x.test', 'B@x.test', 'a@x.test'])).toBe('B@x.test')
  })

  test('is nobody where nobody of the queue is free', () => {
    expect(chooseParticipant(['z@x.test'], ['a@x.test'])).toBeUndefined()
  })
})
