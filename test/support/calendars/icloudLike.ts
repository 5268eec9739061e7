/**
 * Emulated, and no more than that: a CalDAV server with the manners that are reported of iCloud, in front of a real one. The
 * principal is on one host and the calendars on another; a PUT gives no ETag; only named properties are told; free-busy and
 * expansion are refused; a UID that was deleted is not taken again; a password that is not app-specific is wrong.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { CaldavServer } from './caldavServer.ts'

export type IcloudLike = {
  /** Front door; both hosts must be led to 127.0.0.1 by whoever calls them. */
  readonly server: CaldavServer
  /** From now on the calendars are on another host, and the old one answers so. */
  moveHomes(oldAnswers: 301 | 401 | 404): void
  readonly resolve: (hostname: string) => Promise<readonly { address: string; family: number }[]>
}

const frontHost = 'caldav.cloud-like.test'
const homeHosts = ['p42-caldav.cloud-like.test', 'p7-caldav.cloud-like.test']
const appPassword = /^[a-z]{4}(-[a-z]{4}){3}$/

/** The password of every user is `abcd-efgh-ijkl-mnop` here. */
export async function startIcloudLike(behind: CaldavServer): Promise<IcloudLike> {
  const password = 'abcd-efgh-ijkl-mnop'
  const target = new URL(behind.url)
  const deletedUids = new Set<string>()
  const uidsByPath = new Map<string, string>()
  let homePort = 0
  let [homeHost = ''] = homeHosts
  let oldAnswers = 404

  const handle = (host: 'front' | 'home') => async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const text = body.toString('utf8')
    const { method = 'GET', url: path = '/', headers } = request
    const refuse = (status: number, why = '', more: Record<string, string> = {}) =>
      response.writeHead(status, more).end(why)
    if (host === 'home' && !headers.host?.startsWith(homeHost))
      return refuse(oldAnswers, '', { location: `http://${homeHost}:${homePort}${path}` })
    const [user = '', given = ''] = Buffer.from((headers.authorization ?? '').replace(/^Basic /, ''), 'base64')
      .toString('utf8')
      .split(/:(.*)/s)
    const own = behind.users.find(({ username }) => username === user)
    if (own === undefined || !appPassword.test(given) || given !== password)
      return refuse(401, '', { 'www-authenticate': 'X-MobileMe-AuthToken realm="MMCal", Basic realm="MMCal"' })
    if (method === 'PROPFIND' && (text === '' || /allprop/.test(text))) return refuse(403, 'name the properties')
    if (method === 'REPORT' && /free-busy-query|[:<]expand[\s/>]/.test(text)) return refuse(501)
    if (method === 'REPORT' && /prop-filter name="UID"/.test(text)) return refuse(400)
    const isCalendarPath = path.startsWith('/dav/calendars/')
    // Calendars are served on their own host only.
    if (host === 'front' && isCalendarPath) return refuse(404)
    const uid = /^UID:(.*)$/m.exec(text)?.[1]?.trim()
    if (method === 'PUT' && uid !== undefined && deletedUids.has(uid)) return refuse(403, 'this UID is gone')

    const inner = path === '/' ? target.pathname : path
    const answer = await fetch(new URL(inner, target), {
      method,
      redirect: 'manual',
      headers: {
        ...Object.fromEntries(
          Object.entries(headers).filter(([name]) => !/^(host|connection|content-length|authorization)$/.test(name)),
        ),
        authorization: `Basic ${Buffer.from(`${own.username}:${own.password}`).toString('base64')}`,
        ...(headers.destination === undefined
          ? {}
          : { destination: new URL(new URL(String(headers.destination)).pathname, target).href }),
      } as Record<string, string>,
      ...(body.length === 0 ? {} : { body }),
    })
    if (method === 'PUT' && answer.status < 300 && uid !== undefined) uidsByPath.set(path, uid)
    if (method === 'DELETE' && answer.status < 300) deletedUids.add(uidsByPath.get(path) ?? '')
    const kept = Object.fromEntries(
      [...answer.headers].filter(
        ([name]) => !/^(transfer-encoding|connection|content-length|keep-alive|upgrade)$/.test(name),
      ),
    )
    if (method === 'PUT') delete kept.etag
    // The home is a whole URL, on the other host.
    const said = (await answer.text()).replace(
      /(calendar-home-set><\w+:href>)(\/[^<]*)/g,
      (_, start: string, href: string) => `${start}http://${homeHost}:${homePort}${href}`,
    )
    response.writeHead(answer.status, kept).end(said)
  }

  const listen = async (host: 'front' | 'home') => {
    const server = createServer((request, response) => {
      handle(host)(request, response).catch((error: Error) => response.writeHead(502).end(error.message))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
  const [front, home] = await Promise.all([listen('front'), listen('home')])
  homePort = (home.address() as AddressInfo).port
  const frontPort = (front.address() as AddressInfo).port
  return {
    server: {
      name: 'emulated iCloud',
      url: `http://${frontHost}:${frontPort}/`,
      users: behind.users.map((user) => ({ ...user, password })),
      stop: async () => {
        for (const server of [front, home]) {
          server.closeAllConnections()
          server.close()
        }
        await behind.stop()
      },
    },
    moveHomes: (answers) => {
      oldAnswers = answers
      homeHost = homeHosts[1] ?? ''
    },
    resolve: async (hostname) =>
      hostname === frontHost || homeHosts.includes(hostname) ? [{ address: '127.0.0.1', family: 4 }] : [],
  }
}
