/** What a page says to who cannot see it, what is left of it when it is enlarged, and what of it comes out of a printer. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useBuild } from '../support/builds.ts'
import { participant } from '../support/hosts.ts'
import { findBarriers, takePictures, useBrowser } from '../support/pages/browser.ts'
import { makePage, type PageServer, startPageServer } from '../support/pages/pages.ts'

// Looking through a whole page for barriers takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

useBuild('pages')
const browser = useBrowser()
let server: PageServer
let configurationId: string

beforeAll(async () => {
  server = await startPageServer()
  configurationId = await makePage(server, {
    event: {
      location: 'https://meet.example/a-rather-long-room-name-without-a-space-in-it-of-the-kind-that-machines-make',
    },
    scheduler: {
      cancellation_policy: 'Please tell us a day before.',
      additional_fields: {
        topic: { label: 'Topic', type: 'text', required: true, order: 1 },
        size: { label: 'Company size', type: 'dropdown', options: ['1–10', '11–50'], required: true, order: 2 },
        kind: { label: 'Kind', type: 'radio_button', options: ['New', 'Known'], required: true, order: 3 },
        terms: { label: 'I agree', type: 'checkbox', required: true, order: 4 },
        story: { label: 'Your story', type: 'multi_line_text', order: 5 },
      },
    },
  })
})

const openPage = async (options = {}) => {
  const { page } = await browser.open(`${server.url}/book/${configurationId}`, {
    timezone: 'Europe/Berlin',
    ...options,
  })
  await page.locator('.time').first().waitFor()
  return page
}

/** The start of the first slot, and how Americans write its day in Berlin. */
async function firstSlot(view: Page): Promise<{ day: string; time: string }> {
  const [start = 0] = JSON.parse((await view.locator('#document').textContent()) ?? '').page.slots.starts as number[]
  const write = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-US', { timeZone: 'Europe/Berlin', ...options }).format(start * 1_000)
  return { day: write({ dateStyle: 'full' }), time: write({ timeStyle: 'short' }) }
}

it('reads days as whole dates, and times with their day and zone', async () => {
  const view = await openPage()
  const { day, time } = await firstSlot(view)
  await expect(view.getByRole('button', { name: day }).and(view.locator('.day')).count()).resolves.toBe(1)
  const name = `${time} ${day}, Europe/Berlin`
  await expect(view.getByRole('button', { name, exact: true }).and(view.locator('.time')).count()).resolves.toBe(1)
})

it('marks what must be filled in for machines, reads complaints aloud, and ties each to its field', async () => {
  const view = await openPage()
  await view.locator('.time').first().click()
  const required = view.locator('.guestForm :is([required], [aria-required=true])')
  // Name, address, topic, size, the group of kinds and the agreement.
  await expect.poll(() => required.count()).toBeGreaterThanOrEqual(6)
  expect(await view.getByLabel('Your story').getAttribute('required')).toBeNull()
  await view.getByRole('button', { name: 'Book', exact: true }).click()
  await view.getByRole('alert').getByText('Please look at the marked fields.').waitFor()
  const wrong = await view.locator('.guestForm [aria-invalid=true]').all()
  expect(wrong.length).toBeGreaterThanOrEqual(5)
  for (const field of wrong) {
    const named =
      (await field.getAttribute('aria-describedby')) ?? (await field.getAttribute('aria-errormessage')) ?? ''
    const said = await Promise.all(named.split(' ').map((id) => view.locator(`[id="${id}"]`).textContent()))
    expect(said.join(' ')).toMatch(/Please/)
  }
})

describe.each([
  // A desktop at 200 % and at 400 %, as WCAG 1.4.4 and 1.4.10 have it.
  { width: 640, height: 400 },
  { width: 320, height: 256 },
])('in $width pixels', (size) => {
  it('needs no scrolling sideways, from the times to the end', async () => {
    const view = await openPage()
    await view.setViewportSize(size)
    const fits = async (state: string) => {
      const widths = (await view.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as [number, number]
      expect({ state, widths }).toEqual({ state, widths: [size.width, size.width] })
    }
    await fits('times')
    await view.getByRole('button', { name: 'Change time zone' }).click()
    await fits('zones')
    await view.keyboard.press('Escape')
    await view.locator('.time').first().click()
    await view.getByLabel('Your name').fill('Gil Guest-with-a-name-that-is-longer-than-any-line-could-hold')
    await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
    await view.getByLabel('Topic').fill('Apples')
    await view.getByLabel('Company size').selectOption('11–50')
    await view.getByLabel('Known').check()
    await view.getByLabel('I agree').check()
    await view.getByRole('button', { name: 'Add a guest' }).click()
    await fits('form')
    expect(await findBarriers(view)).toEqual([])
    await view.getByRole('button', { name: 'Book', exact: true }).click()
    await view.getByRole('heading', { name: 'You are booked' }).waitFor()
    await fits('booked')
    await takePictures(view, `narrow-${size.width}`)
    if (size.width !== 640) return

    // Paper shows what was booked in dark on light, and nothing to press.
    await view.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await view.locator('main').innerText()).toContain('gil@guest.example')
    expect(await view.locator('button:visible, a.button:visible, .footer:visible').count()).toBe(0)
    const ink = String(await view.evaluate('getComputedStyle(document.querySelector(".facts dd")).color'))
    const brightest = Math.max(...(ink.match(/\d+/g) ?? ['255']).slice(0, 3).map(Number))
    expect(brightest, ink).toBeLessThan(100)
    await takePictures(view, 'printed')
  })
})

