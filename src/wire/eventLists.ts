// How a list of events is asked for.
import type { Static } from 'typebox'

import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { fromUnixSeconds, type Instant, plus } from '../core/time/instant.ts'
import type { Interval } from '../core/time/interval.ts'
import { readList, readMetadataPair } from './common.ts'
import { type eventImportQuery, eventListQuery } from './events.ts'

type Query = Static<typeof eventListQuery>

/** `span` is absent where the list is of rows, whenever they take place. */
export type EventListQuestion = {
  readonly limit: number
  readonly span: { readonly start: Instant | undefined; readonly end: Instant | undefined } | undefined
  readonly series: 'expanded' | 'whole'
  /** An `event_type` that no event of a virtual calendar has. */
  readonly isEmpty: boolean
  readonly filter: {
    readonly showCancelled: boolean
    readonly busy: boolean | undefined
    readonly words: { readonly title: string[]; readonly description: string[]; readonly location: string[] }
    readonly icalUid: string | undefined
    readonly masterEventId: string | undefined
    readonly metadataPair: Readonly<Record<string, string>> | undefined
    readonly updatedAfter: Instant | undefined
    readonly updatedBefore: Instant | undefined
    readonly attendees: string[] | undefined
  }
}

/** What goes with every filter. */
const paging = new Set([
  'limit',
  'page_token',
  'select',
  'calendar_id',
  'tentative_as_busy',
  'order_by',
  'show_cancelled',
  'expand_recurring',
])

const filters = Object.keys(eventListQuery.properties).filter((name) => !paging.has(name))
const eventTypes = ['default', 'outOfOffice', 'focusTime', 'workingLocation']

/** Problems: `invalidRequest` for an event type that nobody knows, for filters that exclude each other, and for an end before the start. */
export function readEventList(query: Query): Result<EventListQuestion> {
  for (const only of ['metadata_pair', 'ical_uid'] as const) {
    if (query[only] === undefined) continue
    const other = filters.find((name) => name !== only && name in query)
    if (other !== undefined) return failure(invalidRequest(`cannot be combined with ${other}`, only))
  }
  const pair = query.metadata_pair === undefined ? success(undefined) : readMetadataPair(query.metadata_pair)
  if (!pair.ok) return pair
  const { start, end } = query
  if (start !== undefined && end !== undefined && end < start)
    return failure(invalidRequest('must not be before start', 'end'))
  const types = readList(query.event_type)
  if (types?.some((type) => !eventTypes.includes(type)))
    return failure(invalidRequest(`must be one of ${eventTypes.join(', ')}`, 'event_type'))
  return success({
    limit: query.limit ?? 50,
    span:
      query.metadata_pair === undefined && query.ical_uid === undefined
        ? { start: instantOf(start), end: endOf(start, end) }
        : undefined,
    series: query.expand_recurring === false ? 'whole' : 'expanded',
    isEmpty: types !== undefined && !types.includes('default'),
    filter: {
      showCancelled: query.show_cancelled ?? false,
      busy: query.busy,
      words: {
        title: wordsOf(query.title),
        description: wordsOf(query.description),
        location: wordsOf(query.location),
      },
      icalUid: query.ical_uid,
      masterEventId: query.master_event_id,
      metadataPair: pair.value,
      updatedAfter: instantOf(query.updated_after),
      updatedBefore: instantOf(query.updated_before),
      attendees: readList(query.attendees),
    },
  })
}

function instantOf(seconds: number | undefined): Instant | undefined {
  return seconds === undefined ? undefined : fromUnixSeconds(seconds)
}

/** A span that ends where it starts is a moment: what takes place then overlaps it. */
function endOf(start: number | undefined, end: number | undefined): Instant | undefined {
  const at = instantOf(end)
  return at !== undefined && start === end ? plus(at, 1) : at
}

/** An import goes through all there is, unless it is told a span. Problems: `invalidRequest`. */
export function readImportSpan({ start, end }: Static<typeof eventImportQuery>): Result<Interval | undefined> {
  if (start === undefined && end === undefined) return success(undefined)
  const span = { start: fromUnixSeconds(start ?? 0), end: endOf(start, end) ?? fromUnixSeconds(253_402_300_799) }
  return span.end < span.start ? failure(invalidRequest('must not be before start', 'end')) : success(span)
}

const wordsLimit = 20

function wordsOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(0, wordsLimit)
}
