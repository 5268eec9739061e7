/** What the pages say of mails, of the place and of answers, and what they keep of what was done. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'

import { de } from '../../web/booking/languages/de.ts'
import { en } from '../../web/booking/languages/en.ts'
import { fill } from '../../web/shared/format.ts'
import { useBuild } from '../support/builds.ts'
import { book, nearFuture } from '../support/hosts.ts'
import { mailsOf } from '../support/mails.ts'
import { look, useBrowser } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

useBuild('pages')
const browser = useBrowser()
let sending: PageServer
let keeping: PageServer

beforeAll(async () => {
  ;[sending, keeping] = await Promise.all([startPageServer(), startPageServer(undefined, {})])
})

const asksFirst = { booking_type: 'organizer-confirmation' }
const aboutMails = /e-?mail|will be told/i

async function bookOn(view: Page): Promise<void> {
  await view.locator('.time').nth(3).click()
  await view.getByLabel('Your name').fill('Gil Guest')
  await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
}

/** All that the page says beside the guest's own address and the labels of the form. */
const said = async (view: Page) => (await view.locator('main').innerText()).replaceAll('Email address', '')

describe.each([
  ['that sends none for its bookings', () => sending, { disable_emails: true }],
  ['of a server without a mail server', () => keeping, {}],
] as const)('a page %s', (_, serverOf, event) => {
  it('promises no mail to a guest who books, moves and cancels', async () => {
    const server = serverOf()
    const { page: view } = await browser.open(`${server.url}/book/${await makePage(server, { event })}`)
    await bookOn(view)
    await view.getByRole('button', { name: 'Book', exact: true }).click()
    await view.getByText(en.done.bookedQuiet).waitFor()
    expect(await said(view)).not.toMatch(aboutMails)
    await view.getByRole('link', { name: 'Reschedule' }).click()
    await view.locator('.time').nth(1).click()
    await view.getByRole('button', { name: 'Move the booking' }).click()
    await view.getByText(en.done.bookedQuiet).waitFor()
    expect(await said(view)).not.toMatch(aboutMails)
    await view.goto(view.url().replace('/reschedule/', '/cancel/'))
    await view.getByRole('button', { name: 'Cancel the booking' }).click()
    await view.getByText(en.done.cancelledQuiet).waitFor()
    expect(await said(view)).not.toMatch(aboutMails)
  })

  it('promises none to a guest who asks, and tells the organizer to tell them', async () => {
    const server = serverOf()
    const id = await makePage(server, { event: { ...event, ...asksFirst } })
    const { page: view } = await browser.open(`${server.url}/book/${id}`)
    await bookOn(view)
    expect(await said(view)).not.toMatch(aboutMails)
    await view.getByRole('button', { name: 'Send request' }).click()
    await view.getByText(fill(en.done.pendingQuiet, { organizer: 'Ada Host' })).waitFor()
    expect(await said(view)).not.toMatch(aboutMails)
    const listed = await server.request(
      'GET',
      `/v3/grants/${server.host.grantId}/scheduling/bookings?configuration_id=${id}`,
    )
    await view.goto(`${server.url}/confirmation/${listed.body.data[0].organizer_booking_ref}`)
    await view.getByRole('button', { name: 'Confirm' }).click()
    await view.getByText(fill(en.confirmation.quietText, { guest: 'Gil Guest' })).waitFor()
    const mails = await mailsOf(server, listed.body.data[0].booking_id)
    if (server === sending) expect(mails.map(({ kind }) => kind)).toEqual(['confirmation_request'])
  })
})

it('a page of a server that sends mails says so', async () => {
  const { page: view } = await browser.open(`${sending.url}/book/${await makePage(sending)}`)
  await bookOn(view)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByText(fill(en.done.bookedText, { email: 'gil@guest.example' })).waitFor()
})

it('the confirmation offers no other language, in which it would be lost', async () => {
  const { page: view } = await browser.open(`${sending.url}/book/${await makePage(sending)}`)
  await view.getByLabel('Language').waitFor()
  await bookOn(view)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  await expect.poll(() => view.getByLabel('Language').count()).toBe(0)
  // A link shows the same whenever it is opened.
  await view.getByRole('link', { name: 'Cancel' }).click()
  await view.getByLabel('Language').waitFor()
})

