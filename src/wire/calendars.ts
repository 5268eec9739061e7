// Calendars as JSON.
import Type, { type Static } from 'typebox'

import type { Calendar, CalendarDetails } from '../core/calendar/calendar.ts'
import type { CalendarStanding } from '../core/calendar/health.ts'
import { type Result, success } from '../core/result.ts'
import { toUnixSeconds } from '../core/time/instant.ts'
import { cursorQuery, metadataSchema, optional, readTimezone } from './common.ts'

const text = (maxLength: number) => optional(Type.String({ maxLength }))
const color = optional(Type.String({ pattern: '^#[0-9A-Fa-f]{6}$', errorMessage: 'must be a colour like #0099ee' }))

const name = Type.String({ minLength: 1, maxLength: 255 })
const fields = {
  description: text(8192),
  location: text(255),
  timezone: optional(Type.String({ maxLength: 64 })),
  metadata: optional(metadataSchema),
}

export const calendarBody = Type.Object({ name, ...fields })
export const calendarChangeBody = Type.Object({
  name: optional(name),
  ...fields,
  hex_color: color,
  hex_foreground_color: color,
})
export const calendarParams = Type.Object({ grant_id: Type.String(), calendar_id: Type.String() })
export const calendarListQuery = Type.Object({
  ...cursorQuery,
  metadata_pair: Type.Optional(Type.String({ maxLength: 4096 })),
})

export const calendarData = Type.Object({
  id: Type.String(),
  grant_id: Type.String(),
  object: Type.Literal('calendar'),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  location: Type.Optional(Type.String()),
  timezone: Type.String(),
  is_primary: Type.Boolean(),
  is_owned_by_user: Type.Boolean(),
  read_only: Type.Boolean(),
  hex_color: Type.Optional(Type.String()),
  hex_foreground_color: Type.Optional(Type.String()),
  metadata: Type.Optional(metadataSchema),
  /** Beyond the wire, of calendars at a provider. */
  sync: Type.Optional(
    Type.Object({
      status: Type.Enum(['ok', 'stale', 'failing', 'reconnect']),
      reason: Type.Optional(Type.String()),
      since: Type.Integer(),
      read_at: Type.Optional(Type.Integer()),
    }),
  ),
})

export function calendarToJson(calendar: Calendar): Static<typeof calendarData> {
  const { description, location, hexColor, hexForegroundColor, metadata } = calendar.details
  return {
    id: calendar.id,
    grant_id: calendar.grantId,
    object: 'calendar',
    name: calendar.name,
    ...(description === undefined ? {} : { description }),
    ...(location === undefined ? {} : { location }),
    timezone: calendar.timezone,
    is_primary: calendar.isPrimary,
    is_owned_by_user: true,
    read_only: calendar.readOnly,
    ...(hexColor === undefined ? {} : { hex_color: hexColor }),
    ...(hexForegroundColor === undefined ? {} : { hex_foreground_color: hexForegroundColor }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(calendar.standing === undefined ? {} : { sync: standingToJson(calendar.standing) }),
  }
}

function standingToJson({ status, reason, since, readAt }: CalendarStanding) {
  return {
    status,
    ...(reason === undefined ? {} : { reason }),
    since: toUnixSeconds(since),
    ...(readAt === undefined ? {} : { read_at: toUnixSeconds(readAt) }),
  }
}

/** A `timezone` that is undefined stays as it is; a new calendar's is UTC then. */
export type CalendarContent = {
  readonly name: string
  readonly timezone: string | undefined
  readonly details: CalendarDetails
}

/** `body` laid over `before`: what is left out stays, null takes away, metadata is replaced whole. Problems: `invalidRequest`. */
export function readCalendar(
  body: Static<typeof calendarChangeBody>,
  before?: CalendarContent,
): Result<CalendarContent> {
  const timezone = body.timezone ?? undefined
  const checked = timezone === undefined ? undefined : readTimezone(timezone, 'timezone')
  if (checked?.ok === false) return checked
  const old = before?.details
  return success({
    name: body.name ?? before?.name ?? '',
    timezone,
    details: {
      description: body.description === undefined ? old?.description : (body.description ?? undefined),
      location: body.location === undefined ? old?.location : (body.location ?? undefined),
      hexColor: body.hex_color === undefined ? old?.hexColor : (body.hex_color ?? undefined),
      hexForegroundColor:
        body.hex_foreground_color === undefined ? old?.hexForegroundColor : (body.hex_foreground_color ?? undefined),
      metadata: body.metadata === undefined ? (old?.metadata ?? {}) : (body.metadata ?? {}),
    },
  })
}

/** `data.object` of calendar.deleted; of the others it is the calendar itself. */
export function calendarDeletedNotification(calendar: Calendar): object {
  const { metadata: _, description: __, location: ___, ...rest } = calendarToJson(calendar)
  return rest
}
