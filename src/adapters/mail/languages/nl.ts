// Dutch.
import type { Catalogue } from './en.ts'

export const nl: Catalogue = {
  direction: 'ltr',
  headings: {
    confirmed: 'Boeking bevestigd',
    confirmationRequest: 'Boeking bevestigen',
    requestReceived: 'Boekingsaanvraag verzonden',
    rescheduled: 'Boeking verplaatst',
    cancelled: 'Boeking geannuleerd',
    declined: 'Boeking afgewezen',
    reminder: 'Herinnering',
  },
  toGuest: {
    confirmed: 'De boeking is bevestigd.',
    confirmationRequest: 'Een boeking wacht op uw antwoord.',
    requestReceived: 'Uw aanvraag is verzonden. U hoort van ons zodra die is beantwoord.',
    rescheduled: 'De boeking is verplaatst naar een nieuw tijdstip.',
    cancelled: 'De boeking is geannuleerd.',
    declined: 'Uw aanvraag kon niet worden aangenomen.',
    reminder: 'Dit is een herinnering aan uw boeking.',
  },
  toHost: {
    confirmed: 'U hebt een nieuwe boeking.',
    confirmationRequest: 'Iemand wil een tijdstip bij u boeken en wacht op uw antwoord.',
    requestReceived: 'Een aanvraag is verzonden.',
    rescheduled: 'Een boeking is verplaatst naar een nieuw tijdstip.',
    cancelled: 'Een boeking is geannuleerd.',
    declined: 'De aanvraag is afgewezen.',
    reminder: 'Dit is een herinnering aan een boeking bij u.',
  },
  labels: {
    title: 'Wat',
    when: 'Wanneer',
    before: 'Eerder',
    timezone: 'Tijdzone',
    location: 'Waar',
    conference: 'Online deelnemen',
    hosts: 'Met',
    guests: 'Gasten',
    description: 'Beschrijving',
    reason: 'Reden',
    policy: 'Annuleringsvoorwaarden',
  },
  actions: {
    confirm: 'Bevestigen of afwijzen',
    reschedule: 'Verplaatsen',
    cancel: 'Annuleren',
  },
  branding: 'Verzonden door OpenSlot',
}
