/** The links in mails: moving, cancelling, confirming and declining, and what a link that is no good shows. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { useBuild } from '../support/builds.ts'
import { book, nearFuture } from '../support/hosts.ts'
import { mailsOf } from '../support/mails.ts'
import { look, useBrowser } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

useBuild('pages')
const browser = useBrowser()
let server: PageServer

beforeAll(async () => {
  server = await startPageServer()
})

type Listed = {
  readonly booking_id: string
  readonly booking_ref: string
  readonly organizer_booking_ref: string
  readonly status: string
  readonly start_time: number
  readonly cancelled_by: string | null
  readonly cancellation_reason: string
}

/** A booking of a new configuration, two days from now at `hour` past nine, so that tests do not meet. */
let hour = 0
async function makeBooking(options: Parameters<typeof makePage>[1] = {}): Promise<Listed> {
  const id = await makePage(server, options)
  hour += 1
  const made = await server.request('POST', `/v3/scheduling/bookings?configuration_id=${id}`, {
    token: await tokenFor(id, options),
    body: {
      start_time: nearFuture() + hour * 3_600,
      end_time: nearFuture() + hour * 3_600 + 1_800,
      guest: { name: 'Gil Guest', email: 'gil@guest.example' },
      additional_guests: [{ email: 'eve@guest.example' }],
      additional_fields: { topic: 'Apples' },
    },
  })
  expect(made.status).toBe(200)
  return find(made.body.data.booking_id)
}

async function tokenFor(id: string, { top }: { top?: object }): Promise<string | null> {
  if (top === undefined) return null
  const session = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
  return session.body.data.session_id
}

async function find(bookingId: string): Promise<Listed> {
  const { body } = await server.request('GET', `/v3/grants/${server.host.grantId}/scheduling/bookings?limit=50`)
  return body.data.find((one: Listed) => one.booking_id === bookingId)
}

/** A private configuration looks as a public one does, so its pages are not looked at again. */
async function lookAtPublic(view: Page, name: string): Promise<void> {
  if (!name.includes('private')) await look(view, name)
}

const fields = { topic: { label: 'Topic', type: 'text' } }
const asksFirst = { event: { booking_type: 'organizer-confirmation' }, scheduler: { additional_fields: fields } }
const isPrivate = { top: { requires_session_auth: true } }

describe.each([
  ['a public', {}],
  ['a private', isPrivate],
])('of %s configuration', (name, options) => {
  it('moves the booking, showing the old time and the new', async () => {
    const booking = await makeBooking(options)
    const address = `${server.url}/reschedule/${encodeURIComponent(booking.booking_ref)}`
    const { page: view } = await browser.open(address, { size: name === 'a private' ? 'phone' : 'desktop' })
    await view.locator('.time').first().waitFor()
    await lookAtPublic(view, `reschedule-${name}`)
    await view.locator('.time').first().click()
    await view.getByText('Until now').waitFor()
    await lookAtPublic(view, `reschedule-both-${name}`)
    await view.getByRole('button', { name: 'Move the booking' }).click()
    await view.getByRole('heading', { name: 'Your booking has been moved' }).waitFor()
    await lookAtPublic(view, `moved-${name}`)
    const moved = await find(booking.booking_id)
    expect(moved).toMatchObject({ status: 'booked', additional_guests: [{ email: 'eve@guest.example' }] })
    expect(moved.start_time).toBeLessThan(booking.start_time)
  })

  it('cancels it with a reason, and the link then says that it is over', async () => {
    const booking = await makeBooking(options)
    const address = `${server.url}/cancel/${booking.booking_ref}?lang=en`
    const { page: view } = await browser.open(address)
    await view.getByLabel('Would you like to say why?').fill('Ill today')
    await lookAtPublic(view, `cancel-${name}`)
    await view.getByRole('button', { name: 'Cancel the booking' }).click()
    await view.getByRole('heading', { name: 'The booking is cancelled' }).waitFor()
    await lookAtPublic(view, `cancelled-${name}`)
    expect(await view.getByRole('link', { name: 'Book a new time' }).getAttribute('href')).toMatch(
      /^\/book\/[0-9a-f-]+\?lang=en$/,
    )
    expect(await find(booking.booking_id)).toMatchObject({
      status: 'cancelled',
      cancelled_by: 'guest',
      cancellation_reason: 'Ill today',
    })
    for (const kind of ['cancel', 'reschedule']) {
      const again = await browser.open(`${server.url}/${kind}/${booking.booking_ref}`)
      await again.page.getByText('there is nothing left to change').waitFor()
      if (kind === 'cancel') await lookAtPublic(again.page, `over-${name}`)
    }
  })
})

