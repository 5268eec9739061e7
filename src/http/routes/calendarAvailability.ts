// Routes that say when people are busy, and when they can meet.
import { callerOf } from '../../core/account/principal.ts'
import { success } from '../../core/result.ts'
import { availabilityData, availabilityToJson } from '../../wire/availability.ts'
import { calendarAvailabilityBody, readCalendarAvailability } from '../../wire/calendarAvailability.ts'
import { grantParams } from '../../wire/common.ts'
import { freeBusyBody, freeBusyData, freeBusyToJson, readWindow } from '../../wire/freeBusy.ts'
import { route } from '../route.ts'

const tag = 'Calendars'

export const calendarAvailabilityRoutes = [
  route({
    method: 'POST',
    path: '/v3/grants/:grant_id/calendars/free-busy',
    guard: 'grant',
    tag,
    summary: 'When mailboxes are busy',
    params: grantParams,
    body: freeBusyBody,
    data: freeBusyData,
    async handle({ grant, body, operations }) {
      const window = readWindow(body)
      if (!window.ok) return window
      const found = await operations.freeBusy({ appId: grant.appId, emails: body.emails, window: window.value })
      return found.ok ? success({ data: freeBusyToJson(found.value) }) : found
    },
  }),
  route({
    method: 'POST',
    path: '/v3/calendars/availability',
    guard: 'keyOrToken',
    tag,
    summary: 'When several people can meet',
    body: calendarAvailabilityBody,
    data: availabilityData,
    async handle({ principal, body, operations }) {
      const question = readCalendarAvailability(body)
      if (!question.ok) return question
      const answer = await operations.calendarAvailability(callerOf(principal).appId, question.value)
      return answer.ok ? success({ data: availabilityToJson(answer.value) }) : answer
    },
  }),
]
