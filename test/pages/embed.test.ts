/** The examples of docs/embed.md as they stand there, on a site of another origin whose policy allows nothing but the server. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import type { FrameLocator, Page, Response } from 'playwright-core'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { compileScript, parse } from 'vue/compiler-sfc'
import { useBuild } from '../support/builds.ts'
import { book, nearFuture } from '../support/hosts.ts'
import { findBarriers, type TestBrowser, takePicture, useBrowser, type View } from '../support/pages/browser.ts'
import { bundle, type HostPage, servePages } from '../support/pages/hostPage.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

vi.setConfig({ testTimeout: 60_000 })
useBuild('pages')
const browser = useBrowser()
const guide = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'embed.md'), 'utf8')
let server: PageServer
let host: HostPage
let configurationId: string
const answers: Record<string, { type: string; body: string; headers?: Record<string, string> }> = {}

beforeAll(async () => {
  server = await startPageServer()
  host = await servePages(answers)
  configurationId = await makePage(server, { scheduler: { allowed_origins: [host.url] } })
})

/** The first example in `language` under `heading`, with the names of this test in it. */
function example(heading: string, language: string): string {
  const section = guide.slice(guide.indexOf(`## ${heading}\n`))
  const code = section.split(`\`\`\`${language}\n`)[1]?.split('\n```')[0]
  if (code === undefined) throw new Error(`docs/embed.md has no example of ${heading}`)
  return code.replaceAll('https://book.example.com', server.url).replaceAll('CONFIGURATION_ID', configurationId)
}

const listen = `window.heard = []
for (const name of ['ready', 'booked', 'rescheduled', 'cancelled'])
  document.addEventListener('openslot:' + name, (event) => window.heard.push([name, event.target.id || event.target.tagName, event.detail]))`

/** Of a site that means no harm to us, only to everything. */
const hostileStyles = `
  body > div, dialog, iframe, button { display: none !important; visibility: hidden !important; transform: scale(0.1) !important; opacity: 0 !important; width: 1px !important; position: static !important }
  * { font: 3px monospace !important; letter-spacing: 2em !important; text-transform: uppercase !important }`

/** As the examples have it in the page. */
const scriptOf = () => `<script src="${server.url}/embed.js" async></script>`

type Around = { readonly early?: string; readonly styles?: string; readonly within?: TestBrowser }

