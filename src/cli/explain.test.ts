import { createServer } from 'node:net'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'

import { explain } from './explain.ts'

it('says what to do about a database that does not speak TLS', async () => {
  // What PostgreSQL without TLS answers to the request for it.
  const plain = createServer((socket) => socket.once('data', () => socket.end('N')))
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => plain.close(() => resolve())))
  const { port } = plain.address() as { port: number }
  const client = new pg.Client({ connectionString: `postgres://u@127.0.0.1:${port}/x`, ssl: true })
  const error = await client.connect().then(
    () => undefined,
    (failure: unknown) => failure,
  )
  expect(explain(error)).toContain('does not speak TLS; switch it on there, or add ?sslmode=disable')
})

it.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames"],
])('says what to do about a certificate that is not trusted: %s', (code, message) => {
  expect(explain(Object.assign(new Error(message), { code }))).toContain(
    `is not trusted (${message}); name its authority`,
  )
})

it('says where the data cannot be', () => {
  const error = { code: 'ENOENT', syscall: 'mkdir', path: '/proc/openslot' }
  expect(explain(Object.assign(new Error('ENOENT'), error))).toBe(
    'No folder can be made at /proc/openslot; set DATA_DIR to a place where one can.',
  )
})

it('says what to do about a page that is spoilt, and nothing of it about what is wrong with a statement', () => {
  const spoilt = Object.assign(new Error('invalid page in block 0 of relation "base/5/1259"'), { code: 'XX001' })
  expect(explain(spoilt)).toMatch(
    /^The database is damaged \(invalid page .*\)\. Keep a copy .* "openslot restore FILE"/,
  )
  expect(explain(Object.assign(new Error('cache lookup failed'), { code: 'XX000' }))).toBe('cache lookup failed')
})
