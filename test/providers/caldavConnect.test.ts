/** Connecting a CalDAV account: what is found from what was typed, who is sent the password, and what each failure is called. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { answerDigest, digestOf, readChallenges } from '../../src/adapters/calendars/caldav/digest.ts'
import { caldavAccounts } from '../../src/adapters/calendars/caldav/provider.ts'
import { createSafeFetch } from '../../src/adapters/net/safeFetch.ts'
import { instant } from '../../src/core/time/instant.ts'
import type { CaldavServer } from '../support/calendars/caldavServer.ts'
import { startRadicale } from '../support/calendars/radicale.ts'
import { freePort } from '../support/daemon.ts'

let radicale: CaldavServer
const servers: Server[] = []
const safeFetch = createSafeFetch({
  allowPrivateNetwork: ['127.0.0.0/8'],
  // The world of these tests: every name leads here.
  resolve: async () => [{ address: '127.0.0.1', family: 4 }],
})
const tower = caldavAccounts({ safeFetch, now: () => instant(Date.now()), findService: async () => undefined })

beforeAll(async () => {
  radicale = await startRadicale(['alice', 'nobody'])
  const [, nobody] = radicale.users
  const gone = await fetch(nobody?.calendar ?? '', { method: 'DELETE', headers: basic('nobody', 'nobody-pw') })
  if (gone.status !== 200) throw new Error(`the calendar stayed: ${gone.status}`)
}, 120_000)
afterAll(async () => {
  await safeFetch.close()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await radicale?.stop()
})

function basic(username: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Hands requests on to Radicale, with its credentials. */
async function handOn(request: IncomingMessage, response: ServerResponse, path = request.url ?? '/'): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const answer = await fetch(new URL(path, radicale.url), {
    method: request.method ?? 'GET',
    redirect: 'manual',
    headers: { ...basic('alice', 'alice-pw'), depth: String(request.headers.depth ?? '0') },
    ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
  })
  response.writeHead(answer.status, { 'content-type': 'text/xml', ...pick(answer.headers, 'location') })
  response.end(await answer.text())
}

function pick(headers: Headers, name: string): Record<string, string> {
  const value = headers.get(name)
  return value === null ? {} : { [name]: value }
}

const connect = (settings: Record<string, string>) =>
  tower.connect(
    { username: 'alice', password: 'alice-pw', email: 'alice@host.example', ...settings },
    AbortSignal.timeout(15_000),
  )
const problemOf = async (settings: Record<string, string>) => {
  const connected = await connect(settings)
  return connected.ok ? 'connected' : [connected.problem.kind, connected.problem.field]
}

