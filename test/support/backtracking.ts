/**
 * Whether a regular expression can be made to run longer than in proportion to its text, by its structure alone.
 *
 * Engines that go back and try again do so as often as one text can be read in several ways. The ways are those of an automaton:
 * a loop that reads the same text twice over makes them grow without bound (exponential), two loops after each other that read the
 * same text, with the search for the first start as one of them, in its square or more (polynomial). What is left out: a state from
 * which all is well whatever follows is never gone back from; repeats with an end are a constant, however large.
 * Weideman et al., "Analyzing Matching Time Behavior of Backtracking Regular Expression Matchers by Using Ambiguity of NFA".
 */
export type Backtracking = 'linear' | 'polynomial' | 'exponential'

/** Throws for what it does not know: back references, the flag `v`, look-behind over more than single characters. */
export function backtrackingOf(source: string, flags = ''): Backtracking {
  const automaton = buildAutomaton(source, flags)
  const loops = findLoops(automaton)
  if (loops.some((loop) => readsTwice(automaton, loop))) return 'exponential'
  const follows = loops.some((first) => loops.some((second) => first !== second && readSame(automaton, first, second)))
  return follows ? 'polynomial' : 'linear'
}

/** What can be read next, by the state that it leads to; `ways` counts how often the same state is reached without reading. */
type Step = { readonly to: number; readonly ways: number }
type Automaton = {
  readonly steps: readonly (readonly Step[])[]
  /** What each state has read, as numbers of classes of characters that the expression does not tell apart. */
  readonly reads: readonly ReadonlySet<number>[]
}

type Node =
  | { readonly kind: 'character'; readonly source: string }
  | { readonly kind: 'assertion'; readonly isStart: boolean; readonly isEnd: boolean }
  | { readonly kind: 'ahead'; readonly body: Node }
  | ({ readonly kind: 'behind' } & Behind)
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly body: Node; readonly least: number; readonly most: number }

/** What the character before must be, or must not. */
type Behind = { readonly source: string; readonly isNegative: boolean }

function parse(source: string, flags: string): Node {
  if (flags.includes('v')) throw new Error(`the flag v is not known: /${source}/${flags}`)
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    const found = new RegExp(pattern.source, 'sy')
    found.lastIndex = at
    const match = found.exec(source)
    if (match === null) return undefined
    at += match[0].length
    return match
  }
  const choice = (): Node => {
    const parts = [sequence()]
    while (take(/\|/) !== undefined) parts.push(sequence())
    return { kind: 'choice', parts }
  }
  const sequence = (): Node => {
    const parts: Node[] = []
    while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(repeated(atom()))
    return { kind: 'sequence', parts }
  }
  const repeated = (body: Node): Node => {
    const times = take(/(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/)
    if (times === undefined) return body
    const [, sign, least = '', comma, most = ''] = times
    if (sign !== undefined)
      return { kind: 'repeat', body, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Number.POSITIVE_INFINITY }
    const end = comma === undefined ? Number(least) : most === '' ? Number.POSITIVE_INFINITY : Number(most)
    return { kind: 'repeat', body, least: Number(least), most: end }
  }
  const atom = (): Node => {
    if (take(/\^/)) return { kind: 'assertion', isStart: !flags.includes('m'), isEnd: false }
    if (take(/\$/)) return { kind: 'assertion', isStart: false, isEnd: !flags.includes('m') }
    if (take(/\\[bB]/)) return { kind: 'assertion', isStart: false, isEnd: false }
    const group = take(/\((?:\?(?:<?[=!]|:|<\w+>))?/)
    if (group !== undefined) {
      const body = choice()
      if (take(/\)/) === undefined) throw new Error(`what is in brackets at ${at} is not known: /${source}/`)
      if (!/[=!]$/.test(group[0])) return body
      if (!group[0].includes('<')) return { kind: 'ahead', body }
      const [only] = 'parts' in body && body.parts.length === 1 && 'parts' in (body.parts[0] as Node) ? body.parts : []
      const [character, ...more] = only !== undefined && 'parts' in only ? only.parts : []
      if (character?.kind !== 'character' || more.length > 0) throw new Error(`looks far behind itself: /${source}/`)
      return { kind: 'behind', source: character.source, isNegative: group[0].endsWith('!') }
    }
    if (take(/\\(?:[1-9]|k<)/)) throw new Error(`refers to what it has read: /${source}/`)
    const character = take(
      /\[(?:[^\]\\]|\\.)*\]|\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|.)|[^()|*+?]/,
    )
    if (character === undefined) throw new Error(`what stands at ${at} is not known: /${source}/`)
    return { kind: 'character', source: character[0] }
  }
  const whole = choice()
  if (at < source.length) throw new Error(`what stands at ${at} is not known: /${source}/`)
  return whole
}

