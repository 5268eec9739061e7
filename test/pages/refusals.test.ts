/** Whatever the server refuses, each page says it in its own language. */
import { expect, it } from 'vitest'

import type { ProblemKind } from '../../src/core/problem.ts'
import { errorAnswer } from '../../src/http/problems.ts'
import { explain, isOutdated } from '../../web/booking/calls/refusals.ts'
import { languages } from '../../web/booking/languages/languages.ts'

/** Whether the page has to be loaded again. A kind that is new has to be thought about here. */
const kinds: Readonly<Record<ProblemKind, boolean>> = {
  invalidRequest: true,
  unauthorized: true,
  invalidSession: true,
  forbidden: false,
  notFound: true,
  slotUnavailable: false,
  slotTaken: false,
  conflict: true,
  calendarUnavailable: false,
  grantExpired: false,
  invalidIdempotencyKey: false,
  idempotencyMismatch: false,
  idempotencyInProgress: false,
  endpointNotFound: false,
  endpointUnverified: false,
  payloadTooLarge: false,
  unsupportedMediaType: false,
  proofRequired: false,
  rateLimited: false,
  unavailable: false,
}
const message = 'the API speaks English'

it.each(Object.keys(kinds) as ProblemKind[])('%s is told in the words of the page', (kind) => {
  const { status, body } = errorAnswer({ kind, message }, 'a-request', 409)
  const problem = { status, type: body.error.type, message }
  expect(isOutdated(problem)).toBe(kinds[kind])
  for (const words of Object.values(languages)) {
    const told = explain(problem, words)
    expect(told).not.toContain(message)
    expect(JSON.stringify(words)).toContain(JSON.stringify(told))
  }
})

it.each([0, 500, 502, 504])('an answer of %d that is not of the API is told, too', (status) => {
  for (const words of Object.values(languages)) {
    const told = explain({ status, type: '', message }, words)
    expect([words.errors.network, words.errors.server]).toContain(told)
  }
})
