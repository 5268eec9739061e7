/** The vendor's own components, as applications have them on their pages today, against this server: on another origin, in Chromium. */
import { join } from 'node:path'

import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import {
  accessTokenOf,
  book,
  makeConfiguration,
  makeHost,
  nearFuture,
  participant,
  type TestHost,
} from '../support/hosts.ts'
import { useBrowser, type ViewOptions } from '../support/pages/browser.ts'
import { bundle, type HostPage, servePages } from '../support/pages/hostPage.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

vi.setConfig({ testTimeout: 60_000 })
const browser = useBrowser()
let server: TestServer
let host: HostPage
let olga: TestHost

beforeAll(async () => {
  server = await startTestServer()
  const document =
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Host</title><div id="root"></div><script type="module" src="/page.js"></script></html>'
  host = await servePages({
    '/': { type: 'text/html', body: document },
    '/page.js': { type: 'text/javascript', body: await bundle(join(import.meta.dirname, 'nylasPage.tsx')) },
    '/thanks': {
      type: 'text/html',
      body: '<!doctype html><html lang="en"><title>Thanks</title><h1>Thanks</h1></html>',
    },
  })
  olga = await makeHost(server, 'olga@host.example')
})

/** Known of the components where React mounts a part twice. */
const forgiven = [/Cannot redefine property: registerNylasComponent/]

async function open(wanted: object, options: ViewOptions = {}): Promise<Page> {
  const fragment = encodeURIComponent(JSON.stringify(wanted))
  const address = `${host.url}/?server=${encodeURIComponent(server.url)}#${fragment}`
  const { page } = await browser.open(address, { origins: [server.url], forgiven, ...options })
  return page
}

/** The component shows its buttons before it has its settings and times, and forgets a click that comes so soon. */
async function openScheduling(props: object, options?: ViewOptions): Promise<Page> {
  const page = await open({ component: 'scheduling', props: { schedulerApiUrl: server.url, ...props } }, options)
  await page.waitForFunction(() => {
    const answered = performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.includes('/v3/scheduling/'))
      .map((entry) => (entry as PerformanceResourceTiming).responseEnd)
    return answered.length > 0 && performance.now() - Math.max(...answered) > 1_000
  })
  return page
}

/** Four slots a day: drawing those of a month, the component takes seconds for what is open round the clock. */
const hours = {
  default_open_hours: [{ days: [0, 1, 2, 3, 4, 5, 6], timezone: 'UTC', start: '9:00', end: '11:00', exdates: [] }],
}

const makeShort = (people: readonly TestHost[], options: Parameters<typeof makeConfiguration>[2] = {}) =>
  makeConfiguration(server, people, { ...options, rules: { ...hours, ...options.rules } })

const topic = { additional_fields: { topic: { type: 'text', label: 'Topic', required: true, order: 1 } } }

/** The 10th, or another day, of the month after this one; `time` as the components write it. */
async function choose(page: Page, { day = 10, time = '09:00 AM' } = {}): Promise<void> {
  const now = new Date()
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)).toLocaleString('en', {
    month: 'long',
    timeZone: 'UTC',
  })
  await page.getByRole('button', { name: 'Next month' }).click()
  await page.getByRole('heading', { name: month, exact: false, level: 2 }).first().waitFor()
  await page.getByRole('button', { name: new RegExp(`${month} ${day}, \\d{4}$`) }).click()
  await page.getByRole('button', { name: time }).click()
  await page.getByRole('button', { name: 'Next', exact: true }).click()
}

/** 09:00 UTC, or another minute, of that day; Unix seconds. */
function secondsOn(day: number, minutes = 9 * 60): number {
  const now = new Date()
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, day) / 1_000 + minutes * 60
}

async function fillIn(page: Page, { name = 'Gil Guest', email = 'gil@guest.example' } = {}): Promise<void> {
  await page.getByRole('textbox', { name: 'Name*' }).fill(name)
  await page.getByRole('textbox', { name: 'Email*' }).fill(email)
}

const send = (page: Page) => page.getByRole('button', { name: 'Book now' }).click()

const readBooking = async (configurationId: string, bookingId: string) =>
  (await server.request('GET', `/v3/scheduling/bookings/${bookingId}?configuration_id=${configurationId}`)).body

type Told = { readonly name: string; readonly detail: { readonly data: Record<string, unknown> } }
const toldOf = (page: Page) => page.evaluate('told') as Promise<Told[]>

