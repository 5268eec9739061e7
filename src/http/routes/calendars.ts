// Routes of calendars.
import Type from 'typebox'

import { success } from '../../core/result.ts'
import * as wire from '../../wire/calendars.ts'
import { grantParams, readCursor, readMetadataPair, writeCursor } from '../../wire/common.ts'
import { type Method, route } from '../route.ts'

const tag = 'Calendars'
const path = '/v3/grants/:grant_id/calendars'

function changeRoute(method: Method) {
  return route({
    method,
    path: `${path}/:calendar_id`,
    guard: 'grant',
    tag,
    summary: 'Change a calendar',
    params: wire.calendarParams,
    body: wire.calendarChangeBody,
    data: wire.calendarData,
    async handle({ grant, params, body, operations }) {
      const changed = await operations.changeCalendar(grant, params.calendar_id, (before) =>
        wire.readCalendar(body, before),
      )
      return changed.ok ? success({ data: wire.calendarToJson(changed.value) }) : changed
    },
  })
}

export const calendarRoutes = [
  route({
    method: 'GET',
    path,
    guard: 'grant',
    tag,
    summary: 'Calendars of a grant',
    params: grantParams,
    query: wire.calendarListQuery,
    data: Type.Array(wire.calendarData),
    isList: true,
    async handle({ grant, query, operations }) {
      const cursor = readCursor(query.page_token, ['string'])
      if (!cursor.ok) return cursor
      const pair = query.metadata_pair === undefined ? success(undefined) : readMetadataPair(query.metadata_pair)
      if (!pair.ok) return pair
      const listed = await operations.listCalendars(grant, {
        limit: query.limit ?? 50,
        after: cursor.value?.[0],
        metadataPair: pair.value,
      })
      if (!listed.ok) return listed
      const { calendars, next } = listed.value
      return success({
        data: calendars.map((calendar) => wire.calendarToJson(calendar)),
        nextCursor: next === undefined ? undefined : writeCursor([next]),
      })
    },
  }),
  route({
    method: 'POST',
    path,
    guard: 'grant',
    tag,
    summary: 'Make a calendar; the first of an account is its primary one',
    params: grantParams,
    body: wire.calendarBody,
    data: wire.calendarData,
    async handle({ grant, body, operations }) {
      const content = wire.readCalendar(body)
      if (!content.ok) return content
      const created = await operations.createCalendar(grant, content.value)
      return created.ok ? success({ data: wire.calendarToJson(created.value) }) : created
    },
  }),
  route({
    method: 'GET',
    path: `${path}/:calendar_id`,
    guard: 'grant',
    tag,
    summary: 'One calendar; primary names the primary one',
    params: wire.calendarParams,
    data: wire.calendarData,
    async handle({ grant, params, operations }) {
      const shown = await operations.showCalendar(grant, params.calendar_id)
      return shown.ok ? success({ data: wire.calendarToJson(shown.value) }) : shown
    },
  }),
  changeRoute('PUT'),
  changeRoute('PATCH'),
  route({
    method: 'DELETE',
    path: `${path}/:calendar_id`,
    guard: 'grant',
    tag,
    summary: 'Delete a calendar and its events; not the primary one',
    params: wire.calendarParams,
    async handle({ grant, params, operations }) {
      const deleted = await operations.deleteCalendar(grant, params.calendar_id)
      return deleted.ok ? success({}) : deleted
    },
  }),
]
