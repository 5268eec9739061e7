import { describe, expect, it } from 'vitest'

import { isGuess } from './auth.ts'

const ending = 'a'.repeat(43)

describe('a refused credential', () => {
  it.each([
    ['none at all', undefined, false],
    ['an empty one', '', false],
    ['a session that may have ended', `Bearer oss_0123abcd_${ending}`, false],
    ['a session cut short', `Bearer oss_0123abcd_${ending.slice(1)}`, true],
    ['a session of another shape', 'Bearer oss_guessed', true],
    ['a key', `Bearer osk_0123abcd_${ending}`, true],
    ['an access token', `Bearer oat_0123abcd_${ending}`, true],
    ['another scheme', `Basic oss_0123abcd_${ending}`, true],
    ['a session in capitals', `Bearer OSS_0123abcd_${ending}`, true],
  ])('that is %s: is it a guess?', (_, authorization, expected) => {
    expect(isGuess(authorization)).toBe(expected)
  })
})
