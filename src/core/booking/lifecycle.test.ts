import { describe, expect, it } from 'vitest'

import type { Configuration } from '../configuration/configuration.ts'
import type { AppId, BookingId, CalendarId, ConfigurationId, EventId, GrantId } from '../ids.ts'
import type { Result } from '../result.ts'
import { instant } from '../time/instant.ts'
import type { Booking, Service } from './booking.ts'
import {
  abort,
  cancel,
  claimsOf,
  confirm,
  decline,
  findCancellationProblem,
  placedEvent,
  reschedule,
  settle,
} from './lifecycle.ts'

const calendar = (name: string) => ({
  key: { grantId: name as GrantId, calendarId: 'primary' as CalendarId },
  provider: 'virtual-calendar' as const,
})
const serviceOf = (...names: string[]): Service => ({
  organizer: { email: `${names[0]}@host.example`, name: names[0] ?? '' },
  hosts: names.map((name) => ({ email: `${name}@host.example`, name })),
  placements: names.map(calendar),
  assignment: { method: 'collective' },
})
const when = (start: number, end: number) => ({ start: instant(start), end: instant(end) })
const configuration = {
  timezone: 'UTC',
  hideParticipants: false,
  notifyParticipants: true,
  conferencing: undefined,
} as Configuration

const booked: Booking = {
  appId: 'app' as AppId,
  id: '0b1f6a0e-5c3d-4e6f-9a7b-8c9d0e1f2a3b' as BookingId,
  configurationId: '26e98405-3b48-47d2-898a-7254f1fad8d7' as ConfigurationId,
  state: 'booked',
  cancelledBy: undefined,
  cancellationReason: '',
  direction: 'commit',
  change: undefined,
  when: when(100, 200),
  service: serviceOf('ada'),
  details: {
    title: 'Call',
    description: '',
    location: '',
    guest: { email: 'gil@guest.example', name: 'Gil' },
    additionalGuests: [
      { email: 'GIL@guest.example', name: 'Again' },
      { email: 'eve@guest.example', name: 'Eve' },
    ],
    additionalFields: {},
    timezone: 'UTC',
    emailLanguage: 'en',
  },
  eventId: 'event' as EventId,
  invitedByCalendar: [],
  organizerSalt: new Uint8Array(16),
  guestSalt: new Uint8Array(16),
  version: 7,
  createdAt: instant(0),
  updatedAt: instant(0),
}
const pending: Booking = { ...booked, state: 'pending' }
const cancelled: Booking = { ...booked, state: 'cancelled' }
const made = (changed: Result<Booking>): Booking => {
  if (!changed.ok) throw new Error(changed.problem.message)
  return changed.value
}
const target = { when: when(300, 400), service: serviceOf('bob'), details: booked.details }

describe('what waits for a calendar', () => {
  const begun = (result: ReturnType<typeof reschedule>): Booking => {
    if (!result.ok) throw new Error(result.problem.message)
    return result.value
  }
  const moving = begun(reschedule(booked, target))

  it('can be called off, and what it was is remembered with its time', () => {
    const confirming = begun(cancel(begun(confirm(pending)), 'guest', ''))
    expect(confirming.change).toMatchObject({ kind: 'cancel', from: 'pending', overtook: { kind: 'confirm' } })
    for (const move of [moving, { ...moving, direction: 'abort' } as const]) {
      const off = begun(cancel(move, 'guest', ''))
      const { when, service } = target
      expect(off.change).toMatchObject({ kind: 'cancel', overtook: { kind: 'reschedule', when, service } })
      expect(off.change).not.toHaveProperty('overtook.details')
      expect(claimsOf(off)).toEqual(claimsOf(moving))
    }
    expect(cancel(moving, 'calendar', '')).toMatchObject({ ok: false, problem: { kind: 'conflict' } })
  })

  it('is remembered where it was, or was to be, and has no place any more', () => {
    expect(settle(moving).movedOff).toEqual([calendar('ada')])
    expect(abort(moving).movedOff).toEqual([calendar('bob')])
    const back = begun(reschedule(settle(moving), { ...target, service: booked.service }))
    expect(settle(back).movedOff).toEqual([calendar('bob')])
    expect(settle(begun(reschedule(booked, { ...target, service: booked.service }))).movedOff).toBeUndefined()
  })
})

