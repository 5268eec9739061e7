/** The questions of the form: what can be chosen, what a link may prefill, and what the server says to the answers. */
import type { Page } from 'playwright-core'
import { beforeAll, expect, it, vi } from 'vitest'

import { useBrowser } from '../support/browser.ts'
import { useBuild } from '../support/builds.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages.ts'

vi.setConfig({ testTimeout: 60_000 })

useBuild('pages')
const browser = useBrowser()
let server: PageServer

beforeAll(async () => {
  server = await startPageServer()
})

/** The form of a page that asks `fields`, at its first time, with the name and the address filled in where they are empty. */
async function openForm(fields: object, query = ''): Promise<Page> {
  const id = await makePage(server, { scheduler: { additional_fields: fields } })
  const { page: view } = await browser.open(`${server.url}/book/${id}${query}`)
  await view.locator('.time').first().click()
  for (const [place, text] of [
    ['name', 'Gil Guest'],
    ['email', 'gil@guest.example'],
  ] as const)
    if ((await view.locator(`input[id=${place}]`).inputValue()) === '')
      await view.locator(`input[id=${place}]`).fill(text)
  return view
}

const press = (view: Page) => view.getByRole('button', { name: 'Book', exact: true }).click()

/** Books, and returns the answers as the API has them. */
async function book(view: Page): Promise<Record<string, string>> {
  await press(view)
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  const { body } = await server.request('GET', `/v3/grants/${server.host.grantId}/scheduling/bookings?limit=1`)
  return body.data[0].additional_fields
}

it('lets choose options with commas in them', async () => {
  const view = await openForm({
    colours: {
      label: 'Colours',
      type: 'multi_select',
      required: true,
      options: ['Red, green', 'Red', 'Blue'],
    },
  })
  await view.getByLabel('Blue').check()
  await view.getByLabel('Red, green').check()
  expect(await view.getByLabel('Red', { exact: true }).isChecked()).toBe(false)
  expect(await book(view)).toEqual({ colours: 'Red, green,Blue' })
})
