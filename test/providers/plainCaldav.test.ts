/** CalDAV accounts on servers that do without sync tokens, with a tag and ETags or with nothing at all: emulated, in front of Radicale. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { CalendarKey } from '../../src/core/account/grant.ts'
import { instant } from '../../src/core/time/instant.ts'
import { type CaldavStand, caldavStand } from '../support/calendars/caldavStand.ts'
import { type PlainCaldav, startPlainCaldav } from '../support/calendars/plainCaldav.ts'
import { startRadicale } from '../support/calendars/radicale.ts'
import { keepsTheInterface } from './suite.ts'

const start = async (keeps: 'tagAndEtags' | 'nothing') => startPlainCaldav(await startRadicale(['alice']), keeps)

keepsTheInterface('CalDAV with a tag and ETags only', async () => caldavStand(await start('tagAndEtags')))
keepsTheInterface('CalDAV without any version', async () => caldavStand(await start('nothing')))

describe.each(['tagAndEtags', 'nothing'] as const)('what a poll costs with %s', (keeps) => {
  let server: PlainCaldav
  let stand: CaldavStand
  let key: CalendarKey
  beforeAll(async () => {
    server = await start(keeps)
    stand = await caldavStand(server)
    key = await stand.emptyCalendar()
    for (const name of ['one', 'two', 'three'])
      await stand.put(key, name, { when: { start: '2027-05-04T10:00Z', end: '2027-05-04T11:00Z' } })
  }, 120_000)
  afterAll(() => stand?.stop())

  it('is one request without a change, and what changed; or all of it, where nothing tells one version from another', async () => {
    const window = { start: instant(Date.parse('2027-01-01T00:00Z')), end: instant(Date.parse('2028-01-01T00:00Z')) }
    const versions = new Map<string, string>()
    const read = async (token?: string) => {
      server.takeAsked()
      const changes = await stand.provider.readChanges(stand.scope, key, {
        window,
        token,
        known: async () => versions,
      })
      if (!changes.ok) throw new Error(changes.problem.message)
      const items = changes.value.kind === 'everything' ? changes.value.items : changes.value.changed
      for (const { id, version } of items) if (version !== undefined) versions.set(id, version)
      const names = items.map(({ id }) => id.split('/').at(-1)).toSorted()
      return { kind: changes.value.kind, names, token: changes.value.token, asked: server.takeAsked() }
    }
    const all = ['one.ics', 'three.ics', 'two.ics']
    const first = await read()
    expect([first.kind, first.names]).toEqual(['everything', all])

    const second = await read(first.token)
    expect([second.kind, second.names]).toEqual(keeps === 'nothing' ? ['everything', all] : ['changes', []])
    if (keeps === 'tagAndEtags') expect(second.asked).toEqual(['PROPFIND'])

    await stand.put(key, 'two', { when: { start: '2027-05-04T12:00Z', end: '2027-05-04T13:00Z' } })
    const third = await read(second.token)
    expect([third.kind, third.names]).toEqual(keeps === 'nothing' ? ['everything', all] : ['changes', ['two.ics']])
    if (keeps === 'tagAndEtags') expect(third.asked).toEqual(['PROPFIND', 'PROPFIND', 'calendar-multiget'])
  })
})