type Move = {
  readonly to: number
  readonly isStart?: boolean
  readonly isEnd?: boolean
  /** Whether it is open whatever stands there. */
  readonly isSure?: boolean
  readonly behind?: Behind
  /** Into what is repeated: a repeat that reads nothing is none. */
  readonly isRepeat?: boolean
}
/** Moves that read nothing, and where each character is read. Node 0 is the end. */
type Draft = {
  readonly moves: Move[][]
  readonly characters: Map<number, { readonly source: string; readonly next: number }>
}

/**
 * A state is what was read last, and, for expressions that look behind, what that was; the first one has read nothing, and the
 * next are the search, which passes over everything.
 */
function buildAutomaton(source: string, flags: string): Automaton {
  const draft: Draft = { moves: [[]], characters: new Map() }
  const entry = draw(parse(source, flags), 0, draft)
  const behinds = [...new Set(draft.moves.flat().flatMap(({ behind }) => behind?.source ?? []))]
  const characters = [...draft.characters]
  const classes = classesOf(flags, source, [...characters.map(([, character]) => character.source), ...behinds])
  const pasts = behinds.reduce<readonly (readonly string[])[]>(
    (all, behind) => all.flatMap((past) => [past, [...past, behind]]),
    [[]],
  )
  const readsOf = (read: ReadonlySet<number>, past: readonly string[]) => {
    const isOf = (number: number, behind: number) => classes.of[characters.length + behind]?.has(number) ?? false
    return new Set([...read].filter((number) => behinds.every((name, at) => isOf(number, at) === past.includes(name))))
  }
  const isSearching = !flags.includes('y')
  const states = [
    { node: -1, next: entry, past: [] as readonly string[], reads: new Set<number>() as ReadonlySet<number> },
    ...pasts.map((past) => ({ node: 0, next: entry, past, reads: readsOf(classes.all, past) })),
    ...characters.flatMap(([node, { next }], index) =>
      pasts.map((past) => ({ node, next, past, reads: readsOf(classes.of[index] ?? new Set(), past) })),
    ),
  ]
  const isSure = states.map(({ next }) => endsSurely(draft, next, new Set()))
  const steps = states.map(({ node, next, past }, index): Step[] => {
    if (isSure[index]) return []
    const ways = new Map<number, number>(node <= 0 && isSearching ? [[0, 1]] : [])
    countWays(draft, next, { isAtStart: node === -1, isAtEnd: false, past }, new Set(), (found) =>
      ways.set(found, (ways.get(found) ?? 0) + 1),
    )
    return states.flatMap((state, to) => {
      const count = ways.get(state.node) ?? 0
      return count === 0 || isSure[to] ? [] : [{ to, ways: count }]
    })
  })
  return { steps, reads: states.map(({ reads }) => reads) }
}