describe('where and what about', () => {
  it('is told before anyone has booked, as text, without what only a booking fills in', async () => {
    const event = {
      location: 'Room 5\n<b>second floor</b>',
      description: 'A talk with ${invitee} of ${duration} minutes.\nBring <i>${Topic}</i>.',
    }
    const id = await makePage(sending, { event })
    const { page: view } = await browser.open(`${sending.url}/book/${id}`)
    await view.locator('.time').first().waitFor()
    expect(await view.locator('.place').innerText()).toBe('Room 5\n<b>second floor</b>')
    expect(await view.locator('.description').innerText()).toBe('A talk with … of 30 minutes.\nBring <i>…</i>.')
    await look(view, 'about')
  })

  it('keeps the address of a meeting for those who have booked', async () => {
    const location = 'https://meet.example/secret-room'
    const id = await makePage(sending, { event: { location } })
    expect(await (await fetch(`${sending.url}/book/${id}`)).text()).not.toContain('secret-room')
    const { page: view } = await browser.open(`${sending.url}/book/${id}`)
    await bookOn(view)
    await view.getByRole('button', { name: 'Book', exact: true }).click()
    await view.getByText(location).waitFor()
  })

  it('leaves room for the times where there is much to say', async () => {
    const id = await makePage(sending, { event: { description: 'Much to say. '.repeat(60) } })
    const { page: view } = await browser.open(`${sending.url}/book/${id}`, { size: 'phone' })
    const heightOf = async () => (await view.locator('.description').boundingBox())?.height ?? 0
    expect(await heightOf()).toBeLessThan(100)
    await look(view, 'about-long')
    await view.locator('.description summary').press('Enter')
    await expect.poll(heightOf).toBeGreaterThan(200)
  })

  it('stands on paper with the times of the day that is shown', async () => {
    const { page: view } = await browser.open(
      `${sending.url}/book/${await makePage(sending, { event: { location: 'Room 5' } })}`,
    )
    await view.locator('.time').first().waitFor()
    await view.emulateMedia({ media: 'print' })
    for (const place of ['.place', '.dayTitle', '.zone'])
      expect(await view.locator(place).isVisible(), place).toBe(true)
    expect(await view.locator('.time').first().isVisible()).toBe(true)
    for (const place of ['.month', '.footer']) expect(await view.locator(place).isVisible(), place).toBe(false)
  })
})

it('what was ticked is told to the organizer in the language of the page', async () => {
  const additional_fields = {
    terms: { label: 'Terms', type: 'checkbox' },
    news: { label: 'News', type: 'checkbox' },
    word: { label: 'Word', type: 'text' },
  }
  const id = await makePage(sending, { event: asksFirst, scheduler: { additional_fields } })
  await book(sending, id, nearFuture() + 40 * 86_400, {
    body: { additional_fields: { terms: true, news: false, word: 'true' } },
  })
  const listed = await sending.request(
    'GET',
    `/v3/grants/${sending.host.grantId}/scheduling/bookings?configuration_id=${id}`,
  )
  const { page: view } = await browser.open(
    `${sending.url}/confirmation/${listed.body.data[0].organizer_booking_ref}?lang=de`,
  )
  await view.getByRole('heading', { name: de.confirmation.title }).waitFor()
  const facts = await view.locator('.facts div').allInnerTexts()
  expect(facts.map((fact) => fact.replace(/\s+/g, ' '))).toEqual(
    expect.arrayContaining(['Terms Ja', 'News Nein', 'Word true']),
  )
})

describe('while the script is on its way', () => {
  it('the page says so, and offers another try where it does not come', async () => {
    const id = await makePage(sending)
    const { page: view } = await browser.open('about:blank', { origins: [sending.url], forgiven: [/net::ERR_FAILED/] })
    let isCut = true
    await view.route('**/assets/*.js', (route) => (isCut ? route.abort() : route.continue()))
    await view.goto(`${sending.url}/book/${id}?lang=de`)
    await view.getByText(de.loading).waitFor()
    const again = view.getByRole('link', { name: de.retry })
    expect(await again.isVisible()).toBe(false)
    // Eight seconds later.
    await view.evaluate('for (const one of document.getAnimations()) one.finish()')
    await view.getByText(de.slow).waitFor()
    await look(view, 'slow')
    isCut = false
    await again.click()
    await view.locator('.time').first().waitFor()
    expect(new URL(view.url()).search).toBe('?lang=de')
  })

  it('what stands there already does not move when it comes', async () => {
    const id = await makePage(sending)
    const { page: view } = await browser.open('about:blank', { origins: [sending.url] })
    let go = () => {}
    const gone = new Promise<void>((resolve) => {
      go = resolve
    })
    await view.route('**/assets/*.js', async (route) => {
      await gone
      await route.continue()
    })
    await view.goto(`${sending.url}/book/${id}`, { waitUntil: 'commit' })
    const box = (place: string) => view.locator(place).boundingBox()
    await view.locator('.loading > .card').waitFor()
    const before = await box('.loading > .card')
    go()
    await view.locator('.time').first().waitFor()
    expect(await box('.card')).toMatchObject({
      x: before?.x,
      y: before?.y,
      width: before?.width,
      height: before?.height,
    })
  })

  it('nothing is promised where none will run', async () => {
    const { page: view } = await browser.open(`${sending.url}/book/${await makePage(sending)}`, {
      javaScriptEnabled: false,
    })
    expect(await view.getByText(en.loading).isVisible()).toBe(false)
  })
})
