// Limits on how often one address, key, configuration or guest may ask; counted in this process.
import ipaddr from 'ipaddr.js'
import type { RateLimiterRes } from 'rate-limiter-flexible'
// The package as a whole loads a client for every store there is: 4 MB.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'

import type { Principal } from '../core/account/principal.ts'
import { decodeReference } from '../core/booking/reference.ts'
import { failure, type Result, success } from '../core/result.ts'
import { readAddress } from './clientAddress.ts'
import type { Answer, Route } from './route.ts'

/** A request whose parts have passed the schemas of its route. */
export type Asked = {
  readonly route: Route
  readonly principal: Principal
  readonly address: string
  readonly query: unknown
  readonly body: unknown
}

export type Limiter = {
  /** To be called for a credential that was refused already, so that no good one is ever held up. */
  signInFailed(address: string): Promise<Result<void>>
  beforeRoute(route: Route, principal: Principal, address: string): Promise<Result<void>>
  /** A page shows slots, so it counts as a question for them. */
  beforePage(address: string): Promise<Result<void>>
  /** Whether a stranger's booking finds its address or configuration over half of a limit. Takes nothing. */
  isHalfSpent(asked: Asked): Promise<boolean>
  beforeWork(asked: Asked): Promise<Result<void>>
  /** To be called with each success; counts the bookings that were made. */
  afterWork(asked: Asked, answer: Answer): Promise<void>
}

const minute = 60
const hour = 3_600
const slugLimit = 10_000

/** For load tests only. */
export const noLimits: Limiter = {
  signInFailed: async () => success(undefined),
  beforeRoute: async () => success(undefined),
  beforePage: async () => success(undefined),
  isHalfSpent: async () => false,
  beforeWork: async () => success(undefined),
  afterWork: async () => {},
}

/**
 * Public bookings 10 a minute and 60 an hour per address; bookings 300 an hour per configuration, and 5 of those per guest;
 * public availability 120 a minute per address; keys, tokens and the sessions of a configuration 600 a minute each;
 * failed sign-ins 20 a minute per address. IPv6 counts by /64.
 * Who holds a key or a session books for many guests from one address, so the limits per address do not bind them,
 * and a key holder answers for its guests too. The limits per configuration and guest count bookings that were made:
 * otherwise attempts, which cost a stranger nothing, would lock others out, and so would the components' own walk from
 * one participant to the next. Bookings under way at the same time may pass such a limit together.
 */
