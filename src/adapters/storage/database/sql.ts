// SQL as text with parameters: the only way a value gets into a statement.
import { createHash } from 'node:crypto'

import type { Instant } from '../../../core/time/instant.ts'

/** A statement, or a piece of one. `values` stand for `$1…$n` in `text`. */
export type Sql = { readonly text: string; readonly values: readonly unknown[]; readonly isSql: true }

/** Texts of templates without nested pieces, which are the same at every call. */
const staticTexts = new WeakMap<TemplateStringsArray, string>()

/** sql`select … where id = ${id}`: values become parameters, nested pieces are spliced in. */
export function sql(strings: TemplateStringsArray, ...parts: readonly unknown[]): Sql {
  if (!parts.some(isSql)) {
    let text = staticTexts.get(strings)
    if (text === undefined) {
      text = strings.reduce((all, piece, index) => `${all}$${index}${piece}`)
      staticTexts.set(strings, text)
    }
    return { text, values: parts, isSql: true }
  }
  const values: unknown[] = []
  let text = strings[0] ?? ''
  parts.forEach((part, index) => {
    if (isSql(part)) {
      const offset = values.length
      text += renumbered(part.text, offset)
      values.push(...part.values)
    } else {
      values.push(part)
      text += `$${values.length}`
    }
    text += strings[index + 1] ?? ''
  })
  return { text, values, isSql: true }
}

/** Pieces one after the other, with `separator` between them; nothing for an empty list. */
export function join(pieces: readonly Sql[], separator: 'and' | 'or' | ','): Sql {
  const gap = separator === ',' ? ', ' : ` ${separator} `
  let text = ''
  const values: unknown[] = []
  for (const piece of pieces) {
    const offset = values.length
    if (text !== '') text += gap
    text += renumbered(piece.text, offset)
    values.push(...piece.values)
  }
  return { text, values, isSql: true }
}

/**
 * For `lower(…) = any(${lowercased(texts)})`: small letters are the database's, on both sides, for which it knows depends on how
 * it was made; in the C locale those of ASCII alone.
 */
export function lowercased(texts: readonly string[]): Sql {
  return sql`array(select lower(asked) from unnest(${texts}::text[]) as asked)`
}

/**
 * Rows as one parameter, for `from ${records(rows)} as row (name type, …)`: each field by its name, JSON as itself, what
 * PostgreSQL reads from text as that text. However many rows there are, the statement is the same.
 */
export function records(rows: readonly object[]): Sql {
  return { text: 'jsonb_to_recordset($1::jsonb)', values: [JSON.stringify(rows)], isSql: true }
}

/** A half-open range as PostgreSQL reads it; without end where that is undefined. */
export function toRange({ start, end }: { readonly start: Instant; readonly end: Instant | undefined }): string {
  return `[${toTimestamp(start)},${end === undefined ? '' : toTimestamp(end)})`
}

/** Years have four digits: what lies before the first of them, or past the last, is written as the end of what can be. */
export function toTimestamp(at: Instant): string {
  return new Date(Math.min(Math.max(at, firstMs), lastMs)).toISOString()
}

const firstMs = Date.parse('0001-01-01T00:00:00Z')
const lastMs = Date.parse('9999-12-31T23:59:59.999Z')

export function toBytea(bytes: Uint8Array): string {
  return `\\x${bytes.toHex()}`
}

/**
 * Independent statements as one, which answers how many rows each answered, in their order. All see the database as it
 * was before, and none waits for another; each must answer rows (`returning`), or be a `select`. One statement costs far
 * less than ten: on the way, in planning, and in the locks that are held meanwhile.
 */
export function together(statements: readonly Sql[]): Sql {
  const values: unknown[] = []
  const parts: string[] = []
  for (const statement of statements) {
    parts.push(`s${parts.length} as (${renumbered(statement.text, values.length)})`)
    values.push(...statement.values)
  }
  const counts = parts.map((_, index) => `(select count(*) from s${index})::int`)
  return { text: `with ${parts.join(', ')} select array[${counts.join(', ')}] as counts`, values, isSql: true }
}

const renumberedTexts = new Map<string, string>()

function renumbered(text: string, offset: number): string {
  if (offset === 0) return text
  const name = `${offset} ${text}`
  const known = renumberedTexts.get(name)
  if (known !== undefined) return known
  const made = text.replace(/\$(\d+)/g, (_, number) => `$${Number(number) + offset}`)
  if (renumberedTexts.size < namesLimit) renumberedTexts.set(name, made)
  return made
}

const names = new Map<string, string>()
const namesLimit = 1_000

/**
 * The name under which PostgreSQL keeps the prepared statement; the same text has the same name in every process.
 * Undefined past 1,000 different texts, so that statements built from many pieces do not pile up in the database.
 */
export function preparedName(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined) return known
  if (names.size >= namesLimit) return undefined
  const name = `openslot_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
  names.set(text, name)
  return name
}

function isSql(part: unknown): part is Sql {
  return typeof part === 'object' && part !== null && 'isSql' in part
}
