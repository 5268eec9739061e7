// Talk with the page that shows this one in a frame. It hears what happened and how tall the page is; it may hand in a session.

export const isFramed = window.parent !== window

type Told = 'ready' | 'booked' | 'rescheduled' | 'cancelled' | 'resize' | 'escape' | 'redirect'

/** The site around the frame, which the server's policy has let in; anyone, where the browser will not say. */
const around = location.ancestorOrigins?.[0] ?? originOf(document.referrer) ?? '*'

/** `detail` is of what the guest has just done, in the API's own words. */
export function tellFrame(what: Told, detail: Readonly<Record<string, unknown>> = {}): void {
  if (isFramed) window.parent.postMessage({ type: `openslot:${what}`, ...detail }, around)
}

let isReady = false

/** That the page is there: once, however many of its parts come to know it. */
export function tellReady(): void {
  if (!isReady) tellFrame('ready')
  isReady = true
}

/** Tells the height whenever it changes. */
export function tellHeight(): void {
  if (!isFramed) return
  document.documentElement.classList.add('framed')
  new ResizeObserver(() =>
    tellFrame('resize', { height: Math.ceil(document.body.getBoundingClientRect().height) }),
  ).observe(document.body)
  // A dialog around the frame does not hear the keys that are pressed in it.
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented) tellFrame('escape')
  })
}

/** From the fragment, which no server sees. */
export function sessionOfAddress(): string | undefined {
  return new URLSearchParams(location.hash.slice(1)).get('session') || undefined
}

/** The session of a private page: from the fragment, which no server sees, or from the page around. Returns what stops listening. */
export function awaitSession(onSession: (session: string) => void): () => void {
  const inAddress = sessionOfAddress()
  if (inAddress !== undefined) onSession(inAddress)
  const listen = (event: MessageEvent<unknown>) => {
    const { type, session } = (event.data ?? {}) as { type?: unknown; session?: unknown }
    if (event.source === window.parent && type === 'openslot:session' && typeof session === 'string') onSession(session)
  }
  window.addEventListener('message', listen)
  return () => window.removeEventListener('message', listen)
}

function originOf(address: string): string | undefined {
  const origin = URL.canParse(address) ? new URL(address).origin : undefined
  // Links that a guest follows inside of the frame make the page its own referrer.
  return origin === undefined || origin === location.origin ? undefined : origin
}
