import { expect, test } from 'vitest'

import { stricter, type UnreadablePolicy } from './health.ts'

const lastKnown = (hours: number): UnreadablePolicy => ({ kind: 'lastKnown', hours })

test('of two who share a calendar the one who trusts it least decides, in whichever order they are named', () => {
  const ordered: UnreadablePolicy[] = [
    { kind: 'closed' },
    { kind: 'busy' },
    lastKnown(1),
    lastKnown(24),
    { kind: 'ignore' },
  ]
  for (const [index, strict] of ordered.entries())
    for (const lax of ordered.slice(index)) {
      expect(stricter(strict, lax)).toEqual(strict)
      expect(stricter(lax, strict)).toEqual(strict)
    }
})
