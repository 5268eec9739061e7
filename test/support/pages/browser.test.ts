/** The browser's own watch must see what it is there for: each of these pages misbehaves once. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { findBarriers, takePicture, useBrowser } from './browser.ts'

const browser = useBrowser()
const policy = "default-src 'none'; script-src 'self'; img-src *; connect-src *; require-trusted-types-for 'script'"
const document = (body: string) => `<!doctype html><html lang="en"><title>A page</title><main>${body}</main></html>`
const bodies: Readonly<Record<string, string>> = {
  '/good': document('<h1>Fine</h1>'),
  '/image': document('<img src="https://elsewhere.example/pixel.png" alt="">'),
  '/inline': document('<script>document.title = "changed"</script>'),
  '/throws': document('<script src="/throws.js"></script>'),
  '/throws.js': 'throw new Error("broken")',
  '/html': document('<script src="/html.js"></script>'),
  '/html.js': 'document.querySelector("main").innerHTML = "<b>text</b>"',
  '/barrier': document('<input type="text">'),
}

let server: Server
let origin: string
beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? ''
    const body = bodies[path]
    response
      .writeHead(body === undefined ? 404 : 200, {
        'content-type': path.endsWith('.js') ? 'text/javascript' : 'text/html',
        'content-security-policy': policy,
      })
      .end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

describe('a view', () => {
  it('finds nothing wrong with a page that behaves', async () => {
    const view = await browser.open(`${origin}/good`, { size: 'phone', locale: 'ar', timezone: 'Pacific/Apia' })
    expect(await findBarriers(view.page)).toEqual([])
    const seen = await view.page.evaluate(
      '[navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone, matchMedia("(pointer: coarse)").matches]',
    )
    expect(seen).toEqual(['ar', 'Pacific/Apia', true])
    expect(
      readFileSync(await takePicture(view.page, 'browser-good'))
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG')
    expect(view.takeTroubles()).toEqual([])
  })

  it.each([
    ['/image', 'asked another origin: https://elsewhere.example/pixel.png'],
    ['/inline', 'broke its policy: script-src'],
    ['/throws', 'threw: Error: broken'],
    ['/html', 'broke its policy: require-trusted-types-for'],
  ])('notices what %s does', async (path, expected) => {
    const view = await browser.open(`${origin}${path}`)
    const troubles: string[] = []
    await expect
      .poll(() => {
        troubles.push(...view.takeTroubles())
        return troubles
      })
      .toContainEqual(expect.stringContaining(expected))
  })

  it('names what a screen reader cannot read', async () => {
    const view = await browser.open(`${origin}/barrier`)
    const barriers = await findBarriers(view.page)
    expect(barriers).toEqual([expect.stringMatching(/^label: .* input/)])
    expect(await findBarriers(view.page), 'a second look at the same page').toEqual(barriers)
  })
})