/** `early` runs before the page's own scripts, `script` after all that stands in it. Its policy allows nothing but what the guide says. */
async function openHost(
  body: string,
  script = '',
  { early = '', styles = '', within = browser }: Around = {},
): Promise<View> {
  const policy = [
    "default-src 'none'",
    `script-src 'self' ${server.url}`,
    `frame-src ${server.url}`,
    "style-src 'self'",
    "require-trusted-types-for 'script'",
  ].join('; ')
  answers['/site'] = {
    type: 'text/html',
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title><link rel="stylesheet" href="/site.css"><script src="/listen.js"></script><main><h1>Shop</h1><div id="root"></div>${body}</main><script type="module" src="/site.js"></script></html>`,
    headers: { 'content-security-policy': policy },
  }
  answers['/listen.js'] = { type: 'text/javascript', body: `${listen}\n${early}` }
  answers['/site.css'] = { type: 'text/css', body: styles }
  answers['/site.js'] = { type: 'text/javascript', body: script }
  return within.open(`${host.url}/site`, { origins: [server.url] })
}

/** The first that stands in the page. */
const framed = (page: Page) => page.frames().find((one) => one !== page.mainFrame())

async function bookIn(frame: FrameLocator, name = 'Gil Guest'): Promise<void> {
  await frame.locator('.time').first().click()
  await frame.getByLabel('Your name').fill(name)
  await frame.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
  await frame.getByRole('button', { name: 'Book', exact: true }).click()
  await frame.getByRole('heading', { name: 'You are booked' }).waitFor()
}

type Heard = [name: string, element: string, detail: { readonly booking?: { readonly booking_id: string } }]
const heard = async (page: Page, wanted: string) =>
  ((await page.evaluate('heard')) as Heard[]).filter(([name]) => name === wanted)

describe('plain HTML', () => {
  it('shows the page in place, as tall as it is, and hears of the booking', async () => {
    const { page } = await openHost(example('Plain HTML', 'html'))
    const frame = page.frameLocator('[data-openslot=inline] iframe')
    await frame.locator('.time').first().waitFor()
    const height = async () => (await page.locator('[data-openslot=inline] iframe').boundingBox())?.height ?? 0
    const inside = () => framed(page)?.evaluate('document.documentElement.scrollHeight')
    await expect.poll(async () => Math.abs((await height()) - Number(await inside()))).toBeLessThan(2)
    await takePicture(page, 'embed-inline')
    expect(await findBarriers(page)).toEqual([])
    await bookIn(frame)
    const booked = await heard(page, 'booked')
    expect(booked).toEqual([['booked', 'DIV', expect.objectContaining({ booking: expect.any(Object) })]])
    const id = booked[0]?.[2].booking?.booking_id
    const { body } = await server.request('GET', `/v3/scheduling/bookings/${id}?configuration_id=${configurationId}`)
    expect(body.data.status).toBe('booked')
    expect(await page.context().cookies()).toEqual([])
    // The link to move the booking opens inside of the frame, and the site hears of that too.
    await frame.getByRole('link', { name: /reschedule|another time/i }).click()
    await frame.locator('.time').first().click()
    await frame
      .getByRole('button', { name: /reschedule|move/i })
      .first()
      .click()
    await expect.poll(() => heard(page, 'rescheduled')).toHaveLength(1)
  })

  it('opens a dialog that keeps the focus, closes by Escape inside and out, and gives the focus back', async () => {
    const { page } = await openHost(example('Plain HTML', 'html'))
    const opener = page.getByRole('button', { name: 'Book a call' })
    await opener.focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    const frame = dialog.locator('iframe').contentFrame()
    await frame.locator('.time').first().waitFor()
    await takePicture(page, 'embed-popup')
    expect(await findBarriers(page)).toEqual([])
    const focused = () =>
      page.evaluate('[document.activeElement, document.activeElement.shadowRoot?.activeElement].map((e) => e?.tagName)')
    expect(await focused()).toEqual(['DIV', 'BUTTON'])
    // Into the frame, which takes the focus when its own process comes to it, and through it; never to what lies behind the dialog.
    for (let steps = 0; steps < 4; steps++) {
      await page.keyboard.press('Tab')
      await expect.poll(focused).toEqual(['DIV', 'IFRAME'])
    }
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Book a call')
    // A key that comes before the process of the frame has let go of the keyboard is nobody's.
    const openAgain = async () => {
      if ((await dialog.count()) === 0) await page.keyboard.press('Enter')
      return dialog.count()
    }
    await expect.poll(openAgain, { interval: 250 }).toBe(1)
    await frame.locator('.time').first().waitFor()
    await dialog.getByRole('button', { name: 'Close' }).click()
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Book a call')
  })

  it('opens one dialog from an element that was taken out and put back, and none from one that stayed out', async () => {
    const { page } = await openHost(
      `${scriptOf()}<button id="opener" data-openslot="popup" data-openslot-page="/book/${configurationId}">Open</button>`,
    )
    await page.waitForFunction('window.OpenSlot')
    // Each time, until what watches the page has seen it.
    await page.evaluate(`(async () => {
      window.opener = document.getElementById('opener')
      const seen = () => new Promise((done) => setTimeout(done))
      for (let round = 0; round < 2; round++) {
        const { parentNode } = opener
        opener.remove()
        await seen()
        opener.click()
        parentNode.append(opener)
        await seen()
      }
    })()`)
    expect(await page.locator('dialog').count()).toBe(0)
    await page.getByRole('button', { name: 'Open' }).click()
    await page.frameLocator('dialog iframe').locator('.time').first().waitFor()
    expect(await page.locator('dialog').count()).toBe(1)
  })

  it('floats a button over the page, beside an embed in place, and each books for itself', async () => {
    const { page } = await openHost(example('Plain HTML', 'html'))
    await page.frameLocator('[data-openslot=inline] iframe').locator('.time').first().waitFor()
    await page.getByRole('button', { name: 'Talk to us' }).click()
    await bookIn(page.getByRole('dialog').locator('iframe').contentFrame())
    expect(await page.frameLocator('[data-openslot=inline] iframe').locator('.time').count()).toBeGreaterThan(0)
    expect(await heard(page, 'booked')).toHaveLength(1)
  })
})

describe('on any site', () => {
  it('an embed leads back to the times and on, whatever the site or another embed does with the history', async () => {
    const inline = (id: string) =>
      `<div id="${id}" data-openslot="inline" data-openslot-page="/book/${configurationId}"></div>`
    const { page } = await openHost(`${scriptOf()}${inline('one')}${inline('two')}`)
    const [one, two] = [page.frameLocator('#one iframe'), page.frameLocator('#two iframe')]
    await one.locator('.time').first().click()
    await two.locator('.time').first().click()
    await page.evaluate("history.pushState({}, '', '#here')")
    for (const frame of [one, two]) {
      await frame.getByRole('button', { name: 'Change time' }).click()
      await frame.locator('.time').nth(1).click()
      await frame.getByLabel('Your name').waitFor()
    }
    expect(page.url()).toMatch(/#here$/)
  })

  it('an element shows what its attributes come to say, is as wide as the site wants, and does not lead away', async () => {
    const other = await makePage(server, { scheduler: { allowed_origins: [host.url] } })
    const { page, takeTroubles } = await openHost(
      `${scriptOf()}<li data-openslot="inline" data-openslot-page="/book/${configurationId}"></li>
       <div data-openslot="inline" data-openslot-page="https://elsewhere.example/book"></div>
       <div id="late"></div>
       <a id="link" href="/elsewhere" data-openslot="popup" data-openslot-page="/book/${configurationId}">Open</a>`,
      '',
      { styles: '#late { width: 640px; margin: 0 auto }' },
    )
    await page.waitForFunction('window.OpenSlot')
    const late = page.locator('#late')
    const name = async (attribute: string, value: string) =>
      late.evaluate((element, [key, text]) => element.setAttribute(key, text), [attribute, value] as const)
    await name('data-openslot-page', `/book/${configurationId}`)
    await name('data-openslot', 'inline')
    const frame = page.locator('#late iframe')
    await frame.contentFrame().locator('.time').first().waitFor()
    expect(await frame.boundingBox()).toMatchObject({ x: 320, width: 640 })
    await name('data-openslot-page', `/book/${other}`)
    await expect.poll(() => frame.getAttribute('src')).toContain(other)
    await frame.contentFrame().locator('.time').first().waitFor()
    expect(await frame.count()).toBe(1)
    await page.locator('#link').click()
    await page.frameLocator('dialog iframe').locator('.time').first().waitFor()
    expect(page.url()).toBe(`${host.url}/site`)
    // The two that cannot be say so, and kept none of the others from waking.
    expect(takeTroubles()).toEqual([
      expect.stringContaining('attachShadow'),
      expect.stringContaining('https://elsewhere.example/book is not a page of'),
    ])
  })

  it('the page wears the colours that the site asks for, not those of the system; both where it says so', async () => {
    const place = (id: string, more = '') =>
      `<div id="${id}" data-openslot="inline" data-openslot-page="/book/${configurationId}" ${more}></div>`
    const { page } = await openHost(
      `${scriptOf()}${place('silent')}${place('dark', 'data-openslot-color-scheme="dark"')}${place('both')}`,
      '',
      { styles: '#both { color-scheme: light dark }' },
    )
    await page.emulateMedia({ colorScheme: 'dark' })
    const schemes = (id: string) => {
      const frame = page.locator(`#${id} iframe`)
      const scheme = 'getComputedStyle(document.documentElement).colorScheme'
      return Promise.all([
        frame.evaluate((element) => element.ownerDocument.defaultView.getComputedStyle(element).colorScheme),
        frame.contentFrame().locator('html').evaluate(scheme),
      ])
    }
    for (const [id, scheme] of [
      ['silent', 'light'],
      ['dark', 'dark'],
      ['both', 'light dark'],
    ] as const) {
      await page.frameLocator(`#${id} iframe`).locator('.time').first().waitFor()
      expect(await schemes(id), id).toEqual([scheme, scheme])
    }
    await takePicture(page, 'embed-schemes')
  })
})