it('says of a slot that was lost while the guest was deciding', async () => {
  const booking = await makeBooking()
  const { page: view } = await browser.open(`${server.url}/reschedule/${booking.booking_ref}`)
  await view.locator('.time').first().click()
  const written = JSON.parse((await view.locator('#document').textContent()) ?? '') as {
    page: { slots: { starts: number[] }; settings: { configuration_id: string } }
  }
  const { slots, settings } = written.page
  expect((await book(server, settings.configuration_id, slots.starts[0] ?? 0)).status).toBe(200)
  await view.getByRole('button', { name: 'Move the booking' }).click()
  await view.getByText('Someone was quicker').waitFor()
  await lookAtPublic(view, 'reschedule-lost')
  expect((await find(booking.booking_id)).start_time).toBe(booking.start_time)
})

it('says of a request that was moved that the organizer still has to answer', async () => {
  const booking = await makeBooking(asksFirst)
  const { page: view } = await browser.open(`${server.url}/reschedule/${booking.booking_ref}`)
  await view.locator('.time').nth(3).click()
  await view.getByRole('button', { name: 'Move the booking' }).click()
  await view.getByRole('heading', { name: 'Your request has been moved' }).waitFor()
  await view.getByText('Ada Host will answer. You will get an email at gil@guest.example').waitFor()
  await lookAtPublic(view, 'request-moved')
  expect(await find(booking.booking_id)).toMatchObject({ status: 'pending' })
  const told = (await mailsOf(server, booking.booking_id)).filter(({ to }) => to.email === 'gil@guest.example')
  // Nobody takes mails here. What was tried in vain before the next one's turn is said in the next one's place (decision 50).
  expect(told.map(({ kind, subject }) => `${kind}: ${subject.split(':')[0]}`)).toEqual([
    'request_received: Booking Request Sent',
    expect.stringMatching(/^(request_moved: Booking Request Moved|request_received: Booking Request Sent)$/),
  ])
})

it('does not offer to cancel inside of the notice', async () => {
  const booking = await makeBooking({ scheduler: { min_cancellation_notice: 10_080 } })
  const { page: view } = await browser.open(`${server.url}/cancel/${booking.booking_ref}`)
  await view.getByText('can no longer be cancelled: it begins in less than 7 days.').waitFor()
  await lookAtPublic(view, 'cancel-late')
  expect(await view.getByRole('button', { name: 'Cancel the booking' }).count()).toBe(0)
})

