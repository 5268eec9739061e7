/** What every calendar provider must do, told once: each tower runs it against the real thing behind it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import type { CalendarProvider, CalendarScope } from '../../src/adapters/calendars/calendarProvider.ts'
import type { CalendarKey } from '../../src/core/account/grant.ts'
import type { PlacedEvent } from '../../src/core/booking/placedEvent.ts'
import type { CalendarId, EventId } from '../../src/core/ids.ts'
import type { Result } from '../../src/core/result.ts'
import { type Instant, instant } from '../../src/core/time/instant.ts'
import type { Interval } from '../../src/core/time/interval.ts'
import { fitting } from '../support/calendars/fitting.ts'

/**
 * An event as its owner puts it on the calendar. Times are ISO: with `Z` instants, without it readings of `timezone`'s wall.
 * `days`: whole days, the last one included.
 */
export type HandEvent = {
  readonly when:
    | { readonly start: string; readonly end: string; readonly timezone?: string }
    | { readonly days: readonly [string, string] }
  readonly isFree?: boolean
  readonly isCancelled?: boolean
  /** The value of an `RRULE`. */
  readonly rule?: string
  /** Instants, in ISO with `Z`, at which an occurrence of the series is left out. */
  readonly excluded?: readonly string[]
  /** Occurrences, by the instant at which they would begin, that were moved; or cancelled, where `when` is absent. */
  readonly changed?: readonly {
    readonly at: string
    readonly when?: { readonly start: string; readonly end: string }
  }[]
}

/** A provider with something real behind it, and the hand of its owner, who needs neither the provider nor its help. */
export type Stand = {
  readonly provider: CalendarProvider
  readonly scope: CalendarScope
  /** A calendar without events, whose time zone is Europe/Paris. */
  emptyCalendar(): Promise<CalendarKey>
  put(calendar: CalendarKey, id: string, event: HandEvent): Promise<void>
  delete(calendar: CalendarKey, id: string): Promise<void>
  /** The owner drags the event of a booking to another time, and everything else of it stays. */
  moveBooked(calendar: CalendarKey, event: PlacedEvent, when: Interval): Promise<void>
  deleteBooked(calendar: CalendarKey, event: PlacedEvent): Promise<void>
  /** How many events stand on the calendar, as its owner counts them. */
  count(calendar: CalendarKey): Promise<number>
  stop(): Promise<void>
}

const at = (text: string): Instant => instant(Date.parse(text))
const span = (start: string, end: string): Interval => ({ start: at(start), end: at(end) })
const short = ({ start, end }: Interval) =>
  `${new Date(start).toISOString().slice(0, 16)}/${new Date(end).toISOString().slice(0, 16)}`
const value = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(`${result.problem.kind}: ${result.problem.message}`)
  return result.value
}

