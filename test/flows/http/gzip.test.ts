/** Answers are compressed for those who ask, and requests never are. */

import { request } from 'node:http'
import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'

import { makeConfiguration, makeHost, nearFuture } from '../../support/hosts.ts'
import { rawRequest } from '../../support/rawHttp.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let path: string

beforeAll(async () => {
  server = await startTestServer()
  const id = await makeConfiguration(server, [await makeHost(server, 'ada@host.example')])
  path = `/v3/scheduling/availability?configuration_id=${id}&start_time=${nearFuture()}&end_time=${nearFuture() + 7 * 86_400}`
})

function bytesOf(
  acceptEncoding: string,
): Promise<{ encoding: string | undefined; vary: string | undefined; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    request(`${server.url}${path}`, { headers: { 'accept-encoding': acceptEncoding } }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => {
        const { 'content-encoding': encoding, vary } = answer.headers
        resolve({ encoding, vary, bytes: Buffer.concat(parts) })
      })
    })
      .on('error', reject)
      .end()
  })
}

describe('an answer', () => {
  it('is compressed for who asks for gzip, and says the same', async () => {
    const plain = await bytesOf('identity')
    const packed = await bytesOf('gzip, deflate, br')
    expect(plain.encoding).toBeUndefined()
    expect(packed.encoding).toBe('gzip')
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 3)
    expect([plain.vary, packed.vary]).toEqual([expect.stringContaining('accept-encoding'), plain.vary])
    const read = (bytes: Buffer) => JSON.parse(bytes.toString('utf8')).data
    expect(read(gunzipSync(packed.bytes))).toEqual(read(plain.bytes))
    expect(read(plain.bytes).time_slots.length).toBeGreaterThan(100)
  })

  it.each(['gzip;q=0', 'br', 'identity, gzip;q=0.5', 'nonsense', ''])(
    'stays plain for who accepts %j',
    async (accepted) => {
      expect((await bytesOf(accepted)).encoding).toBeUndefined()
    },
  )

  it.each(['*', 'br;q=0.9, gzip;q=0.8', 'GZIP'])('is compressed for who accepts %j', async (accepted) => {
    expect((await bytesOf(accepted)).encoding).toBe('gzip')
  })
})

describe('a request', () => {
  it.each(['gzip', 'deflate', 'br', 'gzip, gzip', 'x-unknown'])(
    'that comes as %s is refused before it is read',
    async (encoding) => {
      const reply = await rawRequest(server.url, {
        method: 'POST',
        path: '/v3/connect/custom',
        headers: {
          authorization: `Bearer ${server.apiKey}`,
          'content-type': 'application/json',
          'content-encoding': encoding,
        },
        body: gzipSync('{"provider":"virtual-calendar","settings":{"email":"a@b.example"}}'),
      })
      expect(reply.status).toBe(415)
      expect(JSON.parse(reply.text).error.message).toContain('Content-Encoding')
    },
  )
})
