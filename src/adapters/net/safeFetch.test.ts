import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, it } from 'vitest'

import { createSafeFetch, type SafeFetch, type SafeFetchOptions } from './safeFetch.ts'

const servers: { close(): void }[] = []
const fetchers: SafeFetch[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server as Server).closeAllConnections()
    server.close()
  }
})
afterAll(() => Promise.all(fetchers.map((fetcher) => fetcher.close())))

/** `connections`: who has come, whether or not they said anything. */
type Target = { port: number; url: string; asked: string[]; connections: (string | undefined)[] }

async function serve(listener: RequestListener): Promise<Target> {
  const asked: string[] = []
  const connections: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim())
    listener(request, response)
  })
  server.on('connection', ({ remoteAddress }) => connections.push(remoteAddress))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  servers.push(server)
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}/`, asked, connections }
}

const limits = { dnsMs: 200, connectMs: 500, firstByteMs: 600, wholeMs: 1_200 }

function make(options: Partial<SafeFetchOptions> = {}): SafeFetch {
  const fetcher = createSafeFetch({ allowPrivateNetwork: ['127.0.0.0/8', '::1'], limits, ...options })
  fetchers.push(fetcher)
  return fetcher
}

const get = { method: 'GET' } as const
const at = (address: string) => async () => [{ address, family: address.includes(':') ? 6 : 4 }]

describe('an address', () => {
  it('that is private is refused however it is written, in the words of one that is closed', async () => {
    const target = await serve((_request, response) => response.end('secret'))
    const closed = make({ allowPrivateNetwork: ['10.99.0.0/16'], resolve: at('127.0.0.1') })
    for (const host of [
      '127.0.0.1',
      '2130706433',
      '0x7f.1',
      '127.1',
      '0177.0.0.1',
      '[::ffff:127.0.0.1]',
      '[::1]',
      'localhost',
      'public.example',
      '0.0.0.0',
      '[::]',
    ])
      for (const scheme of ['http', 'https'])
        expect({ host, scheme, answer: await closed.fetch(`${scheme}://${host}:${target.port}/`, get) }).toEqual({
          host,
          scheme,
          answer: 'couldNotConnect',
        })
    // Not even knocked at: an open port would be known by the time that it takes.
    expect(target.connections).toEqual([])
    expect(await make().fetch('http://127.0.0.1:9/', get)).toBe('notAllowed')
    const free = await serve(() => {})
    servers.splice(-1)[0]?.close()
    expect(await make().fetch(free.url, get)).toBe('couldNotConnect')
  })

  it('of which one of several is private is refused', async () => {
    const target = await serve((_request, response) => response.end('secret'))
    const resolve = async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ]
    expect(await make({ resolve }).fetch(`http://mixed.example:${target.port}/`, get)).toBe('couldNotConnect')
    expect(target.asked).toEqual([])
  })

  it('is asked for once, and what is called is what was looked at', async () => {
    const target = await serve((_request, response) => response.setHeader('connection', 'close').end('mine'))
    let turn = 0
    const resolve = async () => [{ address: turn++ % 2 === 0 ? '127.0.0.1' : '10.0.0.1', family: 4 }]
    const fetcher = make({ resolve })
    expect(await fetcher.fetch(`http://flip.example:${target.port}/`, get)).toMatchObject({ status: 200 })
    expect(turn).toBe(1)
    expect(await fetcher.fetch(`http://flip.example:${target.port}/`, get)).toBe('couldNotConnect')
    expect(target.asked.length).toBe(1)
  })

  it('of which another one is used than was looked at is not spoken to', async () => {
    const target = await serve((_request, response) => response.end('secret'))
    let looks = 0
    const flipping = {
      get address() {
        return looks++ === 0 ? '127.0.0.2' : '127.0.0.1'
      },
      family: 4,
    }
    const fetcher = make({ allowPrivateNetwork: ['127.0.0.2/32'], resolve: async () => [flipping] })
    expect(await fetcher.fetch(`http://flip.example:${target.port}/`, get)).toBe('couldNotConnect')
    expect([target.connections.length, target.asked]).toEqual([1, []])
  })

  it('that is public is called by https only, and only a listed one by http', async () => {
    const target = await serve((_request, response) => response.end())
    expect(await make({ resolve: at('93.184.216.34') }).fetch(`http://public.example:${target.port}/`, get)).toBe(
      'couldNotConnect',
    )
    expect(make({ allowPrivateNetwork: [] }).isAllowed('http://public.example/')).toBe(false)
    expect(make({ allowPrivateNetwork: [] }).isAllowed('https://public.example/')).toBe(true)
  })

  it('whose name is not found in time is not called', async () => {
    const resolve = () => new Promise<never>(() => {})
    expect(await make({ resolve }).fetch('https://slow.example/', get)).toBe('couldNotConnect')
  })

  it.each([
    'ftp://host.example/',
    'file:///etc/passwd',
    'gopher://host.example/',
    'javascript:alert(1)',
    'data:text/plain,x',
    'https://user@host.example/',
    'https://user:pass@host.example/',
    'https://host.example:22/',
    'https://host.example:5432/',
    'https:///',
    'host.example',
    '',
  ])('%s is not allowed', async (url) => {
    expect(make().isAllowed(url)).toBe(false)
    expect(await make().fetch(url, get)).toBe('notAllowed')
  })
})

