/** The page in other languages and other zones: right to left, at both ends of the day, and in the nights when clocks change. */
import { beforeAll, describe, expect, it } from 'vitest'

import { instant } from '../../src/core/time/instant.ts'
import { useBuild } from '../support/builds.ts'
import { linksOf } from '../support/mails.ts'
import { look, takePictures, useBrowser } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

useBuild('pages')
const browser = useBrowser()
let server: PageServer

beforeAll(async () => {
  server = await startPageServer()
})

describe.each([
  {
    locale: 'de-DE',
    size: 'desktop',
    book: 'Buchen',
    done: 'Ihr Termin ist gebucht',
    time: /^\d{2}:\d{2}$/,
    direction: 'ltr',
  },
  {
    locale: 'ja-JP',
    size: 'phone',
    book: '予約する',
    done: '予約が完了しました',
    time: /^\d{1,2}:\d{2}$/,
    direction: 'ltr',
  },
  { locale: 'ar-EG', size: 'desktop', book: 'احجز', done: 'تم حجز موعدك', time: /[صم]/, direction: 'rtl' },
  { locale: 'he-IL', size: 'phone', book: 'קביעה', done: 'הפגישה נקבעה', time: /^\d{1,2}:\d{2}$/, direction: 'rtl' },
  { locale: 'en-GB', size: 'phone', book: 'Book', done: 'You are booked', time: /^\d{2}:\d{2}$/, direction: 'ltr' },
] as const)('in $locale', ({ locale, size, book, done, time, direction }) => {
  it('is read, written and booked', async () => {
    const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`, { locale, size })
    expect(await view.locator('html').getAttribute('dir')).toBe(direction)
    expect(await view.locator('.time').first().textContent()).toMatch(time)
    await look(view, `${locale}-times`)
    await view.locator('.time').first().click()
    await view.locator('input[id=name]').fill('Gil Guest')
    await view.locator('input[id=email]').fill('gil@guest.example')
    if (direction === 'rtl') await look(view, `${locale}-form`)
    await view.getByRole('button', { name: book, exact: true }).click()
    await view.getByRole('heading', { name: done }).waitFor()
    await takePictures(view, `${locale}-booked`)
  })
})

it('takes the language that its link names, by either name, and offers all others', async () => {
  const page = `${server.url}/book/${await makePage(server)}`
  for (const query of ['lang=fr', 'language=fr']) {
    const { page: view } = await browser.open(`${page}?${query}`, { locale: 'de-DE' })
    await view.getByLabel('Langue').waitFor()
  }
  const { page: view } = await browser.open(`${page}?name=Gil`)
  await view.getByLabel('Language').selectOption({ label: 'العربية' })
  await view.waitForURL(/lang=ar/)
  expect(new URL(view.url()).searchParams.get('name')).toBe('Gil')
  expect(await view.locator('html').getAttribute('dir')).toBe('rtl')
})

it('keeps what was typed where the guest goes on in another language', async () => {
  const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`)
  await view.locator('.time').first().click()
  await view.locator('input[id=name]').fill('Gil Guest')
  await view.getByLabel('Language').selectOption({ label: 'Deutsch' })
  await view.getByText('Ihre Angaben sind noch da.').waitFor()
  await view.locator('.time').first().click()
  expect(await view.getByLabel('Ihr Name').inputValue()).toBe('Gil Guest')
})

it('keeps the zone that the guest has chosen where they go on in another language', async () => {
  const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`)
  await view.getByRole('button', { name: 'Change time zone' }).click()
  await view.getByRole('combobox', { name: 'Time zone' }).fill('Tokyo')
  await view.keyboard.press('Enter')
  await view.locator('.time').first().click()
  const shown = () => view.locator('.chosen .when small').textContent()
  expect(await shown()).toContain('Tokyo')
  await view.getByLabel('Language').selectOption({ label: 'Deutsch' })
  await view.getByLabel('Sprache').waitFor()
  expect(await view.locator('.zone').textContent()).toContain('Tokyo')
  // Nothing was typed.
  expect(await view.getByText('Ihre Angaben sind noch da.').count()).toBe(0)
})

type Hours = { readonly start: string; readonly end: string; readonly timezone?: string }

/** A server whose clock stands at `now`, with hours on some days, in Berlin unless they say otherwise, seen from `timezone`. */
async function openAt(now: string, dates: string | readonly string[], hours: Hours, timezone: string) {
  const then = Date.parse(now)
  const frozen = await startPageServer(() => instant(then))
  const id = await makePage(frozen, {
    availability: { duration_minutes: 30 },
    event: { timezone: 'Europe/Berlin' },
    rules: {
      only_specific_time_availability: true,
      default_specific_time_availability: [dates].flat().map((date) => ({ date, timezone: 'Europe/Berlin', ...hours })),
    },
  })
  const { page: view } = await browser.open('about:blank', { timezone, origins: [frozen.url] })
  await view.clock.setFixedTime(then)
  await view.goto(`${frozen.url}/book/${id}`)
  await view.locator('.time').first().waitFor()
  const times = await view.locator('.time').allTextContents()
  const days = await view.locator('.day:not([data-unavailable],[data-disabled],[data-outside-month])').allTextContents()
  return {
    view,
    server: frozen,
    times: times.map((text) => text.replace(/\u202f/g, ' ')),
    days,
    title: await view.locator('.dayTitle').textContent(),
  }
}

const noon = { start: '12:00', end: '13:00' }

it('groups by the days of the guest, eleven hours behind', async () => {
  const { times, days, title } = await openAt(
    '2027-02-01T12:00:00Z',
    '2027-02-10',
    { start: '9:00', end: '13:00' },
    'Pacific/Pago_Pago',
  )
  // 08:00 UTC is the evening before; the last slot begins at 11:30 UTC, past midnight.
  expect(title).toBe('Tuesday, February 9')
  expect(days).toEqual(['9', '10'])
  expect(times.slice(0, 1)).toEqual(['9:00 PM'])
})

it('groups by the days of the guest, fourteen hours ahead', async () => {
  const { times, days, title } = await openAt('2027-02-01T12:00:00Z', '2027-02-10', noon, 'Pacific/Kiritimati')
  expect(title).toBe('Thursday, February 11')
  expect(days).toEqual(['11'])
  expect(times).toEqual(['1:00 AM', '1:30 AM'])
})

it('tells the hour that comes twice apart; either can be booked, moved to and called off', async () => {
  const {
    view,
    times,
    server: frozen,
  } = await openAt('2027-10-20T12:00:00Z', '2027-10-31', { start: '1:30', end: '4:00' }, 'Europe/Berlin')
  expect(times).toEqual([
    '1:30 AM',
    '2:00 AM (GMT+2)',
    '2:30 AM (GMT+2)',
    '2:00 AM (GMT+1)',
    '2:30 AM (GMT+1)',
    '3:00 AM',
    '3:30 AM',
  ])
  await look(view, 'twice')
  const choose = (text: string) => view.getByRole('button', { name: `${text} Sunday, October 31, 2027` }).click()
  const booking = async () =>
    (await frozen.request('GET', `/v3/grants/${frozen.host.grantId}/scheduling/bookings?limit=50`)).body.data[0]
  await choose('2:00 AM (GMT+1)')
  await view.locator('input[id=name]').fill('Gil Guest')
  await view.locator('input[id=email]').fill('gil@guest.example')
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  const booked = await booking()
  expect(booked.start_time * 1_000).toBe(Date.parse('2027-10-31T01:00:00Z'))
  const links = await linksOf(frozen, booked.booking_id)
  await view.goto(links.reschedule)
  await choose('2:00 AM (GMT+2)')
  await look(view, 'twice-both')
  await view.getByRole('button', { name: 'Move the booking' }).click()
  await view.getByRole('heading', { name: 'Your booking has been moved' }).waitFor()
  expect((await booking()).start_time * 1_000).toBe(Date.parse('2027-10-31T00:00:00Z'))
  await view.goto(links.cancel)
  await view.getByRole('button', { name: 'Cancel the booking' }).click()
  await view.getByRole('heading', { name: 'The booking is cancelled' }).waitFor()
})

it('leaves out the hour that never comes', async () => {
  const { times } = await openAt('2027-03-20T12:00:00Z', '2027-03-28', { start: '1:00', end: '4:00' }, 'Europe/Berlin')
  expect(times).toEqual(['1:00 AM', '1:30 AM', '3:00 AM', '3:30 AM'])
})

it('shows the same set of times from any zone, and the same again after a look from another', async () => {
  const dates = ['2027-02-09', '2027-02-10', '2027-02-11']
  const hours = { start: '8:00', end: '14:00', timezone: 'Pacific/Pago_Pago' }
  const { view } = await openAt('2027-02-01T12:00:00Z', dates, hours, 'Pacific/Kiritimati')
  /** Every time of the month, as it is read aloud: with its day and zone. */
  const all = async () => {
    const times: string[] = []
    for (const day of await view.locator('.day:not([data-unavailable],[data-disabled],[data-outside-month])').all()) {
      await day.click()
      const read = await view.locator('.timeList').ariaSnapshot()
      for (const [, name = ''] of read.matchAll(/button "(.+?)"/g)) times.push(name)
    }
    return times
  }
  const lookFrom = async (city: string) => {
    await view.getByRole('button', { name: 'Change time zone' }).click()
    await view.getByRole('combobox', { name: 'Time zone' }).fill(city)
    await view.keyboard.press('Enter')
    await view.getByText(city).first().waitFor()
  }
  const ahead = await all()
  expect(new Set(ahead).size).toBe(36)
  await lookFrom('Pago Pago')
  const behind = await all()
  expect(new Set(behind).size).toBe(36)
  expect(behind.every((time) => time.endsWith('Pacific/Pago_Pago'))).toBe(true)
  await lookFrom('Kiritimati')
  expect(await all()).toEqual(ahead)
})

it('changes the zone by typing, and regroups', async () => {
  const { view } = await openAt('2027-02-01T12:00:00Z', '2027-02-10', noon, 'Europe/Berlin')
  expect(await view.locator('.time').allTextContents()).toHaveLength(2)
  await view.getByRole('button', { name: 'Change time zone' }).click()
  const search = view.getByRole('combobox', { name: 'Time zone' })
  await search.fill('kolka')
  await look(view, 'zones')
  await view.keyboard.press('Enter')
  await expect
    .poll(async () => (await view.locator('.time').allTextContents()).join().replace(/\u202f/g, ' '))
    .toBe('4:30 PM,5:00 PM')
  await expect.poll(() => view.locator('.zone:focus').count()).toBe(1)
  await view.keyboard.press('Enter')
  await search.fill('no such place')
  await view.getByText('No zone of that name').waitFor()
  await view.keyboard.press('Escape')
  await view.getByText('India Standard Time').waitFor()
})

it('lets go of the focus where the guest tabs out of the search for a zone, either way', async () => {
  const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`)
  for (const key of ['Tab', 'Shift+Tab']) {
    await view.getByRole('button', { name: 'Change time zone' }).click()
    await view.locator('.zonePicker input:focus').waitFor()
    await view.keyboard.press(key)
    await view.locator('.zone').waitFor()
    // What takes the focus back would do so with the next frame.
    await view.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
    expect(await view.locator('.zone:focus').count(), key).toBe(0)
    if (key === 'Tab') expect(await view.locator('.month .turn:focus').count()).toBe(1)
  }
})

