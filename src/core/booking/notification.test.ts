import { describe, expect, it } from 'vitest'

import type { Configuration } from '../configuration/configuration.ts'
import { instant } from '../time/instant.ts'
import type { Booking, Change } from './booking.ts'
import { mailsOf, triggerOf } from './notification.ts'

const person = (name: string) => ({ name, email: `${name}@x.example` })
const booking = {
  id: '0b1f6a0e-5c3d-4e6f-9a7b-8c9d0e1f2a3b',
  eventId: '5f3cb2d1a09e4d3b8c7a6f5e4d3c2b1a',
  configurationId: '26e98405-3b48-47d2-898a-7254f1fad8d7',
  organizerSalt: new Uint8Array(16),
  guestSalt: new Uint8Array(16),
  state: 'booked',
  version: 1,
  when: { start: instant(1_900_000_800_000), end: instant(1_900_002_600_000) },
  service: { organizer: person('ada'), hosts: [person('ada'), person('bob')] },
  details: {
    title: 'Intro call',
    description: '',
    location: '',
    additionalFields: {},
    guest: person('gil'),
    additionalGuests: [person('eve')],
    emailLanguage: 'fr',
    timezone: 'Asia/Tokyo',
  },
} as unknown as Booking
const configuration = {
  reschedulingUrl: '',
  cancellationUrl: '',
  organizerConfirmationUrl: '',
  additionalFields: {},
  name: 'Intro call',
  title: 'Intro call',
  cancellationPolicy: '',
  emailTemplate: {},
  bookingType: 'organizer-confirmation',
  disableEmails: false,
  organizerLocale: 'de',
  timezone: 'Europe/Berlin',
  participants: [{ email: 'bob@x.example', timezone: 'America/Lima' }],
} as unknown as Configuration
const silent: Configuration = { ...configuration, disableEmails: true }
const mailsFor = (change: Change, settings = configuration) => {
  const isAsked = change.kind === 'create' && change.to === 'pending'
  const settled: Booking = isAsked ? { ...booking, state: 'pending' } : booking
  return mailsOf({ change, before: booking, settled, configuration: settings, invites: () => false, now: instant(0) })
}
const mails = (change: Change, settings = configuration) =>
  mailsFor(change, settings).map(({ kind, to, role }) => `${kind} ${to.name} ${role}`)

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
    expect(mails(off('organizer', 'pending'))).toEqual(['declined gil guest', 'declined ada organizer'])
  })

  it('that are switched off leave only the question to the organizer, without which nothing would go on', () => {
    expect(mails(made, silent)).toEqual([])
    expect(mails(off('guest', 'booked'), silent)).toEqual([])
    expect(mails(asked, silent)).toEqual(['confirmationRequest ada organizer'])
  })

  it("of a custom confirmation are the application's own affair", () => {
    expect(mails(asked, { ...configuration, bookingType: 'custom-confirmation' })).toEqual([])
  })

  it('of a request that moves to another organizer take the question back from who was asked, and tell nobody twice', () => {
    const before: Booking = { ...booking, state: 'pending' }
    const { when } = booking
    const moved = (service: Partial<Booking['service']>, guest = booking.details.guest, settings = configuration) => {
      const settled = { ...before, service: { ...before.service, ...service }, details: { ...before.details, guest } }
      const change: Change = { kind: 'reschedule', when, service: settled.service, details: settled.details }
      const told = mailsOf({ change, before, settled, configuration: settings, invites: () => true, now: instant(0) })
      return told.filter(({ kind }) => kind === 'cancelled')
    }
    const bob = { organizer: person('bob'), hosts: [person('bob')] }
    const [mail, ...others] = moved(bob)
    expect([mail?.to.name, mail?.role, mail?.when, others]).toEqual(['ada', 'organizer', when, []])
    // Nobody was invited.
    expect(mail?.invitation).toBeUndefined()
    expect(moved({}, person('flo')).map(({ to }) => to.name)).toEqual(['gil'])
    expect(moved({}, { name: 'Gil', email: 'GIL@x.example' })).toEqual([])
    expect(moved(bob, undefined, silent)).toEqual([])
    expect(moved(bob, undefined, { ...configuration, bookingType: 'custom-confirmation' })).toEqual([])
  })

  it('speak the language and the time zone of each', () => {
    expect(mailsFor(made).map(({ language, timezone }) => `${language} ${timezone}`)).toEqual([
      'fr Asia/Tokyo',
      'fr Asia/Tokyo',
      'de Europe/Berlin',
      'de America/Lima',
    ])
  })
})
