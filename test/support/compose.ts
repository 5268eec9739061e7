/** compose.yaml as compose reads it with a given .env. */
import { readFileSync } from 'node:fs'

import { parse } from 'yaml'

export type Service = {
  readonly environment?: Record<string, string>
  readonly healthcheck?: { readonly test: string[] }
  readonly [option: string]: unknown
}
export type Compose = {
  readonly services: Record<string, Service>
  readonly networks: { readonly default: { readonly ipam: { readonly config: readonly { subnet: string }[] } } }
}

export const composeText = readFileSync(new URL('../../compose.yaml', import.meta.url), 'utf8')

/** The secrets that compose.yaml does not start without. */
export const secrets = { POSTGRES_PASSWORD: 'secret', MASTER_KEY: `k1:${Buffer.alloc(32, 1).toString('base64')}` }

/** Throws the sentence that stands in it where a variable is required and not set. */
export function readCompose(variables: Readonly<Record<string, string>> = secrets): Compose {
  const insert = (value: unknown): unknown => {
    if (typeof value === 'string') return interpolate(value, variables)
    if (Array.isArray(value)) return value.map(insert)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, insert(inner)]))
  }
  return insert(parse(composeText, { merge: true })) as Compose
}

/** `${NAME}`, `${NAME:-what else}` and `${NAME:?complaint}`, the innermost first. */
function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  const [all, name = '', sign, rest = ''] = /\$\{([A-Z_]+)(?::([-?])([^{}]*))?\}/.exec(text) ?? []
  if (all === undefined) return text
  const value = variables[name] ?? ''
  if (value === '' && sign === '?') throw new Error(`${name}: ${rest}`)
  return interpolate(
    text.replace(all, () => (value === '' ? rest : value)),
    variables,
  )
}
