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
const fill = (template: string) =>
  fillTokens(template, configuration, guest, { topic: '${invitee_email}', invitee: 'forged' })

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