describe('the states allow', () => {
  it.each([
    ['confirm', 'pending', confirm(pending)],
    ['decline', 'pending', decline(pending, '')],
    ['cancel', 'pending', cancel(pending, 'guest', '')],
    ['cancel', 'booked', cancel(booked, 'guest', '')],
    ['reschedule', 'pending', reschedule(pending, target)],
    ['reschedule', 'booked', reschedule(booked, target)],
  ])('%s of what is %s, under the next version', (_, __, result) => {
    expect(result.ok && result.value.version).toBe(8)
    expect(result.ok && result.value.change).toBeDefined()
  })

  it.each([
    ['confirm', 'booked', confirm(booked)],
    ['confirm', 'cancelled', confirm(cancelled)],
    ['decline', 'booked', decline(booked, '')],
    ['cancel', 'cancelled', cancel(cancelled, 'guest', '')],
    ['cancel', 'held', cancel({ ...booked, state: 'held' }, 'guest', '')],
    ['reschedule', 'cancelled', reschedule(cancelled, target)],
    ['reschedule', 'released', reschedule({ ...booked, state: 'released' }, target)],
  ])('no %s of what is %s', (_, __, result) => {
    expect(result.ok || result.problem.kind).toBe('conflict')
  })

  it('nothing but to call it off while another change is under way', () => {
    const moving = made(reschedule(booked, target))
    for (const result of [
      cancel(moving, 'calendar', ''),
      reschedule(moving, target),
      confirm(moving),
      decline(moving, ''),
      cancel(made(cancel(booked, 'guest', '')), 'guest', ''),
    ])
      expect(result.ok || result.problem.kind).toBe('conflict')
    expect(reschedule({ ...moving, direction: 'abort' }, target)).toMatchObject({
      problem: { kind: 'calendarUnavailable' },
    })
  })

  it('to call off what is being moved or confirmed: it takes what both took until its events are gone', () => {
    const moving = made(reschedule(booked, target))
    const off = made(cancel(moving, 'guest', 'ill'))
    expect(off).toMatchObject({ state: 'cancelled', direction: 'commit', change: { kind: 'cancel', from: 'booked' } })
    expect(claimsOf(off)).toEqual(claimsOf(moving))
    expect(claimsOf(settle(off))).toEqual([])
    expect(made(decline(made(confirm(pending)), 'no')).change).toMatchObject({ from: 'pending' })
  })

  it('to confirm what stays pending until its event stands', () => {
    const confirming = made(confirm(pending))
    expect([confirming.state, settle(confirming).state, abort(confirming).state]).toEqual([
      'pending',
      'booked',
      'pending',
    ])
  })
})

describe('a change', () => {
  it('of time keeps the old one until it is settled, and forgets the new one when it is given up', () => {
    const moving = reschedule(booked, target)
    if (!moving.ok) throw new Error('not moved')
    expect(moving.value.when).toEqual(booked.when)
    expect(settle(moving.value)).toMatchObject({
      when: target.when,
      service: target.service,
      change: undefined,
      state: 'booked',
    })
    expect(abort(moving.value)).toMatchObject({
      when: booked.when,
      service: booked.service,
      change: undefined,
      direction: 'commit',
    })
  })

  it('of the organizer comes with another salt for them, once it is settled; for the same one it stays', () => {
    const salt = new Uint8Array(16).fill(7)
    const moving = reschedule(booked, { ...target, service: serviceOf('bob') }, salt)
    if (!moving.ok) throw new Error('not moved')
    expect(moving.value.organizerSalt).toEqual(booked.organizerSalt)
    // Through the database, as JSON.
    const kept = { ...moving.value, change: JSON.parse(JSON.stringify(moving.value.change)) }
    expect(settle(kept).organizerSalt).toEqual(salt)
    expect(abort(kept).organizerSalt).toEqual(booked.organizerSalt)
    const staying = reschedule(booked, { ...target, service: booked.service }, salt)
    expect(staying.ok && settle(staying.value).organizerSalt).toEqual(booked.organizerSalt)
  })

  it('that makes a booking releases it when it is given up', () => {
    const held: Booking = { ...booked, state: 'held', change: { kind: 'create', to: 'booked' } }
    expect(settle(held).state).toBe('booked')
    expect(abort(held)).toMatchObject({ state: 'released', change: undefined })
  })
})

