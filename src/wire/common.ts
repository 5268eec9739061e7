// What the JSON of all routes shares: paging, selecting fields, metadata, and the parts of paths.
import Type, { type TSchema, type TUnsafe } from 'typebox'

import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { isTimezone } from '../core/time/zone.ts'

/** Answers name their fields exactly; what clients send may hold more, which is passed over. */
export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

/** A member of a body that may be left out. Null says the same, so every such member is made by this. */
export const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(nullable(schema))

export const limitOf = (most: number, fallback: number) =>
  Type.Integer({
    minimum: 1,
    maximum: most,
    default: fallback,
    errorMessage: `must be a whole number from 1 to ${most}`,
  })

export const selectQuery = Type.Optional(
  Type.Array(Type.String(), {
    description: 'Names of top-level fields to answer: repeated, separated by commas, or both',
  }),
)

export const cursorQuery = {
  limit: Type.Optional(limitOf(200, 50)),
  page_token: Type.Optional(Type.String({ description: 'The next_cursor of the page before' })),
}

export const offsetQuery = {
  limit: Type.Optional(limitOf(200, 10)),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: 0 })),
}

export const offsetMembers = { limit: Type.Integer(), offset: Type.Integer() }

export const grantParams = Type.Object({ grant_id: Type.String() })

/** Text to text, without nesting; replaced whole. */
export const metadataSchema: TUnsafe<Record<string, string>> = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: 50,
  propertyNames: { maxLength: 40, errorMessage: 'must have keys of up to 40 characters' },
  additionalProperties: { type: 'string', maxLength: 500 },
  errorMessage: 'must be at most 50 pairs of text, keys of up to 40 and values of up to 500 characters',
})

/**
 * `schema` for what is answered as it was sent: its objects may hold more than they name, and rules between members
 * (`allOf`) are asked of what is sent, not of what was kept before there were such rules.
 */
export function asKept<Schema>(schema: Schema): Schema {
  if (Array.isArray(schema)) return schema.map(asKept) as Schema
  if (typeof schema !== 'object' || schema === null) return schema
  const parts = Object.entries(schema).filter(([name]) => name !== 'allOf')
  const inside = Object.fromEntries(parts.map(([name, part]) => [name, asKept(part)]))
  const isObject = (schema as { readonly type?: unknown }).type === 'object' && !('additionalProperties' in schema)
  const whole = Object.defineProperties(inside, hiddenOf(schema))
  return (isObject ? Object.assign(whole, { additionalProperties: true }) : whole) as Schema
}

/** What the schema library marks its schemas by, an optional one for instance, is not enumerable. */
function hiddenOf(schema: object): PropertyDescriptorMap {
  const all = Object.entries(Object.getOwnPropertyDescriptors(schema))
  return Object.fromEntries(all.filter(([, { enumerable }]) => enumerable === false))
}

/** `fields` as if what is null had been left out. */
export function withoutNulls<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]: NonNullable<Fields[Key]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as never
}

/** The part of `data`, or of each of its items, that has one of the names. */
export function selected(data: object, wanted: readonly string[]): object {
  const pick = (item: object) => Object.fromEntries(Object.entries(item).filter(([name]) => wanted.includes(name)))
  return Array.isArray(data) ? data.map(pick) : pick(data)
}

const filterable = ['key1', 'key2', 'key3', 'key4', 'key5']

/** `key1:value`, several separated by commas. Problems: `invalidRequest`. */
export function readMetadataPair(text: string): Result<Record<string, string>> {
  const pairs: Record<string, string> = {}
  // A value may hold a comma, so a pair ends only where the next key begins.
  for (const pair of text.split(/,(?=key[1-5]:)/)) {
    const colon = pair.indexOf(':')
    const key = pair.slice(0, Math.max(0, colon)).trim()
    if (colon < 0) return failure(invalidRequest('must have the form key1:value', 'metadata_pair'))
    if (!filterable.includes(key))
      return failure(invalidRequest(`can filter by ${filterable.join(', ')} only`, 'metadata_pair'))
    pairs[key] = pair.slice(colon + 1)
  }
  return success(pairs)
}

/** `name` where it is a time zone that can be computed with. */
export function readTimezone(name: string, field: string): Result<string> {
  return isTimezone(name)
    ? success(name)
    : failure(invalidRequest(`"${name.slice(0, 64)}" is not an IANA time zone, as Europe/Berlin is`, field))
}

/** A cursor is opaque to clients: what comes next, as text that needs no escaping. */
export function writeCursor(parts: readonly (string | number)[]): string {
  const bytes = new TextEncoder().encode(JSON.stringify(parts))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/={1,2}$/, '')
}

/** Problems: `invalidRequest` for text that `writeCursor` never wrote for parts of these kinds. */
export function readCursor<const Kinds extends readonly ('string' | 'number')[]>(
  text: string | undefined,
  kinds: Kinds,
): Result<{ [Key in keyof Kinds]: Kinds[Key] extends 'string' ? string : number } | undefined> {
  if (text === undefined || text === '') return success(undefined)
  const refused = failure(invalidRequest('is not a next_cursor of this list', 'page_token'))
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
      character.charCodeAt(0),
    )
    const parts: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    const isRight =
      Array.isArray(parts) &&
      parts.length === kinds.length &&
      parts.every((part, index) => typeof part === kinds[index] && isStorable(part))
    return isRight ? success(parts as never) : refused
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof DOMException) return refused
    throw error
  }
}

function isStorable(part: unknown): boolean {
  if (typeof part === 'number') return Number.isSafeInteger(part) && Math.abs(part) < 1e15
  return typeof part === 'string' && part.isWellFormed() && !part.includes('\0')
}

/** A list parameter: repeated, separated by commas, or both. One that names nothing asks for nothing. */
export function readList(value: readonly string[] | undefined): string[] | undefined {
  const items = value?.flatMap((item) => item.split(',')).map((item) => item.trim())
  const named = items?.filter((item) => item !== '')
  return named === undefined || named.length === 0 ? undefined : named
}
