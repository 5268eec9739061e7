import { describe, expect, it, test } from 'vitest'

import type { Booking, BookingState } from '../core/booking/booking.ts'
import { decodeReference } from '../core/booking/reference.ts'
import type { BookingId, ConfigurationId } from '../core/ids.ts'
import { instant } from '../core/time/instant.ts'
import { bookingToJson, bookingToListItem, readGuestWords } from './bookings.ts'

const seconds = (value: number) => instant(value * 1_000)
const booking = {
  id: '0b1f6a0e-5c3d-4e6f-9a7b-8c9d0e1f2a3b' as BookingId,
  configurationId: '26e98405-3b48-47d2-898a-7254f1fad8d7' as ConfigurationId,
  state: 'booked',
  cancelledBy: undefined,
  cancellationReason: '',
  eventId: '0011223344556677889900aabbccddee',
  when: { start: seconds(1_900_000_800), end: seconds(1_900_002_600) },
  service: {
    organizer: { email: 'ada@host.example', name: 'Ada' },
    hosts: [{ email: 'ada@host.example', name: 'Ada' }],
    placements: [{ key: { grantId: 'grant-1', calendarId: 'cal-1' }, provider: 'virtual-calendar' }],
    assignment: { method: 'collective' },
  },
  details: {
    title: 'Intro call',
    description: 'About prices',
    location: '',
    guest: { email: 'gil@guest.example', name: 'Gil' },
    additionalGuests: [{ email: 'eve@guest.example', name: 'Eve' }],
    additionalFields: { topic: 'pricing' },
    timezone: 'Europe/Paris',
    emailLanguage: 'fr',
  },
  guestSalt: new Uint8Array(16).fill(1),
  organizerSalt: new Uint8Array(16).fill(2),
  version: 3,
  createdAt: seconds(1_800_000_000),
  updatedAt: seconds(1_800_000_060),
} as unknown as Booking

const saltIn = (reference: string | undefined) => decodeReference(reference ?? '')?.salt[0]

describe('a booking as everyone sees it', () => {
  it('has the documented fields and the reference of the guest, and nobody’s address but the organizer’s', () => {
    const { booking_ref, ...rest } = bookingToJson(booking)
    expect(rest).toEqual({
      booking_id: booking.id,
      event_id: '0011223344556677889900aabbccddee',
      title: 'Intro call',
      organizer: { email: 'ada@host.example', name: 'Ada' },
      status: 'booked',
      description: 'About prices',
      location: '',
      version: booking.version,
      ical_uid: '00112233-4455-6677-8899-00aabbccddee@openslot',
    })
    expect(saltIn(booking_ref)).toBe(1)
  })

  test.each<[BookingState, string]>([
    ['booked', 'booked'],
    ['pending', 'pending'],
    ['cancelled', 'cancelled'],
    ['held', 'cancelled'],
    ['released', 'cancelled'],
  ])('of the state %s is %s', (state, status) => {
    expect(bookingToJson({ ...booking, state }).status).toBe(status)
  })
})

describe('a booking as the key holder sees it', () => {
  it('has times in seconds, people, the calendar that carries it and both references', () => {
    const { booking_ref, organizer_booking_ref, ...rest } = bookingToListItem(booking)
    expect(rest).toMatchObject({
      booking_id: booking.id,
      configuration_id: booking.configurationId,
      start_time: 1_900_000_800,
      end_time: 1_900_002_600,
      guest: { email: 'gil@guest.example', name: 'Gil' },
      additional_guests: [{ email: 'eve@guest.example', name: 'Eve' }],
      additional_fields: { topic: 'pricing' },
      timezone: 'Europe/Paris',
      calendar_id: 'cal-1',
      grant_id: 'grant-1',
      cancelled_by: null,
      cancellation_reason: '',
      assignment: { method: 'collective' },
      version: 3,
      created_at: 1_800_000_000,
      updated_at: 1_800_000_060,
    })
    expect([saltIn(booking_ref), saltIn(organizer_booking_ref)]).toEqual([1, 2])
  })

  it('says who called it off, and why', () => {
    const cancelled: Booking = { ...booking, state: 'cancelled', cancelledBy: 'guest', cancellationReason: 'Ill' }
    expect(bookingToListItem(cancelled)).toMatchObject({
      status: 'cancelled',
      cancelled_by: 'guest',
      cancellation_reason: 'Ill',
    })
  })
})

describe('what a guest said', () => {
  it('is nothing where nothing was said, or null', () => {
    const nothing = {
      participants: [],
      timezone: undefined,
      emailLanguage: 'en',
      additionalGuests: undefined,
      additionalFields: undefined,
    }
    expect(readGuestWords({})).toEqual(nothing)
    expect(
      readGuestWords({
        participants: null,
        timezone: null,
        email_language: null,
        additional_guests: null,
        additional_fields: null,
      }),
    ).toEqual(nothing)
    expect(readGuestWords({ timezone: '', participants: [] })).toEqual(nothing)
  })

  it('keeps an empty list apart from none: it takes away who was named before', () => {
    expect(readGuestWords({ additional_guests: [], additional_fields: {} })).toMatchObject({
      additionalGuests: [],
      additionalFields: {},
    })
  })

  it('names people by their address where they have no name, and answers as text', () => {
    expect(
      readGuestWords({
        participants: [{ email: 'ada@host.example' }],
        timezone: 'Asia/Tokyo',
        additional_guests: [{ email: 'eve@guest.example' }, { email: 'max@guest.example', name: 'Max' }],
        additional_fields: { topic: 'pricing', terms: true, count: 3, left: null },
      }),
    ).toMatchObject({
      participants: ['ada@host.example'],
      timezone: 'Asia/Tokyo',
      additionalGuests: [
        { email: 'eve@guest.example', name: 'eve@guest.example' },
        { email: 'max@guest.example', name: 'Max' },
      ],
      additionalFields: { topic: 'pricing', terms: 'true', count: '3' },
    })
  })

  test.each([
    ['fr', 'fr'],
    ['FR-ca', 'fr'],
    ['ja', 'ja'],
    ['pt', 'en'],
    ['', 'en'],
    ['x', 'en'],
  ])('in the language %j is answered in %s', (asked, language) => {
    expect(readGuestWords({ email_language: asked }).emailLanguage).toBe(language)
  })
})
