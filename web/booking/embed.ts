// The script that other sites load: it shows a booking page of this server in a frame of its own, inline, in a dialog or behind a
// floating button. No cookies, no storage, no markup from text and no inline styles, so any policy of the host page lets it work.

type Kind = 'inline' | 'popup' | 'button'
type Told = 'ready' | 'booked' | 'rescheduled' | 'cancelled' | 'resize'

export type EmbedOptions = {
  /** The page, as its address on the server: `/book/…` or `/<client id>/<slug>`, with a query where there is something to prefill. */
  readonly page: string
  /** Of a private configuration. */
  readonly session?: string
  /** What a screen reader calls the frame. */
  readonly title?: string
  /** On the floating button. */
  readonly label?: string
  readonly closeLabel?: string
  /** As the CSS property: `light`, `dark`, or `light dark` as the visitor's system has it; what applies at the place where absent. */
  readonly colorScheme?: string
  /** Called with the detail of each event, by the event's name. */
  readonly on?: Partial<Record<Told, (detail: Readonly<Record<string, unknown>>) => void>>
}

export type Embedded = { open(): void; close(): void; remove(): void }

declare global {
  interface Window {
    OpenSlot?: {
      inline(element: HTMLElement, options: EmbedOptions): Embedded
      popup(options: EmbedOptions): Embedded
      button(options: EmbedOptions): Embedded
    }
  }
}

const script = document.currentScript as HTMLScriptElement
const server = new URL(script.src).origin
const names: readonly string[] = ['ready', 'booked', 'rescheduled', 'cancelled', 'resize']

const rules = `
:host{all:initial;display:block}
:host(:not([data-openslot])){all:initial!important}
iframe{display:block;border:0;width:100%;height:640px}
dialog{border:0;padding:0;background:light-dark(#fff,#17191f);border-radius:12px;width:min(960px,100vw - 24px);max-width:none;max-height:calc(100dvh - 24px);overflow:auto;overscroll-behavior:contain;box-shadow:0 16px 48px #0006}
dialog::backdrop{background:#000a}
.close{position:sticky;top:0;display:block;margin-inline-start:auto;z-index:1;width:44px;height:44px;padding:0;border:0;border-radius:50%;background:light-dark(#fffd,#17191fdd);color:light-dark(#222,#eee);font:24px/44px sans-serif;cursor:pointer}
.open{position:fixed;inset-block-end:20px;inset-inline-end:20px;z-index:2147483000;min-height:48px;padding:0 24px;border:0;border-radius:24px;background:#1f4fd8;color:#fff;font:600 16px/1.2 system-ui,sans-serif;box-shadow:0 4px 16px #0005;cursor:pointer}
button:focus-visible{outline:3px solid #1f4fd8;outline-offset:2px;box-shadow:0 0 0 2px #fff}
.close:focus-visible{outline-offset:-4px}`

/**
 * A root that the host page's styles do not reach, and neither its host where that is ours; the site's own element it may lay out.
 * Made by rules that no policy takes for inline styles. */
function shade(host: HTMLElement): ShadowRoot {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(rules)
  root.adoptedStyleSheets = [sheet]
  root.replaceChildren()
  return root
}

type Frame = { readonly frame: HTMLIFrameElement; stop(): void }

/** `target` hears `openslot:booked` and its like as events that bubble. */
function makeFrame(target: HTMLElement, options: EmbedOptions, onEscape: () => void): Frame {
  const address = new URL(options.page, server)
  if (address.origin !== server) throw new Error(`OpenSlot: ${options.page} is not a page of ${server}`)
  const scheme = schemeAt(target, options)
  // Where both are welcome the page follows the visitor's system by itself.
  if (!scheme.includes(' ')) address.searchParams.set('color_scheme', scheme)
  const frame = document.createElement('iframe')
  // Browsers paint a frame's ground where its scheme is not that of the page in it.
  frame.style.colorScheme = scheme
  frame.title = options.title ?? 'Book a time'
  // So that the page knows whom to tell; it is no more than this.
  frame.referrerPolicy = 'origin'
  frame.setAttribute(
    'sandbox',
    'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads allow-top-navigation-by-user-activation',
  )
  frame.src = address.href
  const hear = ({ origin, source, data }: MessageEvent<unknown>) => {
    if (origin !== server || source === null || source !== frame.contentWindow) return
    const { type, ...detail } = (data ?? {}) as { readonly type?: unknown } & Record<string, unknown>
    if (typeof type !== 'string' || !type.startsWith('openslot:')) return
    const name = type.slice('openslot:'.length)
    if (name === 'escape') onEscape()
    // The address is the configuration's, which its organizer wrote; nothing that a browser would run.
    if (name === 'redirect' && typeof detail.address === 'string' && /^https?:/.test(detail.address))
      location.assign(detail.address)
    if (!names.includes(name)) return
    if (name === 'ready' && options.session !== undefined)
      frame.contentWindow?.postMessage({ type: 'openslot:session', session: options.session }, server)
    if (name === 'resize' && typeof detail.height === 'number' && detail.height > 0)
      frame.style.height = `${Math.ceil(detail.height)}px`
    target.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }))
    options.on?.[name as Told]?.(detail)
  }
  addEventListener('message', hear)
  return {
    frame,
    stop() {
      removeEventListener('message', hear)
      frame.remove()
    },
  }
}

