/** Configurations with several hosts: who is shown before, who is met after, and never a choice for the guest. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { useBuild } from '../support/builds.ts'
import { makeConfiguration, makeHost, participant, type TestHost } from '../support/hosts.ts'
import { linksOf } from '../support/mails.ts'
import { look, useBrowser } from '../support/pages/browser.ts'
import { noticeUntilTomorrow, startPageServer } from '../support/pages/pages.ts'
import type { TestServer } from '../support/server.ts'

useBuild('pages')
const browser = useBrowser()
const names: Readonly<Record<string, string>> = { ada: 'Ada Lovelace', bob: 'Bob Marley', cy: 'Cy Twombly' }
let server: TestServer
let hosts: TestHost[]

beforeAll(async () => {
  server = await startPageServer()
  hosts = []
  for (const name of Object.keys(names)) hosts.push(await makeHost(server, `${name}@team.example`))
})

const nameOf = (email: string) => names[email.split('@')[0] ?? ''] ?? ''

async function makeTeamPage(
  method: 'collective' | 'max-fairness' | 'max-availability',
  event: object = {},
): Promise<string> {
  return makeConfiguration(server, hosts, {
    rules: { availability_method: method },
    event,
    scheduler: { min_booking_notice: noticeUntilTomorrow() },
    // In another order than the list is shown in: the organizer of a collective comes first.
    participants: hosts.toReversed().map(({ email }) =>
      participant(email, {
        name: nameOf(email),
        ...(method === 'collective' ? { isOrganizer: email.startsWith('ada') } : {}),
      }),
    ),
  })
}

async function fillIn(view: Page): Promise<void> {
  await view.getByLabel('Your name').fill('Gil Guest')
  await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
}

/** The newest of the configuration, as the page's own client would be told. */
async function bookingOf(id: string) {
  const { body } = await server.request('GET', `/v3/grants/${hosts[0]?.grantId}/scheduling/bookings?limit=50`)
  return body.data.find((one: { configuration_id: string }) => one.configuration_id === id)
}

const metBy = (view: Page) => view.locator('.facts div', { hasText: 'With' }).locator('dd').textContent()

/** The slots that the page was given, in order; Unix seconds. */
async function startsOf(view: Page): Promise<number[]> {
  return JSON.parse((await view.locator('#document').textContent()) ?? '').page.slots.starts
}

/** An appointment of the host's own, as long as a slot. */
async function busyAt(email: string, start: number): Promise<void> {
  const { grantId } = hosts.find((host) => host.email === email) as TestHost
  const made = await server.request('POST', `/v3/grants/${grantId}/events?calendar_id=primary`, {
    body: { title: 'Dentist', when: { start_time: start, end_time: start + 1_800 } },
  })
  expect(made.status).toBe(200)
}

