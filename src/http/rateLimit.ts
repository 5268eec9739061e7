// Limits on how often one address, key, configuration or guest may ask.
import ipaddr from 'ipaddr.js'

import type { Principal } from '../core/account/principal.ts'
import { type Result, success } from '../core/result.ts'
import { type BookingAsked, limitBookings } from './bookingLimits.ts'
import { readAddress } from './clientAddress.ts'
import { countInMemory, countWith, type SharedCounts } from './counters.ts'
import type { Answer, Route } from './route.ts'

/** A request whose parts have passed the schemas of its route. */
export type Asked = Omit<BookingAsked, 'network'> & { readonly address: string }

export type Limiter = {
  /** To be called for a credential that was refused already, so that no good one is ever held up. */
  signInFailed(address: string): Promise<Result<void>>
  beforeRoute(route: Route, principal: Principal, address: string): Promise<Result<void>>
  /** A page shows slots, so it counts as a question for them. */
  beforePage(address: string): Promise<Result<void>>
  /** As `BookingLimits`. */
  isHalfSpent(asked: Asked): Promise<boolean>
  beforeWork(asked: Asked): Promise<Result<void>>
  afterWork(asked: Asked, answer: Answer): Promise<void>
}

const minute = 60

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
 * Public availability 120 a minute per address; keys, tokens and the sessions of a configuration 600 a minute each;
 * failed sign-ins 20 a minute per address; bookings and their changes as `limitBookings` says. IPv6 counts by /64.
 *
 * With `shared`, failed sign-ins and bookings are counted together with other processes. What guards a process from being
 * asked too often is its own affair: a write for each question would cost more than the question.
 */
export function createLimiter(shared?: SharedCounts): Limiter {
  const availability = countInMemory({ name: 'availability', points: 120, seconds: minute })
  const credentials = countInMemory({ name: 'credentials', points: 600, seconds: minute })
  const others = countInMemory({ name: 'others', points: 300, seconds: minute })
  const open = shared === undefined ? countInMemory : countWith(shared)
  const failedSignIns = open({ name: 'failed sign-ins', points: 20, seconds: minute })
  const bookings = limitBookings(open)
  const seen = ({ address, ...asked }: Asked): BookingAsked => ({ ...asked, network: network(address) })

  return {
    signInFailed: (address) => failedSignIns.take(network(address)),
    async beforeRoute(route, principal, address) {
      if (principal.kind === 'key') return credentials.take(`key ${principal.keyId}`)
      if (principal.kind === 'session') return credentials.take(`session ${principal.configurationId}`)
      if (principal.kind === 'token') return credentials.take(`grant ${principal.grantId}`)
      if (route.path === '/v3/scheduling/availability') return availability.take(network(address))
      if (route.guard === 'public' && !route.path.startsWith('/v3/')) return success(undefined)
      return others.take(network(address))
    },
    beforePage: (address) => availability.take(network(address)),
    isHalfSpent: (asked) => bookings.isHalfSpent(seen(asked)),
    beforeWork: (asked) => bookings.beforeWork(seen(asked)),
    afterWork: (asked, answer) => bookings.afterWork(seen(asked), answer),
  }
}

/** An IPv4 address as it is; of an IPv6 address the first 64 bits, which one household shares. */
export function network(address: string): string {
  const parsed = readAddress(address)
  if (parsed === undefined) return address
  if (parsed instanceof ipaddr.IPv4) return parsed.toString()
  const groups = parsed.parts.slice(0, 4)
  return groups.map((group) => group.toString(16)).join(':')
}
