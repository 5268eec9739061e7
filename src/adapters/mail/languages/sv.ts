// Swedish.
import type { Catalogue } from './en.ts'

export const sv: Catalogue = {
  direction: 'ltr',
  headings: {
    confirmed: 'Bokningen är bekräftad',
    confirmationRequest: 'Bekräfta en bokning',
    requestReceived: 'Bokningsförfrågan skickad',
    rescheduled: 'Bokningen är ombokad',
    cancelled: 'Bokningen är avbokad',
    declined: 'Bokningen avböjdes',
    reminder: 'Påminnelse',
  },
  toGuest: {
    confirmed: 'Bokningen är bekräftad.',
    confirmationRequest: 'En bokning väntar på ditt svar.',
    requestReceived: 'Din förfrågan har skickats. Du får besked så snart den har besvarats.',
    rescheduled: 'Bokningen har flyttats till en ny tid.',
    cancelled: 'Bokningen har avbokats.',
    declined: 'Din förfrågan kunde inte godkännas.',
    reminder: 'Det här är en påminnelse om din bokning.',
  },
  toHost: {
    confirmed: 'Du har en ny bokning.',
    confirmationRequest: 'Någon vill boka en tid hos dig och väntar på ditt svar.',
    requestReceived: 'En förfrågan har skickats.',
    rescheduled: 'En bokning har flyttats till en ny tid.',
    cancelled: 'En bokning har avbokats.',
    declined: 'Förfrågan har avböjts.',
    reminder: 'Det här är en påminnelse om en bokning hos dig.',
  },
  labels: {
    title: 'Vad',
    when: 'När',
    before: 'Tidigare',
    timezone: 'Tidszon',
    location: 'Var',
    conference: 'Delta online',
    hosts: 'Med',
    guests: 'Gäster',
    description: 'Beskrivning',
    reason: 'Anledning',
    policy: 'Avbokningsregler',
  },
  actions: {
    confirm: 'Bekräfta eller avböj',
    reschedule: 'Boka om',
    cancel: 'Avboka',
  },
  branding: 'Skickat av OpenSlot',
}
