import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { virtualCalendars } from '../../src/adapters/calendars/virtual/provider.ts'
import { insertApplication } from '../../src/adapters/storage/accounts.ts'
import { lockCalendars, resolveCalendars } from '../../src/adapters/storage/calendars.ts'
import { Database } from '../../src/adapters/storage/database/database.ts'
import { newId } from '../../src/adapters/storage/database/ids.ts'
import { sql } from '../../src/adapters/storage/database/sql.ts'
import { type EventWrite, saveEvent } from '../../src/adapters/storage/events.ts'
import type { CalendarKey } from '../../src/core/account/grant.ts'
import type { When } from '../../src/core/calendar/event.ts'
import { intervalOf } from '../../src/core/calendar/event.ts'
import type { AppId, CalendarId, EventId, GrantId } from '../../src/core/ids.ts'
import { type Instant, instant } from '../../src/core/time/instant.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'

let file: TestDatabase
let database: Database
let appId: AppId
let key: CalendarKey

const at = (text: string): Instant => instant(Date.parse(text))
const span = (start: string, end: string) => ({ start: at(start), end: at(end) })

beforeAll(async () => {
  file = await createTestDatabase()
  database = new Database({ connection: file.connection, poolSize: 4 })
  appId = (await insertApplication(database, 'test')).id
})
afterAll(async () => {
  await database?.close()
  await file?.drop()
})
beforeEach(async () => {
  key = await makeCalendar('Europe/Paris')
})

async function makeCalendar(timezone: string): Promise<CalendarKey> {
  const grantId = newId() as GrantId
  const calendarId = newId() as CalendarId
  await database.transaction(appId, async (transaction) => {
    await transaction.query(
      sql`insert into openslot.grants (app_id, id, provider, email) values (${appId}, ${grantId}, 'virtual-calendar', ${grantId})`,
    )
    await transaction.query(sql`
      insert into openslot.calendars (app_id, grant_id, id, name, timezone, is_primary) values (${appId}, ${grantId}, ${calendarId}, 'c', ${timezone}, true)`)
  })
  return { grantId, calendarId }
}

async function put(
  when: When,
  more: { id?: string; recurrence?: string[] } & Partial<EventWrite> = {},
): Promise<EventId> {
  const { id = newId(), recurrence = [], ...rest } = more
  const interval = intervalOf(when, 'Europe/Paris')
  await saveEvent(database, appId, key, {
    id: id as EventId,
    icalUid: id,
    status: 'confirmed',
    details: { title: '', when, busy: true, participants: [], recurrence },
    metadata: {},
    blocks: true,
    during: { start: interval.start, end: recurrence.length > 0 ? undefined : interval.end },
    ...rest,
  })
  return id as EventId
}

function timespan(start: string, end: string, zone?: string): When {
  return { kind: 'timespan', startTime: at(start), endTime: at(end), startTimezone: zone, endTimezone: zone }
}

async function busy(start: string, end: string, keys = [key], ignoring: EventId[] = []): Promise<string[][]> {
  const found = await virtualCalendars.freeBusy({ appId, local: database }, keys, span(start, end), ignoring)
  if (!found.ok) throw new Error(found.problem.message)
  return found.value.map((list) =>
    list
      .toSorted((a, b) => a.start - b.start)
      .map((i) => `${new Date(i.start).toISOString().slice(0, 16)}/${new Date(i.end).toISOString().slice(0, 16)}`),
  )
}

describe('busy time of virtual calendars', () => {
  it('holds single events that overlap the span, each under its calendar', async () => {
    await put(timespan('2026-03-02T09:00Z', '2026-03-02T10:00Z'))
    const other = await makeCalendar('UTC')
    expect(await busy('2026-03-02T09:30Z', '2026-03-02T12:00Z', [other, key])).toEqual([
      [],
      ['2026-03-02T09:00/2026-03-02T10:00'],
    ])
    expect(await busy('2026-03-02T10:00Z', '2026-03-02T12:00Z')).toEqual([[]])
  })

  it('keeps a weekly series at the same reading of the wall across a clock change (pitfall 19)', async () => {
    await put(timespan('2026-03-24T08:00Z', '2026-03-24T09:00Z', 'Europe/Paris'), {
      recurrence: ['RRULE:FREQ=WEEKLY; BYDAY=TU'],
    })
    expect(await busy('2026-03-24T00:00Z', '2026-04-01T00:00Z')).toEqual([
      ['2026-03-24T08:00/2026-03-24T09:00', '2026-03-31T07:00/2026-03-31T08:00'],
    ])
  })

  it('leaves out excluded, cancelled and moved occurrences, and shows a moved one where it is now (pitfall 19)', async () => {
    const id = await put(timespan('2026-06-01T09:00Z', '2026-06-01T10:00Z', 'Europe/Paris'), {
      recurrence: ['RRULE:FREQ=DAILY;COUNT=5', 'EXDATE:20260602T090000Z,20260603T110000'],
    })
    const moved = at('2026-06-04T09:00Z')
    await put(timespan('2026-06-10T09:00Z', '2026-06-10T10:00Z'), { masterEventId: id, originalStart: moved })
    await put(timespan('2026-06-05T09:00Z', '2026-06-05T10:00Z'), {
      masterEventId: id,
      originalStart: at('2026-06-05T09:00Z'),
      status: 'cancelled',
    })
    expect(await busy('2026-06-01T00:00Z', '2026-06-30T00:00Z')).toEqual([
      ['2026-06-01T09:00/2026-06-01T10:00', '2026-06-10T09:00/2026-06-10T10:00'],
    ])
    expect(await busy('2026-06-04T00:00Z', '2026-06-05T00:00Z')).toEqual([[]])
  })

  it('takes whole days by the clock of the calendar, the last day included, however long the day is (pitfall 18)', async () => {
    await put({ kind: 'datespan', startDate: '2026-03-28', endDate: '2026-03-29' })
    await put({ kind: 'date', date: '2026-10-25' })
    expect(await busy('2026-03-01T00:00Z', '2026-12-01T00:00Z')).toEqual([
      ['2026-03-27T23:00/2026-03-29T22:00', '2026-10-24T22:00/2026-10-25T23:00'],
    ])
  })

  it('does not count what does not block, nor what is ignored (pitfall 18)', async () => {
    await put(timespan('2026-03-02T09:00Z', '2026-03-02T10:00Z'), { blocks: false })
    await put(timespan('2026-03-02T09:00Z', '2026-03-02T10:00Z'), { status: 'cancelled' })
    const own = await put(timespan('2026-03-02T09:00Z', '2026-03-02T10:00Z'))
    expect(await busy('2026-03-02T00:00Z', '2026-03-03T00:00Z', [key], [own])).toEqual([[]])
  })

  it('calls a calendar that is not there unknown, not free', async () => {
    const missing = { ...key, calendarId: 'gone' as CalendarId }
    const found = await virtualCalendars.freeBusy(
      { appId, local: database },
      [key, missing],
      span('2026-01-01T00:00Z', '2026-01-02T00:00Z'),
    )
    expect(found).toMatchObject({ ok: false, problem: { kind: 'calendarUnavailable' } })
  })
})