it('shows times in UTC to a browser that does not know its zone, on each page, and books by what it shows', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open('about:blank', { origins: [server.url] })
  await view.addInitScript(`
    const { resolvedOptions } = Intl.DateTimeFormat.prototype
    Intl.DateTimeFormat.prototype.resolvedOptions = function () {
      return { ...resolvedOptions.call(this), timeZone: 'Etc/Unknown' }
    }
    Object.defineProperty(navigator, 'languages', { value: ['en-US@posix'] })`)
  await view.goto(`${server.url}/book/${id}?timezone=%2B05:00`)
  await view.getByText('Coordinated Universal Time').waitFor()
  await view.locator('.time').first().click()
  await view.locator('input[id=name]').fill('Gil Guest')
  await view.locator('input[id=email]').fill('gil@guest.example')
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  const listed = await server.request('GET', `/v3/grants/${server.host.grantId}/scheduling/bookings?limit=50`)
  expect(listed.body.data[0]).toMatchObject({ configuration_id: id, timezone: 'UTC' })
  await view.goto(`${server.url}/reschedule/${listed.body.data[0].booking_ref}`)
  await view.getByText('Coordinated Universal Time').first().waitFor()

  const asked = await makePage(server, { event: { booking_type: 'organizer-confirmation' } })
  await view.goto(`${server.url}/book/${asked}`)
  await view.locator('.time').nth(4).click()
  await view.locator('input[id=name]').fill('Gil Guest')
  await view.locator('input[id=email]').fill('gil@guest.example')
  await view.getByRole('button', { name: 'Send request' }).click()
  await view.getByRole('heading', { name: 'Your request has been sent' }).waitFor()
  const again = await server.request('GET', `/v3/grants/${server.host.grantId}/scheduling/bookings?limit=50`)
  await view.goto(`${server.url}/confirmation/${again.body.data[0].organizer_booking_ref}`)
  await view.getByText('Coordinated Universal Time').waitFor()
})
