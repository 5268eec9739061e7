// What a configuration document must keep beyond its shape. Each problem names the field as the client spelled it.
import { invalidRequest, type Problem } from '../core/problem.ts'
import { isLocalDate } from '../core/time/localDate.ts'
import { isTimezone } from '../core/time/zone.ts'
import { readChoices } from './choices.ts'
import { type ConfigurationDocument, readLocalTime } from './configurations.ts'

/** The first thing that cannot be right, or undefined. Grants and calendars are checked where they are known. */
export function findConfigurationProblem(document: ConfigurationDocument): Problem | undefined {
  return (
    findTypeProblem(document) ??
    findParticipantProblem(document) ??
    findTimeProblem(document) ??
    findEventProblem(document) ??
    findFieldProblem(document)
  )
}

function findTypeProblem({ type }: ConfigurationDocument): Problem | undefined {
  if (type !== undefined && type !== null && type !== '') return invalidRequest('must be empty or left out', 'type')
  return undefined
}

function findParticipantProblem(document: ConfigurationDocument): Problem | undefined {
  const { participants } = document
  const seen = new Map<string, number>()
  for (const [index, { email }] of participants.entries()) {
    if (seen.has(email.toLowerCase()))
      return invalidRequest(
        `is the same as participants[${seen.get(email.toLowerCase())}].email`,
        `participants[${index}].email`,
      )
    seen.set(email.toLowerCase(), index)
  }
  if (!participants.some((participant) => participant.availability))
    return invalidRequest('at least one participant must have availability', 'participants')
  if (!participants.some((participant) => participant.booking))
    return invalidRequest('at least one participant must have booking', 'participants')
  const organizers = participants.filter((participant) => participant.is_organizer === true).length
  const method = document.availability.availability_rules?.availability_method ?? 'collective'
  if (method === 'collective' && participants.length > 1 && organizers !== 1)
    return invalidRequest('exactly one participant must have is_organizer: true', 'participants')
  if (method !== 'collective' && !participants.some((participant) => participant.booking && participant.availability))
    return invalidRequest('a round robin needs participants with both availability and booking', 'participants')
  return undefined
}

type Place = readonly [value: string | null | undefined, field: string]
type Block = {
  readonly start: string
  readonly end: string
  readonly timezone?: string | null | undefined
  readonly date?: string
  readonly exdates?: readonly string[] | null | undefined
}

function findTimeProblem(document: ConfigurationDocument): Problem | undefined {
  const rules = document.availability.availability_rules
  const weekly: [Block, string][] = []
  const dated: [Block, string][] = []
  for (const [index, block] of (rules?.default_open_hours ?? []).entries())
    weekly.push([block, `availability.availability_rules.default_open_hours[${index}]`])
  for (const [index, entry] of (rules?.default_specific_time_availability ?? []).entries())
    dated.push([entry, `availability.availability_rules.default_specific_time_availability[${index}]`])
  for (const [index, participant] of document.participants.entries()) {
    for (const [at, block] of (participant.availability?.open_hours ?? []).entries())
      weekly.push([block, `participants[${index}].availability.open_hours[${at}]`])
    for (const [at, entry] of (participant.specific_time_availability ?? []).entries())
      dated.push([entry, `participants[${index}].specific_time_availability[${at}]`])
  }
  const zones: Place[] = [
    [document.event_booking.timezone, 'event_booking.timezone'],
    ...document.participants.map(({ timezone }, index): Place => [timezone, `participants[${index}].timezone`]),
    ...[...weekly, ...dated].map(([block, field]): Place => [block.timezone, `${field}.timezone`]),
  ]
  for (const [zone, field] of zones)
    if (zone && !isTimezone(zone))
      return invalidRequest(`"${zone}" is not an IANA time zone, as Europe/Berlin is`, field)
  for (const [block, field] of [...weekly, ...dated])
    for (const date of [...(block.date === undefined ? [] : [block.date]), ...(block.exdates ?? [])])
      if (!isLocalDate(date))
        return invalidRequest(
          `${date} is not a date of the calendar`,
          `${field}.${block.date === undefined ? 'exdates' : 'date'}`,
        )
  for (const [block, field] of weekly)
    if (readLocalTime(block.end) <= readLocalTime(block.start))
      return invalidRequest('must be later than start; a night shift needs two blocks', `${field}.end`)
  for (const [entry, field] of dated) {
    const [start, end] = [readLocalTime(entry.start), readLocalTime(entry.end)]
    if (end <= start && !(start === 0 && end === 0))
      return invalidRequest('must be later than start; 00:00 to 00:00 closes the date', `${field}.end`)
  }
  return undefined
}

function findEventProblem({ event_booking: event }: ConfigurationDocument): Problem | undefined {
  const { provider, autocreate, details } = event.conferencing ?? {}
  if (autocreate && details)
    return invalidRequest('has both autocreate and details; give one of them', 'event_booking.conferencing')
  if (!provider && (autocreate || details)) return invalidRequest('is required', 'event_booking.conferencing.provider')
  if (provider && !autocreate && !details)
    return invalidRequest('has neither autocreate nor details; give one of them', 'event_booking.conferencing')
  return undefined
}

function findFieldProblem(document: ConfigurationDocument): Problem | undefined {
  for (const [key, field] of Object.entries(document.scheduler?.additional_fields ?? {})) {
    const needsOptions = field.type === 'dropdown' || field.type === 'radio_button'
    if (needsOptions && (field.options ?? []).length === 0)
      return invalidRequest(`is required for ${field.type}`, `scheduler.additional_fields.${key}.options`)
    const ambiguous = field.type === 'multi_select' ? findAmbiguous(field.options ?? []) : undefined
    if (ambiguous !== undefined)
      return invalidRequest(
        `"${ambiguous}" cannot be told from other options: those that a guest chooses are joined by commas`,
        `scheduler.additional_fields.${key}.options`,
      )
  }
  return undefined
}

/** An option with commas that could also be several others. */
function findAmbiguous(options: readonly string[]): string | undefined {
  return options.find((option) => {
    const others = options.filter((other) => other !== option)
    return option.includes(',') && readChoices(option, others) !== undefined
  })
}
