// German.
import type { Catalogue } from './en.ts'

export const de: Catalogue = {
  direction: 'ltr',
  headings: {
    confirmed: 'Buchung bestätigt',
    confirmationRequest: 'Bitte Buchung bestätigen',
    requestReceived: 'Buchungsanfrage gesendet',
    requestMoved: 'Buchungsanfrage verschoben',
    rescheduled: 'Buchung verschoben',
    cancelled: 'Buchung abgesagt',
    declined: 'Buchung abgelehnt',
    reminder: 'Erinnerung',
  },
  toGuest: {
    confirmed: 'Die Buchung ist bestätigt.',
    confirmationRequest: 'Eine Buchung wartet auf Ihre Antwort.',
    requestReceived: 'Ihre Anfrage wurde gesendet. Sie hören von uns, sobald sie beantwortet ist.',
    requestMoved:
      'Ihre Anfrage wurde auf einen neuen Zeitpunkt verschoben. Sie hören von uns, sobald sie beantwortet ist.',
    rescheduled: 'Die Buchung wurde auf einen neuen Zeitpunkt verschoben.',
    cancelled: 'Die Buchung wurde abgesagt.',
    declined: 'Ihre Anfrage konnte nicht angenommen werden.',
    reminder: 'Dies ist eine Erinnerung an Ihre Buchung.',
  },
  toHost: {
    confirmed: 'Sie haben eine neue Buchung.',
    confirmationRequest: 'Jemand möchte einen Termin bei Ihnen buchen und wartet auf Ihre Antwort.',
    requestReceived: 'Eine Anfrage wurde gesendet.',
    requestMoved: 'Eine Anfrage wurde auf einen neuen Zeitpunkt verschoben.',
    rescheduled: 'Eine Buchung wurde auf einen neuen Zeitpunkt verschoben.',
    cancelled: 'Eine Buchung wurde abgesagt.',
    declined: 'Die Anfrage wurde abgelehnt.',
    reminder: 'Dies ist eine Erinnerung an eine Buchung bei Ihnen.',
  },
  labels: {
    title: 'Was',
    when: 'Wann',
    before: 'Vorher',
    timezone: 'Zeitzone',
    location: 'Wo',
    conference: 'Online teilnehmen',
    hosts: 'Mit',
    guests: 'Gäste',
    description: 'Beschreibung',
    reason: 'Grund',
    policy: 'Stornobedingungen',
  },
  ticks: { true: 'Ja', false: 'Nein' },
  actions: {
    confirm: 'Bestätigen oder ablehnen',
    reschedule: 'Verschieben',
    cancel: 'Absagen',
  },
  branding: 'Gesendet von OpenSlot',
}
