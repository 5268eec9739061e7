/**
 * Debian's Chromium for tests of pages: a fresh profile for every view, and a test that fails when a page asked another origin,
 * broke its content security policy or threw.
 */
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'

import { provideProgram } from '../debianPackages.ts'

/** How a guest sees a page. Without a word: a desktop in light colours, American English, in UTC. */
export type ViewOptions = {
  readonly size?: 'desktop' | 'phone'
  readonly colorScheme?: 'light' | 'dark'
  /** As browsers name languages: `de`, `ar-EG`. */
  readonly locale?: string
  readonly timezone?: string
  readonly reducedMotion?: 'reduce' | 'no-preference'
  /** Origins that the page may ask beside its own first one: a host page and the server that it embeds. */
  readonly origins?: readonly string[]
  /** Messages of others' code that are known and harmless. Never asked of a foreign origin or a policy report. */
  readonly forgiven?: readonly RegExp[]
  readonly javaScriptEnabled?: boolean
}

export type View = {
  readonly page: Page
  /** What went wrong so far, a sentence each; looked at after each test. Cleared by reading it here. */
  takeTroubles(): string[]
  close(): Promise<void>
}

export type TestBrowser = {
  /** A view in a profile of its own, opened on `url`. Closed after the test. */
  open(url: string, options?: ViewOptions): Promise<View>
}

/** Chromium without windows opens a page in a third of the time. Its package and its program bear one name, as the other's do. */
type Package = 'chromium-headless-shell' | 'chromium'

/** Set it to look at the pictures of a test run. */
const pictures = process.env.SCREENSHOTS ?? join(tmpdir(), 'openslot-screenshots')

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Frames of other sites get no cookies and no storage, as in browsers that protect their people.
  '--test-third-party-cookie-phaseout',
  // Nothing leaves this machine, whatever a page asks for.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
]

const sizes = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
} as const

/** Runs in every frame before the page's own scripts. */
const reportViolations = `addEventListener('securitypolicyviolation', (report) =>
  openslotPolicyReport([report.violatedDirective, report.blockedURI, report.sourceFile, report.lineNumber].join(' ')))`

/**
 * One browser for the test file that calls this at its top; its views are closed and judged after each test. Only the whole
 * `chromium` denies frames of other sites cookies and storage. `CHROMIUM` names a browser of your own, for all files.
 */
export function useBrowser(name: Package = 'chromium-headless-shell'): TestBrowser {
  const program = process.env.CHROMIUM ?? `/usr/bin/${name}`
  let browser: Browser | undefined
  const views = new Set<View>()
  beforeAll(async () => {
    await provideProgram(program, [name])
    browser = await chromium.launch({ executablePath: program, chromiumSandbox: false, args: flags })
  }, 600_000)
  afterEach(async () => {
    const troubles: string[] = []
    for (const view of views) {
      await view.close()
      troubles.push(...view.takeTroubles())
    }
    views.clear()
    expect(troubles, 'what pages did that they should not').toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
  })
  return {
    async open(url, options = {}) {
      if (browser === undefined) throw new Error('the browser starts before the first test; open views in tests')
      const view = await openView(browser, url, options)
      views.add(view)
      await view.page.goto(url)
      return view
    },
  }
}

/** Sentences about what breaks WCAG 2.2 at level A or AA, with the elements that do; empty where all is well. */
export async function findBarriers(page: Page): Promise<string[]> {
  const isAlone = page.frames().length === 1
  // The tool is half a megabyte, and stays in a document that it was once brought into.
  const isThere = isAlone && (await page.evaluate('typeof axe')) === 'object'
  const { violations } = await new AxeBuilder({ page, ...(isThere ? { axeSource: ';' } : {}) })
    // Only what is wrong is written down, and no style sheet read a second time: none of these rules asks for that.
    .options({ resultTypes: ['violations'], preload: false })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    // Frames of other origins are looked into from a page of the tool's own; without frames that page is not worth its time.
    .setLegacyMode(isAlone)
    .analyze()
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
  )
}

