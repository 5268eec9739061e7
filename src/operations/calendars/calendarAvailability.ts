// When several people can meet, asked of their calendars without a configuration.
import { resolveCalendars } from '../../adapters/storage/calendars.ts'
import { latestOfGroup } from '../../adapters/storage/events.ts'
import { findGrant, findGrantsByEmail } from '../../adapters/storage/grants.ts'
import type { Grant } from '../../core/account/grant.ts'
import { queue } from '../../core/availability/assignment.ts'
import { type AvailabilityAnswer, findSlots } from '../../core/availability/availability.ts'
import type { ParticipantCalendar } from '../../core/configuration/configuration.ts'
import { type AppId, type CalendarId, isUuid } from '../../core/ids.ts'
import { invalidRequest } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { type Instant, minuteMs, plus } from '../../core/time/instant.ts'
import { findLengthProblem } from '../../wire/availability.ts'
import type { CalendarAvailabilityQuestion } from '../../wire/calendarAvailability.ts'
import type { Tools } from '../tools.ts'
import { mirrored, readBusy } from './readBusy.ts'

type Needs = Pick<Tools, 'database' | 'providers' | 'mailer' | 'syncing' | 'now'>
type Participant = CalendarAvailabilityQuestion['participants'][number] & {
  readonly grant: Grant
  readonly calendars: readonly ParticipantCalendar[]
}

/**
 * The slots of the window, counted from its start.
 * Problems: `invalidRequest` (no grant or calendar, the same one twice, or too many slots), `calendarUnavailable`.
 */
export async function calendarAvailability(
  tools: Needs,
  appId: AppId,
  question: CalendarAvailabilityQuestion,
): Promise<Result<AvailabilityAnswer>> {
  const found = await findParticipants(tools, appId, question)
  if (!found.ok) return found
  const participants = found.value
  const calendars = participants.flatMap((participant) => participant.calendars)
  // An event touches the window also by its buffer.
  const span = {
    start: plus(question.window.start, -question.bufferAfterMinutes * minuteMs),
    end: plus(question.window.end, question.bufferBeforeMinutes * minuteMs),
  }
  const isRoundRobin = question.method !== 'collective'
  const [busy, order] = await Promise.all([
    readBusy(tools, { appId, calendars, span }, mirrored(tools)),
    isRoundRobin ? readQueue(tools, appId, participants, question.group) : undefined,
  ])
  if (!busy.ok) return busy
  let next = 0
  const answer = findSlots({
    ...question,
    grid: {
      intervalMinutes: question.intervalMinutes,
      roundToMinutes: question.roundToMinutes,
      anchor: { kind: 'instant', at: question.window.start },
    },
    participants: participants.map(({ grant, hours, calendars: own }) => ({
      email: grant.email,
      hours,
      busy: own.flatMap(() => busy.value[next++] ?? []),
    })),
    ...(order === undefined ? {} : { order }),
  })
  const tooLong = findLengthProblem(answer)
  return tooLong === undefined ? success(answer) : failure(tooLong)
}

async function findParticipants(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
  { participants }: CalendarAvailabilityQuestion,
): Promise<Result<Participant[]>> {
  const emails = participants.flatMap(({ email }) => email ?? [])
  const ids = participants.flatMap(({ grantId }) => (grantId !== undefined && isUuid(grantId) ? [grantId] : []))
  const [byEmail, ...byId] = await database.read(appId, (transaction) =>
    Promise.all([
      findGrantsByEmail(transaction, emails),
      ...ids.map((value) => findGrant(transaction, { by: 'id', value })),
    ]),
  )
  const grants = [...byEmail, ...byId.flatMap((grant) => grant ?? [])]
  const owners: Grant[] = []
  for (const [index, { email, grantId }] of participants.entries()) {
    const field = email === undefined ? `participants[${index}].grant_id` : `participants[${index}].email`
    const isNamed = (grant: Grant) =>
      grantId === undefined ? grant.email.toLowerCase() === email?.toLowerCase() : grant.id === grantId.toLowerCase()
    const grant = grants.find(isNamed)
    if (grant === undefined || grant.status !== 'valid')
      return failure(invalidRequest(`has no valid grant: ${email ?? grantId}`, field))
    if (owners.some(({ id }) => id === grant.id))
      return failure(invalidRequest('is the same participant as another one', field))
    owners.push(grant)
  }
  return findCalendars({ database }, appId, participants, owners)
}

async function findCalendars(
  { database }: Pick<Tools, 'database'>,
  appId: AppId,
  participants: CalendarAvailabilityQuestion['participants'],
  owners: readonly Grant[],
): Promise<Result<Participant[]>> {
  const named = participants.flatMap(({ calendarIds }, index) => {
    const grant = owners[index]
    return grant === undefined
      ? []
      : calendarIds.map((calendarId) => ({ index, grant, calendarId: calendarId as CalendarId }))
  })
  const found = await resolveCalendars(
    database,
    appId,
    named.map(({ grant, calendarId }) => ({ grantId: grant.id, calendarId })),
  )
  const missing = found.indexOf(undefined)
  if (missing >= 0)
    return failure(
      invalidRequest(
        `there is no calendar ${named[missing]?.calendarId}`,
        `participants[${named[missing]?.index}].calendar_ids`,
      ),
    )
  return success(
    participants.flatMap((participant, index) => {
      const grant = owners[index]
      if (grant === undefined) return []
      const ids = new Set(found.flatMap((calendar) => (calendar?.grantId === grant.id ? [calendar.id] : [])))
      return [
        {
          ...participant,
          grant,
          calendars: [...ids].map((calendarId) => ({
            key: { grantId: grant.id, calendarId },
            provider: grant.provider,
          })),
        },
      ]
    }),
  )
}

/** Next in turn first: whoever has had no event of the group, then whose latest one is oldest. */
async function readQueue(
  { database }: Needs,
  appId: AppId,
  participants: readonly Participant[],
  group: string | undefined,
): Promise<string[]> {
  const calendars = participants.flatMap((participant) => participant.calendars.map(({ key }) => key))
  const latest =
    group === undefined ? calendars.map(() => undefined) : await latestOfGroup(database, appId, calendars, group)
  let next = 0
  return queue(
    participants.map(({ grant, calendars: own }) => {
      const times = own.flatMap((): readonly Instant[] => {
        const at = latest[next++]
        return at === undefined ? [] : [at]
      })
      const last = times.toSorted((a, b) => b - a)[0]
      return last === undefined ? { email: grant.email } : { email: grant.email, lastBookedAt: last }
    }),
  )
}
