/** A page whose server is busy works for its guest's booking, without a word to the guest; a program that fills in all it finds is told. */
import { beforeAll, expect, it } from 'vitest'
import { useBuild } from '../support/builds.ts'
import { book, makeConfiguration, makeHost, nearFuture } from '../support/hosts.ts'
import { look, useBrowser } from '../support/pages/browser.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

useBuild('pages')
const browser = useBrowser()
let server: TestServer
let configurationId: string

beforeAll(async () => {
  server = await startTestServer({}, { RATE_LIMIT: 'on' })
  const host = await makeHost(server, 'ada@host.example')
  configurationId = await makeConfiguration(server, [host], { scheduler: { proof_of_work: true } })
  for (let round = 0; round < 5; round++) {
    const guest = { name: 'Gil', email: `gil${round}@guest.example` }
    expect((await book(server, configurationId, nearFuture() + round * 1_800, { body: { guest } })).status).toBe(200)
  }
})

it('books with a proof of work once the address is over half of its limit', async () => {
  const { page } = await browser.open(`${server.url}/book/${configurationId}`)
  const statuses: number[] = []
  page.on('response', (response) => {
    if (response.request().method() === 'POST') statuses.push(response.status())
  })
  await page.locator('.time').first().click()
  await page.getByLabel('Your name').fill('Gil Guest')
  await page.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
  await page.getByRole('button', { name: 'Book', exact: true }).click()
  await page.getByRole('heading', { name: 'You are booked' }).waitFor()
  expect(statuses).toEqual([428, 200])
})

it('says that a lot is going on where the script for the proof does not come, and books once it does', async () => {
  const { page } = await browser.open(`${server.url}/book/${configurationId}`)
  await page.locator('.time').first().click()
  await page.getByLabel('Your name').fill('Gil Guest')
  await page.getByLabel('Email address', { exact: true }).fill('gil.again@guest.example')
  // As a server answers that has been upgraded since.
  await page.route('**/assets/proofOfWork*', (route) => route.fulfill({ status: 404 }))
  await page.getByRole('button', { name: 'Book', exact: true }).click()
  await page.getByRole('alert').getByText('a lot going on').waitFor()
  await page.unroute('**/assets/proofOfWork*')
  await page.getByRole('button', { name: 'Book', exact: true }).click()
  await page.getByRole('heading', { name: 'You are booked' }).waitFor()
})

it('refuses what fills in a field that nobody sees, and keeps the form', async () => {
  const { page } = await browser.open(`${server.url}/book/${configurationId}`)
  await page.locator('.time').first().click()
  expect(await page.getByRole('textbox', { name: 'Website' }).count()).toBe(0)
  for (const [field, value] of [
    ['#website', 'https://spam.example'],
    ['#name', 'Spam'],
    ['#email', 'spam@spam.example'],
  ] as const)
    await page.locator(field).fill(value)
  await page.getByRole('button', { name: 'Book', exact: true }).click()
  await page.getByRole('alert').waitFor()
  expect(await page.locator('#name').inputValue()).toBe('Spam')
})

it('says so to who has booked too often, keeps the form, and shows a page instead of an error to who asks for too many', async () => {
  const host = await makeHost(server, 'bob@host.example')
  const id = await makeConfiguration(server, [host])
  const { page } = await browser.open(`${server.url}/book/${id}`)
  await page.locator('.time').first().click()
  await page.getByLabel('Your name').fill('Gil Guest')
  await page.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
  let status = 200
  for (let round = 0; status === 200 && round < 20; round++) {
    const guest = { name: 'Gil', email: `often${round}@guest.example` }
    status = (await book(server, id, nearFuture() + round * 1_800, { body: { guest } })).status
  }
  expect(status).toBe(429)
  await page.getByRole('button', { name: 'Book', exact: true }).click()
  await page.getByRole('alert').getByText('Too many attempts').waitFor()
  expect(await page.locator('#name').inputValue()).toBe('Gil Guest')

  let answer = await fetch(page.url())
  for (let round = 0; answer.status === 200 && round < 130; round++) answer = await fetch(page.url())
  expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([429, true])
  await page.reload()
  await page.getByRole('heading', { name: 'One moment, please' }).waitFor()
  await look(page, 'busy')
})
