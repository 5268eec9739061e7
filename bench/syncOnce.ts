/** A process that reads a CalDAV calendar for the first time, and says what that took: a line of JSON. */
import { readFileSync } from 'node:fs'

import { askOneByOne } from '../src/adapters/calendars/accountGate.ts'
import { caldavAccounts } from '../src/adapters/calendars/caldav/provider.ts'
import { createSafeFetch } from '../src/adapters/net/safeFetch.ts'
import type { AppId, GrantId } from '../src/core/ids.ts'
import { instant } from '../src/core/time/instant.ts'

const { url, username, password, from, to } = JSON.parse(process.argv[2] ?? '')
const safeFetch = createSafeFetch({ allowPrivateNetwork: ['127.0.0.0/8'] })
const tower = caldavAccounts({ safeFetch, now: () => instant(Date.now()) })
const signal = AbortSignal.timeout(60_000)
const connected = await tower.connect({ server_url: url, username, password, email: 'bench@host.example' }, signal)
if (!connected.ok) throw new Error(connected.problem.message)
const { email, settings, secret, calendars } = connected.value
const [calendar] = calendars.found
if (calendar === undefined) throw new Error('no calendar')
const account = {
  appId: '' as AppId,
  grantId: '' as GrantId,
  email,
  settings,
  secret,
  timezones: new Map([[calendar.id, 'Europe/Paris']]),
}
const beforeMb = process.memoryUsage.rss() / 1_048_576
const begun = performance.now()
const read = await tower.readChanges({ account, signal, askEach: askOneByOne }, calendar.id, {
  window: { start: instant(from), end: instant(to) },
  token: undefined,
  known: async () => new Map(),
})
const seconds = (performance.now() - begun) / 1_000
if (!read.ok || read.value.kind !== 'everything') throw new Error('nothing was read')
const { items, token } = read.value
const again = performance.now()
const unchanged = await tower.readChanges({ account, signal, askEach: askOneByOne }, calendar.id, {
  window: { start: instant(from), end: instant(to) },
  token,
  known: async () => new Map(),
})
const pollMs = performance.now() - again
if (!unchanged.ok || unchanged.value.kind !== 'changes') throw new Error('the poll read everything again')
const intervals = items.reduce((sum, { busy }) => sum + busy.length, 0)
// Not `maxRSS`, which counts from the process that started this one.
const peakKb = /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
const addedMb = Number(peakKb) / 1_024 - beforeMb
process.stdout.write(`${JSON.stringify({ seconds, pollMs, addedMb, items: items.length, intervals })}\n`)
await safeFetch.close()
