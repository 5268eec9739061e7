/** A guest books on the page, in a real browser. */
import { readFileSync } from 'node:fs'

import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { useBuild } from '../support/builds.ts'
import { book } from '../support/hosts.ts'
import { mailsOf } from '../support/mails.ts'
import { look, useBrowser } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

useBuild('pages')
const browser = useBrowser()
let server: PageServer

beforeAll(async () => {
  server = await startPageServer()
})

async function fillIn(view: Page): Promise<void> {
  await view.getByLabel('Your name').fill('Gil Guest')
  await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
}

/** The bookings of Ada, newest first. */
async function bookings(): Promise<{ [key: string]: unknown; start_time: number }[]> {
  const { body } = await server.request('GET', `/v3/grants/${server.host.grantId}/scheduling/bookings?limit=50`)
  return body.data
}

describe.each(['desktop', 'phone'] as const)('on a %s', (size) => {
  it('shows the first free day at once, without a question to the server, and books', async () => {
    const id = await makePage(server)
    const asked: string[] = []
    const { page: view } = await browser.open(`${server.url}/book/${id}`, { size, timezone: 'Europe/Berlin' })
    view.on('request', (request) => asked.push(request.url()))
    await view.locator('.time').first().waitFor()
    expect(asked.filter((url) => url.includes('/v3/'))).toEqual([])
    await look(view, `times-${size}`)
    await view.locator('.time').nth(3).click()
    await fillIn(view)
    await look(view, `form-${size}`)
    let send = () => {}
    const looked = new Promise<void>((resolve) => {
      send = resolve
    })
    await view.route('**/v3/scheduling/bookings*', async (route) => {
      await looked
      await route.continue()
    })
    await view.getByRole('button', { name: 'Book', exact: true }).click()
    await view.getByRole('button', { name: 'Sending' }).waitFor()
    await look(view, `sending-${size}`)
    send()
    await view.getByRole('heading', { name: 'You are booked' }).waitFor()
    await look(view, `booked-${size}`)
    expect((await bookings())[0]).toMatchObject({
      configuration_id: id,
      status: 'booked',
      timezone: 'Europe/Berlin',
      guest: { name: 'Gil Guest', email: 'gil@guest.example' },
    })
  })
})

it('books by the keyboard alone', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  await view.locator('.day[data-selected]').waitFor()
  const press = async (key: string, until: () => Promise<boolean>, limit = 60) => {
    for (let count = 0; count < limit; count++) {
      if (await until()) return
      await view.keyboard.press(key)
    }
    throw new Error(`${key} led nowhere`)
  }
  const focusIs = (selector: string) =>
    view
      .locator(`${selector}:focus`)
      .count()
      .then((count) => count === 1)
  // Into the month, a day on, and chosen.
  await press('Tab', () => focusIs('.day'))
  const before = await view.locator('.dayTitle').textContent()
  await view.keyboard.press('ArrowRight')
  await view.keyboard.press('Enter')
  await expect.poll(() => view.locator('.dayTitle').textContent()).not.toBe(before)
  await press('Tab', () => focusIs('.time'))
  await view.keyboard.press('Enter')
  // The form says where it begins, and the first field is the next stop.
  await expect.poll(() => focusIs('.formStep h2')).toBe(true)
  await press('Tab', () => focusIs('input[id=name]'))
  await view.keyboard.type('Kim Keys')
  await view.keyboard.press('Enter')
  // Refused, because the address is missing: there the guest is led.
  await expect.poll(() => focusIs('input[id=email]')).toBe(true)
  await look(view, 'refused')
  await view.keyboard.type('kim@guest.example')
  await view.keyboard.press('Enter')
  await expect.poll(() => focusIs('.done h1')).toBe(true)
  expect((await bookings())[0]).toMatchObject({ guest: { name: 'Kim Keys' }, configuration_id: id })
})

