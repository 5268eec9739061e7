import type { TSchema } from 'typebox'
import { describe, expect, it } from 'vitest'

import { routes } from './routes/routes.ts'
import { compileCheck } from './validation.ts'

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
}

/** Every member of an object in `schema` that may be left out, with the way to it. */
function* optionalMembers(schema: Schema, way: string): Generator<[way: string, member: Schema]> {
  const { properties = {}, required = [], items, anyOf = [], patternProperties = {}, additionalProperties } = schema
  for (const [name, member] of Object.entries(properties)) {
    const at = way === '' ? name : `${way}.${name}`
    if (!required.includes(name)) yield [at, member]
    yield* optionalMembers(member, at)
  }
  if (items !== undefined) yield* optionalMembers(items, `${way}[]`)
  for (const other of anyOf) yield* optionalMembers(other, way)
  for (const member of Object.values(patternProperties)) yield* optionalMembers(member, `${way}.*`)
  if (typeof additionalProperties === 'object') yield* optionalMembers(additionalProperties, `${way}.*`)
}

const bodies = routes.flatMap(({ method, path, body }) => (body === undefined ? [] : [{ method, path, body }]))

describe('what a body may leave out may be null in it', () => {
  it.each(bodies)('$method $path', ({ body }) => {
    const refused = [...optionalMembers(body as Schema, '')].filter(
      ([, member]) => compileCheck(member as TSchema, 'body')(null) !== undefined,
    )
    expect(refused.map(([way]) => way)).toEqual([])
  })

  it('looks into everything that a body may hold', () => {
    const ways = bodies.flatMap(({ body }) => [...optionalMembers(body as Schema, '')].map(([way]) => way))
    expect(ways).toEqual(
      expect.arrayContaining([
        'when.start_timezone',
        'reminders.overrides[].reminder_method',
        'availability.availability_rules.buffer.before',
        'scheduler.additional_fields.*.order',
        'settings.server_url',
      ]),
    )
  })
})
