// Makes an event stand on a CalDAV calendar as described, step by step from whatever stands there now: every step may be repeated.
import { setTimeout as wait } from 'node:timers/promises'

import type { PlacedEvent } from '../../../core/booking/placedEvent.ts'
import { failure, type Result, success } from '../../../core/result.ts'
import type { Placed } from '../calendarProvider.ts'
import { type DavClient, unavailable } from './client.ts'
import {
  hasGuests,
  isAtItsTime,
  isOfOthers,
  leavesGuestsToServer,
  ownEvent,
  planChange,
  type WritingHost,
  writeNew,
} from './mapping.ts'
import { type DavObject, findByUid, putObject, readEtag, readObject } from './objects.ts'
import { placeOf } from './places.ts'

/** Reading, writing and reading back, with room for others who write at the same time. */
const mostRounds = 12
/** Some servers invite a moment after they have stored the event. */
const mostWaits = 4
const waitMs = 250

export type Place = {
  readonly calendarUrl: string
  readonly home: string
  readonly signal: AbortSignal
}

/** Problems: `calendarUnavailable`, `grantExpired`. */
export async function placeEvent(
  client: DavClient,
  { calendarUrl, home, signal }: Place,
  event: PlacedEvent,
  host: WritingHost,
): Promise<Result<Placed>> {
  let url = `${calendarUrl}${event.id}.ics`
  const invitesLater = event.isHeld === true && leavesGuestsToServer(event, host)
  // Guests whom the server would invite come onto it when it stays.
  const first = invitesLater ? { ...event, participants: [] } : event
  let isWritten = false
  let waits = 0
  const refused = new Set<string>()
  for (let round = 0; round < mostRounds; round += 1) {
    // Before the object: what somebody writes in between is read, or refuses ours.
    const listed = refused.size === 0 ? undefined : await readEtag(client, url)
    if (typeof listed === 'object') return failure(listed.problem)
    const there: DavObject | 'absent' | { problem: Parameters<typeof failure>[0] } = await readObject(client, url)
    if (there !== 'absent' && 'problem' in there) return failure(there.problem)
    if (there === 'absent') {
      const made = await putObject(client, url, writeNew(first, host), 'ifAbsent')
      if (typeof made === 'object') return failure(made.problem)
      if (made === 'written') isWritten = true
      else {
        const elsewhere = await findByUid(client, calendarUrl, event.icalUid)
        if (elsewhere === 'absent') {
          // Someone else may have been first at this very place; if not, it will not be taken.
          if (round > 2) return failure(unavailable('refused the event'))
          continue
        }
        if ('problem' in elsewhere) return failure(elsewhere.problem)
        url = elsewhere.url
      }
      continue
    }
    // The server itself put it here, as an invitation to the owner: it follows its organizer's event.
    if (isOfOthers(there.calendar, event.icalUid, host.addresses)) return success({ invited: [] })
    const id = placeOf(url, url, home)
    const item = id === undefined ? {} : { item: { id, version: there.etag } }
    const own = ownEvent(there.calendar, event.icalUid)
    if (invitesLater && own !== undefined && !hasGuests(own, host) && isAtItsTime(own, event, there.calendar))
      return success({ invited: [], invitesLater, ...item })
    const plan = planChange(there.calendar, event, host, isWritten)
    if (plan.kind === 'done') return success({ invited: plan.invited, ...item })
    if (plan.kind === 'wait' && waits < mostWaits) {
      waits += 1
      await wait(waitMs, undefined, { signal }).catch(() => undefined)
      continue
    }
    // A weak ETag, or one that something on the way has altered, matches nothing, however often it is read. Where the one that
    // is listed does not either, though it has stayed the same, no condition can be met.
    const ifMatch = [there.etag, listed].find((etag) => etag !== undefined && !refused.has(etag))
    const written = await putObject(client, url, plan.text, { ifMatch })
    if (written === 'conflict' && ifMatch !== undefined) refused.add(ifMatch)
    if (typeof written === 'object') return failure(written.problem)
    // Someone else wrote in between: what they wrote is read, and ours put on top of it.
    isWritten = written === 'written'
  }
  return failure(unavailable('does not keep the event as it was written'))
}