it('goes back to the times with the browser, and keeps what was typed', async () => {
  const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`)
  await view.locator('.time').first().click()
  await fillIn(view)
  await view.goBack()
  await view.locator('.time').nth(1).click()
  expect(await view.getByLabel('Your name').inputValue()).toBe('Gil Guest')
})

it('says that a slot was lost while the form was open, keeps what was typed, and offers the nearest', async () => {
  const id = await makePage(server)
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  const { start } = await chooseFirst(view)
  await fillIn(view)
  expect((await book(server, id, start)).status).toBe(200)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByText('Someone was quicker').waitFor()
  await look(view, 'lost')
  expect(await view.getByLabel('Your name').inputValue()).toBe('Gil Guest')
  await view.locator('.lost button').first().click()
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  expect((await bookings())[0]?.start_time).toBe(start + 1_800)
})

/** Chooses the first time, and says which it was. */
async function chooseFirst(view: Page): Promise<{ start: number }> {
  const document = JSON.parse((await view.locator('#document').textContent()) ?? '') as {
    page: { slots: { starts: number[] } }
  }
  await view.locator('.time').first().click()
  return { start: document.page.slots.starts[0] ?? Number.NaN }
}

const fields = {
  topic: { label: 'Topic', type: 'text', required: true, order: 1, pattern: '^[A-Z]' },
  story: { label: 'Your story', type: 'multi_line_text', order: 2 },
  work: { label: 'Work address', type: 'email', order: 3 },
  phone: { label: 'Phone', type: 'phone_number', required: true, order: 4 },
  size: { label: 'Company size', type: 'dropdown', options: ['1–10', '11–50'], required: true, order: 5 },
  born: { label: 'Date', type: 'date', order: 6 },
  kind: { label: 'Kind', type: 'radio_button', options: ['New', 'Known'], required: true, order: 7 },
  likes: { label: 'Interests', type: 'multi_select', options: ['Tea', 'Coffee', 'Water'], order: 8 },
  terms: { label: 'I agree', type: 'checkbox', required: true, order: 9 },
  campaign: { label: 'Campaign', type: 'metadata', default: 'none' },
}

it('asks every kind of question, checks the answers, and sends them with what the link says', async () => {
  const id = await makePage(server, {
    scheduler: { additional_fields: fields, cancellation_policy: 'Please tell us a day before.' },
  })
  const query = 'name__readonly=Lin+Link&topic=Apples&campaign=spring'
  const { page: view } = await browser.open(`${server.url}/book/${id}?${query}`)
  await view.locator('.time').first().click()
  expect(await view.getByLabel('Your name').inputValue()).toBe('Lin Link')
  expect(await view.getByLabel('Your name').getAttribute('readonly')).not.toBeNull()
  await view.getByLabel('Topic').fill('apples')
  await view.getByLabel('Work address').fill('nowhere')
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  // The address, the topic's form, the work address, phone, size, kind and terms.
  expect(await view.locator('.complaint').count()).toBe(7)
  await look(view, 'fields')
  await view.getByLabel('Email address', { exact: true }).fill('lin@guest.example')
  await view.getByLabel('Topic').fill('Apples')
  await view.getByLabel('Work address').fill('lin@work.example')
  await view.getByLabel('Phone').fill('+49 30 1234')
  await view.getByLabel('Company size').selectOption('11–50')
  await view.getByLabel('Date').fill('2027-02-03')
  await view.getByLabel('Known').check()
  await view.getByLabel('Water').check()
  await view.getByLabel('Tea').check()
  await view.getByLabel('I agree').check()
  await view.getByRole('button', { name: 'Add a guest' }).click()
  await view.getByLabel('Email address of guest 1').fill('eve@guest.example')
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  expect((await bookings())[0]).toMatchObject({
    guest: { name: 'Lin Link' },
    additional_guests: [{ email: 'eve@guest.example' }],
    additional_fields: {
      topic: 'Apples',
      work: 'lin@work.example',
      phone: '+49 30 1234',
      size: '11–50',
      born: '2027-02-03',
      kind: 'Known',
      likes: 'Tea,Water',
      terms: 'true',
      campaign: 'spring',
    },
  })
})

it('says of a request what happens next, and offers no calendar yet', async () => {
  const id = await makePage(server, {
    event: { booking_type: 'organizer-confirmation' },
    top: { appearance: { thank_you_message: 'See you soon!' } },
  })
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  await view.locator('.time').first().click()
  await view.getByText('Ada Host confirms each booking').waitFor()
  await fillIn(view)
  await view.getByRole('button', { name: 'Send request' }).click()
  await view.getByRole('heading', { name: 'Your request has been sent' }).waitFor()
  // Whatever the organizer says to those who have booked.
  await view.getByText('Ada Host will answer').waitFor()
  await look(view, 'pending')
  expect(await view.getByText('Add to calendar').count()).toBe(0)
  expect((await bookings())[0]).toMatchObject({ status: 'pending' })
})

it('goes where the organizer wants, with what was booked', async () => {
  const target = `${server.url}/healthz?kept=1&name=overwritten`
  const id = await makePage(server, { scheduler: { confirmation_redirect_url: target }, event: { location: 'Room 5' } })
  const { page: view } = await browser.open(`${server.url}/book/${id}?utm=mail`, { timezone: 'Asia/Tokyo' })
  const { start } = await chooseFirst(view)
  await fillIn(view)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.waitForURL(/healthz/)
  const [booking] = await bookings()
  expect(Object.fromEntries(new URL(view.url()).searchParams)).toEqual({
    kept: '1',
    utm: 'mail',
    booking_id: booking?.booking_id,
    booking_ref: booking?.booking_ref,
    name: 'Gil Guest',
    email: 'gil@guest.example',
    start_time: String(start),
    end_time: String(start + 1_800),
    tz: 'Asia/Tokyo',
    language: 'en',
    additional_values: '{}',
    config_id: id,
    location: 'Room 5',
  })
})

it('hands the booking to calendars', async () => {
  const id = await makePage(server, { event: { title: 'Tea; with ${invitee}', location: 'Room 5' } })
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  await view.locator('.time').first().click()
  await fillIn(view)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  const download = async () => {
    const downloading = view.waitForEvent('download')
    await view.getByRole('button', { name: 'Calendar file (.ics)' }).click()
    return readFileSync((await (await downloading).path()) ?? '', 'utf8')
  }
  const text = await download()
  const [booking] = await bookings()
  const stamp = new Date((booking?.start_time ?? 0) * 1_000).toISOString().replace(/[-:]|\.000/g, '')
  expect(text).toContain(`\r\nUID:${booking?.ical_uid}\r\n`)
  expect(text).toContain(`\r\nDTSTART:${stamp}\r\n`)
  expect(text).toContain('\r\nSUMMARY:Tea\\; with Gil Guest\r\n')
  const google = new URL((await view.getByRole('link', { name: 'Google' }).getAttribute('href')) ?? '')
  expect(google.searchParams.get('dates')).toMatch(new RegExp(`^${stamp}/`))
  const outlook = new URL((await view.getByRole('link', { name: 'Outlook' }).getAttribute('href')) ?? '')
  expect(Date.parse(outlook.searchParams.get('startdt') ?? '')).toBe((booking?.start_time ?? 0) * 1_000)

  // As far as the invitation that came by mail, before a move and after it, or calendars would keep what they have.
  const sequenceOf = (file: string) => /\r\nSEQUENCE:(\d+)\r\n/.exec(file)?.[1]
  const invited = async () => {
    const [mail] = (await mailsOf(server, String(booking?.booking_id))).slice(-1)
    return sequenceOf((await server.request('GET', `/v3/mails/${mail?.id}`)).body.data.invitation)
  }
  expect(sequenceOf(text)).toBe(await invited())
  await view.goto(`${server.url}/reschedule/${booking?.booking_ref}`)
  await view.locator('.time').nth(2).click()
  await view.getByRole('button', { name: 'Move the booking' }).click()
  await view.getByRole('heading', { name: 'Your booking has been moved' }).waitFor()
  const moved = await download()
  expect(Number(sequenceOf(moved))).toBeGreaterThan(Number(sequenceOf(text)))
  expect(sequenceOf(moved)).toBe(await invited())
})

it('shows a private configuration to a session in the fragment, and a sentence to everyone else', async () => {
  const id = await makePage(server, { top: { requires_session_auth: true } })
  const closed = await browser.open(`${server.url}/book/${id}`)
  await closed.page.getByText('open to invited guests only').waitFor()
  await look(closed.page, 'private')
  const { body } = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
  const { page: view } = await browser.open(`${server.url}/book/${id}#session=${body.data.session_id}`)
  await view.locator('.time').first().click()
  await fillIn(view)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  expect((await bookings())[0]).toMatchObject({ configuration_id: id })
})