export function keepsTheInterface(name: string, start: () => Promise<Stand>): void {
  describe(name, () => {
    let stand: Stand
    let key: CalendarKey
    let count = 0
    beforeAll(async () => {
      stand = await start()
    }, 120_000)
    afterAll(() => stand?.stop())
    beforeEach(async () => {
      key = await stand.emptyCalendar()
    })

    const busy = async (from: string, to: string, ignoring: EventId[] = []) =>
      (value(await stand.provider.freeBusy(stand.scope, [key], span(from, to), ignoring))[0] ?? [])
        .toSorted((a, b) => a.start - b.start)
        .map(short)
    const put = (event: HandEvent) => stand.put(key, `by-hand-${++count}`, event)
    const booked = (more: Partial<PlacedEvent> = {}): PlacedEvent =>
      fitting(`${Date.now().toString(16).padStart(12, '0')}${(++count).toString(16).padStart(20, '0')}`, {
        description: 'First line\nsecond; with, marks \\ and "quotes"',
        location: 'Hall 1',
        organizer: { email: 'ana@example.test', name: 'Ana' },
        participants: [{ email: 'ana@example.test', name: 'Ana' }],
        metadata: { key5: 'x', source: 'scheduler' },
        ...more,
      })
    const place = async (event: PlacedEvent) => value(await stand.provider.place(stand.scope, key, event))
    const find = async (id: EventId) => value(await stand.provider.find(stand.scope, key, id))
    const remove = async (id: EventId) => value(await stand.provider.remove(stand.scope, key, id))

    it('lists its calendars', async () => {
      const listed = value(await stand.provider.listCalendars(stand.scope, key.grantId))
      expect(listed.found.map(({ id }) => id)).toContain(key.calendarId)
      expect(listed.unread).toEqual([])
      expect(listed.found.filter(({ isPrimary }) => isPrimary).length).toBeLessThanOrEqual(1)
    })

    describe('busy time', () => {
      it('is what overlaps the span; touching is not overlapping', async () => {
        await put({ when: { start: '2027-03-02T09:00Z', end: '2027-03-02T10:00Z' } })
        expect(await busy('2027-03-02T09:30Z', '2027-03-02T12:00Z')).toEqual(['2027-03-02T09:00/2027-03-02T10:00'])
        expect(await busy('2027-03-02T10:00Z', '2027-03-02T12:00Z')).toEqual([])
        expect(await busy('2027-03-02T08:00Z', '2027-03-02T09:00Z')).toEqual([])
      })

      it('leaves out what is free or cancelled', async () => {
        const when = { start: '2027-03-02T09:00Z', end: '2027-03-02T10:00Z' }
        await put({ when, isFree: true })
        await put({ when, isCancelled: true })
        expect(await busy('2027-03-01T00:00Z', '2027-03-04T00:00Z')).toEqual([])
      })

      it('takes whole days by the clock of the calendar, the last day included, on nights of 23 and 25 hours too', async () => {
        await put({ when: { days: ['2027-03-27', '2027-03-28'] } })
        await put({ when: { days: ['2027-10-31', '2027-10-31'] } })
        expect(await busy('2027-03-01T00:00Z', '2027-12-01T00:00Z')).toEqual([
          '2027-03-26T23:00/2027-03-28T22:00',
          '2027-10-30T22:00/2027-10-31T23:00',
        ])
      })

      it('follows the zone of the event, wherever the calendar is', async () => {
        await put({ when: { start: '2027-03-15T09:00', end: '2027-03-15T10:00', timezone: 'America/New_York' } })
        expect(await busy('2027-03-15T00:00Z', '2027-03-16T00:00Z')).toEqual(['2027-03-15T13:00/2027-03-15T14:00'])
      })

      it('unfolds a series at the same reading of the wall across a clock change', async () => {
        await put({
          when: { start: '2027-03-23T09:00', end: '2027-03-23T10:00', timezone: 'Europe/Paris' },
          rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=3',
        })
        expect(await busy('2027-03-01T00:00Z', '2027-05-01T00:00Z')).toEqual([
          '2027-03-23T08:00/2027-03-23T09:00',
          '2027-03-30T07:00/2027-03-30T08:00',
          '2027-04-06T07:00/2027-04-06T08:00',
        ])
      })

      it('finds late occurrences of a series that began long before the span', async () => {
        await put({
          when: { start: '2024-01-04T10:00', end: '2024-01-04T11:00', timezone: 'Europe/Paris' },
          rule: 'FREQ=MONTHLY;BYDAY=1TH',
        })
        expect(await busy('2027-06-01T00:00Z', '2027-07-31T00:00Z')).toEqual([
          '2027-06-03T08:00/2027-06-03T09:00',
          '2027-07-01T08:00/2027-07-01T09:00',
        ])
      })

      it('leaves out excluded, cancelled and moved occurrences, and shows a moved one where it is now', async () => {
        await put({
          when: { start: '2027-06-01T11:00', end: '2027-06-01T12:00', timezone: 'Europe/Paris' },
          rule: 'FREQ=DAILY;COUNT=5',
          excluded: ['2027-06-02T09:00Z'],
          changed: [
            { at: '2027-06-03T09:00Z', when: { start: '2027-07-10T09:00Z', end: '2027-07-10T10:30Z' } },
            { at: '2027-06-05T09:00Z' },
          ],
        })
        expect(await busy('2027-06-01T00:00Z', '2027-07-30T00:00Z')).toEqual([
          '2027-06-01T09:00/2027-06-01T10:00',
          '2027-06-04T09:00/2027-06-04T10:00',
          '2027-07-10T09:00/2027-07-10T10:30',
        ])
        expect(await busy('2027-07-01T00:00Z', '2027-07-30T00:00Z')).toEqual(['2027-07-10T09:00/2027-07-10T10:30'])
        expect(await busy('2027-06-03T00:00Z', '2027-06-04T00:00Z')).toEqual([])
      })

      it('of a calendar that is not there is unknown, not free', async () => {
        const gone = { ...key, calendarId: `${key.calendarId}-gone` as CalendarId }
        const read = await stand.provider.freeBusy(
          stand.scope,
          [key, gone],
          span('2027-03-01T00:00Z', '2027-03-02T00:00Z'),
        )
        expect(read).toMatchObject({ ok: false, problem: { kind: 'calendarUnavailable' } })
      })
    })

    describe('the event of a booking', () => {
      it('is placed once however often it is asked for, and blocks its time for all but itself', async () => {
        const event = booked()
        for (let round = 0; round < 3; round++) await place(event)
        expect(await stand.count(key)).toBe(1)
        expect(await find(event.id)).toEqual(event.when)
        expect(await busy('2027-05-04T00:00Z', '2027-05-05T00:00Z')).toEqual(['2027-05-04T09:00/2027-05-04T09:30'])
        expect(await busy('2027-05-04T00:00Z', '2027-05-05T00:00Z', [event.id])).toEqual([])
      })

      it('is one event although two place it at the same time', async () => {
        const event = booked()
        const both = await Promise.all([
          stand.provider.place(stand.scope, key, event),
          stand.provider.place(stand.scope, key, event),
        ])
        expect(both.some(({ ok }) => ok)).toBe(true)
        await place(event)
        expect(await stand.count(key)).toBe(1)
      })

      it('moves, goes, and may be told to go again', async () => {
        const event = booked()
        await place(event)
        const when = span('2027-05-05T14:00Z', '2027-05-05T15:00Z')
        await place({ ...event, when, sequence: 2 })
        expect(await find(event.id)).toEqual(when)
        expect(await busy('2027-05-04T00:00Z', '2027-05-06T00:00Z')).toEqual(['2027-05-05T14:00/2027-05-05T15:00'])
        await remove(event.id)
        await remove(event.id)
        expect(await find(event.id)).toBeUndefined()
        expect(await busy('2027-05-04T00:00Z', '2027-05-06T00:00Z')).toEqual([])
        expect(await stand.count(key)).toBe(0)
      })

      it('that was never placed can be looked for and removed', async () => {
        const { id } = booked()
        expect(await find(id)).toBeUndefined()
        await remove(id)
      })

      it('is found where its owner moved it, and put back where the booking says', async () => {
        const event = booked()
        await place(event)
        const moved = span('2027-05-06T10:00Z', '2027-05-06T11:00Z')
        await stand.moveBooked(key, event, moved)
        expect(await find(event.id)).toEqual(moved)
        expect(await busy('2027-05-04T00:00Z', '2027-05-07T00:00Z')).toEqual(['2027-05-06T10:00/2027-05-06T11:00'])
        await place({ ...event, sequence: 2 })
        expect(await find(event.id)).toEqual(event.when)
        expect(await stand.count(key)).toBe(1)
      })

      it('is missing once its owner deleted it, and can be placed again', async () => {
        const event = booked()
        await place(event)
        await stand.deleteBooked(key, event)
        expect(await find(event.id)).toBeUndefined()
        await place({ ...event, sequence: 2 })
        expect(await find(event.id)).toEqual(event.when)
      })

      it('carries any text of a guest, and stays one event', async () => {
        const title = 'Ω “quoted”; semi, comma \\n back\\slash 日本語 🎉 BEGIN:VEVENT'
        const event = booked({
          title,
          location: 'a\r\nEND:VEVENT\r\nX:y',
          description: `${'long '.repeat(200)}\u0007end`,
        })
        await place(event)
        expect(await stand.count(key)).toBe(1)
        expect(await find(event.id)).toEqual(event.when)
      })
    })

    describe('changes', () => {
      const window = span('2027-01-01T00:00Z', '2027-12-31T00:00Z')
      type Known = Map<string, { busy: string[]; version: string | undefined; own: string | undefined }>

      /** The calendar as a mirror that follows the changes knows it. */
      const follow = async (known: Known, token: string | undefined): Promise<string | undefined> => {
        const versions = () =>
          Promise.resolve(
            new Map([...known].flatMap(([id, { version }]) => (version === undefined ? [] : [[id, version]]))),
          )
        const changes = value(await stand.provider.readChanges(stand.scope, key, { window, token, known: versions }))
        if (changes.kind === 'everything') known.clear()
        else for (const id of changes.removed) known.delete(id)
        for (const { id, busy: intervals, version, own } of changes.kind === 'everything'
          ? changes.items
          : changes.changed)
          known.set(id, {
            version,
            busy: intervals.map(short).toSorted(),
            own: own === undefined ? undefined : `${own.eventId} ${own.when === undefined ? 'gone' : short(own.when)}`,
          })
        return changes.token
      }
      const all = (known: Known) => [...known.values()].flatMap((item) => item.busy).toSorted()
      const owned = (known: Known) => [...known.values()].flatMap((item) => item.own ?? [])

      it('tell what came, moved and went, and which event is a booking’s', async () => {
        const known: Known = new Map()
        await put({ when: { start: '2027-03-02T09:00Z', end: '2027-03-02T10:00Z' } })
        let token = await follow(known, undefined)
        expect(all(known)).toEqual(['2027-03-02T09:00/2027-03-02T10:00'])
        expect(owned(known)).toEqual([])

        const event = booked()
        await place(event)
        await stand.put(key, 'weekly', {
          when: { start: '2027-12-06T09:00', end: '2027-12-06T10:00', timezone: 'Europe/Paris' },
          rule: 'FREQ=WEEKLY;COUNT=2',
        })
        token = await follow(known, token)
        expect(all(known)).toEqual([
          '2027-03-02T09:00/2027-03-02T10:00',
          '2027-05-04T09:00/2027-05-04T09:30',
          '2027-12-06T08:00/2027-12-06T09:00',
          '2027-12-13T08:00/2027-12-13T09:00',
        ])
        expect(owned(known)).toEqual([`${event.id} 2027-05-04T09:00/2027-05-04T09:30`])

        await stand.moveBooked(key, event, span('2027-05-06T10:00Z', '2027-05-06T11:00Z'))
        await stand.delete(key, 'weekly')
        token = await follow(known, token)
        expect(all(known)).toEqual(['2027-03-02T09:00/2027-03-02T10:00', '2027-05-06T10:00/2027-05-06T11:00'])
        expect(owned(known)).toEqual([`${event.id} 2027-05-06T10:00/2027-05-06T11:00`])

        await stand.deleteBooked(key, event)
        token = await follow(known, token)
        expect(all(known)).toEqual(['2027-03-02T09:00/2027-03-02T10:00'])
        expect(owned(known)).toEqual([])
        await follow(known, token)
        expect(all(known)).toEqual(['2027-03-02T09:00/2027-03-02T10:00'])
      })

      it('are all there is, where the token is not one that the provider knows', async () => {
        const known: Known = new Map()
        await put({ when: { start: '2027-03-02T09:00Z', end: '2027-03-02T10:00Z' } })
        const token = await follow(known, undefined)
        await follow(known, token === undefined ? undefined : `${token}-never-given`)
        expect(all(known)).toEqual(['2027-03-02T09:00/2027-03-02T10:00'])
      })
    })
  })
}
