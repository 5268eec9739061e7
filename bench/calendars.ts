// What a big calendar elsewhere costs this server: the first sync of 10,000 events, and a poll that finds nothing new. The other end
// answers from memory, so that the figures are ours and not some server's.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { BenchRow } from './engine.ts'
import { serve } from './support.ts'

const events = 10_000
const recurring = 1_000
const windowDays = 365
const dayMs = 86_400_000

/** Takes a few seconds. */
export async function benchCalendars(): Promise<BenchRow[]> {
  const from = Math.floor(Date.now() / dayMs) * dayMs
  const texts = new Map(
    Array.from({ length: events }, (_, index) => [`/home/main/${index}.ics`, eventText(from, index)]),
  )
  let requests = 0
  const server = createServer((request, response) => {
    requests += 1
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const asked = Buffer.concat(chunks).toString('utf8')
      response.writeHead(207, { 'content-type': 'application/xml; charset=utf-8' })
      response.end(multistatus(answer(asked, request.url ?? '/', texts)))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const orders = { url, username: 'a', password: 'b', from, to: from + windowDays * dayMs }
    const { told } = await serve<{
      seconds: number
      pollMs: number
      addedMb: number
      items: number
      intervals: number
    }>(
      './syncOnce.ts',
      JSON.stringify(orders),
      // As the launcher starts the server.
      ['--max-semi-space-size=4'],
    )
    if (told.items !== events) throw new Error(`only ${told.items} events were read`)
    const name = `first sync, ${events} events, ${recurring} of them series`
    return [
      {
        name,
        value: told.seconds,
        unit: 's',
        ceiling: `${told.intervals} intervals, ${requests} requests`,
        target: '≤ 20',
        ok: told.seconds <= 20,
      },
      {
        name: 'memory that it adds at its peak',
        value: told.addedMb,
        unit: 'MB',
        target: '≤ 150',
        ok: told.addedMb <= 150,
      },
      { name: 'poll of it without a change, one request', value: told.pollMs, unit: 'ms', target: '', ok: true },
    ]
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function answer(asked: string, path: string, texts: ReadonlyMap<string, string>): string {
  if (asked.includes('current-user-principal'))
    return one(path, '<D:current-user-principal><D:href>/me/</D:href></D:current-user-principal>')
  if (asked.includes('calendar-home-set'))
    return one(path, '<C:calendar-home-set><D:href>/home/</D:href></C:calendar-home-set>')
  if (asked.includes('<D:sync-token/>')) return one(path, '<D:sync-token>state-1</D:sync-token>')
  if (asked.includes('sync-collection')) return '<D:sync-token>state-1</D:sync-token>'
  if (asked.includes('calendar-multiget'))
    return [...asked.matchAll(/<D:href>([^<]*)</g)]
      .map(([, href = '']) =>
        one(href, `<D:getetag>"1"</D:getetag><C:calendar-data>${texts.get(href)}</C:calendar-data>`),
      )
      .join('')
  if (asked.includes('calendar-query'))
    return [...texts.keys()].map((href) => one(href, '<D:getetag>"1"</D:getetag>')).join('')
  return one(
    '/home/main/',
    '<D:displayname>Main</D:displayname><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>',
  )
}

function one(href: string, properties: string): string {
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${properties}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
}

function multistatus(inside: string): string {
  return `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">${inside}</D:multistatus>`
}

/** Half-hours all over the year; one in ten of them every week of it. */
function eventText(from: number, index: number): string {
  const compact = (at: number) => new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
  const start = from + Math.floor((index * (windowDays - 1) * 48) / events) * 1_800_000
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Bench//EN',
    'BEGIN:VEVENT',
    `UID:bench-${index}`,
    'DTSTAMP:20260101T000000Z',
    `DTSTART:${compact(start)}`,
    `DTEND:${compact(start + 1_800_000)}`,
    `SUMMARY:Event ${index}`,
    'DESCRIPTION:Something that people write into their calendars\\, of a length that is usual.',
    ...(index % (events / recurring) === 0
      ? ['RRULE:FREQ=WEEKLY;COUNT=52', `EXDATE:${compact(start + 7 * dayMs)}`]
      : []),
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n')
}
