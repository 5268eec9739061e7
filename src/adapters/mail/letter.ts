// What a letter holds, laid out as plain text and as HTML. All of it is text: nothing that someone wrote becomes markup.

export type Letter = {
  readonly language: string
  readonly direction: 'ltr' | 'rtl'
  /** A picture's web address; empty without one. */
  readonly logo: string
  readonly heading: string
  readonly paragraphs: readonly string[]
  /** `href` empty: the value is text and nothing to click on. */
  readonly rows: readonly { readonly label: string; readonly value: string; readonly href: string }[]
  /** The first one stands out. */
  readonly buttons: readonly { readonly label: string; readonly href: string }[]
  readonly branding: string
}

export function writeText({ heading, paragraphs, rows, buttons, branding }: Letter): string {
  const row = ({ label, value }: Letter['rows'][number]) => {
    const lines = value.split(/\r\n|[\r\n]/)
    return lines.length === 1 ? `${label}: ${value}` : [`${label}:`, ...lines.map((line) => `  ${line}`)].join('\n')
  }
  return [
    heading,
    ...paragraphs,
    rows.map(row).join('\n'),
    buttons.map(({ label, href }) => `${label}: ${href}`).join('\n'),
    branding === '' ? '' : `-- \n${branding}`,
  ]
    .filter((block) => block !== '')
    .join('\n\n')
    .concat('\n')
}

/**
 * One column of at most 560 px that narrows with the window, without a picture that has to be loaded to be understood.
 * Each text is read in its own direction and stands at the letter's edge.
 * Colours stand on the elements, for clients that drop style sheets, and change with the reader's scheme where they do not.
 */
export function writeHtml({ language, direction, logo, heading, paragraphs, rows, buttons, branding }: Letter): string {
  // By name: some clients do not know `start`, and elsewhere it is each text's own, so a name in Latin letters would stand apart.
  const edge = direction === 'rtl' ? 'right' : 'left'
  return html`<!doctype html>
<html lang="${language}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${heading}</title>
<style>${trusted(darkScheme)}</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f4f6;color:#1f2937;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;-webkit-text-size-adjust:100%">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center" style="padding:16px 8px">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;background:#ffffff;border:1px solid #e5e7eb;border-radius:12px;border-collapse:separate"><tr><td style="padding:24px 20px;text-align:${edge};${wrapping(language)}">
${logo === '' ? '' : html`<img src="${logo}" alt="" height="40" style="display:block;height:40px;max-width:200px;border:0;margin:0 0 20px">`}
<h1 class="text" dir="auto" style="margin:0 0 12px;font-size:22px;line-height:1.3;color:#111827;text-align:${edge}">${heading}</h1>
${paragraphs.map((text) => html`<p class="text" dir="auto" style="margin:0 0 16px;font-size:16px;line-height:1.5;color:#1f2937;white-space:pre-line;text-align:${edge}">${text}</p>`)}
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
${rows.map(
  ({
    label,
    value,
    href,
  }) => html`<tr><td class="line" style="padding:10px 0;border-top:1px solid #e5e7eb;text-align:${edge}">
<div class="muted" dir="auto" style="font-size:13px;line-height:1.4;color:#6b7280;text-align:${edge}">${label}</div>
<div class="text" dir="auto" style="font-size:16px;line-height:1.5;color:#1f2937;white-space:pre-line;text-align:${edge}">${href === '' ? value : html`<a class="link" href="${href}" style="color:#1d4ed8">${value}</a>`}</div>
</td></tr>
`,
)}</table>
${
  buttons.length === 0
    ? ''
    : html`<div style="padding-top:16px;text-align:${edge}">
${buttons.map(({ label, href }, index) =>
  index === 0
    ? html`<a class="main" href="${href}" style="display:inline-block;margin:8px 0;margin-inline-end:8px;padding:12px 20px;border-radius:8px;border:1px solid #1d4ed8;background:#1d4ed8;color:#ffffff;font-size:16px;font-weight:600;text-decoration:none">${label}</a>
`
    : html`<a class="other" href="${href}" style="display:inline-block;margin:8px 0;margin-inline-end:8px;padding:12px 20px;border-radius:8px;border:1px solid #9ca3af;background:#ffffff;color:#1f2937;font-size:16px;font-weight:600;text-decoration:none">${label}</a>
`,
)}</div>`
}
</td></tr></table>
${branding === '' ? '' : html`<p class="muted" style="margin:12px 0 0;font-size:12px;color:#4b5563">${branding}</p>`}
</td></tr></table>
</body>
</html>
`.markup
}

/** A word that does not fit is broken, so that nothing is wider than the window; Korean is broken between words before. */
function wrapping(language: string): string {
  const isKorean = /^ko\b/i.test(language)
  return `word-break:${isKorean ? 'keep-all' : 'break-word'};overflow-wrap:anywhere`
}

const darkScheme = `:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.page{background:#111827!important}
.card{background:#1f2937!important;border-color:#374151!important}
.text{color:#f3f4f6!important}
.muted{color:#9ca3af!important}
.line{border-color:#374151!important}
.link{color:#93c5fd!important}
.main{background:#2563eb!important;border-color:#2563eb!important}
.other{background:#1f2937!important;color:#f3f4f6!important;border-color:#6b7280!important}
}`

/** Text that is markup already. Only `html` and `trusted` make it, so nothing else passes unescaped. */
type Markup = { readonly markup: string }

function html(strings: TemplateStringsArray, ...parts: readonly (string | Markup | readonly Markup[])[]): Markup {
  const written = strings.map((piece, index) => `${piece}${index < parts.length ? toMarkup(parts[index] ?? '') : ''}`)
  return { markup: written.join('') }
}

function toMarkup(part: string | Markup | readonly Markup[]): string {
  if (typeof part === 'string') return escapeHtml(part)
  return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('')
}

function trusted(markup: string): Markup {
  return { markup }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Controls are left out: no client should have to guess what they mean. */
function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => entities[character] ?? '')
    .replace(/(?![\n\r\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '')
}
