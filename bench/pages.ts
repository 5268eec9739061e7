// How soon a guest sees free times on a slow phone, how soon a day answers, and how much script that takes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { chromium, type Page } from 'playwright-core'

import { startEmbeddedPostgres } from '../src/adapters/storage/embedded/embedded.ts'
import type { BenchRow } from './engine.ts'
import { makeHosts } from './hosts.ts'
import { median, serve } from './support.ts'

/** The fifth of a second that a tap takes on a busy machine now and then moves a median of five by more than a frame. */
const rounds = 15
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
    const configuration = (await makeHosts(url, token))[8] ?? ''
    await fillDays(url, configuration)
    const page = `${url}/book/${configuration}`
    await fetch(page)
    const visible: number[] = []
    const picked: number[] = []
    const oneWord: number[] = []
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
      await view.evaluate(changeOneWord)
      oneWord.push(await pickDay(view))
      await context.close()
    }
    const script = await measureScript(url, page)
    return [
      row('booking page, first times visible on a slow phone', median(visible), 'ms', 2_000),
      {
        ...row(
          'booking page, a day picked, beyond what a tap costs, same phone',
          median(picked) - median(oneWord),
          'ms',
          frameMs,
        ),
        ceiling: `${median(picked).toFixed(0)} ms until it shows; a tap that changes one word: ${median(oneWord).toFixed(0)} ms`,
      },
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

/** Three bookings on each of the next days, at other times each: as in life, no two days offer the same. */
async function fillDays(url: string, configuration: string): Promise<void> {
  const from = Math.floor(Date.now() / 1_000)
  const asked = `configuration_id=${configuration}&start_time=${from}&end_time=${from + 14 * 86_400}`
  const answer = (await (await fetch(`${url}/v3/scheduling/availability?${asked}`)).json()) as {
    data: { time_slots: { start_time: number; end_time: number }[] }
  }
  const days = Map.groupBy(answer.data.time_slots, ({ start_time }) => Math.floor(start_time / 86_400))
  for (const [index, slots] of [...days.values()].entries())
    for (const place of new Set([1, 4, 9].map((step) => (step * (index + 1)) % slots.length))) {
      const { start_time, end_time } = slots[place] ?? {}
      const body = { start_time, end_time, guest: { name: 'Gil Guest', email: 'gil@guest.example' } }
      const made = await fetch(`${url}/v3/scheduling/bookings?configuration_id=${configuration}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!made.ok) throw new Error(await made.text())
    }
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
 * The work between a tap on a day and the pixels of its times: the task of the tap, with the layout that browsers do in it for
 * themselves, and the frame that shows it. The wait for the display's next beat between the two is left out: it is 0 to
 * 17 ms by chance, and the same for a page that does nothing. Answered in one frame means that the next frame shows it, and
 * that the page makes this frame later by less than one than a tap that does nothing would (decision 69).
 */
async function pickDay(view: Page): Promise<number> {
  const day = view.locator('.day:not([data-unavailable],[data-disabled],[data-selected])').first()
  const box = await day.boundingBox()
  if (box === null) throw new Error('there is no other day to pick')
  // A promise, for waiting by asking again and again is work on the same thread.
  await view.evaluate(`globalThis.answeredAfter = new Promise((resolve) => {
    // Made beforehand, for what measures shall not be measured: they tell when a task, or the making of a frame, has ended.
    const [task, frame] = [new MessageChannel(), new MessageChannel()]
    let tappedAt
    let handledMs
    let begunAt
    const handled = () => { handledMs ??= performance.now() - tappedAt }
    task.port1.onmessage = handled
    frame.port1.onmessage = () => resolve(handledMs + performance.now() - begunAt)
    addEventListener('click', () => { tappedAt = performance.now() }, { capture: true, once: true })
    new MutationObserver((_, observer) => {
      if (tappedAt === undefined) return
      observer.disconnect()
      task.port2.postMessage(undefined)
      requestAnimationFrame(() => {
        handled()
        begunAt = performance.now()
        frame.port2.postMessage(undefined)
      })
    }).observe(document.querySelector('.times'), { childList: true, subtree: true, characterData: true })
  }); undefined`)
  // A bare tap: a locator's own would ask the page, in the same task, what was hit.
  await view.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2)
  return view.evaluate('globalThis.answeredAfter')
}

/** What a tap costs in this browser whatever is done about it: the page does nothing but change one word. */
const changeOneWord = `document.querySelector('.month table').addEventListener('click', (event) => {
  event.stopImmediatePropagation()
  document.querySelector('.dayTitle').firstChild.data = 'Changed'
}, { capture: true })`

async function measureScript(url: string, page: string): Promise<number> {
  const html = await (await fetch(page)).text()
  let bytes = 0
  for (const [, src] of html.matchAll(/<script[^>]*src="([^"]+)"/g)) {
    const answer = await fetch(`${url}${src}`, { headers: { 'accept-encoding': 'gzip' } })
    bytes += Number(answer.headers.get('content-length'))
  }
  return bytes
}