/** The node at which `node` begins, when `next` is what comes after it. */
function draw(node: Node, next: number, draft: Draft): number {
  const add = (...to: readonly number[]): number =>
    draft.moves.push(to.map((target) => ({ to: target, isSure: true }))) - 1
  switch (node.kind) {
    case 'character': {
      const at = add()
      draft.characters.set(at, { source: node.source, next })
      return at
    }
    case 'assertion':
      return draft.moves.push([{ to: next, isStart: node.isStart, isEnd: node.isEnd }]) - 1
    case 'behind':
      return draft.moves.push([{ to: next, behind: node }]) - 1
    case 'ahead': {
      // What it reads is read again afterwards: a way of its own, which leads nowhere.
      const body = draw(node.body, add(), draft)
      return draft.moves.push([{ to: body }, { to: next }]) - 1
    }
    case 'sequence':
      return node.parts.reduceRight((after, part) => draw(part, after, draft), next)
    case 'choice':
      return node.parts.length === 1
        ? draw(node.parts[0] as Node, next, draft)
        : add(...node.parts.map((part) => draw(part, next, draft)))
    case 'repeat':
      return drawRepeat(node, next, draft, add)
  }
}

/** Twice stands for every greater number: it is enough for a repeat within a repeat to show. */
function drawRepeat(
  { body, least, most }: Extract<Node, { kind: 'repeat' }>,
  next: number,
  draft: Draft,
  add: (...to: readonly number[]) => number,
): number {
  const needed = Math.min(least, 2)
  let at = next
  if (most === Number.POSITIVE_INFINITY) {
    const loop = add(next)
    draft.moves[loop]?.unshift({ to: draw(body, loop, draft), isSure: true, isRepeat: true })
    at = loop
  } else for (let times = Math.min(most, 2); times > needed; times--) at = add(draw(body, at, draft), next)
  for (let times = 0; times < needed; times++) at = draw(body, at, draft)
  return at
}

/** Whether the end is reached from here whatever comes, so that nobody ever goes back to before. */
function endsSurely(draft: Draft, at: number, seen: Set<number>): boolean {
  if (at === 0) return true
  if (seen.has(at)) return false
  seen.add(at)
  return (draft.moves[at] ?? []).some(({ to, isSure = false }) => isSure && endsSurely(draft, to, seen))
}

/** Calls `found` once for each way to where something is read. `repeated` are the loops that are being repeated on this way. */
function countWays(
  draft: Draft,
  at: number,
  place: { readonly isAtStart: boolean; readonly isAtEnd: boolean; readonly past: readonly string[] },
  repeated: ReadonlySet<number>,
  found: (node: number) => void,
): void {
  if (draft.characters.has(at) && !place.isAtEnd) found(at)
  if (repeated.has(at)) return
  for (const { to, isStart = false, isEnd = false, behind, isRepeat = false } of draft.moves[at] ?? []) {
    if (isStart && !place.isAtStart) continue
    if (behind !== undefined && place.past.includes(behind.source) === behind.isNegative) continue
    const onwards = isRepeat ? new Set([...repeated, at]) : repeated
    countWays(draft, to, { ...place, isAtEnd: place.isAtEnd || isEnd }, onwards, found)
  }
}

/** Characters of every kind that our expressions name, and those that stand in the expression with their neighbours. */
const someCharacters = [
  ...Array.from({ length: 0x180 }, (_, code) => code),
  ...[
    0x300, 0x590, 0x660, 0x8ff, 0x1680, 0x2003, 0x2028, 0x2029, 0x202a, 0x2066, 0x2212, 0x212a, 0x3042, 0xd800, 0xdfff,
  ],
  ...[0xfeff, 0xfffd, 0xffff, 0x1_f600],
]

/** Characters that no part of the expression tells apart are of one class; `of` has the classes of each part. */
function classesOf(
  flags: string,
  source: string,
  parts: readonly string[],
): { readonly all: ReadonlySet<number>; readonly of: readonly ReadonlySet<number>[] } {
  const tests = parts.map((part) => new RegExp(`^(?:${part})$`, flags.replace(/[gym]/g, '')))
  const codes = [...source].flatMap((character) => {
    const code = character.codePointAt(0) ?? 0
    return [code - 1, code, code + 1].filter((near) => near >= 0 && near <= 0x10_ffff)
  })
  const samples = new Set([...someCharacters, ...codes].map((code) => String.fromCodePoint(code)))
  const numbers = new Map<string, number>()
  for (const sample of samples) {
    const told = tests.map((test) => (test.test(sample) ? '1' : '0')).join('')
    if (!numbers.has(told)) numbers.set(told, numbers.size)
  }
  const of = tests.map(
    (_, index) => new Set([...numbers].filter(([told]) => told[index] === '1').map(([, number]) => number)),
  )
  return { all: new Set(numbers.values()), of }
}

