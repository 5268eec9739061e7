/** No text, whoever sends it, keeps one of our own expressions busy for longer than in proportion to its length. */
import { describe, expect, it } from 'vitest'

import { browserPaths } from '../src/http/headers.ts'
import { routes } from '../src/http/routes/routes.ts'
import { type Backtracking, backtrackingOf } from './support/backtracking.ts'
import { visit, visitSources } from './support/sources.ts'

/** These read only what the operator of this server, or this program itself, has written. */
const readsOurOwn: Readonly<Record<string, string>> = {
  'src/config.ts: /\\/+$/': 'BASE_URL',
  'src/config.ts: /^(?:(.*?)\\s*<([^\\s@<>"]+@[^\\s@<>"]+)>|([^\\s@<>"]+@[^\\s@<>"]+))$/': 'MAIL_FROM',
  'src/http/describe.ts: /<script(?![^>]*\\ssrc=)[^>]*>([\\s\\S]*?)<\\/script>/g': 'the page of the description',
}
/** Expressions that are put together while the program runs. */
const composed: Readonly<Record<string, string>> = {
  'src/http/headers.ts': 'of the route table; held against the same measure below',
  'src/wire/whole.ts': 'the pattern of a schema, which is below too',
  'src/operations/bookings/guestAnswers.ts': 'whether the page could read a pattern; no answer is ever held against it',
  'web/booking/form/checks.ts': 'by the guest’s own browser, of the organizer’s pattern',
}

const { literals, constructions } = readExpressions()

describe('an expression', () => {
  it.each<readonly [Backtracking, readonly RegExp[]]>([
    [
      'exponential',
      [/^(a+)+$/, /^(a|a)*b/, /(a*)*b/, /^(a|aa)+$/, /^(\w+\s?)*$/, /x(?=(a+)+b)/, /^(?:a{1,64})*$/, /^(a?b?)*$/],
    ],
    [
      'polynomial',
      [
        /a+$/,
        /\s+$/gm,
        /^\s*a?\s*b/,
        /.*b/,
        /^a*.*;/,
        /;.*=/,
        /a(?=.*b)|a/g,
        /^(?:.+@.+)$/,
        /\d+x/i,
        /(?<=a)a+b/,
        /(?<!b)a+b/,
      ],
    ],
    ['linear', [/a+/, /^a+$/, /a+b?/, /^\s*a\s*b/, /^[^@]+@.+$/, /^(a+;)*$/, /a{1,64}b/, /^(?:a|b)*$/, /(?<!a)a+b/]],
    ['linear', [/a+b/y, /;.*/s, /\p{L}\p{M}*/u, /^\d{4}-\d\d(?:T\d\d)?$/, /^$/, /x?/, /[\]/]\//, /\u{1F600}+/u]],
  ])('is %s', (expected, expressions) => {
    for (const { source, flags } of expressions) expect(backtrackingOf(source, flags), source).toBe(expected)
  })

  it('that cannot be judged is not taken for harmless', () => {
    for (const { source, flags } of [/(a)\1/, /(?<=a+)b/, /[a--b]/v])
      expect(() => backtrackingOf(source, flags)).toThrow()
  })

  it('of the sources is linear, but for those that read nothing of anybody', () => {
    expect(literals.length).toBeGreaterThan(150)
    const slow = literals.filter(({ source, flags }) => backtrackingOf(source, flags) !== 'linear')
    const named = slow.map(({ file, source, flags }) => `${file}: /${source}/${flags}`)
    expect(named.sort()).toEqual(Object.keys(readsOurOwn).sort())
  })

  it('that is put together while the program runs is known, and linear where ours', () => {
    expect([...new Set(constructions)].sort()).toEqual(Object.keys(composed).sort())
    expect(backtrackingOf(browserPaths.source)).toBe('linear')
  })

  it('of the schemas is linear', () => {
    const patterns = new Set<string>()
    for (const { params, query, body, data } of routes)
      for (const schema of [params, query, body, data]) collectPatterns(schema, patterns)
    expect(patterns.size).toBeGreaterThan(10)
    expect([...patterns].filter((pattern) => backtrackingOf(pattern, 'u') !== 'linear')).toEqual([])
  })
})

type Literal = { readonly file: string; readonly source: string; readonly flags: string }

/** Every expression that is written out in what the server, its pages and its launcher are made of, and where others are made. */
function readExpressions(): { readonly literals: readonly Literal[]; readonly constructions: readonly string[] } {
  const literals: Literal[] = []
  const constructions: string[] = []
  visitSources(['src', 'web', 'bin'], (node, file) => {
    if ('regex' in node) {
      const { pattern, flags } = node.regex as { readonly pattern: string; readonly flags: string }
      literals.push({ file, source: pattern, flags })
    }
    const isMade = node.type === 'NewExpression' || node.type === 'CallExpression'
    if (isMade && (node.callee as { readonly name?: string }).name === 'RegExp') constructions.push(file)
  })
  return { literals, constructions }
}

function collectPatterns(schema: unknown, patterns: Set<string>): void {
  visit(schema, (node) => {
    if (typeof node.pattern === 'string') patterns.add(node.pattern)
    for (const pattern of Object.keys(node.patternProperties ?? {})) patterns.add(pattern)
  })
}
