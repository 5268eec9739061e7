// Books a slot for a guest.

import { readVersions } from '../../adapters/storage/configurations.ts'
import type { Transaction } from '../../adapters/storage/database/database.ts'
import { eventIdOf, newBookingId, newSalt } from '../../adapters/storage/database/ids.ts'
import { actorOf, askerOf, type Principal } from '../../core/account/principal.ts'
import type { Booking, BookingDetails, Service } from '../../core/booking/booking.ts'
import { descriptionLimit, fillTokens, oneLine, titleLimit } from '../../core/booking/texts.ts'
import type { Configuration } from '../../core/configuration/configuration.ts'
import { widened } from '../../core/configuration/slotQuestion.ts'
import type { BookingId } from '../../core/ids.ts'
import { accountGone, invalidRequest, slotTaken } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { fromUnixSeconds } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import { isTimezone } from '../../core/time/zone.ts'
import { bookingToJson, type CreateBookingJson, type GuestWords, readGuestWords } from '../../wire/bookings.ts'
import { readRemoteBusy } from '../calendars/readBusy.ts'
import {
  type ConfigurationQuery,
  type LoadedConfiguration,
  resolveWithHosts,
} from '../configurations/loadConfiguration.ts'
import {
  calendarGone,
  changedAgain,
  StaleConfiguration,
  withFreshConfiguration,
} from '../configurations/withFreshConfiguration.ts'
import { type OnceContext, once, type WriteAnswer } from '../once.ts'
import { endOfPatience, hasTimeForAnotherTry } from '../patience.ts'
import type { Tools } from '../tools.ts'
import { bookTogether, type NewBooking } from './bookTogether.ts'
import { type ChangeContext, carryThrough } from './carryThrough.ts'
import { chooseService } from './chooseService.ts'
import { readAnswers } from './guestAnswers.ts'
import { isHere } from './placeEvents.ts'
import { finishEarlierTry } from './recoverBooking.ts'

export type CreateBookingCommand = {
  readonly principal: Principal
  /** `timezone` stands in for a body that names none. */
  readonly query: ConfigurationQuery & { readonly timezone?: string | undefined }
  readonly body: CreateBookingJson
  readonly idempotencyKey: string | undefined
}

/**
 * The answer's data is the booking, `booked` or `pending`.
 * Problems: `slotUnavailable`, `slotTaken`, `calendarUnavailable`, `invalidRequest`, `notFound`, `invalidSession`, and
 * those of `once`.
 */
export async function createBooking(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>,
  command: CreateBookingCommand,
): Promise<Result<WriteAnswer>> {
  const { principal, query, body } = command
  if (principal.kind === 'booking') return failure({ kind: 'invalidSession', message: 'Invalid session' })
  const until = endOfPatience(tools.now())
  return withFreshConfiguration(
    tools.database,
    (which) => resolveWithHosts(tools, principal, query, which),
    (loaded) => {
      const { appId, id } = loaded.configuration
      const repeatable = {
        appId,
        scope: `create ${id} ${principal.kind}`,
        key: command.idempotencyKey,
        request: [body, query.timezone],
        objectId: newBookingId(id),
      }
      return once(tools.database, repeatable, async (context) => {
        let isHeld = false
        const onHeld = () => {
          isHeld = true
        }
        const made = await book(tools, command, loaded, { ...context, until, onHeld })
        if (!made.ok && made.problem === accountGone) throw new StaleConfiguration(calendarGone)
        if (!made.ok && !isHeld) await checkVersion(tools, loaded.configuration)
        return made
      })
    },
    () => hasTimeForAnotherTry(tools.now(), until),
  )
}

/** A configuration out of memory must not refuse anything. The claim itself compares versions under its locks. */
async function checkVersion({ database }: Pick<Tools, 'database'>, configuration: Configuration): Promise<void> {
  const [version] = (await readVersions(database, configuration.appId, configuration.id, [])) ?? []
  if (version !== configuration.version) throw new StaleConfiguration(changedAgain)
}

