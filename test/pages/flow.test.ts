/** A guest who changes their mind, loads again, loses an answer or a time: the page never mixes what was sent with what is wished now. */
import type { Page, Route } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'

import { formatDay } from '../../web/shared/format.ts'
import { useBuild } from '../support/builds.ts'
import { book, nearFuture } from '../support/hosts.ts'
import { findBarriers, look, useBrowser } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

useBuild('pages')
/** The tests cut the connection themselves. */
const cut = { forgiven: [/net::ERR_FAILED/] }
const browser = useBrowser()
let server: PageServer

beforeAll(async () => {
  server = await startPageServer()
})

const posts = '**/v3/scheduling/bookings*'
const changes = '**/v3/scheduling/bookings/*'

async function fillIn(view: Page): Promise<void> {
  await view.getByLabel('Your name').fill('Gil Guest')
  await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
}

const press = (view: Page, name: string) => view.getByRole('button', { name, exact: true }).click()
const told = (view: Page, name: string | RegExp) => view.getByRole('heading', { name }).waitFor()
const firstSlots = async (view: Page) =>
  JSON.parse((await view.locator('#document').textContent()) ?? '').page.slots.starts as number[]

async function bookingsOf(configurationId: string) {
  const { body } = await server.request('GET', `/v3/grants/${server.host.grantId}/scheduling/bookings?limit=50`)
  type Listed = {
    configuration_id: string
    booking_id: string
    booking_ref: string
    start_time: number
    status: string
  }
  const all: (Listed & { guest: { name: string } })[] = body.data
  return all.filter((one) => one.configuration_id === configurationId)
}

/** Until `go` is called, no answer comes to what the page sends to `address`. */
async function hold(view: Page, address: string) {
  let go = () => {}
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  await view.route(address, async (route) => {
    await gone
    await route.continue()
  })
  return () => go()
}

/** Shows the day of the second free slot's day after the first: its times are whole, and no test before was there. */
let day = 0
async function freshDay(view: Page): Promise<void> {
  await press(view, 'Next month')
  await view.locator('.day:not([data-unavailable])').nth(day++).click()
}

/** Day and times, however they are broken into lines. */
const whenIn = async (view: Page, place: '.chosen' | '.facts') =>
  (await view.locator(`${place} .when`).last().innerText()).replace(/\s+/g, ' ')

const focused = (view: Page) =>
  view.evaluate('[document.activeElement.className, document.activeElement.tagName].join(" ").trim()')

it('shows the time that was sent, whatever is pressed before the answer comes', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  const go = await (async () => {
    await view.locator('.time').nth(4).click()
    await fillIn(view)
    return hold(view, posts)
  })()
  const chosen = await whenIn(view, '.chosen')
  await press(view, 'Book')
  await view.getByRole('button', { name: 'Sending' }).waitFor()
  await view.getByRole('button', { name: 'Change time' }).click({ force: true })
  await view.goBack()
  await view.getByRole('button', { name: 'Sending' }).waitFor()
  expect(await view.locator('.time').count()).toBe(0)
  expect(await whenIn(view, '.chosen')).toBe(chosen)
  go()
  await told(view, 'You are booked')
  expect(await whenIn(view, '.facts')).toBe(chosen)
  const [booked] = await bookingsOf(id)
  expect(chosen).toContain(formatDay(booked?.start_time ?? 0, 'en-US', 'UTC'))
})

it('says of the time that was sent that it is lost, and goes on to the times afterwards', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  const [lost = 0] = await firstSlots(view)
  await view.locator('.time').first().click()
  await fillIn(view)
  const go = await hold(view, posts)
  await press(view, 'Book')
  await view.getByRole('button', { name: 'Sending' }).waitFor()
  expect((await book(server, id, lost)).status).toBe(200)
  await view.goBack()
  go()
  await view.getByText('Someone was quicker').waitFor()
  expect(await view.locator('.chosen').getAttribute('data-lost')).toBe('true')
  await press(view, 'See all times')
  await view.locator('.time').nth(5).click()
  await press(view, 'Book')
  await told(view, 'You are booked')
})

it('shows the time that a booking was moved to, whatever is pressed before the answer comes', async () => {
  const id = await makePage(server)
  const made = (await book(server, id, nearFuture())).body.data
  const { page: view } = await browser.open(`${server.url}/reschedule/${made.booking_ref}`)
  await view.locator('.time').nth(4).click()
  const go = await hold(view, changes)
  await press(view, 'Move the booking')
  await view.getByRole('button', { name: 'Sending' }).waitFor()
  await view.getByRole('button', { name: 'Change time' }).click({ force: true })
  await view.goBack()
  await view.getByRole('button', { name: 'Sending' }).waitFor()
  const wanted = await whenIn(view, '.facts')
  go()
  await told(view, 'Your booking has been moved')
  expect(await whenIn(view, '.facts')).toBe(wanted)
})