describe('the example for', () => {
  it('React books and tells the component', async () => {
    const { page } = await openHost(scriptOf(), await bundleOf('jsx', example('React', 'jsx'), reactMain))
    await bookIn(page.frameLocator('iframe'))
    await expect.poll(() => page.evaluate('bookings.length')).toBe(1)
  })

  it('Vue books and tells the component', async () => {
    const { page } = await openHost(scriptOf(), await bundleOf('js', compileVue(example('Vue', 'vue')), vueMain))
    await bookIn(page.frameLocator('iframe'))
    await expect.poll(() => page.evaluate('bookings.length')).toBe(1)
  })

  it('JavaScript opens a dialog', async () => {
    const code = `addEventListener('openslot:load', () => { ${example('JavaScript', 'js')} })`
    const { page } = await openHost(scriptOf(), '', { early: code })
    await page.getByRole('dialog').locator('iframe').contentFrame().locator('.time').first().waitFor()
  })
})

describe('a frame', () => {
  it('and what stands around it keep their looks where the site styles everything', async () => {
    const { page } = await openHost(example('Plain HTML', 'html'), '', { styles: hostileStyles })
    const opener = page.getByRole('button', { name: 'Talk to us' })
    await expect.poll(async () => Math.round((await opener.boundingBox())?.height ?? 0)).toBe(48)
    const { x = 0, y = 0, width = 0, height = 0 } = (await opener.boundingBox()) ?? {}
    expect([Math.round(x + width), Math.round(y + height)]).toEqual([1_260, 780])
    await opener.click()
    const frame = page.getByRole('dialog').locator('iframe')
    await frame.contentFrame().locator('.time').first().waitFor()
    expect((await frame.boundingBox())?.width).toBe(960)
  })

  it('of a private configuration is opened by the session that the site hands in', async () => {
    const id = await makePage(server, {
      scheduler: { allowed_origins: [host.url] },
      top: { requires_session_auth: true },
    })
    const session = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
    const { page } = await openHost(
      `<div data-openslot="inline" data-openslot-page="/book/${id}" data-openslot-session="${session.body.data.session_id}"></div>${scriptOf()}`,
    )
    await bookIn(page.frameLocator('iframe'))
  })

  it('takes the whole site to where the configuration sends its guests', async () => {
    answers['/thanks'] = { type: 'text/html', body: '<!doctype html><html lang="en"><title>Thanks</title></html>' }
    const id = await makePage(server, {
      scheduler: { allowed_origins: [host.url], confirmation_redirect_url: `${host.url}/thanks` },
    })
    const { page } = await openHost(`<div data-openslot="inline" data-openslot-page="/book/${id}"></div>${scriptOf()}`)
    const frame = page.frameLocator('iframe')
    await frame.locator('.time').first().click()
    await frame.getByLabel('Your name').fill('Gil Guest')
    await frame.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
    await frame.getByRole('button', { name: 'Book', exact: true }).click()
    await page.waitForURL('**/thanks?*')
    expect(new URL(page.url()).searchParams.get('email')).toBe('gil@guest.example')
  })

  it('stays empty on a site that the configuration does not name', async () => {
    const id = await makePage(server, { scheduler: { allowed_origins: ['https://elsewhere.example'] } })
    const view = await openHost(`<div data-openslot="inline" data-openslot-page="/book/${id}"></div>${scriptOf()}`)
    const troubles: string[] = []
    await expect
      .poll(() => {
        troubles.push(...view.takeTroubles())
        return troubles
      })
      .toContainEqual(expect.stringContaining('frame-ancestors'))
    expect(await view.page.frameLocator('iframe').locator('.time').count()).toBe(0)
    expect(await heard(view.page, 'ready')).toEqual([])
  })

  it('is believed by where a message comes from, not by what it says', async () => {
    const { page } = await openHost(example('Plain HTML', 'html'))
    await expect.poll(() => heard(page, 'ready')).toHaveLength(1)
    await page.evaluate(`postMessage({ type: 'openslot:booked', booking: { booking_id: 'forged' } }, '*')`)
    await page.evaluate(
      'new Promise((done) => { addEventListener("message", done, { once: true }); postMessage("last", "*") })',
    )
    expect(await heard(page, 'booked')).toEqual([])
  })
})

