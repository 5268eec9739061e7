// Moves a booking to another slot; with a round robin perhaps to another host.
import { lockBooking, updateBooking } from '../../adapters/storage/bookings.ts'
import { newSalt } from '../../adapters/storage/database/ids.ts'
import { type Asker, actorOf, askerOf, type Principal } from '../../core/account/principal.ts'
import type { Booking, BookingDetails } from '../../core/booking/booking.ts'
import { findBegunProblem, findEndedProblem, isAsItStands, reschedule } from '../../core/booking/lifecycle.ts'
import { countNewcomers } from '../../core/booking/newcomers.ts'
import { widened } from '../../core/configuration/slotQuestion.ts'
import { accountGone, changedMeanwhile, invalidRequest, movedMeanwhile, notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { fromUnixSeconds } from '../../core/time/instant.ts'
import { type Interval, isSameInterval } from '../../core/time/interval.ts'
import { bookingToJson, type RescheduleBookingJson, readGuestWords } from '../../wire/bookings.ts'
import { readRemoteBusy } from '../calendars/readBusy.ts'
import { type ConfigurationQuery, type LoadedConfiguration, loadHosts } from '../configurations/loadConfiguration.ts'
import { calendarGone, StaleConfiguration, withFreshConfiguration } from '../configurations/withFreshConfiguration.ts'
import { type OnceContext, once, type WriteAnswer } from '../once.ts'
import { endOfPatience, hasTimeForAnotherTry } from '../patience.ts'
import type { Tools } from '../tools.ts'
import { type ChangeContext, carryThrough } from './carryThrough.ts'
import { chooseService } from './chooseService.ts'
import { readDetails } from './createBooking.ts'
import { loadBooking } from './loadBooking.ts'
import { finishEarlierTry } from './recoverBooking.ts'

export type RescheduleBookingCommand = {
  readonly principal: Principal
  readonly query: ConfigurationQuery
  readonly bookingId: string
  readonly body: RescheduleBookingJson
  readonly idempotencyKey: string | undefined
}

/**
 * The answer's data is the booking, with the same id. What the body leaves out stays as it was; where nothing else is left,
 * nothing is done. Problems: as `createBooking`, `conflict` where the booking has ended, was moved since it was shown, or
 * another request changed it first, and `invalidRequest` where it has begun, or a caller without an API key brings in too
 * many people.
 */
export async function rescheduleBooking(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>,
  command: RescheduleBookingCommand,
): Promise<Result<WriteAnswer>> {
  const { principal, query, bookingId, body } = command
  const until = endOfPatience(tools.now())
  const found = await loadBooking(tools, principal, query, bookingId)
  if (!found.ok) return found
  const { appId, id } = found.value.booking
  const repeatable = { appId, scope: `reschedule ${id}`, key: command.idempotencyKey, request: body, objectId: id }
  let changedNothing = false
  const written = await once(tools.database, repeatable, (context) =>
    withFreshConfiguration(
      tools.database,
      async () => {
        const again = await loadBooking(tools, principal, query, bookingId)
        if (!again.ok) return again
        // Whatever became of its hosts.
        const end = findEndedProblem(again.value.booking)
        return end === undefined ? loadHosts(tools, again.value.known) : failure(end)
      },
      async (loaded) => {
        const moved = await move(tools, command, found.value.booking, loaded, {
          ...context,
          until,
          answerAsItStands: (booking) => {
            changedNothing = true
            return success(bookingToJson(booking))
          },
        })
        if (!moved.ok && moved.problem === accountGone) throw new StaleConfiguration(calendarGone)
        return moved
      },
      () => hasTimeForAnotherTry(tools.now(), until),
    ),
  )
  return written.ok ? success({ ...written.value, changedNothing }) : written
}

async function move(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>,
  { principal, body }: RescheduleBookingCommand,
  found: Booking,
  loaded: LoadedConfiguration,
  {
    mayExist,
    remember,
    until,
    answerAsItStands,
  }: OnceContext & Pick<ChangeContext, 'until'> & { readonly answerAsItStands: (booking: Booking) => Result<object> },
): Promise<Result<object>> {
  const { configuration } = loaded
  const { appId } = configuration
  const when: Interval = { start: fromUnixSeconds(body.start_time), end: fromUnixSeconds(body.end_time) }
  if (when.end <= when.start) return failure(invalidRequest('must be later than start_time', 'end_time'))
  const earlier = mayExist ? await finishEarlierTry(tools, { appId, bookingId: found.id }) : success(found)
  if (!earlier.ok) return earlier
  const booking = earlier.value ?? found
  // Told before slots are looked at: of a booking that has ended or moved, another time is no help.
  const ended = findEndedProblem(booking)
  if (ended !== undefined) return failure(ended)
  const isShown = body.shown_start_time == null || fromUnixSeconds(body.shown_start_time) === booking.when.start
  // An earlier try may have moved it itself.
  if (!isShown && !(mayExist && isSameInterval(booking.when, when))) return failure(movedMeanwhile('shown_start_time'))
  const words = readGuestWords(body)
  const { details: before } = booking
  const changed = {
    timezone: words.timezone ?? before.timezone,
    emailLanguage: body.email_language ? words.emailLanguage : before.emailLanguage,
    additionalGuests: words.additionalGuests ?? before.additionalGuests,
    additionalFields: words.additionalFields,
  }
  const said = await readDetails(configuration, body.guest ?? before.guest, changed, before.additionalFields)
  if (!said.ok) return said
  // The application answers for whom it names.
  const details =
    principal.kind === 'key'
      ? success({ ...said.value, newcomers: before.newcomers })
      : countNewcomers(before, said.value)
  if (!details.ok) return details
  const asker = askerOf(principal)
  const isDone = isAsItStands(booking, { when, details: details.value, asked: words.participants })
  const begun = mayExist && isDone ? undefined : findBegunProblem(booking, asker, tools.now())
  if (begun !== undefined) return failure(begun)
  if (isDone) {
    const kept = await keepReader(tools, booking, details.value)
    return kept.ok ? answerAsItStands(kept.value) : kept
  }

  const remote = await readRemoteBusy(tools, {
    appId,
    calendars: loaded.calendars,
    span: widened(when, configuration),
    ignoring: own(booking),
  })
  if (!remote.ok) return remote
  const moved = await carryThrough(
    tools,
    appId,
    {
      configuration,
      actor: actorOf(principal),
      until,
      remember: remember && ((transaction, settled) => remember(transaction, bookingToJson(settled))),
    },
    async (transaction) => {
      const current = await lockBooking(transaction, booking.id)
      if (current === undefined) return failure(notFound)
      if (current.version !== booking.version) return failure(changedMeanwhile)
      const service = await chooseService(tools, transaction, {
        loaded,
        when,
        asked: words.participants,
        ignoring: own(booking),
        alsoLocked: booking.service.placements,
        present: booking.service,
        remote: remote.value,
      })
      if (!service.ok) return service
      const target = { when, service: service.value, details: details.value, asker: moverOf(asker) }
      return reschedule(current, target, newSalt(current.configurationId, current.id))
    },
  )
  return moved.ok ? success(bookingToJson(moved.value)) : moved
}

/** In which zone and language the guest reads is news to nobody: mails to come are written so. */
async function keepReader(
  { database }: Pick<Tools, 'database'>,
  booking: Booking,
  { timezone, emailLanguage }: Pick<BookingDetails, 'timezone' | 'emailLanguage'>,
): Promise<Result<Booking>> {
  const { appId, details, version } = booking
  if (timezone === details.timezone && emailLanguage === details.emailLanguage) return success(booking)
  const kept: Booking = { ...booking, details: { ...details, timezone, emailLanguage }, version: version + 1 }
  const isWritten = await database.transaction(appId, (transaction) => updateBooking(transaction, kept, version))
  return isWritten ? success(kept) : failure(changedMeanwhile)
}

function moverOf(asker: Asker): 'host' | undefined {
  return asker === 'guest' ? undefined : 'host'
}

/** A booking does not stand in its own way. */
function own({ id, eventId }: Booking) {
  return { bookingId: id, eventId }
}