it('books a time that was lost once and is free again', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  const [first = 0] = await firstSlots(view)
  const text = await view.locator('.time').first().innerText()
  const other = (await book(server, id, first)).body.data
  await view.locator('.time').first().click()
  await fillIn(view)
  await press(view, 'Book')
  await view.getByText('Someone was quicker').waitFor()
  const gone = await server.request('DELETE', `/v3/scheduling/bookings/${other.booking_id}`, {
    token: other.booking_ref,
  })
  expect(gone.status).toBe(200)
  await press(view, 'See all times')
  await expect.poll(() => view.locator('.time').first().innerText()).toBe(text)
  await view.locator('.time').first().click()
  await press(view, 'Book')
  await told(view, 'You are booked')
  expect((await bookingsOf(id))[0]).toMatchObject({ status: 'booked', start_time: first })
})

it('learns what became of a try whose answer was lost, before it sends what was corrected', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`, cut)
  await freshDay(view)
  await view.locator('.time').nth(4).click()
  await fillIn(view)
  let count = 0
  await view.route(posts, async (route: Route) => {
    count++
    if (count > 1) return route.continue()
    await route.fetch()
    await route.abort()
  })
  await press(view, 'Book')
  await view.getByText('could not be reached').waitFor()
  await view.getByLabel('Your name').fill('Gil Guests')
  await press(view, 'Book')
  // The first had arrived: it is what stands.
  await told(view, 'You are booked')
  expect(await view.locator('.facts').innerText()).toContain('Gil Guest (')
  expect((await bookingsOf(id)).map(({ guest }) => guest.name)).toEqual(['Gil Guest'])
})

it('sends what was corrected, and only that, where the first try never arrived', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`, cut)
  await freshDay(view)
  await view.locator('.time').nth(4).click()
  await fillIn(view)
  let isCut = true
  await view.route(posts, (route) => (isCut ? route.abort() : route.continue()))
  await press(view, 'Book')
  await view.getByText('could not be reached').waitFor()
  isCut = false
  await press(view, 'Change time')
  await view.locator('.time').nth(7).click()
  await view.getByLabel('Your name').fill('Gil Guests')
  const chosen = await whenIn(view, '.chosen')
  await press(view, 'Book')
  await told(view, 'You are booked')
  expect(await whenIn(view, '.facts')).toBe(chosen)
  expect((await bookingsOf(id)).map(({ guest }) => guest.name)).toEqual(['Gil Guests'])
})

it('has nothing to send while the time is lost, and does not offer it again where nobody can tell what is free', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`, cut)
  const [lost = 0] = await firstSlots(view)
  const text = await view.locator('.time').first().innerText()
  await view.locator('.time').first().click()
  await fillIn(view)
  expect((await book(server, id, lost)).status).toBe(200)
  await view.route('**/v3/scheduling/availability*', (route) => route.abort())
  await press(view, 'Book')
  await view.getByText('Someone was quicker').waitFor()
  expect(await view.getByRole('button', { name: 'Book', exact: true }).count()).toBe(0)
  await press(view, 'See all times')
  await view.locator('.time').first().waitFor()
  expect(await view.locator('.time').first().innerText()).not.toBe(text)
  // Going forward again leads to a form that still has nothing to send.
  await view.goForward()
  await view.getByText('Someone was quicker').waitFor()
})

it.each(['loaded again', 'come back to'])('changes the time at the first press where the form was %s', async (how) => {
  const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`)
  await view.locator('.time').first().click()
  await told(view, 'Your details')
  if (how === 'loaded again') await view.reload()
  else {
    await view.goto(`${server.url}/healthz`)
    await view.goBack()
  }
  // A browser that kept the page as it was shows the form; one that loaded it anew the times.
  await view.locator('.time, .formStep').first().waitFor()
  if ((await view.locator('.formStep').count()) === 0) await view.locator('.time').nth(2).click()
  await told(view, 'Your details')
  await press(view, 'Change time')
  await view.locator('.time').first().waitFor()
  expect(await view.locator('.formStep').count()).toBe(0)
})

