import { describe, expect, it } from 'vitest'

import type { Booking, Change } from '../core/booking/booking.ts'
import { encodeReference } from '../core/booking/reference.ts'
import type { Configuration } from '../core/configuration/configuration.ts'
import type { BookingId, ConfigurationId } from '../core/ids.ts'
import { instant } from '../core/time/instant.ts'
import { bookingNotification } from './bookingNotifications.ts'

const seconds = (value: number) => instant(value * 1_000)
const ids = {
  configurationId: '26e98405-3b48-47d2-898a-7254f1fad8d7' as ConfigurationId,
  bookingId: '0b1f6a0e-5c3d-4e6f-9a7b-8c9d0e1f2a3b' as BookingId,
}
const guestSalt = new Uint8Array(16).fill(1)
const organizerSalt = new Uint8Array(16).fill(2)
const guestReference = encodeReference({ ...ids, salt: guestSalt })
const organizerReference = encodeReference({ ...ids, salt: organizerSalt })
const ada = { email: 'ada@host.example', name: 'Ada' }
const bob = { email: 'bob@host.example', name: 'Bob' }

const booking = {
  id: ids.bookingId,
  configurationId: ids.configurationId,
  eventId: '0011223344556677889900aabbccddee',
  when: { start: seconds(1_900_000_800), end: seconds(1_900_002_600) },
  service: {
    organizer: ada,
    hosts: [ada, bob],
    placements: [{ key: { grantId: 'g', calendarId: 'cal-1' }, provider: 'virtual-calendar' }],
    assignment: { method: 'collective' },
  },
  details: {
    title: 'Intro call',
    description: 'About prices',
    location: 'Room 1',
    guest: { email: 'gil@guest.example', name: 'Gil' },
    additionalGuests: [{ email: 'eve@guest.example', name: 'Eve' }],
    additionalFields: { topic: 'pricing', campaign: 'spring' },
    timezone: 'Europe/Paris',
    emailLanguage: 'fr',
  },
  guestSalt,
  organizerSalt,
} as unknown as Booking

const configuration = {
  bookingType: 'organizer-confirmation',
  participants: [{ ...ada, timezone: 'Europe/Berlin' }],
  timezone: 'UTC',
  organizerLocale: 'en',
  hideCancellationOptions: true,
  hideReschedulingOptions: false,
  reschedulingUrl: 'https://cal.example/r/:booking_ref',
  cancellationUrl: 'https://cal.example/c/:booking_ref',
  organizerConfirmationUrl: 'https://cal.example/o/:booking_ref',
} as unknown as Configuration

const before = { start: seconds(1_899_900_000), end: seconds(1_899_901_800) }
const tell = (change: Change, told: Partial<Booking> = {}, settings: Partial<Configuration> = {}) =>
  bookingNotification({ ...booking, ...told }, change, before, { ...configuration, ...settings })

it('names each person once, however their address is written', () => {
  const guest = { email: 'ADA@host.example', name: 'Ada again' }
  const additionalGuests = [{ email: 'Gil@guest.example', name: '' }, bob]
  const told = tell({ kind: 'confirm' }, { details: { ...booking.details, guest, additionalGuests } })
  expect(told).toMatchObject({ booking_info: { participants: [ada, bob, { email: 'Gil@guest.example' }] } })
})

/** What every trigger says of the booking, and nothing that its own schema lacks. */
const info = {
  event_id: '0011223344556677889900aabbccddee',
  start_time: 1_900_000_800,
  end_time: 1_900_002_600,
  participants: [ada, bob, booking.details.guest, ...booking.details.additionalGuests],
  additional_fields: { topic: 'pricing', campaign: 'spring' },
  hide_cancellation_options: true,
  hide_rescheduling_options: false,
  participant_rescheduling_url: `https://cal.example/r/${encodeURIComponent(guestReference)}`,
  participant_cancellation_url: `https://cal.example/c/${encodeURIComponent(guestReference)}`,
  host_language: 'en',
  guest_language: 'fr',
  title: 'Intro call',
  duration: 30,
  location: 'Room 1',
  organizer_timezone: 'Europe/Berlin',
  guest_timezone: 'Europe/Paris',
  is_group_event: false,
  organizer_calendar_id: 'cal-1',
  event_description: 'About prices',
  event_html_link: '',
  ical_uid: '00112233-4455-6677-8899-00aabbccddee@openslot',
}
const named = { booking_id: ids.bookingId, configuration_id: ids.configurationId }
const created = { ...named, booking_ref: guestReference, object: 'booking', booking_info: info }

describe('what is told', () => {
  it('of a new booking has the reference of the guest', () => {
    expect(tell({ kind: 'create', to: 'booked' })).toEqual(created)
  })

  it('of a confirmed one is the same: nobody hears of created in two shapes', () => {
    expect(tell({ kind: 'confirm' })).toEqual(created)
  })

  it('of a pending one has the type, the link that confirms, and the reference that does', () => {
    expect(tell({ kind: 'create', to: 'pending' })).toEqual({
      ...named,
      booking_ref: organizerReference,
      booking_type: 'organizer-confirmation',
      booking_info: {
        ...info,
        host_confirmation_url: `https://cal.example/o/${encodeURIComponent(organizerReference)}`,
      },
    })
  })

  it('of a moved one has the time before, beside the time now', () => {
    const { when, service, details } = booking
    expect(tell({ kind: 'reschedule', when, service, details })).toEqual({
      ...created,
      booking_info: { ...info, old_start_time: 1_899_900_000, old_end_time: 1_899_901_800 },
    })
  })

  it('of a request that moved to another organizer has the reference that confirms from then on', () => {
    const { when, service, details } = booking
    const moved: Change = { kind: 'reschedule', when, service, details, organizerSalt: 'new' }
    expect(tell(moved, { state: 'pending' })).toMatchObject({ organizer_booking_ref: organizerReference })
    expect(tell({ ...moved, organizerSalt: undefined }, { state: 'pending' })).not.toHaveProperty(
      'organizer_booking_ref',
    )
    expect(tell(moved)).not.toHaveProperty('organizer_booking_ref')
  })

  it.each(['Ill today', ''])('of a cancelled one has no reference, and always a reason: %j', (reason) => {
    expect(tell({ kind: 'cancel', by: 'guest', reason, from: 'booked' })).toEqual({
      ...named,
      booking_info: { ...info, cancellation_reason: reason },
    })
  })
})

describe('where nothing is known', () => {
  it('fields that nobody filled in are null, links without a template are empty, zones are those of the configuration', () => {
    const details = { ...booking.details, additionalFields: {} }
    const settings = { participants: [], reschedulingUrl: '', cancellationUrl: '', organizerConfirmationUrl: '' }
    expect(tell({ kind: 'create', to: 'pending' }, { details }, settings)).toMatchObject({
      booking_info: {
        additional_fields: null,
        participant_rescheduling_url: '',
        participant_cancellation_url: '',
        host_confirmation_url: '',
        organizer_timezone: 'UTC',
      },
    })
  })

  it('only the one notification that the organizer decides by carries what confirms', () => {
    const { when, service, details } = booking
    const others: readonly Change[] = [
      { kind: 'create', to: 'booked' },
      { kind: 'confirm' },
      { kind: 'reschedule', when, service, details },
      { kind: 'cancel', by: 'organizer', reason: '', from: 'pending' },
    ]
    for (const change of others)
      expect(decodeURIComponent(JSON.stringify(tell(change)))).not.toContain(organizerReference)
  })
})
