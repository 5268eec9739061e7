// Checks requests against their schemas, and says in a sentence which field is wrong.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type { DataValidationCxt } from 'ajv/dist/types/index.js'
import type { TSchema } from 'typebox'

import { invalidRequest, type Problem } from '../core/problem.ts'
import { readWhole, type WholeRange } from '../wire/whole.ts'

const options = { strict: false, allErrors: false, verbose: true, validateFormats: false } as const
/** Bodies say what they mean: a number is a number, except where a schema allows both. */
const bodyAjv = new Ajv2020(options)
/** Queries are text on the wire, so `true` and `50` are read as what the schema wants, and one value as a list of one. */
const queryAjv = new Ajv2020({ ...options, coerceTypes: 'array' })

for (const ajv of [bodyAjv, queryAjv])
  ajv.addKeyword({
    keyword: 'x-whole',
    modifying: true,
    errors: false,
    validate: (range: WholeRange, value: unknown, _schema?: unknown, context?: DataValidationCxt) => {
      const number = readWhole(value, range)
      if (number !== undefined && context !== undefined) context.parentData[context.parentDataProperty] = number
      return number !== undefined
    },
  })

export type Part = 'body' | 'query' | 'params'

/**
 * A check of one part of a request; it may change the value (coercion) and answers the problem, if any.
 * Compiled when it is first needed: most routes of a server are never called.
 */
export function compileCheck(schema: TSchema, part: Part): (value: unknown) => Problem | undefined {
  let check: ValidateFunction | undefined
  return (value) => {
    check ??= (part === 'body' ? bodyAjv : queryAjv).compile(schema)
    if (check(value)) return undefined
    return toProblem(mostTelling(check.errors ?? []), part)
  }
}

/** Of an `anyOf`, the alternative that got furthest says more than the `anyOf` itself. */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject | undefined {
  const whole = errors.at(-1)
  if (whole === undefined || (whole.keyword !== 'anyOf' && whole.keyword !== 'oneOf')) return whole
  if (ownMessage(whole) !== undefined) return whole
  const deeper = errors.filter((error) => error.instancePath.length > whole.instancePath.length)
  // Of a value or null, what is wrong with the value says more than that it is not null.
  const isNotNull = (error: ErrorObject) =>
    error.keyword === 'type' && (error.params as { type: unknown }).type === 'null'
  return deeper[0] ?? errors.find((error) => error !== whole && !isNotNull(error)) ?? whole
}

function toProblem(error: ErrorObject | undefined, part: Part): Problem {
  if (error === undefined) return invalidRequest('error parsing request body')
  const at = fieldName(error.instancePath)
  if (error.keyword === 'required') {
    const missing = String((error.params as { missingProperty: string }).missingProperty)
    return invalidRequest('is required', at === '' ? missing : `${at}.${missing}`)
  }
  if (at === '') return invalidRequest(`the ${part} ${sentence(error)}`)
  return invalidRequest(sentence(error), at)
}

function sentence(error: ErrorObject): string {
  const own = ownMessage(error)
  if (own !== undefined) return own
  switch (error.keyword) {
    case 'enum':
      return `must be one of ${(error.params as { allowedValues: unknown[] }).allowedValues.join(', ')}`
    case 'const':
      return `must be ${JSON.stringify((error.params as { allowedValue: unknown }).allowedValue)}`
    case 'additionalProperties':
      return `must not have ${(error.params as { additionalProperty: string }).additionalProperty}`
    case 'anyOf':
    case 'oneOf':
      return 'has none of the shapes that are understood here'
    default:
      return error.message ?? 'is not valid'
  }
}

/** Schemas may carry `errorMessage`, a sentence that begins with "must". */
function ownMessage(error: ErrorObject): string | undefined {
  const text = (error.parentSchema as { errorMessage?: unknown } | undefined)?.errorMessage
  return typeof text === 'string' ? text : undefined
}

/** `/participants/0/email` → `participants[0].email`. */
function fieldName(instancePath: string): string {
  return instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((place, step) => (/^\d+$/.test(step) ? `${place}[${step}]` : place === '' ? step : `${place}.${step}`), '')
}
