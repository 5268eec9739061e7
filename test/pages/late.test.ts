/** Pages that were left open for too long, links that come too late, and guests who come too often. */
import { beforeAll, beforeEach, expect, it } from 'vitest'

import { type Instant, instant } from '../../src/core/time/instant.ts'
import { useBuild } from '../support/builds.ts'
import { book } from '../support/hosts.ts'
import { linksOf } from '../support/mails.ts'
import { look, takePictures, useBrowser, type View } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

useBuild('pages')
const browser = useBrowser()
const hourMs = 3_600_000
const begun = instant(Date.parse('2027-02-01T08:00:00Z'))
const start = Date.parse('2027-02-02T09:00:00Z') / 1_000
let server: PageServer
let now: Instant = begun

beforeAll(async () => {
  server = await startPageServer(() => now)
})
beforeEach(() => {
  now = begun
})

/** With the clock of the server. */
async function open(path: string): Promise<View['page']> {
  const { page } = await browser.open('about:blank', { origins: [server.url] })
  await page.clock.setFixedTime(now)
  await page.goto(path.startsWith('http') ? path : `${server.url}${path}`)
  return page
}

async function bookAt(at: number, event: object = {}) {
  const id = await makePage(server, { event })
  const made = await book(server, id, at)
  expect(made.status).toBe(200)
  return { id, booking: made.body.data, links: await linksOf(server, made.body.data.booking_id) }
}

it('tell of a booking that has begun, and lead to a new one', async () => {
  const { links } = await bookAt(start)
  now = instant(begun + 26 * hourMs)
  for (const link of [links.reschedule, links.cancel]) {
    const view = await open(link)
    await view.getByRole('heading', { name: 'This booking has already begun.' }).waitFor()
    await look(view, 'late')
    expect(await view.getByRole('button').count()).toBe(0)
  }
  const view = await open(links.cancel)
  await view.getByRole('link', { name: 'Book a new time' }).click()
  await view.locator('.time').first().waitFor()
})

it('tell an organizer whose answer comes too late that the time has passed', async () => {
  const { links } = await bookAt(start + 3_600, { booking_type: 'organizer-confirmation' })
  now = instant(begun + 27 * hourMs)
  const view = await open(links.confirmation)
  await view.getByText('This time has already passed.').waitFor()
  expect(await view.getByRole('button').allTextContents()).toEqual(['Decline'])
  await look(view, 'late-answer')
})

it('say that they have been open for too long where a session has ended meanwhile, and keep what was typed', async () => {
  const id = await makePage(server, { top: { requires_session_auth: true } })
  const session = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
  const view = await open(`/book/${id}#session=${session.body.data.session_id}`)
  await view.locator('.time').first().click()
  await view.getByLabel('Your name').fill('Gil Guest')
  await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
  const ended = await server.request('DELETE', `/v3/scheduling/sessions/${session.body.data.session_id}`)
  expect(ended.status).toBe(200)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('alert').getByText('This page has been open for too long').waitFor()
  await takePictures(view, 'session-ended')
  expect(await view.getByLabel('Your name').inputValue()).toBe('Gil Guest')
  const later = await open(`/book/${id}#session=${session.body.data.session_id}`)
  await later.getByText('open to invited guests only').waitFor()
})

it('say that a time is gone whose notice ran out while the form was open, and offer those that are left', async () => {
  const id = await makePage(server, { scheduler: { min_booking_notice: 60 } })
  const view = await open(`/book/${id}`)
  await view.locator('.time').first().click()
  await view.getByLabel('Your name').fill('Gil Guest')
  await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
  now = instant(begun + 2 * hourMs)
  await view.clock.setFixedTime(now)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.locator('.lost button').first().click()
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
})

it('show what is free by then to whoever comes back to them, and nothing of what has passed where that cannot be told', async () => {
  const id = await makePage(server)
  const view = await open(`/book/${id}`)
  const shown = () => view.locator('.dayTitle').textContent()
  const comeBack = () => view.evaluate('dispatchEvent(new Event("focus"))')
  expect(await shown()).toBe('Monday, February 1')
  await book(server, id, Date.parse('2027-02-02T10:00:00Z') / 1_000)
  now = instant(Date.parse('2027-02-02T09:59:00Z'))
  await view.clock.setFixedTime(now)
  await comeBack()
  await expect.poll(shown).toBe('Tuesday, February 2')
  expect((await view.locator('.time').first().textContent())?.replace(/\u202f/g, ' ')).toBe('10:30 AM')

  await view.route('**/v3/scheduling/availability*', (route) => route.fulfill({ status: 503, json: {} }))
  now = instant(Date.parse('2027-02-03T11:59:00Z'))
  await view.clock.setFixedTime(now)
  await comeBack()
  await expect.poll(shown).toBe('Wednesday, February 3')
  expect((await view.locator('.time').first().textContent())?.replace(/\u202f/g, ' ')).toBe('12:00 PM')
})