it.each(['light', 'dark'] as const)(
  'wears the colour and the words of the organizer, where it is %s',
  async (colorScheme) => {
    const id = await makePage(server, {
      top: {
        appearance: {
          color: '#ffd400',
          submit_button_label: 'Reserve it',
          thank_you_message: 'Cheers!\nBring your papers.',
          company_name: 'Ada Inc.',
        },
      },
    })
    const { page: view } = await browser.open(`${server.url}/book/${id}`, { colorScheme })
    await view.locator('.time').first().waitFor()
    await look(view, `yellow-times-${colorScheme}`)
    await view.locator('.time').first().click()
    await fillIn(view)
    await look(view, `yellow-form-${colorScheme}`)
    await view.getByRole('button', { name: 'Reserve it' }).click()
    await view.getByText('Cheers!').waitFor()
    expect((await view.locator('main').innerText()).split('\n')).toContain('Bring your papers.')
    await look(view, `yellow-booked-${colorScheme}`)
  },
)

it('has nothing to show where nothing is free, and goes to the first free day where that is months away', async () => {
  const none = await makePage(server, { rules: { default_open_hours: [], only_specific_time_availability: true } })
  const empty = await browser.open(`${server.url}/book/${none}`)
  await empty.page.getByText('There are no free times at the moment').waitFor()
  await look(empty.page, 'none')

  const day = new Date(Date.now() + 100 * 86_400_000).toISOString().slice(0, 10)
  const far = await makePage(server, {
    rules: {
      only_specific_time_availability: true,
      default_specific_time_availability: [{ date: day, start: '9:00', end: '10:00' }],
    },
  })
  const { page: view } = await browser.open(`${server.url}/book/${far}`)
  await expect.poll(() => view.locator('.time').count()).toBe(2)
  await view.getByRole('button', { name: 'Previous month' }).click()
  await view.getByText('No free times this month').waitFor()
  await view.getByRole('button', { name: 'Go to the next free day' }).click()
  await expect.poll(() => view.locator('.time').count()).toBe(2)
})

