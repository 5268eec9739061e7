/** A network that fails at every request of every step, between us and Cyrus: what was asked is done once, or a problem; never half, never free. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import type { CalendarKey } from '../../src/core/account/grant.ts'
import type { EventId } from '../../src/core/ids.ts'
import { instant } from '../../src/core/time/instant.ts'
import { type CaldavStand, caldavStand } from '../support/calendars/caldavStand.ts'
import { startCyrusCaldav } from '../support/calendars/cyrusCaldav.ts'
import { type FaultProxy, type NetworkFault, startFaultProxy } from '../support/calendars/faultProxy.ts'
import { fitting } from '../support/calendars/fitting.ts'

let stand: CaldavStand
let proxy: FaultProxy
let key: CalendarKey
let count = 0

beforeAll(async () => {
  const cyrus = await startCyrusCaldav()
  proxy = await startFaultProxy({ port: Number(new URL(cyrus.url).port) })
  // Ours go through the proxy; the hand of the owner does not.
  stand = await caldavStand({ ...cyrus, url: proxy.through(cyrus.url) })
}, 120_000)
afterAll(async () => {
  await proxy?.stop()
  await stand?.stop()
})
beforeEach(async () => {
  key = await stand.emptyCalendar()
})

const day = { start: instant(Date.parse('2027-05-04T00:00Z')), end: instant(Date.parse('2027-05-05T00:00Z')) }
const during = (from: string, to: string) => ({
  start: instant(Date.parse(`2027-05-04T${from}Z`)),
  end: instant(Date.parse(`2027-05-04T${to}Z`)),
})
const booked = () => fitting((++count).toString(16).padStart(32, '0'))

/** Long enough for a quiet network; a delay and a drip are longer. */
const limitMs = 700
const hasty = () => ({ ...stand.scope, limitMs })
const faults: readonly NetworkFault[] = [
  { kind: 'reset' },
  { kind: 'cutRequest' },
  { kind: 'cutAfterRequest' },
  { kind: 'cutAnswer' },
  { kind: 'delay', ms: 1_200 },
  { kind: 'drip', everyMs: 20 },
]
const steps = { place: ['GET', 'PUT', 'GET again'], move: ['GET', 'PUT', 'GET again'], remove: ['GET', 'DELETE'] }

/** The first request of the method meets the fault; or the first GET after the PUT. */
function plan(step: string, fault: NetworkFault): void {
  if (step !== 'GET again') {
    proxy.once(new RegExp(`^${step} `), fault)
    return
  }
  let hasPut = false
  let isOver = false
  proxy.always((line) => {
    if (line.startsWith('PUT ')) hasPut = true
    if (!hasPut || isOver || !line.startsWith('GET ')) return undefined
    isOver = true
    return fault
  })
}

const when = async (id: EventId) => {
  const found = await stand.provider.find(stand.scope, key, id)
  if (!found.ok) throw new Error(found.problem.message)
  return found.value
}

describe.each(faults)('$kind', (fault) => {
  for (const step of steps.place)
    it(`at the ${step} of placing: done again, there is one event`, async () => {
      const event = booked()
      plan(step, fault)
      const first = await stand.provider.place(hasty(), key, event)
      proxy.always()
      if (first.ok) expect(await when(event.id)).toEqual(event.when)
      else expect(first.problem.kind).toBe('calendarUnavailable')
      expect(await stand.provider.place(stand.scope, key, event)).toMatchObject({ ok: true })
      expect(await when(event.id)).toEqual(event.when)
      expect(await stand.count(key)).toBe(1)
    })

  for (const step of steps.move)
    it(`at the ${step} of moving: it stands at one time or the other, and done again at the new one`, async () => {
      const event = booked()
      await stand.provider.place(stand.scope, key, event)
      const moved = { ...event, sequence: 2, when: during('14:00', '14:30') }
      plan(step, fault)
      const first = await stand.provider.place(hasty(), key, moved)
      proxy.always()
      if (!first.ok) expect(first.problem.kind).toBe('calendarUnavailable')
      expect(first.ok ? [moved.when] : [event.when, moved.when]).toContainEqual(await when(event.id))
      expect(await stand.provider.place(stand.scope, key, moved)).toMatchObject({ ok: true })
      expect(await when(event.id)).toEqual(moved.when)
      expect(await stand.count(key)).toBe(1)
    })

  for (const step of steps.remove)
    it(`at the ${step} of removing: done again, it is gone`, async () => {
      const event = booked()
      await stand.provider.place(stand.scope, key, event)
      plan(step, fault)
      const first = await stand.provider.remove(hasty(), key, event.id)
      if (first.ok) expect(await stand.count(key)).toBe(0)
      else expect(first.problem.kind).toBe('calendarUnavailable')
      expect(await stand.provider.remove(stand.scope, key, event.id)).toMatchObject({ ok: true })
      expect(await stand.count(key)).toBe(0)
    })

  it('at a reading: the truth or a problem, never free', async () => {
    await stand.put(key, `by-hand-${++count}`, { when: { start: '2027-05-04T10:00Z', end: '2027-05-04T11:00Z' } })
    proxy.once(/^REPORT /, fault)
    const read = await stand.provider.freeBusy(hasty(), [key], day)
    if (read.ok) expect(read.value[0]).toEqual([during('10:00', '11:00')])
    else expect(read.problem.kind).toBe('calendarUnavailable')
    expect(await stand.provider.freeBusy(stand.scope, [key], day)).toMatchObject({
      ok: true,
      value: [[during('10:00', '11:00')]],
    })
  })

  it('at a sync: the same token answers what changed', async () => {
    const question = { window: day, known: async () => new Map<string, string>() }
    const begun = await stand.provider.readChanges(stand.scope, key, { ...question, token: undefined })
    if (!begun.ok) throw new Error(begun.problem.message)
    await stand.put(key, `by-hand-${++count}`, { when: { start: '2027-05-04T10:00Z', end: '2027-05-04T11:00Z' } })
    const again = { ...question, token: begun.value.token }
    proxy.once(/^REPORT /, fault)
    await stand.provider.readChanges(hasty(), key, again)
    expect(await stand.provider.readChanges(stand.scope, key, again)).toMatchObject({
      ok: true,
      value: { kind: 'changes', changed: [{ busy: [during('10:00', '11:00')] }], removed: [] },
    })
  })
})

it('what the owner added to the event stays when it moves', async () => {
  const event = booked()
  await stand.provider.place(stand.scope, key, event)
  await stand.moveBooked(key, event, during('12:00', '12:30'))
  await stand.provider.place(stand.scope, key, { ...event, sequence: 2, when: during('14:00', '14:30') })
  const { calendar, username, password } = stand.user
  const url = new URL(`${key.calendarId}${event.id}.ics`, calendar)
  const answer = await fetch(url, {
    headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
  })
  const text = await answer.text()
  expect(text).toContain('X-OF-THE-OWNER:kept')
  expect(text.match(/DTSTART/g)?.length).toBe(1)
})

it('an unchanged calendar costs one request', async () => {
  const question = { window: day, known: async () => new Map<string, string>() }
  const begun = await stand.provider.readChanges(stand.scope, key, { ...question, token: undefined })
  if (!begun.ok) throw new Error(begun.problem.message)
  const before = proxy.seen.length
  expect(await stand.provider.readChanges(stand.scope, key, { ...question, token: begun.value.token })).toMatchObject({
    ok: true,
    value: { kind: 'changes', changed: [], removed: [] },
  })
  expect(proxy.seen.length - before).toBe(1)
})