it('leads the focus back to the time that was chosen, and on to the next free day', async () => {
  const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`)
  const third = view.locator('.time').nth(2)
  for (const back of [() => view.getByRole('button', { name: 'Change time' }).press('Enter'), () => view.goBack()]) {
    await third.press('Enter')
    await told(view, 'Your details')
    await back()
    await expect.poll(() => third.and(view.locator(':focus')).count()).toBe(1)
  }

  const later = new Date(Date.now() + 100 * 86_400_000).toISOString().slice(0, 10)
  const far = await makePage(server, {
    rules: {
      only_specific_time_availability: true,
      default_specific_time_availability: [{ date: later, start: '9:00', end: '10:00' }],
    },
  })
  const { page: empty } = await browser.open(`${server.url}/book/${far}`)
  await press(empty, 'Previous month')
  await empty.getByRole('button', { name: 'Go to the next free day' }).press('Enter')
  await expect.poll(() => focused(empty)).toBe('dayTitle H2')
  await empty.keyboard.press('Tab')
  expect(await focused(empty)).toBe('time BUTTON')
})

it('leads the focus to what is there where the chosen time is not any more, and to the form of another one', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  const [lost = 0, next = 0] = await firstSlots(view)
  await view.locator('.time').first().click()
  await fillIn(view)
  expect((await book(server, id, lost)).status).toBe(200)
  await press(view, 'Book')
  await view.locator('.lost button').first().press('Enter')
  await expect.poll(() => view.evaluate('document.activeElement.textContent')).toBe('Your details')
  expect((await book(server, id, next)).status).toBe(200)
  await press(view, 'Book')
  await view.getByRole('button', { name: 'See all times' }).press('Enter')
  await expect.poll(() => focused(view)).toBe('dayTitle H2')
})

it('says that it does not know where only a part of a month is known, and asks again', async () => {
  const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`, cut)
  await view.locator('.time').first().waitFor()
  const free = view.locator('.day:not([data-unavailable])')
  let isCut = true
  await view.route('**/v3/scheduling/availability*', (route) => (isCut ? route.abort() : route.continue()))
  await press(view, 'Next month')
  await press(view, 'Next month')
  // What the page was given ends in this month or in the one before.
  if ((await free.count()) === 0) await press(view, 'Previous month')
  await view.getByRole('alert').getByText('Not all free times').waitFor()
  await look(view, 'half-known')
  isCut = false
  await view.getByRole('button', { name: 'Try again' }).press('Enter')
  await view.locator('.day[data-day$="-28"]:not([data-unavailable])').waitFor()
  expect(await view.getByRole('alert').count()).toBe(0)
  expect(await focused(view)).not.toBe('BODY')
})

it.each([
  { what: 'a public page', days: 220, top: {} },
  { what: 'a private page', days: 45, top: { requires_session_auth: true } },
])('looks up to the horizon before it says that nothing is free: $what, $days days', async ({ days, top }) => {
  const options = { top, scheduler: { min_booking_notice: days * 1_440 } }
  const id = await makePage(server, options)
  const { page: view } = await browser.open(await addressOf(id, top))
  await view.locator('.time').first().waitFor()
  // The first free day is the one that the notice leaves.
  const first = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
  await expect
    .poll(() => view.locator('.day[data-selected]').getAttribute('data-day'))
    .toEqual(expect.stringContaining(first.slice(0, 7)))

  const none = await makePage(server, {
    top,
    rules: { default_open_hours: [], only_specific_time_availability: true },
  })
  const asked: number[] = []
  const { page: empty } = await browser.open('about:blank', { origins: [server.url] })
  empty.on('request', (request) => {
    const until = new URL(request.url()).searchParams.get('end_time')
    if (request.url().includes('/availability')) asked.push(Number(until))
  })
  await empty.goto(await addressOf(none, top))
  await empty.getByText('There are no free times at the moment').waitFor()
  expect(Math.max(...asked)).toBeGreaterThan(Date.now() / 1_000 + 365 * 86_400)
})

async function addressOf(id: string, top: object): Promise<string> {
  if (!('requires_session_auth' in top)) return `${server.url}/book/${id}`
  const { body } = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
  return `${server.url}/book/${id}#session=${body.data.session_id}`
}

it('looks on where the server could not tell the first slots', async () => {
  const id = await makePage(server, { scheduler: { min_booking_notice: 60 * 1_440 } })
  const { page: view } = await browser.open('about:blank', { origins: [server.url] })
  await view.route(`${server.url}/book/*`, async (route) => {
    const answer = await route.fetch()
    const text = (await answer.text()).replace(/"slots":\{[^}]*\}/, '"slots":null').replace(',"slots":null', '')
    await route.fulfill({ response: answer, body: text })
  })
  await view.goto(`${server.url}/book/${id}`)
  await view.locator('.time').first().waitFor()
  expect(await findBarriers(view)).toEqual([])
})

it('a double click on a time, or on the way back, leads the focus where a single one does, and presses nothing else', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  const focused = () => view.evaluate('document.activeElement.textContent')
  const doubleClick = (name: string | RegExp) => view.getByRole('button', { name }).first().dblclick({ delay: 40 })
  await doubleClick(/^9:30/)
  await view.getByRole('heading', { name: 'Your details' }).waitFor()
  await expect.poll(focused).toBe('Your details')
  await doubleClick('Change time')
  await view.locator('.time').first().waitFor()
  await expect.poll(focused).toMatch(/^9:30/)
  // A later one is the guest's own.
  await view.locator('.time').nth(2).click()
  await view.getByLabel('Your name').fill('Gil')
  await view.getByLabel('Your name').dblclick()
  expect(await view.evaluate('getSelection().toString()')).toBe('Gil')
})
