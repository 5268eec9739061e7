/** What keeps programs from booking by the thousand, and never a caller of the API. */
import { createHash } from 'node:crypto'

import { beforeAll, describe, expect, it } from 'vitest'
import { type Instant, instant } from '../../../src/core/time/instant.ts'
import { createProofOfWork } from '../../../src/http/proofOfWork.ts'
import { findNumber } from '../../../web/shared/findNumber.ts'
import { sha256 } from '../../../web/shared/sha256.ts'
import { book, makeConfiguration, makeHost, nearFuture, type TestHost } from '../../support/hosts.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

type Challenge = { challenge: string; salt: string; maxnumber: number; algorithm: string; signature: string }

/** As the page does it. */
function solved({ challenge, salt, maxnumber, algorithm, signature }: Challenge, change: object = {}): string {
  const number = findNumber(challenge, salt, maxnumber)
  return Buffer.from(JSON.stringify({ algorithm, challenge, number, salt, signature, ...change })).toString('base64')
}

let server: TestServer
let host: TestHost
beforeAll(async () => {
  server = await startTestServer({}, { RATE_LIMIT: 'on', TRUSTED_PROXIES: '127.0.0.1' })
  host = await makeHost(server, 'ada@host.example')
})

let turn = 0
/** Each at a time and from a guest of its own. */
function bookFrom(address: string, id: string, page_check?: object, more: object = {}) {
  turn++
  return book(server, id, nearFuture() + turn * 1_800, {
    headers: { 'x-forwarded-for': address },
    body: {
      guest: { name: 'Gil', email: `gil${turn}@guest.example` },
      ...(page_check === undefined ? {} : { page_check }),
      ...more,
    },
  })
}
const busyAddress = async (address: string, id: string) => {
  for (let round = 0; round < 5; round++) expect((await bookFrom(address, id)).status).toBe(200)
}

describe('a form', () => {
  it.each([
    [{ website: 'https://spam.example', open_seconds: 20 }, 'page_check.website'],
    [{ website: '', open_seconds: 0.2 }, 'page_check.open_seconds'],
  ])('that a program filled in is refused: %j', async (check, field) => {
    const id = await makeConfiguration(server, [host])
    const refused = await bookFrom('192.0.2.1', id, check)
    expect([refused.status, refused.body.error.message]).toEqual([400, expect.stringContaining(field)])
  })

  it('that a person filled in is booked, and so is what comes without a form', async () => {
    const id = await makeConfiguration(server, [host])
    expect((await bookFrom('192.0.2.2', id, { website: '', open_seconds: 12.5 })).status).toBe(200)
    expect((await bookFrom('192.0.2.2', id)).status).toBe(200)
    expect((await bookFrom('192.0.2.2', id, null as never)).status).toBe(200)
  })

  it('is not part of what makes a repeat the same', async () => {
    const id = await makeConfiguration(server, [host])
    const start = nearFuture() + 86_400
    const sendAgain = (open_seconds: number) =>
      book(server, id, start, { headers: { 'idempotency-key': 'one' }, body: { page_check: { open_seconds } } })
    const [first, second] = [await sendAgain(5), await sendAgain(9)]
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.body.data.booking_id).toBe(first.body.data.booking_id)
  })
})

describe('a busy address', () => {
  it('brings a proof of work where the configuration asks for it, and each only once', async () => {
    const id = await makeConfiguration(server, [host], { scheduler: { proof_of_work: true } })
    await busyAddress('192.0.2.3', id)
    const asked = await bookFrom('192.0.2.3', id)
    expect([asked.status, asked.body.error.type]).toEqual([428, 'proof_required'])
    const { challenge } = asked.body.error
    expect((await bookFrom('192.0.2.3', id, { proof: 'bm90aGluZw==' })).status).toBe(428)
    expect((await bookFrom('192.0.2.3', id, { proof: solved(challenge, { number: -1 }) })).status).toBe(428)
    const proof = solved(challenge)
    expect((await bookFrom('192.0.2.3', id, { proof })).status).toBe(200)
    expect((await bookFrom('192.0.2.3', id, { proof })).status).toBe(428)
    // Nobody else is troubled, nor is this address elsewhere.
    expect((await bookFrom('192.0.2.4', id)).status).toBe(200)
    const open = await makeConfiguration(server, [host])
    expect((await bookFrom('192.0.2.3', open)).status).toBe(200)
  })

  it('is asked nothing with a key or a session', async () => {
    const id = await makeConfiguration(server, [host], { scheduler: { proof_of_work: true } })
    await busyAddress('192.0.2.5', id)
    const session = await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
    for (const token of [server.apiKey, session.body.data.session_id]) {
      turn++
      const start = nearFuture() + turn * 1_800
      const reply = await server.request('POST', `/v3/scheduling/bookings?configuration_id=${id}`, {
        token,
        headers: { 'x-forwarded-for': '192.0.2.5' },
        body: {
          start_time: start,
          end_time: start + 1_800,
          guest: { name: 'Gil', email: `gil${turn}@guest.example` },
          page_check: { website: 'x', open_seconds: 0 },
        },
      })
      expect(reply.status).toBe(200)
    }
  })
})

describe('a proof of work', () => {
  const at = { now: instant(1_800_000_000_000) as Instant }
  let keys: [string, ...string[]] = ['a key']
  const proofs = createProofOfWork(
    () => keys,
    () => at.now,
  )
  const demanded = async (configuration = 'one') => (await proofs.demand(configuration)).challenge as never as Challenge

  it('is good for five minutes, for its configuration, under its key', async () => {
    const early = solved(await demanded())
    at.now = instant(at.now + 5 * 60_000 - 1)
    expect(await proofs.accept(early, 'one')).toBe(true)
    const late = solved(await demanded())
    at.now = instant(at.now + 5 * 60_000)
    expect(await proofs.accept(late, 'one')).toBe(false)
    expect(await proofs.accept(solved(await demanded('another')), 'one')).toBe(false)
    const foreign = (
      await createProofOfWork(
        () => ['b'],
        () => at.now,
      ).demand('one')
    ).challenge as never as Challenge
    expect(await proofs.accept(solved(foreign), 'one')).toBe(false)
  })

  it('outlives a rotation of keys, and is then asked for under the new one', async () => {
    const before = solved(await demanded())
    keys = ['a new key', 'a key']
    expect(await proofs.accept(before, 'one')).toBe(true)
    expect(await proofs.accept(before, 'one')).toBe(false)
    const after = solved(await demanded())
    keys = ['a new key']
    expect(await proofs.accept(after, 'one')).toBe(true)
  })

  it.each(['', 'e30=', 'bnVsbA==', 'W10=', '%%%'])('is never %j', async (text) => {
    expect(await proofs.accept(text, 'one')).toBe(false)
  })

  it('cannot be made longer or easier by changing what was signed', async () => {
    const challenge = await demanded()
    const later = { salt: challenge.salt.replace(/until=\d+/, 'until=9999999999999') }
    expect(await proofs.accept(solved(challenge, later), 'one')).toBe(false)
    const own = { challenge: sha256(`${challenge.salt}1`), number: 1 }
    expect(await proofs.accept(solved(challenge, own), 'one')).toBe(false)
  })
})

it('the page hashes as everyone does', () => {
  for (const length of [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 1_000]) {
    const text = 'é'.repeat(length % 7) + 'a'.repeat(length)
    expect(sha256(text)).toBe(createHash('sha256').update(text).digest('hex'))
  }
})
