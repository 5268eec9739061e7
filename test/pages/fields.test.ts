/** The questions of the form: what can be chosen, what a link may prefill, and what the server says to the answers. */
import type { Page } from 'playwright-core'
import { beforeAll, expect, it, vi } from 'vitest'
import { useBuild } from '../support/builds.ts'
import { useBrowser } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

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

it('sends of a link only what its form shows, and leaves open what the link would fix to no use', async () => {
  const view = await openForm(
    {
      size: { label: 'Size', type: 'dropdown', options: ['S', 'L'], required: true },
      day: { label: 'Day', type: 'date' },
      terms: { label: 'I agree', type: 'checkbox', required: true },
      kind: { label: 'Kind', type: 'multi_select', options: ['Tea', 'Water'] },
    },
    '?size__readonly=M&day=31.12.2026&terms=1&kind=Water,+Tea&email__readonly=nobody',
  )
  expect(await view.getByLabel('I agree').isChecked()).toBe(true)
  expect(await view.getByLabel('Tea').isChecked()).toBe(true)
  await press(view)
  expect(await view.locator('.complaint').allTextContents()).toEqual([
    'This is not an email address.',
    'Please choose.',
  ])
  await view.locator('input[id=email]').fill('gil@guest.example')
  await view.getByLabel('Size').selectOption('L')
  expect(await book(view)).toEqual({ size: 'L', terms: 'true', kind: 'Tea,Water' })
})

it('says at its field, in the language of the page, what the server refuses', async () => {
  // A pattern that the server can read and the page cannot.
  const view = await openForm({ code: { label: 'Code', type: 'text', pattern: '^[[:digit:]]+$' } }, '?lang=de')
  await view.getByLabel('Code').fill('abc')
  await view.getByRole('button', { name: 'Buchen', exact: true }).click()
  await view.getByText('Das hat nicht die verlangte Form.').waitFor()
  await expect.poll(() => view.locator('input[aria-invalid=true]:focus').getAttribute('id')).toBe('fields.code')
  expect(await view.getByRole('alert').allTextContents()).toEqual(['Bitte sehen Sie sich die markierten Felder an.'])
  expect(await view.locator('main').textContent()).not.toContain('additional_fields')
  await view.getByLabel('Code').fill('123')
  expect(await view.getByRole('alert').count()).toBe(0)
  await view.getByRole('button', { name: 'Buchen', exact: true }).click()
  await view.getByRole('heading', { name: 'Ihr Termin ist gebucht' }).waitFor()
})

it('complains of the row of the right guest once another was removed, and of none once that one was', async () => {
  const view = await openForm({})
  const add = (address: string) =>
    view
      .getByRole('button', { name: 'Add a guest' })
      .click()
      .then(() => view.locator('.guestRow input').last().fill(address))
  await add('eve@guest.example')
  await add('nobody')
  await press(view)
  await view.getByRole('alert').waitFor()
  const marked = () =>
    view
      .locator('.guestRow input[aria-invalid=true]')
      .evaluateAll((all) => all.map((one) => (one as { value?: string }).value))
  expect(await marked()).toEqual(['nobody'])
  await view.getByRole('button', { name: 'Remove guest 1' }).click()
  expect(await marked()).toEqual(['nobody'])
  await view.getByRole('button', { name: 'Remove guest 1' }).click()
  expect(await view.getByRole('alert').count()).toBe(0)
  expect(await view.locator('.guestRow').count()).toBe(0)
})

it('leads from a removed guest to the way to add one, also where there had been ten', async () => {
  const view = await openForm({})
  const add = view.getByRole('button', { name: 'Add a guest' })
  for (let count = 0; count < 10; count++) await add.click()
  expect(await add.count()).toBe(0)
  await view.getByRole('button', { name: 'Remove guest 3' }).click()
  await expect.poll(() => view.locator('.guests .add:focus').count()).toBe(1)
  expect(await view.locator('.guestRow').count()).toBe(9)
})
