// What a configuration says about mails and reminders, as JSON.
import Type, { type Static } from 'typebox'

import type { EmailTemplate, Reminder } from '../core/configuration/configuration.ts'
import { optional } from './common.ts'
import { whole } from './whole.ts'

const text = (maxLength: number) => optional(Type.String({ maxLength }))

export const emailTemplateSchema = Type.Object({
  booking_confirmed: optional(Type.Object({ title: text(1024), body: text(8192) })),
  logo: text(2048),
  show_nylas_branding: optional(Type.Boolean()),
  organizer_locale: text(16),
})

export const reminderSchema = Type.Object({
  type: Type.Enum(['email', 'webhook']),
  minutes_before_event: whole({ minimum: 1, maximum: 525_600 }),
  recipient: optional(Type.Enum(['all', 'host', 'guest'])),
  email_subject: optional(Type.String({ maxLength: 255 })),
})

/** A logo that is no web address is kept in the document and not shown. */
export function readEmailTemplate(template: Static<typeof emailTemplateSchema> | null | undefined): EmailTemplate {
  const logo = template?.logo ?? ''
  return {
    logo: /^https?:\/\/[^\s"<>]+$/.test(logo) ? logo : '',
    heading: template?.booking_confirmed?.title ?? '',
    body: template?.booking_confirmed?.body ?? '',
    hasBranding: template?.show_nylas_branding ?? true,
  }
}

/** In the order in which they stand: their place is their name. */
export function readReminders(reminders: readonly Static<typeof reminderSchema>[] | null | undefined): Reminder[] {
  return (reminders ?? []).map((reminder) => ({
    type: reminder.type as Reminder['type'],
    minutesBefore: reminder.minutes_before_event,
    recipient: (reminder.recipient ?? 'all') as Reminder['recipient'],
    subject: reminder.email_subject ?? '',
  }))
}
