/**
 * A CalDAV server that answers from memory, whoever signs in: each has a home of their own with one calendar, and all have the same
 * events. It says its address as a line of JSON, and at `/count` how often it was asked.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { type BenchEvents, eventText } from './benchEvents.ts'

const plan = JSON.parse(process.argv[2] ?? '') as BenchEvents
const texts = new Map(Array.from({ length: plan.events }, (_, index) => [`${index}.ics`, eventText(plan, index)]))
let requests = 0
const server = createServer((request, response) => {
  if (request.url === '/count') {
    response.end(String(requests))
    return
  }
  requests += 1
  const [, signedIn = ''] = /^Basic (.*)$/.exec(request.headers.authorization ?? '') ?? []
  const [user = ''] = Buffer.from(signedIn, 'base64').toString().split(':')
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const asked = Buffer.concat(chunks).toString('utf8')
    response.writeHead(207, { 'content-type': 'application/xml; charset=utf-8' })
    response.end(multistatus(answer(asked, request.url ?? '/', `/home/${user}/`)))
  })
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` })}\n`)
})
process.on('SIGTERM', () => {
  server.closeAllConnections()
  server.close()
})

function answer(asked: string, path: string, home: string): string {
  if (asked.includes('current-user-principal'))
    return one(path, '<D:current-user-principal><D:href>/me/</D:href></D:current-user-principal>')
  if (asked.includes('calendar-home-set'))
    return one(path, `<C:calendar-home-set><D:href>${home}</D:href></C:calendar-home-set>`)
  if (asked.includes('<D:sync-token/>')) return one(path, '<D:sync-token>state-1</D:sync-token>')
  if (asked.includes('sync-collection')) return '<D:sync-token>state-1</D:sync-token>'
  if (asked.includes('calendar-multiget'))
    return [...asked.matchAll(/<D:href>([^<]*)</g)].map(([, href = '']) => one(href, objectAt(href))).join('')
  if (asked.includes('calendar-query')) {
    const properties = (name: string) =>
      asked.includes('calendar-data') ? objectAt(name) : '<D:getetag>"1"</D:getetag>'
    return [...texts.keys()].map((name) => one(`${home}main/${name}`, properties(name))).join('')
  }
  return one(
    `${home}main/`,
    '<D:displayname>Main</D:displayname><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>',
  )
}

function objectAt(href: string): string {
  const text = texts.get(href.slice(href.lastIndexOf('/') + 1))
  return `<D:getetag>"1"</D:getetag><C:calendar-data>${text}</C:calendar-data>`
}

function one(href: string, properties: string): string {
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${properties}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
}

function multistatus(inside: string): string {
  return `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">${inside}</D:multistatus>`
}