/** Words that no line could hold: an address in place of a name, and what organizers write. */
const address = `${'a-long-name-without-an-end'.repeat(2)}@host.example`
const unbroken = 'Donaudampfschifffahrtsgesellschaftskapitänspatentprüfungsterminbestätigungsformular'

describe.each([320, 1_280])('in %i pixels', (width) => {
  it.each([
    ['an address in place of a name', ''],
    ['one word for a name', unbroken],
  ])('%s, of the host, and long words of the organizer stay inside of what they stand in', async (_, name) => {
    const id = await makePage(server, {
      participants: [{ ...participant(server.host.email, { isOrganizer: true, name: name || address }) }],
      top: { appearance: { thank_you_message: unbroken, submit_button_label: unbroken.slice(0, 60) } },
    })
    const { page: view } = await browser.open(`${server.url}/book/${id}`)
    await view.setViewportSize({ width, height: 700 })
    await view.locator('.time').first().waitFor()
    /** What is wider than its place, be it covered or cut. */
    const tooWide = () =>
      view.evaluate(
        `[...document.querySelectorAll('.page, .card, .about, .about > *, .formStep, .guestForm > button, .done, .done > *')]
          .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
          .map((one) => one.className)`,
      )
    const scrolls = () => view.evaluate('document.documentElement.scrollWidth')
    expect([await tooWide(), await scrolls()]).toEqual([[], width])
    await takePictures(view, `long-times-${width}-${name.length}`)
    await view.locator('.time').first().click()
    await takePictures(view, `long-form-${width}-${name.length}`)
    expect([await tooWide(), await scrolls()]).toEqual([[], width])
    await view.getByLabel('Your name').fill('Gil Guest')
    await view.getByLabel('Email address', { exact: true }).fill('gil@guest.example')
    await view.locator('.guestForm > .primary').click()
    await view.locator('.done').waitFor()
    expect([await tooWide(), await scrolls()]).toEqual([[], width])
    await takePictures(view, `long-${width}`)
  })
})

it('shows in forced colours which days can be chosen, which of them is, and which zone of the list is active', async () => {
  const view = await openPage()
  await view.emulateMedia({ forcedColors: 'active' })
  const borderOf = (selector: string) =>
    view.evaluate(`getComputedStyle(document.querySelector('${selector}')).borderTopStyle`)
  expect(await borderOf('.day:not([data-unavailable], [data-selected])')).toBe('solid')
  expect(await borderOf('.day[data-unavailable]')).toBe('none')
  await view.getByRole('button', { name: 'Change time zone' }).click()
  const outlineOf = (selector: string) =>
    view.evaluate(
      `(({ outlineStyle, outlineWidth }) => outlineStyle + ' ' + outlineWidth)(getComputedStyle(document.querySelector('${selector}')))`,
    )
  expect(await outlineOf('.day[data-selected]')).toBe('solid 2px')
  await expect.poll(() => outlineOf('[role=option][aria-selected=true]')).toBe('solid 2px')
  expect(await outlineOf('[role=option][aria-selected=false]')).toContain('none')
})

it('begins each line at the right in Hebrew, and ends sentences of another script where they end', async () => {
  const id = await makePage(server, {
    event: { description: 'Bring a pen.', location: 'Room 5.' },
    scheduler: { additional_fields: { topic: { type: 'text', label: 'What about?', required: true, order: 1 } } },
    top: { appearance: { submit_button_label: 'Go!', thank_you_message: 'See you!' } },
  })
  const { page: view } = await browser.open(`${server.url}/book/${id}?lang=he`)
  /** Of each: how far its text begins from its right edge, and whether its last character stands to the right of its first. */
  const linesOf = (selector: string) =>
    view.evaluate(`[...document.querySelectorAll('${selector}')].map((element) => {
      const edge = (from, to) => {
        const range = document.createRange()
        range.setStart(element.firstChild, from)
        range.setEnd(element.firstChild, to)
        return range.getBoundingClientRect().right
      }
      const { length } = element.firstChild.data.trimEnd()
      const texts = Math.max(edge(0, 1), edge(length - 1, length))
      return [Math.round(element.getBoundingClientRect().right - texts), edge(0, 1) < edge(length - 1, length)]
    })`)
  await view.locator('.time').first().waitFor()
  expect(await linesOf('.about h1, .description, .place span')).toEqual(Array(3).fill([0, true]))
  await view.locator('.time').first().click()
  // The page's own in Hebrew, then the organizer's in English.
  expect(await linesOf('.field > label')).toEqual([
    [0, false],
    [0, false],
    [0, true],
  ])
  expect(await linesOf('.guestForm > .primary bdi')).toEqual([[0, true]])
  await view.locator('input[id=name]').fill('Gil Guest')
  await view.locator('input[id=email]').fill('gil@guest.example')
  await view.locator('[id="fields.topic"]').fill('Bikes')
  await view.locator('.guestForm > .primary').click()
  await view.locator('.done').waitFor()
  expect(await linesOf('.done > p bdi')).toEqual([[0, true]])
})
