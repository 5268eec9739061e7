/** Pages that were left open while the booking, or what can be booked, became another. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'

import { de } from '../../web/booking/languages/de.ts'
import { en } from '../../web/booking/languages/en.ts'
import { useBuild } from '../support/builds.ts'
import { book, nearFuture } from '../support/hosts.ts'
import { look, useBrowser } from '../support/pages/browser.ts'
import { makePage, noticeUntilTomorrow, type PageServer, startPageServer } from '../support/pages/pages.ts'

useBuild('pages')
const browser = useBrowser()
let server: PageServer

beforeAll(async () => {
  server = await startPageServer()
})

type Listed = {
  readonly booking_id: string
  readonly organizer_booking_ref: string
  readonly status: string
  readonly start_time: number
  readonly guest: object
}

async function listed(): Promise<Listed[]> {
  const { body } = await server.request('GET', `/v3/grants/${server.host.grantId}/scheduling/bookings?limit=50`)
  return body.data
}

const find = async (id: string) => (await listed()).find(({ booking_id }) => booking_id === id)

/** An hour of its own for each, from the day after tomorrow on. */
let hour = 0
async function makeBooking(options: Parameters<typeof makePage>[1] = {}) {
  const id = await makePage(server, options)
  const start = nearFuture() + ++hour * 3_600
  const { booking_id, booking_ref } = (await book(server, id, start)).body.data
  const change = async (method: string, body: object) => {
    const path = `/v3/scheduling/bookings/${booking_id}`
    expect((await server.request(method, path, { token: booking_ref, body })).status).toBe(200)
  }
  return {
    booking_id,
    start,
    address: (kind: string, query = '') => `${server.url}/${kind}/${booking_ref}${query}`,
    moveTo: (to: number) => change('PATCH', { start_time: to, end_time: to + 1_800 }),
    cancel: () => change('DELETE', {}),
  }
}

const press = (view: Page, name: string) => view.getByRole('button', { name, exact: true }).click()
const alertSays = (view: Page, text: string) => view.getByRole('alert').getByText(text).waitFor()

describe('a booking that was moved in another tab', () => {
  it('is not cancelled: the page shows the new time, says so, and cancels that', async () => {
    const { booking_id, start, address, moveTo } = await makeBooking()
    const { page: view } = await browser.open(address('cancel'))
    const before = await view.locator('.when').innerText()
    await view.getByLabel('Would you like to say why?').fill('Ill today')
    await moveTo(start + 5 * 86_400)
    await press(view, 'Cancel the booking')
    await alertSays(view, en.errors.moved)
    expect(await view.locator('.when').innerText()).not.toBe(before)
    expect(await view.locator('[role=alert]:focus').count()).toBe(1)
    expect(await view.getByLabel('Would you like to say why?').inputValue()).toBe('Ill today')
    await look(view, 'cancel-moved')
    expect(await find(booking_id)).toMatchObject({ status: 'booked' })
    await press(view, 'Cancel the booking')
    await view.getByRole('heading', { name: 'The booking is cancelled' }).waitFor()
    expect(await find(booking_id)).toMatchObject({ status: 'cancelled', cancellation_reason: 'Ill today' })
  })

  it('is not moved: the page shows the new time, and says so', async () => {
    const { booking_id, start, address, moveTo } = await makeBooking()
    const { page: view } = await browser.open(address('reschedule'))
    const before = await view.locator('.chosen .when').innerText()
    await view.locator('.time').nth(2).click()
    await moveTo(start + 6 * 86_400)
    await press(view, 'Move the booking')
    await alertSays(view, en.errors.moved)
    expect(await view.locator('.chosen .when').innerText()).not.toBe(before)
    await look(view, 'reschedule-moved')
    expect(await find(booking_id)).toMatchObject({ start_time: start + 6 * 86_400 })
    await view.locator('.time').nth(2).click()
    await press(view, 'Move the booking')
    await view.getByRole('heading', { name: 'Your booking has been moved' }).waitFor()
  })
})

describe('a booking that was cancelled in another tab', () => {
  it.each([
    ['cancel', de.cancel.submit],
    ['reschedule', de.reschedule.submit],
  ])('is told to have ended, in the language of the page, by /%s', async (kind, button) => {
    const { address, cancel } = await makeBooking()
    const { page: view } = await browser.open(address(kind, '?lang=de'))
    if (kind === 'reschedule') await view.locator('.time').nth(1).click()
    await cancel()
    await press(view, button)
    await view.getByText(de.messages.ended).waitFor()
    expect(await view.locator('body').innerText()).not.toContain('already cancelled')
  })
})

