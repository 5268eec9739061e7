import { expect, test } from 'vitest'

import { readWhole } from './whole.ts'

test('a whole number is read as a number and as decimal text', () => {
  for (const value of [30, '30', '030']) expect(readWhole(value, { minimum: 0, maximum: 60 })).toBe(30)
  expect(readWhole('-5', {})).toBe(-5)
})

test.each([
  ['a fraction', 1.5],
  ['words', 'thirty'],
  ['a fraction in text', '1.5'],
  ['an exponent', '1e3'],
  ['hexadecimal', '0x10'],
  ['nothing', ''],
  ['space', ' 3'],
  ['too many digits', '9'.repeat(16)],
  ['an unsafe number', 2 ** 53],
  ['infinity', Infinity],
  ['null', null],
  ['a list', [3]],
  ['a truth', true],
])('%s is no whole number', (_, value) => {
  expect(readWhole(value, {})).toBeUndefined()
})

test('both ends of a range are in it, and only multiples where they are asked for', () => {
  const range = { minimum: 5, maximum: 60, multipleOf: 5 }
  expect([4, 5, 7, 60, 65].map((value) => readWhole(value, range))).toEqual([undefined, 5, undefined, 60, undefined])
})
