// How soon a guest sees free times on a slow phone, how soon a day answers, and how much script that takes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { chromium, type Page } from 'playwright-core'

import { startEmbeddedPostgres } from '../src/adapters/storage/embedded.ts'
import type { BenchRow } from './engine.ts'
import { makeHosts } from './hosts.ts'
import { median, serve } from './support.ts'

const rounds = 5
/** As Lighthouse has it for "slow 4G": 150 ms there and back, 1.6 Mbit/s down; and a processor four times as slow. */
const slow4g = { offline: false, latency: 150, downloadThroughput: 1_638_400 / 8, uploadThroughput: 768_000 / 8 }
const processorRate = 4
const frameMs = 1_000 / 60

/** Needs Debian's Chromium, or one that `CHROMIUM` names. */
export async function benchPages(): Promise<BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'openslot-bench-pages-'))
  const postgres = await startEmbeddedPostgres({ dataDirectory: directory, log: () => {} })
  const server = await serve<{ url: string; token: string }>('./serveOpenSlot.ts', JSON.stringify(postgres.connection))
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
  try {
    const { url, token } = server.told
    const page = `${url}/book/${(await makeHosts(url, token))[8]}`
    await fetch(page)
    const visible: number[] = []
    const picked: number[] = []
    for (let round = 0; round < rounds; round++) {
      const context = await browser.newContext({
        viewport: { width: 390, height: 844 },
        isMobile: true,
        hasTouch: true,
      })
      const view = await context.newPage()
      await slowDown(view)
      visible.push(await seeTimes(view, page))
      picked.push(await pickDay(view))
      await context.close()
    }
    const script = await measureScript(url, page)
    return [
      row('booking page, first times visible on a slow phone', median(visible), 'ms', 2_000),
      row('booking page, a day picked until it shows, same phone', median(picked), 'ms', frameMs),
      row('booking page, script, gzipped', script / 1_024, 'kB', 150),
    ]
  } finally {
    await browser.close()
    await server.stop()
    await postgres.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function row(name: string, value: number, unit: string, limit: number): BenchRow {
  return { name, value, unit, target: `≤ ${Math.round(limit)} ${unit}`, ok: value <= limit }
}

async function slowDown(view: Page): Promise<void> {
  const session = await view.context().newCDPSession(view)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', slow4g)
  await session.send('Emulation.setCPUThrottlingRate', { rate: processorRate })
}

/** From the navigation to the frame in which the times stand. */
async function seeTimes(view: Page, url: string): Promise<number> {
  await view.addInitScript(`globalThis.seenAt = new Promise((resolve) => {
    new MutationObserver((_, observer) => {
      if (document.querySelector('.time') === null) return
      observer.disconnect()
      requestAnimationFrame(() => resolve(performance.now()))
    }).observe(document, { childList: true, subtree: true })
  })`)
  await view.goto(url)
  return view.evaluate('globalThis.seenAt')
}

/**
 * The work between a tap on a day and the pixels of its times: handling the click, and then style, layout and paint of the
 * frame that shows it. The wait for the display's next beat between the two is left out: it is 0 to 17 ms by chance, and
 * the same for a page that does nothing. Answered in one frame means that both fit into one.
 */
async function pickDay(view: Page): Promise<number> {
  // A promise, for waiting by asking again and again is work on the same thread.
  await view.evaluate(`globalThis.answeredAfter = new Promise((resolve) => {
    let pickedAt
    addEventListener('click', () => { pickedAt = performance.now() }, { capture: true, once: true })
    new MutationObserver((_, observer) => {
      if (pickedAt === undefined) return
      observer.disconnect()
      const handledMs = performance.now() - pickedAt
      requestAnimationFrame(() => {
        const begun = performance.now()
        // Read once the frame is painted.
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = () => resolve(handledMs + performance.now() - begun)
        port2.postMessage(undefined)
      })
    }).observe(document.querySelector('.times'), { childList: true, subtree: true, characterData: true })
  }); undefined`)
  await view.locator('.day:not([data-unavailable],[data-disabled],[data-selected])').first().tap()
  return view.evaluate('globalThis.answeredAfter')
}

async function measureScript(url: string, page: string): Promise<number> {
  const html = await (await fetch(page)).text()
  let bytes = 0
  for (const [, src] of html.matchAll(/<script[^>]*src="([^"]+)"/g)) {
    const answer = await fetch(`${url}${src}`, { headers: { 'accept-encoding': 'gzip' } })
    bytes += Number(answer.headers.get('content-length'))
  }
  return bytes
}
