/**
 * Whatever reaches the calendar between the look and the place is found by the look back: the booking is refused, and ours
 * leaves the calendar. `LOOK_BACK_TRIES` runs it longer.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { CalendarProvider } from '../../../src/adapters/calendars/calendarProvider.ts'
import { ask, type CaldavServer, type CaldavUser, eventText, putByHand } from '../../support/calendars/caldavServer.ts'
import { startCyrusCaldav } from '../../support/calendars/cyrusCaldav.ts'
import { configure, connect } from '../../support/calendars/remoteHosts.ts'
import { book, nearFuture } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

const tries = Number(process.env.LOOK_BACK_TRIES ?? '15')
let cyrus: CaldavServer
let user: CaldavUser
let server: TestServer
let beforePlace: () => Promise<void> = async () => {}

beforeAll(async () => {
  cyrus = await startCyrusCaldav()
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
})

it(`an event put there by hand in between is found, ${tries} of ${tries} times`, {
  timeout: 60_000 + tries * 1_000,
}, async () => {
  const { username, password } = user
  const host = await connect(server, 'caldav', { server_url: cyrus.url, username, password })
  const configuration = await configure(server, host)
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
    const refused = await book(server, configuration, from)
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
  expect((await book(server, configuration, nearFuture())).body).toMatchObject({ data: { status: 'booked' } })
})
