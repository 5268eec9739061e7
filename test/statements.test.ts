/**
 * What the database is asked is written here; what others wrote goes with it as values. Everyone but the files below has only
 * `query(statement: Sql)`, whose type comes from the template `sql` alone, which makes parameters of all that it is given.
 */
import { expect, test } from 'vitest'

import { type SourceNode, visitSources } from './support/sources.ts'

/** What stands in a text that goes to a connection as it is, where that is no constant of this program. */
const inTexts: Readonly<Record<string, string>> = {
  'src/adapters/storage/backup.ts: appId': 'a UUID by its column',
  'src/adapters/storage/backup.ts: query': 'of our tables and columns, and the same UUID',
  'src/adapters/storage/backup.ts: rowsAtOnce': 'a constant',
  'src/adapters/storage/database/database.ts: appId': 'a UUID by its type',
  'src/adapters/storage/database/database.ts: this.#begin': 'a constant',
  'src/adapters/storage/embedded/embedded.ts: database': 'a constant',
  'src/adapters/storage/migrations/migrations.ts: serverRole': 'a constant',
  'src/adapters/storage/restore.ts: columns.map((column) => `r."${column}"`).join(\', \')': 'held against our columns',
  'src/adapters/storage/restore.ts: list': 'held against our columns',
  'src/adapters/storage/restore.ts: table': 'held against our tables',
}
/** Who has a connection of its own, or hands one on, which takes any text. */
const hasConnections = [
  'src/adapters/storage/backup.ts',
  'src/adapters/storage/database/connection.ts',
  'src/adapters/storage/database/database.ts',
  'src/adapters/storage/database/waitForDatabase.ts',
  'src/adapters/storage/embedded/embedded.ts',
  'src/adapters/storage/migrations/migrations.ts',
  'src/adapters/storage/restore.ts',
  'src/adapters/storage/secrets/vault.ts',
  'src/app.ts',
  'src/worker/patientPool.ts',
  'src/worker/worker.ts',
]

const statements: string[] = []
const parts = new Set<string>()
const connected = new Set<string>()
visitSources(['src'], (node, file, textOf) => {
  if (node.type === 'Property' && (node.key as SourceNode).name === 'isSql') statements.push(file)
  if (node.type === 'ImportDeclaration' && (node.source as SourceNode).value === 'pg') connected.add(file)
  if (node.type === 'MemberExpression' && (node.property as SourceNode).name === 'pool') connected.add(file)
  if (node.type !== 'CallExpression') return
  const callee = node.callee as SourceNode & { readonly property?: SourceNode }
  if (callee.property?.name !== 'query') return
  const [asked] = node.arguments as readonly SourceNode[]
  if (asked?.type === 'BinaryExpression') parts.add(`${file}: ${textOf(asked)}`)
  if (asked?.type !== 'TemplateLiteral') return
  for (const part of asked.expressions as readonly SourceNode[]) parts.add(`${file}: ${textOf(part)}`)
})

test('statements are made in one place', () => {
  expect(new Set(statements)).toEqual(new Set(['src/adapters/storage/database/sql.ts']))
})

test('those who have a connection of their own are known, and what they put into texts is ours', () => {
  expect([...connected].sort()).toEqual(hasConnections)
  expect([...parts].sort()).toEqual(Object.keys(inTexts).sort())
})
