/** Requests made by the API's own description: right ones at every limit, and now and then one that is wrong somewhere. */
import fc from 'fast-check'

export type Schema = {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly propertyNames?: Schema
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly multipleOf?: number
}

/** JSON of every kind, that hardly any member of any body may be. */
const strangers: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  1e308,
  '',
  'a\u0000b',
  '\ud800',
  '\u202eevil\r\nBcc: x@y.example',
  '2026-02-30',
  '-5',
  [],
  [null],
  {},
  { wrong: 'type' },
]

/**
 * Values of `schema`, near `example` where there is one: the more of it stays, the further a request comes. About one
 * leaf in sixty is wrong.
 */
export function valuesOf(schema: Schema, example?: unknown): fc.Arbitrary<unknown> {
  const right = rightValue(schema, example)
  const isLeaf = schema.properties === undefined && schema.items === undefined && schema.anyOf === undefined
  const kept = example === undefined ? [] : [{ weight: isLeaf ? 40 : 5, arbitrary: fc.constant(example) }]
  return fc.oneof(
    ...kept,
    { weight: 19, arbitrary: right },
    ...(isLeaf ? [{ weight: 1, arbitrary: wrongValue(schema) }] : []),
  )
}

function rightValue(schema: Schema, example: unknown): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valuesOf(one, fitting(one, example))))
  if (Array.isArray(schema.type))
    return fc.oneof(...schema.type.map((type: string) => rightValue({ ...schema, type }, example)))
  switch (schema.type) {
    case 'object':
      return objectOf(schema, example)
    case 'array':
      return listOf(schema, Array.isArray(example) ? example : [])
    case 'string':
      return textOf(schema)
    case 'integer':
    case 'number':
      return numberOf(schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return fc.jsonValue({ maxDepth: 2 })
  }
}

/** An example of an object says nothing about null. */
function fitting(schema: Schema, example: unknown): unknown {
  return schema.type === 'null' ? undefined : example
}

function objectOf(schema: Schema, example: unknown): fc.Arbitrary<unknown> {
  const known = (typeof example === 'object' && example !== null ? example : {}) as Readonly<Record<string, unknown>>
  const { properties = {}, required = [] } = schema
  const free =
    Object.values(schema.patternProperties ?? {})[0] ??
    (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
  if (free !== undefined && Object.keys(properties).length === 0)
    return fc.dictionary(textOf({ maxLength: schema.propertyNames?.maxLength ?? 20 }), valuesOf(free), { maxKeys: 3 })
  const members = Object.entries(properties).map(([name, property]) => {
    // What an example has, most requests have too.
    const weight = required.includes(name) ? 240 : name in known ? 24 : 1
    const present = valuesOf(property, known[name]).map((value): [string, unknown][] => [[name, value]])
    return fc.oneof({ weight, arbitrary: present }, { weight: 4, arbitrary: fc.constant<[string, unknown][]>([]) })
  })
  return fc.tuple(...members).map((drawn) => Object.fromEntries(drawn.flat()))
}

function listOf({ items = {}, minItems = 0, maxItems = 3 }: Schema, examples: readonly unknown[]) {
  return fc.array(valuesOf(items, examples[0]), {
    minLength: minItems,
    maxLength: Math.max(minItems, Math.min(maxItems, 3)),
  })
}

function numberOf({ minimum = -1_000, maximum = 1_000_000, multipleOf = 1 }: Schema): fc.Arbitrary<number> {
  const steps = { min: Math.ceil(minimum / multipleOf), max: Math.floor(maximum / multipleOf) }
  return fc.oneof(fc.constantFrom(steps.min, steps.max), fc.integer(steps)).map((step) => step * multipleOf)
}

function textOf({ pattern, minLength = 0, maxLength = 200 }: Schema): fc.Arbitrary<string> {
  const longest = Math.min(maxLength, 10_240)
  if (pattern !== undefined)
    return fc.stringMatching(new RegExp(pattern), { size: '-1' }).map((text) => text.slice(0, longest))
  return fc.oneof(
    fc.string({ unit: 'grapheme', minLength, maxLength: Math.max(minLength, Math.min(longest, 12)) }),
    fc.constantFrom('a'.repeat(minLength), 'a'.repeat(longest), 'é'.repeat(Math.min(longest, 4))),
  )
}

/** Just beyond a limit, or something else altogether. */
function wrongValue({ maximum, minimum, maxLength, enum: known }: Schema): fc.Arbitrary<unknown> {
  return fc.constantFrom(
    ...strangers,
    ...(maximum === undefined ? [] : [maximum + 1, String(maximum + 1)]),
    ...(minimum === undefined ? [] : [minimum - 1]),
    ...(maxLength === undefined ? [] : ['x'.repeat(Math.min(maxLength, 10_240) + 1)]),
    ...(known === undefined ? [] : ['unknown']),
  )
}

/** A value as it stands in a query: lists repeated, the rest as text. */
export function queryOf(values: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(values).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
      .map((text): [string, string] => [name, text.toWellFormed()]),
  )
}