async function bookedInfo(page: Page): Promise<Record<string, unknown>> {
  const booked = (await toldOf(page)).findLast(({ name }) => name === 'booked')
  if (booked === undefined) throw new Error('the component told of no booking')
  return booked.detail.data
}

const made = (body: { readonly data: { readonly booking_id: string; readonly booking_ref: string } }) => body.data

describe('the booking component', () => {
  it('books a slot in the zone of the guest, with the answers to the questions', async () => {
    const id = await makeShort([olga], { scheduler: topic })
    const page = await openScheduling({ configurationId: id }, { timezone: 'Asia/Kathmandu' })
    await choose(page, { time: '02:45 PM' })
    await fillIn(page)
    await page.getByRole('textbox', { name: 'Topic*' }).fill('Horses')
    await send(page)
    await page.getByRole('heading', { name: 'Booking confirmed!' }).waitFor()
    const info = await bookedInfo(page)
    expect(info).toMatchObject({ status: 'booked', booking_ref: expect.any(String), title: 'Intro call' })
    // A quarter to three in Kathmandu is nine in UTC.
    expect(await eventOf(info.event_id as string)).toMatchObject({
      when: { start_time: secondsOn(10), end_time: secondsOn(10) + 1_800 },
      participants: expect.arrayContaining([expect.objectContaining({ email: 'gil@guest.example' })]),
    })
  })

  it('finds a page by slug and client id, and sends the guest on where the configuration says so', async () => {
    await makeShort([olga], {
      top: { slug: 'intro' },
      scheduler: { confirmation_redirect_url: `${host.url}/thanks?campaign=spring` },
    })
    const page = await openScheduling({ slug: 'intro', clientId: server.clientId })
    await choose(page, { day: 11 })
    await fillIn(page)
    await send(page)
    await page.waitForURL('**/thanks?*')
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toMatchObject({
      campaign: 'spring',
      booking_ref: expect.any(String),
      booking_id: expect.any(String),
      start_time: String(secondsOn(11)),
      tz: 'UTC',
      page_slug: 'intro',
    })
  })

  it('opens a private page with a session, and says so when the session is none', async () => {
    const id = await makeShort([olga], { top: { requires_session_auth: true } })
    const session = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
    const page = await openScheduling({ sessionId: session.body.data.session_id })
    await choose(page, { day: 12 })
    await fillIn(page)
    await send(page)
    await page.getByRole('heading', { name: 'Booking confirmed!' }).waitFor()
    const stranger = await openScheduling({ sessionId: '00000000-0000-4000-8000-000000000000' })
    await expect.poll(async () => (await toldOf(stranger)).map(({ name }) => name)).toEqual(['error'])
    await stranger
      .getByText(/session/i)
      .first()
      .waitFor()
  })

  it('says that a slot is gone that was taken while the form was open, and keeps what was typed', async () => {
    const id = await makeShort([olga])
    const page = await openScheduling({ configurationId: id })
    await choose(page, { day: 13 })
    await fillIn(page)
    expect(
      (await book(server, id, secondsOn(13), { body: { guest: { name: 'Quick', email: 'q@guest.example' } } })).status,
    ).toBe(200)
    await send(page)
    await page
      .getByText(/no longer available|is unavailable/i)
      .first()
      .waitFor()
    expect(await page.getByRole('textbox', { name: 'Name*' }).inputValue()).toBe('Gil Guest')
  })

  it('asks the participants of a round robin one after another, until one is free', async () => {
    const people = [await makeHost(server, 'ada@host.example'), await makeHost(server, 'bob@host.example')]
    const id = await makeShort(people, {
      participants: people.map(({ email }) => participant(email)),
      rules: { availability_method: 'max-availability' },
    })
    const page = await openScheduling({ configurationId: id })
    await choose(page, { day: 14 })
    await fillIn(page)
    const query = `configuration_id=${id}&start_time=${secondsOn(14)}&end_time=${secondsOn(15)}`
    const { order } = (await server.request('GET', `/v3/scheduling/availability?${query}`)).body.data
    const first = people.find(({ email }) => email === order[0]) as TestHost
    await server.request('POST', `/v3/grants/${first.grantId}/events?calendar_id=primary`, {
      body: { title: 'Dentist', when: { start_time: secondsOn(14), end_time: secondsOn(14) + 1_800 } },
    })
    await send(page)
    await page.getByRole('heading', { name: 'Booking confirmed!' }).waitFor()
    expect((await bookedInfo(page)).organizer).toMatchObject({ email: order[1] })
  })
})