describe('placing the event of a booking', () => {
  const event = {
    id: 'booking1' as EventId,
    icalUid: 'booking1@openslot',
    sequence: 1,
    isPending: false,
    title: 'Fitting',
    description: '',
    location: '',
    when: span('2026-05-04T09:00Z', '2026-05-04T09:30Z'),
    timezone: 'Europe/Paris',
    organizer: { email: 'ana@example.test', name: 'Ana' },
    participants: [{ email: 'guest@example.test', name: 'Guest' }],
    hideParticipants: false,
    notifyParticipants: true,
    conferencing: undefined,
    metadata: { key5: 'x' },
  }

  it('can be repeated, moves it, and removes it once and again', async () => {
    const scope = { appId, local: database }
    for (let round = 0; round < 2; round++)
      expect(await virtualCalendars.place(scope, key, event)).toMatchObject({ ok: true })
    expect(await virtualCalendars.find(scope, key, event.id)).toEqual({ ok: true, value: event.when })
    const moved = span('2026-05-05T09:00Z', '2026-05-05T09:30Z')
    await virtualCalendars.place(scope, key, { ...event, when: moved })
    expect(await virtualCalendars.find(scope, key, event.id)).toEqual({ ok: true, value: moved })
    for (let round = 0; round < 2; round++)
      expect(await virtualCalendars.remove(scope, key, event.id)).toMatchObject({ ok: true })
    expect(await virtualCalendars.find(scope, key, event.id)).toEqual({ ok: true, value: undefined })
  })

  it('counts the version of the calendar up', async () => {
    const version = async () => {
      const [row] = await database.query<{ version: number }>(sql`
        select version from openslot.calendars where app_id = ${appId} and grant_id = ${key.grantId} and id = ${key.calendarId}`)
      return row?.version
    }
    const before = (await version()) ?? 0
    await virtualCalendars.place({ appId, local: database }, key, event)
    expect(await version()).toBe(before + 1)
    await virtualCalendars.remove({ appId, local: database }, key, event.id)
    expect(await version()).toBe(before + 2)
  })

  it('is refused where the calendar is gone', async () => {
    const gone = { ...key, calendarId: 'gone' as CalendarId }
    expect(await virtualCalendars.place({ appId, local: database }, gone, event)).toMatchObject({
      ok: false,
      problem: { kind: 'calendarUnavailable' },
    })
  })
})

describe('calendars by name', () => {
  it('finds the primary one by its alias, in the order asked', async () => {
    const other = await makeCalendar('Asia/Tokyo')
    const named = [{ ...other, calendarId: 'primary' as CalendarId }, { ...key, calendarId: 'gone' as CalendarId }, key]
    const found = await resolveCalendars(database, appId, named)
    expect(found.map((calendar) => calendar?.id)).toEqual([other.calendarId, undefined, key.calendarId])
    expect(found[0]?.timezone).toBe('Asia/Tokyo')
  })

  it('locks in one order whatever the order asked, so that opposite requests both finish', async () => {
    const other = await makeCalendar('UTC')
    const rounds = Array.from({ length: 20 }, (_, round) =>
      database.transaction(appId, (transaction) =>
        lockCalendars(transaction, round % 2 === 0 ? [key, other] : [other, key]),
      ),
    )
    for (const locked of await Promise.all(rounds))
      expect(locked.map(({ calendarId }) => calendarId).toSorted()).toEqual(
        [key.calendarId, other.calendarId].toSorted(),
      )
    const [row] = await database.query<{ version: number }>(sql`
      select version from openslot.calendars where app_id = ${appId} and grant_id = ${other.grantId}`)
    expect(row?.version).toBe(21)
  })
})