describe('what is found', () => {
  it.each(['', 'alice/', 'alice/main/', '.well-known/caldav', 'no/such/place'])(
    'the calendar, from a server and the path "%s"',
    async (path) => {
      const connected = await connect({ server_url: `${radicale.url}${path}` })
      expect(connected).toMatchObject({ ok: true, value: { email: 'alice@host.example', secret: 'alice-pw' } })
      if (!connected.ok) return
      expect(connected.value.calendars.found).toEqual([
        { id: '/alice/main/', name: 'Main', timezone: undefined, readOnly: false, isPrimary: true },
      ])
      expect(JSON.stringify(connected.value.settings)).not.toContain('alice-pw')
    },
  )

  it('no address where neither the server nor the name that one signs in with has any: it is asked for', async () => {
    const settings = { username: 'alice', password: 'alice-pw', server_url: radicale.url }
    expect(await tower.connect(settings, AbortSignal.timeout(15_000))).toMatchObject({
      ok: false,
      problem: { kind: 'invalidRequest', field: 'settings.email' },
    })
  })

  it('calendars of a principal without a home', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/me/') {
        response
          .writeHead(207)
          .end(
            `<multistatus xmlns="DAV:"><response><href>/me/</href><propstat><prop/><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`,
          )
        return
      }
      if (request.headers.depth === '1' || request.url !== '/') return void handOn(request, response, '/alice/')
      response
        .writeHead(207)
        .end(
          `<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop><current-user-principal><href>me/</href></current-user-principal></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`,
        )
    })
    const connected = await connect({ server_url: `http://127.0.0.1:${port}/` })
    expect(connected).toMatchObject({ ok: true, value: { calendars: { found: [{ id: '/alice/main/' }] } } })
  })

  it('an account that signs in by Digest only', async () => {
    const nonces = ['n1', 'n2']
    const port = await serve((request, response) => {
      const [challenge] = readChallenges(
        `Digest realm="cal", nonce="${nonces[0]}", qop="auth", algorithm=SHA-256, opaque="o"`,
      )
      const given = readChallenges(request.headers.authorization ?? '')[0]?.parameters ?? {}
      const expected =
        challenge &&
        answerDigest(
          challenge,
          {
            method: request.method ?? '',
            uri: request.url ?? '',
            username: 'alice',
            password: 'secret',
            count: Number.parseInt(given.nc ?? '0', 16),
          },
          given.cnonce ?? '',
        )
      if (request.headers.authorization !== expected) {
        response
          .writeHead(
            401,
            [
              ['www-authenticate', `Digest realm="cal", nonce="${nonces[0]}", qop="auth", algorithm=MD5`],
              [
                'www-authenticate',
                `Digest realm="cal", nonce="${nonces[0]}", qop="auth", algorithm=SHA-256, opaque="o"`,
              ],
            ].flat(),
          )
          .end()
        return
      }
      // The next request finds its nonce stale.
      if (nonces.length > 1 && request.headers.depth === '1') nonces.shift()
      void handOn(request, response)
    })
    const url = `http://127.0.0.1:${port}/`
    expect(await connect({ server_url: url, password: 'secret' })).toMatchObject({
      ok: true,
      value: { calendars: { found: [{ id: '/alice/main/' }] } },
    })
    expect(await problemOf({ server_url: url, password: 'wrong' })).toEqual(['invalidRequest', 'settings.password'])
  })

  it('Digest answers as its standard shows (RFC 7616 §3.9.1)', () => {
    const header = `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
    const challenge = digestOf(readChallenges(header))
    const request = {
      method: 'GET',
      uri: '/dir/index.html',
      username: 'Mufasa',
      password: 'Circle of Life',
      count: 1,
    }
    const answer = challenge && answerDigest(challenge, request, 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ')
    expect(answer).toContain('response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"')
  })
})

describe('where a domain points', () => {
  const asked: string[] = []
  const pointing = (host: string, path?: string) =>
    caldavAccounts({
      safeFetch,
      now: () => instant(0),
      findService: async (name) => {
        asked.push(name)
        return { host, port: 8_443, path }
      },
    })
  const typed = { username: 'alice', password: 'alice-pw', server_url: 'example.org' }

  it('is tried last, within the domain, and over TLS', async () => {
    const seen: string[] = []
    const watched = {
      ...safeFetch,
      fetch: async (url: string) => {
        seen.push(url)
        return 'couldNotConnect' as const
      },
    }
    const found = { host: 'dav.example.org', port: 8_443, path: '/dav/' }
    const towards = caldavAccounts({ safeFetch: watched, now: () => instant(0), findService: async () => found })
    expect(await towards.connect(typed, AbortSignal.timeout(5_000))).toMatchObject({
      problem: { field: 'settings.server_url' },
    })
    expect(seen).toEqual(['https://example.org/', 'https://dav.example.org:8443/dav/'])
  })

  it('is not followed to a domain of somebody else', async () => {
    const before = asked.length
    expect(await pointing('mallory.example.net').connect(typed, AbortSignal.timeout(5_000))).toMatchObject({
      problem: { field: 'settings.server_url' },
    })
    expect(asked.slice(before)).toEqual(['_caldavs._tcp.example.org'])
  })
})

describe('who is sent the password', () => {
  const seenBy = async (redirectTo: (port: number) => string, typed: (port: number) => string) => {
    const seen: (string | undefined)[] = []
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization)
      void handOn(request, response)
    })
    const front = await serve((request, response) => {
      response.writeHead(301, { location: `${redirectTo(other)}${request.url}` }).end()
    })
    return { problem: await problemOf({ server_url: typed(front) }), seen }
  }

  it('a host of the same registrable domain, where a redirect leads', async () => {
    const { problem, seen } = await seenBy(
      (port) => `http://p42.calendars.example.org:${port}`,
      (port) => `http://calendars.example.org:${port}/`,
    )
    expect(problem).toBe('connected')
    expect(seen.length).toBeGreaterThan(2)
  })

  it.each([
    ['http://elsewhere.example.net', 'http://calendars.example.org'],
    ['http://mallory.co.uk', 'http://alice.co.uk'],
    ['http://mallory.github.io', 'http://alice.github.io'],
    ['http://127.0.0.2', 'http://127.0.0.1'],
  ])('not %s, when %s leads there', async (elsewhere, typed) => {
    const { problem, seen } = await seenBy(
      (port) => `${elsewhere}:${port}`,
      (port) => `${typed}:${port}/`,
    )
    expect(problem).toEqual(['invalidRequest', 'settings.server_url'])
    expect(seen).toEqual([])
  })

  it('not a home on a host of somebody else', async () => {
    const seen: (string | undefined)[] = []
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(404).end()
    })
    const port = await serve((_, response) => {
      response
        .writeHead(207)
        .end(
          `<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response><href>/</href><propstat><prop><C:calendar-home-set><href>http://mallory.example.net:${other}/home/</href></C:calendar-home-set></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`,
        )
    })
    expect(await problemOf({ server_url: `http://calendars.example.org:${port}/` })).toEqual([
      'invalidRequest',
      'settings.server_url',
    ])
    expect(seen).toEqual([])
  })
})