/** `light`, `dark` or `light dark`. A site that says nothing of it is light. */
function schemeAt(target: HTMLElement, { colorScheme }: EmbedOptions): string {
  const said = colorScheme ?? getComputedStyle(target).colorScheme
  if (!said.includes('dark')) return 'light'
  return said.includes('light') ? 'light dark' : 'dark'
}

function inline(element: HTMLElement, options: EmbedOptions): Embedded {
  const root = shade(element)
  const made = makeFrame(element, options, () => {})
  root.append(made.frame)
  return { open: () => made.frame.focus(), close: () => {}, remove: made.stop }
}

/** The dialog is the browser's own: what lies behind is inert, Escape closes, and the focus goes back where it came from. */
function popup(options: EmbedOptions, target: HTMLElement = document.body): Embedded {
  const host = document.createElement('div')
  const root = shade(host)
  const dialog = document.createElement('dialog')
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'close'
  button.textContent = '×'
  button.setAttribute('aria-label', options.closeLabel ?? 'Close')
  dialog.setAttribute('aria-label', options.title ?? 'Book a time')
  dialog.append(button)
  root.append(dialog)
  let made: Frame | undefined
  const close = () => dialog.close()
  button.addEventListener('click', close)
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) close()
  })
  // A page that is opened again begins anew.
  dialog.addEventListener('close', () => {
    made?.stop()
    made = undefined
    host.remove()
  })
  return {
    open() {
      if (dialog.open) return
      document.body.append(host)
      dialog.style.colorScheme = schemeAt(target, options)
      made = makeFrame(target, options, close)
      dialog.append(made.frame)
      dialog.showModal()
    },
    close,
    remove() {
      if (dialog.open) close()
    },
  }
}

function button(options: EmbedOptions, target: HTMLElement = document.body): Embedded {
  const host = document.createElement('div')
  const opener = document.createElement('button')
  opener.type = 'button'
  opener.className = 'open'
  opener.textContent = options.label ?? 'Book a time'
  opener.setAttribute('aria-haspopup', 'dialog')
  shade(host).append(opener)
  document.body.append(host)
  const dialog = popup(options, target)
  opener.addEventListener('click', dialog.open)
  return {
    ...dialog,
    remove() {
      dialog.remove()
      host.remove()
    },
  }
}

const found = new WeakMap<HTMLElement, Embedded>()

function wake(element: HTMLElement): void {
  const {
    openslot,
    openslotPage: page,
    openslotSession,
    openslotTitle,
    openslotLabel,
    openslotCloseLabel,
    openslotColorScheme,
  } = element.dataset
  if (page === undefined || found.has(element)) return
  const options: EmbedOptions = {
    page,
    ...(openslotSession === undefined ? {} : { session: openslotSession }),
    ...(openslotTitle === undefined ? {} : { title: openslotTitle }),
    ...(openslotLabel === undefined ? {} : { label: openslotLabel }),
    ...(openslotCloseLabel === undefined ? {} : { closeLabel: openslotCloseLabel }),
    ...(openslotColorScheme === undefined ? {} : { colorScheme: openslotColorScheme }),
  }
  const kind = openslot as Kind
  if (kind === 'inline') found.set(element, inline(element, options))
  else if (kind === 'button') found.set(element, button(options, element))
  else if (kind === 'popup') {
    const dialog = popup(options, element)
    // A link does not lead away, and a button of a form does not send it.
    const open = (event: Event) => {
      event.preventDefault()
      dialog.open()
    }
    element.addEventListener('click', open)
    found.set(element, {
      ...dialog,
      // The element may be put back, and is then woken anew.
      remove() {
        element.removeEventListener('click', open)
        dialog.remove()
      },
    })
  }
}

const marked = '[data-openslot]'
/** Where one of these changes, the element is another embed. */
const watched = ['', '-page', '-session', '-color-scheme'].map((name) => `data-openslot${name}`)

/** `tree` has come to the page, or has left it. */
function look(tree: Node, see: (element: HTMLElement) => void): void {
  if (!(tree instanceof HTMLElement)) return
  if (tree.matches(marked)) see(tree)
  for (const element of tree.querySelectorAll<HTMLElement>(marked)) see(element)
}

/** What is wrong with one keeps no other from waking. */
function tryToWake(element: HTMLElement): void {
  try {
    wake(element)
  } catch (error) {
    console.error(error)
  }
}

function forget(element: HTMLElement): void {
  found.get(element)?.remove()
  found.delete(element)
}

function sleep(element: HTMLElement): void {
  // Moved is not removed.
  if (!element.isConnected) forget(element)
}

// A second script on the same page would wake everything twice.
if (window.OpenSlot === undefined) {
  window.OpenSlot = { inline, popup: (options) => popup(options), button: (options) => button(options) }
  look(document.documentElement, tryToWake)
  new MutationObserver((changes) => {
    const changed = new Set<HTMLElement>()
    for (const { addedNodes, removedNodes, target, type } of changes) {
      if (type === 'attributes') changed.add(target as HTMLElement)
      for (const node of removedNodes) look(node, sleep)
      for (const node of addedNodes) look(node, tryToWake)
    }
    for (const element of changed) {
      forget(element)
      if (element.isConnected) tryToWake(element)
    }
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: watched })
  dispatchEvent(new Event('openslot:load'))
}
