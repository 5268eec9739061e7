/** Mails of a test server: read over the API, and sent when the test wants it, for servers without a worker. */
import type { AppId } from '../../src/core/ids.ts'
import type { TestServer } from './server.ts'

export type ListedMail = {
  readonly id: string
  readonly kind: string
  readonly role: string
  readonly state: string
  readonly subject: string
  readonly to: { readonly email: string }
  readonly last_error: string | null
  readonly attempts: number
}

/** In the order in which they were written. */
export async function mailsOf(server: TestServer, bookingId: string): Promise<ListedMail[]> {
  return (await server.request('GET', `/v3/mails?booking_id=${bookingId}`)).body.data.toReversed()
}

/** One attempt at everything that waits, as if each were due now; the outcomes in the order in which the mails were written. */
export async function sendMailsOf(server: TestServer, bookingId: string): Promise<string[]> {
  await server.app.database.pool.query(
    `update openslot.deliveries set mail_due_at = now() where booking_id = $1 and mail_due_at is not null and state = 'ready'`,
    [bookingId],
  )
  const outcomes: string[] = []
  for (const { id, state } of await mailsOf(server, bookingId)) {
    if (state !== 'waiting') continue
    const sent = await server.app.operations.sendMail({ appId: server.clientId as AppId, mailId: id })
    outcomes.push(sent.ok ? sent.value : sent.problem.message)
  }
  return outcomes
}

type Link = 'reschedule' | 'cancel' | 'confirmation'

/**
 * The links in the mails about the booking so far to the guest, or to the organizer, the newest of each kind, led to where the
 * test server listens; the link that confirms is the organizer's either way.
 */
export async function linksOf(
  server: TestServer,
  bookingId: string,
  reader: 'guest' | 'organizer' = 'guest',
): Promise<Readonly<Record<Link, string>>> {
  const links: Partial<Record<Link, string>> = {}
  for (const { id, role, kind } of await mailsOf(server, bookingId)) {
    if (role !== reader && kind !== 'confirmation_request') continue
    const { text } = (await server.request('GET', `/v3/mails/${id}`)).body.data as { text: string }
    for (const [, path = '', kind] of text.matchAll(
      /http:\/\/localhost:3000(\/(reschedule|cancel|confirmation)\/\S+)/g,
    ))
      links[kind as Link] = `${server.url}${path}`
  }
  return links as Record<Link, string>
}
