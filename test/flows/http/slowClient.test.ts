/** A client that takes its time is let go: it cannot hold a connection for longer than the limits say. */
import { connect } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { timeLimits } from '../../../src/http/limits.ts'
import { dripBytes } from '../../support/rawHttp.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    timeLimits: { headersMs: 300, requestMs: 600, checkEveryMs: 50, keepAliveMs: 300, handlerMs: 200 },
  })
})

const envelope = (text: string) => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))

describe('the limits of the server', () => {
  it('are those that operators were told', () => {
    expect(timeLimits).toEqual({
      headersMs: 10_000,
      requestMs: 30_000,
      keepAliveMs: 65_000,
      checkEveryMs: 5_000,
      handlerMs: 25_000,
    })
  })
})

describe('a slow client', () => {
  it('that drips its headers is told so in the envelope and let go', async () => {
    const pieces = [
      'GET /healthz HTTP/1.1\r\n',
      'Host: x\r\n',
      ...Array.from({ length: 400 }, (_, index) => `X-${index}: a\r\n`),
    ]
    const text = await dripBytes(server.url, pieces, 20, 5_000)
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    expect(text.toLowerCase()).toContain('connection: close')
    expect(envelope(text)).toMatchObject({
      request_id: expect.any(String),
      error: { type: 'invalid_request_error', message: expect.any(String) },
    })
  })

  it('that drips its body is let go too', async () => {
    const head = `POST /v3/connect/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{`
    const text = await dripBytes(server.url, [head, ...Array.from({ length: 400 }, () => ' ')], 20, 5_000)
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    expect(envelope(text)).toMatchObject({ error: { type: 'invalid_request_error' } })
  })

  it('that says nothing, or stops in the middle of a line, is let go', async () => {
    expect(await dripBytes(server.url, ['GET /heal'], 20, 5_000)).toMatch(/^HTTP\/1\.1 408 /)
    await dripBytes(server.url, [], 20, 5_000)
  })

  it('that closes its half and keeps the other open is let go', async () => {
    const { port, hostname } = new URL(server.url)
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => socket.end('GET /heal'))
      socket.resume()
      socket.on('end', resolve)
      socket.on('error', reject)
    })
    expect((await server.request('GET', '/healthz')).status).toBe(200)
  })

  it('that leaves without a word costs nothing: the next is served', async () => {
    const { port, hostname } = new URL(server.url)
    await Promise.all(
      Array.from(
        { length: 50 },
        () =>
          new Promise<void>((resolve) => {
            const socket = connect(Number(port), hostname, () => {
              socket.write('POST /v3/connect/token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{')
              socket.resetAndDestroy()
            })
            socket.on('error', () => {})
            socket.on('close', () => resolve())
          }),
      ),
    )
    expect((await server.request('GET', '/healthz')).status).toBe(200)
  })

  it('is not blamed for our own slowness: work past its time answers 503, and when to try again', async () => {
    const { pool } = server.app.database
    const locker = await pool.connect()
    try {
      await locker.query('begin; lock table openslot.applications in access exclusive mode')
      const reply = await server.request(
        'GET',
        '/v3/connect/tokeninfo?access_token=oat_0123abcd_0000000000000000000000000000000000000000000',
      )
      expect(reply.status).toBe(503)
      expect(reply.headers.get('retry-after')).toMatch(/^\d+$/)
    } finally {
      await locker.query('rollback')
      locker.release()
    }
  })
})