describe('the organizer', () => {
  it('confirms a request, seeing who, when, what, and that the time is free', async () => {
    const booking = await makeBooking(asksFirst)
    const { page: view } = await browser.open(`${server.url}/confirmation/${booking.organizer_booking_ref}`)
    await view.getByText('The time is still free').waitFor()
    for (const told of ['Gil Guest (gil@guest.example)', 'eve@guest.example', 'Apples', 'Intro call'])
      await view.getByText(told).first().waitFor()
    await lookAtPublic(view, 'confirmation')
    await view.getByRole('button', { name: 'Confirm' }).click()
    await view.getByRole('heading', { name: 'The booking is confirmed' }).waitFor()
    await lookAtPublic(view, 'confirmed')
    expect(await find(booking.booking_id)).toMatchObject({ status: 'booked' })
    const again = await browser.open(`${server.url}/confirmation/${booking.organizer_booking_ref}`)
    await again.page.getByText('already been answered: it is confirmed').waitFor()
    await lookAtPublic(again.page, 'confirmed-already')
  })

  it('cancels within the notice that binds guests, seeing whose booking it is, with a word to them', async () => {
    const booking = await makeBooking({
      scheduler: { min_cancellation_notice: 40_320, cancellation_policy: 'A month ahead.', additional_fields: fields },
    })
    const { page: view } = await browser.open(`${server.url}/cancel/${booking.organizer_booking_ref}`)
    for (const told of ['Gil Guest (gil@guest.example)', 'eve@guest.example', 'Apples'])
      await view.getByText(told).first().waitFor()
    expect(await view.getByText('A month ahead.').count()).toBe(0)
    await lookAtPublic(view, 'cancel-organizer')
    await view.getByLabel('A word to your guest').fill('I am ill')
    await view.getByRole('button', { name: 'Cancel the booking' }).click()
    await view.getByRole('heading', { name: 'The booking is cancelled' }).waitFor()
    expect(await view.getByRole('link', { name: 'Book a new time' }).count()).toBe(0)
    expect(await find(booking.booking_id)).toMatchObject({
      status: 'cancelled',
      cancelled_by: 'organizer',
      cancellation_reason: 'I am ill',
    })
  })

  it('declines one with a word to the guest', async () => {
    const booking = await makeBooking(asksFirst)
    const { page: view } = await browser.open(`${server.url}/confirmation/${booking.organizer_booking_ref}`, {
      size: 'phone',
    })
    // The card is as high as the screen; what stands in it is not stretched to that.
    expect((await view.getByRole('button', { name: 'Decline' }).boundingBox())?.height).toBeLessThan(50)
    await view.getByRole('button', { name: 'Decline' }).click()
    await view.getByLabel('A word to your guest').fill('On holiday')
    await lookAtPublic(view, 'decline')
    await view.getByRole('button', { name: 'Decline' }).click()
    await view.getByRole('heading', { name: 'The request is declined' }).waitFor()
    expect(await find(booking.booking_id)).toMatchObject({
      status: 'cancelled',
      cancelled_by: 'organizer',
      cancellation_reason: 'On holiday',
    })
  })

  it('is told when something else has come into the calendar', async () => {
    const booking = await makeBooking(asksFirst)
    const event = await server.request('POST', `/v3/grants/${server.host.grantId}/events?calendar_id=primary`, {
      body: { title: 'Dentist', when: { start_time: booking.start_time, end_time: booking.start_time + 900 } },
    })
    expect(event.status).toBe(200)
    const { page: view } = await browser.open(`${server.url}/confirmation/${booking.organizer_booking_ref}`)
    await view.getByText('now has something else').waitFor()
    await lookAtPublic(view, 'confirmation-busy')
  })

  it('answers the time that was shown: of a request that was moved meanwhile the page shows the new time, and says so', async () => {
    const booking = await makeBooking(asksFirst)
    const { page: view } = await browser.open(`${server.url}/confirmation/${booking.organizer_booking_ref}`)
    const whenShown = () => view.locator('.when').innerText()
    const before = await whenShown()
    const move = async (start: number) => {
      const moved = await server.request('PATCH', `/v3/scheduling/bookings/${booking.booking_id}`, {
        token: booking.booking_ref,
        body: { start_time: start, end_time: start + 1_800 },
      })
      expect(moved.status).toBe(200)
    }
    await move(booking.start_time + 5 * 86_400)
    await view.getByRole('button', { name: 'Confirm' }).click()
    await view.getByRole('alert').getByText('moved this request').waitFor()
    expect(await whenShown()).not.toBe(before)
    expect(await view.locator('[role=alert]:focus').count()).toBe(1)
    await lookAtPublic(view, 'confirmation-moved')
    expect(await find(booking.booking_id)).toMatchObject({ status: 'pending' })

    // What was written to the guest is still there, and a page that is loaded once more says nothing of all this.
    await view.getByRole('button', { name: 'Decline' }).click()
    await view.getByLabel('A word to your guest').fill('On holiday')
    await move(booking.start_time + 6 * 86_400)
    await view.getByRole('button', { name: 'Decline' }).click()
    await view.getByRole('alert').getByText('moved this request').waitFor()
    expect(await view.getByLabel('A word to your guest').inputValue()).toBe('On holiday')
    await view.reload()
    await view.getByRole('button', { name: 'Confirm' }).waitFor()
    expect(await view.getByRole('alert').count()).toBe(0)
    await view.getByRole('button', { name: 'Confirm' }).click()
    await view.getByRole('heading', { name: 'The booking is confirmed' }).waitFor()
    expect(await find(booking.booking_id)).toMatchObject({
      status: 'booked',
      start_time: booking.start_time + 6 * 86_400,
    })
  })

  it.each([
    ['Confirm', 'it is confirmed'],
    ['Decline', 'it is confirmed'],
  ])('is told by %s what was answered meanwhile in another tab', async (name, answered) => {
    const booking = await makeBooking(asksFirst)
    const address = `${server.url}/confirmation/${booking.organizer_booking_ref}`
    const { page: late } = await browser.open(address)
    const { page: early } = await browser.open(address)
    await early.getByRole('button', { name: 'Confirm' }).click()
    await early.getByRole('heading', { name: 'The booking is confirmed' }).waitFor()
    await late.getByRole('button', { name }).click()
    if (name === 'Decline') await late.getByRole('button', { name }).click()
    await late.getByText(answered).waitFor()
    expect(await late.getByRole('button').count()).toBe(0)
    expect(await find(booking.booking_id)).toMatchObject({ status: 'booked' })
  })

  it('is led by the keyboard to the question about declining, and back', async () => {
    const booking = await makeBooking(asksFirst)
    const { page: view } = await browser.open(`${server.url}/confirmation/${booking.organizer_booking_ref}`)
    const hasFocus = (name: string) => expect.poll(() => view.evaluate('document.activeElement.textContent')).toBe(name)
    await view.getByRole('button', { name: 'Decline' }).press('Enter')
    await hasFocus('Decline this request?')
    await view.keyboard.press('Enter')
    expect(await view.getByLabel('A word to your guest').count()).toBe(1)
    await view.getByRole('button', { name: 'Back' }).press('Enter')
    await hasFocus('Decline')
  })

  it('hears what became of an answer that got lost, whatever is pressed next', async () => {
    const booking = await makeBooking(asksFirst)
    const { page: view } = await browser.open(`${server.url}/confirmation/${booking.organizer_booking_ref}`, {
      forgiven: [/net::ERR_FAILED/],
    })
    let isCut = true
    await view.route('**/v3/scheduling/bookings/*', async (route) => {
      if (!isCut) return route.continue()
      await route.fetch()
      await route.abort()
    })
    await view.getByRole('button', { name: 'Confirm' }).click()
    await view.getByText('could not be reached').waitFor()
    isCut = false
    for (let count = 0; count < 2; count++) await view.getByRole('button', { name: 'Decline' }).click()
    await view.getByRole('heading', { name: 'The booking is confirmed' }).waitFor()
    expect(await find(booking.booking_id)).toMatchObject({ status: 'booked' })
  })
})

