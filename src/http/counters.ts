// How often something has happened within a span of time, and whether that is too often.
import type { RateLimiterRes } from 'rate-limiter-flexible'
// The package as a whole loads a client for every store there is: 4 MB.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'

import { failure, type Result, success } from '../core/result.ts'

/** Counts by key. Problems: `rateLimited`, with the seconds until there is room. */
export type Counter = {
  /** Counts `points`, one where absent; those for which there is no room count too. */
  take(key: string, points?: number): Promise<Result<void>>
  /** Whether there is room for one more. Takes nothing. */
  look(key: string): Promise<Result<void>>
  isPastHalf(key: string): Promise<boolean>
}

export type CounterLimit = {
  /** Two counters of one name would share what they count, where that is kept outside of the process. */
  readonly name: string
  readonly points: number
  readonly seconds: number
  readonly message?: string
}

export type OpenCounter = (limit: CounterLimit) => Counter

const defaultMessage = 'Too many requests, please try again shortly.'

/** What this process alone has seen. */
export const countInMemory: OpenCounter = ({ points: limit, seconds, message }) => {
  const limiter = new RateLimiterMemory({ points: limit, duration: seconds })
  return {
    async take(key, points = 1) {
      try {
        await limiter.consume(key, points)
        return success(undefined)
      } catch (state) {
        return tooMany(state as RateLimiterRes, message)
      }
    },
    async look(key) {
      const state = await limiter.get(key)
      return state !== null && state.remainingPoints <= 0 ? tooMany(state, message) : success(undefined)
    },
    isPastHalf: async (key) => ((await limiter.get(key))?.consumedPoints ?? 0) >= limit / 2,
  }
}

/** Counts that other processes add to as well. Answers a problem where they cannot be had. */
export type SharedCounts = {
  countTogether(
    name: string,
    key: string,
    span: { readonly points: number; readonly seconds: number },
  ): Promise<Result<SharedCount>>
  lookTogether(name: string, key: string): Promise<Result<SharedCount>>
}
type SharedCount = { readonly points: number; readonly msBeforeNext: number }

/**
 * What this process and all others have seen. What this one alone has seen too often is asked of nobody; and while the others'
 * counts cannot be had, it goes by its own, so that nothing stops.
 */
export function countWith(shared: SharedCounts): OpenCounter {
  return (limit) => {
    const { name, seconds, message } = limit
    const own = countInMemory(limit)
    return {
      async take(key, points = 1) {
        const taken = await own.take(key, points)
        if (!taken.ok) return taken
        const all = await shared.countTogether(name, key, { points, seconds })
        return all.ok && all.value.points > limit.points ? tooMany(all.value, message) : taken
      },
      async look(key) {
        const seen = await own.look(key)
        if (!seen.ok) return seen
        const all = await shared.lookTogether(name, key)
        return all.ok && all.value.points >= limit.points ? tooMany(all.value, message) : seen
      },
      async isPastHalf(key) {
        if (await own.isPastHalf(key)) return true
        const all = await shared.lookTogether(name, key)
        return all.ok && all.value.points >= limit.points / 2
      },
    }
  }
}

export function tooMany(
  { msBeforeNext }: Pick<RateLimiterRes, 'msBeforeNext'>,
  message: string = defaultMessage,
): Result<never> {
  return failure({
    kind: 'rateLimited',
    message,
    retryAfterSeconds: Math.max(1, Math.ceil(msBeforeNext / 1_000)),
  })
}
