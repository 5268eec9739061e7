// From the snapshot of a notice to the message: plain English for whoever runs a receiver of webhooks.
import { oneLine } from '../../core/booking/texts.ts'
import type { Notice } from '../../core/webhook/notice.ts'
import { en } from './languages/en.ts'
import { type Letter, writeHtml, writeText } from './letter.ts'
import type { Address, Message } from './mailer.ts'

const texts: Readonly<Record<Notice['kind'], { readonly heading: string; readonly paragraphs: readonly string[] }>> = {
  endpointFailing: {
    heading: 'Webhooks are failing',
    paragraphs: [
      'Nearly all webhooks to this address have failed for the last quarter of an hour. Sending goes on, with growing waits between the attempts.',
      'If it goes on like this for 72 hours, sending stops until the address answers again. Nothing is thrown away meanwhile.',
    ],
  },
  endpointFailed: {
    heading: 'Webhooks have stopped',
    paragraphs: [
      'Nearly all webhooks to this address have failed for 72 hours, so nothing is sent to it any more. What happens meanwhile is kept for 30 days.',
      'The address is asked once an hour whether it answers again, and then gets all that waits. Setting its status to active does the same at once.',
    ],
  },
}

const utc = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

/** `id`: of the row that the mail is kept in. The same notice and id give the same message. */
export function writeNotice(
  { kind, to, endpoint, at }: Notice,
  { id, from }: { readonly id: string; readonly from: Address },
): Message {
  const domain = from.email.slice(from.email.lastIndexOf('@') + 1)
  const { heading, paragraphs } = texts[kind]
  const letter: Letter = {
    language: 'en',
    direction: 'ltr',
    logo: '',
    heading,
    paragraphs,
    rows: [
      { label: 'Address', value: endpoint.url, href: '' },
      ...(endpoint.description === '' ? [] : [{ label: 'Description', value: endpoint.description, href: '' }]),
      { label: 'Webhook', value: endpoint.id, href: '' },
      { label: 'Since', value: `${utc.format(at)} UTC`, href: '' },
    ],
    buttons: [],
    branding: en.branding,
  }
  return {
    messageId: `${id}@${domain}`,
    thread: `webhook-${endpoint.id}@${domain}`,
    from,
    replyTo: from,
    to,
    subject: oneLine(`${heading}: ${new URL(endpoint.url).host}`),
    text: writeText(letter),
    html: writeHtml(letter),
    language: 'en',
    invitation: undefined,
  }
}
