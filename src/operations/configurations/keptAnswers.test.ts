import { expect, test } from 'vitest'
import type { Database } from '../../adapters/storage/database/database.ts'
import { instant } from '../../core/time/instant.ts'
import { keptAnswers } from './keptAnswers.ts'

const answer = (length: number) => ({ versions: '1', until: instant(0), json: 'x'.repeat(length) })

test('however many spans are asked for, the answers kept stay within 16 MB, and the latest is among them', () => {
  const answers = keptAnswers({} as Database)
  for (let span = 0; span < 1_000; span++) answers.keep(`span ${span}`, answer(100_000))
  expect(answers.size).toBeLessThanOrEqual(16 * 1024 * 1024)
  expect(answers.size).toBeGreaterThan(15 * 1024 * 1024)
  expect(answers.get('span 999')).toBeDefined()
  expect(answers.get('span 0')).toBeUndefined()
})

test('an answer over 128 KB is not kept, nor is what it replaces', () => {
  const answers = keptAnswers({} as Database)
  answers.keep('span', answer(10))
  answers.keep('span', answer(200_000))
  expect(answers.get('span')).toBeUndefined()
  expect(answers.size).toBe(0)
})
