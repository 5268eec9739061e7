// Which calendars of a participant are read, as JSON, and what one counts for that cannot be read.
import Type from 'typebox'

import { closed, type UnreadablePolicy } from '../core/calendar/health.ts'
import { optional } from './common.ts'
import { whole } from './whole.ts'

/** Of `availability`. The two about unreadable calendars go beyond the wire. */
export const calendarMembers = {
  calendar_ids: Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), { maxItems: 50 }),
  unreadable_calendars: optional(Type.Enum(['closed', 'last_known', 'ignore'])),
  last_known_hours: optional(whole({ minimum: 1, maximum: 720 })),
}

const defaultHours = 24

export function readUnreadable(
  said:
    | {
        readonly unreadable_calendars?: string | null | undefined
        readonly last_known_hours?: number | null | undefined
      }
    | null
    | undefined,
): UnreadablePolicy {
  switch (said?.unreadable_calendars) {
    case 'ignore':
      return { kind: 'ignore' }
    case 'last_known':
      return { kind: 'lastKnown', hours: said.last_known_hours ?? defaultHours }
    default:
      return closed
  }
}
