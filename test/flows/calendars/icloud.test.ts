/** An iCloud account, as the wire names it: a name and an app-specific password, and no address. Emulated, in front of Cyrus. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { caldavAccounts } from '../../../src/adapters/calendars/caldav/provider.ts'
import { createSafeFetch, type SafeFetch } from '../../../src/adapters/net/safeFetch.ts'
import { instant } from '../../../src/core/time/instant.ts'
import { ask, type CaldavServer, type CaldavUser, eventText, putByHand } from '../../support/calendars/caldavServer.ts'
import { startCyrusCaldav } from '../../support/calendars/cyrusCaldav.ts'
import { type IcloudLike, startIcloudLike } from '../../support/calendars/icloudLike.ts'
import { bookAt, configure, connect, readBooking, slotsFrom, sync } from '../../support/calendars/remoteHosts.ts'
import { book, nearFuture } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

const nine = nearFuture()
const half = nine + 1800
let behind: CaldavServer
/** The owner, at the server behind; what reaches it by iCloud's door has another password. */
let owner: CaldavUser
let icloud: IcloudLike
let safeFetch: SafeFetch
let server: TestServer
let account: { readonly username: string; readonly password: string }

beforeAll(async () => {
  behind = await startCyrusCaldav()
  ;[owner] = behind.users as [CaldavUser]
  icloud = await startIcloudLike(behind)
  const { username = '', password = '' } = icloud.server.users[0] ?? {}
  account = { username, password }
  safeFetch = createSafeFetch({ allowPrivateNetwork: ['127.0.0.0/8'], resolve: icloud.resolve })
  const now = () => instant(Date.now())
  // No worker polls: the test says when.
  server = await startTestServer(
    { towers: { icloud: caldavAccounts({ safeFetch, now, serverUrl: icloud.server.url }) } },
    { ROLE: 'web' },
  )
}, 120_000)
afterAll(async () => {
  await server?.close()
  await safeFetch?.close()
  await icloud?.server.stop()
})

const events = async () => {
  const listed = await ask(owner, 'PROPFIND', owner.calendar, {
    headers: { depth: '1' },
    body: '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>',
  })
  return [...listed.text.matchAll(/([^/<>]+)\.ics</g)].map(([, name]) => name)
}

it('is opened by an app-specific password alone, and wherever a caller says that iCloud is', async () => {
  const refused = await server.request('POST', '/v3/connect/custom', {
    body: { provider: 'icloud', settings: { ...account, password: owner.password } },
  })
  expect([refused.status, refused.body.error.message]).toEqual([400, expect.stringContaining('settings.password')])
  const opened = await connect(server, 'icloud', { ...account, server_url: 'http://127.0.0.1:1/' })
  const grant = (await server.request('GET', `/v3/grants/${opened.grantId}`)).body.data
  expect(grant).toMatchObject({ provider: 'icloud', grant_status: 'valid', email: owner.email })
})

it('carries bookings, made, moved and called off, and what its owner puts there by hand', async () => {
  const host = await connect(server, 'icloud', account)
  const id = await configure(server, host)
  expect(await slotsFrom(server, id, nine)).toEqual([nine, half])
  const booking = await bookAt(server, id, nine)
  expect(await events()).toHaveLength(1)

  const compact = (at: number) => new Date(at * 1000).toISOString().replace(/[-:]|\.\d+/g, '')
  const lines = [`DTSTART:${compact(half)}`, `DTEND:${compact(half + 1800)}`]
  await putByHand(owner, 'dentist', eventText('dentist', lines))
  // Offers know of it once it was read; a booking asks.
  expect((await book(server, id, half)).status).toBe(400)
  await sync(server, host, host.calendars[0] ?? '')
  expect(await slotsFrom(server, id, nine)).toEqual([])

  const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking}`, {
    body: { start_time: nine + 7_200, end_time: nine + 9_000 },
  })
  expect(moved.status).toBe(200)
  expect(await slotsFrom(server, id, nine)).toEqual([nine])
  expect((await server.request('DELETE', `/v3/scheduling/bookings/${booking}`, { body: {} })).status).toBe(200)
  expect(await events()).toEqual(['dentist'])
  expect(await readBooking(server, booking)).toMatchObject({ status: 'cancelled' })
})
