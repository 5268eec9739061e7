/** Mails as a browser shows them in a narrow window: nothing sticks out or cannot be read, in any language, light and dark. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { catalogues } from '../../src/adapters/mail/catalogues.ts'
import { writeHtml } from '../../src/adapters/mail/letter.ts'
import { writeMessage } from '../../src/adapters/mail/messages.ts'
import { type Mail, mailKinds } from '../../src/core/booking/mail.ts'
import { fromUnixSeconds } from '../../src/core/time/instant.ts'
import { findBarriers, takePicture, useBrowser } from '../support/pages/browser.ts'

const browser = useBrowser()
const width = 360
let server: Server
let url = ''

beforeAll(async () => {
  server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<title>-</title>'))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => server.close())

const word = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'
const address = `https://meet.example/${'a1b2c3d4e5f6'.repeat(12)}`
const person = { name: 'Ada Host', email: `${'ada.lovelace.'.repeat(8)}host@${'long-name.'.repeat(6)}example` }
const when = { start: fromUnixSeconds(1_774_737_000), end: fromUnixSeconds(1_774_739_700) }
const links = { reschedule: `${address}/r`, cancel: `${address}/c`, confirm: `${address}/o` }

/** What people write as it comes, or words without a place to break. */
function write(kind: Mail['kind'], language: string, texts: 'plain' | 'unbroken'): string {
  const long = (text: string, other: string) => (texts === 'plain' ? text : other)
  const mail: Mail = {
    kind,
    to: person,
    role: kind === 'confirmationRequest' ? 'organizer' : 'guest',
    language,
    timezone: 'America/Argentina/ComodRivadavia',
    bookingId: '0b1f6a0e-5c3d-4e6f-9a7b-8c9d0e1f2a3b' as Mail['bookingId'],
    replyTo: person,
    subjectTitle: 'Intro call',
    subject: '',
    title: long('Intro call', word),
    description: long('Bring a pen, and the papers of last time.', `${address}\n${word}`),
    location: long('Room 5, second floor, at the end of the corridor', address),
    conferenceUrl: long('https://meet.example/ada', address),
    when,
    before: { start: fromUnixSeconds(1_774_637_000), end: fromUnixSeconds(1_774_639_700) },
    organizer: person,
    people: texts === 'plain' ? [{ name: 'Ada Host', email: 'ada@host.example' }] : [person, { ...person, name: word }],
    answers: [{ label: long('Topic', word), value: long('Pricing', word) }],
    reason: long('Ill today', word),
    policy: long('A day ahead.', address),
    links,
    template: {
      logo: '',
      heading: long('', word),
      body: long('', `${word}\n${address}`),
      hasBranding: true,
    },
  }
  return writeMessage(mail, { id: 'row-1', eventId: null, from: person, baseUrl: 'https://book.example' }).html
}

async function openNarrow(): Promise<Page> {
  const { page } = await browser.open(url, { size: 'phone' })
  await page.setViewportSize({ width, height: 740 })
  return page
}

/** What reaches beyond the window, by its tag and text; empty where all is well. */
async function findOverflow(page: Page): Promise<unknown> {
  return page.evaluate(`(() => {
    const out = [...document.querySelectorAll('body *')].filter((element) => {
      const { left, right } = element.getBoundingClientRect()
      return left < -0.5 || right > ${width} + 0.5
    })
    const { scrollWidth } = document.documentElement
    const scrolls = scrollWidth > ${width} ? ['the page is ' + scrollWidth + ' wide'] : []
    return [...scrolls, ...out.map(({ tagName, textContent }) => tagName + ' ' + textContent.trim().slice(0, 40))]
  })()`)
}

/** Of all that `selector` names. */
function styleOf(page: Page, selector: string, name: string): Promise<unknown[]> {
  return page.evaluate(
    `[...document.querySelectorAll('${selector}')].map((element) => getComputedStyle(element).${name})`,
  )
}

describe.each(Object.keys(catalogues))('mails in %s', (language) => {
  it('fit into 360 px, whatever people wrote', async () => {
    const page = await openNarrow()
    const long = ['confirmed', 'confirmationRequest', 'rescheduled'] as const
    const letters = [
      ...mailKinds.map((kind) => [kind, 'plain'] as const),
      ...long.map((kind) => [kind, 'unbroken'] as const),
    ]
    for (const [kind, texts] of letters) {
      await page.setContent(write(kind, language, texts))
      expect(await findOverflow(page), `${kind}, ${texts}`).toEqual([])
    }
  })
})

it.each(['light', 'dark'] as const)('mails can be read by everyone in %s colours', async (colorScheme) => {
  const page = await openNarrow()
  await page.emulateMedia({ colorScheme })
  for (const [language, kind, texts] of [
    ['en', 'rescheduled', 'plain'],
    ['de', 'confirmed', 'unbroken'],
    ['ja', 'confirmed', 'plain'],
    ['ko', 'confirmationRequest', 'plain'],
    ['zh', 'cancelled', 'plain'],
  ] as const) {
    await page.setContent(write(kind, language, texts))
    expect(await findBarriers(page), language).toEqual([])
    await takePicture(page, `mail-${language}-${colorScheme}`)
  }
  // The colours of a dark room are dark: the scheme is not only declared.
  const paper = colorScheme === 'dark' ? 'rgb(31, 41, 55)' : 'rgb(255, 255, 255)'
  expect(await styleOf(page, '.card', 'backgroundColor')).toEqual([paper])
})

it('Korean is broken between words, and inside of one only where it does not fit', async () => {
  const page = await openNarrow()
  await page.setContent(write('confirmed', 'ko', 'plain'))
  const breaks = () => styleOf(page, 'h1, p.text, td div', 'wordBreak')
  expect(new Set(await breaks())).toEqual(new Set(['keep-all']))
  await page.setContent(write('confirmed', 'ja', 'plain'))
  expect(await breaks()).not.toContain('keep-all')
})

it('a letter from right to left begins at the right, with its buttons', async () => {
  const page = await openNarrow()
  const rows = [
    { label: 'متى', value: 'السبت، 28 مارس 2026 · 11:30 م', href: '' },
    { label: 'أين', value: address, href: address },
    { label: 'مع', value: 'Ada Host', href: '' },
  ]
  const buttons = [
    { label: 'تغيير الموعد', href: address },
    { label: 'إلغاء', href: address },
  ]
  const letter = { language: 'ar', direction: 'rtl', logo: '', rows, buttons, branding: 'OpenSlot' } as const
  await page.setContent(writeHtml({ ...letter, heading: 'تم تأكيد الحجز', paragraphs: ['تم تأكيد حجزك.'] }))
  expect(await findOverflow(page)).toEqual([])
  const box = async (selector: string) => {
    const found = await page.locator(selector).first().boundingBox()
    if (found === null) throw new Error(`${selector} is not there`)
    return found
  }
  const [card, first, second] = [await box('.card'), await box('a.main'), await box('a.other')]
  // The space at the end of the card is that of its padding and border.
  expect(card.x + card.width - (first.x + first.width)).toBeLessThan(30)
  expect(first.y === second.y ? second.x + second.width < first.x : second.x + second.width > width / 2).toBe(true)
  // An address in Latin letters stands at the same edge as all else.
  expect(new Set(await styleOf(page, '[dir=auto]', 'textAlign'))).toEqual(new Set(['right']))
  expect(await findBarriers(page)).toEqual([])
  await takePicture(page, 'mail-ar-light')
})
