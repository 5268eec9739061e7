/** Every language of the pages says everything, and fills in what English fills in. */
import { readdirSync } from 'node:fs'

import { expect, it } from 'vitest'

import { languages } from '../../web/booking/languages/languages.ts'

const english = flatten(languages.en)

it('has the languages of the mails, and Arabic and Hebrew', () => {
  const mails = readdirSync('src/adapters/mail/languages').map((file) => file.replace('.ts', ''))
  expect(mails.length).toBeGreaterThan(8)
  expect(Object.keys(languages).sort()).toEqual([...mails, 'ar', 'he'].sort())
})

it.each(Object.keys(languages))('%s says every sentence, with the same blanks', (code) => {
  const words = flatten(languages[code])
  expect([...words.keys()].sort()).toEqual([...english.keys()].sort())
  for (const [key, sentence] of english) {
    expect(words.get(key)?.trim(), key).not.toBe('')
    expect(blanks(words.get(key) ?? ''), key).toEqual(blanks(sentence))
  }
})

it.each(Object.keys(languages).filter((code) => code !== 'en'))('%s is not English', (code) => {
  const same = [...flatten(languages[code])].filter(([key, sentence]) => english.get(key) === sentence)
  // "{count} min" and its like are written alike in many places.
  expect(
    same.map(([key]) => key).filter((key) => !['direction', 'minutes', 'hours'].includes(key)).length,
  ).toBeLessThan(5)
})

function flatten(value: unknown, place = ''): Map<string, string> {
  if (typeof value === 'string') return new Map([[place, value]])
  return new Map(Object.entries(value as object).flatMap(([key, item]) => [...flatten(item, `${place}.${key}`)]))
    .entries()
    .reduce((all, [key, sentence]) => all.set(key.replace(/^\./, ''), sentence), new Map<string, string>())
}

function blanks(sentence: string): string[] {
  return [...new Set(sentence.match(/\{\w+\}/g))].sort()
}
