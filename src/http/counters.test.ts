import { describe, expect, it } from 'vitest'

import { failure, success } from '../core/result.ts'
import { countWith, type SharedCounts } from './counters.ts'

const limit = { name: 'tries', points: 4, seconds: 60 }
const away = { kind: 'unavailable', message: 'away' } as const

/** Answers what others have counted besides; undefined: cannot be had. */
function sharedWith(others: () => number | undefined): SharedCounts & { readonly asked: string[] } {
  const asked: string[] = []
  let own = 0
  const answer = () => {
    const count = others()
    return count === undefined ? failure(away) : success({ points: count + own, msBeforeNext: 41_000 })
  }
  return {
    asked,
    async countTogether(name, key, { points }) {
      asked.push(`count ${name} ${key} ${points}`)
      own += points
      return answer()
    },
    async lookTogether(name, key) {
      asked.push(`look ${name} ${key}`)
      return answer()
    },
  }
}

describe('counts that are shared', () => {
  it('refuse by what all have seen, and say when there is room', async () => {
    const counter = countWith(sharedWith(() => 3))(limit)
    expect((await counter.look('k')).ok).toBe(true)
    expect((await counter.take('k')).ok).toBe(true)
    expect(await counter.look('k')).toMatchObject({ problem: { kind: 'rateLimited', retryAfterSeconds: 41 } })
    expect(await counter.take('k')).toMatchObject({ problem: { kind: 'rateLimited', retryAfterSeconds: 41 } })
  })

  it('say half by what all have seen', async () => {
    expect(await countWith(sharedWith(() => 2))(limit).isPastHalf('k')).toBe(true)
    expect(await countWith(sharedWith(() => 1))(limit).isPastHalf('k')).toBe(false)
  })

  it('go by this process alone while the others’ cannot be had', async () => {
    const counter = countWith(sharedWith(() => undefined))(limit)
    for (let count = 0; count < 4; count++) {
      expect((await counter.look('k')).ok).toBe(true)
      expect((await counter.take('k')).ok).toBe(true)
    }
    expect((await counter.look('k')).ok).toBe(false)
    expect((await counter.take('k')).ok).toBe(false)
    expect((await counter.take('another')).ok).toBe(true)
    expect(await counter.isPastHalf('k')).toBe(true)
  })

  it('ask nobody about what this process has seen too often', async () => {
    const shared = sharedWith(() => 0)
    const counter = countWith(shared)(limit)
    await counter.take('k', 4)
    await counter.take('k')
    await counter.look('k')
    expect(shared.asked).toEqual(['count tries k 4'])
  })
})
