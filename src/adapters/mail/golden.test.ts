/**
 * What every reader reads of every change, in each language and in three zones, held against texts that people have read
 * (pitfall 32): `test/vectors/mails`, one file for each language. Where words change on purpose, `UPDATE_MAILS=1` writes them
 * anew for the eye that reviews the difference.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

import type { Booking, Change } from '../../core/booking/booking.ts'
import type { Mail } from '../../core/booking/mail.ts'
import { mailsOf } from '../../core/booking/notification.ts'
import { reminderMails } from '../../core/booking/reminders.ts'
import type { Configuration } from '../../core/configuration/configuration.ts'
import { instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { catalogues } from './catalogues.ts'
import { writeMessage } from './messages.ts'

/**
 * The meeting is on 2026-03-28 from 22:30 to 23:15 UTC: across midnight in Berlin, in the night before its clock changes;
 * the next morning in Kathmandu, whose clock goes 45 minutes apart; the same afternoon in New York, which has changed already.
 */
const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kathmandu'] as const
const minute = 60_000
const begin = Temporal.Instant.from('2026-03-28T22:30:00Z').epochMilliseconds
const when = { start: instant(begin), end: instant(begin + 45 * minute) }
/** Before a move: the afternoon before, in Berlin. */
const earlier = { start: instant(begin - 1_890 * minute), end: instant(begin - 1_845 * minute) }
const ada = { name: 'Ada Host', email: 'ada@host.example' }
const bob = { name: 'Bob Host', email: 'bob@host.example' }

type Readers = {
  readonly guestLanguage: string
  readonly hostLanguage: string
  readonly guestZone: string
  readonly organizerZone: string
  readonly hostZone: string
}

const bookingOf = ({ guestLanguage, guestZone }: Readers) =>
  ({
    id: '0b1f6a0e-5c3d-4e6f-9a7b-8c9d0e1f2a3b',
    eventId: '0011223344556677889900aabbccddee',
    configurationId: '26e98405-3b48-47d2-898a-7254f1fad8d7',
    organizerSalt: new Uint8Array(16).fill(1),
    guestSalt: new Uint8Array(16).fill(2),
    state: 'booked',
    version: 1,
    when,
    service: { organizer: ada, hosts: [ada, bob] },
    details: {
      title: 'Intro call',
      description: 'Bring a pen.',
      location: 'Room 5',
      additionalFields: { topic: 'Pricing' },
      guest: { name: 'Gil Guest', email: 'gil@guest.example' },
      additionalGuests: [{ name: 'Zoë', email: 'zoe@guest.example' }],
      emailLanguage: guestLanguage,
      timezone: guestZone,
    },
  }) as unknown as Booking

const configurationOf = ({ hostLanguage, organizerZone, hostZone }: Readers) =>
  ({
    reschedulingUrl: 'https://app.example/r/1',
    cancellationUrl: 'https://app.example/c/1',
    organizerConfirmationUrl: 'https://app.example/o/1',
    additionalFields: { topic: { label: 'Topic', type: 'text' } },
    name: 'Intro call',
    title: 'Intro call',
    cancellationPolicy: 'A day ahead.',
    emailTemplate: { logo: '', heading: '', body: '', hasBranding: true },
    bookingType: 'organizer-confirmation',
    disableEmails: false,
    organizerLocale: hostLanguage,
    timezone: organizerZone,
    participants: [{ email: bob.email, timezone: hostZone }],
  }) as unknown as Configuration

const off = (from: 'booked' | 'pending', by: 'guest' | 'organizer'): Change => ({
  kind: 'cancel',
  by,
  reason: 'Ill today',
  from,
})
const move = { kind: 'reschedule', when } as unknown as Change
type Transition = { readonly change: Change; readonly state?: Booking['state']; readonly from?: Interval }
const transitions: Readonly<Record<string, Transition>> = {
  'asked for': { change: { kind: 'create', to: 'pending' }, state: 'pending' },
  'asked for and moved': { change: move, state: 'pending' },
  'asked for and withdrawn': { change: off('pending', 'guest'), state: 'cancelled' },
  declined: { change: off('pending', 'organizer'), state: 'cancelled' },
  'booked, or confirmed': { change: { kind: 'confirm' } },
  rescheduled: { change: move },
  'changed, at the same time': { change: move, from: when },
  cancelled: { change: off('booked', 'guest'), state: 'cancelled' },
}