describe('a link that is no good', () => {
  it('shows one helpful page and tells nothing, whatever is wrong with it', async () => {
    const booking = await makeBooking(asksFirst)
    const other = await makeBooking()
    const flipped = `${booking.booking_ref.slice(0, -2)}${booking.booking_ref.endsWith('A') ? 'BB' : 'AA'}`
    const bad = [
      `/reschedule/${flipped}`,
      `/cancel/${flipped}`,
      // Without a salt; the guest's where the organizer's belongs; and no reference at all.
      `/cancel/${booking.booking_ref.slice(0, 43)}`,
      `/confirmation/${booking.booking_ref}`,
      `/confirmation/${other.booking_ref}`,
      '/reschedule/nonsense',
      '/confirmation/%2e%2e%2fetc',
    ]
    const shown = new Set<string>()
    for (const path of bad) {
      const answer = await fetch(`${server.url}${path}`)
      expect(answer.status, path).toBe(404)
      expect(answer.headers.get('content-type'), path).toContain('text/html')
      const text = await answer.text()
      expect(text, path).not.toMatch(/Gil|gil@|Ada|Intro call|Apples/)
      // The time is everyone's.
      shown.add(text.replace(/"now":\d+/, ''))
    }
    expect(shown.size).toBe(1)
    const { page: view } = await browser.open(`${server.url}${bad[0]}`)
    await view.getByRole('heading', { name: 'This page is not available' }).waitFor()
    await lookAtPublic(view, 'missing')
  })

  it('opens nothing at the API either', async () => {
    const booking = await makeBooking()
    const mine = (path: string, token: string, method = 'GET', body?: object) =>
      server.request(method, `/v3/scheduling/${path}`, { token, ...(body === undefined ? {} : { body }) })
    expect((await mine(`bookings/${booking.booking_id}`, booking.booking_ref)).status).toBe(200)
    const other = await makeBooking()
    expect((await mine(`bookings/${other.booking_id}`, booking.booking_ref)).status).toBe(404)
    const flipped = `${booking.booking_ref.slice(0, -2)}${booking.booking_ref.endsWith('A') ? 'BB' : 'AA'}`
    expect((await mine(`bookings/${booking.booking_id}`, flipped)).status).toBe(401)
    expect((await server.request('GET', '/v3/grants', { token: booking.booking_ref })).status).toBe(401)
  })

  it('of a private configuration books nothing new, and shows its slots only for the booking', async () => {
    const booking = await makeBooking(isPrivate)
    const token = booking.booking_ref
    const slots = `/v3/scheduling/availability?start_time=${nearFuture()}&end_time=${nearFuture() + 86_400}`
    expect((await server.request('GET', slots, { token })).status).toBe(401)
    expect((await server.request('GET', `${slots}&booking_id=${booking.booking_id}`, { token })).status).toBe(200)
    const body = {
      start_time: nearFuture(),
      end_time: nearFuture() + 1_800,
      guest: { name: 'Gil', email: 'gil@guest.example' },
    }
    for (const query of ['', `?booking_id=${booking.booking_id}`])
      expect((await server.request('POST', `/v3/scheduling/bookings${query}`, { token, body })).status).toBe(401)
  })
})

