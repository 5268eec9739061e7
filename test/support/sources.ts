/** What this program is made of, read as code. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parseSync } from 'vite'

export type SourceNode = Readonly<Record<string, unknown>>

const root = join(import.meta.dirname, '..', '..')

/** Calls `seen` with every node of every file of `folders` but the tests. Throws where a file is no code. */
export function visitSources(
  folders: readonly string[],
  seen: (node: SourceNode, file: string, textOf: (node: SourceNode) => string) => void,
): void {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  for (const file of files.filter((name) => /(?<!\.test)\.(tsx?|mjs)$/.test(name))) {
    const text = readFileSync(join(root, file), 'utf8')
    const { program, errors } = parseSync(file, text)
    if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`)
    const textOf = ({ start, end }: SourceNode) => text.slice(start as number, end as number)
    visit(program, (node) => seen(node, file, textOf))
  }
}

/** Every object within `value`, itself included, from the outside in. */
export function visit(value: unknown, seen: (node: SourceNode) => void): void {
  if (value === null || typeof value !== 'object' || value instanceof RegExp) return
  if (!Array.isArray(value)) seen(value as SourceNode)
  for (const part of Object.values(value)) visit(part, seen)
}
