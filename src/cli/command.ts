// What a command is, and how the words on the command line become one.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

import type { Config } from '../config.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What was asked: operands by their names, options by theirs. */
export type Invocation = {
  readonly config: Config
  readonly operands: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  /** For long work: one line on stderr, unless the answer is for a program. */
  readonly progress: (line: string) => void
}

/** The same answer for a program and for a person; `exitCode` 0 where absent. */
export type Answer = { readonly json: unknown; readonly text: string; readonly exitCode?: number }

export type Option = { readonly type: 'string' | 'boolean'; readonly value?: string; readonly meaning: string }

export type Command = {
  /** As typed: `keys create`. */
  readonly name: string
  readonly meaning: string
  readonly operands?: readonly string[]
  readonly options?: Readonly<Record<string, Option>>
  readonly required?: readonly string[]
  /** It is about what is there, so it makes no database where there is none. */
  readonly isAboutData?: boolean
  readonly run: (invocation: Invocation) => Promise<Answer>
}

/** The words cannot be understood; answered with the usage and exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Options of every command. */
export const commonOptions: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', meaning: 'answer with JSON, for programs' },
  help: { type: 'boolean', meaning: 'say how to use this' },
}

/** Throws `UsageError` naming the word that is not understood. */
export function parseWords(command: Command, words: readonly string[]): Pick<Invocation, 'operands' | 'options'> {
  const known = { ...command.options, ...commonOptions }
  const options: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(known).map(([name, { type }]) => [name, { type }]),
  )
  const { values, positionals } = parse(words, options)
  if (values.help === true) return { operands: {}, options: values }
  const names = command.operands ?? []
  const missing = names[positionals.length]
  if (missing !== undefined) throw new UsageError(`${command.name} needs ${missing}.`)
  const surplus = positionals[names.length]
  if (surplus !== undefined) throw new UsageError(`"${surplus}" is not expected here.`)
  for (const name of command.required ?? []) if (!values[name]) throw new UsageError(`${command.name} needs --${name}.`)
  return { operands: Object.fromEntries(names.map((name, index) => [name, positionals[index] ?? ''])), options: values }
}

function parse(words: readonly string[], options: ParseArgsOptionsConfig) {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true, strict: true })
    return { values: values as Invocation['options'], positionals }
  } catch (error) {
    const { code = '', message } = error as Error & { code?: string }
    if (!code.startsWith('ERR_PARSE_ARGS')) throw error
    throw new UsageError(`${message.split('. ')[0]?.replace(/\.$/, '')}.`)
  }
}
