import { describe, expect, it } from 'vitest'

import type { SafeFetch, SafeRequest } from '../../net/safeFetch.ts'
import { type DavRequest, openClient } from './client.ts'

/** A server that answers each request with a redirect, `redirects` times, and then with `ok`. */
async function send(request: Partial<DavRequest>, redirects = 0) {
  const asked: { readonly url: string; readonly request: SafeRequest }[] = []
  const safeFetch: SafeFetch = {
    isAllowed: () => true,
    close: async () => {},
    async fetch(url, sent) {
      asked.push({ url, request: sent })
      const isLast = asked.length > redirects
      return {
        status: isLast ? 200 : 302,
        headers: isLast ? {} : { location: `/${asked.length}` },
        body: new TextEncoder().encode('ok'),
        isCut: false,
      }
    },
  }
  const credentials = { username: 'ada', password: 'secret' }
  const client = openClient(safeFetch, credentials, 'https://dav.example.org/', AbortSignal.timeout(60_000))
  const answer = await client.send({ method: 'PROPFIND', url: 'https://dav.example.org/', ...request })
  return { answer, asked }
}

describe('a CalDAV client', () => {
  it('follows three redirects and no more', async () => {
    const near = await send({}, 3)
    expect(near.answer).toMatchObject({ status: 200, url: 'https://dav.example.org/3' })
    const far = await send({}, 4)
    expect(far.answer).toMatchObject({ status: 302, url: 'https://dav.example.org/3' })
    expect(far.asked).toHaveLength(4)
  })

  it.each([
    [{ method: 'REPORT', depth: 0 }, 55_000],
    [{ method: 'REPORT', depth: 1 }, 55_000],
    [{ method: 'PROPFIND', depth: 1 }, 55_000],
    [{ method: 'PROPFIND', depth: 0 }, undefined],
    [{ method: 'OPTIONS' }, undefined],
    [{ method: 'GET' }, undefined],
    [{ method: 'PUT', body: 'x' }, undefined],
    [{ method: 'DELETE' }, undefined],
    [{ method: 'MOVE' }, undefined],
  ] as const)('waits for the answer to %j as long as %s', async (request, patienceMs) => {
    const { asked } = await send(request)
    expect(asked[0]?.request.patienceMs).toBe(patienceMs)
  })
})