/** By what happened, in the order of the readers: the guest, who is brought along, the organizer, another host. */
function tell(readers: Readers): [string, Mail][] {
  const booking = bookingOf(readers)
  const configuration = configurationOf(readers)
  const told = Object.entries(transitions).flatMap(([name, { change, state = 'booked', from = earlier }]) => {
    const before = { ...booking, when: from }
    const settled = { ...booking, state }
    const mails = mailsOf({ change, before, settled, configuration, invites: () => false, now: instant(0) })
    return mails.map((mail): [string, Mail] => [name, mail])
  })
  const reminders = reminderMails(booking, configuration, { recipient: 'all', subject: '' })
  return [...told, ...reminders.map((mail): [string, Mail] => ['reminded of', mail])]
}

/** Every reader in `language` and in zone `place`, while the others of the same booking have another language and other zones. */
function mailsIn(language: string, place: number): [string, Mail][] {
  const other = language === 'sv' ? 'ko' : 'sv'
  const zone = (distance: number) => zones[(place + distance) % zones.length] ?? zones[0]
  const forGuests = { guestLanguage: language, hostLanguage: other }
  const forHosts = { guestLanguage: other, hostLanguage: language }
  const guests = tell({ ...forGuests, guestZone: zone(0), organizerZone: zone(1), hostZone: zone(2) })
  const organizers = tell({ ...forHosts, guestZone: zone(2), organizerZone: zone(0), hostZone: zone(1) })
  const hosts = tell({ ...forHosts, guestZone: zone(1), organizerZone: zone(2), hostZone: zone(0) })
  const of = { guest: guests, additionalGuest: guests, organizer: organizers, host: hosts }
  return guests.map((told, index) => of[told[1].role][index] ?? told)
}

function linesOf(mail: Mail): string[] {
  const from = { name: 'Desk', email: 'desk@book.example' }
  const { subject, text, replyTo } = writeMessage(mail, {
    id: 'row-1',
    eventId: null,
    from,
    baseUrl: 'https://book.example',
  })
  const all = [`To: ${mail.to.email} · Reply to: ${replyTo.email}`, subject, ...text.trimEnd().split('\n')]
  // Dates are written with narrow and thin spaces, which no editor shows.
  return all.map((line) => line.replace(/[\u2009\u202f\u00a0]/g, ' ').trimEnd()).filter((line) => line !== '')
}

/** Each mail whole in the first zone; in the others what differs, which must be its times and nothing else. */
function write(language: string): string {
  const [first, ...others] = zones.map((_zone, place) => mailsIn(language, place))
  const blocks = (first ?? []).map(([name, mail], index) => {
    const lines = linesOf(mail)
    const elsewhere = others.flatMap((mails, place) => {
      const other = mails[index]?.[1]
      if (other === undefined) throw new Error('a mail is missing in another zone')
      const differing = linesOf(other).filter((line) => !lines.includes(line))
      return [`  in ${zones[place + 1]}:`, ...differing.map((line) => `  ${line}`)]
    })
    return [`## ${name} · ${mail.role}`, ...lines, ...elsewhere].join('\n')
  })
  return `${blocks.join('\n\n')}\n`
}

it.each(Object.keys(catalogues))(
  'in %s everyone reads the time of their own zone, in their own language',
  (language) => {
    const file = join(import.meta.dirname, `../../../test/vectors/mails/${language}.txt`)
    const written = write(language)
    if (process.env.UPDATE_MAILS === '1') writeFileSync(file, written)
    expect(written).toBe(readFileSync(file, 'utf8'))
  },
)
