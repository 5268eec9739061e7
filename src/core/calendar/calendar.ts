// A calendar: a container of events under a grant.
import type { CalendarId, GrantId } from '../ids.ts'
import type { Instant } from '../time/instant.ts'
import type { CalendarStanding } from './health.ts'

export type Calendar = {
  readonly grantId: GrantId
  readonly id: CalendarId
  readonly name: string
  readonly timezone: string
  readonly isPrimary: boolean
  readonly readOnly: boolean
  readonly details: CalendarDetails
  /** Of a calendar at a provider; virtual ones always stand. */
  readonly standing?: CalendarStanding | undefined
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

export type CalendarDetails = {
  readonly description?: string | undefined
  readonly location?: string | undefined
  readonly hexColor?: string | undefined
  readonly hexForegroundColor?: string | undefined
  readonly metadata: Readonly<Record<string, string>>
}

/** How many calendars one virtual account may keep. */
export const calendarLimit = 10
