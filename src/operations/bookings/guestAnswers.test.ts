import { describe, expect, it } from 'vitest'

import type { AdditionalField } from '../../core/configuration/configuration.ts'
import { findPatternFault, readAnswers } from './guestAnswers.ts'

const field = (more: Partial<AdditionalField>): AdditionalField => ({
  label: 'Label',
  type: 'text',
  required: false,
  default: undefined,
  pattern: undefined,
  options: [],
  ...more,
})

/** The message of the refusal, or undefined. */
async function refusal(more: Partial<AdditionalField>, answer: string | undefined): Promise<string | undefined> {
  const read = await readAnswers(
    { additionalFields: { key: field(more) } },
    answer === undefined ? {} : { key: answer },
  )
  return read.ok ? undefined : `${read.problem.field}: ${read.problem.message}`
}

/** The same answer to so many fields: what is said of the first that is refused, or `taken`. */
async function readMany(count: number, more: Partial<AdditionalField>, answer: string): Promise<string> {
  const keys = Array.from({ length: count }, (_, index) => `key${index}`)
  const additionalFields = Object.fromEntries(keys.map((key) => [key, field(more)]))
  const read = await readAnswers({ additionalFields }, Object.fromEntries(keys.map((key) => [key, answer])))
  return read.ok ? 'taken' : read.problem.message
}

describe('an answer', () => {
  it.each([
    [{ required: true }, undefined, 'is required'],
    [{ required: true }, '', 'is required'],
    [{ required: true }, 'x', undefined],
    [{}, undefined, undefined],
    [{ type: 'checkbox', required: true }, 'false', 'is required'],
    [{ type: 'checkbox', required: true }, 'true', undefined],
    [{ type: 'checkbox' }, 'false', undefined],
    [{ type: 'checkbox' }, 'yes', 'must be true or false'],
    [{ type: 'email' }, 'a@b', undefined],
    [{ type: 'email' }, 'a b@c', 'must be a mail address'],
    [{ type: 'dropdown', options: ['a', 'b'] }, 'b', undefined],
    [{ type: 'radio_button', options: ['a', 'b'] }, 'c', 'must be one of a, b'],
    [{ type: 'multi_select', options: ['a', 'b'] }, 'b, a', undefined],
    [{ type: 'multi_select', options: ['a', 'b'] }, 'a,c', 'must be some of a, b, separated by commas'],
    [{ type: 'multi_select', options: ['Red, green', 'Blue'] }, 'Red, green,Blue', undefined],
    [{ type: 'multi_select' }, 'anything, at all', undefined],
    [{ type: 'date' }, '2028-02-29', undefined],
    [{ type: 'date' }, '2027-02-29', 'must be a date like 2026-03-29'],
    [{ type: 'date' }, '2027-13-01', 'must be a date like 2026-03-29'],
    [{ type: 'date' }, '1 March', 'must be a date like 2026-03-29'],
    [{ type: 'date', pattern: '^2028' }, '2027-03-01', 'does not have the form that is asked for'],
    [{ pattern: '^[0-9]+$' }, '12', undefined],
    [{ pattern: '^[0-9]+$' }, '1a', 'does not have the form that is asked for'],
    [{ pattern: '' }, 'anything', undefined],
  ] as const)('to %j that is %j: %s', async (more, answer, message) => {
    expect(await refusal(more, answer)).toBe(message === undefined ? undefined : `additional_fields.key: ${message}`)
  })

  it('is not stopped by a pattern that cannot be run, and never runs for long on one that can', async () => {
    expect(await refusal({ pattern: '(?=x)y' }, 'z')).toBeUndefined()
    // Exponential in engines that try back and forth; linear here, or this test would not end.
    expect(await refusal({ pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}!`)).toBe(
      'additional_fields.key: does not have the form that is asked for',
    )
  })

  it('is refused where it is too long for a pattern that repeats, and all answers together for theirs', async () => {
    expect(await refusal({ pattern: '(a{50}){20}' }, 'a'.repeat(1_000))).toBeUndefined()
    expect(await refusal({ pattern: '(a{50}){20}' }, 'a'.repeat(10_000))).toBe(
      'additional_fields.key: is too long to be held against its pattern',
    )
    expect(await readMany(50, { pattern: 'a{1000}' }, 'a'.repeat(1_000))).toBe(
      'is too long to be held against its pattern',
    )
  })

  it.each([
    ['an ordinary one', '^.{0,1000}$', 600],
    ['one at its bound', '^.{0,1000}$', 1_000],
    ['the largest that is accepted', '(a|aa){0,428}$', 1_000],
  ])('of ordinary length is held against its pattern in each of six fields: %s', async (_, pattern, length) => {
    expect(findPatternFault(pattern)).toBeUndefined()
    expect(await readMany(6, { pattern }, 'a'.repeat(length))).toBe('taken')
  })

  it('is no reason that others wait for all that come after it', async () => {
    let turns = 0
    const count = () => {
      turns += 1
      next = setImmediate(count)
    }
    let next = setImmediate(count)
    expect(await readMany(6, { pattern: '(.*a){1,450}$' }, 'a'.repeat(1_000))).toBe('taken')
    clearImmediate(next)
    expect(turns).toBeGreaterThanOrEqual(3)
  })
})

describe('hidden fields', () => {
  const additionalFields = {
    source: field({ type: 'metadata', default: 'website' }),
    note: field({ default: 'prefilled' }),
  }

  it('get their default where nothing was sent; fields on the page do not', async () => {
    expect(await readAnswers({ additionalFields }, { other: 'kept' })).toEqual({
      ok: true,
      value: { other: 'kept', source: 'website' },
    })
  })

  it('keep what was sent', async () => {
    expect(await readAnswers({ additionalFields }, { source: 'mail' })).toEqual({ ok: true, value: { source: 'mail' } })
  })
})

describe('a pattern', () => {
  it.each([
    ['^[0-9]+$', undefined],
    ['^.{0,1000}$', undefined],
    ['(?=a)', undefined],
    ['(?<x>a)\\k<x>', undefined],
    ['(', 'is not a regular expression'],
    ['(a{1000}){1}'.repeat(6), 'repeats too much to be held against answers'],
  ])('%s: %s', (pattern, fault) => {
    expect(findPatternFault(pattern)).toBe(fault)
  })
})