async function book(
  tools: Pick<Tools, 'database' | 'providers' | 'mailer' | 'now'>,
  { principal, query, body }: CreateBookingCommand,
  loaded: LoadedConfiguration,
  { objectId, mayExist, remember, until, onHeld }: OnceContext & Required<Pick<ChangeContext, 'until' | 'onHeld'>>,
): Promise<Result<object>> {
  const { configuration } = loaded
  const { appId } = configuration
  if (mayExist) {
    const earlier = await finishEarlierTry(tools, { appId, bookingId: objectId as BookingId })
    const made = earlier.ok ? earlier.value : undefined
    if (made !== undefined || !earlier.ok) onHeld?.()
    if (!earlier.ok) return earlier
    if (made?.state === 'held')
      return failure({ kind: 'calendarUnavailable', message: 'The calendar has not taken the event yet; try again' })
    if (made !== undefined) return made.state === 'released' ? failure(slotTaken) : success(bookingToJson(made))
  }
  const when: Interval = { start: fromUnixSeconds(body.start_time), end: fromUnixSeconds(body.end_time) }
  if (when.end <= when.start) return failure(invalidRequest('must be later than start_time', 'end_time'))
  const words = readGuestWords(body)
  const details = await readDetails(configuration, body.guest, {
    ...words,
    timezone: words.timezone ?? (query.timezone || undefined),
  })
  if (!details.ok) return details

  const span = widened(when, configuration)
  const remote = await readRemoteBusy(tools, { appId, calendars: loaded.calendars, span })
  if (!remote.ok) return remote
  const id = objectId as BookingId
  const to = configuration.bookingType === 'booking' ? 'booked' : 'pending'
  const question = { loaded, when, asked: words.participants, remote: remote.value }
  const context = {
    configuration,
    actor: actorOf(principal),
    until,
    onHeld,
    remember:
      remember && ((transaction: Transaction, booking: Booking) => remember(transaction, bookingToJson(booking))),
  }
  const make = (service: Service): ReturnType<NewBooking['make']> => {
    const now = tools.now()
    return {
      appId,
      id,
      configurationId: configuration.id,
      state: 'held',
      cancelledBy: undefined,
      cancellationReason: '',
      direction: 'commit',
      change: { kind: 'create', to, asker: askerOf(principal) === 'guest' ? undefined : 'host' },
      when,
      service,
      details: details.value,
      eventId: eventIdOf(id),
      invitedByCalendar: [],
      organizerSalt: newSalt(configuration.id, id),
      guestSalt: newSalt(configuration.id, id),
      version: 1,
      createdAt: now,
      updatedAt: now,
    }
  }
  const made = loaded.calendars.every((calendar) => isHere(tools, calendar))
    ? await bookTogether(tools, appId, { question, make, context })
    : await carryThrough(tools, appId, context, async (transaction) => {
        const service = await chooseService(tools, transaction, question)
        return service.ok ? success(make(service.value)) : service
      })
  return made.ok ? success(bookingToJson(made.value)) : made
}

/**
 * `answered`: what a booking that stands has for answers already; they stay, and only others are judged by what the
 * configuration asks for now. Problems: `invalidRequest` that names the field.
 */
export async function readDetails(
  configuration: Configuration,
  guest: { readonly name: string; readonly email: string },
  words: Pick<GuestWords, 'timezone' | 'emailLanguage' | 'additionalGuests' | 'additionalFields'>,
  answered?: BookingDetails['additionalFields'],
): Promise<Result<BookingDetails>> {
  const timezone = words.timezone ?? configuration.timezone
  if (!isTimezone(timezone))
    return failure(invalidRequest(`"${timezone}" is not an IANA time zone, as Europe/Berlin is`, 'timezone'))
  const given = words.additionalFields ?? {}
  const answers = await (answered === undefined
    ? readAnswers(configuration, given)
    : readMore(configuration, answered, given))
  if (!answers.ok) return answers
  const cleanGuest = { name: oneLine(guest.name), email: guest.email }
  if (cleanGuest.name === '') return failure(invalidRequest('must not be empty', 'guest.name'))
  const said = { configuration, guest: cleanGuest, additionalFields: answers.value }
  return success({
    title: oneLine(fillTokens(configuration.title, { ...said, limit: titleLimit })),
    description: fillTokens(configuration.description, { ...said, limit: descriptionLimit }),
    location: configuration.location,
    guest: cleanGuest,
    additionalGuests: (words.additionalGuests ?? []).map(({ name, email }) => ({ name: oneLine(name), email })),
    additionalFields: answers.value,
    timezone,
    emailLanguage: words.emailLanguage,
  })
}

async function readMore(
  { additionalFields }: Configuration,
  answered: BookingDetails['additionalFields'],
  given: BookingDetails['additionalFields'],
): ReturnType<typeof readAnswers> {
  const standing = new Map(Object.entries(answered))
  const changed = new Map(Object.entries(given).filter(([key, answer]) => answer !== (standing.get(key) ?? '')))
  const asked = Object.fromEntries(Object.entries(additionalFields).filter(([key]) => changed.has(key)))
  const answers = await readAnswers({ additionalFields: asked }, Object.fromEntries(changed))
  return answers.ok ? success({ ...answered, ...answers.value }) : answers
}
