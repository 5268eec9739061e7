import Type from 'typebox'
import { describe, expect, it } from 'vitest'

import { whole } from '../wire/whole.ts'
import { compileCheck } from './validation.ts'

describe('a check of a body', () => {
  const check = compileCheck(
    Type.Object({
      guests: Type.Array(Type.Object({ email: Type.String({ maxLength: 5 }) })),
      minutes: Type.Optional(whole({ minimum: 5, maximum: 60 })),
      kind: Type.Optional(Type.Enum(['a', 'b'])),
    }),
    'body',
  )

  it('names the field and what would be right', () => {
    expect(check({ guests: [] })).toBeUndefined()
    expect(check({})).toMatchObject({ field: 'guests', message: 'is required' })
    expect(check({ guests: [{}] })).toMatchObject({ field: 'guests[0].email', message: 'is required' })
    expect(check({ guests: [{ email: 5 }] })).toMatchObject({ field: 'guests[0].email', message: 'must be string' })
    expect(check({ guests: [], kind: 'c' })).toMatchObject({ field: 'kind', message: 'must be one of a, b' })
    expect(check({ guests: [], minutes: 4 })).toMatchObject({
      field: 'minutes',
      message: 'must be a whole number from 5 to 60',
    })
    expect(check([])).toMatchObject({ message: 'the body must be object' })
  })

  it('reads a number that is written as text, and no other text', () => {
    const body = { guests: [], minutes: '30' as unknown }
    expect(check(body)).toBeUndefined()
    expect(body.minutes).toBe(30)
    for (const minutes of ['30.5', ' 30', '3e1', '', '0x1e', true, null, Number.POSITIVE_INFINITY, Number.NaN])
      expect(check({ guests: [], minutes })).toBeDefined()
  })
})

describe('a check of a query', () => {
  it('reads text as what the schema wants', () => {
    const check = compileCheck(
      Type.Object({ limit: Type.Integer({ maximum: 50 }), on: Type.Boolean(), names: Type.Array(Type.String()) }),
      'query',
    )
    const query: Record<string, unknown> = { limit: '5', on: 'true', names: 'one' }
    expect(check(query)).toBeUndefined()
    expect(query).toEqual({ limit: 5, on: true, names: ['one'] })
    expect(check({ limit: '51', on: 'true', names: [] })).toMatchObject({ field: 'limit' })
  })
})