describe('claims', () => {
  const claims = (booking: Booking) =>
    claimsOf(booking).map(({ key, during }) => `${key.grantId} ${during.start}–${during.end}`)

  it('are of every calendar that carries the event, while the booking takes time', () => {
    expect(claims({ ...booked, service: serviceOf('ada', 'bob') })).toEqual(['ada 100–200', 'bob 100–200'])
    for (const state of ['held', 'pending'] as const) expect(claims({ ...booked, state })).toEqual(['ada 100–200'])
    for (const state of ['cancelled', 'released'] as const) expect(claims({ ...booked, state })).toEqual([])
  })

  it('of a cancellation stay until the event is gone', () => {
    const going = cancel(booked, 'guest', '')
    if (!going.ok) throw new Error('not cancelled')
    expect(claims(going.value)).toEqual(['ada 100–200'])
    expect(claims(settle(going.value))).toEqual([])
  })

  it.each([
    ['elsewhere are both', when(300, 400), ['ada 100–200', 'ada 300–400']],
    ['that overlap are one', when(150, 250), ['ada 100–250']],
    ['that touch are one', when(200, 300), ['ada 100–300']],
    ['earlier that touch are one', when(0, 100), ['ada 0–200']],
  ])('of a move: old and new %s', (_, to, expected) => {
    const moving = reschedule(booked, { ...target, when: to, service: booked.service })
    if (!moving.ok) throw new Error('not moved')
    expect(claims(moving.value)).toEqual(expected)
    expect(claims(settle(moving.value))).toEqual([`ada ${to.start}–${to.end}`])
  })

  it('of a move to another host are on both calendars', () => {
    const moving = reschedule(booked, target)
    if (!moving.ok) throw new Error('not moved')
    expect(claims(moving.value)).toEqual(['ada 100–200', 'bob 300–400'])
  })
})

describe('the event', () => {
  it('of a pending booking invites nobody outside and says that it is pending', () => {
    const event = placedEvent(pending, configuration, instant(5_000))
    expect(event).toMatchObject({
      title: '[PENDING] Call',
      notifyParticipants: false,
      participants: [{ email: 'ada@host.example' }],
    })
    expect(event?.participants.length).toBe(1)
  })

  it('of a booked one has each person once, under the first spelling', () => {
    const event = placedEvent(booked, configuration, instant(5_000))
    expect(event?.title).toBe('Call')
    expect(event?.participants.map(({ email }) => email)).toEqual([
      'ada@host.example',
      'gil@guest.example',
      'eve@guest.example',
    ])
    expect(event?.metadata).toEqual({
      source: 'scheduler',
      key5: booked.configurationId,
      scheduler_last_start: '0',
      scheduler_last_end: '0',
      scheduler_updated_at: '5',
    })
  })

  it('of one that is called off is none', () => {
    expect(placedEvent(cancelled, configuration, instant(0))).toBeUndefined()
  })

  it('of one that moves is the one at the new time', () => {
    const moving = reschedule(booked, target)
    expect(moving.ok && placedEvent(moving.value, configuration, instant(0))?.when).toEqual(target.when)
  })
})

describe('the notice of cancellation', () => {
  const at = (minutesBefore: number, booking = { ...booked, when: when(3_600_000, 5_400_000) }) =>
    findCancellationProblem(booking, { minCancellationNoticeMinutes: 30 }, instant(3_600_000 - minutesBefore * 60_000))
      ?.kind

  it('ends on the minute itself', () => {
    expect([at(31), at(30), at(29)]).toEqual([undefined, undefined, 'invalidRequest'])
  })

  it('does not bind what is only pending, and is none where it is zero', () => {
    expect(at(1, { ...pending, when: when(3_600_000, 5_400_000) })).toBeUndefined()
    expect(findCancellationProblem(booked, { minCancellationNoticeMinutes: 0 }, instant(1_000_000))).toBeUndefined()
  })
})
