/** The map of the house as data: who may know whom. Reads the import lines of every file, and says why when one is wrong. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

import { describe, expect, it } from 'vitest'

/** From the top floor down. A room may import itself and the rooms named. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/main.ts': ['src/'],
  'src/cli/': ['src/'],
  'src/app.ts': ['src/'],
  'src/http/': ['src/operations/', 'src/wire/', 'src/core/'],
  'src/worker/': ['src/operations/', 'src/core/'],
  'src/operations/': ['src/adapters/', 'src/wire/', 'src/core/'],
  'src/adapters/': ['src/core/'],
  'src/wire/': ['src/core/'],
  'src/core/': [],
  'src/config.ts': [],
  'src/installation.ts': [],
  'web/booking/': ['web/shared/', 'src/wire/'],
  'web/dashboard/': ['web/shared/', 'src/wire/'],
  'web/shared/': ['src/wire/'],
}
/** Only app.ts chooses an implementation; everyone else sees the interface. */
const chosenInAppOnly = /^src\/adapters\/(calendars\/[^/]+\/|conferencing\/(zoom|fixedLink)|mail\/(smtp|kept))/
/** Inside the adapters each tower stands alone, but for these. */
const towerMayImport: Readonly<Record<string, readonly string[]>> = {
  'src/adapters/storage/': [],
  'src/adapters/net/': [],
  'src/adapters/logging/': [],
  'src/adapters/work/': [],
  'src/adapters/ical/': ['src/adapters/work/'],
  'src/adapters/webhooks/': ['src/adapters/net/'],
  'src/adapters/mail/': ['src/adapters/ical/'],
  'src/adapters/conferencing/': ['src/adapters/net/'],
  'src/adapters/calendars/virtual/': [
    'src/adapters/storage/',
    'src/adapters/ical/',
    'src/adapters/work/',
    'src/adapters/calendars/calendarProvider.ts',
  ],
  'src/adapters/calendars/calendarProvider.ts': [],
  'src/adapters/calendars/accountProvider.ts': ['src/adapters/calendars/calendarProvider.ts'],
  'src/adapters/calendars/accountGate.ts': ['src/adapters/calendars/accountProvider.ts'],
  'src/adapters/calendars/accountCalendars.ts': [
    'src/adapters/calendars/calendarProvider.ts',
    'src/adapters/calendars/accountProvider.ts',
    'src/adapters/calendars/accountGate.ts',
  ],
  'src/adapters/calendars/': [
    'src/adapters/net/',
    'src/adapters/ical/',
    'src/adapters/work/',
    'src/adapters/calendars/calendarProvider.ts',
    'src/adapters/calendars/accountProvider.ts',
  ],
}
/** The transaction in which a virtual calendar writes belongs to the caller, so these may name its type, and no more. */
const mayNameTypesOfStorage = ['src/adapters/calendars/calendarProvider.ts']
/** Past 400 lines a file is asked for its second noun; a little room, so that nobody squeezes lines. */
const lineLimit = 420

type Import = { readonly from: string; readonly to: string; readonly isTypeOnly: boolean }

