/** Every flow of a guest and an organizer from the first view to the last mail's link: in three worlds, and by the keyboard alone. */
import type { Locator, Page } from 'playwright-core'
import { beforeAll, describe, expect, it, vi } from 'vitest'

import type { Words } from '../../web/booking/languages/en.ts'
import { languages } from '../../web/booking/languages/languages.ts'
import { formatDay, formatTimes, localeOf } from '../../web/shared/format.ts'
import { useBuild } from '../support/builds.ts'
import { book, nearFuture } from '../support/hosts.ts'
import { linksOf } from '../support/mails.ts'
import { look, useBrowser, type ViewOptions } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

vi.setConfig({ testTimeout: 60_000 })
useBuild('pages')
const browser = useBrowser()
let server: PageServer

beforeAll(async () => {
  server = await startPageServer()
})

const asksFirst = { event: { booking_type: 'organizer-confirmation' } }

/** The newest of the configuration. */
async function bookingOf(id: string) {
  const { body } = await server.request('GET', `/v3/grants/${server.host.grantId}/scheduling/bookings?limit=50`)
  return body.data.find((one: { configuration_id: string }) => one.configuration_id === id)
}

/** A request of a guest's, each at a time of its own. */
let turn = 0
async function makeRequest(): Promise<{ id: string; confirmation: string }> {
  const id = await makePage(server, asksFirst)
  turn++
  const made = await book(server, id, nearFuture() + 2 * 86_400 + turn * 3_600)
  expect(made.status).toBe(200)
  const { confirmation } = await linksOf(server, made.body.data.booking_id)
  return { id, confirmation }
}

describe.each([
  { name: 'German', size: 'desktop', locale: 'de-DE', timezone: 'Pacific/Pago_Pago', colorScheme: 'dark' },
  { name: 'Arabic', size: 'phone', locale: 'ar-EG', timezone: 'Pacific/Kiritimati', colorScheme: 'light' },
  { name: 'Japanese', size: 'phone', locale: 'ja-JP', timezone: 'America/St_Johns', colorScheme: 'dark' },
] satisfies (ViewOptions & { name: string })[])('in $name on a $size at $timezone', (world) => {
  const language = world.locale.slice(0, 2)
  const words = languages[language] as Words
  const { timezone } = world
  const locale = localeOf(language, [world.locale])
  const open = async (address: string) => (await browser.open(address, world)).page
  const press = (view: Page, name: string) => view.getByRole('button', { name, exact: true }).click()
  const told = (view: Page, name: string) => view.getByRole('heading', { name, exact: true }).waitFor()
  const looked = (view: Page, state: string) => look(view, `journey-${language}-${state}`)

  it('is booked, moved and called off by the links of the mails', async () => {
    const id = await makePage(server)
    const view = await open(`${server.url}/book/${id}`)
    await view.locator('.time').first().click()
    await view.locator('input[id=name]').fill('Gil Guest')
    await press(view, words.form.submit)
    await view.getByText(words.errors.summary).waitFor()
    await looked(view, 'refused')
    await view.locator('input[id=email]').fill('gil@guest.example')
    await press(view, words.form.submit)
    await told(view, words.done.booked)
    await looked(view, 'booked')
    const booked = await bookingOf(id)
    expect(booked).toMatchObject({ status: 'booked', timezone })
    expect(await view.locator('.whenDay').textContent()).toBe(formatDay(booked.start_time, locale, timezone))

    const links = await linksOf(server, booked.booking_id)
    const moving = await open(links.reschedule)
    await moving.locator('.time').first().waitFor()
    await looked(moving, 'reschedule')
    await moving.locator('.time').last().click()
    await looked(moving, 'reschedule-both')
    await press(moving, words.reschedule.submit)
    await told(moving, words.done.moved)
    await looked(moving, 'moved')
    const moved = await bookingOf(id)
    expect(moved.start_time).toBeGreaterThan(booked.start_time)
    expect(await moving.locator('.whenDay').allTextContents()).toEqual(
      [booked, moved].map(({ start_time }) => formatDay(start_time, locale, timezone)),
    )
    // Browsers and Node disagree about which space stands around a dash.
    const plain = (text: string) => text.replace(/\s+/g, ' ')
    expect((await moving.locator('.whenTimes').allTextContents()).map(plain)).toEqual(
      [booked, moved].map(({ start_time, end_time }) => plain(formatTimes(start_time, end_time, locale, timezone))),
    )

    const ending = await open(links.cancel)
    await ending.getByLabel(words.cancel.reason).fill('مرض / krank / 病気')
    await looked(ending, 'cancel')
    await press(ending, words.cancel.submit)
    await told(ending, words.done.cancelled)
    await looked(ending, 'cancelled')
    expect(await bookingOf(id)).toMatchObject({ status: 'cancelled', cancellation_reason: 'مرض / krank / 病気' })
    await told(await open(links.reschedule), words.done.cancelled)
  })

  it('is asked for, and answered yes and no', async () => {
    const id = await makePage(server, asksFirst)
    const view = await open(`${server.url}/book/${id}`)
    await view.locator('.time').nth(1).click()
    await view.locator('input[id=name]').fill('Gil Guest')
    await view.locator('input[id=email]').fill('gil@guest.example')
    await looked(view, 'request')
    await press(view, words.form.request)
    await told(view, words.done.pending)
    await looked(view, 'pending')

    const asked = await bookingOf(id)
    const yes = await open((await linksOf(server, asked.booking_id)).confirmation)
    await yes.getByText(words.confirmation.free).waitFor()
    await looked(yes, 'confirmation')
    await press(yes, words.confirmation.confirm)
    await told(yes, words.confirmation.confirmed)
    await looked(yes, 'confirmed')
    expect(await bookingOf(id)).toMatchObject({ booking_id: asked.booking_id, status: 'booked' })

    const other = await makeRequest()
    const no = await open(other.confirmation)
    await press(no, words.confirmation.decline)
    await looked(no, 'decline')
    await press(no, words.confirmation.decline)
    await told(no, words.confirmation.declined)
    expect(await bookingOf(other.id)).toMatchObject({ status: 'cancelled', cancelled_by: 'organizer' })
  })
})

