/** What a CalDAV server may answer once its account is connected: each answer has its problem, none is free, and nothing is left half done. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { askOneByOne } from '../../src/adapters/calendars/accountGate.ts'
import type { AccountCall } from '../../src/adapters/calendars/accountProvider.ts'
import { caldavAccounts } from '../../src/adapters/calendars/caldav/provider.ts'
import { createSafeFetch } from '../../src/adapters/net/safeFetch.ts'
import type { CalendarId } from '../../src/core/ids.ts'
import type { Result } from '../../src/core/result.ts'
import { hourMs, instant, plus } from '../../src/core/time/instant.ts'
import { ask, type CaldavServer, type CaldavUser, eventText, putByHand } from '../support/calendars/caldavServer.ts'
import { fitting } from '../support/calendars/fitting.ts'
import { startRadicale } from '../support/calendars/radicale.ts'

type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }

let radicale: CaldavServer
let user: CaldavUser
let call: AccountCall
let calendar: CalendarId
/** What this answers is answered in place of Radicale. */
let instead: (method: string, body: string) => Answer | undefined | Promise<undefined> = () => undefined
/** As an answer of Radicale is shown. */
let shown: (text: string) => string = (text) => text
let requests = 0
let areEtagsWeak = false
/** By what compresses answers on the way: the header alone, so that it matches nothing. */
let areEtagsAltered = false
const safeFetch = createSafeFetch({ allowPrivateNetwork: ['127.0.0.0/8'] })
const tower = caldavAccounts({ safeFetch, now: () => instant(Date.now()) })
const front = createServer((request, response) => void handOn(request, response))

async function handOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks).toString()
  requests += 1
  const answer = await instead(request.method ?? '', body)
  if (answer !== undefined) {
    response.writeHead(answer.status, answer.headers).end(answer.body)
    return
  }
  if (areEtagsWeak && request.headers['if-match'] !== undefined) {
    // No two weak ones are the same where it matters (RFC 9110 §13.1.1).
    response.writeHead(412).end()
    return
  }
  const { depth, 'if-match': ifMatch, 'if-none-match': ifNoneMatch, 'content-type': type } = request.headers
  const passed = { depth, 'if-match': ifMatch, 'if-none-match': ifNoneMatch, 'content-type': type }
  const headers = Object.fromEntries(
    Object.entries(passed).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  )
  const url = new URL(request.url ?? '/', radicale.url).href
  const told = await ask(user, request.method ?? 'GET', url, { headers, ...(body === '' ? {} : { body }) })
  const etag = told.headers.get('etag')
  const named = areEtagsWeak ? `W/${etag}` : areEtagsAltered ? etag?.replace(/"$/, '-gzip"') : etag
  response.writeHead(told.status, etag === null ? {} : { etag: named ?? etag }).end(shown(told.text))
}

