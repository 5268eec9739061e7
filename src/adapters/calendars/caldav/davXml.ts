// WebDAV's XML: multistatus answers (RFC 4918 §14.16) → plain data, and text that is safe inside a request's body.
import { SaxesParser } from 'saxes'

import { Work } from '../../work/work.ts'

/** `name` is `{namespace}local`. */
export type Element = {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Element[]
  readonly text: string
}

export type DavResponse = {
  /** As the server wrote it: a path or a whole URL, encoded in any way. */
  readonly href: string
  /** Of the whole response; 200 where only its properties have one. */
  readonly status: number
  /** Those that were found. */
  readonly properties: ReadonlyMap<string, Element>
}

export type Multistatus = { readonly responses: readonly DavResponse[]; readonly syncToken: string | undefined }

export const dav = (local: string): string => `{DAV:}${local}`
export const caldav = (local: string): string => `{urn:ietf:params:xml:ns:caldav}${local}`
export const calendarServer = (local: string): string => `{http://calendarserver.org/ns/}${local}`
export const apple = (local: string): string => `{http://apple.com/ns/ical/}${local}`

/** For the root of a request's body. */
export const namespaces =
  'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/"'

const depthLimit = 40

/** A full answer of 20 MB that names a hundred thousand objects has fewer. */
const elementLimit = 700_000

/**
 * Undefined where the text is no multistatus, has more elements than any server means, or declares a document type: nothing
 * here needs one, and entities are a trap. Others get their turn while it is read.
 */
export async function readMultistatus(text: string): Promise<Multistatus | undefined> {
  const responses: DavResponse[] = []
  const root = await readXml(text, (child) => {
    if (child.name === dav('response')) responses.push(toResponse(child))
    return child.name === dav('response')
  })
  if (root === undefined || root.name !== dav('multistatus')) return undefined
  return { responses, syncToken: childOf(root, dav('sync-token'))?.text.trim() || undefined }
}

export function childOf(element: Element | undefined, name: string): Element | undefined {
  return element?.children.find((child) => child.name === name)
}

/** The `href` inside a property; undefined where it is empty. */
export function hrefOf(element: Element | undefined): string | undefined {
  return hrefsOf(element)[0]
}

export function hrefsOf(element: Element | undefined): string[] {
  const inside = element?.children.filter(({ name }) => name === dav('href')) ?? []
  return inside.map(({ text }) => text.trim()).filter((text) => text !== '')
}

/** Every element with this name, however deep. */
export function within(element: Element | undefined, name: string): Element[] {
  if (element === undefined) return []
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...within(child, name)])
}

export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
}

/** Shared: an answer has ten thousands of elements, and hardly an attribute. */
const none: Readonly<Record<string, string>> = {}

type OpenElement = { name: string; attributes: Readonly<Record<string, string>>; children: Element[]; text: string }

/** `takeChild` sees each child of the root as it ends; those that it takes are not kept. */
async function readXml(text: string, takeChild: (child: Element) => boolean): Promise<Element | undefined> {
  const parser = new SaxesParser({ xmlns: true, position: false })
  const open: OpenElement[] = []
  let root: Element | undefined
  let isBroken = false
  let count = 0
  const fail = () => {
    isBroken = true
  }
  parser.on('error', fail)
  parser.on('doctype', fail)
  parser.on('opentag', ({ uri, local, attributes }) => {
    count += 1
    if (open.length >= depthLimit || count > elementLimit) fail()
    const all = Object.values(attributes)
    const own = all.length === 0 ? none : Object.fromEntries(all.map(({ local: name, value }) => [name, value]))
    open.push({ name: `{${uri}}${local}`, attributes: own, children: [], text: '' })
  })
  const add = (more: string) => {
    const last = open.at(-1)
    if (last !== undefined) last.text += more
  }
  parser.on('text', add)
  parser.on('cdata', add)
  parser.on('closetag', () => {
    const closed = open.pop()
    if (closed === undefined) return
    const parent = open.at(-1)
    if (parent === undefined) root = closed
    else if (open.length > 1 || !takeChild(closed)) parent.children.push(closed)
  })
  const work = new Work()
  for (let at = 0; at < text.length && !isBroken; at += pieceLength) {
    // Servers hand on control characters that somebody pasted into a title, which no XML may hold.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones.
    parser.write(text.slice(at, at + pieceLength).replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, ''))
    if (work.isLong()) await work.breathe()
  }
  if (!isBroken) parser.close()
  return isBroken ? undefined : root
}

/** Of nothing but elements it takes some ten milliseconds. */
const pieceLength = 16_384

function toResponse(element: Element): DavResponse {
  const status = childOf(element, dav('status'))
  const properties = new Map<string, Element>()
  for (const part of element.children) {
    if (part.name !== dav('propstat') || statusOf(childOf(part, dav('status'))) !== 200) continue
    for (const property of childOf(part, dav('prop'))?.children ?? []) properties.set(property.name, property)
  }
  return {
    href: childOf(element, dav('href'))?.text.trim() ?? '',
    status: status === undefined ? 200 : statusOf(status),
    properties,
  }
}

/** `HTTP/1.1 404 Not Found`; 0 where it is something else. */
function statusOf(element: Element | undefined): number {
  return Number(/^\s*HTTP\/[\d.]+\s+(\d{3})/.exec(element?.text ?? '')?.[1] ?? '0')
}
