/** Virtual calendars keep what every provider keeps. */
import { virtualCalendars } from '../../src/adapters/calendars/virtual/provider.ts'
import { insertApplication } from '../../src/adapters/storage/accounts.ts'
import { Database } from '../../src/adapters/storage/database/database.ts'
import { newId } from '../../src/adapters/storage/database/ids.ts'
import { sql } from '../../src/adapters/storage/database/sql.ts'
import { deleteEvent, findEvent, saveEvent } from '../../src/adapters/storage/events.ts'
import { intervalOf, type When } from '../../src/core/calendar/event.ts'
import type { CalendarId, EventId, GrantId } from '../../src/core/ids.ts'
import { type Instant, instant } from '../../src/core/time/instant.ts'
import { instantOfWallClock } from '../../src/core/time/zone.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { type HandEvent, keepsTheInterface, type Stand } from './suite.ts'

const zone = 'Europe/Paris'

keepsTheInterface('virtual calendars', async (): Promise<Stand> => {
  const file = await createTestDatabase()
  const database = new Database({ connection: file.connection, poolSize: 4 })
  const appId = (await insertApplication(database, 'test')).id
  const grantId = newId() as GrantId
  await database.transaction(appId, (transaction) =>
    transaction.query(
      sql`insert into openslot.grants (app_id, id, provider, email) values (${appId}, ${grantId}, 'virtual-calendar', 'ana')`,
    ),
  )
  const scope = { appId, local: database }
  const put: Stand['put'] = async (key, id, event) => {
    const when = whenOf(event)
    const recurrence = [
      ...(event.rule === undefined ? [] : [`RRULE:${event.rule}`]),
      ...(event.excluded ?? []).map((text) => `EXDATE:${compact(text)}`),
    ]
    const save = async (name: string, during: When, more: object = {}) => {
      const { start, end } = intervalOf(during, zone)
      await saveEvent(database, appId, key, {
        id: name as EventId,
        icalUid: id,
        status: event.isCancelled ? 'cancelled' : 'confirmed',
        details: { title: '', when: during, busy: event.isFree !== true, participants: [], recurrence: [] },
        metadata: {},
        blocks: event.isFree !== true,
        during: { start, end },
        ...more,
      })
    }
    const { start, end } = intervalOf(when, zone)
    await save(id, when, {
      details: { title: '', when, busy: event.isFree !== true, participants: [], recurrence },
      during: { start, end: event.rule === undefined ? end : undefined },
    })
    for (const { at, when: moved } of event.changed ?? []) {
      const originalStart = instant(Date.parse(at))
      const during = moved === undefined ? { start: at, end: at } : moved
      await save(`${id}_${at}`, whenOf({ when: during }), {
        masterEventId: id,
        originalStart,
        ...(moved === undefined ? { status: 'cancelled' } : {}),
      })
    }
  }
  return {
    provider: virtualCalendars,
    scope,
    async emptyCalendar() {
      const calendarId = newId() as CalendarId
      await database.query(sql`delete from openslot.calendars where app_id = ${appId} and grant_id = ${grantId}`)
      await database.query(sql`
        insert into openslot.calendars (app_id, grant_id, id, name, timezone, is_primary) values (${appId}, ${grantId}, ${calendarId}, 'c', ${zone}, true)`)
      return { grantId, calendarId }
    },
    put,
    async delete(key, id) {
      await deleteEvent(database, appId, key, id as EventId)
    },
    async moveBooked(key, { id }, when) {
      const event = await findEvent(database, appId, key, id)
      if (event === undefined) throw new Error('no such event')
      await saveEvent(database, appId, key, { ...event, blocks: true, during: when })
    },
    async deleteBooked(key, { id }) {
      await deleteEvent(database, appId, key, id)
    },
    async count({ calendarId }) {
      const [row] = await database.query<{ count: number }>(
        sql`select count(*) as count from openslot.events where app_id = ${appId} and calendar_id = ${calendarId}`,
      )
      return row?.count ?? 0
    },
    async stop() {
      await database.close()
      await file.drop()
    },
  }
})

function whenOf({ when }: Pick<HandEvent, 'when'>): When {
  if ('days' in when) return { kind: 'datespan', startDate: when.days[0], endDate: when.days[1] }
  const read = (text: string): Instant =>
    text.endsWith('Z')
      ? instant(Date.parse(text))
      : instantOfWallClock(when.timezone ?? zone, Date.parse(`${text}:00Z`))
  return {
    kind: 'timespan',
    startTime: read(when.start),
    endTime: read(when.end),
    startTimezone: when.timezone,
    endTimezone: when.timezone,
  }
}

function compact(text: string): string {
  return `${text.replace('Z', ':00Z').replace(/[-:]/g, '')}`
}
