/**
 * Whatever reaches the calendar between the look and the place is found by the look back: the booking is refused, and ours
 * leaves the calendar, and a server that invites by itself has told the guest nothing. `LOOK_BACK_TRIES` runs it longer.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { CalendarProvider } from '../../../src/adapters/calendars/calendarProvider.ts'
import { ask, type CaldavServer, type CaldavUser, eventText, putByHand } from '../../support/calendars/caldavServer.ts'
import { startCyrusCaldav } from '../../support/calendars/cyrusCaldav.ts'
import { bookAt, configure, connect, until } from '../../support/calendars/remoteHosts.ts'
import { book, nearFuture } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { startSmtp, type TestSmtp } from '../../support/smtp.ts'

const tries = Number(process.env.LOOK_BACK_TRIES ?? '15')
let cyrus: CaldavServer
let user: CaldavUser
let server: TestServer
/** What Cyrus mails to people outside. */
let outside: TestSmtp
let beforePlace: () => Promise<void> = async () => {}

beforeAll(async () => {
  outside = await startSmtp()
  cyrus = await startCyrusCaldav({ smtpUrl: outside.url })
  ;[user] = cyrus.users as [CaldavUser]
  server = await startTestServer(
    {
      providers: (real) => (provider) => {
        const tower = real(provider)
        if (provider !== 'caldav' || tower === undefined) return tower
        const watched: CalendarProvider = {
          ...tower,
          place: async (...question) => {
            await beforePlace()
            return tower.place(...question)
          },
        }
        return watched
      },
    },
    { ROLE: 'web' },
  )
}, 120_000)
afterAll(async () => {
  await server?.close()
  await cyrus?.stop()
  await outside?.close()
})

it(`an event put there by hand in between is found, ${tries} of ${tries} times`, {
  timeout: 60_000 + tries * 1_000,
}, async () => {
  const { username, password } = user
  const host = await connect(server, 'caldav', { server_url: cyrus.url, username, password })
  const configuration = await configure(server, host, { event: { notify_participants: true } })
  const guest = { guest: { name: 'Gil', email: 'gil@outside.example' } }
  const compact = (at: number) => new Date(at * 1000).toISOString().replace(/[-:]|\.\d+/g, '')
  let placings = 0
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const from = nearFuture() + (attempt % 14) * 1_800
    beforePlace = async () => {
      placings += 1
      // It may begin before, within or at the end of the slot, and last a minute or hours.
      const begins = from - 600 + (attempt % 5) * 500
      await putByHand(
        user,
        `foreign${attempt}`,
        eventText(`foreign${attempt}`, [
          `DTSTART:${compact(begins)}`,
          `DTEND:${compact(Math.max(begins, from) + 60 + (attempt % 7) * 900)}`,
        ]),
      )
    }
    const refused = await book(server, configuration, from, { body: guest })
    expect([refused.status, refused.body?.error?.type]).toEqual([expect.any(Number), expect.any(String)])
    expect(refused.status).toBeGreaterThanOrEqual(400)
    expect(refused.status).toBeLessThan(500)
    const listed = await ask(user, 'PROPFIND', user.calendar, {
      headers: { depth: '1' },
      body: '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>',
    })
    expect([...listed.text.matchAll(/href>[^<]*\/([^/<]+)\.ics</g)].map(([, name]) => name)).toEqual([
      `foreign${attempt}`,
    ])
    await ask(user, 'DELETE', `${user.calendar}foreign${attempt}.ics`)
  }
  expect(placings).toBe(tries)
  beforePlace = async () => {}
  await bookAt(server, configuration, nearFuture(), { body: guest })
  await until(
    async () => outside.received.length,
    (count) => expect(count).toBeGreaterThan(0),
  )
  // Of what was given up nobody was told, neither that it is on nor that it is off.
  expect(outside.received.map(({ calendar }) => /METHOD:\w+/.exec(calendar ?? '')?.[0])).toEqual(['METHOD:REQUEST'])
})