describe('by the keyboard alone', () => {
  const isFocused = async (view: Page, wanted: Locator) => (await wanted.and(view.locator(':focus')).count()) === 1
  const tabTo = async (view: Page, wanted: Locator) => {
    for (let count = 0; count < 60; count++) {
      if (await isFocused(view, wanted)) return
      await view.keyboard.press('Tab')
    }
    throw new Error(`Tab never came to ${wanted}`)
  }
  const press = async (view: Page, name: string) => {
    await tabTo(view, view.getByRole('button', { name, exact: true }))
    await view.keyboard.press('Enter')
  }
  /** What was done takes the focus, so that it is read aloud and the next Tab goes on from there. */
  const told = async (view: Page, name: string) => {
    const heading = view.getByRole('heading', { name, exact: true })
    await expect.poll(() => isFocused(view, heading)).toBe(true)
  }

  it('a guest changes the zone, books, moves and calls off', async () => {
    const id = await makePage(server)
    const { page: view } = await browser.open(`${server.url}/book/${id}`)
    await view.locator('.time').first().waitFor()
    await tabTo(view, view.getByRole('button', { name: 'Change time zone' }))
    await view.keyboard.press('Enter')
    await view.keyboard.type('Adelaide')
    await view.keyboard.press('Enter')
    await tabTo(view, view.locator('.time').nth(2))
    await view.keyboard.press('Space')
    await tabTo(view, view.getByLabel('Your name'))
    await view.keyboard.type('Kim Keys')
    await tabTo(view, view.getByLabel('Email address', { exact: true }))
    await view.keyboard.type('kim@guest.example')
    await press(view, 'Book')
    await told(view, 'You are booked')
    const booked = await bookingOf(id)
    expect(booked).toMatchObject({ guest: { name: 'Kim Keys' }, timezone: 'Australia/Adelaide' })

    const links = await linksOf(server, booked.booking_id)
    const { page: moving } = await browser.open(links.reschedule)
    await moving.locator('.time').first().waitFor()
    await tabTo(moving, moving.locator('.time').nth(5))
    await moving.keyboard.press('Enter')
    await press(moving, 'Move the booking')
    await told(moving, 'Your booking has been moved')
    expect((await bookingOf(id)).start_time).not.toBe(booked.start_time)

    const { page: ending } = await browser.open(links.cancel)
    await tabTo(ending, ending.getByLabel('Would you like to say why?'))
    await ending.keyboard.type('Ill')
    await press(ending, 'Cancel the booking')
    await told(ending, 'The booking is cancelled')
    expect(await bookingOf(id)).toMatchObject({ status: 'cancelled', cancellation_reason: 'Ill' })
  })

  it('an organizer says yes and no', async () => {
    const one = await makeRequest()
    const { page: yes } = await browser.open(one.confirmation)
    await press(yes, 'Confirm')
    await told(yes, 'The booking is confirmed')
    expect(await bookingOf(one.id)).toMatchObject({ status: 'booked' })

    const other = await makeRequest()
    const { page: no } = await browser.open(other.confirmation)
    await press(no, 'Decline')
    await tabTo(no, no.getByLabel('A word to your guest'))
    await no.keyboard.type('On holiday')
    await press(no, 'Decline')
    await told(no, 'The request is declined')
    expect(await bookingOf(other.id)).toMatchObject({ status: 'cancelled', cancellation_reason: 'On holiday' })
  })
})
