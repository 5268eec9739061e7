// Booking and moving over the API, and what the answers mean for a page.
import type { LinkedBooking } from '../../src/wire/pages.ts'
import type { UiSettings } from '../../src/wire/uiSettings.ts'
import { type Answered, type CallProblem, call, newKey } from '../shared/client.ts'
import { fill } from '../shared/format.ts'
import { type Answers, answersToJson } from './answers.ts'
import type { Words } from './languages/en.ts'

/** The answer of the API to a booking that was made or moved. */
export type BookingJson = {
  readonly booking_id: string
  readonly booking_ref: string
  readonly title: string
  readonly description: string
  readonly location: string
  readonly status: 'booked' | 'pending' | 'cancelled'
  readonly organizer: { readonly name: string; readonly email: string }
}

export type Wish = {
  readonly settings: UiSettings
  readonly start: number
  readonly answers: Answers
  readonly timezone: string
  readonly language: string
  readonly token: string | undefined
}

/** Whoever presses the button again after a lost answer asks for the same thing, not for a second one. */
let lastTry = { text: '', key: '' }

function keyOf(thing: object): string {
  const text = JSON.stringify(thing)
  if (lastTry.text !== text) lastTry = { text, key: newKey() }
  return lastTry.key
}

/** The server takes less for a program's; a browser that fills in everything by itself may be as quick. Milliseconds. */
const leastOpenMs = 2_000

/** Tells the server that a person filled in the form; where it is busy, works for it and asks again. */
export async function sendWish(wish: Wish): Promise<Answered<BookingJson>> {
  const missingMs = leastOpenMs - performance.now()
  if (missingMs > 0) await new Promise((resolve) => setTimeout(resolve, missingMs))
  const sent = await sendOnce(wish)
  if (sent.ok || sent.problem.challenge === undefined) return sent
  const { solve } = await import('../shared/proofOfWork.ts')
  const proof = await solve(sent.problem.challenge)
  return proof === undefined ? sent : sendOnce(wish, proof)
}

function sendOnce(wish: Wish, proof?: string): Promise<Answered<BookingJson>> {
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
    idempotencyKey: keyOf(body),
  })
}

/** To another start; all else stays as it was. */
export function moveBooking(booking: LinkedBooking, start: number, minutes: number): Promise<Answered<BookingJson>> {
  const body = { start_time: start, end_time: start + minutes * 60 }
  return change(booking, 'PATCH', body)
}

export function cancelBooking(booking: LinkedBooking, reason: string): Promise<Answered<unknown>> {
  return change(booking, 'DELETE', { cancellation_reason: reason })
}

/** The organizer's word on a request. */
export function answerRequest(
  booking: LinkedBooking,
  salt: string,
  answer: { readonly status: 'confirmed' } | { readonly status: 'cancelled'; readonly cancellation_reason: string },
): Promise<Answered<unknown>> {
  return change(booking, 'PUT', { salt, ...answer })
}

function change<T>({ booking_id, token }: LinkedBooking, method: 'PATCH' | 'PUT' | 'DELETE', body: object) {
  return call<T>({
    method,
    path: `/v3/scheduling/bookings/${booking_id}`,
    body,
    token,
    idempotencyKey: keyOf([method, booking_id, body]),
  })
}

/** The slot went to someone else, or is not offered any more. */
export function isSlotLost({ type }: CallProblem): boolean {
  return type === 'timeslot_not_available'
}

/** What to tell the person in front of the page. */
export function explain({ status, type, message }: CallProblem, { errors }: Words): string {
  if (status === 0) return errors.network
  if (status === 429) return errors.tooMany
  if (type === 'invalid_session') return errors.session
  if (type === 'provider_error') return errors.calendar
  return fill(errors.failed, { message })
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
