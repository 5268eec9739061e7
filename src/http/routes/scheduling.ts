// `/v3/scheduling`: what guests' pages and SDKs call for one configuration.
import Type from 'typebox'

import type { Principal } from '../../core/account/principal.ts'
import { notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { WriteAnswer } from '../../operations/once.ts'
import { availabilityData } from '../../wire/availability.ts'
import {
  bookingData,
  cancelBookingBody,
  confirmBookingBody,
  createBookingBody,
  rescheduleBookingBody,
} from '../../wire/bookings.ts'
import { optional } from '../../wire/common.ts'
import { uiSettingsData } from '../../wire/uiSettings.ts'
import { unixSeconds, whole } from '../../wire/whole.ts'
import { idempotencyKeyOf, replayHeaders } from '../idempotencyKey.ts'
import { type Answer, type Route, route } from '../route.ts'

const configuration = {
  configuration_id: Type.Optional(Type.String({ maxLength: 255, description: 'Not needed with a session' })),
  slug: Type.Optional(Type.String({ maxLength: 255 })),
  client_id: Type.Optional(Type.String({ maxLength: 255, description: 'The application id; needed with slug' })),
}
const bookingParams = Type.Object({ booking_id: Type.String() })
const bookings = '/v3/scheduling/bookings'

export const schedulingRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v3/scheduling/sessions',
    guard: 'key',
    tag: 'Sessions',
    summary: 'Make a session for a configuration',
    body: Type.Object({
      configuration_id: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])),
      slug: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])),
      time_to_live: optional(whole({ minimum: 1, maximum: 30 }, 'Minutes; 5 where absent')),
    }),
    data: Type.Object({ session_id: Type.String() }),
    handle: async ({ operations, principal, body }) => {
      const made = await operations.createSession(principal as Principal & { kind: 'key' }, {
        configurationId: body.configuration_id ?? undefined,
        slug: body.slug ?? undefined,
        lifeMinutes: body.time_to_live ?? undefined,
      })
      return made.ok ? success({ data: { session_id: made.value } }) : made
    },
  }),
  route({
    method: 'DELETE',
    path: '/v3/scheduling/sessions/:session_id',
    guard: 'key',
    tag: 'Sessions',
    summary: 'End a session',
    params: Type.Object({ session_id: Type.String() }),
    handle: async ({ operations, principal, params }) => {
      const ended = await operations.endSession(principal as Principal & { kind: 'key' }, params.session_id)
      return ended.ok ? success({}) : ended
    },
  }),
  route({
    method: 'GET',
    path: '/v3/scheduling/availability',
    guard: 'scheduler',
    tag: 'Availability',
    summary: 'Slots that can be booked now',
    query: Type.Object({
      ...configuration,
      start_time: unixSeconds(),
      end_time: unixSeconds('At most 92 days after start_time'),
      booking_id: Type.Optional(
        Type.String({ maxLength: 255, description: 'The booking that is to be moved: its own time counts as free' }),
      ),
    }),
    data: availabilityData,
    handle: async ({ operations, principal, query }) => {
      const found = await operations.findSlots(principal, query)
      return found.ok ? success({ dataJson: found.value }) : found
    },
  }),
  route({
    method: 'POST',
    path: bookings,
    guard: 'scheduler',
    tag: 'Bookings',
    summary: 'Book a slot',
    description:
      'The times must be those of a slot that availability offers. A slot that is gone answers 400 (409 with `Prefer: conflict-status=409`). ' +
      'Send an `Idempotency-Key` to make a repeat safe.',
    query: Type.Object({ ...configuration, timezone: Type.Optional(Type.String({ maxLength: 64 })) }),
    body: createBookingBody,
    data: bookingData,
    handle: async ({ operations, principal, query, body: { page_check: _, ...body }, headers }) =>
      written(await operations.createBooking({ principal, query, body, idempotencyKey: idempotencyKeyOf(headers) })),
  }),
  route({
    method: 'GET',
    path: `${bookings}/:booking_id`,
    guard: 'scheduler',
    tag: 'Bookings',
    summary: 'Read a booking',
    params: bookingParams,
    query: Type.Object(configuration),
    data: bookingData,
    handle: async ({ operations, principal, query, params }) => {
      const found = await operations.readBooking(principal, query, params.booking_id)
      return found.ok ? success({ data: found.value }) : found
    },
  }),
  route({
    method: 'PATCH',
    path: `${bookings}/:booking_id`,
    guard: 'scheduler',
    tag: 'Bookings',
    summary: 'Move a booking',
    description:
      'Moves the same event; the booking keeps its id. What the body leaves out stays as it was. Whoever shows the booking to a guest sends the ' +
      'start that was shown as `shown_start_time`: where it was moved meanwhile, the answer is 400 (409 with `Prefer: conflict-status=409`). ' +
      'Without an API key, moves bring at most eleven other people into a booking in all.',
    params: bookingParams,
    query: Type.Object(configuration),
    body: rescheduleBookingBody,
    data: bookingData,
    handle: async ({ operations, principal, query, params, body, headers }) =>
      written(
        await operations.rescheduleBooking({
          principal,
          query,
          bookingId: params.booking_id,
          body,
          idempotencyKey: idempotencyKeyOf(headers),
        }),
      ),
  }),
  route({
    method: 'PUT',
    path: `${bookings}/:booking_id`,
    guard: 'scheduler',
    tag: 'Bookings',
    summary: 'Confirm or decline a pending booking',
    description:
      'Whoever shows the request to an organizer sends the `start_time` that was shown: a guest may have moved it meanwhile, and the answer is ' +
      'then 400 (409 with `Prefer: conflict-status=409`) with nothing done. Without it, the word counts for whatever time the booking has.',
    params: bookingParams,
    query: Type.Object(configuration),
    body: confirmBookingBody,
    // Declined, the answer is the request id alone.
    data: Type.Optional(bookingData),
    handle: async ({ operations, principal, query, params, body, headers }) =>
      written(
        await operations.confirmBooking({
          principal,
          query,
          bookingId: params.booking_id,
          salt: body.salt,
          status: body.status as 'confirmed' | 'cancelled',
          reason: body.cancellation_reason ?? '',
          shownStart: body.start_time ?? undefined,
          idempotencyKey: idempotencyKeyOf(headers),
        }),
      ),
  }),
  route({
    method: 'DELETE',
    path: `${bookings}/:booking_id`,
    guard: 'scheduler',
    tag: 'Bookings',
    summary: 'Cancel a booking',
    description:
      'Whoever shows the booking to a guest sends the `start_time` that was shown: where it was moved meanwhile, the answer is 400 (409 with ' +
      '`Prefer: conflict-status=409`) with nothing done. Without it, the booking is cancelled whatever time it has.',
    params: bookingParams,
    query: Type.Object(configuration),
    body: cancelBookingBody,
    handle: async ({ operations, principal, query, params, body, headers }) =>
      written(
        await operations.cancelBooking({
          principal,
          query,
          bookingId: params.booking_id,
          reason: body?.cancellation_reason ?? '',
          shownStart: body?.start_time ?? undefined,
          idempotencyKey: idempotencyKeyOf(headers),
        }),
      ),
  }),
  route({
    method: 'GET',
    path: '/v3/scheduling/ui-settings',
    guard: 'scheduler',
    tag: 'Availability',
    summary: 'What a booking page shows and computes with',
    query: Type.Object({ ...configuration, booking_id: Type.Optional(Type.String({ maxLength: 255 })) }),
    data: uiSettingsData,
    handle: async ({ operations, principal, query }) => {
      const found = await operations.readUiSettings(principal, query)
      return found.ok ? success({ data: found.value }) : found
    },
  }),
  route({
    method: 'GET',
    path: '/v3/scheduling/should-redirect/:v2_scheduler_slug',
    guard: 'key',
    tag: 'Availability',
    summary: 'Where a page of the second API version is now',
    description:
      'This server has no pages of the second version, so none has moved: unless a configuration has the slug, the answer is 404. The address leads to the page, with whatever stands behind it.',
    params: Type.Object({ v2_scheduler_slug: Type.String() }),
    data: Type.Object({ url: Type.String() }),
    handle: async ({ operations, principal, params }) => {
      if (principal.kind !== 'key') return failure(notFound)
      const found = await operations.findRedirect(principal, params.v2_scheduler_slug)
      return found.ok ? success({ data: found.value }) : found
    },
  }),
]

/** A replay says so, as the API's send endpoints do. */
function written(result: Result<WriteAnswer>): Result<Answer> {
  if (!result.ok) return result
  const { data, isReplay, changedNothing } = result.value
  return success({
    ...(data === undefined ? {} : { data }),
    ...(isReplay ? { headers: replayHeaders } : {}),
    ...(isReplay || changedNothing ? { changedNothing: true } : {}),
  })
}