const root = join(import.meta.dirname, '..')
const sources = ['src', 'web'].flatMap(filesUnder).filter((file) => !file.endsWith('.test.ts'))
const texts = new Map(sources.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
const imports = sources.flatMap((file) => importsOf(file))
const ours = imports.filter(({ to }) => to.startsWith('src/') || to.startsWith('web/'))

describe('the house', () => {
  it('was seen: sources, imports and every floor', () => {
    expect(sources.length).toBeGreaterThan(80)
    expect(ours.length).toBeGreaterThan(300)
    for (const room of Object.keys(mayImport).filter((name) => name.startsWith('src/')))
      expect(
        sources.some((file) => file.startsWith(room)),
        room,
      ).toBe(true)
  })

  it('has every file in a room', () => {
    expect(sources.filter((file) => roomOf(file, mayImport) === undefined)).toEqual([])
    expect(
      sources.filter((file) => file.startsWith('src/adapters/') && roomOf(file, towerMayImport) === undefined),
      'name the new tower and what it may import',
    ).toEqual([])
  })

  it('has no arrow that runs up the stairs', () => {
    const wrong = ours.filter(({ from, to }) => !isAllowed(from, to, mayImport))
    expect(wrong.map(told), 'a room imports itself and the rooms below that the table names').toEqual([])
  })

  it('keeps its adapters apart', () => {
    const wrong = ours.filter(
      ({ from, to, isTypeOnly }) =>
        from.startsWith('src/adapters/') &&
        to.startsWith('src/adapters/') &&
        !isAllowed(from, to, towerMayImport) &&
        !(isTypeOnly && to.startsWith('src/adapters/storage/') && mayNameTypesOfStorage.includes(from)),
    )
    expect(wrong.map(told), 'an adapter knows another only where the table of towers names it').toEqual([])
  })

  it('chooses its implementations in app.ts only', () => {
    const wrong = ours.filter(
      ({ from, to }) => chosenInAppOnly.test(to) && from !== 'src/app.ts' && towerOf(from) !== towerOf(to),
    )
    expect(wrong.map(told), 'ask for the interface; app.ts hands you one').toEqual([])
  })

  it('has rules that need nothing: no package, no Node module, no clock', () => {
    const foreign = imports.filter(({ from, to }) => from.startsWith('src/core/') && !to.startsWith('src/'))
    expect(foreign.map(told), 'the core is plain computation; hand it the value').toEqual([])
    const clocks = sources.filter(
      (file) => file.startsWith('src/core/') && /\bDate\b(?!`)|Math\.random|performance\.now/.test(code(file)),
    )
    expect(clocks, 'now and chance are arguments').toEqual([])
    const zones = sources.filter(
      (file) => file.startsWith('src/') && file !== 'src/core/time/zone.ts' && /\bTemporal\./.test(code(file)),
    )
    expect(zones, 'wall clocks live in core/time/zone.ts').toEqual([])
  })

  it('has words that a browser can read too', () => {
    const foreign = imports.filter(
      ({ from, to }) => from.startsWith('src/wire/') && !to.startsWith('src/') && to !== 'typebox',
    )
    expect(foreign.map(told), 'the wire imports the core and typebox').toEqual([])
  })

  it('opens connections to other servers only behind its guard', () => {
    const networked = /^(undici|(node:)?(http|https|net|tls|dgram))$/
    const wrong = imports.filter(
      ({ from, to, isTypeOnly }) =>
        networked.test(to) && !isTypeOnly && !from.startsWith('src/adapters/net/') && !mayListen.includes(from),
    )
    expect(wrong.map(told), 'calls out go through adapters/net').toEqual([])
    const calls = sources.filter(
      (file) =>
        file.startsWith('src/') &&
        !file.startsWith('src/adapters/net/') &&
        !mayCall.includes(file) &&
        /(?<![.\w])fetch\(/.test(code(file)),
    )
    expect(calls, 'calls out go through adapters/net').toEqual([])
  })

  it('has no circle, types included', () => {
    expect(circles(ours).map((circle) => circle.join(' → '))).toEqual([])
  })

  it('has no file that wants to be two', () => {
    const long = [...texts]
      .map(([file, text]) => ({ file, lines: text.split('\n').length }))
      .filter(({ lines }) => lines > lineLimit)
    expect(
      long.map(({ file, lines }) => `${file}: ${lines} lines`),
      'look for the second noun in it',
    ).toEqual([])
  })
})

/** The list of status texts comes from `node:http`; the embedded PostgreSQL looks at its own socket. */
const mayListen = [
  'src/http/answers.ts',
  'src/adapters/storage/embedded/process.ts',
  'src/adapters/storage/embedded/owner.ts',
]
/** The person at the terminal asks the server that runs on the same machine. */
const mayCall: readonly string[] = sources.filter((file) => file.startsWith('src/cli/'))

function filesUnder(folder: string): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules'))
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
    return []
  }
}

function importsOf(file: string): Import[] {
  const pattern = /^(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm
  return [...(texts.get(file) ?? '').matchAll(pattern)].map((match) => {
    const target = match[3] ?? match[4] ?? ''
    const names = /\{([^}]*)\}/
      .exec(match[0])?.[1]
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
    const isTypeOnly = match[2] !== undefined || (names?.every((name) => name.startsWith('type ')) ?? false)
    return { from: file, to: target.startsWith('.') ? normalize(join(dirname(file), target)) : target, isTypeOnly }
  })
}

/** The longest name in the table that `file` begins with. */
function roomOf(file: string, table: Readonly<Record<string, readonly string[]>>): string | undefined {
  return Object.keys(table)
    .filter((room) => file.startsWith(room))
    .sort((a, b) => b.length - a.length)[0]
}

function isAllowed(from: string, to: string, table: Readonly<Record<string, readonly string[]>>): boolean {
  const room = roomOf(from, table)
  if (room === undefined) return false
  if (to.startsWith(room) && (table === mayImport || towerOf(from) === towerOf(to))) return true
  return (table[room] ?? []).some((allowed) => to.startsWith(allowed))
}

function towerOf(file: string): string {
  return /^src\/adapters\/calendars\/([^/]+)\//.exec(file)?.[1] ?? ''
}

/** Without comments and texts. */
function code(file: string): string {
  return (texts.get(file) ?? '')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
}

function told({ from, to }: Import): string {
  return `${from} imports ${to}`
}

/** Each circle once, from the file at which it was entered. */
function circles(edges: readonly Import[]): string[][] {
  const next = Map.groupBy(edges, ({ from }) => from)
  const done = new Set<string>()
  const found: string[][] = []
  const walk = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at >= 0) {
      found.push([...path.slice(at), file])
      return
    }
    if (done.has(file)) return
    for (const { to } of next.get(file) ?? []) walk(to, [...path, file])
    done.add(file)
  }
  for (const file of next.keys()) walk(file, [])
  return found.map((circle) => circle.map((file) => relative('.', file)))
}