export function createLimiter(): Limiter {
  const bookingPerMinute = new RateLimiterMemory({ points: 10, duration: minute })
  const bookingPerHour = new RateLimiterMemory({ points: 60, duration: hour })
  const bookingPerConfiguration = new RateLimiterMemory({ points: 300, duration: hour })
  const bookingPerGuest = new RateLimiterMemory({ points: 5, duration: hour })
  const availabilityPerMinute = new RateLimiterMemory({ points: 120, duration: minute })
  const credentialPerMinute = new RateLimiterMemory({ points: 600, duration: minute })
  const otherPerMinute = new RateLimiterMemory({ points: 300, duration: minute })
  const failedSignIns = new RateLimiterMemory({ points: 20, duration: minute })
  /** Learned from bookings that were made, so only what exists gets in. */
  const idsBySlug = new Map<string, string>()

  return {
    signInFailed: (address) => take(failedSignIns, network(address)),
    async beforeRoute(route, principal, address) {
      if (principal.kind === 'key') return take(credentialPerMinute, `key ${principal.keyId}`)
      if (principal.kind === 'session') return take(credentialPerMinute, `session ${principal.configurationId}`)
      if (principal.kind === 'token') return take(credentialPerMinute, `grant ${principal.grantId}`)
      if (route.path === '/v3/scheduling/availability') return take(availabilityPerMinute, network(address))
      if (route.guard === 'public' && !route.path.startsWith('/v3/')) return success(undefined)
      return take(otherPerMinute, network(address))
    },
    beforePage: (address) => take(availabilityPerMinute, network(address)),
    async isHalfSpent(asked) {
      if (!isLimitedBooking(asked) || asked.principal.kind !== 'anyone') return false
      const name = configurationNamed(asked)
      const address = network(asked.address)
      const states = await Promise.all([
        isPastHalf(bookingPerMinute, address),
        isPastHalf(bookingPerHour, address),
        isPastHalf(bookingPerConfiguration, idsBySlug.get(name) ?? name),
      ])
      return states.includes(true)
    },
    async beforeWork(asked) {
      if (!isLimitedBooking(asked)) return success(undefined)
      if (asked.principal.kind === 'anyone')
        for (const limiter of [bookingPerMinute, bookingPerHour]) {
          const taken = await take(limiter, network(asked.address))
          if (!taken.ok) return taken
        }
      const name = configurationNamed(asked)
      const id = idsBySlug.get(name) ?? name
      const perConfiguration = await look(bookingPerConfiguration, id)
      return perConfiguration.ok ? look(bookingPerGuest, `${id} ${guestOf(asked)}`) : perConfiguration
    },
    async afterWork(asked, { data, headers }) {
      if (!isLimitedBooking(asked) || headers?.['idempotent-response'] !== undefined) return
      const { booking_ref } = data as { readonly booking_ref?: string }
      const id = decodeReference(booking_ref ?? '')?.configurationId
      if (id === undefined) return
      const name = configurationNamed(asked)
      if (name !== id) {
        if (idsBySlug.size >= slugLimit) idsBySlug.clear()
        idsBySlug.set(name, id)
      }
      await take(bookingPerConfiguration, id)
      await take(bookingPerGuest, `${id} ${guestOf(asked)}`)
    },
  }
}

export function isBooking({ method, path }: Route): boolean {
  return method === 'POST' && path === '/v3/scheduling/bookings'
}

function isLimitedBooking({ route, principal }: Asked): boolean {
  return isBooking(route) && principal.kind !== 'key'
}

/** The id, which no two applications share, or else client id and slug; as the caller has it, so there may be no such thing. */
function configurationNamed({ principal, query }: Asked): string {
  if (principal.kind === 'session') return principal.configurationId
  const { configuration_id, slug, client_id } = query as Readonly<Record<string, string | undefined>>
  return configuration_id ? configuration_id.toLowerCase() : `${client_id?.toLowerCase()}/${slug}`
}

function guestOf({ body }: Asked): string {
  return (body as { readonly guest: { readonly email: string } }).guest.email.toLowerCase()
}

/** Takes nothing. */
async function look(limiter: RateLimiterMemory, key: string): Promise<Result<void>> {
  const state = await limiter.get(key)
  return state !== null && state.remainingPoints <= 0 ? tooMany(state) : success(undefined)
}

async function isPastHalf(limiter: RateLimiterMemory, key: string): Promise<boolean> {
  return ((await limiter.get(key))?.consumedPoints ?? 0) >= limiter.points / 2
}

async function take(limiter: RateLimiterMemory, key: string): Promise<Result<void>> {
  try {
    await limiter.consume(key)
    return success(undefined)
  } catch (state) {
    return tooMany(state as RateLimiterRes)
  }
}

function tooMany(state: RateLimiterRes): Result<void> {
  return failure({
    kind: 'rateLimited',
    message: 'Too many requests, please try again shortly.',
    retryAfterSeconds: Math.max(1, Math.ceil(state.msBeforeNext / 1_000)),
  })
}

/** An IPv4 address as it is; of an IPv6 address the first 64 bits, which one household shares. */
export function network(address: string): string {
  const parsed = readAddress(address)
  if (parsed === undefined) return address
  if (parsed instanceof ipaddr.IPv4) return parsed.toString()
  const groups = parsed.parts.slice(0, 4)
  return groups.map((group) => group.toString(16)).join(':')
}
