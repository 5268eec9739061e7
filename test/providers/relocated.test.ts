/** An account that its provider moves to another host, emulated: what is asked goes on, and the new place is kept. */
import { expect, it } from 'vitest'

import { instant } from '../../src/core/time/instant.ts'
import { caldavStand } from '../support/calendars/caldavStand.ts'
import { startCyrusCaldav } from '../support/calendars/cyrusCaldav.ts'
import { startIcloudLike } from '../support/calendars/icloudLike.ts'

const day = { start: instant(Date.parse('2027-03-02T00:00Z')), end: instant(Date.parse('2027-03-03T00:00Z')) }
const nine = { start: instant(Date.parse('2027-03-02T09:00Z')), end: instant(Date.parse('2027-03-02T10:00Z')) }

it.each([
  [301, 'p42-'],
  [401, 'p7-'],
  [404, 'p7-'],
] as const)('whose old host answers %i is read where it is', { timeout: 60_000 }, async (answer, kept) => {
  const behind = await startCyrusCaldav()
  const icloud = await startIcloudLike(behind)
  const { server, resolve } = icloud
  const stand = await caldavStand({ ...server, users: behind.users }, { network: { resolve }, signIn: server.users[0] })
  try {
    const key = await stand.emptyCalendar()
    await stand.put(key, 'by-hand', { when: { start: '2027-03-02T09:00Z', end: '2027-03-02T10:00Z' } })
    const read = () => stand.provider.freeBusy(stand.scope, [key], day)
    expect(await read()).toEqual({ ok: true, value: [[nine]] })
    icloud.moveHomes(answer)
    expect(await read()).toEqual({ ok: true, value: [[nine]] })
    const [home = ''] = stand.account.settings.homes as string[]
    expect(new URL(home).hostname.startsWith(kept)).toBe(true)
    // Where it is asked from then on.
    expect(await read()).toEqual({ ok: true, value: [[nine]] })
  } finally {
    await stand.stop()
  }
})
