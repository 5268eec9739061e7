/** The page in other languages and other zones: right to left, at both ends of the day, and in the nights when clocks change. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'

import { instant } from '../../src/core/time/instant.ts'
import { findBarriers, takePicture, useBrowser } from '../support/browser.ts'
import { makePage, type PageServer, startPageServer, usePages } from '../support/pages.ts'

usePages()
const browser = useBrowser()
let server: PageServer

beforeAll(async () => {
  server = await startPageServer()
})

async function look(view: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS !== undefined) await takePicture(view, name)
  expect(await findBarriers(view), name).toEqual([])
}

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
    if (process.env.SCREENSHOTS !== undefined) await takePicture(view, `${locale}-booked`)
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

/** A server whose clock stands at `now`, with one day of hours from `start` to `end` in Berlin, seen from `timezone`. */
async function openAt(now: string, day: string, hours: { start: string; end: string }, timezone: string) {
  const then = Date.parse(now)
  const frozen = await startPageServer(() => instant(then))
  const id = await makePage(frozen, {
    availability: { duration_minutes: 30 },
    event: { timezone: 'Europe/Berlin' },
    rules: {
      only_specific_time_availability: true,
      default_specific_time_availability: [{ date: day, ...hours, timezone: 'Europe/Berlin' }],
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

it('tells the hour that comes twice apart, and both can be booked', async () => {
  const { view, times } = await openAt(
    '2027-10-20T12:00:00Z',
    '2027-10-31',
    { start: '1:30', end: '4:00' },
    'Europe/Berlin',
  )
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
})

it('leaves out the hour that never comes', async () => {
  const { times } = await openAt('2027-03-20T12:00:00Z', '2027-03-28', { start: '1:00', end: '4:00' }, 'Europe/Berlin')
  expect(times).toEqual(['1:00 AM', '1:30 AM', '3:00 AM', '3:30 AM'])
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
