// From the snapshot of a notice to the message: plain English for whoever runs a receiver of webhooks, or owns an account.
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
  accountExpired: {
    heading: 'Please connect your calendar again',
    paragraphs: [
      'The server of your calendar refuses the password that this server has, so your calendar cannot be read and nobody can book you by it.',
      'Bookings that were made stand. Connect the account anew, for iCloud with a new app-specific password, and all goes on as before.',
    ],
  },
}

const utc = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

/** `id`: of the row that the mail is kept in. The same notice and id give the same message. */
export function writeNotice(notice: Notice, { id, from }: { readonly id: string; readonly from: Address }): Message {
  const domain = from.email.slice(from.email.lastIndexOf('@') + 1)
  const { heading, paragraphs } = texts[notice.kind]
  const { name, thread, rows } = matterOf(notice)
  const letter: Letter = {
    language: 'en',
    direction: 'ltr',
    logo: '',
    heading,
    paragraphs,
    rows: [...rows, { label: 'Since', value: `${utc.format(notice.at)} UTC`, href: '' }],
    buttons: [],
    branding: en.branding,
  }
  return {
    messageId: `${id}@${domain}`,
    thread: `${thread}@${domain}`,
    from,
    replyTo: from,
    to: notice.to,
    subject: oneLine(`${heading}: ${name}`),
    text: writeText(letter),
    html: writeHtml(letter),
    language: 'en',
    invitation: undefined,
  }
}

/** What the notice is about. */
function matterOf(notice: Notice): { readonly name: string; readonly thread: string; readonly rows: Letter['rows'] } {
  if ('account' in notice) {
    const { id, email, provider, reason } = notice.account
    return {
      name: email,
      thread: `account-${id}`,
      rows: [
        { label: 'Account', value: `${email} (${provider})`, href: '' },
        { label: 'Reason', value: reason, href: '' },
      ],
    }
  }
  const { id, url, description } = notice.endpoint
  return {
    name: new URL(url).host,
    thread: `webhook-${id}`,
    rows: [
      { label: 'Address', value: url, href: '' },
      ...(description === '' ? [] : [{ label: 'Description', value: description, href: '' }]),
      { label: 'Webhook', value: id, href: '' },
    ],
  }
}
