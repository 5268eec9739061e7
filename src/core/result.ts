// What an operation answers: a value, or a problem that was to be expected.
import type { Problem } from './problem.ts'

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

export function success<T>(value: T): Result<T> {
  return { ok: true, value }
}

export function failure(problem: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem }
}