describe('what a failure is called', () => {
  it('a wrong password, asked for once: accounts get locked', async () => {
    let asked = 0
    const port = await serve((_, response) => {
      asked += 1
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x", X-MobileMe-AuthToken realm="x"' }).end()
    })
    expect(await problemOf({ server_url: `http://127.0.0.1:${port}/` })).toEqual([
      'invalidRequest',
      'settings.password',
    ])
    expect(asked).toBe(1)
    expect(await problemOf({ server_url: radicale.url, password: 'wrong' })).toEqual([
      'invalidRequest',
      'settings.password',
    ])
  })

  it('no calendar', async () => {
    expect(await problemOf({ server_url: radicale.url, username: 'nobody', password: 'nobody-pw' })).toEqual([
      'invalidRequest',
      'settings.username',
    ])
  })

  it.each([
    ['nobody listens', async () => `http://127.0.0.1:${await freePort()}/`],
    [
      'a web server',
      async () => `http://127.0.0.1:${await serve((_, response) => response.end('<html>hello</html>'))}/`,
    ],
    ['not found', async () => `http://127.0.0.1:${await serve((_, response) => response.writeHead(404).end())}/`],
    ['the line breaks', async () => `http://127.0.0.1:${await serve((request) => request.socket.destroy())}/`],
    ['TLS was expected', async () => radicale.url.replace('http:', 'https:')],
    [
      'an entity is declared',
      async () => {
        const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa">]><multistatus xmlns="DAV:"><response><href>&a;</href></response></multistatus>`
        return `http://127.0.0.1:${await serve((_, response) => response.writeHead(207).end(bomb))}/`
      },
    ],
    ['no address', async () => 'not a url at all'],
    ['another protocol', async () => 'ftp://127.0.0.1/'],
    ['a port that is never called', async () => 'http://127.0.0.1:6379/'],
  ])('a wrong server: %s', async (_, url) => {
    expect(await problemOf({ server_url: await url() })).toEqual(['invalidRequest', 'settings.server_url'])
  })

  it('a private network that is not listed, and http on a public one', async () => {
    const strict = createSafeFetch({ allowPrivateNetwork: [] })
    const strictTower = caldavAccounts({ safeFetch: strict, now: () => instant(0), findService: async () => undefined })
    for (const server_url of [radicale.url, radicale.url.replace('http:', 'https:'), 'http://93.184.216.34/'])
      expect(
        await strictTower.connect({ username: 'a', password: 'b', server_url }, AbortSignal.timeout(5_000)),
      ).toMatchObject({ ok: false, problem: { kind: 'invalidRequest', field: 'settings.server_url' } })
    await strict.close()
  })

  it('a server that asks to wait', async () => {
    const port = await serve((_, response) => response.writeHead(503, { 'retry-after': '17' }).end())
    expect(await connect({ server_url: `http://127.0.0.1:${port}/` })).toMatchObject({
      ok: false,
      problem: { kind: 'calendarUnavailable', retryAfterSeconds: 17 },
    })
  })

  it('nothing typed', async () => {
    expect(await problemOf({})).toEqual(['invalidRequest', 'settings.server_url'])
    expect(await problemOf({ server_url: radicale.url, password: '' })).toEqual(['invalidRequest', 'settings.password'])
    expect(await problemOf({ server_url: radicale.url, username: ' ' })).toEqual([
      'invalidRequest',
      'settings.username',
    ])
    expect(await problemOf({ server_url: radicale.url, username: 'a:b' })).toEqual([
      'invalidRequest',
      'settings.username',
    ])
  })
})