describe('the link of a guest', () => {
  it('moves the booking, its form filled in already, and then cancels it', async () => {
    const id = await makeShort([olga], { scheduler: topic })
    const booked = await book(server, id, secondsOn(15), { body: { additional_fields: { topic: 'Horses' } } })
    const { booking_id, booking_ref } = made(booked.body)

    const page = await openScheduling({ rescheduleBookingRef: booking_ref })
    // Half an hour later overlaps the booking's own time, which must not be in its own way.
    await choose(page, { day: 15, time: '09:30 AM' })
    await expect.poll(() => page.getByRole('textbox', { name: 'Email*' }).inputValue()).toBe('gil@guest.example')
    expect(await page.getByRole('textbox', { name: 'Topic*' }).inputValue()).toBe('Horses')
    await send(page)
    await page.getByRole('heading', { name: 'Booking rescheduled!' }).waitFor()
    expect(await eventOf(booked.body.data.event_id)).toMatchObject({ when: { start_time: secondsOn(15, 570) } })

    const last = await openScheduling({ cancelBookingRef: booking_ref })
    await last.getByRole('textbox', { name: /Reason/ }).fill('ill')
    await last.getByRole('button', { name: 'Cancel booking' }).click()
    await last.getByRole('heading', { name: /cancelled successfully/ }).waitFor()
    expect((await readBooking(id, booking_id)).data.status).toBe('cancelled')
    expect(await eventOf(booked.body.data.event_id)).toBeUndefined()
  })
})

describe('the link of an organizer', () => {
  it.each([
    ['confirms', 'Confirm booking', 'Your booking has been confirmed successfully!', 'booked'],
    ['declines', 'Reject booking', /cancelled successfully/, 'cancelled'],
  ])('%s what is pending', async (_, button, heading, status) => {
    const id = await makeShort([olga], {
      event: { booking_type: 'organizer-confirmation' },
      scheduler: { organizer_confirmation_url: `${host.url}/?ref=:booking_ref` },
    })
    const booked = await book(server, id, secondsOn(16, status === 'booked' ? 540 : 600))
    const { booking_id } = made(booked.body)
    const page = await openScheduling({ organizerConfirmationBookingRef: await organizerReference(id, booking_id) })
    await page.getByRole('button', { name: button }).click()
    if (status === 'cancelled') {
      await page.getByRole('textbox', { name: /Reason/ }).fill('ill')
      await page.getByRole('button', { name: 'Cancel booking' }).click()
    }
    await page.getByRole('heading', { name: heading }).waitFor()
    expect((await readBooking(id, booking_id)).data.status).toBe(status)
  })
})

