/** The pages as any client gets them: their headers, their languages, what stands in them, and the files behind them. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useBuild } from '../support/builds.ts'
import { useBrowser } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'
import { rawRequest } from '../support/rawHttp.ts'

useBuild('pages')
const browser = useBrowser()
let server: PageServer
let pictures: Server
let pictureUrl: string
const asked: string[] = []
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

beforeAll(async () => {
  server = await startPageServer()
  pictures = createServer((request, response) => {
    asked.push(request.url ?? '')
    // Whatever it claims to be.
    response.setHeader('content-type', 'text/html')
    response.end(request.url === '/logo.png' ? png : '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => pictures.once('listening', resolve))
  pictureUrl = `http://127.0.0.1:${(pictures.address() as AddressInfo).port}`
})
afterAll(() => pictures.close())

function get(path: string, headers: Record<string, string> = {}) {
  return rawRequest(server.url, { method: 'GET', path, headers })
}

describe('a page', () => {
  it('runs no script but ours, keeps nothing, and sends nobody where it came from', async () => {
    const { status, headers, text } = await get(`/book/${await makePage(server)}`)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    const policy = String(headers['content-security-policy'])
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self' data:",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
    ])
      expect(policy.split('; ')).toContain(rule)
    expect(policy).not.toMatch(/unsafe|\*/)
    expect(headers).not.toHaveProperty('set-cookie')
    // The only elements that could hold a script: ours by its address, and data.
    expect(text.match(/<script[^>]*>/g)?.map((tag) => tag.replace(/\/assets\/[\w-]+\.js/, 'OURS'))).toEqual([
      '<script type="module" src="OURS">',
      '<script type="application/json" id="document">',
    ])
    // Otherwise browsers would ask for one.
    expect(text).toMatch(/<link rel="icon" href="data:image\/svg\+xml,[^"<>']+">/)
  })

  it('is found by client id and slug, and is nothing else of the server', async () => {
    const id = await makePage(server, { top: { slug: 'intro' } })
    const page = await get(`/${server.clientId}/intro`)
    expect(page.text).toContain(id)
    for (const [path, status, type] of [
      [`/${server.clientId}/nothing`, 404, 'text/html'],
      // What the database cannot keep is looked for nowhere.
      [`/${server.clientId}/%00`, 404, 'text/html'],
      [`/${server.clientId}/a%00b`, 404, 'text/html'],
      [`/${server.clientId}/%EF%BF%BE%00`, 404, 'text/html'],
      ['/reschedule/a%00b', 404, 'text/html'],
      ['/book/a%00b', 404, 'text/html'],
      ['/logo/a%00b', 404, 'application/json'],
      ['/book/nothing', 404, 'text/html'],
      ['/v3/nothing', 404, 'application/json'],
      ['/nobody/intro', 404, 'application/json'],
      ['/docs/', 200, 'text/html'],
      ['/assets/nothing.js', 404, 'application/json'],
      ['/assets/..%2fmanifest.json', 404, 'application/json'],
      [`/book/${'a'.repeat(2_000)}`, 400, 'application/json'],
    ] as const) {
      const answer = await get(path)
      expect(answer.status, path).toBe(status)
      expect(answer.headers['content-type'], path).toContain(type)
    }
  })

  it('is where `should-redirect` leads, with whatever stands behind the address', async () => {
    const id = await makePage(server, { top: { slug: 'moved-here' } })
    const asked = await server.request('GET', '/v3/scheduling/should-redirect/moved-here')
    const address = new URL(`${asked.body.data.url}?language=de&name=A%26B`, server.url)
    const moved = await get(`${address.pathname}${address.search}`)
    expect(moved.status).toBe(302)
    const page = new URL(String(moved.headers.location), address)
    expect(page.href).toBe(`${server.url}/${server.clientId}/moved-here?language=de&name=A%26B`)
    const shown = await get(`${page.pathname}${page.search}`)
    expect([shown.status, shown.text.includes(id), shown.text.includes('<html lang="de"')]).toEqual([200, true, true])
    // Nothing that is no page of this server's.
    expect((await get('/scheduler/evil.example/moved-here')).status).toBe(404)
    const strange = await get(`/scheduler/${server.clientId}/${encodeURIComponent('//evil.example\r\n')}?x`)
    expect(new URL(String(strange.headers.location), address).href).toBe(
      `${server.url}/${server.clientId}/%2F%2Fevil.example?x`,
    )
  })

  it('stands wherever a person may come by a cut link, and nowhere that a program asks', async () => {
    const person = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'accept-language': 'de' }
    for (const [path, status, said] of [
      ['/', 200, 'öffnen Sie bitte den Link'],
      ['/book/', 404, 'Der Link ist vielleicht alt'],
      ['/book', 404, 'Der Link ist vielleicht alt'],
      ['/reschedule/', 404, 'Der Link ist vielleicht alt'],
      ['/cancel', 404, 'Der Link ist vielleicht alt'],
      ['/nobody/intro', 404, 'Der Link ist vielleicht alt'],
    ] as const) {
      const page = await get(path, person)
      expect([path, page.status, page.headers['content-type']]).toEqual([path, status, 'text/html; charset=utf-8'])
      expect(page.text, path).toContain(said)
    }
    for (const [path, headers] of [
      ['/', {}],
      ['/book/', { accept: '*/*' }],
      ['/v3/nothing', person],
    ] as const) {
      const answer = await get(path, headers)
      expect([path, answer.status, answer.headers['content-type']]).toEqual([
        path,
        404,
        'application/json; charset=utf-8',
      ])
    }
  })

  it('of a private configuration tells a stranger nothing but that it is private', async () => {
    const id = await makePage(server, { top: { requires_session_auth: true, name: 'Board meeting' } })
    const { text } = await get(`/book/${id}`)
    expect(text).not.toMatch(/Board|Ada|host\.example/)
  })

  it.each([
    ['', 'de-CH,de;q=0.9,en;q=0.8', 'de', 'ltr'],
    ['', 'xx, ar;q=0.5, en;q=0.2', 'ar', 'rtl'],
    ['', 'iw', 'he', 'rtl'],
    ['', 'en;q=0, fr', 'fr', 'ltr'],
    ['', ',,;;q=x, "', 'en', 'ltr'],
    ['?lang=sv', 'de', 'sv', 'ltr'],
    ['?language=ja-JP', 'de', 'ja', 'ltr'],
    ['?lang=xx&language=de', '', 'de', 'ltr'],
    ['?lang=&language=de', '', 'de', 'ltr'],
    ['?lang=de&lang=fr', 'sv', 'de', 'ltr'],
    // As a mail program may take it from a text.
    ['?lang=de).', 'sv', 'de', 'ltr'],
    ['?language[]=de', 'sv', 'sv', 'ltr'],
    ['?lang=<script>', 'de', 'de', 'ltr'],
    ['?lang=__proto__', '', 'en', 'ltr'],
  ])('asked with %j and %j speaks %s', async (query, accepted, language, direction) => {
    const { text } = await get(`/book/${await makePage(server)}${query}`, { 'accept-language': accepted })
    expect(text).toContain(`<html lang="${language}" dir="${direction}">`)
  })

  it('shows what organizers write as text, and runs none of it', async () => {
    const evil = '</script><script>alert(1)</script><img src=x onerror=alert(1)>\u2028${7*7}'
    const id = await makePage(server, {
      top: {
        name: evil,
        appearance: { thank_you_message: evil, color: 'red;}*{display:none', submit_button_label: evil },
      },
      event: { title: evil, location: evil },
      scheduler: {
        cancellation_policy: evil,
        additional_fields: { topic: { label: evil, type: 'radio_button', options: [evil] } },
      },
    })
    const { page: view } = await browser.open(`${server.url}/book/${id}`)
    await view.locator('.time').first().click()
    await view.locator('input[id=name]').fill(evil.slice(0, 200))
    await view.locator('input[id=email]').fill('gil@guest.example')
    await view.locator('.guestForm > .primary').click()
    await view.locator('.done').waitFor()
    expect(await view.locator('img, .done script').count()).toBe(0)
    expect(await view.locator('.done').textContent()).toContain('</script><script>alert(1)</script>')
  })

  it('says in plain words that it needs scripts', async () => {
    const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`, {
      javaScriptEnabled: false,
    })
    // Text of the element is not looked through, since it is none where scripts run.
    const words = view.locator('noscript')
    expect(await words.innerText()).toContain('This page needs JavaScript')
    const title = await view.getByRole('heading', { name: 'Intro call' }).boundingBox()
    expect((await words.locator('p').boundingBox())?.y).toBeLessThan((title?.y ?? 0) + 100)
  })
})

describe('the files behind it', () => {
  it('never change under their names, and come as small as the client reads', async () => {
    const { text } = await get(`/book/${await makePage(server)}`)
    const script = /src="([^"]+)"/.exec(text)?.[1] ?? ''
    const plain = await get(script)
    expect(plain.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    })
    expect(plain.headers).not.toHaveProperty('content-encoding')
    for (const [accepted, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0, gzip', 'gzip'],
    ] as const) {
      const packed = await get(script, { 'accept-encoding': accepted })
      expect(packed.headers['content-encoding']).toBe(encoding)
      expect(Number(packed.headers['content-length'])).toBeLessThan(plain.text.length / 2)
    }
  })

  it('stay below 150 kB of script, gzipped', async () => {
    const { text } = await get(`/book/${await makePage(server)}`)
    const scripts = [...text.matchAll(/<script[^>]*src="([^"]+)"/g)].map(([, src]) => src ?? '')
    expect(scripts).toHaveLength(1)
    let total = 0
    for (const src of scripts)
      total += Number((await get(src, { 'accept-encoding': 'gzip' })).headers['content-length'])
    expect(total).toBeGreaterThan(50_000)
    expect(total).toBeLessThan(150 * 1_024)
  })
})

describe('the logo', () => {
  it('comes from this server, which asked for it once', async () => {
    const id = await makePage(server, { top: { appearance: { company_logo_url: `${pictureUrl}/logo.png` } } })
    const { page: view } = await browser.open(`${server.url}/book/${id}`)
    const logo = view.locator('.logo')
    await expect
      .poll(() => logo.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth))
      .toBe(1)
    expect((await get(`/logo/${id}`)).headers).toMatchObject({
      'content-type': 'image/png',
      'cache-control': 'public, max-age=3600',
    })
    expect(asked.filter((path) => path === '/logo.png')).toHaveLength(1)
  })

  it('is a picture or nothing', async () => {
    for (const url of [
      `${pictureUrl}/evil.svg`,
      'https://127.0.0.1:1/x.png',
      'javascript:alert(1)',
      'file:///etc/passwd',
    ]) {
      const id = await makePage(server, { top: { appearance: { company_logo_url: url } } })
      expect((await get(`/logo/${id}`)).status, url).toBe(404)
    }
    expect((await get(`/logo/${await makePage(server)}`)).status).toBe(404)
  })
})
