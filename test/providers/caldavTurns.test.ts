/** How much one account is asked at once, counted on the way to a real server, however much there is to ask. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { CalendarKey } from '../../src/core/account/grant.ts'
import type { CalendarId } from '../../src/core/ids.ts'
import { instant } from '../../src/core/time/instant.ts'
import { type CaldavStand, caldavStand } from '../support/calendars/caldavStand.ts'
import { type FaultProxy, startFaultProxy } from '../support/calendars/faultProxy.ts'
import { startRadicale } from '../support/calendars/radicale.ts'

let stand: CaldavStand
let proxy: FaultProxy
const keys: CalendarKey[] = []

beforeAll(async () => {
  const radicale = await startRadicale(['alice'])
  proxy = await startFaultProxy({ port: Number(new URL(radicale.url).port) })
  // Ours go through the proxy; the hand of the owner does not.
  stand = await caldavStand({ ...radicale, url: proxy.through(radicale.url) })
  for (let count = 0; count < 30; count++) {
    const key = await stand.emptyCalendar()
    const hour = String(count % 24).padStart(2, '0')
    await stand.put(key, `by-hand-${count}`, {
      when: { start: `2027-05-04T${hour}:00Z`, end: `2027-05-04T${hour}:30Z` },
    })
    keys.push(key)
  }
  // So slow that all who are let through are under way together.
  proxy.always(() => ({ kind: 'delay', ms: 60 }))
}, 120_000)
afterAll(async () => {
  await proxy?.stop()
  await stand?.stop()
})

const day = { start: instant(Date.parse('2027-05-04T00:00Z')), end: instant(Date.parse('2027-05-05T00:00Z')) }
const ask = (calendars: readonly CalendarKey[], more: object = {}) =>
  stand.provider.freeBusy({ ...stand.scope, ...more }, calendars, day)
/** The hours in which each calendar is busy. */
const hours = (answer: Awaited<ReturnType<typeof ask>>) =>
  answer.ok ? answer.value.map((busy) => busy.map(({ start }) => new Date(start).getUTCHours())) : answer.problem

it('one question about thirty calendars asks four at a time, and answers in their order', async () => {
  proxy.takeMostAtOnce()
  expect(hours(await ask(keys))).toEqual(keys.map((_, index) => [index % 24]))
  expect(proxy.takeMostAtOnce()).toBe(4)
})

it('several questions at once are no more together, and each is answered', async () => {
  const answers = await Promise.all([ask(keys), ask(keys.slice(0, 10)), ask(keys.slice(10, 11)), ask(keys.slice(20))])
  expect(answers.map(hours)).toEqual(
    [keys, keys.slice(0, 10), keys.slice(10, 11), keys.slice(20)].map((asked) =>
      asked.map((key) => [keys.indexOf(key) % 24]),
    ),
  )
  expect(proxy.takeMostAtOnce()).toBe(4)
})

it('a question that nobody waits for leaves half of it to those who are waited for', async () => {
  expect((await ask(keys, { isInBackground: true })).ok).toBe(true)
  expect(proxy.takeMostAtOnce()).toBe(2)
})

it('a calendar that cannot be read ends the question: the others are not asked for nothing', async () => {
  const gone: CalendarKey = { ...(keys[0] as CalendarKey), calendarId: '/alice/gone/' as CalendarId }
  const before = proxy.seen.length
  expect(await ask([gone, ...keys])).toMatchObject({ ok: false, problem: { kind: 'calendarUnavailable' } })
  expect(proxy.seen.length - before).toBeLessThan(keys.length)
})