describe('a redirect', () => {
  it('is not followed unless it is asked for', async () => {
    const inner = await serve((_request, response) => response.end('inner'))
    const outer = await serve((_request, response) => response.writeHead(302, { location: inner.url }).end())
    expect(await make().fetch(outer.url, { method: 'POST', body: Buffer.from('x') })).toMatchObject({ status: 302 })
    expect(inner.asked).toEqual([])
  })

  it('leads inward nowhere', async () => {
    const inner = await serve((_request, response) => response.end('inner'))
    const locations = [
      `http://10.0.0.1:${inner.port}/`,
      `http://169.254.169.254/latest`,
      'file:///etc/passwd',
      'http://[::]:8080/',
    ]
    for (const location of locations) {
      const outer = await serve((_request, response) => response.writeHead(302, { location }).end())
      expect(['couldNotConnect', 'notAllowed']).toContain(await make().fetch(outer.url, { ...get, redirects: 3 }))
    }
  })

  it('is followed three times at most, and takes credentials to no other origin', async () => {
    const last = await serve((_request, response) => response.end('there'))
    const first = await serve((_request, response) => response.writeHead(307, { location: last.url }).end())
    const headers = { authorization: 'Bearer x' }
    expect(await make().fetch(first.url, { ...get, headers, redirects: 3 })).toMatchObject({ status: 200 })
    expect([first.asked, last.asked]).toEqual([['GET / Bearer x'], ['GET /']])
    const loop = await serve((request, response) => response.writeHead(302, { location: `${request.url}x` }).end())
    expect(await make().fetch(loop.url, { ...get, redirects: 99 })).toMatchObject({ status: 302 })
    expect(loop.asked.length).toBe(4)
  })
})

describe('an answer', () => {
  it('that never begins, or drips, ends in time', async () => {
    const silent = await serve(() => {})
    expect(await make().fetch(silent.url, get)).toBe('timedOut')
    const drip = await serve((_request, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 50)
      response.on('close', () => clearInterval(timer))
    })
    const begun = performance.now()
    expect(await make().fetch(drip.url, get)).toBe('timedOut')
    expect(performance.now() - begun).toBeLessThan(5_000)
  })

  it('of 2 GB is cut off, or refused, after the little that is wanted', async () => {
    let written = 0
    const endless = await serve((_request, response) => {
      const chunk = Buffer.alloc(1 << 20)
      const go = () => {
        while (written < 2 ** 31 && !response.destroyed) {
          written += chunk.length
          if (!response.write(chunk)) {
            response.once('drain', go)
            return
          }
        }
      }
      go()
    })
    const cut = await make().fetch(endless.url, { ...get, whenLonger: 'cut' })
    expect(cut).toMatchObject({ status: 200, isCut: true, body: { length: 65_536 } })
    expect(await make().fetch(endless.url, { ...get, bodyLimitBytes: 1_000 })).toBe('tooLarge')
    expect(written).toBeLessThan(100 << 20)
  })

  it('that is a bomb is refused by what comes out of it, and not even opened where nobody wants it', async () => {
    const bomb = gzipSync(Buffer.alloc(50 << 20))
    const target = await serve((_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb))
    const fetcher = make()
    const opened = await fetcher.fetch(target.url, { ...get, bodyLimitBytes: 1 << 20 })
    // Its length alone: what came out of a bomb is nothing to print.
    expect(typeof opened === 'string' ? opened : opened.body.length).toBe('tooLarge')
    expect(await fetcher.fetch(target.url, { ...get, bodyLimitBytes: 1 << 20, whenLonger: 'cut' })).toMatchObject({
      status: 200,
      body: { length: bomb.length },
    })
    const small = await serve((_request, response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync('hello')),
    )
    const answer = await fetcher.fetch(small.url, get)
    expect(typeof answer === 'string' ? answer : Buffer.from(answer.body).toString()).toBe('hello')
  })

  it('with headers beyond all measure, no HTTP, or half an answer is none', async () => {
    const talk = async (text: string) => {
      const server = createTcpServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', () => socket.end(text))
      })
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      servers.push(server)
      return make().fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, get)
    }
    expect(await talk(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`)).toBe('tooLarge')
    expect(await talk('SSH-2.0-OpenSSH_9\r\n')).toBe('brokeOff')
    expect(await talk('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')).toBe('brokeOff')
    expect(await talk('')).toBe('brokeOff')
  })
})

describe('whoever calls', () => {
  it('may end a call before its time', async () => {
    const target = await serve(() => {})
    const giveUp = new AbortController()
    const answer = make().fetch(target.url, { ...get, signal: giveUp.signal })
    giveUp.abort()
    expect(await answer).toBe('timedOut')
    expect(await make().fetch(target.url, { ...get, signal: giveUp.signal })).toBe('timedOut')
  })

  it('may have more patience than is usual', async () => {
    const target = await serve(
      (_request, response) => void setTimeout(() => response.end('late'), limits.wholeMs + 100),
    )
    expect(await make().fetch(target.url, get)).toBe('timedOut')
    expect(await make().fetch(target.url, { ...get, patienceMs: 20_000 })).toMatchObject({ status: 200 })
  })

  it('sees all of a header that is a list, however often it stands there', async () => {
    const target = await serve((_request, response) => response.writeHead(200, ['DAV', '1', 'DAV', '2, 3']).end())
    expect(await make().fetch(target.url, get)).toMatchObject({ headers: { dav: '1, 2, 3' } })
  })
})