it('shows another day by the times that differ: what is free on both is the same button, and leads to the day in view', async () => {
  const month = new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 8)
  const [one, other] = [`${month}10`, `${month}11`]
  const id = await makePage(server, {
    rules: {
      only_specific_time_availability: true,
      default_specific_time_availability: [
        { date: one, start: '9:00', end: '11:00' },
        { date: other, start: '10:00', end: '12:00' },
      ],
    },
  })
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  const times = view.locator('.time')
  await expect.poll(() => times.count()).toBe(4)
  const before = await times.allTextContents()
  await times.nth(2).evaluate((button) => button.setAttribute('data-marked', ''))
  // What stands when the browser is about to make the frame after the click is what this frame shows.
  await view.evaluate(`globalThis.nextFrame = new Promise((resolve) => addEventListener('click', () =>
    requestAnimationFrame(() => resolve(Array.from(document.querySelectorAll('.time'), (time) => time.textContent))),
    { capture: true, once: true })); undefined`)
  await view.locator(`[data-day="${other}"]`).click()
  const after = await view.evaluate<string[]>('globalThis.nextFrame')
  expect(after[0]).toBe(before[2])
  expect(await times.allTextContents()).toEqual(after)
  expect(after.slice(0, 2)).toEqual(before.slice(2))
  expect(await times.first().getAttribute('data-marked')).toBe('')
  await times.nth(2).click()
  const chosen = await view.locator('.chosen').textContent()
  expect(chosen).toContain(after[2]?.replace(/\s[AP]M$/, ''))
  expect(chosen).toContain('11')
})

