/** An event that its owner drags onto another calendar of the account, on real CalDAV servers: it can be brought back, and is one event. */
import { expect, it } from 'vitest'

import type { CalendarId, EventId } from '../../src/core/ids.ts'
import { type CaldavStand, caldavStand } from '../support/calendars/caldavStand.ts'
import { startCyrusCaldav } from '../support/calendars/cyrusCaldav.ts'
import { startDavical } from '../support/calendars/davical.ts'
import { fitting } from '../support/calendars/fitting.ts'
import { startIcloudLike } from '../support/calendars/icloudLike.ts'
import { startRadicale } from '../support/calendars/radicale.ts'

const id = '01990000000070008000000000000001' as EventId
const event = fitting(id)

const stands: readonly [string, () => Promise<CaldavStand>][] = [
  ['Radicale', async () => caldavStand(await startRadicale(['alice']))],
  ['Cyrus', async () => caldavStand(await startCyrusCaldav())],
  ['DAViCal', async () => caldavStand(await startDavical(['alice']))],
  [
    'an emulated iCloud',
    async () => {
      const behind = await startCyrusCaldav()
      const { server, resolve } = await startIcloudLike(behind)
      return caldavStand({ ...server, users: behind.users }, { network: { resolve }, signIn: server.users[0] })
    },
  ],
]

it.each(stands)('on %s', { timeout: 120_000 }, async (_, start) => {
  const stand = await start()
  try {
    const { provider, scope } = stand
    const [home, other] = [await stand.emptyCalendar(), await stand.emptyCalendar()]
    expect(await provider.place(scope, home, event)).toMatchObject({ ok: true })
    await stand.carryBooked(event, { from: home, to: other })
    expect(await provider.find(scope, home, id)).toEqual({ ok: true, value: undefined })

    const back = () => provider.bringBack?.(scope, id, { from: other, to: home })
    expect(await back()).toMatchObject({ ok: true })
    expect(await provider.place(scope, home, event)).toMatchObject({ ok: true })
    // Once more finds nothing to do.
    expect(await back()).toMatchObject({ ok: true })
    expect(await provider.find(scope, home, id)).toEqual({ ok: true, value: event.when })
    expect([await stand.count(home), await stand.count(other)]).toEqual([1, 0])

    // Not to one that is not there: there it would be lost.
    const nowhere = { ...home, calendarId: home.calendarId.replace(/[^/]+\/$/, 'gone/') as CalendarId }
    expect(await provider.bringBack?.(scope, id, { from: home, to: nowhere })).toMatchObject({ ok: false })
    expect(await provider.find(scope, home, id)).toEqual({ ok: true, value: event.when })
  } finally {
    await stand.stop()
  }
})
