/** A guest books on the page, in a real browser. */
import { beforeAll, expect, it } from 'vitest'

import { findBarriers, takePicture, useBrowser } from '../support/browser.ts'
import { makePage, type PageServer, startPageServer, usePages } from '../support/pages.ts'

usePages()
const browser = useBrowser()
let server: PageServer
let page: string

beforeAll(async () => {
  server = await startPageServer()
  page = `${server.url}/book/${await makePage(server)}`
})

it.each(['desktop', 'phone'] as const)('books on a %s', async (size) => {
  const { page: view } = await browser.open(page, { size, timezone: 'Europe/Berlin' })
  await takePicture(view, `times-${size}`)
  expect(await findBarriers(view)).toEqual([])
  await view.locator('.time').nth(3).click()
  await view.getByLabel('Your name').fill('Gil Guest')
  await view.getByLabel('Email address').fill('gil@guest.example')
  await takePicture(view, `form-${size}`)
  expect(await findBarriers(view)).toEqual([])
  await view.getByRole('button', { name: 'Book' }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  await takePicture(view, `booked-${size}`)
  expect(await findBarriers(view)).toEqual([])
})