describe('in a browser that keeps other sites from remembering anyone, a frame', () => {
  // Without windows, Chromium does not.
  const strict = useBrowser('chromium')

  it('needs neither cookies nor storage, and is given none: in place, in a dialog, behind a button', async () => {
    const { page } = await openHost(example('Plain HTML', 'html'), '', { within: strict })
    const answered: Response[] = []
    page.on('response', (response) => answered.push(response))
    await page.reload()
    const inPlace = page.frameLocator('[data-openslot=inline] iframe')
    await inPlace.locator('.time').first().waitFor()
    const kept = await framed(page)?.evaluate(`[
      ...['localStorage', 'sessionStorage'].map((name) => { try { return typeof window[name].length } catch (error) { return error.name } }),
      (() => { document.cookie = 'kept=1; SameSite=None; Secure'; return document.cookie })(),
    ]`)
    expect(kept).toEqual(['SecurityError', 'SecurityError', ''])
    await bookIn(inPlace)
    for (const name of ['Book a call', 'Talk to us']) {
      await page.getByRole('button', { name }).click()
      await bookIn(page.getByRole('dialog').locator('iframe').contentFrame())
      await page.getByRole('button', { name: 'Close' }).click()
    }
    expect(await heard(page, 'booked')).toHaveLength(3)
    // None is even offered, which a browser that takes none would hide.
    const offered = await Promise.all(answered.map((response) => response.headerValue('set-cookie')))
    expect(answered.filter((response) => response.url().includes('/v3/scheduling/bookings'))).toHaveLength(3)
    expect(offered.filter((cookie) => cookie !== null)).toEqual([])
    expect(await page.context().cookies()).toEqual([])
  })
})

