/** Who invites the guest of a booking on a CalDAV calendar: the server where it says that it does and did, else our own mail. Never both. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { ask, type CaldavServer, type CaldavUser } from '../../support/calendars/caldavServer.ts'
import { startCyrusCaldav } from '../../support/calendars/cyrusCaldav.ts'
import { startDavical } from '../../support/calendars/davical.ts'
import { startRadicale } from '../../support/calendars/radicale.ts'
import { bookAt, configure, connect, until } from '../../support/calendars/remoteHosts.ts'
import { makeConfiguration, nearFuture, participant } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { type ReceivedMail, startSmtp, type TestSmtp } from '../../support/smtp.ts'

let ours: TestSmtp
let theirs: TestSmtp
let server: TestServer
beforeAll(async () => {
  ours = await startSmtp()
  theirs = await startSmtp()
  server = await startTestServer({}, { SMTP_URL: ours.url, MAIL_FROM: 'Front Desk <desk@book.example>' })
})
afterAll(async () => {
  await server?.close()
  await ours?.close()
  await theirs?.close()
})

let guests = 0
/** Each test's own: an address gets three confirmations an hour. */
let guest = ''
const invitationsIn = (mails: readonly ReceivedMail[]) =>
  mails
    .filter(({ recipient, calendar }) => recipient === guest && calendar !== undefined)
    .map(({ calendar = '' }) => {
      const line = (name: string) => new RegExp(`^${name}[^:]*:(.*)$`, 'm').exec(calendar)?.[1]?.trim() ?? ''
      return { method: line('METHOD'), uid: line('UID'), start: line('DTSTART'), sequence: Number(line('SEQUENCE')) }
    })

async function bookMoveAndCancel(
  caldav: CaldavServer,
  notify_participants = true,
): Promise<{ server: unknown[]; own: unknown[]; uids: number }> {
  guest = `gil${++guests}@outside.example`
  ours.received.length = 0
  theirs.received.length = 0
  const [user] = caldav.users
  const { username = '', password = '', email = '' } = user ?? {}
  const host = await connect(server, 'caldav', { server_url: caldav.url, username, password, email })
  const configuration = await configure(server, host, { event: { notify_participants } })
  const from = nearFuture()
  const booking = await bookAt(server, configuration, from, { body: { guest: { name: 'Gil', email: guest } } })
  const mailsToGuest = () => ours.received.filter(({ recipient }) => recipient === guest).length
  await until(
    async () => mailsToGuest(),
    (count) => expect(count).toBe(1),
  )
  const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking}`, {
    body: { start_time: from + 7_200, end_time: from + 9_000 },
  })
  expect(moved.status).toBe(200)
  await until(
    async () => mailsToGuest(),
    (count) => expect(count).toBe(2),
  )
  const gone = await server.request('DELETE', `/v3/scheduling/bookings/${booking}`, { body: {} })
  expect(gone.status).toBe(200)
  await until(
    async () => mailsToGuest(),
    (count) => expect(count).toBe(3),
  )
  const [byServer, byUs] = [invitationsIn(theirs.received), invitationsIn(ours.received)]
  const all = [...byServer, ...byUs]
  for (const [index, one] of all.entries()) {
    const before = all[index - 1]
    // Cyrus cancels under the number of what it cancels, which programs take too.
    const least = one.method === 'CANCEL' && byServer.length > 0 ? 0 : 1
    if (before !== undefined) expect(one.sequence - before.sequence).toBeGreaterThanOrEqual(least)
  }
  const told = (invitation: { method: string; start: string }) =>
    `${invitation.method} ${invitation.start.slice(-7, -3)}`
  return { server: byServer.map(told), own: byUs.map(told), uids: new Set(all.map(({ uid }) => uid)).size }
}

async function countObjects(user: CaldavUser): Promise<number> {
  let count = 0
  for (const folder of ['', '../Inbox/']) {
    const listed = await ask(user, 'PROPFIND', new URL(folder, user.calendar).href, {
      headers: { depth: '1' },
      body: '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>',
    })
    count += [...listed.text.matchAll(/href>[^<]*\.ics</g)].length
  }
  return count
}

const once = ['REQUEST 0900', 'REQUEST 1100', 'CANCEL 1100']

describe('a guest from outside hears once of each change', () => {
  it('from Cyrus itself, where it mails people outside', async () => {
    const cyrus = await startCyrusCaldav({ smtpUrl: theirs.url })
    try {
      expect(await bookMoveAndCancel(cyrus)).toEqual({ server: once, own: [], uids: 1 })
      // Left to us by the configuration: the server keeps out of it.
      expect(await bookMoveAndCancel(cyrus, false)).toEqual({ server: [], own: once, uids: 1 })
    } finally {
      await cyrus.stop()
    }
  })

  it('and another host of the same Cyrus has one event, and no invitation of the server beside it', async () => {
    theirs.received.length = 0
    guest = `gil${++guests}@outside.example`
    const cyrus = await startCyrusCaldav({ smtpUrl: theirs.url })
    try {
      const hosts = await Promise.all(
        cyrus.users.map(async ({ username, password }) => {
          const host = await connect(server, 'caldav', { server_url: cyrus.url, username, password })
          return { ...host, calendarId: host.calendars[0] ?? '' }
        }),
      )
      const configuration = await makeConfiguration(server, hosts, {
        event: { notify_participants: true },
        participants: hosts.map(({ email, calendarId }, index) =>
          participant(email, {
            isOrganizer: index === 0,
            availability: { calendar_ids: [calendarId] },
            booking: { calendar_id: calendarId },
          }),
        ),
      })
      const from = nearFuture() + 86_400
      const booking = await bookAt(server, configuration, from, { body: { guest: { name: 'Gil', email: guest } } })
      const objects = () => Promise.all(cyrus.users.map((user) => countObjects(user)))
      expect(await objects()).toEqual([1, 1])
      const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking}`, {
        body: { start_time: from + 7_200, end_time: from + 9_000 },
      })
      expect(moved.status).toBe(200)
      expect(await objects()).toEqual([1, 1])
      expect((await server.request('DELETE', `/v3/scheduling/bookings/${booking}`, { body: {} })).status).toBe(200)
      await until(objects, (count) => expect(count).toEqual([0, 0]))
      expect(invitationsIn(theirs.received).map(({ method }) => method)).toEqual(['REQUEST', 'REQUEST', 'CANCEL'])
    } finally {
      await cyrus.stop()
    }
  })

  it('from us, where Cyrus cannot deliver its mail', async () => {
    const cyrus = await startCyrusCaldav()
    try {
      expect(await bookMoveAndCancel(cyrus)).toEqual({ server: [], own: once, uids: 1 })
    } finally {
      await cyrus.stop()
    }
  })

  it('from us on Radicale, which invites nobody', async () => {
    const radicale = await startRadicale(['alice'])
    try {
      expect(await bookMoveAndCancel(radicale)).toEqual({ server: [], own: once, uids: 1 })
    } finally {
      await radicale.stop()
    }
  })

  it('from us on DAViCal, which reaches its own users only, and says so', { timeout: 120_000 }, async () => {
    const davical = await startDavical(['alice'])
    try {
      expect(await bookMoveAndCancel(davical)).toEqual({ server: [], own: once, uids: 1 })
    } finally {
      await davical.stop()
    }
  })
})