describe.each(['max-fairness', 'max-availability'] as const)('%s', (method) => {
  it('names nobody before, whom the guest meets after, and goes on to whoever is free when the time moves', async () => {
    const id = await makeTeamPage(method)
    const { page: view } = await browser.open(`${server.url}/book/${id}`, {
      size: method === 'max-fairness' ? 'desktop' : 'phone',
    })
    await view.locator('.time').first().waitFor()
    const hidden = async () => {
      const shown = await view.locator('main').innerText()
      return Object.values(names).filter((name) => shown.includes(name))
    }
    expect(await hidden()).toEqual([])
    const starts = await startsOf(view)
    await view.locator('.time').first().click()
    expect(await hidden()).toEqual([])
    expect(await view.locator('.guestForm :is(select, input[type=radio])').count()).toBe(0)
    await fillIn(view)
    await view.getByRole('button', { name: 'Book', exact: true }).click()
    await view.getByRole('heading', { name: 'You are booked' }).waitFor()
    const booked = await bookingOf(id)
    expect(booked.guest.email).toBe('gil@guest.example')
    const chosen = booked.organizer.email
    expect(await metBy(view)).toBe(nameOf(chosen))
    await look(view, `team-${method}-booked`)

    // The host who was chosen has something else at the next time, so somebody else takes the booking over.
    await busyAt(chosen, starts[1] ?? Number.NaN)
    const links = await linksOf(server, booked.booking_id)
    const moving = await browser.open(links.reschedule)
    await moving.page.locator('.time').first().click()
    await moving.page.getByRole('button', { name: 'Move the booking' }).click()
    await moving.page.getByRole('heading', { name: 'Your booking has been moved' }).waitFor()
    const moved = await bookingOf(id)
    expect(moved.start_time).toBe(starts[1])
    expect(moved.organizer.email).not.toBe(chosen)

    const ending = await browser.open(links.cancel)
    await ending.page.getByRole('button', { name: 'Cancel the booking' }).waitFor()
    expect(await metBy(ending.page)).toBe(nameOf(moved.organizer.email))
    await look(ending.page, `team-${method}-cancel`)
    await ending.page.getByRole('button', { name: 'Cancel the booking' }).click()
    await ending.page.getByRole('heading', { name: 'The booking is cancelled' }).waitFor()
    expect(await bookingOf(id)).toMatchObject({ status: 'cancelled', cancelled_by: 'guest' })
  })
})

it('offers a slot while one of the team is left, and says that it is gone once nobody is', async () => {
  const id = await makeTeamPage('max-fairness')
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  const starts = await startsOf(view)
  const index = 4
  await view.locator('.time').nth(index).click()
  await fillIn(view)
  for (const { email } of hosts) await busyAt(email, starts[index] ?? Number.NaN)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByText('Someone was quicker').waitFor()
  expect(await view.getByLabel('Your name').inputValue()).toBe('Gil Guest')
})

it('tells of a team in turn that a person confirms, without saying who, until somebody is chosen', async () => {
  const id = await makeTeamPage('max-availability', { booking_type: 'organizer-confirmation' })
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  await view.locator('.time').nth(6).click()
  await view.getByText('Each booking is confirmed by a person').waitFor()
  await fillIn(view)
  await view.getByRole('button', { name: 'Send request' }).click()
  await view.getByRole('heading', { name: 'Your request has been sent' }).waitFor()
  const { organizer } = await bookingOf(id)
  await view.getByText(`${nameOf(organizer.email)} will answer`).waitFor()
})

it('names all whom the guest of a collective meets, the organizer first, from the first view to the last link', async () => {
  const id = await makeTeamPage('collective')
  const everyone = 'Ada Lovelace, Cy Twombly, and Bob Marley'
  const { page: view } = await browser.open(`${server.url}/book/${id}`)
  await view.locator('.time').nth(8).waitFor()
  expect(await view.locator('.host').textContent()).toBe(everyone)
  await look(view, 'team-collective')
  await view.locator('.time').nth(8).click()
  await fillIn(view)
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('heading', { name: 'You are booked' }).waitFor()
  expect(await metBy(view)).toBe(everyone)
  await look(view, 'team-collective-booked')
  const booked = await bookingOf(id)
  const links = await linksOf(server, booked.booking_id)

  const moving = await browser.open(links.reschedule, { size: 'phone' })
  await moving.page.locator('.time').nth(10).click()
  await moving.page.getByRole('button', { name: 'Move the booking' }).click()
  await moving.page.getByRole('heading', { name: 'Your booking has been moved' }).waitFor()
  expect((await bookingOf(id)).start_time).not.toBe(booked.start_time)

  const ending = await browser.open(links.cancel)
  await ending.page.getByRole('button', { name: 'Cancel the booking' }).waitFor()
  expect(await metBy(ending.page)).toBe(everyone)
  await ending.page.getByRole('button', { name: 'Cancel the booking' }).click()
  await ending.page.getByRole('heading', { name: 'The booking is cancelled' }).waitFor()
  expect((await bookingOf(id)).status).toBe('cancelled')
})