/** Keeps a picture of the whole page for people to look at, and returns its path. */
export async function takePicture(page: Page, name: string): Promise<string> {
  mkdirSync(pictures, { recursive: true })
  const path = join(pictures, `${name}.png`)
  await page.screenshot({ path, fullPage: true, animations: 'disabled' })
  return path
}

/** With `SCREENSHOTS` set: the state as it stands, in the other colours, mirrored, and in the other size. */
export async function takePictures(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS === undefined) return
  await takePicture(page, name)
  const isDark = await page.evaluate('matchMedia("(prefers-color-scheme: dark)").matches')
  await page.emulateMedia({ colorScheme: isDark ? 'light' : 'dark' })
  await takePicture(page, `${name}.${isDark ? 'light' : 'dark'}`)
  await page.emulateMedia({ colorScheme: isDark ? 'dark' : 'light' })
  const direction = (await page.evaluate('document.documentElement.dir')) as string
  const turn = (to: string) => page.evaluate(`document.documentElement.dir = '${to}'`)
  await turn(direction === 'rtl' ? 'ltr' : 'rtl')
  await takePicture(page, `${name}.mirrored`)
  await turn(direction)
  const before = page.viewportSize() ?? sizes.desktop.viewport
  const other = before.width < 700 ? 'desktop' : 'phone'
  await page.setViewportSize(sizes[other].viewport)
  await takePicture(page, `${name}.${other}`)
  await page.setViewportSize(before)
}

/** Nothing keeps anyone from using the page as it stands; with `SCREENSHOTS` set, pictures of it are kept as well. */
export async function look(page: Page, name: string): Promise<void> {
  await takePictures(page, name)
  expect(await findBarriers(page), name).toEqual([])
}

async function openView(browser: Browser, url: string, options: ViewOptions): Promise<View> {
  const { size = 'desktop', locale = 'en-US', timezone = 'UTC', colorScheme = 'light' } = options
  const contextOptions: BrowserContextOptions = {
    ...sizes[size],
    locale,
    timezoneId: timezone,
    colorScheme,
    reducedMotion: options.reducedMotion ?? 'reduce',
    javaScriptEnabled: options.javaScriptEnabled ?? true,
    acceptDownloads: true,
    // Otherwise requests of a worker would pass by unseen.
    serviceWorkers: 'block',
  }
  const context = await browser.newContext(contextOptions)
  const troubles = await watch(context, [new URL(url).origin, ...(options.origins ?? [])], options.forgiven ?? [])
  // Below the limit of a test, so that the failure names what was waited for.
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  return {
    page,
    takeTroubles: () => troubles.splice(0),
    close: () => context.close(),
  }
}

/** The list that grows while pages of this profile misbehave. */
async function watch(
  context: BrowserContext,
  origins: readonly string[],
  forgiven: readonly RegExp[],
): Promise<string[]> {
  const troubles: string[] = []
  const notice = (sentence: string) => {
    if (!forgiven.some((pattern) => pattern.test(sentence))) troubles.push(sentence)
  }
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (/^(https?|wss?):$/.test(protocol) && !origins.includes(origin))
      troubles.push(`asked another origin: ${request.url()}`)
  })
  context.on('weberror', (error) => notice(`threw: ${error.error()}`))
  context.on('console', (message) => {
    const text = message.text()
    if (/Content Security Policy|Trusted(HTML|Script)/.test(text)) troubles.push(`broke its policy: ${text}`)
    // That an answer was a refusal is the business of the test.
    else if (message.type() === 'error' && !text.startsWith('Failed to load resource: the server responded with'))
      notice(`wrote an error: ${text}`)
  })
  await context.exposeBinding('openslotPolicyReport', (_, report: string) => {
    troubles.push(`broke its policy: ${report}`)
  })
  await context.addInitScript({ content: reportViolations })
  return troubles
}