beforeAll(async () => {
  radicale = await startRadicale(['alice'])
  ;[user] = radicale.users as [CaldavUser]
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const server_url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/`
  const { username, password, email: address } = user
  const signal = AbortSignal.timeout(600_000)
  const connected = await tower.connect({ server_url, username, password, email: address }, signal)
  if (!connected.ok) throw new Error(connected.problem.message)
  const { email, settings, secret, calendars } = connected.value
  calendar = calendars.found[0]?.id as CalendarId
  const timezones = new Map([[calendar, 'Europe/Paris']])
  const account = { appId: '' as never, grantId: '' as never, email, settings, secret, timezones }
  call = { account, signal, askEach: askOneByOne }
  await putByHand(user, 'by-hand', eventText('by-hand', ['DTSTART:20270504T100000Z', 'DTEND:20270504T110000Z']))
}, 120_000)
afterAll(async () => {
  await safeFetch.close()
  front.closeAllConnections()
  front.close()
  await radicale?.stop()
})
beforeEach(() => {
  instead = () => undefined
  shown = (text) => text
  requests = 0
  areEtagsWeak = false
  areEtagsAltered = false
})

const day = { start: instant(Date.parse('2027-05-04T00:00Z')), end: instant(Date.parse('2027-05-05T00:00Z')) }
const question = { window: day, known: async () => new Map<string, string>() }
const event = fitting('01990000000070008000000000000002', {
  when: { start: instant(Date.parse('2027-05-04T14:00Z')), end: instant(Date.parse('2027-05-04T14:30Z')) },
})
const questions: Readonly<Record<string, () => Promise<Result<unknown>>>> = {
  listCalendars: () => tower.listCalendars(call),
  freeBusy: () => tower.freeBusy(call, [calendar], day, []),
  'readChanges of everything': () => tower.readChanges(call, calendar, { ...question, token: undefined }),
  'readChanges since a token': () => tower.readChanges(call, calendar, { ...question, token: 'sync:known' }),
  place: () => tower.place(call, calendar, event),
  find: () => tower.find(call, calendar, event.id),
  remove: () => tower.remove(call, calendar, event.id),
}

describe.each(Object.keys(questions))('%s', (name) => {
  it.each([
    [401, {}, 'grantExpired', undefined],
    [403, {}, 'calendarUnavailable', undefined],
    [423, {}, 'calendarUnavailable', undefined],
    [429, { 'retry-after': '7' }, 'calendarUnavailable', 7],
    [429, {}, 'calendarUnavailable', 30],
    [500, {}, 'calendarUnavailable', undefined],
    [503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, 'calendarUnavailable', 60],
    [507, {}, 'calendarUnavailable', undefined],
  ] as const)('answered %i %j', async (status, headers, kind, retryAfterSeconds) => {
    instead = () => ({ status, headers })
    const answer = await questions[name]?.()
    expect(answer).toMatchObject({ ok: false, problem: { kind, ...(retryAfterSeconds && { retryAfterSeconds }) } })
    // Knocking again gets accounts locked, and a server that asks for peace gets it.
    if (status === 401 || status === 429 || status === 503) expect(requests).toBe(1)
  })
})

it.each([
  [403, '<error xmlns="DAV:"><valid-sync-token/></error>'],
  [409, ''],
  [410, ''],
  [500, ''],
  [501, ''],
])('a token that is answered %i has everything read anew', async (status, body) => {
  instead = (_, text) => (text.includes('sync-collection') ? { status, body } : undefined)
  expect(await tower.readChanges(call, calendar, { ...question, token: 'sync:old' })).toMatchObject({
    ok: true,
    value: { kind: 'everything', items: [{ busy: [{ start: Date.parse('2027-05-04T10:00Z') }] }] },
  })
})

it.each([
  [400, true],
  [403, true],
  [501, true],
  [207, false],
  [500, false],
  [502, false],
  [504, false],
])('an event that is not where it was put, and cannot be looked for (%i), is gone: %s', async (status, isGone) => {
  instead = (_, text) => (text.includes('text-match') ? { status } : undefined)
  expect(await questions.find?.()).toMatchObject(isGone ? { ok: true, value: undefined } : { ok: false })
})

it('changes that come in pages are all read', async () => {
  const object = (name: string, status: string, inside = '') =>
    `<response><href>${calendar}${name}</href>${status === '' ? `<propstat><prop>${inside}</prop><status>HTTP/1.1 200 OK</status></propstat>` : `<status>HTTP/1.1 ${status}</status>`}</response>`
  const page = (token: string, objects: string) => ({
    status: 207,
    body: `<multistatus xmlns="DAV:">${objects}<sync-token>${token}</sync-token></multistatus>`,
  })
  instead = (_, text) => {
    if (!text.includes('sync-collection')) return undefined
    return text.includes('begun')
      ? page('middle', object('gone-1.ics', '404 Not Found') + object('', '507 Insufficient Storage'))
      : page('ended', object('by-hand.ics', '', '<getetag>"1"</getetag>') + object('gone-2.ics', '404 Not Found'))
  }
  expect(await tower.readChanges(call, calendar, { ...question, token: 'sync:begun' })).toMatchObject({
    ok: true,
    value: {
      kind: 'changes',
      token: 'sync:ended',
      changed: [{ id: `${calendar}by-hand.ics` }],
      removed: [`${calendar}gone-1.ics`, `${calendar}gone-2.ics`],
    },
  })
})

it('changes of which something was left out are no answer: the calendar is read as a whole', async () => {
  instead = (_, text) =>
    text.includes('sync-collection')
      ? {
          status: 207,
          body: `<multistatus xmlns="DAV:"><response><href>${calendar}</href><status>HTTP/1.1 500 Internal Server Error</status></response><sync-token>ended</sync-token></multistatus>`,
        }
      : undefined
  expect(await tower.readChanges(call, calendar, { ...question, token: 'sync:begun' })).toMatchObject({
    ok: true,
    value: { kind: 'everything' },
  })
})

it('an event moves on a server whose ETags are weak', async () => {
  areEtagsWeak = true
  const placed = fitting('01990000000070008000000000000003', { when: event.when })
  const later = { start: plus(event.when.start, hourMs), end: plus(event.when.end, hourMs) }
  const moved = { ...placed, sequence: 1, when: later }
  for (const one of [placed, moved]) expect(await tower.place(call, calendar, one)).toMatchObject({ ok: true })
  expect(await tower.find(call, calendar, placed.id)).toEqual({ ok: true, value: later })
  expect(await tower.remove(call, calendar, placed.id)).toMatchObject({ ok: true })
})

it('what the owner writes while an event moves stays, though something on the way alters ETags', async () => {
  areEtagsAltered = true
  const placed = fitting('01990000000070008000000000000004', { when: event.when })
  const later = { start: plus(event.when.start, hourMs), end: plus(event.when.end, hourMs) }
  expect(await tower.place(call, calendar, placed)).toMatchObject({ ok: true })
  const url = `${user.calendar}${placed.id}.ics`
  let puts = 0
  instead = async (method) => {
    // The first was refused for its ETag, and the object read again.
    if (method !== 'PUT' || ++puts !== 2) return undefined
    const { text } = await ask(user, 'GET', url)
    await putByHand(user, placed.id, text.replace('END:VEVENT', 'X-OF-THE-OWNER:kept\r\nEND:VEVENT'))
    return undefined
  }
  const moved = { ...placed, sequence: 1, when: later }
  expect(await tower.place(call, calendar, moved)).toMatchObject({ ok: true })
  expect(await tower.find(call, calendar, placed.id)).toEqual({ ok: true, value: later })
  expect((await ask(user, 'GET', url)).text).toContain('X-OF-THE-OWNER:kept')
  await tower.remove(call, calendar, placed.id)
})

it('an event whose server puts its owner on it waits for its guests like any other that is held', async () => {
  const { account } = call
  const scheduling = { ...call, account: { ...account, settings: { ...account.settings, schedules: true } } }
  shown = (text) => text.replace('END:VEVENT', `ATTENDEE;PARTSTAT=ACCEPTED:mailto:${user.email}\r\nEND:VEVENT`)
  const held = fitting('01990000000070008000000000000005', {
    when: event.when,
    organizer: { email: user.email, name: 'Alice' },
    participants: [{ email: 'gil@guest.example', name: 'Gil' }],
    notifyParticipants: true,
    isHeld: true,
  })
  expect(await tower.place(scheduling, calendar, held)).toMatchObject({
    ok: true,
    value: { invited: [], invitesLater: true },
  })
  await tower.remove(call, calendar, held.id)
})

it('an event that is named and not shown is never free', async () => {
  instead = (method) =>
    method === 'REPORT'
      ? {
          status: 207,
          body: `<multistatus xmlns="DAV:"><response><href>${calendar}by-hand.ics</href><propstat><prop><getetag>"1"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`,
        }
      : undefined
  expect(await questions.freeBusy?.()).toMatchObject({ ok: false, problem: { kind: 'calendarUnavailable' } })
})

describe('an answer that leaves out what is too much for the server, or not for us', () => {
  const cut = () => `<response><href>${calendar}</href><status>HTTP/1.1 507 Insufficient Storage</status></response>`
  const cutHome = () => cut().replace(/[^/<>]+\/<\/href>/, '</href>')
  const held = () => `<response><href>${calendar}secret.ics</href><status>HTTP/1.1 403 Forbidden</status></response>`
  it.each([
    ['freeBusy', undefined, 'calendar-query', cut],
    ['readChanges', undefined, 'calendar-query', cut],
    ['readChanges', 'tag:"before"', 'getetag/><D:resourcetype', cut],
    ['freeBusy', undefined, 'calendar-query', held],
    ['readChanges', undefined, 'calendar-query', held],
    ['listCalendars', undefined, 'supported-calendar-component-set', cutHome],
  ] as const)('is none to %s (%s, %s)', async (name, token, asked, told) => {
    instead = (_, text) => {
      // A server without sync tokens.
      if (token !== undefined && text.includes('getctag')) return { status: 207, body: '<multistatus xmlns="DAV:"/>' }
      return text.includes(asked) || text.includes('secret.ics')
        ? { status: 207, body: `<multistatus xmlns="DAV:">${told()}</multistatus>` }
        : undefined
    }
    const changes = () => tower.readChanges(call, calendar, { ...question, token })
    expect(await (name === 'readChanges' ? changes() : questions[name]?.())).toMatchObject({
      ok: false,
      problem: {
        kind: 'calendarUnavailable',
        message: expect.stringMatching(/only in part|kept back one of the events/),
      },
    })
  })
})

it.each([
  ['fails for it', '<status>HTTP/1.1 500 Internal Server Error</status>'],
  [
    'does not say what it is',
    '<propstat><prop><resourcetype/></prop><status>HTTP/1.1 500 Internal Server Error</status></propstat>',
  ],
])('a calendar is neither there nor gone where its server %s, and the others are read', async (_, said) => {
  const there =
    '<propstat><prop><resourcetype><collection/><C:calendar/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat>'
  const other = calendar.replace(/[^/]+\/$/, 'other/')
  instead = (_method, text) =>
    text.includes('supported-calendar-component-set')
      ? {
          status: 207,
          body: `<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response><href>${calendar}</href>${said}</response><response><href>${other}</href>${there}</response></multistatus>`,
        }
      : undefined
  expect(await tower.listCalendars(call)).toMatchObject({
    ok: true,
    value: { found: [{ id: other }], unread: [calendar] },
  })
})

describe('an event that is left out of the answer to a question for it', () => {
  const isMultiget = (text: string) => text.includes('calendar-multiget')
  const changed = {
    status: 207,
    body: () =>
      `<multistatus xmlns="DAV:"><response><href>${calendar}by-hand.ics</href><propstat><prop><getetag>"2"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response><sync-token>later</sync-token></multistatus>`,
  }
  const nothing = { status: 207, body: '<multistatus xmlns="DAV:"/>' }

  it.each([
    ['everything', undefined],
    ['changes', 'sync:before'],
  ] as const)('is asked for once more, when %s is read', async (kind, token) => {
    let asked = 0
    instead = (_, text) => {
      if (text.includes('sync-collection')) return { status: changed.status, body: changed.body() }
      return isMultiget(text) && ++asked === 1 ? nothing : undefined
    }
    const read = await tower.readChanges(call, calendar, { ...question, token })
    const items = [{ id: `${calendar}by-hand.ics`, busy: [{ start: Date.parse('2027-05-04T10:00Z') }] }]
    expect(read).toMatchObject({ ok: true, value: kind === 'changes' ? { changed: items } : { items } })
    expect(asked).toBe(2)
  })

  it.each([
    ['everything', undefined],
    ['changes', 'sync:before'],
  ] as const)('and then is never free, when %s is read', async (_, token) => {
    instead = (_method, text) => {
      if (text.includes('sync-collection')) return { status: changed.status, body: changed.body() }
      return isMultiget(text) ? nothing : undefined
    }
    expect(await tower.readChanges(call, calendar, { ...question, token })).toMatchObject({
      ok: false,
      problem: { kind: 'calendarUnavailable', message: 'The calendar server kept back one of the events.' },
    })
  })
})