it('asks for the months that it was not given, as the guest turns to them', async () => {
  const { page: view } = await browser.open(`${server.url}/book/${await makePage(server)}`)
  await view.locator('.time').first().waitFor()
  for (let count = 0; count < 4; count++) await view.getByRole('button', { name: 'Next month' }).click()
  await expect
    .poll(() => view.locator('.day:not([data-unavailable],[data-disabled],[data-outside-month])').count())
    .toBeGreaterThan(27)
})

it('walks the month by keys: days, ends of weeks, months and years, never past what is offered', async () => {
  // The last Thursday of a November, seen in a locale whose weeks begin on Sunday.
  const frozen = await startPageServer(() => Date.parse('2026-11-26T10:00:00Z') as never)
  const id = await makePage(frozen, {
    scheduler: { available_days_in_future: 500 },
    rules: { default_open_hours: [{ days: [1, 2, 3, 4, 5], start: '9:00', end: '17:00' }] },
  })
  const reach = async (language: 'en' | 'he') => {
    const { page: view } = await browser.open('about:blank', { origins: [frozen.url] })
    await view.clock.setFixedTime('2026-11-26T10:00:00Z')
    await view.goto(`${frozen.url}/book/${id}?lang=${language}`)
    await view.locator('.day[data-selected]').focus()
    return view
  }
  const focused = (view: Page) => view.locator('.day:focus').getAttribute('data-day')
  const view = await reach('en')
  for (const [key, day] of [
    ['ArrowLeft', '2026-11-26'],
    ['ArrowRight', '2026-11-27'],
    ['ArrowDown', '2026-12-04'],
    ['Home', '2026-11-29'],
    ['End', '2026-12-05'],
    ['ArrowUp', '2026-11-28'],
    ['PageDown', '2026-12-28'],
    ['Shift+PageDown', '2027-12-28'],
    ['Shift+PageDown', '2028-04-10'],
    ['ArrowRight', '2028-04-10'],
    ['PageUp', '2028-03-10'],
    ['Shift+PageUp', '2027-03-10'],
    ['Shift+PageUp', '2026-11-26'],
  ] as const) {
    await view.keyboard.press(key)
    await expect.poll(() => focused(view), { message: key }).toBe(day)
  }
  // A Saturday, without free times, can be walked over and not chosen; Tab leaves the month by one step.
  await view.keyboard.press('ArrowDown')
  await view.keyboard.press('ArrowRight')
  await view.keyboard.press('ArrowRight')
  await expect.poll(() => focused(view)).toBe('2026-12-05')
  const title = await view.locator('.dayTitle').textContent()
  await view.keyboard.press('Enter')
  expect(await view.locator('.dayTitle').textContent()).toBe(title)
  expect(await view.locator('.day[tabindex="0"]').count()).toBe(1)
  await view.keyboard.press('Tab')
  expect(await view.locator('.time:focus').count()).toBe(1)
  await view.keyboard.press('Shift+Tab')
  expect(await focused(view)).toBe('2026-12-05')

  const mirrored = await reach('he')
  await mirrored.keyboard.press('ArrowLeft')
  await expect.poll(() => focused(mirrored)).toBe('2026-11-27')
})

it('keeps the focus on the way to the next month, and ends where nothing more is offered', async () => {
  const { page: view } = await browser.open(
    `${server.url}/book/${await makePage(server, { scheduler: { available_days_in_future: 3 } })}`,
  )
  const next = view.getByRole('button', { name: 'Next month' })
  await next.focus()
  const titles = new Set<string | null>()
  for (let count = 0; count < 3; count++) {
    titles.add(await view.locator('.month h2').textContent())
    await view.keyboard.press('Enter')
  }
  expect(titles.size).toBeLessThanOrEqual(2)
  expect(await next.getAttribute('aria-disabled')).toBe('true')
  expect(await view.locator('.turn:focus').count()).toBe(1)
})
