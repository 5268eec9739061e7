// The HTML of a page: what its script needs stands in it, and nothing in it runs or calls anyone but this server.
import type { PageData, PageDocument } from '../../wire/pages.ts'
import type { BuiltPages, Words } from './builtPages.ts'

export type Shell = {
  readonly built: Pick<BuiltPages, 'script' | 'styles'>
  readonly document: PageDocument
  readonly words: Words
  /** Plain text. */
  readonly title: string
  /** What a site around the page asks for; by the guest's system where undefined. */
  readonly colorScheme?: 'light' | 'dark' | undefined
}

/** A day in a month. It stands in the page, for browsers ask each server that they visit for one. */
const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1d4ed8"/><path d="M7 12h18M11 6v4M21 6v4" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/><rect x="17" y="17" width="7" height="7" rx="2" fill="#fff"/></svg>',
)}`

export function writeShell({ built, document, words, title, colorScheme }: Shell): string {
  return [
    '<!doctype html>',
    `<html lang="${document.language}" dir="${words.direction}"${colorScheme === undefined ? '' : ` data-color-scheme="${colorScheme}"`}>`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta name="color-scheme" content="${colorScheme ?? 'light dark'}">`,
    ...(document.page.kind === 'book' ? [] : ['<meta name="robots" content="noindex">']),
    `<title>${escapeHtml(title)}</title>`,
    `<link rel="icon" href="${icon}">`,
    ...built.styles.map((href) => `<link rel="stylesheet" href="${href}">`),
    `<script type="module" src="${built.script}"></script>`,
    '</head>',
    '<body>',
    `<div id="page"><main class="page loading" aria-busy="true">${waiting(document.page.kind, words, title)}</main></div>`,
    `<script type="application/json" id="document">${escapeJson(document)}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

/** What stands there until the script has drawn the page, and a way on where it does not come. */
function waiting(kind: PageData['kind'], words: Words, title: string): string {
  // The same address again: a fragment would go along with none, and a private page may have its session there.
  const again = kind === 'private' ? '' : ` <a href="">${escapeHtml(words.retry)}</a>`
  const inside = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<noscript><p>${escapeHtml(words.needsScript)}</p></noscript>`,
    `<p>${escapeHtml(words.loading)}</p>`,
    `<p class="slow">${escapeHtml(words.slow)}${again}</p>`,
  ].join('')
  return kind === 'book' || kind === 'reschedule' ? `<div class="card">${inside}</div>` : inside
}

/** Scripts and styles of our own only, none of them inline. `frames`: who may show the page in a frame, as origins, or `'none'`. */
export function pagePolicy(frames: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    `frame-ancestors ${frames}`,
    "require-trusted-types-for 'script'",
  ].join('; ')
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** No text in it can end the element, or begin a comment in it. */
function escapeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
