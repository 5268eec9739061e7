// How often those without an API key may book, move, confirm and call off, and how many people they may have us write to.
import type { Principal } from '../core/account/principal.ts'
import { decodeReference } from '../core/booking/reference.ts'
import { type Result, success } from '../core/result.ts'
import type { Counter, OpenCounter } from './counters.ts'
import type { Answer, Route } from './route.ts'

/** A request whose parts have passed the schemas of its route; `network` is its address, as limits count it. */
export type BookingAsked = {
  readonly route: Route
  readonly principal: Principal
  readonly network: string
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

export type BookingLimits = {
  /** Whether a stranger's booking finds its address or configuration over half of a limit. Takes nothing. */
  isHalfSpent(asked: BookingAsked): Promise<boolean>
  beforeWork(asked: BookingAsked): Promise<Result<void>>
  /** To be called with each success; counts the bookings and moves that were made, and whom they name. */
  afterWork(asked: BookingAsked, answer: Answer): Promise<void>
}

const minute = 60
const hour = 3_600
const slugLimit = 10_000
const bookings = '/v3/scheduling/bookings'
const tooManyPeople =
  'Too many additional guests were named within the hour; leave additional_guests out, or try again later.'

/**
 * Each network: 10 bookings a minute and 60 an hour, 20 changes a minute and 120 an hour, tries included, and 100 additional
 * guests an hour. Each configuration: 300 bookings, 300 moves and 500 additional guests an hour. Each guest of a
 * configuration: 5 bookings an hour. Each booking: 10 moves an hour; it is called off, or answered, but once.
 * Who holds a key or a session books for many guests from one address, so the limits per network do not bind them,
 * and a key holder answers for its guests too. The limits per configuration, guest and booking count what was made:
 * otherwise attempts, which cost a stranger nothing, would lock others out, and so would the components' own walk from
 * one participant to the next. Requests under way at the same time may pass such a limit together.
 */
export function limitBookings(open: OpenCounter): BookingLimits {
  const tries = {
    POST: [
      open({ name: 'bookings a minute', points: 10, seconds: minute }),
      open({ name: 'bookings an hour', points: 60, seconds: hour }),
    ],
    change: [
      open({ name: 'changes a minute', points: 20, seconds: minute }),
      open({ name: 'changes an hour', points: 120, seconds: hour }),
    ],
  }
  const people = { seconds: hour, message: tooManyPeople }
  const peopleOfNetwork = open({ ...people, name: 'people of a network', points: 100 })
  const peopleOfConfiguration = open({ ...people, name: 'people of a configuration', points: 500 })
  const bookingsOfConfiguration = open({ name: 'bookings of a configuration', points: 300, seconds: hour })
  const bookingsOfGuest = open({ name: 'bookings of a guest', points: 5, seconds: hour })
  const movesOfConfiguration = open({ name: 'moves of a configuration', points: 300, seconds: hour })
  const movesOfBooking = open({ name: 'moves of a booking', points: 10, seconds: hour })
  /** Learned from bookings that were made, so only what exists gets in. */
  const idsBySlug = new Map<string, string>()
  const knownAs = (name: string) => idsBySlug.get(name) ?? name

  /** What a booking or move that is made takes from: all of it must have room before. */
  const drawsOf = (asked: BookingAsked, configurationId: string): Draw[] => {
    const { method } = asked.route
    const count = countAdditionalGuests(asked)
    const named = count === 0 ? [] : [{ from: peopleOfConfiguration, key: configurationId, points: count }]
    if (count > 0 && isStranger(asked)) named.push({ from: peopleOfNetwork, key: asked.network, points: count })
    if (method === 'POST')
      return [
        { from: bookingsOfConfiguration, key: configurationId, points: 1 },
        { from: bookingsOfGuest, key: `${configurationId} ${guestOf(asked)}`, points: 1 },
        ...named,
      ]
    if (method !== 'PATCH') return []
    return [
      { from: movesOfConfiguration, key: configurationId, points: 1 },
      { from: movesOfBooking, key: bookingIdOf(asked), points: 1 },
      ...named,
    ]
  }

  return {
    async isHalfSpent(asked) {
      if (!isLimited(asked) || !isBooking(asked.route) || asked.principal.kind !== 'anyone') return false
      const states = await Promise.all([
        ...tries.POST.map((counter) => counter.isPastHalf(asked.network)),
        bookingsOfConfiguration.isPastHalf(knownAs(configurationNamed(asked))),
      ])
      return states.includes(true)
    },
    async beforeWork(asked) {
      if (!isLimited(asked)) return success(undefined)
      if (isStranger(asked))
        for (const counter of isBooking(asked.route) ? tries.POST : tries.change) {
          const taken = await counter.take(asked.network)
          if (!taken.ok) return taken
        }
      for (const { from, key } of drawsOf(asked, knownAs(configurationNamed(asked)))) {
        const room = await from.look(key)
        if (!room.ok) return room
      }
      return success(undefined)
    },
    async afterWork(asked, { data, changedNothing }) {
      if (!isLimited(asked) || changedNothing) return
      const { booking_ref } = (data ?? {}) as { readonly booking_ref?: string }
      const id = decodeReference(booking_ref ?? '')?.configurationId
      if (id === undefined) return
      const name = configurationNamed(asked)
      if (name !== id) {
        if (idsBySlug.size >= slugLimit) idsBySlug.clear()
        idsBySlug.set(name, id)
      }
      for (const { from, key, points } of drawsOf(asked, id)) await from.take(key, points)
    },
  }
}

type Draw = { readonly from: Counter; readonly key: string; readonly points: number }

export function isBooking({ method, path }: Route): boolean {
  return method === 'POST' && path === bookings
}

function isLimited({ route: { method, path }, principal }: BookingAsked): boolean {
  return principal.kind !== 'key' && method !== 'GET' && (path === bookings || path === `${bookings}/:booking_id`)
}

/** Nobody whom the application has let in: whoever came to a public page, or followed a link out of a mail. */
function isStranger({ principal }: BookingAsked): boolean {
  return principal.kind !== 'session'
}

/** The id, which no two applications share, or else client id and slug; as the caller has it, so there may be no such thing. */
function configurationNamed({ principal, query }: BookingAsked): string {
  if (principal.kind === 'session' || principal.kind === 'booking') return principal.configurationId
  const { configuration_id, slug, client_id } = query as Readonly<Record<string, string | undefined>>
  return configuration_id ? configuration_id.toLowerCase() : `${client_id?.toLowerCase()}/${slug}`
}

function guestOf({ body }: BookingAsked): string {
  return (body as { readonly guest: { readonly email: string } }).guest.email.toLowerCase()
}

function bookingIdOf({ params }: BookingAsked): string {
  return (params as { readonly booking_id: string }).booking_id.toLowerCase()
}

function countAdditionalGuests({ body }: BookingAsked): number {
  const { additional_guests } = (body ?? {}) as { readonly additional_guests?: readonly unknown[] | null }
  return additional_guests?.length ?? 0
}
