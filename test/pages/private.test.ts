/** A private page while its session is on the way, good, refused, or out of reach; by itself and inside of another site. */
import { beforeAll, expect, it } from 'vitest'
import { useBuild } from '../support/builds.ts'
import { look, useBrowser } from '../support/pages/browser.ts'
import { type Answer, type HostPage, servePages } from '../support/pages/hostPage.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

useBuild('pages')
const browser = useBrowser()
let server: PageServer
let host: HostPage
let configurationId: string
const answers: Record<string, Answer> = {}

beforeAll(async () => {
  server = await startPageServer()
  host = await servePages(answers)
  configurationId = await makePage(server, {
    top: { requires_session_auth: true },
    scheduler: { allowed_origins: [host.url] },
  })
})

const settings = '**/v3/scheduling/ui-settings*'
const refusal = 'open to invited guests only'

async function makeSession(): Promise<string> {
  const { body } = await server.request('POST', '/v3/scheduling/sessions', {
    body: { configuration_id: configurationId },
  })
  return body.data.session_id
}

async function openBlank(forgiven: readonly RegExp[] = []) {
  return (await browser.open('about:blank', { origins: [server.url], forgiven })).page
}

it('waits for what a session opens, and does not send its guest away meanwhile', async () => {
  const view = await openBlank()
  let go = () => {}
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  await view.route(settings, async (route) => {
    await gone
    await route.continue()
  })
  const asked = view.waitForRequest(settings)
  await view.goto(`${server.url}/book/${configurationId}#session=${await makeSession()}`)
  await asked
  await view.locator('main[aria-busy=true]').waitFor()
  expect(await view.getByText(refusal).count()).toBe(0)
  await look(view, 'private-waiting')
  go()
  await view.locator('.time').first().waitFor()
  expect(await view.title()).toBe('Intro call')
})

it('offers to try again where the server cannot be reached, and goes on then', async () => {
  const view = await openBlank([/net::ERR_FAILED/])
  let isCut = true
  await view.route(settings, (route) => (isCut ? route.abort() : route.continue()))
  await view.goto(`${server.url}/book/${configurationId}#session=${await makeSession()}`)
  await view.getByRole('alert').getByText('could not be reached').waitFor()
  expect(await view.getByText(refusal).count()).toBe(0)
  await look(view, 'private-failed')
  const again = view.getByRole('button', { name: 'Try again' })
  const asked = view.waitForRequest(settings)
  await again.press('Enter')
  await asked
  await again.waitFor()
  isCut = false
  await again.press('Enter')
  await view.locator('.time').first().waitFor()
})

it('refuses a session that is none, and one of another configuration', async () => {
  const other = await makePage(server, { top: { requires_session_auth: true } })
  for (const address of [`${configurationId}#session=bogus`, `${other}#session=${await makeSession()}`]) {
    const { page } = await browser.open(`${server.url}/book/${address}`)
    await page.getByText(refusal).waitFor()
  }
})

/** The site keeps what it hears; `attributes`: of the element of the embed. */
async function openSite(attributes: string) {
  answers['/site'] = {
    type: 'text/html',
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><script src="/listen.js"></script><div data-openslot="inline" data-openslot-page="/book/${configurationId}" ${attributes}></div><script src="${server.url}/embed.js" async></script>`,
  }
  answers['/listen.js'] = {
    type: 'text/javascript',
    body: `window.heard = []
for (const name of ['ready', 'resize', 'booked']) document.addEventListener('openslot:' + name, ({ detail }) => heard.push([name, detail.height]))`,
  }
  const { page } = await browser.open(`${host.url}/site`, { origins: [server.url] })
  const heard = async (wanted: string) =>
    ((await page.evaluate('heard')) as [string, number?][]).filter(([name]) => name === wanted)
  return { frame: page.frameLocator('iframe'), heard }
}

it('tells a site once that it is there, and is never lower than what it waits for', async () => {
  const { frame, heard } = await openSite(`data-openslot-session="${await makeSession()}"`)
  await frame.locator('.time').first().click()
  await frame.getByLabel('Your name').waitFor()
  expect(await heard('ready')).toHaveLength(1)
  const heights = (await heard('resize')).map(([, height = 0]) => height)
  expect(Math.min(...heights)).toBeGreaterThan(500)
})

it('refuses in the end where the site hands in no session', async () => {
  const { frame, heard } = await openSite('')
  await frame.getByText(refusal).waitFor()
  expect(await heard('ready')).toHaveLength(1)
})
