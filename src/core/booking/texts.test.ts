import { expect, test } from 'vitest'

import { beforehand, fillTokens, oneLine } from './texts.ts'

const configuration = {
  durationMinutes: 30,
  additionalFields: {
    topic: { label: 'The topic', type: 'text', required: false, default: undefined, pattern: undefined, options: [] },
    invitee: { label: 'x', type: 'text', required: false, default: undefined, pattern: undefined, options: [] },
  },
}
const guest = { name: 'Gil ${duration}', email: 'gil@guest.example' }
const fill = (template: string, topic = '${invitee_email}', limit = 1_000) =>
  fillTokens(template, { configuration, guest, additionalFields: { topic, invitee: 'forged' }, limit })

test('tokens are replaced by key and by label, and what guests wrote is not read again', () => {
  expect(fill('${topic} / ${The topic} / ${ duration }')).toBe('${invitee_email} / ${invitee_email} / 30')
  expect(fill('${invitee}')).toBe('Gil ${duration}')
})

test('a field cannot take the name of the guest', () => {
  expect(fill('${invitee}')).not.toContain('forged')
})

test('unknown and unfinished tokens stay', () => {
  expect(fill('${nobody} ${ ${} $topic {topic}')).toBe('${nobody} ${ ${} $topic {topic}')
})

test('what is filled in is cut where the whole would be too long, the longest first; what the organizer wrote stays', () => {
  expect(fill('${topic} for ${duration} minutes', 'x'.repeat(85), 100)).toBe(`${'x'.repeat(85)} for 30 minutes`)
  expect(fill('${topic} for ${duration} minutes', 'x'.repeat(90), 100)).toBe(`${'x'.repeat(84)}… for 30 minutes`)
  expect(fill('${topic}, ${topic}, ${invitee}: join!', 'x'.repeat(90), 66)).toBe(
    `${'x'.repeat(19)}…, ${'x'.repeat(19)}…, Gil \${duration}: join!`,
  )
  expect(fill(`${'o'.repeat(120)}\${topic}`, 'x', 100)).toBe('o'.repeat(120))
  expect(fill('${topic}'.repeat(1_024), 'x'.repeat(10_000), 8_192).length).toBe(8_192)
})

test('it is cut between what a reader takes for characters', () => {
  const family = '👩‍👩‍👧'
  for (const [answer, limit, left] of [
    [`ab${family}cd`, 11, `ab${family}…`],
    [`ab${family}cd`, 10, 'ab…'],
    [`ab${family}`, 3, 'ab…'],
    ['e\u0301e\u0301', 3, 'e\u0301…'],
    ['e\u0301e\u0301', 2, '…'],
    ['ab', 1, '…'],
    ['ab', 0, ''],
  ] as const)
    expect([answer, limit, fill('${topic}', answer, limit)]).toEqual([answer, limit, left])
})

test('what is read before anyone has booked leaves open what only a booking fills in', () => {
  expect(beforehand('${invitee} and Ada, ${ duration } min about ${The topic}: ${nobody}', configuration)).toBe(
    '… and Ada, 30 min about …: …',
  )
  expect(beforehand('$5 for {two}', configuration)).toBe('$5 for {two}')
})

test('a title is one line without marks that turn the direction of text', () => {
  expect(oneLine(' a\r\nb\u0000c\u202ed\u2066e\u2028f ')).toBe('a b c d e f')
  expect(oneLine('x'.repeat(2_000)).length).toBe(1_024)
})

test('a title is cut between characters', () => {
  expect(oneLine(`${'x'.repeat(1_023)}😀 and more`)).toBe('x'.repeat(1_023))
  expect(oneLine(`${'x'.repeat(1_022)}😀 and more`)).toBe(`${'x'.repeat(1_022)}😀`)
})