describe('what can be booked', () => {
  async function openForm(options: Parameters<typeof makePage>[1] = {}) {
    const id = await makePage(server, options)
    const path = `/v3/grants/${server.host.grantId}/scheduling/configurations/${id}`
    const { page: view } = await browser.open(`${server.url}/book/${id}`)
    await view.locator('.time').nth(3).click()
    await view.getByLabel('Your name').fill('Gil Guest')
    await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
    const change = async (method: string, body: object) =>
      expect((await server.request(method, path, { body })).status).toBe(200)
    return { id, view, change }
  }
  async function reload(view: Page): Promise<void> {
    await alertSays(view, en.errors.outdated)
    await look(view, 'outdated')
    expect(await view.getByRole('button', { name: 'Book', exact: true }).count()).toBe(0)
    await press(view, en.errors.reload)
  }
  async function bookAsTyped(view: Page, id: string): Promise<void> {
    await view.getByText(en.times.kept).waitFor()
    await view.locator('.time').nth(2).click()
    expect(await view.getByLabel('Your name').inputValue()).toBe('Gil Guest')
    if (await view.getByLabel('Phone').count()) await view.getByLabel('Phone').fill('123')
    await press(view, 'Book')
    await view.getByRole('heading', { name: 'You are booked' }).waitFor()
    const booked = (await listed()).find((one) => (one as { configuration_id?: string }).configuration_id === id)
    expect(booked).toMatchObject({ guest: { name: 'Gil Guest', email: 'gil@guest.example' } })
  }

  it('takes longer by now: the page says so instead of speaking of others, and is loaded again with what was typed', async () => {
    const { id, view, change } = await openForm()
    await change('PUT', { availability: { duration_minutes: 60 } })
    await press(view, 'Book')
    await reload(view)
    await view.getByText('1 h').waitFor()
    await bookAsTyped(view, id)
  })

  it('asks for more by now', async () => {
    const { id, view, change } = await openForm()
    await change('PUT', {
      scheduler: {
        min_booking_notice: noticeUntilTomorrow(),
        additional_fields: { phone: { label: 'Phone', type: 'text', required: true } },
      },
    })
    await press(view, 'Book')
    await reload(view)
    await bookAsTyped(view, id)
  })

  it('is no more', async () => {
    const { view, change } = await openForm()
    await change('DELETE', {})
    await press(view, 'Book')
    await reload(view)
    await view.getByRole('heading', { name: 'This page is not available' }).waitFor()
  })

  it('takes longer by now, which shows when a later month is looked at', async () => {
    const id = await makePage(server)
    const { page: view } = await browser.open(`${server.url}/book/${id}`)
    await view.locator('.time').first().waitFor()
    const path = `/v3/grants/${server.host.grantId}/scheduling/configurations/${id}`
    await server.request('PUT', path, { body: { availability: { duration_minutes: 60 } } })
    for (let count = 0; count < 3; count++) await press(view, 'Next month')
    await alertSays(view, en.errors.outdated)
    await press(view, en.errors.reload)
    await view.getByText('1 h').waitFor()
  })
})

describe('a word on why', () => {
  it('goes along into another language', async () => {
    const { address, booking_id } = await makeBooking()
    const { page: view } = await browser.open(address('cancel'))
    await view.getByLabel(en.cancel.reason).fill('I am ill')
    await view.getByLabel(en.language).selectOption('de')
    await view.getByRole('heading', { name: de.cancel.title }).waitFor()
    expect(await view.getByLabel(de.cancel.reason).inputValue()).toBe('I am ill')
    expect(await view.getByRole('alert').count()).toBe(0)
    await press(view, de.cancel.submit)
    await view.getByRole('heading', { name: de.done.cancelled }).waitFor()
    expect(await find(booking_id)).toMatchObject({ status: 'cancelled', cancellation_reason: 'I am ill' })
  })

  it('of an organizer does, with the question that it answers', async () => {
    const { booking_id } = await makeBooking({ event: { booking_type: 'organizer-confirmation' } })
    const { organizer_booking_ref } = (await find(booking_id)) ?? {}
    const { page: view } = await browser.open(`${server.url}/confirmation/${organizer_booking_ref}`)
    await press(view, en.confirmation.decline)
    await view.getByLabel(en.confirmation.declineReason).fill('On holiday')
    await view.getByLabel(en.language).selectOption('de')
    await view.getByRole('heading', { name: de.confirmation.declineTitle }).waitFor()
    expect(await view.getByLabel(de.confirmation.declineReason).inputValue()).toBe('On holiday')
  })
})
