/** Calendars of a real server with what nobody expects in them: each is read for what it is, or says that it cannot be. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { type CaldavServer, type CaldavUser, eventText, putByHand } from '../../support/caldavServer.ts'
import { nearFuture } from '../../support/hosts.ts'
import { startRadicale } from '../../support/radicale.ts'
import { configure, connect, type RemoteHost, slotsFrom, sync } from '../../support/remoteHosts.ts'
import { startTestServer } from '../../support/server.ts'

// No worker polls: the test says when.
const server = await startTestServer({}, { ROLE: 'web' })
const nine = nearFuture()
const half = nine + 1800

let radicale: CaldavServer
const users = ['ana']
beforeAll(async () => {
  radicale = await startRadicale(users)
}, 120_000)
afterAll(() => radicale?.stop())

/** A user of the server, whom no other test touches, connected. */
async function connectUser(name: string, timezone?: string): Promise<{ user: CaldavUser; host: RemoteHost }> {
  const user = radicale.users[users.indexOf(name)] as CaldavUser
  return { user, host: await connectAgain(user, timezone) }
}
function connectAgain({ username, password }: CaldavUser, timezone?: string): Promise<RemoteHost> {
  const zone = timezone === undefined ? {} : { timezone }
  return connect(server, 'caldav', { server_url: radicale.url, username, password, ...zone })
}
const read = (host: RemoteHost) => sync(server, host, host.calendars[0] ?? '')
const utc = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/[-:]|\.000/g, '')

it('an event until the end of all days is busy for as far as anybody asks, whatever the zone', async () => {
  const { user, host } = await connectUser('ana', 'America/Los_Angeles')
  const id = await configure(server, host)
  // In winter the wall shows eight hours less there.
  const start = `DTSTART;TZID=America/Los_Angeles:${utc(half - 8 * 3600).slice(0, -1)}`
  await putByHand(user, 'ever', eventText('ever', [start, 'DTEND;TZID=America/Los_Angeles:99991231T235959']))
  await read(host)
  expect(await slotsFrom(server, id, nine, 3)).toEqual([nine])
})