it('opens also with what a mail program has taken from the text around it', async () => {
  const booking = await makeBooking(asksFirst)
  const id = await makePage(server, { top: { slug: 'around' } })
  for (const path of [
    `/reschedule/${booking.booking_ref}`,
    `/cancel/${booking.booking_ref}`,
    `/confirmation/${booking.organizer_booking_ref}`,
    `/book/${id}`,
    `/${server.clientId}/around`,
  ])
    for (const [before, after] of [
      ['', '.'],
      ['', '%0A'],
      ['', ').'],
      ['', '%3E'],
      ['%20', ''],
      ['', '/'],
    ]) {
      const address = path.replace(/[^/]+$/, (last) => `${before}${last}${after}`)
      expect((await fetch(`${server.url}${address}`)).status, address).toBe(200)
    }
})

it('does not lead to a page that has been taken down', async () => {
  const booking = await makeBooking()
  const [id] = (await server.request('GET', `/v3/grants/${server.host.grantId}/scheduling/bookings?limit=50`)).body.data
    .filter((one: Listed) => one.booking_id === booking.booking_id)
    .map((one: { configuration_id: string }) => one.configuration_id)
  const path = `/v3/grants/${server.host.grantId}/scheduling/configurations/${id}`
  expect((await server.request('DELETE', path)).status).toBe(200)
  const { page: view } = await browser.open(`${server.url}/cancel/${booking.booking_ref}`)
  await view.getByRole('button', { name: 'Cancel the booking' }).click()
  await view.getByRole('heading', { name: 'The booking is cancelled' }).waitFor()
  expect(await view.getByRole('link').count()).toBe(0)
  await view.goto(`${server.url}/reschedule/${booking.booking_ref}`)
  await view.getByText('there is nothing left to change').waitFor()
  expect(await view.getByRole('link').count()).toBe(0)
})

it('stands in mails where a configuration names no page of its own, and opens', async () => {
  const booking = await makeBooking(asksFirst)
  const other = await makeBooking(isPrivate)
  const linksIn = async (bookingId: string) => {
    const listed = await server.request('GET', `/v3/mails?booking_id=${bookingId}`)
    const texts = await Promise.all(
      listed.body.data.map(
        async ({ id }: { id: string }) => (await server.request('GET', `/v3/mails/${id}`)).body.data.text,
      ),
    )
    return texts.join('\n').match(/http:\/\/localhost:3000\/\S+/g) ?? []
  }
  const asked = await linksIn(booking.booking_id)
  const booked = await linksIn(other.booking_id)
  expect(asked.some((link) => link.includes('/confirmation/'))).toBe(true)
  for (const kind of ['reschedule', 'cancel']) expect(booked.some((link) => link.includes(`/${kind}/`))).toBe(true)
  for (const link of [...asked, ...booked])
    expect((await fetch(link.replace('http://localhost:3000', server.url))).status, link).toBe(200)
})

it('changes nothing by being opened, so that scanners of mails may', async () => {
  const booking = await makeBooking(asksFirst)
  for (const path of [
    `/reschedule/${booking.booking_ref}`,
    `/cancel/${booking.booking_ref}`,
    `/confirmation/${booking.organizer_booking_ref}`,
  ])
    for (const method of ['GET', 'HEAD']) expect((await fetch(`${server.url}${path}`, { method })).status).toBe(200)
  expect(await find(booking.booking_id)).toEqual(booking)
})
