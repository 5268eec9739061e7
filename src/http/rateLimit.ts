// Limits on how often one address, key, configuration or guest may ask; counted in this process.
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible'

import type { Principal } from '../core/account/principal.ts'
import { failure, type Result, success } from '../core/result.ts'
import type { Route } from './route.ts'

export type Limiter = {
  beforeSignIn(address: string): Promise<Result<void>>
  signInFailed(address: string): Promise<void>
  beforeRoute(route: Route, principal: Principal, address: string): Promise<Result<void>>
  beforeWork(route: Route, principal: Principal, address: string, body: unknown, query: unknown): Promise<Result<void>>
}

const minute = 60
const hour = 3_600

/** For load tests only. */
export const noLimits: Limiter = {
  beforeSignIn: async () => success(undefined),
  signInFailed: async () => {},
  beforeRoute: async () => success(undefined),
  beforeWork: async () => success(undefined),
}

/**
 * Public bookings 10 a minute and 60 an hour per address; bookings 300 an hour per configuration and 5 an hour per guest;
 * public availability 120 a minute per address; keys, tokens and the sessions of a configuration 600 a minute each;
 * failed sign-ins 20 a minute per address. IPv6 counts by /64.
 * Who holds a key or a session books for many guests from one address, so the limits per address do not bind them,
 * and a key holder answers for its guests too.
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

  return {
    async beforeSignIn(address) {
      const state = await failedSignIns.get(network(address))
      if (state !== null && state.remainingPoints <= 0) return tooMany(state)
      return success(undefined)
    },
    async signInFailed(address) {
      await failedSignIns.consume(network(address)).catch(() => {})
    },
    async beforeRoute(route, principal, address) {
      if (principal.kind === 'key') return take(credentialPerMinute, `key ${principal.keyId}`)
      if (principal.kind === 'session') return take(credentialPerMinute, `session ${principal.configurationId}`)
      if (principal.kind === 'token') return take(credentialPerMinute, `grant ${principal.grantId}`)
      if (route.path === '/v3/scheduling/availability') return take(availabilityPerMinute, network(address))
      if (route.guard === 'public' && !route.path.startsWith('/v3/')) return success(undefined)
      return take(otherPerMinute, network(address))
    },
    async beforeWork(route, principal, address, body, query) {
      if (route.method !== 'POST' || route.path !== '/v3/scheduling/bookings' || principal.kind === 'key')
        return success(undefined)
      const guest = (body as { guest?: { email?: string } } | undefined)?.guest?.email?.toLowerCase() ?? ''
      const { configuration_id, slug, client_id } = query as Record<string, string | undefined>
      const configuration =
        principal.kind === 'session' ? principal.configurationId : (configuration_id ?? `${client_id}/${slug}`)
      const isPublic = principal.kind === 'anyone'
      for (const [limiter, key] of [
        ...(isPublic
          ? ([
              [bookingPerMinute, network(address)],
              [bookingPerHour, network(address)],
            ] as const)
          : []),
        [bookingPerConfiguration, configuration],
        [bookingPerGuest, guest],
      ] as const) {
        const taken = await take(limiter, key)
        if (!taken.ok) return taken
      }
      return success(undefined)
    },
  }
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
  if (!address.includes(':')) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  const [head = '', tail = ''] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const groups = address.includes('::')
    ? [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
    : left
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}
