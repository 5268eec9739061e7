import { describe, expect, it } from 'vitest'

import type { Configuration } from '../configuration/configuration.ts'
import type { Booking, Change } from './booking.ts'
import { mailsOf, triggerOf } from './notification.ts'

const person = (name: string) => ({ name, email: `${name}@x.example` })
const booking = {
  service: { organizer: person('ada'), hosts: [person('ada'), person('bob')] },
  details: { guest: person('gil'), additionalGuests: [person('eve')], emailLanguage: 'fr', timezone: 'Asia/Tokyo' },
} as unknown as Booking
const configuration = {
  bookingType: 'organizer-confirmation',
  disableEmails: false,
  organizerLocale: 'de',
  timezone: 'Europe/Berlin',
  participants: [{ email: 'bob@x.example', timezone: 'America/Lima' }],
} as unknown as Configuration
const silent: Configuration = { ...configuration, disableEmails: true }
const mails = (change: Change, settings = configuration) =>
  mailsOf(booking, change, settings).map(({ kind, to, role }) => `${kind} ${to.name} ${role}`)

const made: Change = { kind: 'create', to: 'booked' }
const asked: Change = { kind: 'create', to: 'pending' }
const off = (by: 'guest' | 'organizer', from: 'booked' | 'pending'): Change => ({
  kind: 'cancel',
  by,
  reason: '',
  from,
})

describe('the trigger', () => {
  it.each([
    [made, 'booking.created'],
    [asked, 'booking.pending'],
    [{ kind: 'confirm' }, 'booking.created'],
    [off('guest', 'booked'), 'booking.cancelled'],
    [off('organizer', 'pending'), 'booking.cancelled'],
  ] as const)('of %j is %s', (change, trigger) => {
    expect(triggerOf(change)).toBe(trigger)
  })
})

describe('mails', () => {
  const everyone = (kind: string) => [
    `${kind} gil guest`,
    `${kind} eve additionalGuest`,
    `${kind} ada organizer`,
    `${kind} bob host`,
  ]

  it('of a booking go to all who take part', () => {
    expect(mails(made)).toEqual(everyone('confirmed'))
    expect(mails({ kind: 'confirm' })).toEqual(everyone('confirmed'))
    expect(mails(off('guest', 'booked'))).toEqual(everyone('cancelled'))
  })

  it('of a request go to the organizer, who decides, and to the guest, who waits', () => {
    expect(mails(asked)).toEqual(['confirmationRequest ada organizer', 'requestReceived gil guest'])
  })

  it('of a refusal do not tell people who were never invited', () => {
    expect(mails(off('organizer', 'pending'))).toEqual([
      'declined gil guest',
      'declined ada organizer',
      'declined bob host',
    ])
  })

  it('that are switched off leave only the question to the organizer, without which nothing would go on', () => {
    expect(mails(made, silent)).toEqual([])
    expect(mails(off('guest', 'booked'), silent)).toEqual([])
    expect(mails(asked, silent)).toEqual(['confirmationRequest ada organizer'])
  })

  it("of a custom confirmation are the application's own affair", () => {
    expect(mails(asked, { ...configuration, bookingType: 'custom-confirmation' })).toEqual([])
  })

  it('speak the language and the time zone of each', () => {
    expect(mailsOf(booking, made, configuration).map(({ language, timezone }) => `${language} ${timezone}`)).toEqual([
      'fr Asia/Tokyo',
      'fr Asia/Tokyo',
      'de Europe/Berlin',
      'de America/Lima',
    ])
  })
})
