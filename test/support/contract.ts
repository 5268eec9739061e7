/** Holds every answer of a documented route against our own schemas and against the vendor's published contract. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'

import type { Answered } from '../../src/http/addRoute.ts'
import { describeRoute } from '../../src/http/describeRoute.ts'
import type { Route } from '../../src/http/route.ts'
import { closed } from './closedSchema.ts'

/** Where the contract lies: it is not ours to ship. */
const folder = process.env.OPENSLOT_CONTRACTS ?? join(import.meta.dirname, '../../../shared/testbeds/contracts')
const file = join(folder, 'nylas-v3.contract.json')

export const hasContract = existsSync(file)
if (!hasContract)
  console.warn(
    `no ${file}: answers are not checked against the vendor's contract; name its folder in OPENSLOT_CONTRACTS`,
  )

/** Where our specification decides against the contract, or the contract against itself. */
const conflicts: readonly { readonly route: RegExp; readonly error: RegExp; readonly reason: string }[] = [
  {
    route: /^GET /,
    error: /^\/data must be object .*common_response_with_cursor/,
    reason: 'the part that all lists share says that data is an object, the lists themselves say that it is an array',
  },
  {
    route: /\/(scheduling|events)/,
    error: /must match exactly one schema in oneOf \{"passingSchemas":\[0,1\]\}/,
    reason: 'the alternatives overlap: an answer without the fields that tell them apart fits both',
  },
  {
    route: /\/events/,
    error: /participants must NOT have fewer than 1 items/,
    reason:
      'the limit is the one of requests; the SDK types require the list in answers, so it is there and may be empty',
  },
  {
    route: /^POST \/v3\/connect\/token /,
    error: /^\/provider must be equal to one of the allowed values/,
    reason: 'the list leaves out virtual-calendar, for which client_credentials is specified',
  },
  {
    route: /^GET \/v3\/webhooks\/:webhook_id /,
    error: /^\/data\/trigger_types\/\d+ must be equal to one of the allowed values/,
    reason: 'this one answer has an older, shorter list of triggers than all the others',
  },
]

type Json = Readonly<Record<string, unknown>>
const contract: Json = hasContract ? (JSON.parse(readFileSync(file, 'utf8')) as Json) : {}
const options = { strict: false, allErrors: true, validateFormats: false } as const
const vendor = new Ajv2020(options)
if (hasContract) vendor.addSchema(contract, 'contract')
const own = new Ajv2020(options)

const vendorChecks = new Map<string, ValidateFunction | undefined>()
const ownChecks = new Map<Route, ValidateFunction>()

/** Sentences on what is wrong with an answer; none where all is well. */
export function findViolations({ route, status, body, isSelection }: Answered): string[] {
  const name = `${route.method} ${route.path}`
  const isWrong = (text: string) =>
    !(isSelection && / must (have required property|match exactly one schema in oneOf) /.test(text))
  const found = complaints(ownCheck(route), body)
    .filter(isWrong)
    .map((text) => `${name} ${status} (our schema): ${text}`)
  for (const text of complaints(vendorCheck(route, status), withKnownProviders(body)).filter(isWrong)) {
    if (!conflicts.some((conflict) => conflict.route.test(`${name} `) && conflict.error.test(text)))
      found.push(`${name} ${status} (contract): ${text}`)
  }
  return found
}

/** `caldav` is ours, beyond the wire: it is held against the contract as the one provider there that speaks the same protocol. */
function withKnownProviders(body: unknown): unknown {
  const text = JSON.stringify(body) as string | undefined
  return text?.includes('"provider":"caldav"')
    ? JSON.parse(text.replaceAll('"provider":"caldav"', '"provider":"icloud"'))
    : body
}

function ownCheck(route: Route): ValidateFunction {
  const known = ownChecks.get(route)
  if (known !== undefined) return known
  const { response } = describeRoute(route) as { readonly response: Readonly<Record<string, object>> }
  const check = own.compile(closed(response[route.status ?? 200]) as object)
  ownChecks.set(route, check)
  return check
}

function vendorCheck(route: Route, status: number): ValidateFunction | undefined {
  const name = `${route.method} ${route.path} ${status}`
  if (!vendorChecks.has(name)) {
    const pointer = schemaPointer(route, status)
    vendorChecks.set(name, pointer === undefined ? undefined : vendor.compile({ $ref: `contract#${pointer}` }))
  }
  return vendorChecks.get(name)
}

/** The contract spells its parameters otherwise, so paths are compared without their names. */
function operationOf({ method, path }: Pick<Route, 'method' | 'path'>): string | undefined {
  const shape = path.replace(/:[a-z_]+/g, '{}')
  const paths = (contract.paths ?? {}) as Record<string, Json>
  const found = Object.keys(paths).find((candidate) => candidate.replace(/\{[^}]+\}/g, '{}') === shape)
  return found !== undefined && method.toLowerCase() in (paths[found] ?? {})
    ? `/paths/${escapePointer(found)}/${method.toLowerCase()}`
    : undefined
}

function schemaPointer(route: Route, status: number): string | undefined {
  const operation = operationOf(route)
  if (operation === undefined) return undefined
  let response = `${operation}/responses/${status}`
  const target = at(response)
  if (target === undefined) return undefined
  if (typeof target.$ref === 'string') response = target.$ref.slice(1)
  const schema = `${response}/content/application~1json/schema`
  return at(schema) === undefined ? undefined : schema
}

function at(pointer: string): Json | undefined {
  let value: unknown = contract
  for (const step of pointer.split('/').slice(1))
    value = (value as Json | undefined)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')]
  return value as Json | undefined
}

function escapePointer(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1')
}

function complaints(check: ValidateFunction | undefined, body: unknown): string[] {
  if (check === undefined || check(body)) return []
  return (check.errors ?? []).map(
    (error: ErrorObject) =>
      `${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)} [${error.schemaPath}]`,
  )
}
