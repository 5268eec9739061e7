// A moment on the time line.

declare const instantBrand: unique symbol

/** Whole milliseconds since 1970-01-01T00:00:00Z. Sorts and compares with `<`. */
export type Instant = number & { readonly [instantBrand]: true }

export const secondMs = 1_000
export const minuteMs = 60_000
export const hourMs = 3_600_000
export const dayMs = 86_400_000

/** `milliseconds` since 1970 UTC; must be a safe integer. */
export function instant(milliseconds: number): Instant {
  return milliseconds as Instant
}

export function plus(at: Instant, milliseconds: number): Instant {
  return (at + milliseconds) as Instant
}

/** For an end that there is none of: after every other. */
export const never = Number.POSITIVE_INFINITY as Instant

export function soonest(first: Instant, ...others: readonly Instant[]): Instant {
  return Math.min(first, ...others) as Instant
}

export function latest(first: Instant, ...others: readonly Instant[]): Instant {
  return Math.max(first, ...others) as Instant
}

export function fromUnixSeconds(seconds: number): Instant {
  return (seconds * secondMs) as Instant
}

/** Whole seconds, rounded down. */
export function toUnixSeconds(at: Instant): number {
  return Math.floor(at / secondMs)
}
