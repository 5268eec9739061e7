// Routes of events.
import Type from 'typebox'

import { success } from '../../core/result.ts'
import { instant } from '../../core/time/instant.ts'
import { grantParams, readCursor, writeCursor } from '../../wire/common.ts'
import { eventData, eventToJson } from '../../wire/eventAnswers.ts'
import { readEventList, readImportSpan } from '../../wire/eventLists.ts'
import * as wire from '../../wire/events.ts'
import { type Method, route } from '../route.ts'

const tag = 'Events'
const path = '/v3/grants/:grant_id/events'

function changeRoute(method: Method) {
  return route({
    method,
    path: `${path}/:event_id`,
    guard: 'grant',
    tag,
    summary: 'Change an event, a series, or one instance of it',
    params: wire.eventParams,
    query: wire.eventQuery,
    body: wire.eventChangeBody,
    data: eventData,
    async handle({ grant, params, query, body, operations }) {
      const name = { grant, calendarId: query.calendar_id, eventId: params.event_id }
      const changed = await operations.changeEvent(name, (before) => wire.readEvent(body, before))
      return changed.ok ? success({ data: eventToJson(changed.value) }) : changed
    },
  })
}

export const eventRoutes = [
  route({
    method: 'GET',
    path,
    guard: 'grant',
    tag,
    summary: 'Events that take place in a span of time',
    params: grantParams,
    query: wire.eventListQuery,
    data: Type.Array(eventData),
    isList: true,
    async handle({ grant, query, operations }) {
      const question = readEventList(query)
      if (!question.ok) return question
      const { limit, span, series, isEmpty, filter } = question.value
      const command = { grant, calendarId: query.calendar_id, limit, filter }
      if (span === undefined) {
        const cursor = readCursor(query.page_token, ['string'])
        if (!cursor.ok) return cursor
        const listed = await operations.listEventRows(command, cursor.value?.[0])
        if (!listed.ok) return listed
        return answer(listed.value.events, listed.value.next === undefined ? undefined : [listed.value.next])
      }
      const cursor = readCursor(query.page_token, ['number', 'string'])
      if (!cursor.ok) return cursor
      const after = cursor.value === undefined ? undefined : { start: instant(cursor.value[0]), id: cursor.value[1] }
      const listed = await operations.listEventsBetween(command, { span, series, after })
      if (!listed.ok) return listed
      const { events, next } = isEmpty ? { events: [], next: undefined } : listed.value
      return answer(events, next === undefined ? undefined : [next.start, next.id])
    },
  }),
  route({
    method: 'GET',
    path: `${path}/import`,
    guard: 'grant',
    tag,
    summary: 'Events as they are kept: series whole, changed instances beside them',
    params: grantParams,
    query: wire.eventImportQuery,
    data: Type.Array(eventData),
    isList: true,
    async handle({ grant, query, operations }) {
      const cursor = readCursor(query.page_token, ['string'])
      if (!cursor.ok) return cursor
      const span = readImportSpan(query)
      if (!span.ok) return span
      const command = { grant, calendarId: query.calendar_id, limit: query.limit ?? 50, filter: { span: span.value } }
      const listed = await operations.listEventRows(command, cursor.value?.[0])
      if (!listed.ok) return listed
      return answer(
        listed.value.events,
        listed.value.next === undefined ? undefined : [listed.value.next],
        'hidesMetadata',
      )
    },
  }),
  route({
    method: 'POST',
    path,
    guard: 'grant',
    tag,
    summary: 'Make an event or a series',
    params: grantParams,
    query: wire.eventQuery,
    body: wire.eventBody,
    data: eventData,
    async handle({ grant, query, body, operations }) {
      const content = wire.readEvent(body)
      if (!content.ok) return content
      const created = await operations.createEvent({ grant, calendarId: query.calendar_id }, content.value)
      return created.ok ? success({ data: eventToJson(created.value) }) : created
    },
  }),
  route({
    method: 'GET',
    path: `${path}/:event_id`,
    guard: 'grant',
    tag,
    summary: 'One event, or one instance of a series',
    params: wire.eventParams,
    query: wire.eventQuery,
    data: eventData,
    async handle({ grant, params, query, operations }) {
      const shown = await operations.showEvent({ grant, calendarId: query.calendar_id, eventId: params.event_id })
      return shown.ok ? success({ data: eventToJson(shown.value) }) : shown
    },
  }),
  changeRoute('PUT'),
  changeRoute('PATCH'),
  route({
    method: 'DELETE',
    path: `${path}/:event_id`,
    guard: 'grant',
    tag,
    summary: 'Delete an event, a series, or cancel one instance of it',
    params: wire.eventParams,
    query: wire.eventQuery,
    async handle({ grant, params, query, operations }) {
      const deleted = await operations.deleteEvent({ grant, calendarId: query.calendar_id, eventId: params.event_id })
      return deleted.ok ? success({}) : deleted
    },
  }),
  route({
    method: 'POST',
    path: `${path}/:event_id/send-rsvp`,
    guard: 'grant',
    tag,
    summary: 'Answer an invitation; no mail is sent from a virtual calendar',
    params: wire.eventParams,
    query: wire.rsvpQuery,
    body: wire.rsvpBody,
    data: Type.Object({}),
    async handle({ grant, params, query, body, operations }) {
      const answered = await operations.answerInvitation(
        { grant, calendarId: query.calendar_id, eventId: params.event_id },
        body.status,
      )
      return answered.ok ? success({ data: {} }) : answered
    },
  }),
]

function answer(
  events: readonly Parameters<typeof eventToJson>[0][],
  next: readonly (string | number)[] | undefined,
  hidesMetadata?: 'hidesMetadata',
) {
  return success({
    data: events.map((event) => eventToJson(event, hidesMetadata)),
    nextCursor: next === undefined ? undefined : writeCursor(next),
  })
}