describe('the server', () => {
  const ancestors = (headers: Headers) =>
    /frame-ancestors ([^;]+)/.exec(headers.get('content-security-policy') ?? '')?.[1]

  it('serves a script of at most 5 kB that every site may load', async () => {
    const reply = await fetch(`${server.url}/embed.js`)
    expect(reply.status).toBe(200)
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=3600',
      'cross-origin-resource-policy': 'cross-origin',
      'access-control-allow-origin': '*',
    })
    expect(gzipSync(await reply.text()).length).toBeLessThanOrEqual(5_120)
  })

  it('lets the named sites frame what guests open, and nobody what organizers open', async () => {
    const id = await makePage(server, {
      scheduler: { allowed_origins: ['https://a.example', 'https://*.b.example:8443'] },
      event: { booking_type: 'organizer-confirmation' },
      top: { slug: 'framed' },
    })
    const made = await book(server, id, nearFuture())
    const reference = encodeURIComponent(made.body.data.booking_ref)
    const named = "'self' https://a.example https://*.b.example:8443"
    for (const path of [
      `/book/${id}`,
      `/${server.clientId}/framed`,
      `/reschedule/${reference}`,
      `/cancel/${reference}`,
    ])
      expect({ path, who: ancestors((await fetch(`${server.url}${path}`)).headers) }).toEqual({ path, who: named })
    const plain = await makePage(server)
    for (const path of [`/book/${plain}`, `/confirmation/${reference}`, '/book/00000000-0000-4000-8000-000000000000'])
      expect({ path, who: ancestors((await fetch(`${server.url}${path}`)).headers) }).toEqual({ path, who: "'self'" })
  })

  it.each([
    'example.com',
    'https://a.example/path',
    "https://a.example; script-src 'unsafe-inline'",
    'javascript:x',
    '',
  ])('refuses %j as an origin, and names the field', async (origin) => {
    const path = `/v3/grants/${server.host.grantId}/scheduling/configurations/${configurationId}`
    const reply = await server.request('PUT', path, { body: { scheduler: { allowed_origins: [origin] } } })
    expect({ status: reply.status, message: reply.body.error.message }).toEqual({
      status: 400,
      message: expect.stringContaining('scheduler.allowed_origins[0]'),
    })
  })
})

const reactMain = (file: string) => `import { createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BookingPage } from ${JSON.stringify(file)}
window.bookings = []
const onBooked = (booking) => bookings.push(booking)
createRoot(document.getElementById('root')).render(
  createElement(StrictMode, {}, createElement(BookingPage, { page: '/book/${configurationId}', onBooked })))`

const vueMain = (file: string) => `import { createApp, h } from 'vue'
import BookingPage from ${JSON.stringify(file)}
window.bookings = []
createApp({ render: () => h(BookingPage, { page: '/book/${configurationId}', onBooked: (booking) => bookings.push(booking) }) }).mount('#root')`

function compileVue(source: string): string {
  return compileScript(parse(source).descriptor, { id: 'example', inlineTemplate: true }).content
}

function bundleOf(ending: string, code: string, main: (file: string) => string): Promise<string> {
  const file = `/example.${ending}`
  return bundle('/main.js', { '/main.js': main(file), [file]: code })
}