type Loop = ReadonlySet<number>

/** Sets of states, each of which leads to each other and to itself; only such as can be reached. */
function findLoops({ steps }: Automaton): Loop[] {
  const reach = steps.map((_, from) => reachable(steps, from))
  const loops: Loop[] = []
  for (const [state, onwards] of reach.entries()) {
    const isSeen = loops.some((loop) => loop.has(state))
    if (!onwards.has(state) || isSeen || !(reach[0]?.has(state) ?? false)) continue
    loops.push(new Set([...onwards].filter((other) => reach[other]?.has(state))))
  }
  return loops
}

function reachable(steps: Automaton['steps'], from: number): Set<number> {
  const seen = new Set<number>()
  const ahead = [from]
  for (let state = ahead.pop(); state !== undefined; state = ahead.pop())
    for (const { to } of steps[state] ?? [])
      if (!seen.has(to)) {
        seen.add(to)
        ahead.push(to)
      }
  return seen
}

/** Whether one state of `loop` comes back to itself by the same text in two ways. */
function readsTwice(automaton: Automaton, loop: Loop): boolean {
  const within = (states: readonly number[]) => states.every((state) => loop.has(state))
  for (const state of loop) {
    // Pairs that both are somewhere in the loop after the same text, and whether they have been apart.
    const home = `${state},${state}`
    const met = walk(automaton, [state, state], within)
    for (const [key, pair] of met) {
      if (pair[0] !== pair[1] && walk(automaton, pair, within).has(home)) return true
      if (key === home && hasTwoWays(automaton, loop, state)) return true
    }
  }
  return false
}

/** Two ways to the same next state are two readings, if that leads back. */
function hasTwoWays({ steps }: Automaton, loop: Loop, state: number): boolean {
  return (steps[state] ?? []).some(({ to, ways }) => ways > 1 && loop.has(to))
}

/** Whether some text leads from the first loop to itself, from the first to the second, and from the second to itself. */
function readSame(automaton: Automaton, first: Loop, second: Loop): boolean {
  const between = reachable(automaton.steps, [...first][0] ?? 0)
  const within = ([one = -1, two = -1, three = -1]: readonly number[]) =>
    first.has(one) && between.has(two) && second.has(three)
  for (const start of first)
    for (const end of second)
      if (walk(automaton, [start, start, end], within).has([start, end, end].join())) return true
  return false
}

/** All that can be reached when each of `states` reads the same text, by the joined names of the states. */
function walk(
  { steps, reads }: Automaton,
  states: readonly number[],
  isWanted: (states: readonly number[]) => boolean,
): Map<string, readonly number[]> {
  const seen = new Map<string, readonly number[]>()
  const ahead: (readonly number[])[] = [states]
  for (let from = ahead.pop(); from !== undefined; from = ahead.pop()) {
    let next: { readonly to: readonly number[]; readonly reads: readonly number[] | undefined }[] = [
      { to: [], reads: undefined },
    ]
    for (const state of from)
      next = next.flatMap((part) =>
        (steps[state] ?? []).flatMap(({ to }) => {
          const read = [...(part.reads ?? reads[to] ?? [])].filter((number) => reads[to]?.has(number))
          return read.length === 0 ? [] : [{ to: [...part.to, to], reads: read }]
        }),
      )
    for (const { to } of next) {
      const key = to.join()
      if (seen.has(key) || !isWanted(to)) continue
      seen.set(key, to)
      ahead.push(to)
    }
  }
  return seen
}
