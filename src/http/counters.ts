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
