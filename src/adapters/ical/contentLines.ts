// iCalendar text ↔ components and their lines (RFC 5545 §3.1). Knows no property: what it does not understand stays as it came.

/** One unfolded line. `name` is in capitals; empty for a line that is none, which is kept and never understood. */
export type ContentLine = { readonly name: string; readonly text: string }

/** `name` is in capitals, e.g. `VEVENT`. */
export type Component = {
  readonly name: string
  readonly lines: readonly ContentLine[]
  readonly components: readonly Component[]
}

/** `about` says which event it is, for its owner alone: it may be a title. */
export class MalformedCalendar extends Error {
  override readonly name = 'MalformedCalendar'
  readonly about: string | undefined

  constructor(message: string, about?: string) {
    super(message)
    this.about = about
  }
}

const depthLimit = 8
const lineLimit = 100_000

/**
 * The components of a text: one VCALENDAR as a rule. Line breaks of any kind and a byte order mark are forgiven.
 * Throws MalformedCalendar where components do not nest, or where there is none.
 */
export function readComponents(text: string): Component[] {
  const found: Component[] = []
  const open: { name: string; lines: ContentLine[]; components: Component[] }[] = []
  let count = 0
  for (const line of unfold(text)) {
    if (line === '') continue
    count += 1
    if (count > lineLimit) throw new MalformedCalendar('has too many lines')
    const name = nameOf(line)
    if (name === 'BEGIN') {
      if (open.length >= depthLimit) throw new MalformedCalendar('is nested too deeply')
      open.push({ name: valueIn(line).trim().toUpperCase(), lines: [], components: [] })
    } else if (name === 'END') {
      const ended = open.pop()
      if (ended === undefined || ended.name !== valueIn(line).trim().toUpperCase())
        throw new MalformedCalendar('has an END that nothing began')
      const parent = open.at(-1)
      ;(parent?.components ?? found).push(ended)
    } else {
      open.at(-1)?.lines.push({ name, text: line })
    }
  }
  if (open.length > 0) throw new MalformedCalendar('breaks off')
  if (found.length === 0) throw new MalformedCalendar('has no component')
  return found
}

/** CRLF, folded before 75 octets. Lines that were read and not changed say the same again. */
export function writeComponent(component: Component): string {
  const lines: string[] = []
  const write = ({ name, lines: own, components }: Component) => {
    lines.push(`BEGIN:${name}`)
    for (const { text } of own) lines.push(fold(text))
    for (const inner of components) write(inner)
    lines.push(`END:${name}`)
  }
  write(component)
  return `${lines.join('\r\n')}\r\n`
}

export function contentLine(text: string): ContentLine {
  return { name: nameOf(text), text }
}

/** The first line of this name. */
export function lineOf(component: Component, name: string): ContentLine | undefined {
  return component.lines.find((line) => line.name === name)
}

export function linesOf(component: Component, name: string): ContentLine[] {
  return component.lines.filter((line) => line.name === name)
}

/** The value of the first line of this name, as written; undefined without one. */
export function textOf(component: Component, name: string): string | undefined {
  const line = lineOf(component, name)
  return line === undefined ? undefined : valueIn(line.text)
}

export function valueOfLine({ text }: ContentLine): string {
  return valueIn(text)
}

/** The value of a parameter without its quotes; undefined where the line has none of this name (capitals). */
export function parameterOf({ text }: ContentLine, name: string): string | undefined {
  const end = colonOf(text)
  const pattern = /;([A-Za-z0-9-]+)=("[^"]*"|[^";:]*)/g
  for (const match of text.slice(0, end).matchAll(pattern)) {
    if (match[1]?.toUpperCase() === name) return (match[2] ?? '').replace(/^"|"$/g, '')
  }
  return undefined
}

/** RFC 5545 §3.3.11, read. */
export function unescapeText(value: string): string {
  return value.replace(/\\([\\;,nN])/g, (_, character: string) => (/n/i.test(character) ? '\n' : character))
}

/** RFC 5545 §3.3.11. Line breaks of any kind become `\n`, so that no text can begin a line of its own. */
export function escapeText(text: string): string {
  return text
    .replace(/\\/g, '\\\\')
    .replace(/[;,]/g, '\\$&')
    .replace(/\r\n|[\r\n\u0085\u2028\u2029]/g, '\\n')
    .replace(/(?!\t)\p{Cc}/gu, '')
}

/** RFC 5545 §3.2: a quoted parameter cannot hold quotes or controls, not even escaped. */
export function quote(text: string): string {
  return `"${withoutControls(text).replaceAll('"', "'")}"`
}

export function withoutControls(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}

const octetLimit = 75

/** RFC 5545 §3.1: folded before 75 octets, never inside a character. */
export function fold(line: string): string {
  const encoder = new TextEncoder()
  if (encoder.encode(line).length <= octetLimit) return line
  const pieces: string[] = []
  let piece = ''
  let octets = 0
  for (const character of line) {
    const more = encoder.encode(character).length
    if (octets + more > octetLimit) {
      pieces.push(piece)
      // The space that begins the next line counts.
      piece = ' '
      octets = 1
    }
    piece += character
    octets += more
  }
  return [...pieces, piece].join('\r\n')
}

function unfold(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/(?:\r\n|\n|\r)[ \t]/g, '')
    .split(/\r\n|\n|\r/)
}

function nameOf(line: string): string {
  const end = /^[A-Za-z0-9-]+(?=[;:])/.exec(line)
  return end === null ? '' : end[0].toUpperCase()
}

function valueIn(line: string): string {
  return line.slice(colonOf(line) + 1)
}

/** The colon that ends name and parameters: the first that no quotes hold. */
function colonOf(line: string): number {
  let isQuoted = false
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at]
    if (character === '"') isQuoted = !isQuoted
    else if (character === ':' && !isQuoted) return at
  }
  // An odd quote: what stands before the first colon, as most programs read it.
  const first = line.indexOf(':')
  return first < 0 ? line.length : first
}
