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

/** With the clock of the server, or with one that is ahead of it. */
async function open(path: string, aheadMs = 0): Promise<View['page']> {
  const { page } = await browser.open('about:blank', { origins: [server.url] })
  await page.clock.setFixedTime(now + aheadMs)
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
  await view.getByRole('alert').getByText('it begins too soon').waitFor()
  await look(view, 'too-soon')
  expect(await view.getByText('Someone was quicker').count()).toBe(0)
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

it.each([26, -26])('go by the time of the server where the clock of a device is %i hours ahead', async (hours) => {
  const { id, links } = await bookAt(start + (hours > 0 ? 4 : 5) * 3_600)
  await server.request('PUT', `/v3/grants/${server.host.grantId}/scheduling/configurations/${id}`, {
    body: { scheduler: { min_booking_notice: 0, min_cancellation_notice: 5 * 60 } },
  })
  const view = await open(`/book/${id}`, hours * hourMs)
  const first = async () => [
    await view.locator('.dayTitle').textContent(),
    (await view.locator('.time').first().textContent())?.replace(/\u202f/g, ' '),
  ]
  expect(await first()).toEqual(['Monday, February 1', '8:00 AM'])
  expect(await view.locator('.day[aria-current=date]').getAttribute('data-day')).toBe('2027-02-01')
  // Ten minutes later a guest comes back to it.
  now = instant(begun + hourMs / 6)
  await view.clock.setFixedTime(now + hours * hourMs)
  const asked = view.waitForResponse('**/v3/scheduling/availability*')
  await view.evaluate('dispatchEvent(new Event("focus"))')
  await asked
  await view.getByRole('button', { name: 'Tuesday, February 2, 2027' }).click()
  await view.getByRole('button', { name: 'Monday, February 1, 2027' }).click()
  await expect.poll(first).toEqual(['Monday, February 1', '8:30 AM'])

  // Neither begun nor too late, or both, whatever the device thinks.
  const early = await open(links.cancel, hours * hourMs)
  await early.getByRole('button', { name: 'Cancel the booking' }).waitFor()
  now = instant(begun + 26 * hourMs)
  const late = await open(links.cancel, hours * hourMs)
  await late.getByText('can no longer be cancelled').waitFor()
  now = instant(begun + 31 * hourMs)
  const begunView = await open(links.reschedule, hours * hourMs)
  await begunView.getByRole('heading', { name: 'This booking has already begun.' }).waitFor()
})
