/** The very first start prints the address of a page, and the page books. */
import { beforeAll, expect, it } from 'vitest'

import { makeDatabase, startServer } from '../flows/cli/openslot.ts'
import { useBuild } from '../support/builds.ts'
import { useBrowser } from '../support/pages/browser.ts'

useBuild('pages')
const browser = useBrowser()
let server: Awaited<ReturnType<typeof startServer>>

beforeAll(async () => {
  const { environment } = await makeDatabase()
  server = await startServer({ ...environment, LOG_LEVEL: 'error' })
})

it('prints the address of the demo page, which books', async () => {
  const address = /Book the demo host in the browser: (\S+)/.exec(server.greeting)?.[1] ?? ''
  const { page: view } = await browser.open(address, { size: 'phone', timezone: 'America/New_York' })
  await view.getByRole('heading', { name: 'Demo meeting' }).waitFor()
  await view.locator('.time').first().click()
  await view.getByLabel('Your name').fill('Gil Guest')
  await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  // The mail's own link leads to a page of this server too.
  await view.getByRole('link', { name: 'Reschedule' }).click()
  await view.getByRole('heading', { name: 'Your booking' }).waitFor()
  expect(view.url()).toContain('/reschedule/')
})