describe('the editor', () => {
  it('lists the configurations of its grant, changes one, and leaves the rest of it as it was', async () => {
    const grace = await makeHost(server, 'grace@host.example')
    const id = await makeConfiguration(server, [grace], { scheduler: topic, top: { slug: 'grace' } })
    const path = `/v3/grants/${grace.grantId}/scheduling/configurations/${id}`
    const before = (await server.request('GET', path)).body.data
    const { page } = await openEditor(grace)
    await page.getByRole('cell', { name: 'Intro call' }).waitFor()
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByRole('textbox', { name: 'event-duration' }).fill('45')
    const saved = page.waitForResponse((response) => response.request().method() === 'PUT')
    await page.getByRole('button', { name: 'Save changes' }).click()
    expect((await saved).status()).toBe(200)
    const after = (await server.request('GET', path)).body.data
    expect(after.availability.duration_minutes).toBe(45)
    expect(after).toMatchObject({
      slug: 'grace',
      participants: before.participants,
      event_booking: before.event_booking,
      scheduler: before.scheduler,
    })
    expect((await toldOf(page)).filter(({ name }) => name === 'error')).toEqual([])
  })

  it('makes a round robin, gives it a second host and its looks, and deletes it again', async () => {
    const [rita, sam] = [await makeHost(server, 'rita@host.example'), await makeHost(server, 'sam@host.example')]
    const calendars = [{ id: sam.calendarId, name: 'Primary' }]
    const { page, calls } = await openEditor(rita, {
      additionalParticipants: [{ id: sam.grantId, name: 'Sam', email: sam.email, calendars }],
    })
    await page.getByRole('button', { name: 'Create new' }).click()
    await page.getByText('Round-Robin Maximize Availability', { exact: true }).click()
    await page.locator('[contenteditable]').first().fill('Team call')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByRole('button', { name: 'Participants' }).click()
    await page.getByText('Add a participant').click()
    await page.getByRole('textbox', { name: '1', exact: true }).click()
    await page.getByText(sam.email).click()
    await page.getByRole('button', { name: 'Page styles' }).click()
    await page.locator('input[name=page-name]').fill('Meet the team')
    await page.locator('input[name=submit_button_label]').fill('Reserve')
    await page.locator('textarea[name=thank_you_message]').fill('See you soon')
    const saved = page.waitForResponse((response) => response.request().method() === 'PUT')
    await page.getByRole('button', { name: 'Save changes' }).click()
    const { data } = (await (await saved).json()) as { data: { id: string } }
    expect(data).toMatchObject({
      name: 'Meet the team',
      appearance: { submit_button_label: 'Reserve', thank_you_message: 'See you soon' },
      availability: { availability_rules: { availability_method: 'max-availability' } },
      participants: [{ email: rita.email }, { email: sam.email }],
    })
    const slots = await server.request(
      'GET',
      `/v3/scheduling/availability?configuration_id=${data.id}&start_time=${nearFuture()}&end_time=${nearFuture() + 7 * 86_400}`,
      { token: null },
    )
    expect(slots.body.data.order).toEqual([rita.email, sam.email])
    expect(slots.body.data.time_slots[0].emails).toEqual([rita.email, sam.email])

    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'actions' }).click()
    await page.getByText('Delete').first().click()
    await page.getByRole('button', { name: 'Delete' }).last().click()
    await page.getByRole('heading', { name: 'No scheduling pages found' }).waitFor()
    const path = `/v3/grants/${rita.grantId}/scheduling/configurations/${data.id}`
    expect((await server.request('GET', path)).status).toBe(404)
    expect((await toldOf(page)).filter(({ name }) => name === 'error')).toEqual([])
    const one = `/scheduling/configurations/${data.id}`
    expect(calls).toEqual([
      'POST /scheduling/configurations 200',
      `GET ${one} 200`,
      `PUT ${one} 200`,
      'GET /scheduling/configurations?limit=50 200',
      `DELETE ${one} 200`,
    ])
  })

  it('shows what the server says of a page that it refuses, and keeps what was typed', async () => {
    const tom = await makeHost(server, 'tom@host.example')
    const { page } = await openEditor(tom)
    await page.getByRole('button', { name: 'Create new' }).click()
    await page.getByText('1:1', { exact: true }).click()
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('event_booking.title: must NOT have fewer than 1 characters').waitFor()
    await page.locator('[contenteditable]').first().fill('Intro call')
    const made = page.waitForResponse((response) => response.request().method() === 'POST')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    expect((await made).status()).toBe(200)
    const list = await server.request('GET', `/v3/grants/${tom.grantId}/scheduling/configurations`)
    expect(
      list.body.data.map(({ event_booking }: { event_booking: { title: string } }) => event_booking.title),
    ).toEqual(['Intro call'])
  })
})

/** `calls`: what the editor asks of the server once its list is shown, as `GET /path 200`, the path below its grant. */
async function openEditor(host: TestHost, props: object = {}): Promise<{ page: Page; calls: string[] }> {
  const page = await open({ component: 'editor', accessToken: await accessTokenOf(server, host.grantId), props })
  await page.getByRole('button', { name: 'Create new' }).waitFor()
  const calls: string[] = []
  const grant = `${server.url}/v3/grants/me`
  page.on('response', (response) => {
    const { url, method } = { url: response.url(), method: response.request().method() }
    if (method !== 'OPTIONS' && url.startsWith(grant))
      calls.push(`${method} ${url.slice(grant.length)} ${response.status()}`)
  })
  return { page, calls }
}

async function organizerReference(configurationId: string, bookingId: string): Promise<string> {
  const { rows } = await server.app.database.pool.query(
    `select body from openslot.webhook_events where object_id = $1 and trigger = 'booking.pending'`,
    [bookingId],
  )
  if (rows[0] === undefined) throw new Error(`nobody was asked about ${bookingId} of ${configurationId}`)
  return rows[0].body.booking_ref
}

/** The event on Olga's calendar; undefined where there is none. */
async function eventOf(eventId: string): Promise<object | undefined> {
  const found = await server.request('GET', `/v3/grants/${olga.grantId}/events/${eventId}?calendar_id=primary`)
  return found.status === 404 ? undefined : found.body.data
}
