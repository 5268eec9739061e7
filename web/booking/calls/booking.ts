// Booking, moving, answering and calling off over the API.
import type { LinkedBooking } from '../../../src/wire/pages.ts'
import type { UiSettings } from '../../../src/wire/uiSettings.ts'
import { type Answered, call } from '../../shared/client.ts'
import { type Answers, answersToJson } from '../form/answers.ts'
import { oneOfMany } from './tries.ts'

/** The answer of the API to a booking that was made or moved. */
export type BookingJson = {
  readonly booking_id: string
  readonly booking_ref: string
  readonly title: string
  readonly description: string
  readonly location: string
  readonly status: 'booked' | 'pending' | 'cancelled'
  readonly organizer: { readonly name: string; readonly email: string }
  /** Rises with every change. */
  readonly version: number
  readonly ical_uid: string
}

export type Wish = {
  readonly settings: UiSettings
  readonly start: number
  readonly answers: Answers
  readonly timezone: string
  readonly language: string
  readonly token: string | undefined
}

/** The server takes less for a program's; a browser that fills in everything by itself may be as quick. Milliseconds. */
const leastOpenMs = 2_000

/** Tells the server that a person filled in the form; where it is busy, works for it and asks again. */
export const sendWish = oneOfMany<Wish, BookingJson>(async (wish, key) => {
  const missingMs = leastOpenMs - performance.now()
  if (missingMs > 0) await new Promise((resolve) => setTimeout(resolve, missingMs))
  const sent = await sendOnce(wish, key)
  if (sent.ok || sent.problem.challenge === undefined) return sent
  const script = await import('../../shared/proofOfWork.ts').catch(becauseItIsGone)
  const proof = await script?.solve(sent.problem.challenge)
  return proof === undefined ? sent : sendOnce(wish, key, proof)
})

/** The script does not come: the connection is cut, or a newer server has another one. */
function becauseItIsGone(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error
}

function sendOnce(wish: Wish, key: string, proof?: string): Promise<Answered<BookingJson>> {
  const { settings, start, answers, timezone, language, token } = wish
  const page_check = {
    website: answers.website,
    open_seconds: performance.now() / 1_000,
    ...(proof === undefined ? {} : { proof }),
  }
  const body = {
    start_time: start,
    end_time: start + settings.duration_minutes * 60,
    ...answersToJson(answers),
    timezone,
    email_language: language,
  }
  return call<BookingJson>({
    method: 'POST',
    path: '/v3/scheduling/bookings',
    query: token === undefined ? { configuration_id: settings.configuration_id } : {},
    body: { ...body, page_check },
    token,
    idempotencyKey: key,
  })
}

export type Move = { readonly booking: LinkedBooking; readonly start: number; readonly minutes: number }

/** From the start that was shown to another; all else stays as it was. */
export const moveBooking = oneOfMany<Move, BookingJson>(({ booking, start, minutes }, key) =>
  change(
    booking,
    'PATCH',
    { start_time: start, end_time: start + minutes * 60, shown_start_time: booking.start_time },
    key,
  ),
)

export type Cancellation = { readonly booking: LinkedBooking; readonly reason: string }

/** At the start that was shown, and no other. */
export const cancelBooking = oneOfMany<Cancellation, unknown>(({ booking, reason }, key) =>
  change(booking, 'DELETE', { cancellation_reason: reason, start_time: booking.start_time }, key),
)

export type RequestAnswer = {
  readonly booking: LinkedBooking
  readonly salt: string
  readonly answer:
    | { readonly status: 'confirmed' }
    | { readonly status: 'cancelled'; readonly cancellation_reason: string }
}

/** The organizer's word on a request, for the time at which it was shown and no other. */
export const answerRequest = oneOfMany<RequestAnswer, unknown>(({ booking, salt, answer }, key) =>
  change(booking, 'PUT', { salt, start_time: booking.start_time, ...answer }, key),
)

function change<T>(
  { booking_id, token }: LinkedBooking,
  method: 'PATCH' | 'PUT' | 'DELETE',
  body: object,
  key: string,
) {
  return call<T>({ method, path: `/v3/scheduling/bookings/${booking_id}`, body, token, idempotencyKey: key })
}

/** Where the guest is sent after booking, with what was booked laid over the address's own query. */
export function redirectAddress(base: string, booking: BookingJson, wish: Wish, parameters: URLSearchParams): string {
  const { settings, start, answers, timezone, language } = wish
  const address = new URL(base)
  const added: Record<string, string | undefined> = {
    ...Object.fromEntries(parameters),
    booking_id: booking.booking_id,
    name: answers.name.trim(),
    email: answers.email.trim(),
    start_time: String(start),
    end_time: String(start + settings.duration_minutes * 60),
    tz: timezone,
    language,
    additional_values: JSON.stringify(answersToJson(answers).additional_fields),
    page_slug: settings.slug ?? undefined,
    config_id: settings.configuration_id,
    location: booking.location || undefined,
    booking_ref: booking.booking_ref || undefined,
  }
  for (const [name, value] of Object.entries(added)) if (value !== undefined) address.searchParams.set(name, value)
  return address.href
}
